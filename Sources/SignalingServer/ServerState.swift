import Synchronization

/// What all threads may know of the server's condition.
final class ServerState: Sendable {
  private let ready = Atomic<Bool>(false)

  /// Whether the server serves: not while it starts, nor while it drains.
  var isReady: Bool {
    get { ready.load(ordering: .acquiring) }
    set { ready.store(newValue, ordering: .releasing) }
  }
}
