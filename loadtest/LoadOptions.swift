import ArgumentParser
import Classroom
import EventLoop
import SignalingProtocol
import TLS

/// Which server, and who may do what on it.
struct ServerOptions: ParsableArguments {
  @Option(help: "The server: ws://HOST:PORT/ws or http://HOST:PORT; wss:// or https:// with TLS.")
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

  @Option(
    name: .customLong("tls-ca"),
    help: "The certificates to trust (PEM), authorities or the server's own. Default: those that the system trusts.")
  var trustedFile: String?

  @Flag(name: .customLong("tls-insecure"), help: "Trust any certificate.")
  var trustsAnybody = false

  @Flag(help: "Offer permessage-deflate, so that the server may compress what it sends.")
  var compression = false

  @Option(
    name: [.customLong("server-pid"), .customLong("pid")],
    help: "The server's process on this machine: its CPU time, memory and open files are measured.")
  var serverProcess: Int32?

  @Option(
    name: .customLong("source-addresses"),
    help: """
      Own addresses to connect from in turn: a number of loopback addresses (127.0.0.2 and up), or a list with commas. \
      Default: one; to a server on this machine, one more for each 8,000 connections.
      """)
  var sourceAddresses: SourceAddressChoice?

  func validate() throws {
    guard ServerTarget(url) != nil else {
      throw ValidationError("--url takes ws://HOST:PORT/ws or http://HOST:PORT, or wss:// or https://.")
    }
    guard (secretFile == nil) != (hostTokenFile == nil) else {
      throw ValidationError("Either --secret-file or --host-token-file is needed.")
    }
    if trustsAnybody, trustedFile != nil {
      throw ValidationError("--tls-insecure trusts anybody: no --tls-ca with it.")
    }
    if let serverProcess, ProcessUsage(of: serverProcess) == nil {
      throw ValidationError("--server-pid: there is no process \(serverProcess).")
    }
  }

  /// Whom the clients trust; nil without TLS.
  func security(of target: ServerTarget) throws(LoadRunFailure) -> TransportSecurity? {
    guard target.isSecure else { return nil }
    var trust = TLSTrust.system
    if trustsAnybody {
      trust = .anybody
    } else if let trustedFile {
      trust = .certificates(
        pem: try LoadRunFailure.wrap { () throws(SystemError) in try SmallFile.read(trustedFile, maximumBytes: 1 << 20)
        })
    }
    do throws(TLSCredentialError) {
      return TransportSecurity(context: try TLSClientContext(trust: trust), host: target.host)
    } catch {
      throw LoadRunFailure(sentence: "TLS: \(error)")
    }
  }

  func credentials() throws(LoadRunFailure) -> Credentials {
    if let secretFile {
      let secret = try LoadRunFailure.wrap { () throws(SystemError) in try SmallFile.readTrimmed(secretFile) }
      guard let signer = TokenSigner(secret: secret) else {
        throw LoadRunFailure(sentence: "\(secretFile) holds less than \(TokenSigner.minimumBytes) bytes")
      }
      return .secret(signer)
    }
    let file = hostTokenFile ?? ""
    let token = try LoadRunFailure.wrap { () throws(SystemError) in try SmallFile.readTrimmed(file) }
    guard !token.isEmpty, token.allSatisfy({ 0x21...0x7E ~= $0 }) else {
      throw LoadRunFailure(sentence: "\(file) holds no token")
    }
    return .hostToken(String(decoding: token, as: UTF8.self))
  }
}

/// How much of what. What is not given is the scenario's own.
struct LoadOptions: ParsableArguments {
  @Option(help: "How many attendees each session has, beside its host.")
  var attendees: Int?

  @Option(help: "How many sessions.")
  var sessions: Int?

  @Option(
    name: [.customLong("duration"), .customLong("seconds")],
    help: "How many seconds the load lasts once everybody is in; for a class, from its beginning to its end.")
  var seconds: Double?

  @Option(
    help: """
      How much: for relay signals per second in each session, for churn departures per second altogether, for all others \
      chat messages per second in each session.
      """)
  var rate: Double?

  @Option(name: .customLong("chat-rate"), help: "Chat messages per second in each session.")
  var chatRate: Double?

  @Option(name: .customLong("chat-bytes"), help: "The length of a chat message.")
  var chatBytes: Int?

  @Option(name: .customLong("signal-rate"), help: "Signals per second in each session; each is sent back.")
  var signalRate: Double?

  @Option(
    name: .customLong("probe-rate"),
    help: "Pings per second of each host: how long the server lets something small wait.")
  var probeRate: Double?

  @Option(help: "Joins per second. Default: as fast as the server answers.")
  var ramp: Double?

  @Option(name: .customLong("in-flight"), help: "How many joins may be under way at the same time.")
  var inFlight: Int?

