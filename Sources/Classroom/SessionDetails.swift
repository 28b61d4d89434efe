/// What was decided about a session when it was made.
public struct SessionDetails: Hashable, Sendable {
  /// What a class is held with.
  public enum Kind: String, Sendable, CaseIterable {
    case video
    case audio
    case inPerson = "in_person"
  }

  /// Who gets in without being the host or naming the session in the token.
  public enum Admission: String, Sendable, CaseIterable {
    /// Any user.
    case open
    /// Only who is registered.
    case registered
    /// Only who was approved by the host.
    case approval
  }

  /// Who may see that the session exists.
  public enum Visibility: String, Sendable, CaseIterable {
    /// Every user.
    case listed
    /// Who may join.
    case members
  }

  public var id: String
  public var title: String
  public var description: String
  public var instructor: String
  public var kind: Kind
  /// The user who owns the session.
  public var host: String
  public var scheduledAt: Timestamp
  /// IANA name of the time zone in which the class was planned.
  public var timeZone: String
  public var durationMinutes: Int
  /// How many people may be in at once, or nil for no bound.
  public var capacity: Int?
  public var admission: Admission
  public var visibility: Visibility
  /// Whether somebody without an account may come in.
  public var allowsGuests: Bool
  /// An unpredictable name for a meeting room elsewhere, shown only to who may join.
  public var roomName: String
  public var createdAt: Timestamp

  /// Details with these facts; ``SessionDraft`` checks them.
  public init(
    id: String, title: String, description: String, instructor: String, kind: Kind, host: String,
    scheduledAt: Timestamp, timeZone: String, durationMinutes: Int, capacity: Int?, admission: Admission,
    visibility: Visibility, allowsGuests: Bool, roomName: String, createdAt: Timestamp
  ) {
    self.id = id
    self.title = title
    self.description = description
    self.instructor = instructor
    self.kind = kind
    self.host = host
    self.scheduledAt = scheduledAt
    self.timeZone = timeZone
    self.durationMinutes = durationMinutes
    self.capacity = capacity
    self.admission = admission
    self.visibility = visibility
    self.allowsGuests = allowsGuests
    self.roomName = roomName
    self.createdAt = createdAt
  }
}
