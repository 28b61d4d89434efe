import Classroom
import EventLoop
import Logging
import Persistence

/// What the history's thread is told.
enum HistoryMessage: Sendable {
  /// Write the file of this session, which is over, and tell the loop.
  case archive(Classroom, loop: Int)
  /// Read the file of this session and tell the loop.
  case load(String, loop: Int)
  /// Remove the file of this session.
  case remove(String)
  case stop
}

/// The thread that reads and writes the files of sessions that are over, so that no loop waits for them.
final class HistoryThread: Sendable {
  let mailbox: Mailbox<HistoryMessage>

  init() throws(SystemError) { mailbox = try Mailbox() }

  /// Runs until told to stop; on a thread of its own.
  func run<S: Storage>(_ store: HistoryStore<S>, loops: [Mailbox<LoopMessage>], clock: ServerClock, logger: Logger) {
    var messages: [HistoryMessage] = []
    while mailbox.waitAndDrain(into: &messages) {
      for message in messages {
        switch message {
        case .archive(let classroom, let loop):
          loops[loop].post(.archived(classroom.id, sequence: archive(classroom, in: store, at: clock.now, logger)))
        case .load(let session, let loop):
          loops[loop].post(.loaded(session, load(session, from: store, logger)))
        case .remove(let session):
          remove(session, from: store, logger)
        case .stop: return
        }
      }
    }
  }

  /// - Returns: the number of the last event that is in the file now; nil when there is none.
  private func archive<S: Storage>(
    _ classroom: Classroom, in store: HistoryStore<S>, at now: Timestamp, _ logger: Logger
  ) -> UInt64? {
    do throws(HistoryError) {
      try store.write(classroom, at: now)
      return classroom.sequence
    } catch {
      logger.error("\(error); the session stays in memory")
      return nil
    }
  }

  private func load<S: Storage>(_ session: String, from store: HistoryStore<S>, _ logger: Logger) -> Classroom? {
    do throws(HistoryError) {
      return try store.read(session)
    } catch {
      logger.error("\(error)")
      return nil
    }
  }

  private func remove<S: Storage>(_ session: String, from store: HistoryStore<S>, _ logger: Logger) {
    do throws(HistoryError) {
      try store.remove(session)
    } catch {
      logger.error("\(error); it is removed at the next start")
    }
  }
}
