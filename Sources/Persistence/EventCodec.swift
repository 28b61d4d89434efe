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
    case .chatSent(let user, let name, let role, let text):
      encode(user: user)
      writer.field("name", name)
      writer.field("role", role.rawValue)
      writer.field("text", text)
      return .chatSent
    case .epochChanged(let epoch):
      writer.field("epoch", epoch)
      return .epochChanged
    case .erased(let user, let pseudonym):
      writer.field("user", user)
      writer.field("pseudonym", pseudonym)
      return .erased
    }
  }

  /// Reads an event.
  public static func decode(
    _ payload: JSONView, kind: UInt8, session: String, sequence: UInt64
  ) throws(UnreadableRecord) -> RecordedEvent {
    let fields = RecordFields(payload, session: session, sequence: sequence, kind: kind)
    let by = fields.optionalString("by")
    let event: Event
    switch RecordKind(rawValue: kind) {
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
        text: try fields.string("text"))
    case .epochChanged:
      event = .epochChanged(try fields.string("epoch"))
    case .erased:
      event = .erased(user: try fields.string("user"), pseudonym: try fields.string("pseudonym"))
    case .alive, .snapshotCore, .snapshotAttendance, .snapshotChat, .snapshotKey, .snapshotTail,
      .snapshotForgottenKeys, nil:
      throw fields.unreadable("kind")
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
  }

  static func decode(_ fields: RecordFields) throws(UnreadableRecord) -> SessionDetails {
    SessionDetails(
      id: fields.session, title: try fields.string("title"), description: try fields.string("description"),
      instructor: try fields.string("instructor"), kind: try fields.choice("kind"), host: try fields.string("host"),
      scheduledAt: try fields.timestamp("scheduled_at"), timeZone: try fields.string("time_zone"),
      durationMinutes: Int(try fields.integer("duration_minutes")),
      capacity: fields.optionalInteger("capacity").map(Int.init), admission: try fields.choice("admission"),
      visibility: try fields.choice("visibility"), allowsGuests: try fields.boolean("guests"),
      roomName: try fields.string("room_name"), createdAt: try fields.timestamp("created_at"))
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

  func choice<Choice: RawRepresentable>(_ name: StaticString) throws(UnreadableRecord) -> Choice
  where Choice.RawValue == String {
    guard let choice = Choice(rawValue: try string(name)) else { throw unreadable(name) }
    return choice
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
