import Classroom
import JSON

/// A payload that passed its checksum and still is not what this version writes.
public struct UnreadableRecord: Error, Equatable, Sendable {
  public var session: String
  public var sequence: UInt64
  public var kind: UInt8
  /// The field that is missing or wrong.
  public var field: String
}

/// The kinds of record in journal and snapshot. A number is never used again for something else.
public enum RecordKind: UInt8, Sendable, CaseIterable {
  case created = 1
  case statusChanged = 2
  case joined = 3
  case left = 4
  case chatSent = 5
  case lost = 6
  case returned = 7
  case epochChanged = 8
  case erased = 9
  /// The server was alive at this time; belongs to no session.
  case alive = 32
  case snapshotCore = 64
  case snapshotAttendance = 65
  case snapshotChat = 66
  case snapshotKey = 67
  case snapshotTail = 68
  case snapshotForgottenKeys = 69

  case transitioned = 40
  case updated = 41
  case announced = 42
  case reminded = 43
  case deleted = 44
  case hidden = 45
  case rosterChanged = 46
  case knocked = 47
  case waitingEnded = 48
  case admitted = 49
  case denied = 50
  case snapshotRoster = 55
  case snapshotWaiting = 56
  case snapshotVerdicts = 57

  case policyChanged = 60
  case muted = 61
  case askedToUnmute = 62
  case removed = 63
  case banned = 70
  case roleChanged = 71
  case spotlit = 72
  case handRaised = 73
  case handLowered = 74
  case chatEdited = 75
  case chatDeleted = 76
  case chatReacted = 77
  case chatPinned = 78
  case privateChatSent = 79
  case snapshotConduct = 81
  case snapshotPerson = 82
  case snapshotHands = 83
  case snapshotPrivateChat = 84
  case snapshotStream = 85

  case heartbeat = 90
  case checkedIn = 91
  case marked = 92
  case emailKnown = 93
  case snapshotSpans = 95
  case snapshotWaits = 96

  case noticesRead = 100
  case snapshotNotices = 105

  case stageChanged = 110
  case takenOffStage = 111
  case snapshotStage = 115
}

extension RecordKind {
  /// Whether it is a part of a snapshot; else it is an event, or ``alive``, which is both.
  public var isSnapshotEntry: Bool {
    switch rawValue {
    case 55...59, 64...69, 80...89, 95...99, 105...109, 115...119: true
    default: false
    }
  }
}

/// Events as journal payloads: one flat JSON object each. What follows from something else in it is left out.
public enum EventCodec {
  /// Writes the payload of an event.
  /// - Returns: its kind.
  public static func encode(_ recorded: RecordedEvent, into writer: inout JSONWriter) -> RecordKind {
    writer.beginObject()
    writer.field("at", recorded.at.milliseconds)
    if let by = recorded.by { writer.field("by", by) }
    if let use = recorded.keyUse {
      writer.field("key", use.key)
      if use.digest != recorded.event.commandDigest { writer.field("digest", Int64(bitPattern: use.digest)) }
    }
    let kind = encode(recorded.event, by: recorded.by, into: &writer)
    writer.endObject()
    return kind
  }

