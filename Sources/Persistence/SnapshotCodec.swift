import Classroom
import JSON

#if PLANTED_BUGS
  import PlantedBugs
#endif

/// A classroom as the entries of a snapshot: its core first, then one entry for each person, message and key,
/// and the newest numbered events, some in an entry.
public enum SnapshotCodec {
  /// The numbered events that share an entry, and the bytes of text after which it ends earlier.
  private static let tailEvents = 64
  private static let tailTextBytes = 65_536

  /// Writes a classroom, entry by entry.
  public static func encode(_ classroom: Classroom, emit: (RecordKind, [UInt8]) -> Void) {
    var writer = JSONWriter(reserving: 512)
    func entry(_ kind: RecordKind, _ body: (inout JSONWriter) -> Void) {
      writer.removeAll()
      writer.beginObject()
      body(&writer)
      writer.endObject()
      emit(kind, writer.bytes)
    }
    entry(.snapshotCore) { encode(classroom.core, into: &$0) }
    for row in classroom.attendance.rows.values {
      entry(.snapshotAttendance) { encode(row, into: &$0) }
    }
    for message in classroom.chat.messages {
      entry(.snapshotChat) { encode(message, into: &$0) }
    }
    #if PLANTED_BUGS
      if PlantedBugs.isActive(.keysMissingFromSnapshot) { return }
    #endif
    for keys in classroom.keys.users.values {
      for (key, use) in keys.uses {
        entry(.snapshotKey) { encode(use, key: key, user: keys.user, into: &$0) }
      }
    }
    for chunk in ForgottenKeys.chunks(of: classroom.keys) {
      entry(.snapshotForgottenKeys) { chunk.encode(into: &$0) }
    }
    var last = classroom.stream.events.first.map { $0.sequence - 1 } ?? classroom.stream.last
    while case let events = classroom.stream.events(after: last, limit: tailEvents, textBytes: tailTextBytes),
      let end = events.last
    {
      entry(.snapshotTail) { writer in
        writer.array("events") { writer in
          for event in events { writer.object { encode(event, into: &$0) } }
        }
      }
      last = end.sequence
    }
  }

  private static func encode(_ core: Classroom.Core, into writer: inout JSONWriter) {
    writer.field("epoch", core.epoch)
    encode(core.statusChange, into: &writer)
    if let user = core.startedBy { writer.field("started_by", user) }
    writer.field("stream_seq", core.streamSequence)
    DetailsCodec.encode(core.details, into: &writer)
  }

  private static func encode(_ change: StatusChange, into writer: inout JSONWriter) {
    writer.field("status", change.status.rawValue)
    writer.field("rev", change.revision)
    if let time = change.startedAt { writer.field("started_at", time.milliseconds) }
    if let time = change.endedAt { writer.field("ended_at", time.milliseconds) }
  }

  private static func encode(_ row: Attendance.Row, into writer: inout JSONWriter) {
    writer.field("user", row.user)
    writer.field("name", row.name)
    writer.field("role", row.role.rawValue)
    if let absence = row.absence {
      writer.field("absent_since", absence.since.milliseconds)
      writer.field("absent_estimated", absence.isEstimated)
    }
    writer.key("segments")
    writer.beginArray()
    for segment in row.segments {
      writer.beginObject()
      writer.field("from", segment.from.milliseconds)
      if let to = segment.to { writer.field("to", to.milliseconds) }
      writer.field("estimated", segment.isEstimated)
      writer.endObject()
    }
    writer.endArray()
  }

  private static func encode(_ message: ChatMessage, into writer: inout JSONWriter) {
    writer.field("seq", message.streamSequence)
    writer.field("event", message.sequence)
    writer.field("at", message.at.milliseconds)
    writer.field("user", message.user)
    writer.field("name", message.name)
    writer.field("role", message.role.rawValue)
    writer.field("text", message.text)
    if message.isErased { writer.field("erased", true) }
  }

  private static func encode(_ event: StreamEvent, into writer: inout JSONWriter) {
    if let by = event.by { writer.field("by", by) }
    switch event.content {
    case .status(let change):
      writer.field("type", "status")
      writer.field("seq", event.sequence)
      writer.field("at", event.at.milliseconds)
      encode(change, into: &writer)
    case .chat(let message):
      writer.field("type", "chat")
      encode(message, into: &writer)
    }
  }

  private static func encode(
    _ use: IdempotencyKeys.Use, key: String, user: String, into writer: inout JSONWriter
  ) {
    writer.field("user", user)
    writer.field("key", key)
    writer.field("digest", Int64(bitPattern: use.digest))
    writer.field("at", use.at.milliseconds)
    switch use.answer {
    case .done: writer.field("answer", "done")
    case .chat(let streamSequence, let sequence, let at):
      writer.field("answer", "chat")
      writer.field("seq", streamSequence)
      writer.field("event", sequence)
      writer.field("sent_at", at.milliseconds)
    case .status(let change):
      writer.field("answer", "status")
      encode(change, into: &writer)
    }
  }

