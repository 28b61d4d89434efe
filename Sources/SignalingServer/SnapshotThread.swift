import Classroom
import EventLoop
import Logging
import Persistence

/// Writes snapshots beside the journal, so that neither a loop nor an acknowledgement waits for one.
///
/// Used from the journal's thread; encoding and writing happen on a thread that lives as long as a snapshot takes.
final class SnapshotThread<S: Storage> {
  private enum Message: Sendable {
    case rooms([SnapshotRoom])
    case finish
    case abandon
  }

  private let storage: S
  private let journal: Mailbox<JournalMessage>
  private let logger: Logger
  private var current: (mailbox: Mailbox<Message>, thread: ThreadHandle)?

  init(storage: S, journal: Mailbox<JournalMessage>, logger: Logger) {
    self.storage = storage
    self.journal = journal
    self.logger = logger
  }

  /// Whether a snapshot is being written.
  var isBusy: Bool { current != nil }

  /// Begins a snapshot that covers every session up to this LSN.
  /// - Returns: whether there is a thread for it; then it posts a message when it is done.
  func begin(coveredLSN: UInt64, at now: Timestamp) -> Bool {
    do throws(SystemError) {
      let mailbox = try Mailbox<Message>()
      let (storage, journal, logger) = (storage, journal, logger)
      let thread = try spawnThread(name: "rc-snapshot") {
        journal.post(Self.write(from: mailbox, to: storage, coveredLSN: coveredLSN, now: now, logger: logger))
      }
      current = (mailbox, thread)
      return true
    } catch {
      logger.error("no snapshot now: \(error)")
      return false
    }
  }

  /// Adds sessions, which rest on synced records only.
  func add(_ rooms: [SnapshotRoom]) { current?.mailbox.post(.rooms(rooms)) }

  /// All sessions are there.
  func finish() { current?.mailbox.post(.finish) }

  /// The rest of the sessions will not come.
  func abandon() { current?.mailbox.post(.abandon) }

  /// The thread has said that it is done.
  func didFinish() {
    current?.thread.join()
    current = nil
  }

  /// Gives up a snapshot that is under way, and waits for its thread.
  func stop() {
    abandon()
    didFinish()
  }

  /// - Returns: what the journal's thread is told.
  private static func write(
    from mailbox: Mailbox<Message>, to storage: S, coveredLSN: UInt64, now: Timestamp, logger: Logger
  ) -> JournalMessage {
    do throws(SnapshotError) {
      var job = try SnapshotJob(storage, coveredLSN: coveredLSN, at: now)
      let isWhole: Bool
      do throws(SnapshotError) {
        isWhole = try fill(&job, from: mailbox)
      } catch {
        job.discard()
        throw error
      }
      guard isWhole else {
        job.discard()
        return .snapshotFinished(succeeded: false, removable: nil)
      }
      let count = job.count
      let removable = try job.finish()
      logger.info("snapshot of \(count) sessions covers the journal up to \(coveredLSN)")
      return .snapshotFinished(succeeded: true, removable: removable)
    } catch {
      logger.error("the snapshot was not written, the journal is kept: \(error)")
      return .snapshotFinished(succeeded: false, removable: nil)
    }
  }

  /// - Returns: whether all sessions came.
  private static func fill(_ job: inout SnapshotJob<S>, from mailbox: Mailbox<Message>) throws(SnapshotError) -> Bool {
    var messages: [Message] = []
    while mailbox.waitAndDrain(into: &messages) {
      for message in messages {
        switch message {
        case .rooms(let rooms):
          for room in rooms { try job.add(room) }
        case .abandon: return false
        case .finish: return true
        }
      }
    }
    return false
  }
}
