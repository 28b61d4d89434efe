import Bytes
import EventLoop
import Logging
import Persistence

/// What the pictures' thread is told.
enum PictureMessage: Sendable {
  /// Keep a picture under this name, and tell the connection's loop.
  case write([UInt8], name: String, SlotID, loop: Int)
  /// Read a picture for a connection.
  case read(name: String, SlotID, loop: Int)
  /// Remove the picture of a session that is gone.
  case remove(name: String)
  case stop
}

/// The thread that reads and writes the pictures of sessions, so that no loop waits for them.
final class PictureThread: Sendable {
  let mailbox: Mailbox<PictureMessage>

  init() throws(SystemError) { mailbox = try Mailbox() }

  /// Removes what no session has, and then does what it is told until it is to stop; on a thread of its own.
  func run<S: Storage>(
    _ store: PictureStore<S>, keeping names: Set<String>, loops: [Mailbox<LoopMessage>], logger: Logger
  ) {
    do throws(StorageError) {
      try store.removeAll(but: names)
    } catch {
      logger.error("pictures that no session has stay: \(error)")
    }
    var messages: [PictureMessage] = []
    while mailbox.waitAndDrain(into: &messages) {
      for message in messages {
        do throws(StorageError) {
          switch message {
          case .write(let content, let name, _, _): try store.write(content, as: name)
          case .read(let name, let connection, let loop):
            loops[loop].post(.pictureRead(try store.read(name), for: connection))
          case .remove(let name): try store.remove(name)
          case .stop: return
          }
          if case .write(_, _, let connection, let loop) = message {
            loops[loop].post(.pictureKept(true, for: connection))
          }
        } catch {
          logger.error("a picture: \(error)")
          switch message {
          case .write(_, _, let connection, let loop): loops[loop].post(.pictureKept(false, for: connection))
          case .read(_, let connection, let loop): loops[loop].post(.pictureRead(nil, for: connection))
          case .remove, .stop: break
          }
        }
      }
    }
  }
}
