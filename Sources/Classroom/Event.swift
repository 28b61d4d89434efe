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
  /// Somebody said something to everybody.
  case chatSent(user: String, name: String, role: Role, text: String)
  /// The history that the stream's numbers count in has another name from here on; the numbers go on.
  case epochChanged(String)
  /// Who a user was is forgotten: what the session keeps of the user is under the pseudonym from here on.
  case erased(user: String, pseudonym: String)

  /// Whether the event has a number in the stream `room`.
  public var isNumbered: Bool {
    switch self {
    case .statusChanged, .chatSent: true
    case .created, .joined, .lost, .returned, .left, .epochChanged, .erased: false
    }
  }
}

extension Event {
  /// The digest of the command that makes this event, where the event tells all of the command.
  public var commandDigest: UInt64? {
    switch self {
    case .statusChanged(.ongoing): Command.start.digest
    case .statusChanged(.completed): Command.end.digest
    case .chatSent(_, _, _, let text): Command.sendChat(text: text).digest
    case .statusChanged(.scheduled), .created, .joined, .lost, .returned, .left, .epochChanged, .erased: nil
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

  /// A change with these facts.
  public init(status: SessionStatus, revision: Int, startedAt: Timestamp?, endedAt: Timestamp?) {
    self.status = status
    self.revision = revision
    self.startedAt = startedAt
    self.endedAt = endedAt
  }
}
