import Classroom
import EventLoop
import Logging
import Persistence
import RoomShard
import Tokens

/// Why a server does not start; the description is a sentence for the operator.
public enum StartFailure: Error, CustomStringConvertible {
  case listening(ListenError)
  /// The listener for the figures.
  case listeningForMetrics(ListenError)
  case dataFolder(DataFolderError)
  case recovery(RecoveryError)
  case history(HistoryError)
  case journal(JournalError)
  case tls(TLSFileError)
  /// The keys that check tokens.
  case keys(KeySourceFailure)
  case system(SystemError)
  case reportKey(ReportKeyFile.Failure)

  /// Whether the cause can be a server that is just ending.
  public var mayPass: Bool {
    switch self {
    case .listening(.portInUse), .listeningForMetrics(.portInUse), .dataFolder(.inUse): true
    case .listening, .listeningForMetrics, .dataFolder, .recovery, .history, .journal, .tls, .keys, .system, .reportKey:
      false
    }
  }

  public var description: String {
    switch self {
    case .listening(let error): "\(error)"
    case .listeningForMetrics(let error): "the figures cannot be served: \(error)"
    case .dataFolder(let error): "\(error)"
    case .recovery(let error): "the data folder cannot be used: \(error)"
    case .history(let error): "the data folder cannot be used: \(error)"
    case .journal(let error): "the data folder cannot be written: \(error)"
    case .tls(let error): "there is no TLS: \(error)"
    case .keys(let error): "\(error)"
    case .system(let error): "\(error)"
    case .reportKey(let error): "\(error)"
    }
  }
}

/// A running server: its loops, its journal, its rooms.
public final class Server: Sendable {
  /// Where it listens.
  public let address: SocketAddress
  /// Where it listens for who wants the figures, if that is a place of its own.
  public let metricsAddress: SocketAddress?
  let clock: ServerClock
  let authority: TokenAuthority
  private let state: ServerState
  private let mailboxes: [Mailbox<LoopMessage>]
  private let journal: JournalThread
  private let history: HistoryThread
  private let pictures: PictureThread
  private let loopThreads: [ThreadHandle]
  private let journalThread: ThreadHandle
  private let historyThread: ThreadHandle
  private let pictureThread: ThreadHandle
  private let credentials: TLSCredentials?
  private let keyRefresh: KeyRefresh?
  private let keyThread: ThreadHandle?
  private let logger: Logger
  /// Held for its lock, as long as anything may be written.
  private let folder: DataFolder

  /// Opens the data folder, recovers what it holds, and serves.
  public convenience init(_ configuration: ServerConfiguration, logger: Logger) throws(StartFailure) {
    try self.init(configuration, logger: logger) { $0 }
  }