  @Flag(name: .customLong("quiet-ramp"), help: "Nobody speaks before everybody is in.")
  var isRampQuiet = false

  @Option(
    help: """
      What attendees want of presence: full, hosts, count, none, mixed. The host has the full list. Default: full, and \
      count with more than 500 attendees; a class is mixed.
      """)
  var presence: PresenceChoice?

  @Option(
    help: """
      What the tester breaks, each for a share of the attendees, once: reset (RST), cut (in the middle of a frame), \
      half-open (gone without a word, back over another connection), slow (reads nothing for a while). For example \
      reset=5%,cut=0.05,half-open=0.1,slow=10%, or none. All must come back and miss nothing.
      """)
  var faults: FaultShares?

  @Option(name: .customLong("slow-seconds"), help: "How long somebody slow reads nothing.")
  var slowSeconds: Double?

  @Option(
    name: .customLong("resume-window"), help: "How many seconds the server keeps a seat (`rollcall serve --grace`).")
  var resumeSeconds = 20.0

  @Option(help: "How many seconds the server may take for what is still due, and how long no join may be stuck.")
  var grace = 10.0

  @Option(help: "The seed of what is random: who comes when, and whom what befalls.")
  var seed: UInt64?

  @Option(name: .customLong("session-prefix"), help: "What the ids of the sessions begin with.")
  var sessionPrefix = "load"

  @Flag(
    name: [.customLong("await-restart"), .customLong("herd")],
    help: """
      Await that the server is killed and started again: once the load is over and "herd: N are in" is said on standard \
      output. A line "ready NANOSECONDS PID" on standard input tells when it was back, by the monotonic clock, and its \
      process. Everybody must come back and have missed nothing.
      """)
  var awaitsRestart = false

  @Option(name: .customLong("herd-seconds"), help: "How long the return of everybody may take.")
  var herdSeconds = 120.0

  /// To see that the checks find it; see ``Sabotage``.
  @Option(help: .hidden)
  var sabotage: Sabotage?

  func validate() throws {
    // The run adds eight digits, a number and the hyphens between.
    guard SessionID.isValid(sessionPrefix), sessionPrefix.utf8.count <= 40 else {
      throw ValidationError("--session-prefix takes 1 to 40 letters, digits, underscores or hyphens.")
    }
    try check(sessions, in: 1...10_000, "--sessions")
    try check(attendees, in: 1...100_000, "--attendees")
    try check(chatBytes, in: 16...4096, "--chat-bytes")
    try check(inFlight, in: 1...10_000, "--in-flight")
    try check(seconds, in: 0...86_400, "--duration")
    try check(rate, in: 0...100_000, "--rate")
    try check(chatRate, in: 0...100_000, "--chat-rate")
    try check(signalRate, in: 0...100_000, "--signal-rate")
    try check(probeRate, in: 0...10_000, "--probe-rate")
    try check(grace, in: 0.1...3600, "--grace")
    try check(ramp, in: 0.01...1_000_000, "--ramp")
    try check(herdSeconds, in: 1...3600, "--herd-seconds")
    try check(resumeSeconds, in: 0...86_400, "--resume-window")
    try check(slowSeconds, in: 0.1...3600, "--slow-seconds")
  }

  private func check<Value: Comparable>(_ value: Value?, in range: ClosedRange<Value>, _ name: String) throws {
    guard let value, !range.contains(value) else { return }
    throw ValidationError("\(name) takes \(range.lowerBound) to \(range.upperBound).")
  }
}

/// Where the results go.
struct OutputOptions: ParsableArguments {
  @Option(name: .customLong("json"), help: "Write the line of JSON to this file too.")
  var jsonFile: String?

  @Option(
    name: .customLong("report"), help: "Write a report with plots to this file: one HTML page that needs no other.")
  var reportFile: String?
}

extension PresenceMode: ExpressibleByArgument {}
extension Sabotage: ExpressibleByArgument {}

extension PresenceChoice: ExpressibleByArgument {
  init?(argument: String) {
    if argument == "mixed" {
      self = .mixed
    } else if let mode = PresenceMode(rawValue: argument) {
      self = .one(mode)
    } else {
      return nil
    }
  }
}

extension FaultShares: ExpressibleByArgument {
  init?(argument: String) { self.init(argument) }
}

extension SourceAddressChoice: ExpressibleByArgument {
  init?(argument: String) { self.init(argument) }
}

extension LoadRunFailure {
  /// What the system refuses, as the reason why the run cannot be made.
  static func wrap<Result>(_ body: () throws(SystemError) -> Result) throws(LoadRunFailure) -> Result {
    do throws(SystemError) {
      return try body()
    } catch {
      throw LoadRunFailure(sentence: "\(error)")
    }
  }
}