  private static func encode(_ event: Event, by: String?, into writer: inout JSONWriter) -> RecordKind {
    /// Most events are about the user whose command it was.
    func encode(user: String) {
      if user != by { writer.field("user", user) }
    }
    switch event {
    case .created(let details, let epoch):
      writer.field("epoch", epoch)
      DetailsCodec.encode(details, into: &writer)
      return .created
    case .statusChanged(let status):
      writer.field("status", status.rawValue)
      return .statusChanged
    case .joined(let user, let name, let role):
      encode(user: user)
      writer.field("name", name)
      writer.field("role", role.rawValue)
      return .joined
    case .lost(let user, let since, let isEstimated):
      encode(user: user)
      writer.field("since", since.milliseconds)
      writer.field("estimated", isEstimated)
      return .lost
    case .returned(let user):
      encode(user: user)
      return .returned
    case .left(let user, let at, let isEstimated):
      encode(user: user)
      writer.field("left_at", at.milliseconds)
      writer.field("estimated", isEstimated)
      return .left
    case .chatSent(let user, let name, let role, let text, let replyTo):
      encode(user: user)
      ChatCodec.encode(name: name, role: role, text: text, replyTo: replyTo, into: &writer)
      return .chatSent
    case .epochChanged(let epoch):
      writer.field("epoch", epoch)
      return .epochChanged
    case .erased(let user, let pseudonym):
      writer.field("user", user)
      writer.field("pseudonym", pseudonym)
      return .erased

    case .heartbeat(let user):
      encode(user: user)
      return .heartbeat
    case .checkedIn(let user):
      encode(user: user)
      return .checkedIn
    case .marked(let user, let name, let role, let from, let to):
      encode(user: user)
      writer.field("name", name)
      writer.field("role", role.rawValue)
      writer.field("from", from.milliseconds)
      writer.field("to", to.milliseconds)
      return .marked
    case .emailKnown(let user, let email):
      encode(user: user)
      writer.field("email", email)
      return .emailKnown
    case .transitioned, .updated, .announced, .reminded, .deleted, .hidden, .rosterChanged, .knocked, .waitingEnded,
      .admitted, .denied:
      guard let kind = LifeCodec.encode(event, by: by, into: &writer) else {
        preconditionFailure("an event of the life of a session has a kind")
      }
      return kind

    case .noticesRead(let user, let numbers):
      encode(user: user)
      NoticeCodec.write(numbers, into: &writer)
      return .noticesRead

    case .policyChanged(let policy, let mutesAll):
      ConductCodec.encode(policy, into: &writer)
      if mutesAll { writer.field("mutes_all", true) }
      return .policyChanged
    case .muted(let user, let isMuted):
      writer.field("user", user)
      writer.field("muted", isMuted)
      return .muted
    case .askedToUnmute(let user):
      writer.field("user", user)
      return .askedToUnmute
    case .removed(let user, let name):
      writer.field("user", user)
      writer.field("name", name)
      return .removed
    case .banned(let user, let name, let isBanned):
      writer.field("user", user)
      writer.field("name", name)
      writer.field("banned", isBanned)
      return .banned
    case .roleChanged(let user, let role):
      writer.field("user", user)
      writer.field("role", role.rawValue)
      return .roleChanged
    case .spotlit(let user):
      if let user { writer.field("user", user) }
      return .spotlit
    case .handRaised(let user):
      encode(user: user)
      return .handRaised
    case .handLowered(let user):
      // Nobody's in particular is everybody's: here no user is left out.
      if let user { writer.field("user", user) }
      return .handLowered
    case .chatEdited(let message, let text):
      writer.field("message", message)
      writer.field("text", text)
      return .chatEdited
    case .chatDeleted(let message):
      writer.field("message", message)
      return .chatDeleted
    case .chatReacted(let message, let user, let emoji, let isOn):
      encode(user: user)
      writer.field("message", message)
      writer.field("emoji", emoji)
      writer.field("on", isOn)
      return .chatReacted
    case .chatPinned(let message, let isOn):
      writer.field("message", message)
      writer.field("on", isOn)
      return .chatPinned
    case .privateChatSent(let user, let name, let role, let text, let replyTo):
      encode(user: user)
      ChatCodec.encode(name: name, role: role, text: text, replyTo: replyTo, into: &writer)
      return .privateChatSent

    case .stageChanged(let stage):
      ConductCodec.encode(stage, into: &writer)
      return .stageChanged
    case .takenOffStage(let user):
      encode(user: user)
      return .takenOffStage
    }
  }

