/// The public face of a session at one moment: what lists, answers and the wire show.
public struct SessionView: Sendable, Equatable {
  public var details: SessionDetails {
    _read { yield sharedDetails.value }
    _modify { yield &sharedDetails.value }
  }
  private var sharedDetails: Shared<SessionDetails>
  /// What most sessions have nothing of yet; nil when there is nothing.
  private var sharedPast: Shared<Past>?
  public var status: SessionStatus
  /// Whether only hosts and administrators see it.
  public var isHidden = false
  public var revision: Int

  private struct Past: Equatable, Sendable {
    var startedAt: Timestamp?
    var endedAt: Timestamp?
    var startedBy: String?
    var reason: String?
    var presentCount = 0
    var joinedCount = 0
    var roster = Roster()
    var notices = Notices()
    var attendees: [String] = []
  }

  private var past: Past {
    get { sharedPast?.value ?? Past() }
    set { sharedPast = newValue == Past() ? nil : Shared(newValue) }
  }

  public var startedAt: Timestamp? {
    get { past.startedAt }
    set { past.startedAt = newValue }
  }

  public var endedAt: Timestamp? {
    get { past.endedAt }
    set { past.endedAt = newValue }
  }

  public var startedBy: String? {
    get { past.startedBy }
    set { past.startedBy = newValue }
  }

  /// What was said about the last transition, if anything.
  public var reason: String? {
    get { past.reason }
    set { past.reason = newValue }
  }

  /// How many people are in now.
  public var presentCount: Int {
    get { past.presentCount }
    set { past.presentCount = newValue }
  }

  /// How many people were ever in.
  public var joinedCount: Int {
    get { past.joinedCount }
    set { past.joinedCount = newValue }
  }

  /// Who is expected.
  public var roster: Roster {
    get { past.roster }
    set { past.roster = newValue }
  }

  /// What people were told of it.
  public var notices: Notices {
    get { past.notices }
    set { past.notices = newValue }
  }

  /// Of a session in the archive: the users who were ever in, ascending. Empty of all others.
  public var attendees: [String] {
    get { past.attendees }
    set { past.attendees = newValue }
  }

  /// A view with these facts.
  public init(
    details: SessionDetails, status: SessionStatus, revision: Int, startedAt: Timestamp?, endedAt: Timestamp?,
    startedBy: String?
  ) {
    self.init(
      Shared(details), status: status, revision: revision,
      past: Past(startedAt: startedAt, endedAt: endedAt, startedBy: startedBy))
  }

  private init(_ details: Shared<SessionDetails>, status: SessionStatus, revision: Int, past: Past) {
    sharedDetails = details
    self.status = status
    self.revision = revision
    self.past = past
  }

  /// A session without its people, or with those of them that are given; the details stay where they are in memory.
  fileprivate init(
    _ classroom: Classroom, presentCount: Int = 0, joinedCount: Int = 0, roster: Roster = Roster(),
    notices: Notices = Notices(), attendees: [String] = []
  ) {
    self.init(
      classroom.sharedDetails, status: classroom.status, revision: classroom.revision,
      past: Past(
        startedAt: classroom.startedAt, endedAt: classroom.endedAt, startedBy: classroom.startedBy,
        reason: classroom.reason, presentCount: presentCount, joinedCount: joinedCount, roster: roster,
        notices: notices, attendees: attendees))
    isHidden = classroom.isHidden
  }
}

extension Classroom {
  /// The session as it is now.
  public var view: SessionView {
    SessionView(
      self, presentCount: attendance.activeCount, joinedCount: attendance.rows.count, roster: roster, notices: notices)
  }

  /// As much of the session as stays in memory while the rest lies in the archive.
  public var archiveView: SessionView {
    let attendees = attendance.rows.values.map(\.user).sorted()
    return SessionView(
      self, joinedCount: attendees.count, roster: Roster(members: roster.members), notices: notices,
      attendees: attendees)
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
  var outline: SessionView { SessionView(self) }
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
