/// A fact about a session. Nothing but an event changes a ``Classroom``, live and when a journal is replayed.
public enum Event: Sendable, Equatable {
  /// The session exists. `epoch` names the history that its stream numbers count in.
  case created(SessionDetails, epoch: String)
  /// The session went on to another state. Completing it closes every open attendance.
  case statusChanged(SessionStatus)
  /// A user came in: attendance opens.
  case joined(user: String, name: String, role: Role)
  /// A user's last connection is lost since then. Attendance goes on, and ends at that time if the user does not return.
  case lost(user: String, since: Timestamp, isEstimated: Bool)
  /// A user whose connection was lost is back.
  case returned(user: String)
  /// A user is gone since `at`: attendance closes.
  case left(user: String, at: Timestamp, isEstimated: Bool)
  /// Somebody said something to everybody. `replyTo` is the number of the event of the message it answers.
  case chatSent(user: String, name: String, role: Role, text: String, replyTo: UInt64? = nil)
  /// The history that the stream's numbers count in has another name from here on; the numbers go on.
  case epochChanged(String)
  /// Who a user was is forgotten: what the session keeps of the user is under the pseudonym from here on.
  case erased(user: String, pseudonym: String)

  /// A user without a connection said to be there: attendance goes on, and ends now if that is not said again.
  case heartbeat(user: String)
  /// A host, or the code that is shown in the class, vouches for a user who is in.
  case checkedIn(user: String)
  /// A host says, after the class, that a user was there from then till then.
  case marked(user: String, name: String, role: Role, from: Timestamp, to: Timestamp)
  /// The address of a user who came in is known.
  case emailKnown(user: String, email: String)
  /// The session went on to another state, or got another time, in another way than by its first start or its end.
  case transitioned(Move)
  /// The session's fields are these from here on.
  case updated(SessionDetails)
  /// The host says that the class begins now.
  case announced(text: String?)
  /// A reminder went out, or, when it was late, would have.
  case reminded(minutes: Int, isLate: Bool)
  /// The session does not exist any more.
  case deleted
  /// The session is shown to its hosts and administrators only.
  case hidden
  /// Where these people stand changed.
  case rosterChanged([Roster.Entry])
  /// Somebody waits since then.
  case knocked(Lobby.Waiter)
  /// Somebody who waited is gone since then.
  case waitingEnded(user: String, at: Timestamp)
  /// A host let people in.
  case admitted(users: [String])
  /// A host turned somebody away.
  case denied(user: String)

  /// Somebody has read what the person was told.
  case noticesRead(user: String, numbers: [UInt64])

  /// What holds for everybody is another. `mutesAll`: everybody has just been muted.
  case policyChanged(RoomPolicy, mutesAll: Bool)
  /// One person may not speak, or may again.
  case muted(user: String, isMuted: Bool)
  /// Somebody is asked to speak, and may.
  case askedToUnmute(user: String)
  /// Somebody was sent out, and may come back.
  case removed(user: String, name: String)
  /// Somebody may not come in, or may again.
  case banned(user: String, name: String, isBanned: Bool)
  /// A host gave somebody another role.
  case roleChanged(user: String, role: Role)
  /// Everybody sees this user large, or nobody.
  case spotlit(user: String?)
  case handRaised(user: String)
  /// A hand is down; with nil every hand.
  case handLowered(user: String?)
  case chatEdited(message: UInt64, text: String)
  case chatDeleted(message: UInt64)
  case chatReacted(message: UInt64, user: String, emoji: String, isOn: Bool)
  case chatPinned(message: UInt64, isOn: Bool)
  /// Somebody said something to the hosts.
  case privateChatSent(user: String, name: String, role: Role, text: String, replyTo: UInt64?)

  /// Who may send sound and pictures is another.
  case stageChanged(Stage)
  /// Somebody has to stop sending, and may begin again where the stage lets everybody.
  case takenOffStage(user: String)