  /// Reads an event.
  public static func decode(
    _ payload: JSONView, kind: UInt8, session: String, sequence: UInt64
  ) throws(UnreadableRecord) -> RecordedEvent {
    let fields = RecordFields(payload, session: session, sequence: sequence, kind: kind)
    let by = fields.optionalString("by")
    let event: Event
    let recordKind = RecordKind(rawValue: kind)
    switch recordKind {
    case .created:
      event = .created(try DetailsCodec.decode(fields), epoch: try fields.string("epoch"))
    case .statusChanged:
      event = .statusChanged(try fields.choice("status"))
    case .joined:
      event = .joined(
        user: try fields.user(or: by), name: try fields.string("name"), role: try fields.choice("role"))
    case .lost:
      event = .lost(
        user: try fields.user(or: by), since: try fields.timestamp("since"),
        isEstimated: try fields.boolean("estimated"))
    case .returned:
      event = .returned(user: try fields.user(or: by))
    case .left:
      event = .left(
        user: try fields.user(or: by), at: try fields.timestamp("left_at"),
        isEstimated: try fields.boolean("estimated"))
    case .chatSent:
      event = .chatSent(
        user: try fields.user(or: by), name: try fields.string("name"), role: try fields.choice("role"),
        text: try fields.string("text"), replyTo: try fields.optionalSequence("reply_to"))
    case .epochChanged:
      event = .epochChanged(try fields.string("epoch"))
    case .erased:
      event = .erased(user: try fields.string("user"), pseudonym: try fields.string("pseudonym"))

    case .heartbeat:
      event = .heartbeat(user: try fields.user(or: by))
    case .checkedIn:
      event = .checkedIn(user: try fields.user(or: by))
    case .marked:
      event = .marked(
        user: try fields.user(or: by), name: try fields.string("name"), role: try fields.choice("role"),
        from: try fields.timestamp("from"), to: try fields.timestamp("to"))
    case .emailKnown:
      event = .emailKnown(user: try fields.user(or: by), email: try fields.string("email"))

    case .transitioned, .updated, .announced, .reminded, .deleted, .hidden, .rosterChanged, .knocked, .waitingEnded,
      .admitted, .denied:
      guard let recordKind, let known = try LifeCodec.decode(fields, recordKind, by: by) else {
        throw fields.unreadable("kind")
      }
      event = known
    case .noticesRead:
      event = .noticesRead(user: try fields.user(or: by), numbers: try NoticeCodec.numbers(fields))

    case .policyChanged:
      event = .policyChanged(
        try ConductCodec.policy(fields), mutesAll: try fields.givenBoolean("mutes_all") ?? false)
    case .muted:
      event = .muted(user: try fields.string("user"), isMuted: try fields.boolean("muted"))
    case .askedToUnmute:
      event = .askedToUnmute(user: try fields.string("user"))
    case .removed:
      event = .removed(user: try fields.string("user"), name: try fields.string("name"))
    case .banned:
      event = .banned(
        user: try fields.string("user"), name: try fields.string("name"), isBanned: try fields.boolean("banned"))
    case .roleChanged:
      event = .roleChanged(user: try fields.string("user"), role: try fields.choice("role"))
    case .spotlit:
      event = .spotlit(user: try fields.givenString("user"))
    case .handRaised:
      event = .handRaised(user: try fields.user(or: by))
    case .handLowered:
      event = .handLowered(user: try fields.givenString("user"))
    case .chatEdited:
      event = .chatEdited(message: try fields.sequence("message"), text: try fields.string("text"))
    case .chatDeleted:
      event = .chatDeleted(message: try fields.sequence("message"))
    case .chatReacted:
      event = .chatReacted(
        message: try fields.sequence("message"), user: try fields.user(or: by), emoji: try fields.string("emoji"),
        isOn: try fields.boolean("on"))
    case .chatPinned:
      event = .chatPinned(message: try fields.sequence("message"), isOn: try fields.boolean("on"))
    case .privateChatSent:
      event = .privateChatSent(
        user: try fields.user(or: by), name: try fields.string("name"), role: try fields.choice("role"),
        text: try fields.string("text"), replyTo: try fields.optionalSequence("reply_to"))

    case .stageChanged:
      event = .stageChanged(try ConductCodec.stage(fields))
    case .takenOffStage:
      event = .takenOffStage(user: try fields.user(or: by))
    // The entries of snapshots, and what belongs to no session.
    default: throw fields.unreadable("kind")
    }
    var keyUse: RecordedEvent.KeyUse?
    if let key = fields.optionalString("key") {
      let digest = try fields.digest(or: event.commandDigest)
      keyUse = RecordedEvent.KeyUse(key: key, digest: digest)
    }
    return RecordedEvent(
      session: session, sequence: sequence, at: try fields.timestamp("at"), by: by,
      keyUse: keyUse, event: event)
  }
}

/// The details of a session as fields of a record.
enum DetailsCodec {
  static func encode(_ details: SessionDetails, into writer: inout JSONWriter) {
    writer.field("title", details.title)
    writer.field("description", details.description)
    writer.field("instructor", details.instructor)
    writer.field("kind", details.kind.rawValue)
    writer.field("host", details.host)
    writer.field("scheduled_at", details.scheduledAt.milliseconds)
    writer.field("time_zone", details.timeZone)
    writer.field("duration_minutes", details.durationMinutes)
    if let capacity = details.capacity { writer.field("capacity", capacity) }
    writer.field("admission", details.admission.rawValue)
    writer.field("visibility", details.visibility.rawValue)
    writer.field("guests", details.allowsGuests)
    writer.field("room_name", details.roomName)
    writer.field("created_at", details.createdAt.milliseconds)
    encodeExtras(of: details, into: &writer)
  }

