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
    usage: "rollcall serve [--config FILE] [--OPTION VALUE …]",
    discussion: """
      Prints `listening http://HOST:PORT` (`https` with TLS) on standard output when it is ready; the log goes to standard \
      error. SIGTERM and SIGINT end it: everybody is told, everything is synced. SIGHUP reads the file, the certificate, the keys \
      of tokens and the secret of the TURN server anew; the log says what has changed and what needs a restart.

      The data folder holds everything that is to survive: the journal, the snapshots, and the sessions that are over in \
      `history`. One server at a time uses it. `rollcall inspect` says what is in it, `rollcall backup` copies it while the \
      server runs, `rollcall erase` takes a person out of it when no server runs. `rollcall doctor` looks at the machine.

      Exit codes: 0 it was ended by a signal, 1 it could not start or go on, 2 the options are wrong.

      \(SettingArguments.help)
      """)

  @OptionGroup var settings: SettingArguments

  func run() throws {
    var logger = Logger(label: "rollcall") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = .info
    let resolved = try settings.resolved()
    for warning in resolved.warnings { logger.warning("\(warning)") }
    ProcessSettings.ignoreSignalsOfWrites()
    let signals = try system { () throws(SystemError) in try SignalDescriptor() }
    let descriptors = try system { () throws(SystemError) in try ProcessSettings.raiseOpenFileLimit() }
    logger.info("rollcall \(RollcallVersion.current), up to \(descriptors) open files")

    let configuration = try configuration(resolved.settings)
    let server = try start(configuration, logger: logger)
    StandardStreams.say("listening \(server.url)")
    if let address = server.metricsAddress { StandardStreams.say("metrics   http://\(address)/metrics") }
    if resolved.settings.makesDemo { try printDemo(server) }
    waitForEnd(signals, of: server, resolved.settings, logger: logger)
    server.stop()
  }

  /// What the settings come to, with the secrets that their files hold.
  private func configuration(_ settings: ServerSettings) throws(CommandFailure) -> ServerConfiguration {
    var configuration = settings.configured()
    if configuration.loops == 0 { configuration.loops = coreCount() }
    if let secret = settings.secret {
      configuration.secret = try SecretOption.check(secret)
    } else if let file = settings.secretFile {
      configuration.secret = try SecretOption.read(file)
    } else {
      try makeFolder(configuration.dataFolder)
      configuration.secret = try SecretOption.readOrCreate("\(configuration.dataFolder)/secret")
    }
    configuration.calls.secret = try SecretOption.turn(settings)
    return configuration
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

  private func waitForEnd(
    _ signals: borrowing SignalDescriptor, of server: Server, _ settings: ServerSettings, logger: Logger
  ) {
    var settings = settings
    var nextReload = MonotonicClock.milliseconds() + Self.ticketKeyInterval
    while true {
      var watched = pollfd(fd: signals.rawValue, events: Int16(POLLIN), revents: 0)
      let wait = max(0, nextReload - MonotonicClock.milliseconds())
      _ = poll(&watched, 1, Int32(clamping: wait))
      switch signals.next() {
      case .terminate, .interrupt: return
      case nil where MonotonicClock.milliseconds() < nextReload: continue
      case .hangup:
        reload(&settings, server, logger: logger)
        _ = server.reloadKeys()
        fallthrough
      case nil:
        if settings.configured().tls != nil { server.reloadCertificate() }
        nextReload = MonotonicClock.milliseconds() + Self.ticketKeyInterval
      }
    }
  }

  /// Reads file and environment anew, and brings into force what can be changed while the server runs.
  private func reload(_ current: inout ServerSettings, _ server: Server, logger: Logger) {
    let resolved = settings.resolve()
    guard resolved.problems.isEmpty else {
      for problem in resolved.problems { logger.error("\(problem)") }
      logger.error("the settings stay as they were")
      return
    }
    do throws(CommandFailure) {
      var configuration = resolved.settings.configured()
      configuration.calls.secret = try SecretOption.turn(resolved.settings)
      server.reconfigure(configuration)
    } catch {
      logger.error("the settings stay as they were: \(error.sentence)")
      return
    }
    var changes = 0
    for setting in SettingTable.all {
      let (former, latter) = (setting.value(in: current), setting.value(in: resolved.settings))
      guard former != latter else { continue }
      changes += 1
      let value = setting.isSecret ? "changed" : latter.map { setting.form.text(of: $0) } ?? "not set"
      if setting.isReloadable {
        logger.info("reloaded \(setting.name): \(value)")
        setting.copy(from: resolved.settings, to: &current)
      } else {
        logger.warning("\(setting.name) has changed and needs a restart to count")
      }
    }
    if changes == 0 { logger.info("reloaded: no setting has changed") }
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
