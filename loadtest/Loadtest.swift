import ArgumentParser
import Classroom
import EventLoop
import SignalingProtocol

/// The command line.
///
/// Exit codes: 0 everything was right, 1 something was not or the run could not be made, 2 the arguments are wrong.
@main
struct Loadtest: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "loadtest",
    abstract: "Fill a Rollcall server with simulated attendees, and check everything they see.",
    discussion: """
      Makes sessions over HTTP, lets their hosts start them over WebSockets, and brings the attendees in, each over a socket \
      of its own. They chat in turn and signal in pairs; whoever gets a signal sends it back. Every attendee checks that it \
      sees each event after the one its state included, once and in order, with the text, sender and number that all others \
      see, and that the participants it knows are as many as the server says and, at the end, those who are there. The \
      attendance report must then tell what the attendees saw, the hosts end their sessions, and everybody closes.

      Messages count from when they were due, not from when they were sent: "sent late by" tells what the load tester \
      itself was late by. When that is large, the machine is too small for both and the figures are not the server's.

      A line each second and the table go to standard error, one line of JSON to standard output.
      Exit codes: 0 everything was right; 1 something was lost, duplicated, out of order, miscounted or refused, or the run \
      could not be made; 2 wrong arguments.

      Examples:
        loadtest --url http://127.0.0.1:8080 --secret-file rollcall-data/secret --attendees 500 --chat-rate 10
        loadtest --secret-file rollcall-data/secret --sessions 10 --attendees 50 --signal-rate 20 --pid $(pidof rollcall)
        loadtest --host-token-file token --attendees 100
        loadtest --secret-file rollcall-data/secret --sessions 50 --attendees 10 --chat-rate 100 --signal-rate 0
      """)

  @Option(help: "The server: ws://HOST:PORT/ws, or http://HOST:PORT.")
  var url = "ws://127.0.0.1:8080/ws"

  @Option(
    name: .customLong("secret-file"),
    help: "The server's secret: everybody gets a token of their own. In the server's data folder it is called `secret`."
  )
  var secretFile: String?

  @Option(
    name: .customLong("host-token-file"),
    help: "Instead of the secret: a file with one token that may create sessions. The attendees come as guests.")
  var hostTokenFile: String?

  @Option(help: "How many sessions.")
  var sessions = 1

  @Option(help: "How many attendees each session has, beside its host.")
  var attendees = 50

  @Option(name: .customLong("session-prefix"), help: "What the ids of the sessions begin with.")
  var sessionPrefix = "load"

  @Option(help: "How long the load lasts once everybody is in.")
  var seconds = 10.0

  @Option(name: .customLong("chat-rate"), help: "Chat messages per second in each session.")
  var chatRate = 1.0

  @Option(name: .customLong("chat-bytes"), help: "The length of a chat message.")
  var chatBytes = 64

  @Option(
    name: .customLong("signal-rate"),
    help: "Signals per second in each session; each is sent back. Default: 1, or 0 with one attendee and with --herd.")
  var signalRate: Double?

  @Option(
    name: .customLong("probe-rate"),
    help: "Pings per second of each host: how long the server lets something small wait. Default: none.")
  var probeRate = 0.0

  @Option(help: "Joins per second. Default: as fast as the server answers.")
  var ramp: Double?

  @Option(name: .customLong("in-flight"), help: "How many joins may be under way at the same time.")
  var inFlight = 64

  @Flag(name: .customLong("quiet-ramp"), help: "Nobody speaks before everybody is in.")
  var isRampQuiet = false

  @Option(
    help: """
      What attendees want of presence: full, hosts, count, none. Default: full, and count with more than 500 attendees. \
      The host has the full list.
      """)
  var presence: PresenceMode?

  @Option(help: "How many seconds the server may take for what is still due, and how long no join may be stuck.")
  var grace = 10.0

  @Flag(
    help: """
      Await that the server is killed and started again: once the load is over and "herd: N are in" is said on standard \
      output. A line "ready NANOSECONDS PID" on standard input tells when it was back, by the monotonic clock, and its \
      process. Everybody must come back and have missed nothing.
      """)
  var herd = false

  @Option(name: .customLong("herd-seconds"), help: "How long that may take.")
  var herdSeconds = 120.0

  @Option(name: .customLong("pid"), help: "The server's process on this machine: its CPU time and memory are measured.")
  var serverProcess: Int32?

  @Option(name: .customLong("json"), help: "Write the line of JSON to this file too.")
  var jsonFile: String?

  /// Runs the command line. The parser's own exit code for wrong arguments is 64; here it is 2.
  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let failure as LoadRunFailure {
      StandardStreams.tell("loadtest: \(failure.sentence)")
      StandardStreams.exit(1)
    } catch {
      guard exitCode(for: error) != .success else { exit(withError: error) }
      StandardStreams.tell(fullMessage(for: error))
      StandardStreams.exit(2)
    }
  }

  private var effectiveSignalRate: Double { signalRate ?? (attendees < 2 || herd ? 0 : 1) }

  func validate() throws {
    guard ServerTarget(url) != nil else {
      throw ValidationError("--url takes ws://HOST:PORT/ws or http://HOST:PORT; TLS is not spoken.")
    }
    guard (secretFile == nil) != (hostTokenFile == nil) else {
      throw ValidationError("Either --secret-file or --host-token-file is needed.")
    }
    // The run adds eight digits, a number and the hyphens between.
    guard SessionID.isValid(sessionPrefix), sessionPrefix.utf8.count <= 40 else {
      throw ValidationError("--session-prefix takes 1 to 40 letters, digits, underscores or hyphens.")
    }
    try check(sessions, in: 1...10_000, "--sessions")
    try check(attendees, in: 1...100_000, "--attendees")
    try check(chatBytes, in: 16...4096, "--chat-bytes")
    try check(inFlight, in: 1...10_000, "--in-flight")
    try check(seconds, in: 0...86_400, "--seconds")
    try check(chatRate, in: 0...100_000, "--chat-rate")
    try check(effectiveSignalRate, in: 0...100_000, "--signal-rate")
    try check(probeRate, in: 0...10_000, "--probe-rate")
    try check(grace, in: 0.1...3600, "--grace")
    if let ramp { try check(ramp, in: 0.01...1_000_000, "--ramp") }
    if let serverProcess, ProcessUsage(of: serverProcess) == nil {
      throw ValidationError("--pid: there is no process \(serverProcess).")
    }
    try check(herdSeconds, in: 1...3600, "--herd-seconds")
    if herd, effectiveSignalRate > 0 {
      throw ValidationError("Signals do not outlive a server: no --signal-rate with --herd.")
    }
    if effectiveSignalRate > 0, attendees < 2 { throw ValidationError("--signal-rate needs two attendees.") }
  }

  private func check<Value: Comparable>(_ value: Value, in range: ClosedRange<Value>, _ name: String) throws {
    guard range.contains(value) else {
      throw ValidationError("\(name) takes \(range.lowerBound) to \(range.upperBound).")
    }
  }

  func run() throws {
    ProcessSettings.ignoreSignalsOfWrites()
    let (plan, address) = try prepare()
    let report = try system { () throws(SystemError) in try LoadRun(plan, address: address) }.run()
    StandardStreams.tell(report.table)
    let line = report.json
    StandardStreams.say(String(decoding: line, as: UTF8.self))
    if let jsonFile {
      try system { () throws(SystemError) in try SmallFile.write(line + [UInt8(ascii: "\n")], to: jsonFile) }
    }
    if !report.isRight { StandardStreams.exit(1) }
  }

  private func prepare() throws(LoadRunFailure) -> (LoadPlan, SocketAddress) {
    guard let target = ServerTarget(url) else { throw LoadRunFailure(sentence: "\(url) is no address of a server") }
    let limit = try system { () throws(SystemError) in try ProcessSettings.raiseOpenFileLimit() }
    let needed = UInt64(sessions * (attendees + 1) + 16)
    guard needed <= limit else {
      throw LoadRunFailure(sentence: "\(needed) open files are needed and the system allows \(limit) (ulimit -n)")
    }
    let plan = LoadPlan(
      target: target, credentials: try credentials(), sessionPrefix: sessionPrefix, sessions: sessions,
      attendees: attendees, hostPresence: .full, attendeePresence: presence ?? (attendees > 500 ? .count : .full),
      chatRate: chatRate, chatBytes: chatBytes, signalRate: effectiveSignalRate, probeRate: probeRate, seconds: seconds,
      joinRate: ramp,
      handshakesInFlight: inFlight, isRampQuiet: isRampQuiet, graceSeconds: grace, awaitsHerd: herd,
      herdSeconds: herdSeconds, serverProcess: serverProcess)
    let addresses: [SocketAddress]
    do throws(AddressError) {
      addresses = try SocketAddress.resolve(host: target.host, port: target.port)
    } catch {
      throw LoadRunFailure(sentence: "\(error)")
    }
    guard let address = addresses.first else { throw LoadRunFailure(sentence: "\(target.host) has no address") }
    return (plan, address)
  }

  private func credentials() throws(LoadRunFailure) -> Credentials {
    if let secretFile {
      let secret = try system { () throws(SystemError) in try SmallFile.readTrimmed(secretFile) }
      guard let signer = TokenSigner(secret: secret) else {
        throw LoadRunFailure(sentence: "\(secretFile) holds less than \(TokenSigner.minimumBytes) bytes")
      }
      return .secret(signer)
    }
    let token = try system { () throws(SystemError) in try SmallFile.readTrimmed(hostTokenFile ?? "") }
    guard !token.isEmpty, token.allSatisfy({ 0x21...0x7E ~= $0 }) else {
      throw LoadRunFailure(sentence: "\(hostTokenFile ?? "") holds no token")
    }
    return .hostToken(String(decoding: token, as: UTF8.self))
  }

  private func system<Result>(_ body: () throws(SystemError) -> Result) throws(LoadRunFailure) -> Result {
    do throws(SystemError) {
      return try body()
    } catch {
      throw LoadRunFailure(sentence: "\(error)")
    }
  }
}

extension PresenceMode: ExpressibleByArgument {}