  /// What older versions did not know is left out where it is as by default.
  private static func encodeExtras(of details: SessionDetails, into writer: inout JSONWriter) {
    if let user = details.proposer { writer.field("proposer", user) }
    if !details.isTimeFixed { writer.field("time_fixed", false) }
    if !details.materials.isEmpty {
      writer.array("materials") { writer in
        for material in details.materials {
          writer.object { writer in
            writer.field("title", material.title)
            writer.field("url", material.url)
          }
        }
      }
    }
    if let address = details.meetingURL { writer.field("meeting_url", address) }
    if let address = details.videoURL { writer.field("video_url", address) }
    if let address = details.thumbnailURL { writer.field("thumbnail", address) }
    if let address = details.recordingURL { writer.field("recording_url", address) }
    if details.reminders != SessionDetails.defaultReminders {
      writer.array("reminders") { writer in
        for minutes in details.reminders { writer.integer(minutes) }
      }
    }
    if details.hasWaitingRoom { writer.field("waiting_room", true) }
    if !details.course.isEmpty { writer.field("course", details.course) }
    if !details.tags.isEmpty { writer.strings("tags", details.tags) }
  }

  static func decode(_ fields: RecordFields) throws(UnreadableRecord) -> SessionDetails {
    var details = SessionDetails(
      id: fields.session, title: try fields.string("title"), description: try fields.string("description"),
      instructor: try fields.string("instructor"), kind: try fields.choice("kind"), host: try fields.string("host"),
      scheduledAt: try fields.timestamp("scheduled_at"), timeZone: try fields.string("time_zone"),
      durationMinutes: Int(try fields.integer("duration_minutes")),
      capacity: fields.optionalInteger("capacity").map(Int.init), admission: try fields.choice("admission"),
      visibility: try fields.choice("visibility"), allowsGuests: try fields.boolean("guests"),
      roomName: try fields.string("room_name"), createdAt: try fields.timestamp("created_at"))
    details.proposer = try fields.givenString("proposer")
    details.isTimeFixed = fields.optionalBoolean("time_fixed") ?? true
    if fields.has("materials") {
      details.materials = try fields.elements("materials") { material throws(UnreadableRecord) in
        SessionDetails.Material(title: try material.string("title"), url: try material.string("url"))
      }
    }
    details.meetingURL = try fields.givenString("meeting_url")
    details.videoURL = try fields.givenString("video_url")
    details.thumbnailURL = try fields.givenString("thumbnail")
    details.recordingURL = try fields.givenString("recording_url")
    if fields.has("reminders") { details.reminders = try fields.integers("reminders") }
    details.hasWaitingRoom = fields.optionalBoolean("waiting_room") ?? false
    details.course = try fields.givenString("course") ?? ""
    if fields.has("tags") { details.tags = try fields.strings("tags") }
    return details
  }
}

/// Typed access to the fields of a record.
struct RecordFields {
  private let view: JSONView
  let session: String
  let sequence: UInt64
  let kind: UInt8

  init(_ view: JSONView, session: String, sequence: UInt64, kind: UInt8) {
    self.view = view
    self.session = session
    self.sequence = sequence
    self.kind = kind
  }

  func unreadable(_ field: StaticString) -> UnreadableRecord {
    UnreadableRecord(session: session, sequence: sequence, kind: kind, field: "\(field)")
  }

  /// The value itself, when it is a string.
  private var wholeString: String? { view.string }
  /// The value itself, when it is an integer.
  private var wholeInteger: Int64? { view.integer }

  func optionalString(_ name: StaticString) -> String? { view[name]?.string }

  func string(_ name: StaticString) throws(UnreadableRecord) -> String {
    guard let string = optionalString(name) else { throw unreadable(name) }
    return string
  }

  /// The field `user`, or who did it where that is the same.
  func user(or by: String?) throws(UnreadableRecord) -> String {
    if view["user"] == nil, let by { return by }
    return try string("user")
  }

