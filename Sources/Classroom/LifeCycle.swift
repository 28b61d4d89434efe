/// What can happen to a session as a whole.
public enum Transition: String, Sendable, CaseIterable {
  /// Somebody asks a host for the session.
  case propose
  /// A host plans the session.
  case create
  /// The host agrees.
  case approve
  /// What is agreed has a time that lies ahead.
  case schedule
  /// The host says no.
  case decline
  /// Who asked for it takes that back.
  case withdraw
  /// Another time.
  case reschedule
  /// The guest of a one-to-one session asks for another time.
  case repropose
  /// The class begins, or begins again.
  case start
  /// The class ends.
  case end
  /// Called off.
  case cancel
  /// Its time is long past.
  case expire
  /// Everybody has been gone for a while.
  case complete
}

/// The life of a session: the one table of which transition is legal where, where it leads, and who may make it.
public enum LifeCycle {
  /// Who makes a transition.
  public enum Party: String, Sendable, CaseIterable {
    case host
    case admin
    /// Who asked the host for the session.
    case proposer
    /// The server itself, when it is time.
    case server
  }

  /// One line of the table.
  public struct Step: Sendable, Hashable {
    public var transition: Transition
    /// The states it may begin in; empty for those that make the session.
    public var from: SessionStatusSet
    public var to: SessionStatus
    public var parties: [Party]
    /// What else must hold, in words for the diagram.
    public var condition: String?
  }

  private static let hosts: [Party] = [.host, .admin]

  /// The table.
  public static let steps: [Step] = [
    Step(transition: .propose, from: [], to: .pendingApproval, parties: [.proposer]),
    Step(transition: .create, from: [], to: .scheduled, parties: hosts),
    Step(transition: .approve, from: .pendingApproval, to: .approved, parties: hosts),
    Step(
      transition: .schedule, from: .approved, to: .scheduled, parties: hosts,
      condition: "at once, when its time was given and lies ahead"),
    Step(transition: .decline, from: .pendingApproval, to: .cancelled, parties: hosts, condition: "with a reason"),
    Step(transition: .withdraw, from: [.pendingApproval, .approved], to: .cancelled, parties: [.proposer]),
    Step(
      transition: .reschedule, from: .pendingApproval, to: .pendingApproval, parties: [.host, .admin, .proposer]),
    Step(
      transition: .reschedule, from: [.approved, .scheduled, .expired], to: .scheduled, parties: hosts),
    Step(
      transition: .repropose, from: [.approved, .scheduled, .expired], to: .pendingApproval, parties: [.proposer],
      condition: "the host agrees anew"),
    Step(transition: .start, from: [.approved, .scheduled], to: .ongoing, parties: hosts),
    Step(
      transition: .start, from: .completed, to: .ongoing, parties: hosts, condition: "within the time for reopening"),
    Step(transition: .end, from: .ongoing, to: .completed, parties: hosts),
    Step(transition: .complete, from: .ongoing, to: .completed, parties: [.server], condition: "nobody in for a while"),
    Step(transition: .cancel, from: .ahead, to: .cancelled, parties: hosts),
    Step(transition: .expire, from: .ahead, to: .expired, parties: [.server], condition: "its time is long past"),
  ]

  /// The state that a transition leads to, or nil when it is not legal there.
  public static func status(after transition: Transition, from status: SessionStatus) -> SessionStatus? {
    steps.first { $0.transition == transition && $0.from.contains(status) }?.to
  }
}
