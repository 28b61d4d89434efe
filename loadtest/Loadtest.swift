import ArgumentParser
import EventLoop

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
      see, and that the participants it knows are, after each difference, those that all others know, and at the end those \
      who are there. The attendance report must tell what the attendees did, during the session and after its end.

      Messages count from when they were due, not from when they were sent: "sent late by" tells what the load tester \
      itself was late by. When that is large, the machine is too small for both and the figures are not the server's.

      A line that tells the progress and a table go to standard error, one line of JSON to standard output, and with \
      --report a page with plots to a file.
      Exit codes: 0 everything was right; 1 something was lost, duplicated, out of order, miscounted or refused, or the run \
      could not be made; 2 wrong arguments.

      Examples:
        loadtest class --secret-file rollcall-data/secret --attendees 1000 --report class.html
        loadtest fanout --secret-file rollcall-data/secret --attendees 500 --rate 100 --server-pid $(pidof rollcall)
        loadtest relay --host-token-file token --url http://class.example:8080 --sessions 50 --rate 20
        loadtest churn --secret-file rollcall-data/secret --rate 200 --duration 600
        loadtest fanout --secret-file rollcall-data/secret --faults reset=10%,half-open=10%
      """,
    subcommands: [
      ClassCommand.self, FanoutCommand.self, StormCommand.self, RelayCommand.self, IdleCommand.self, ChurnCommand.self,
      SlowReadersCommand.self, HerdCommand.self, MixCommand.self,
    ],
    defaultSubcommand: MixCommand.self)

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
}

/// A scenario as a subcommand.
protocol ScenarioCommand: ParsableCommand {
  static var scenario: Scenario { get }
  var server: ServerOptions { get }
  var load: LoadOptions { get }
  var output: OutputOptions { get }
}

extension ScenarioCommand {
  static func describe(_ abstract: String, _ discussion: String) -> CommandConfiguration {
    let defaults = scenario.defaults
    var sentence = "Unless told otherwise: \(defaults.sessions == 1 ? "one session" : "\(defaults.sessions) sessions")"
    sentence += " of \(defaults.attendees) attendees for \(DecimalText.short(defaults.seconds)) seconds"
    if defaults.chatRate > 0 { sentence += ", \(DecimalText.short(defaults.chatRate)) messages" }
    if let rate = defaults.signalRate, rate > 0 { sentence += ", \(DecimalText.short(rate)) signals" }
    if defaults.churnRate > 0 { sentence += ", \(DecimalText.short(defaults.churnRate)) departures" }
    return CommandConfiguration(
      commandName: scenario.rawValue, abstract: abstract, discussion: "\(discussion)\n\n\(sentence) a second.")
  }

  func validate() throws {
    let plan = shape
    if plan.signalRate > 0, plan.attendees < 2 { throw ValidationError("--signal-rate needs two attendees.") }
    if case .outside = plan.herd, plan.signalRate > 0 {
      throw ValidationError("Signals do not outlive a server: no --signal-rate with --await-restart.")
    }
    if Self.scenario == .classroom, plan.seconds < 10 { throw ValidationError("A class takes at least 10 seconds.") }
    if plan.sabotage == .signal, plan.signalRate == 0 { throw ValidationError("There is no signal to sabotage.") }
  }

  /// The numbers of the run; where nothing is said, the scenario's own.
  private var shape: Shape {
    let defaults = Self.scenario.defaults
    var shape = Shape(
      sessions: load.sessions ?? defaults.sessions, attendees: load.attendees ?? defaults.attendees,
      seconds: load.seconds ?? defaults.seconds, chatRate: load.chatRate ?? defaults.chatRate,
      signalRate: load.signalRate ?? defaults.signalRate ?? 1, churnRate: defaults.churnRate,
      faults: load.faults ?? defaults.faults, herd: Self.scenario == .herd ? .ours : .none, sabotage: load.sabotage)
    if load.awaitsRestart { shape.herd = .outside }
    if load.signalRate == nil, defaults.signalRate == nil, shape.attendees < 2 || load.awaitsRestart {
      shape.signalRate = 0
    }
    if let slowSeconds = load.slowSeconds { shape.faults.slowSeconds = slowSeconds }
    if let rate = load.rate {
      switch Self.scenario {
      case .relay: shape.signalRate = rate
      case .churn: shape.churnRate = rate
      default: shape.chatRate = rate
      }
    }
    return shape
  }

  func run() throws {
    ProcessSettings.ignoreSignalsOfWrites()
    let (plan, address) = try prepare()
    let report = try LoadRun(plan, address: address).run()
    StandardStreams.tell(report.table)
    let line = report.json
    StandardStreams.say(String(decoding: line, as: UTF8.self))
    try LoadRunFailure.wrap { () throws(SystemError) in
      if let file = output.jsonFile { try SmallFile.write(line + [UInt8(ascii: "\n")], to: file) }
      if let file = output.reportFile {
        try SmallFile.write(Array(HTMLReport(report).page.utf8), to: file)
        StandardStreams.tell("  report: \(file)")
      }
    }
    if !report.isRight { StandardStreams.exit(1) }
  }

  private func prepare() throws(LoadRunFailure) -> (LoadPlan, SocketAddress) {
    guard let target = ServerTarget(server.url) else {
      throw LoadRunFailure(sentence: "\(server.url) is no address of a server")
    }
    let defaults = Self.scenario.defaults
    let shape = shape
    let limit = try LoadRunFailure.wrap { () throws(SystemError) in try ProcessSettings.raiseOpenFileLimit() }
    // Who vanishes leaves a socket behind and takes another.
    let spare = 1 + shape.faults.halfOpen + (Self.scenario == .classroom ? 0.1 : 0)
    let needed = UInt64(Double(shape.sessions * (shape.attendees + 1)) * spare) + 16
    guard needed <= limit else {
      throw LoadRunFailure(sentence: "\(needed) open files are needed and the system allows \(limit) (ulimit -n)")
    }
    let plan = LoadPlan(
      scenario: Self.scenario, commandLine: CommandLine.arguments.dropFirst().joined(separator: " "), target: target,
      security: try server.security(of: target), compresses: server.compression, credentials: try server.credentials(),
      sessionPrefix: load.sessionPrefix, sessions: shape.sessions,
      attendees: shape.attendees, hostPresence: .full,
      attendeePresence: load.presence ?? defaults.presence ?? .one(shape.attendees > 500 ? .count : .full),
      chatRate: shape.chatRate, chatBytes: load.chatBytes ?? defaults.chatBytes, signalRate: shape.signalRate,
      probeRate: load.probeRate ?? defaults.probeRate, seconds: shape.seconds, joinRate: load.ramp,
      handshakesInFlight: load.inFlight ?? defaults.handshakesInFlight,
      isRampQuiet: load.isRampQuiet || defaults.isRampQuiet, churnRate: shape.churnRate, faults: shape.faults,
      resumeSeconds: load.resumeSeconds, graceSeconds: load.grace, herd: shape.herd, herdSeconds: load.herdSeconds,
      seed: load.seed ?? .random(in: 1...999_999), sourceAddresses: server.sourceAddresses ?? .automatic,
      serverProcess: server.serverProcess, sabotage: shape.sabotage)
    let addresses: [SocketAddress]
    do throws(AddressError) {
      addresses = try SocketAddress.resolve(host: target.host, port: target.port)
    } catch {
      throw LoadRunFailure(sentence: "\(error)")
    }
    guard let address = addresses.first else { throw LoadRunFailure(sentence: "\(target.host) has no address") }
    return (plan, address)
  }
}

/// The numbers of a run that depend on each other.
private struct Shape {
  var sessions: Int
  var attendees: Int
  var seconds: Double
  var chatRate: Double
  var signalRate: Double
  var churnRate: Double
  var faults: FaultShares
  var herd: HerdPlan
  var sabotage: Sabotage?
}
