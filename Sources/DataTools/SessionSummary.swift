import Classroom

/// One session in a few figures.
public struct SessionSummary: Sendable, Equatable {
  public var id: String
  public var title: String
  public var status: SessionStatus
  /// Who was ever in.
  public var people: Int
  /// Who is in now.
  public var present: Int
  /// All attendance together; who is in now is counted until the server was last known to be alive.
  public var attendanceMilliseconds: Int64
  public var chatMessages: Int
  /// The number of the last event of the session.
  public var events: UInt64
  /// The latest time that the session's state knows of.
  public var lastEventAt: Timestamp
  /// Whether the session lies in a history file, out of the server's memory.
  public var isArchived: Bool

  /// The figures of a classroom, an open attendance counting until `now`.
  public init(_ classroom: Classroom, now: Timestamp, isArchived: Bool) {
    id = classroom.id
    title = classroom.details.title
    status = classroom.status
    people = classroom.attendance.rows.count
    present = classroom.attendance.activeCount
    attendanceMilliseconds = classroom.attendance.rows.values.reduce(0) { $0 + $1.milliseconds(until: now) }
    chatMessages = classroom.chat.messages.count
    events = classroom.sequence
    lastEventAt = Timeline(of: classroom).moments.last?.at ?? classroom.details.createdAt
    self.isArchived = isArchived
  }
}
