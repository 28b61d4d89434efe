/// The public face of a session at one moment: what lists, answers and the wire show.
public struct SessionView: Sendable, Equatable {
  public var details: SessionDetails {
    _read { yield sharedDetails.value }
    _modify { yield &sharedDetails.value }
  }
  private var sharedDetails: Shared<SessionDetails>
  public var status: SessionStatus
  public var revision: Int
  public var startedAt: Timestamp?
  public var endedAt: Timestamp?
  public var startedBy: String?
  /// What was said about the last transition, if anything.
  public var reason: String?
  /// Whether only hosts and administrators see it.
  public var isHidden = false
  /// How many people are in now.
  public var presentCount = 0
  /// How many people were ever in.
  public var joinedCount = 0
  /// Who is expected.
  public var roster = Roster()
  /// What people were told of it.
  public var notices = Notices()
  /// Of a session in the archive: the users who were ever in, ascending. Empty of all others.
  public var attendees: [String] = []

  /// A view with these facts.
  public init(
    details: SessionDetails, status: SessionStatus, revision: Int, startedAt: Timestamp?, endedAt: Timestamp?,
    startedBy: String?
  ) {
    sharedDetails = Shared(details)
    self.status = status
    self.revision = revision
    self.startedAt = startedAt
    self.endedAt = endedAt
    self.startedBy = startedBy
  }
}

extension SessionView {
  /// The details stay where they are in memory.
  fileprivate init(_ classroom: Classroom) {
    sharedDetails = classroom.sharedDetails
    status = classroom.status
    revision = classroom.revision
    startedAt = classroom.startedAt
    endedAt = classroom.endedAt
    startedBy = classroom.startedBy
  }
}

extension Classroom {
  /// The session as it is now.
  public var view: SessionView {
    var view = outline
    view.presentCount = attendance.activeCount
    view.joinedCount = attendance.rows.count
    view.roster = roster
    view.notices = notices
    return view
  }

  /// As much of the session as stays in memory while the rest lies in the archive.
  public var archiveView: SessionView {
    var view = outline
    view.roster = Roster(members: roster.members)
    view.attendees = attendance.rows.values.map(\.user).sorted()
    view.joinedCount = view.attendees.count
    view.notices = notices
    return view
  }

  /// As much of a classroom as it takes to say who may see and enter it.
  public init(outlining view: SessionView, sequence: UInt64) {
    self.init(
      restoring: Core(
        details: view.details, epoch: "",
        statusChange: StatusChange(
          status: view.status, revision: view.revision, startedAt: view.startedAt, endedAt: view.endedAt,
          reason: view.reason),
        startedBy: view.startedBy, sequence: sequence, streamSequence: 0))
    isHidden = view.isHidden
    roster = view.roster
    notices = view.notices
  }

  /// The session as it is now, without the people.
  var outline: SessionView {
    var view = SessionView(self)
    view.reason = reason
    view.isHidden = isHidden
    return view
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
    view.reason = change.reason
    if let schedule = change.schedule { view.details.take(schedule) }
    return view
  }

  /// Whether lists show the session to somebody: to who has to do with it, and when it is listed to everybody with an account.
  public func isListed(for identity: Identity) -> Bool {
    if isHidden { return false }
    if let granted = identity.session { return granted == details.id }
    return identity.isAdministrator || concerns(identity)
      || !identity.isGuest && details.visibility == .listed && status != .pendingApproval
  }

  /// Whether somebody holds the session, asked for it, or is expected in it.
  public func concerns(_ identity: Identity) -> Bool {
    if let granted = identity.session { return granted == details.id }
    if identity.isGuest { return false }
    return identity.user == details.host || identity.user == details.proposer || roster.admits(identity.user)
      || roster[identity.user]?.state == .requested
  }

  /// Whether it tells of a user.
  public func names(_ user: String) -> Bool {
    details.host == user || details.proposer == user || startedBy == user || roster.members.contains(user)
      || attendees.contains(user) || notices.names(user)
  }

  public mutating func erase(_ user: String, as pseudonym: String) {
    if details.host == user { details.host = pseudonym }
    if details.proposer == user { details.proposer = pseudonym }
    if startedBy == user { startedBy = pseudonym }
    roster.erase(user, as: pseudonym)
    notices.erase(user, as: pseudonym)
    if attendees.contains(user) { attendees = (attendees.filter { $0 != user } + [pseudonym]).sorted() }
  }
}
