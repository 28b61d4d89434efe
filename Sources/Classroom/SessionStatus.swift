/// Where a session is in its life.
public enum SessionStatus: String, Sendable, CaseIterable {
  /// Planned; who comes waits.
  case scheduled
  /// Live.
  case ongoing
  /// Over; chat and report stay readable.
  case completed

  /// Whether the class is running now.
  public var isLive: Bool { self == .ongoing }

  /// What can happen to a session as a whole.
  public enum Transition: String, Sendable, CaseIterable {
    case start
    case end
  }

  /// The one table of the life cycle: the state that a transition leads to from here, or nil when it is not legal.
  public func after(_ transition: Transition) -> SessionStatus? {
    switch (self, transition) {
    case (.scheduled, .start): .ongoing
    case (.ongoing, .end): .completed
    case (.ongoing, .start), (.completed, .start), (.scheduled, .end), (.completed, .end): nil
    }
  }
}
