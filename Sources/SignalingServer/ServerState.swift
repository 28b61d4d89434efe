import Synchronization

/// What all threads may know of the server's condition.
final class ServerState: Sendable {
  private let ready = Atomic<Bool>(false)
  private let shed = Atomic<Int>(0)

  /// Whether the server serves: not while it starts, nor while it drains.
  var isReady: Bool {
    get { ready.load(ordering: .acquiring) }
    set { ready.store(newValue, ordering: .releasing) }
  }

  /// Connections that were closed because no descriptor was left for them.
  var shedConnections: Int { shed.load(ordering: .relaxed) }

  func countShed() { shed.add(1, ordering: .relaxed) }
}

/// The version of this server.
public enum RollcallVersion {
  public static let current = "0.1.0"
}
