import Synchronization

/// What all threads may know of the server's condition.
final class ServerState: Sendable {
  /// Why the server does not serve; the raw value is the word for programs.
  enum Reason: String, Sendable {
    case starting
    case draining
    case storage

    var sentence: String {
      switch self {
      case .starting: "The server is starting."
      case .draining: "The server is going down."
      case .storage: "The server cannot write to its disk: what is live goes on, what must be kept is refused."
      }
    }
  }

  private enum Phase {
    static let starting: UInt8 = 0
    static let serving: UInt8 = 1
    static let draining: UInt8 = 2
  }

  private let phase = Atomic<UInt8>(Phase.starting)

  /// All is recovered.
  func didStart() { phase.store(Phase.serving, ordering: .releasing) }

  /// The end has begun.
  func willStop() { phase.store(Phase.draining, ordering: .releasing) }

  /// Why the server does not serve; nil when it does.
  func reason(journal: JournalThread, atMonotonic now: Int64) -> Reason? {
    switch phase.load(ordering: .acquiring) {
    case Phase.starting: .starting
    case Phase.draining: .draining
    default: journal.isInTrouble(atMonotonic: now) ? .storage : nil
    }
  }
}