  /// Takes in one entry of a session. The core makes the classroom, the others fill it.
  public static func decode(
    _ payload: JSONView, kind: UInt8, session: String, sequence: UInt64, into classroom: inout Classroom?
  ) throws(UnreadableRecord) {
    let fields = RecordFields(payload, session: session, sequence: sequence, kind: kind)
    guard let recordKind = RecordKind(rawValue: kind) else { throw fields.unreadable("kind") }
    if recordKind == .snapshotCore {
      classroom = Classroom(restoring: try core(fields))
      return
    }
    // Reading and writing through the optional in place: a copy of a large classroom for each entry would be quadratic.
    guard classroom != nil else { throw fields.unreadable("core") }
    switch recordKind {
    case .snapshotAttendance:
      classroom?.restore(try row(fields))
    case .snapshotChat:
      classroom?.restore(try message(fields))
    case .snapshotKey:
      classroom?.restore(try use(fields), key: try fields.string("key"), user: try fields.string("user"))
    case .snapshotTail:
      for event in try fields.elements("events", streamEvent) where classroom?.restore(event) == false {
        throw fields.unreadable("events")
      }
    case .snapshotForgottenKeys:
      for forgotten in try fields.elements("users", ForgottenKeys.OfUser.init) {
        for hash in forgotten.hashes { classroom?.restore(forgottenKey: hash, of: forgotten.user) }
      }
    case .created, .statusChanged, .joined, .lost, .returned, .left, .chatSent, .epochChanged, .erased, .alive,
      .snapshotCore:
      throw fields.unreadable("kind")
    }
  }

  private static func core(_ fields: RecordFields) throws(UnreadableRecord) -> Classroom.Core {
    Classroom.Core(
      details: try DetailsCodec.decode(fields), epoch: try fields.string("epoch"),
      statusChange: try statusChange(fields), startedBy: fields.optionalString("started_by"),
      sequence: fields.sequence, streamSequence: try fields.sequence("stream_seq"))
  }

  private static func statusChange(_ fields: RecordFields) throws(UnreadableRecord) -> StatusChange {
    StatusChange(
      status: try fields.choice("status"), revision: Int(try fields.integer("rev")),
      startedAt: fields.optionalTimestamp("started_at"), endedAt: fields.optionalTimestamp("ended_at"))
  }

  private static func row(_ fields: RecordFields) throws(UnreadableRecord) -> Attendance.Row {
    var absence: Attendance.Absence?
    if let since = fields.optionalTimestamp("absent_since") {
      absence = Attendance.Absence(since: since, isEstimated: try fields.boolean("absent_estimated"))
    }
    return Attendance.Row(
      user: try fields.string("user"), name: try fields.string("name"), role: try fields.choice("role"),
      segments: try fields.elements("segments") { segment throws(UnreadableRecord) in
        Attendance.Segment(
          from: try segment.timestamp("from"), to: segment.optionalTimestamp("to"),
          isEstimated: try segment.boolean("estimated"))
      }, absence: absence)
  }

  private static func message(_ fields: RecordFields) throws(UnreadableRecord) -> ChatMessage {
    ChatMessage(
      streamSequence: try fields.sequence("seq"), sequence: try fields.sequence("event"),
      at: try fields.timestamp("at"), user: try fields.string("user"), name: try fields.string("name"),
      role: try fields.choice("role"), text: try fields.string("text"),
      isErased: fields.optionalBoolean("erased") ?? false)
  }

  private static func streamEvent(_ fields: RecordFields) throws(UnreadableRecord) -> StreamEvent {
    let content: StreamEvent.Content
    switch try fields.string("type") {
    case "status": content = .status(try statusChange(fields))
    case "chat": content = .chat(try message(fields))
    default: throw fields.unreadable("type")
    }
    return StreamEvent(
      sequence: try fields.sequence("seq"), at: try fields.timestamp("at"), by: fields.optionalString("by"),
      content: content)
  }

  private static func use(_ fields: RecordFields) throws(UnreadableRecord) -> IdempotencyKeys.Use {
    let answer: Answer
    switch try fields.string("answer") {
    case "done": answer = .done
    case "chat":
      answer = .chat(
        streamSequence: try fields.sequence("seq"), sequence: try fields.sequence("event"),
        at: try fields.timestamp("sent_at"))
    case "status": answer = .status(try statusChange(fields))
    default: throw fields.unreadable("answer")
    }
    return IdempotencyKeys.Use(
      digest: UInt64(bitPattern: try fields.integer("digest")), at: try fields.timestamp("at"), answer: answer)
  }
}