  /// Like the other, on storage that is made of the folder's: the data folder's and the history's.
  init<S: Storage>(
    _ configuration: ServerConfiguration, logger: Logger, storage wrap: (FileStorage) -> S
  ) throws(StartFailure) {
    self.logger = logger
    folder = try Self.openFolder(configuration.dataFolder)
    let credentials = try Self.credentials(configuration, logger: logger)
    self.credentials = credentials
    let (keys, keyRefresh) = try Self.keys(configuration, logger: logger)
    self.keyRefresh = keyRefresh
    let listeners = try Self.listen(configuration)
    address = listeners[0].address
    let operatorListener = try Self.listenForMetrics(configuration)
    metricsAddress = operatorListener?.address
    // Read before the start writes anything, and made when it has: a folder that is refused is left as it is.
    let knownReportKey = try Self.reportKey(configuration)
    let start = try ServerStart(
      configuration, storage: wrap(folder.storage), history: wrap(folder.history), logger: logger)
    let clock = start.clock
    let authority = TokenAuthority(secret: configuration.secret, settings: configuration.tokens, keys: keys)
    let reportKey = if let knownReportKey { knownReportKey } else { try Self.makeReportKey(configuration) }
    let state = ServerState()
    (self.clock, self.authority, self.state) = (clock, authority, state)
    do throws(SystemError) {
      let loops = configuration.loops
      let mailboxes = try (0..<loops).map { _ throws(SystemError) in try Mailbox<LoopMessage>() }
      self.mailboxes = mailboxes
      let journal = try JournalThread(loops: loops)
      let history = try HistoryThread()
      let pictures = try PictureThread()
      (self.journal, self.history, self.pictures) = (journal, history, pictures)
      let catalog = Catalog()
      // Whole before any loop answers: whoever saw a session in the list sees it there again.
      for classroom in start.classrooms {
        catalog.publish(classroom.view)
        for row in classroom.attendance.rows.values {
          catalog.relate(row.user, to: classroom.id, classroom.relation(of: row.user))
        }
      }
      for session in start.archived { catalog.publish(session.view) }
      let tickets = TicketOffice()
      let census = configuration.limits.census(
        descriptors: ProcessFigures().maximumDescriptors, loops: configuration.loops)
      let userRates = UserRates()
      let requestRates = RequestRates()
      let contexts = (0..<loops).map { index in
        LoopContext(
          index: index, configuration: configuration, clock: clock, listener: listeners[index], mailboxes: mailboxes,
          journal: journal, history: history, pictures: pictures, catalog: catalog,
          cursors: PageCursors(secret: configuration.secret), tickets: tickets,
          authority: authority, keyRefresh: keyRefresh, reportKey: reportKey,
          checkInCodes: CheckInCodes(secret: configuration.secret), census: census, userRates: userRates,
          requestRates: requestRates,
          operatorListener: index == 0 ? operatorListener : nil, hasOperatorListener: operatorListener != nil,
          state: state, credentials: credentials, logger: logger)
      }
      let storage = start.storage
      let store = start.history
      let (classrooms, archived) = (start.classrooms, start.archived)
      let (lastAlive, isEstimated) = (start.lastAlive, start.isEstimated)
      let pipeline = start.pipeline
      journalThread = try spawnThread(name: "rc-journal") {
        guard let pipeline = pipeline.take() else { return }
        let snapshots = SnapshotThread(storage: storage, journal: journal.mailbox, logger: logger)
        journal.run(pipeline, snapshots: snapshots, loops: mailboxes, clock: clock, logger: logger)
      }
      historyThread = try spawnThread(name: "rc-history") {
        history.run(store, loops: mailboxes, clock: clock, logger: logger)
      }
      keyThread = try keyRefresh.map { refresh throws(SystemError) in
        try spawnThread(name: "rc-keys") { refresh.run() }
      }
      let pictureStore = PictureStore(wrap(folder.pictures))
      let named = start.pictures
      pictureThread = try spawnThread(name: "rc-pictures") {
        pictures.run(pictureStore, keeping: named, loops: mailboxes, logger: logger)
      }
      loopThreads = try contexts.map { context throws(SystemError) in
        let rooms = Handoff(classrooms.filter { RoomPlacement.loop(of: $0.id, count: loops) == context.index })
        let stubs = Handoff(archived.filter { RoomPlacement.loop(of: $0.id, count: loops) == context.index })
        return try spawnThread(name: "rc-loop-\(context.index)") {
          Self.runLoop(context, rooms: rooms, archived: stubs, lastAlive: lastAlive, isEstimated: isEstimated)
        }
      }
    } catch {
      throw .system(error)
    }
    state.didStart()
  }

  private static func runLoop(
    _ context: LoopContext, rooms: Handoff<[Classroom]>, archived: Handoff<[ArchivedSession]>, lastAlive: Timestamp,
    isEstimated: Bool
  ) {
    do throws(SystemError) {
      // Taken, not shared: what the loop changes would stay in memory as it was.
      let loop = try ServerLoop(
        context, rooms: rooms.take() ?? [], archived: archived.take() ?? [], lastAlive: lastAlive,
        isEstimated: isEstimated)
      ProcessSettings.giveMemoryBack()
      loop.run()
    } catch {
      context.logger.critical("an event loop cannot start: \(error)")
      exitProcess(code: 1)
    }
  }

  private static func openFolder(_ path: String) throws(StartFailure) -> DataFolder {
    do throws(DataFolderError) {
      return try DataFolder(path: path)
    } catch {
      throw .dataFolder(error)
    }
  }

  private static func credentials(
    _ configuration: ServerConfiguration, logger: Logger
  ) throws(StartFailure) -> TLSCredentials? {
    guard let source = configuration.tls else { return nil }
    do throws(TLSFileError) {
      let files = TLSFiles(source: source, dataFolder: configuration.dataFolder, host: configuration.host)
      return try TLSCredentials(files, logger: logger)
    } catch {
      throw .tls(error)
    }
  }

