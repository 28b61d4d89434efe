/// The public face of a session at one moment: what lists, answers and the wire show.
public struct SessionView: Sendable, Equatable {
  public var details: SessionDetails
  public var status: SessionStatus
  public var revision: Int
  public var startedAt: Timestamp?
  public var endedAt: Timestamp?
  public var startedBy: String?

  /// A view with these facts.
  public init(
    details: SessionDetails, status: SessionStatus, revision: Int, startedAt: Timestamp?, endedAt: Timestamp?,
    startedBy: String?
  ) {
    self.details = details
    self.status = status
    self.revision = revision
    self.startedAt = startedAt
    self.endedAt = endedAt
    self.startedBy = startedBy
  }
}

extension Classroom {
  /// The session as it is now.
  public var view: SessionView {
    SessionView(
      details: details, status: status, revision: revision, startedAt: startedAt, endedAt: endedAt,
      startedBy: startedBy)
  }
}

extension SessionView {
  /// The same session in the state that a transition reported.
  public func inState(_ change: StatusChange) -> SessionView {
    var view = self
    view.status = change.status
    view.revision = change.revision
    view.startedAt = change.startedAt
    view.endedAt = change.endedAt
    return view
  }
}
