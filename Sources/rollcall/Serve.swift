import ArgumentParser
import EventLoop
import Glibc
import Logging
import Persistence
import SignalingServer

/// `rollcall serve`: runs the server until a signal ends it.
struct Serve: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run the server.",
    discussion: """
      Prints `listening http://HOST:PORT` (`https` with TLS) on standard output when it is ready; the log goes to standard \
      error. SIGTERM and SIGINT end it: everybody is told, everything is synced. SIGHUP reads the certificate and the keys of \
      tokens anew.

      The data folder holds everything that is to survive: the journal, the snapshots, and the sessions that are over in \
      `history`. One server at a time uses it. `rollcall inspect` says what is in it, `rollcall backup` copies it while the \
      server runs, `rollcall erase` takes a person out of it when no server runs.

      Exit codes: 0 it was ended by a signal, 1 it could not start or go on, 2 the arguments are wrong.
      """)

  @Option(help: "The name or address to listen on.")
  var host = "127.0.0.1"

  @Option(help: "The port to listen on; 0 lets the system choose.")
  var port: UInt16 = 8080

  @Option(name: .customLong("data"), help: "The folder of everything that is to survive; made when there is none.")
  var dataFolder = "rollcall-data"

  @Option(
    name: .customLong("secret-file"),
    help: """
      The file with the secret that signs tokens, at least 32 bytes. Default: `secret` in the data folder, made when there \
      is none; beside --token-key or --jwks, that one signs only what the server itself hands out.
      """)
  var secretFile: String?

  @Option(
    help: """
      `strict` shows nothing before it is on the disk. `relaxed` shows it when the system has it: a crash of the server \
      still loses nothing, a power failure may take the last 200 ms, and then every client loads everything anew.
      """)
  var durability = Durability.strict

  @Option(
    help:
      "How long a session is kept after its end, with chat and attendance: at least 1h, for example 400d. Default: for ever."
  )
  var keep: TimeSpan?

  @Option(help: "How many event loops run. Default: one for each core.")
  var loops: Int?

  @Option(help: "How long a lost connection may take to come back without the person having left.")
  var grace = TimeSpan(milliseconds: 20_000)

  @OptionGroup(title: "WebSocket")
  var webSocket: WebSocketOptions

  @OptionGroup(title: "TLS")
  var tls: TLSOptions

  @OptionGroup(title: "Tokens")
  var tokens: TokenOptions

  @OptionGroup(title: "Limits")
  var limits: LimitOptions

  @OptionGroup(title: "Figures and proxies")
  var operators: OperatorOptions

  @Flag(help: "Make a demo class that guests may enter, and print two links to it.")
  var demo = false

  @Flag(name: .customLong("test-echo"), help: "Serve a plain echo WebSocket at /echo, for conformance tests.")
  var testEcho = false

  /// The tests of faults have snapshots taken, and sessions moved to the history, as soon as they need it.
  @Option(name: .customLong("snapshot-bytes"), help: .hidden)
  var snapshotBytes: Int?

  @Option(name: .customLong("snapshot-interval"), help: .hidden)
  var snapshotInterval: TimeSpan?

  @Option(name: .customLong("archive-after"), help: .hidden)
  var archiveAfter: TimeSpan?

  /// A class that has just ended is still in use.
  private static let shortestKeep: Int64 = 3_600_000

  func validate() throws {
    if let loops, !(1...ServerConfiguration.maximumLoops).contains(loops) {
      throw ValidationError("--loops takes 1 to \(ServerConfiguration.maximumLoops).")
    }
    guard (0...86_400_000).contains(grace.milliseconds) else { throw ValidationError("--grace takes at most a day.") }
    guard snapshotBytes ?? 1 > 0, snapshotInterval?.milliseconds ?? 1 > 0 else {
      throw ValidationError("Snapshots need some bytes and some time between them.")
    }
    if let keep, keep.milliseconds < Self.shortestKeep { throw ValidationError("--keep takes at least 1h.") }
    guard !dataFolder.isEmpty, !host.isEmpty else { throw ValidationError("--data and --host are not empty.") }
  }

  func run() throws {
    var logger = Logger(label: "rollcall") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = .info
    ProcessSettings.ignoreSignalsOfWrites()
    let signals = try system { () throws(SystemError) in try SignalDescriptor() }
    let descriptors = try system { () throws(SystemError) in try ProcessSettings.raiseOpenFileLimit() }
    logger.info("rollcall \(RollcallVersion.current), up to \(descriptors) open files")

    let secret: [UInt8]
    if let secretFile {
      secret = try SecretOption.read(secretFile)
    } else {
      try makeFolder(dataFolder)
      secret = try SecretOption.readOrCreate("\(dataFolder)/secret")
    }
    var configuration = ServerConfiguration(dataFolder: dataFolder, secret: secret, loops: loops ?? coreCount())
    configuration.host = host
    configuration.port = port
    configuration.shard.graceMilliseconds = grace.milliseconds
    configuration.durability = durability
    configuration.keepMilliseconds = keep?.milliseconds
    configuration.servesEcho = testEcho
    webSocket.apply(to: &configuration)
    configuration.tls = tls.source
    configuration.strictTransportSecurity = tls.strictTransportSecurity
    tokens.apply(to: &configuration, namesSecret: secretFile != nil)
    limits.apply(to: &configuration)
    operators.apply(to: &configuration)
    if let snapshotBytes { configuration.snapshotBytes = snapshotBytes }
    if let snapshotInterval { configuration.snapshotIntervalMilliseconds = snapshotInterval.milliseconds }
    if let archiveAfter {
      configuration.shard.archiveAfterMilliseconds = archiveAfter.milliseconds
      configuration.shard.archiveIdleMilliseconds = archiveAfter.milliseconds
    }

    let server = try start(configuration, logger: logger)
    StandardStreams.say("listening \(server.url)")
    if let address = server.metricsAddress { StandardStreams.say("metrics   http://\(address)/metrics") }
    if demo { try printDemo(server) }
    waitForEnd(signals, of: server, logger: logger)
    server.stop()
  }

  /// How often, and how far apart in milliseconds, a start is tried while another server holds the folder or the port: one
  /// that was just killed does so until the system has cleared it away.
  private static let attempts = 30
  private static let attemptInterval: Int32 = 50

  private func start(_ configuration: ServerConfiguration, logger: Logger) throws(CommandFailure) -> Server {
    var attempt = 1
    while true {
      do throws(StartFailure) {
        return try Server(configuration, logger: logger)
      } catch {
        guard error.mayPass, attempt < Self.attempts else { throw CommandFailure(sentence: "\(error)") }
        attempt += 1
        _ = poll(nil, 0, Self.attemptInterval)
      }
    }
  }

  private func printDemo(_ server: Server) throws {
    do throws(DemoFailure) {
      let demo = try server.makeDemoSession()
      StandardStreams.say("teacher   \(server.url)/#session=\(demo.session)&token=\(demo.hostToken)")
      StandardStreams.say("students  \(server.url)/#session=\(demo.session)")
    } catch {
      server.stop()
      throw CommandFailure(sentence: "\(error)")
    }
  }

  /// How long the keys of TLS session tickets are used, in milliseconds: who finds them can read what was said with them.
  private static let ticketKeyInterval: Int64 = 12 * 3_600_000

  private func waitForEnd(_ signals: borrowing SignalDescriptor, of server: Server, logger: Logger) {
    var nextReload = MonotonicClock.milliseconds() + Self.ticketKeyInterval
    while true {
      var watched = pollfd(fd: signals.rawValue, events: Int16(POLLIN), revents: 0)
      let wait = max(0, nextReload - MonotonicClock.milliseconds())
      _ = poll(&watched, 1, tls.source == nil ? -1 : Int32(clamping: wait))
      switch signals.next() {
      case .terminate, .interrupt: return
      case nil where tls.source == nil || MonotonicClock.milliseconds() < nextReload: continue
      case let signal:
        let hasKeys = signal != nil && server.reloadKeys()
        guard tls.source != nil else {
          if !hasKeys { logger.info("nothing to reload") }
          continue
        }
        server.reloadCertificate()
        nextReload = MonotonicClock.milliseconds() + Self.ticketKeyInterval
      }
    }
  }

  private func system<Result>(_ body: () throws(SystemError) -> Result) throws -> Result where Result: ~Copyable {
    do throws(SystemError) {
      return try body()
    } catch {
      throw CommandFailure(sentence: "\(error)")
    }
  }

  private func coreCount() -> Int {
    min(max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))), ServerConfiguration.maximumLoops)
  }

  private func makeFolder(_ path: String) throws(CommandFailure) {
    if mkdir(path, 0o700) != 0, errno != EEXIST {
      throw CommandFailure(sentence: "the data folder \(path) cannot be made: \(SystemError.message(for: errno))")
    }
  }
}

extension Durability: ExpressibleByArgument {}