  /// The field `digest`, or what follows from the event where that is the same.
  func digest(or implied: UInt64?) throws(UnreadableRecord) -> UInt64 {
    if view["digest"] == nil, let implied { return implied }
    return UInt64(bitPattern: try integer("digest"))
  }

  func optionalInteger(_ name: StaticString) -> Int64? { view[name]?.integer }

  func integer(_ name: StaticString) throws(UnreadableRecord) -> Int64 {
    guard let integer = optionalInteger(name) else { throw unreadable(name) }
    return integer
  }

  func optionalBoolean(_ name: StaticString) -> Bool? { view[name]?.boolean }

  func boolean(_ name: StaticString) throws(UnreadableRecord) -> Bool {
    guard let boolean = optionalBoolean(name) else { throw unreadable(name) }
    return boolean
  }

  func optionalTimestamp(_ name: StaticString) -> Timestamp? {
    optionalInteger(name).map { Timestamp(milliseconds: $0) }
  }

  func timestamp(_ name: StaticString) throws(UnreadableRecord) -> Timestamp {
    Timestamp(milliseconds: try integer(name))
  }

  func sequence(_ name: StaticString) throws(UnreadableRecord) -> UInt64 {
    guard let value = UInt64(exactly: try integer(name)) else { throw unreadable(name) }
    return value
  }

  /// Whether there is such a field.
  func has(_ name: StaticString) -> Bool { view[name] != nil }

  /// An object that may be left out.
  func objectOrNone<Value>(
    _ name: StaticString, _ body: (RecordFields) throws(UnreadableRecord) -> Value
  ) throws(UnreadableRecord) -> Value? {
    guard let object = view[name] else { return nil }
    guard object.kind == .object else { throw unreadable(name) }
    return try body(RecordFields(object, session: session, sequence: sequence, kind: kind))
  }

  func strings(_ name: StaticString) throws(UnreadableRecord) -> [String] {
    try elements(name) { element throws(UnreadableRecord) in
      guard let text = element.wholeString else { throw unreadable(name) }
      return text
    }
  }

  func integers(_ name: StaticString) throws(UnreadableRecord) -> [Int] {
    try elements(name) { element throws(UnreadableRecord) in
      guard let number = element.wholeInteger.flatMap(Int.init(exactly:)) else { throw unreadable(name) }
      return number
    }
  }

  func optionalSequence(_ name: StaticString) throws(UnreadableRecord) -> UInt64? {
    view[name] == nil ? nil : try sequence(name)
  }

  func choice<Choice: RawRepresentable>(_ name: StaticString) throws(UnreadableRecord) -> Choice
  where Choice.RawValue == String {
    guard let choice = Choice(rawValue: try string(name)) else { throw unreadable(name) }
    return choice
  }

  /// A field that may be left out, and is not passed over when it is of a wrong type.
  func givenString(_ name: StaticString) throws(UnreadableRecord) -> String? { has(name) ? try string(name) : nil }

  /// A field that may be left out, and is not passed over when it is of a wrong type.
  func givenBoolean(_ name: StaticString) throws(UnreadableRecord) -> Bool? { has(name) ? try boolean(name) : nil }

  /// A field that may be left out, and is not passed over when it is of a wrong type.
  func givenTimestamp(_ name: StaticString) throws(UnreadableRecord) -> Timestamp? {
    has(name) ? try timestamp(name) : nil
  }

  func object(_ name: StaticString) throws(UnreadableRecord) -> RecordFields {
    guard let object = view[name], object.kind == .object else { throw unreadable(name) }
    return RecordFields(object, session: session, sequence: sequence, kind: kind)
  }

  func sequences(_ name: StaticString) throws(UnreadableRecord) -> [UInt64] {
    guard let array = view[name], array.kind == .array else { throw unreadable(name) }
    return array.elements.compactMap { $0.integer.flatMap { UInt64(exactly: $0) } }
  }

  func elements<Element>(
    _ name: StaticString, _ body: (RecordFields) throws(UnreadableRecord) -> Element
  ) throws(UnreadableRecord) -> [Element] {
    guard let array = view[name], array.kind == .array else { throw unreadable(name) }
    var elements: [Element] = []
    for element in array.elements {
      elements.append(try body(RecordFields(element, session: session, sequence: sequence, kind: kind)))
    }
    return elements
  }
}
