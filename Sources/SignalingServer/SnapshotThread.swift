import Classroom
import EventLoop
import Logging
import Persistence

/// Writes snapshots beside the journal, so that no acknowledgement waits for one.
///
/// Used from the journal's thread; the writing itself happens on a thread that lives as long as a snapshot takes.
final class SnapshotThread {
  private enum Message: Sendable {
    case entries([SnapshotEntry])
    case finish
    case abandon
  }

  private let storage: FileStorage
  private let journal: Mailbox<JournalMessage>
  private let logger: Logger
  private var current: (mailbox: Mailbox<Message>, thread: ThreadHandle)?

  init(storage: FileStorage, journal: Mailbox<JournalMessage>, logger: Logger) {
    self.storage = storage
    self.journal = journal
    self.logger = logger
  }

  /// Whether a snapshot is being written.
  var isBusy: Bool { current != nil }

  /// Begins a snapshot that covers every session up to this LSN.
  func begin(coveredLSN: UInt64, at now: Timestamp) {
    do throws(SystemError) {
      let mailbox = try Mailbox<Message>()
      let (storage, journal, logger) = (storage, journal, logger)
      let thread = try spawnThread(name: "rc-snapshot") {
        let removable = Self.write(
          from: mailbox, to: storage, coveredLSN: coveredLSN, now: now, logger: logger)
        journal.post(.snapshotFinished(removable: removable))
      }
      current = (mailbox, thread)
    } catch {
      logger.error("no snapshot now: \(error)")
    }
  }

  /// Adds entries, which rest on synced records only.
  func add(_ entries: [SnapshotEntry]) { current?.mailbox.post(.entries(entries)) }

  /// All entries are there.
  func finish() { current?.mailbox.post(.finish) }

  /// The thread has said that it is done.
  func didFinish() {
    current?.thread.join()
    current = nil
  }

  /// Gives up a snapshot that is under way, and waits for its thread.
  func stop() {
    current?.mailbox.post(.abandon)
    didFinish()
  }

  /// - Returns: the LSN up to which the journal is no longer needed, if any of it may go.
  private static func write(
    from mailbox: Mailbox<Message>, to storage: FileStorage, coveredLSN: UInt64, now: Timestamp, logger: Logger
  ) -> UInt64? {
    do throws(SnapshotError) {
      var writer = try SnapshotWriter(storage, lsn: coveredLSN, now: now.milliseconds)
      let count: Int?
      do throws(SnapshotError) {
        count = try fill(&writer, from: mailbox, coveredLSN: coveredLSN, now: now)
      } catch {
        // What is left of it would take the room on the disk that the journal needs.
        writer.discard()
        throw error
      }
      guard let count else {
        writer.discard()
        return nil
      }
      try writer.finish()
      logger.info("snapshot of \(count) entries covers the journal up to \(coveredLSN)")
      return removable(storage, logger: logger)
    } catch {
      logger.error("the snapshot was not written, the journal is kept: \(error)")
      return nil
    }
  }

  /// - Returns: how many entries there are, or nil when the snapshot is given up.
  private static func fill(
    _ writer: inout SnapshotWriter<FileStorage>, from mailbox: Mailbox<Message>, coveredLSN: UInt64, now: Timestamp
  ) throws(SnapshotError) -> Int? {
    let alive = RecoveredState.alive(at: now, isGoodbye: false)
    try append(
      SnapshotEntry(session: "", sequence: 0, kind: alive.kind, payload: alive.payload), to: &writer, coveredLSN)
    var messages: [Message] = []
    var count = 0
    while mailbox.waitAndDrain(into: &messages) {
      for message in messages {
        switch message {
        case .entries(let entries):
          for entry in entries { try append(entry, to: &writer, coveredLSN) }
          count += entries.count
        case .abandon: return nil
        case .finish: return count
        }
      }
    }
    return nil
  }

  private static func append(
    _ entry: SnapshotEntry, to writer: inout SnapshotWriter<FileStorage>, _ lsn: UInt64
  ) throws(SnapshotError) {
    let header = RecordHeader(lsn: lsn, session: entry.session, sequence: entry.sequence, kind: entry.kind)
    try writer.append(header, payload: entry.payload.span.bytes)
  }

  private static func removable(_ storage: FileStorage, logger: Logger) -> UInt64? {
    do throws(RecoveryError) {
      return try SnapshotStore(storage).prune()
    } catch {
      logger.error("old snapshots cannot be removed: \(error)")
      return nil
    }
  }
}