  /// The state that the session is in from here on, where the event is about that.
  public var newStatus: SessionStatus? {
    switch self {
    case .statusChanged(let status): status
    case .transitioned(let move): move.to
    default: nil
    }
  }

  /// Whether the event has a number in the stream `room`.
  public var isNumbered: Bool {
    switch self {
    case .statusChanged, .chatSent, .transitioned, .updated, .announced: true
    case .reminded, .deleted, .hidden, .rosterChanged, .knocked, .waitingEnded, .admitted, .denied: false
    case .noticesRead: false
    case .created, .joined, .lost, .returned, .left, .epochChanged, .erased: false
    case .heartbeat, .checkedIn, .marked, .emailKnown: false

    case .policyChanged, .spotlit, .chatEdited, .chatDeleted, .chatReacted, .chatPinned, .handLowered(nil): true
    case .muted, .askedToUnmute, .removed, .banned, .roleChanged, .handRaised, .handLowered, .privateChatSent: false

    case .stageChanged: true
    case .takenOffStage: false
    }
  }
}

extension Event {
  /// The digest of the command that makes this event, where the event tells all of the command.
  public var commandDigest: UInt64? {
    switch self {
    case .statusChanged(.ongoing): Command.start.digest
    case .statusChanged(.completed): Command.end.digest
    case .chatSent(_, _, _, let text, let replyTo): Command.sendChat(text: text, replyTo: replyTo).digest
    case .statusChanged, .created, .joined, .lost, .returned, .left, .epochChanged, .erased: nil
    case .heartbeat, .checkedIn, .marked, .emailKnown: nil
    case .transitioned, .updated, .announced, .reminded, .deleted, .hidden, .rosterChanged, .knocked, .waitingEnded,
      .admitted, .denied:
      nil
    case .noticesRead: nil
    case .privateChatSent(_, _, _, let text, let replyTo):
      Command.sendChat(text: text, replyTo: replyTo, isPrivate: true).digest
    // With a key, the digest is written down.
    case .policyChanged, .muted, .askedToUnmute, .removed, .banned, .roleChanged, .spotlit, .handRaised, .handLowered,
      .chatEdited, .chatDeleted, .chatReacted, .chatPinned:
      nil

    case .stageChanged, .takenOffStage: nil
    }
  }
}

/// An event with its place in the history of one session; what the journal keeps.
public struct RecordedEvent: Sendable, Equatable {
  /// The key that the command carried, and the digest of the command.
  public struct KeyUse: Sendable, Equatable {
    public var key: String
    public var digest: UInt64

    /// A key with its digest.
    public init(key: String, digest: UInt64) {
      self.key = key
      self.digest = digest
    }
  }

  public var session: String
  /// The number of the event in its session, from 1, without a gap.
  public var sequence: UInt64
  public var at: Timestamp
  /// The user whose command it was, or nil for the server's own.
  public var by: String?
  public var keyUse: KeyUse?
  public var event: Event

  /// A recorded event with these facts.
  public init(session: String, sequence: UInt64, at: Timestamp, by: String?, keyUse: KeyUse?, event: Event) {
    self.session = session
    self.sequence = sequence
    self.at = at
    self.by = by
    self.keyUse = keyUse
    self.event = event
  }
}

/// The state of a session after a transition.
public struct StatusChange: Sendable, Equatable {
  public var status: SessionStatus
  public var revision: Int
  public var startedAt: Timestamp?
  public var endedAt: Timestamp?
  /// What was said about it, if anything.
  public var reason: String?
  /// When the session is, where the transition changed that.
  public var schedule: Schedule?

  /// A change with these facts.
  public init(
    status: SessionStatus, revision: Int, startedAt: Timestamp?, endedAt: Timestamp?, reason: String? = nil,
    schedule: Schedule? = nil
  ) {
    self.status = status
    self.revision = revision
    self.startedAt = startedAt
    self.endedAt = endedAt
    self.reason = reason
    self.schedule = schedule
  }
}
