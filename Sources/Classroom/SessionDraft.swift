/// What somebody asks a new session to be; ``validated(id:roomName:host:proposer:in:at:)`` makes it a fact or names the
/// field that is wrong.
public struct SessionDraft: Sendable {
  public var id: String?
  public var title: String
  public var description = ""
  public var instructor = ""
  public var kind = SessionDetails.Kind.video
  /// Who shall hold it; nil for who asks.
  public var host: String?
  /// When it begins: a point in time, or what the clocks show there.
  public var start: ScheduledTime?
  public var timeZone = "UTC"
  public var durationMinutes = 60
  public var capacity: Int?
  public var admission = SessionDetails.Admission.approval
  public var visibility = SessionDetails.Visibility.listed
  public var allowsGuests = false
  public var materials: [SessionDetails.Material] = []
  public var meetingURL: String?
  public var videoURL: String?
  public var thumbnailURL: String?
  public var recordingURL: String?
  public var reminders = SessionDetails.defaultReminders
  public var hasWaitingRoom = false
  public var course = ""
  public var tags: [String] = []
  /// Who shall be on the roster from the start.
  public var invited: [Roster.Invitation] = []

  /// A draft with this title and everything else as by default.
  public init(title: String) {
    self.title = title
  }

  /// When it begins, if that is a point in time.
  public var scheduledAt: Timestamp? {
    get { if case .instant(let time) = start { time } else { nil } }
    set { start = newValue.map { .instant($0) } }
  }

  /// The bounds of the fields. A character is a Unicode scalar, as in JSON Schema: a grapheme cluster has no bound of its own.
  public enum Limits {
    public static let titleCharacters = 1...200
    public static let descriptionCharacters = 0...10_000
    public static let instructorCharacters = 0...200
    public static let durationMinutes = 1...1440
    public static let capacity = 1...1_000_000
    /// How far in the past a start may lie, for clocks that differ and forms that were open for a while.
    public static let pastToleranceMilliseconds: Int64 = 5 * 60_000
    /// How far ahead a session may be planned: ten years.
    public static let futureMilliseconds: Int64 = 10 * 366 * 86_400_000
    public static let timeZoneBytes = 1...64
    public static let materials = 0...50
    public static let materialTitleCharacters = 1...200
    public static let reminders = 0...10
    /// From a minute to 30 days.
    public static let reminderMinutes = 1...43_200
    public static let courseCharacters = 0...200
    public static let tags = 0...20
    public static let tagCharacters = 1...50
    public static let reasonCharacters = 0...500
    public static let userBytes = 1...128
    public static let nameBytes = 0...120
    public static let emailBytes = 3...254
  }

  /// Checks every field.
  /// - Parameter proposer: who asks the host for it, or nil when the host plans it.
  /// - Throws: ``Refusal/invalidField(_:_:)`` for the first field that is out of bounds.
  public func validated(
    id: String, roomName: String, host: String, proposer: String? = nil, in zones: any TimeZones = AnyTimeZone(),
    at now: Timestamp
  ) throws(Refusal) -> SessionDetails {
    guard SessionID.isValid(id) else {
      throw .invalidField("id", "An id has 1 to 64 letters, digits, underscores or hyphens.")
    }
    guard Limits.userBytes.contains(host.utf8.count) else {
      throw .invalidField("host", "A host is the id of a user, of 1 to 128 bytes.")
    }
    var details = SessionDetails(
      id: id, title: title, description: description, instructor: instructor, kind: kind, host: host,
      scheduledAt: now, timeZone: timeZone, durationMinutes: durationMinutes, capacity: capacity,
      admission: admission, visibility: visibility, allowsGuests: allowsGuests, roomName: roomName, createdAt: now)
    details.proposer = proposer
    details.materials = materials
    details.meetingURL = meetingURL
    details.videoURL = videoURL
    details.thumbnailURL = thumbnailURL
    details.recordingURL = recordingURL
    details.reminders = reminders
    details.hasWaitingRoom = hasWaitingRoom
    details.course = course
    details.tags = tags
    try details.validate(in: zones)
    // A proposal may leave the time open; who plans a session without one means now.
    details.isTimeFixed = start != nil || proposer == nil
    if let start {
      details.scheduledAt = try start.resolved(in: details.timeZone, of: zones)
      try SessionDetails.checkStart(details.scheduledAt, at: now)
    }
    try Roster.check(invited)
    return details
  }

  /// The key that this draft came with, and a digest of the draft: of what was asked for, not of what became of it.
  public func keyUse(_ key: String) -> RecordedEvent.KeyUse {
    var digest = StableDigest()
    digest.mix(field: "create")
    for text in [id ?? "", title, description, instructor, kind.rawValue, timeZone] { digest.mix(field: text) }
    for text in [admission.rawValue, visibility.rawValue] { digest.mix(field: text) }
    // Journals of versions before local times have the milliseconds of a time here.
    digest.mix(field: start?.digestText ?? "")
    for number in [Int64(durationMinutes), capacity.map(Int64.init)] { digest.mix(field: number.map { "\($0)" } ?? "") }
    digest.mix(allowsGuests ? 1 : 0)
    mixExtras(into: &digest)
    return RecordedEvent.KeyUse(key: key, digest: digest.value)
  }

