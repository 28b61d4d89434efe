/// A transition as it happened.
public struct Move: Sendable, Equatable {
  public var transition: Transition
  public var from: SessionStatus
  public var to: SessionStatus
  /// What was said about it, if anything.
  public var reason: String?
  /// The time that was agreed with it, if it is another one.
  public var schedule: Schedule?

  /// A move with these facts.
  public init(
    _ transition: Transition, from: SessionStatus, to: SessionStatus, reason: String? = nil, schedule: Schedule? = nil
  ) {
    self.transition = transition
    self.from = from
    self.to = to
    self.reason = reason
    self.schedule = schedule
  }
}

/// When a session is.
public struct Schedule: Sendable, Hashable {
  public var scheduledAt: Timestamp
  public var timeZone: String
  public var durationMinutes: Int

  /// A schedule with these facts.
  public init(scheduledAt: Timestamp, timeZone: String, durationMinutes: Int) {
    self.scheduledAt = scheduledAt
    self.timeZone = timeZone
    self.durationMinutes = durationMinutes
  }
}

/// Another time that somebody asks for; what is nil stays as it is.
public struct ScheduleChange: Sendable, Equatable {
  public var start: ScheduledTime
  public var timeZone: String?
  public var durationMinutes: Int?

  /// A change to this start.
  public init(start: ScheduledTime, timeZone: String? = nil, durationMinutes: Int? = nil) {
    self.start = start
    self.timeZone = timeZone
    self.durationMinutes = durationMinutes
  }

  /// The schedule that it makes of another one.
  func applied(
    to details: SessionDetails, in zones: any TimeZones, at now: Timestamp
  ) throws(Refusal) -> Schedule {
    let zone = timeZone ?? details.timeZone
    if let timeZone { try SessionDetails.checkTimeZone(timeZone, in: zones) }
    let minutes = durationMinutes ?? details.durationMinutes
    guard SessionDraft.Limits.durationMinutes.contains(minutes) else {
      throw .invalidField("duration_minutes", "A session lasts 1 to 1440 minutes.")
    }
    let time = try start.resolved(in: zone, of: zones)
    try SessionDetails.checkStart(time, at: now)
    return Schedule(scheduledAt: time, timeZone: zone, durationMinutes: minutes)
  }
}

extension SessionDetails {
  /// When the session is.
  public var schedule: Schedule {
    Schedule(scheduledAt: scheduledAt, timeZone: timeZone, durationMinutes: durationMinutes)
  }

  mutating func take(_ schedule: Schedule) {
    scheduledAt = schedule.scheduledAt
    timeZone = schedule.timeZone
    durationMinutes = schedule.durationMinutes
    isTimeFixed = true
  }
}

/// A change of a session's fields: those that are set.
public struct SessionPatch: Sendable, Equatable {
  /// A field that may be cleared.
  public enum Clearable<Value: Sendable & Hashable>: Sendable, Hashable {
    case keep
    case clear
    case set(Value)

    func apply(to value: inout Value?) {
      switch self {
      case .keep: break
      case .clear: value = nil
      case .set(let new): value = new
      }
    }

    fileprivate var digestText: String? {
      switch self {
      case .keep: nil
      case .clear: "null"
      case .set(let value): "= \(value)"
      }
    }
  }

  public var title: String?
  public var description: String?
  public var instructor: String?
  public var kind: SessionDetails.Kind?
  public var start: ScheduledTime?
  public var timeZone: String?
  public var durationMinutes: Int?
  public var capacity = Clearable<Int>.keep
  public var admission: SessionDetails.Admission?
  public var visibility: SessionDetails.Visibility?
  public var allowsGuests: Bool?
  public var materials: [SessionDetails.Material]?
  public var meetingURL = Clearable<String>.keep
  public var videoURL = Clearable<String>.keep
  public var thumbnailURL = Clearable<String>.keep
  public var recordingURL = Clearable<String>.keep
  public var reminders: [Int]?
  public var hasWaitingRoom: Bool?
  public var course: String?
  public var tags: [String]?

  /// No change.
  public init() {}

  /// Whether it is about when the session is.
  public var changesSchedule: Bool { start != nil || timeZone != nil || durationMinutes != nil }

  /// The details with the change, the schedule left as it is.
  func applied(to old: SessionDetails, in zones: any TimeZones) throws(Refusal) -> SessionDetails {
    var details = old
    details.title = title ?? old.title
    details.description = description ?? old.description
    details.instructor = instructor ?? old.instructor
    details.kind = kind ?? old.kind
    capacity.apply(to: &details.capacity)
    details.admission = admission ?? old.admission
    details.visibility = visibility ?? old.visibility
    details.allowsGuests = allowsGuests ?? old.allowsGuests
    details.materials = materials ?? old.materials
    meetingURL.apply(to: &details.meetingURL)
    videoURL.apply(to: &details.videoURL)
    thumbnailURL.apply(to: &details.thumbnailURL)
    recordingURL.apply(to: &details.recordingURL)
    details.reminders = reminders ?? old.reminders
    details.hasWaitingRoom = hasWaitingRoom ?? old.hasWaitingRoom
    details.course = course ?? old.course
    details.tags = tags ?? old.tags
    // The zone of old details is not looked at: it may be one that the tz database has given up since.
    details.timeZone = "UTC"
    try details.validate(in: zones)
    details.timeZone = old.timeZone
    return details
  }

  /// The fields that are set, for a digest.
  var digestFields: [(String, String)] {
    let fields: [(String, String?)] = [
      ("title", title), ("description", description), ("instructor", instructor), ("kind", kind?.rawValue),
      ("start", start?.digestText), ("time_zone", timeZone), ("duration", durationMinutes.map { "\($0)" }),
      ("capacity", capacity.digestText), ("admission", admission?.rawValue), ("visibility", visibility?.rawValue),
      ("guests", allowsGuests.map { "\($0)" }),
      ("materials", materials.map { $0.map { "\($0.title) \($0.url)" }.joined(separator: "\n") }),
      ("meeting_url", meetingURL.digestText), ("video_url", videoURL.digestText),
      ("thumbnail", thumbnailURL.digestText), ("recording_url", recordingURL.digestText),
      ("reminders", reminders.map { "\($0)" }), ("waiting_room", hasWaitingRoom.map { "\($0)" }),
      ("course", course), ("tags", tags.map { $0.joined(separator: "\n") }),
    ]
    return fields.compactMap { name, text in text.map { (name, $0) } }
  }
}