  private static func keys(
    _ configuration: ServerConfiguration, logger: Logger
  ) throws(StartFailure) -> (KeyRing, KeyRefresh?) {
    let settings = configuration.tokenKeys
    let fixed = settings.takesSecret ? [VerificationKey(secret: TokenKey(configuration.secret))] : []
    let ring = KeyRing(fixed, sources: settings.sources.count)
    guard !settings.sources.isEmpty else { return (ring, nil) }
    return (ring, try KeyRefresh(settings, ring: ring, logger: logger))
  }

  /// The key that is there; nil when the data folder is to get one.
  private static func reportKey(_ configuration: ServerConfiguration) throws(StartFailure) -> ReportKey? {
    do throws(ReportKeyFile.Failure) {
      if let path = configuration.reportKeyFile { return try ReportKeyFile.read(path) }
      return try ReportKeyFile.readIfPresent(reportKeyPath(configuration))
    } catch {
      throw .reportKey(error)
    }
  }

  private static func makeReportKey(_ configuration: ServerConfiguration) throws(StartFailure) -> ReportKey {
    do throws(ReportKeyFile.Failure) {
      return try ReportKeyFile.create(reportKeyPath(configuration))
    } catch {
      throw .reportKey(error)
    }
  }

  private static func reportKeyPath(_ configuration: ServerConfiguration) -> String {
    "\(configuration.dataFolder)/\(ReportKeyFile.name)"
  }

  private static func listen(_ configuration: ServerConfiguration) throws(StartFailure) -> [Listener] {
    do throws(ListenError) {
      return try Listener.open(host: configuration.host, port: configuration.port, count: configuration.loops)
    } catch {
      throw .listening(error)
    }
  }

  private static func listenForMetrics(_ configuration: ServerConfiguration) throws(StartFailure) -> Listener? {
    guard let address = configuration.metricsAddress else { return nil }
    do throws(ListenError) {
      return try Listener.open(host: address.host, port: address.port, count: 1).first
    } catch {
      throw .listeningForMetrics(error)
    }
  }

  /// The address for people.
  public var url: String {
    let host = address.host.contains(":") ? "[\(address.host)]" : address.host
    return "\(credentials == nil ? "http" : "https")://\(host):\(address.port)"
  }

  /// Reads certificate and key anew, for connections that begin from now on; those that there are keep theirs. When the files
  /// are no good, the log says so and everything stays as it is.
  ///
  /// - Returns: whether there is a certificate to read, and it was good.
  @discardableResult
  public func reloadCertificate() -> Bool {
    guard let credentials else { return false }
    do throws(TLSFileError) {
      try credentials.reload(logger: logger)
      logger.info("new connections get the certificate that there is now")
      return true
    } catch {
      logger.error("the earlier certificate stays in use: \(error)")
      return false
    }
  }

  /// Reads the keys that check tokens anew, soon.
  ///
  /// - Returns: whether there are any beside the secret.
  @discardableResult
  public func reloadKeys() -> Bool {
    keyRefresh?.refresh()
    return keyRefresh != nil
  }

  /// Brings into force what of a configuration can change while the server runs: ``Setting/isReloadable`` names it.
  public func reconfigure(_ configuration: ServerConfiguration) {
    for mailbox in mailboxes { mailbox.post(.reconfigure(configuration)) }
  }

  /// Asks a room from outside the loops, and waits for its answer.
  /// - Returns: nil when none came in time.
  func ask(
    _ request: RoomRequest, session: String, identity: Identity?, timeoutMilliseconds: Int32
  ) -> Result<RoomAnswer, Refusal>? {
    guard let answers = try? Mailbox<Result<RoomAnswer, Refusal>>() else { return nil }  // no descriptor: no answer
    let loop = RoomPlacement.loop(of: session, count: mailboxes.count)
    mailboxes[loop].post(.request(request, session: session, identity: identity, from: .mailbox(answers)))
    var received: [Result<RoomAnswer, Refusal>] = []
    _ = answers.waitAndDrain(into: &received, timeoutMilliseconds: timeoutMilliseconds)
    return received.first
  }

  /// Says good-bye to everybody, syncs the journal, and returns when all threads have ended.
  public func stop() {
    state.willStop()
    for mailbox in mailboxes { mailbox.post(.drain) }
    keyRefresh?.stop()
    for thread in loopThreads { thread.join() }
    keyThread?.join()
    journal.mailbox.post(.stop)
    journalThread.join()
    history.mailbox.post(.stop)
    historyThread.join()
    pictures.mailbox.post(.stop)
    pictureThread.join()
    logger.info("stopped; everything acknowledged is on disk")
  }
}
