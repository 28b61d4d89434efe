import Classroom
import EventLoop
import Logging
import Persistence

/// What a data folder brings to the start of a server, with the journal ready to go on.
///
/// Copyable, though the journal is not: of a noncopyable value whose one field is consumed, the optimiser of Swift 6.3 also
/// ends the fields that were copied out of it before.
struct ServerStart<S: Storage> {
  let storage: S
  let history: HistoryStore<S>
  let clock: ServerClock
  /// By id.
  let classrooms: [Classroom]
  /// By id.
  let archived: [ArchivedSession]
  /// When the last run was last known to be alive, and whether that is a guess.
  let lastAlive: Timestamp
  let isEstimated: Bool
  /// The journal, to be driven by its thread.
  let pipeline: Handoff<JournalPipeline<S>>

  /// Recovers what the folder holds, and writes what every start writes. Nothing is shown to anybody before this is done.
  init(
    _ configuration: ServerConfiguration, storage: S, history folder: S, logger: Logger
  ) throws(StartFailure) {
    let history = HistoryStore(folder)
    var recovered = RecoveredState(history: history)
    var random = SystemRandomNumberGenerator()
    var writer: JournalWriter<S>
    let report: RecoveryReport
    do throws(RecoveryError) {
      let opened = try Recovery.openConcurrently(
        storage, segmentID: SegmentID(using: &random), now: WallClock.milliseconds(),
        clock: { UInt64(MonotonicClock.nanoseconds()) },
        mode: JournalMode(configuration.durability, boot: BootID.current()), into: &recovered)
      report = opened.report
      writer = opened.takeWriter()
    } catch {
      throw .recovery(error)
    }
    Self.log(report, recovered, to: logger)
    let clock = ServerClock(notBefore: recovered.lastTime)
    let stubs = try Self.tidy(
      history, recovered.archived.values.sorted { $0.id < $1.id }, keeping: configuration.keepMilliseconds,
      at: clock.now, logger: logger)
    var settings = JournalSettings(loops: configuration.loops)
    settings.snapshotBytes = configuration.snapshotBytes
    settings.snapshotIntervalMilliseconds = configuration.snapshotIntervalMilliseconds
    var pipeline = JournalPipeline(
      writer, storage: storage, history: history, settings: settings, random: random,
      clock: { UInt64(MonotonicClock.nanoseconds()) }, at: clock.now)
    let markers = try Self.markers(in: storage)
    var epochs: [PendingRecord] = []
    if !markers.isEmpty || report.mayHaveLostEnd && !recovered.endedCleanly {
      epochs = recovered.changeEpochs(at: clock.now) { Identifiers.epoch() }
      logger.warning("what came last may be missing: \(epochs.count) sessions have new epochs, all clients begin anew")
    }
    do throws(JournalError) {
      try pipeline.begin(at: clock.now, lastAlive: recovered.lastAlive, records: epochs)
    } catch {
      throw .journal(error)
    }
    do throws(StorageError) {
      for marker in markers { try marker.clear(in: storage) }
    } catch {
      throw .recovery(.storage(error))
    }
    self.storage = storage
    self.history = history
    self.clock = clock
    classrooms = recovered.classrooms.values.sorted { $0.id < $1.id }
    archived = stubs
    lastAlive = recovered.lastAlive
    isEstimated = !recovered.endedCleanly
    self.pipeline = Handoff(pipeline)
  }

  /// The names of the pictures that sessions have.
  var pictures: Set<String> {
    let views = classrooms.lazy.map(\.details) + archived.lazy.map(\.view.details)
    return Set(views.compactMap { ServerLoop.pictureName(in: $0.thumbnailURL) })
  }

  private static func markers(in storage: S) throws(StartFailure) -> [FolderMarker] {
    do throws(StorageError) {
      return try FolderMarker.present(in: storage)
    } catch {
      throw .recovery(.storage(error))
    }
  }

  private static func log(_ report: RecoveryReport, _ recovered: RecoveredState<S>, to logger: Logger) {
    logger.info(
      """
      recovered \(recovered.classrooms.count + recovered.archived.count) sessions from \(report.recordsRead) records \
      in \(report.duration / 1_000_000) ms
      """)
    if let torn = report.tornTail {
      logger.warning("cut \(torn.bytes) bytes that no crash-safe batch covers off \(torn.file) at \(torn.offset)")
    }
    for damaged in report.damagedSnapshots { logger.error("passed over a damaged snapshot: \(damaged)") }
  }

  /// Removes from the history what is not needed any more.
  /// - Returns: the sessions that stay.
  private static func tidy(
    _ history: HistoryStore<S>, _ archived: [ArchivedSession], keeping keep: Int64?, at now: Timestamp, logger: Logger
  ) throws(StartFailure) -> [ArchivedSession] {
    do throws(HistoryError) {
      try history.removeLeftovers()
      let files = Set(try history.sessions())
      var kept: [ArchivedSession] = []
      for session in archived {
        if let keep, session.view.hasExpired(keeping: keep, at: now) {
          try history.remove(session.id)
        } else {
          kept.append(session)
          if !files.contains(session.id) { logger.error("\(HistoryError.missing(session: session.id))") }
        }
      }
      return kept
    } catch {
      throw .history(error)
    }
  }
}
