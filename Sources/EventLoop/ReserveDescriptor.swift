import Glibc

/// A descriptor kept for the moment when there is none left.
///
/// Out of descriptors, a connection that waits cannot be accepted, so its listener stays readable and a level-triggered
/// loop spins. With the reserve given up for a moment, the connection is accepted and closed: its client learns at once
/// that there is no room, and the loop sleeps.
public struct ReserveDescriptor: ~Copyable {
  /// How an attempt to shed went.
  public enum Outcome: Equatable, Sendable {
    /// One waiting connection was closed. There may be more.
    case shed
    /// Nobody is waiting any more.
    case nobodyWaiting
    /// Another thread was faster to take the free descriptor. Stop watching the listener until a connection has closed,
    /// or for a tenth of a second.
    case unable
  }

  private var reserve: FileDescriptor

  /// To be made at the start, while there are descriptors.
  public init() throws(SystemError) {
    reserve = FileDescriptor(owning: ReserveDescriptor.openNullDevice())
    guard reserve.isOpen else { throw SystemError.last("open") }
  }

  /// Closes one connection that waits at `listener`.
  public mutating func shed(_ listener: Listener) -> Outcome {
    reserve.take().close()
    defer { reserve = FileDescriptor(owning: ReserveDescriptor.openNullDevice()) }
    switch listener.accept() {
    case .accepted(let connection):
      connection.close()
      return .shed
    case .wouldBlock: return .nobodyWaiting
    case .outOfDescriptors: return .unable
    case .failed: return .unable
    }
  }

  private static func openNullDevice() -> Int32 { open("/dev/null", O_RDONLY | O_CLOEXEC) }
}