  /// What older versions did not know is mixed in only where it is given, so that their digests stay the same.
  private func mixExtras(into digest: inout StableDigest) {
    func mix(_ name: String, _ text: String?) {
      guard let text, !text.isEmpty else { return }
      digest.mix(field: name)
      digest.mix(field: text)
    }
    mix("host", host)
    for material in materials { mix("material", "\(material.title) \(material.url)") }
    mix("meeting_url", meetingURL)
    mix("video_url", videoURL)
    mix("thumbnail", thumbnailURL)
    mix("recording_url", recordingURL)
    if reminders != SessionDetails.defaultReminders { mix("reminders", "\(reminders)") }
    if hasWaitingRoom { mix("waiting_room", "on") }
    mix("course", course)
    for tag in tags { mix("tag", tag) }
    for person in invited { mix("invited", "\(person.user) \(person.name) \(person.email ?? "")") }
  }
}

extension SessionDetails {
  private typealias Limits = SessionDraft.Limits

  /// Checks that a start lies neither in the past nor too far ahead.
  static func checkStart(_ start: Timestamp, at now: Timestamp) throws(Refusal) {
    guard start >= now.advanced(byMilliseconds: -Limits.pastToleranceMilliseconds) else {
      throw .invalidField("scheduled_at", "The start lies in the past.")
    }
    guard start <= now.advanced(byMilliseconds: Limits.futureMilliseconds) else {
      throw .invalidField("scheduled_at", "The start lies more than ten years ahead.")
    }
  }

  /// Checks every field but the times, and puts the reminders in order.
  mutating func validate(in zones: any TimeZones) throws(Refusal) {
    guard Limits.titleCharacters.contains(title.unicodeScalars.count), !title.allSatisfy(\.isWhitespace) else {
      throw .invalidField("title", "A title has 1 to 200 characters.")
    }
    guard Limits.descriptionCharacters.contains(description.unicodeScalars.count) else {
      throw .invalidField("description", "A description has at most 10000 characters.")
    }
    guard Limits.instructorCharacters.contains(instructor.unicodeScalars.count) else {
      throw .invalidField("instructor", "An instructor's name has at most 200 characters.")
    }
    guard Limits.durationMinutes.contains(durationMinutes) else {
      throw .invalidField("duration_minutes", "A session lasts 1 to 1440 minutes.")
    }
    if let capacity, !Limits.capacity.contains(capacity) {
      throw .invalidField("capacity", "A capacity is between 1 and 1000000, or null.")
    }
    try Self.checkTimeZone(timeZone, in: zones)
    try validateExtras()
  }

  static func checkTimeZone(_ name: String, in zones: any TimeZones) throws(Refusal) {
    guard Limits.timeZoneBytes.contains(name.utf8.count), zones.contains(name) else {
      throw .invalidField("time_zone", "A time zone is an IANA name such as Europe/Berlin.")
    }
  }

  private mutating func validateExtras() throws(Refusal) {
    guard Limits.materials.contains(materials.count),
      materials.allSatisfy({ material in
        Limits.materialTitleCharacters.contains(material.title.unicodeScalars.count) && WebAddress.isValid(material.url)
      })
    else {
      throw .invalidField(
        "materials", "At most 50 materials, each with a title of 1 to 200 characters and an http(s) url.")
    }
    let picture = thumbnailURL.map(WebAddress.isOwnPicture) == true ? nil : thumbnailURL
    let addresses = [
      ("meeting_url", meetingURL), ("video_url", videoURL), ("thumbnail", picture), ("recording_url", recordingURL),
    ]
    for (name, address) in addresses where address.map(WebAddress.isValid) == false {
      throw .invalidField(name, "An address begins with http:// or https:// and has at most 2048 bytes.")
    }
    guard Limits.reminders.contains(reminders.count), reminders.allSatisfy(Limits.reminderMinutes.contains),
      Set(reminders).count == reminders.count
    else {
      throw .invalidField("reminders", "At most 10 different reminders, each 1 to 43200 minutes before the start.")
    }
    reminders.sort(by: >)
    guard Limits.courseCharacters.contains(course.unicodeScalars.count) else {
      throw .invalidField("course", "A course has at most 200 characters.")
    }
    guard Limits.tags.contains(tags.count),
      tags.allSatisfy({ Limits.tagCharacters.contains($0.unicodeScalars.count) && !$0.allSatisfy(\.isWhitespace) })
    else {
      throw .invalidField("tags", "At most 20 tags of 1 to 50 characters.")
    }
  }
}

/// The form of a session's id.
public enum SessionID {
  /// Whether the text is 1 to 64 letters, digits, underscores or hyphens.
  public static func isValid(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
          true
        default: false
        }
      }
  }
}
