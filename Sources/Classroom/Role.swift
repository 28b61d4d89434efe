/// What somebody is in one session.
public enum Role: String, Sendable, CaseIterable {
  /// Owns the session: the teacher, the organizer.
  case host
  /// Has a host's rights on loan.
  case cohost
  /// Takes part: the student.
  case participant
  /// Sees and is not seen: not in presence, not counted, no attendance.
  case observer
  /// Manages every session.
  case admin

  /// Whether others see this person in presence, and attendance is kept.
  public var isVisible: Bool { self != .observer }

  /// Whether this role may start and end the session.
  public var mayStartAndEnd: Bool { self == .host || self == .admin }

  /// Whether this role may read everybody's attendance.
  public var mayReadAttendance: Bool { self == .host || self == .cohost || self == .admin }

  /// Whether the capacity of a session does not count for this role.
  public var passesCapacity: Bool { self == .host || self == .cohost || self == .admin }

  /// Whether the presence mode `hosts` shows this role.
  public var isHosting: Bool { self == .host || self == .cohost }
}
