/// What somebody asks a new session to be; ``validated(id:roomName:host:at:)`` makes it a fact or names the field that is wrong.
public struct SessionDraft: Sendable {
  public var id: String?
  public var title: String
  public var description = ""
  public var instructor = ""
  public var kind = SessionDetails.Kind.video
  public var scheduledAt: Timestamp?
  public var timeZone = "UTC"
  public var durationMinutes = 60
  public var capacity: Int?
  public var admission = SessionDetails.Admission.approval
  public var visibility = SessionDetails.Visibility.listed
  public var allowsGuests = false

  /// A draft with this title and everything else as by default.
  public init(title: String) {
    self.title = title
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
  }

  /// Checks every field.
  /// - Throws: ``Refusal/invalidField(_:_:)`` for the first field that is out of bounds.
  public func validated(
    id: String, roomName: String, host: String, at now: Timestamp
  ) throws(Refusal) -> SessionDetails {
    guard SessionID.isValid(id) else {
      throw .invalidField("id", "An id has 1 to 64 letters, digits, underscores or hyphens.")
    }
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
    guard isPlausibleTimeZone else {
      throw .invalidField("time_zone", "A time zone is an IANA name such as Europe/Berlin.")
    }
    let start = scheduledAt ?? now
    guard start >= now.advanced(byMilliseconds: -Limits.pastToleranceMilliseconds) else {
      throw .invalidField("scheduled_at", "The start lies in the past.")
    }
    guard start <= now.advanced(byMilliseconds: Limits.futureMilliseconds) else {
      throw .invalidField("scheduled_at", "The start lies more than ten years ahead.")
    }
    return SessionDetails(
      id: id, title: title, description: description, instructor: instructor, kind: kind, host: host,
      scheduledAt: start, timeZone: timeZone, durationMinutes: durationMinutes, capacity: capacity,
      admission: admission, visibility: visibility, allowsGuests: allowsGuests, roomName: roomName, createdAt: now)
  }

  /// The key that this draft came with, and a digest of the draft: of what was asked for, not of what became of it.
  public func keyUse(_ key: String) -> RecordedEvent.KeyUse {
    var digest = StableDigest()
    digest.mix(field: "create")
    for text in [id ?? "", title, description, instructor, kind.rawValue, timeZone] { digest.mix(field: text) }
    for text in [admission.rawValue, visibility.rawValue] { digest.mix(field: text) }
    let numbers: [Int64?] = [scheduledAt?.milliseconds, Int64(durationMinutes), capacity.map(Int64.init)]
    for number in numbers { digest.mix(field: number.map { "\($0)" } ?? "") }
    digest.mix(allowsGuests ? 1 : 0)
    return RecordedEvent.KeyUse(key: key, digest: digest.value)
  }

  private var isPlausibleTimeZone: Bool {
    Limits.timeZoneBytes.contains(timeZone.utf8.count)
      && timeZone.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "+"),
          UInt8(ascii: "/"):
          true
        default: false
        }
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
