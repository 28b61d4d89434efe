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
    // Of a session that was deleted only that is kept, until the journal no longer names it.
    if classroom.isDeleted { return }
    // One is told by when the session began and ended.
    if classroom.attendance.spans.count > 1 {
      entry(.snapshotSpans) { encode(classroom.attendance.spans, into: &$0) }
    }
    for waits in classroom.attendance.waits.values {
      entry(.snapshotWaits) { writer in
        writer.field("user", waits.user)
        writer.array("segments") { encode(waits.segments, into: &$0) }
      }
    }
    for row in classroom.attendance.rows.values {
      entry(.snapshotAttendance) { encode(row, into: &$0) }
    }
    for message in classroom.chat.messages {
      entry(.snapshotChat) { ChatCodec.encode(message, into: &$0) }
    }
    LifeCodec.encodeEntries(of: classroom, entry: entry)
    NoticeCodec.encode(classroom.notices, entry: entry)
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
          for event in events { writer.object { StreamCodec.encode(event, into: &$0) } }
        }
      }
      last = end.sequence
    }
    ConductCodec.encode(classroom, entry: entry)
  }

  private static func encode(_ core: Classroom.Core, into writer: inout JSONWriter) {
    writer.field("epoch", core.epoch)
    encode(core.statusChange, into: &writer)
    if let user = core.startedBy { writer.field("started_by", user) }
    writer.field("stream_seq", core.streamSequence)
    if core.isHidden { writer.field("hidden", true) }
    if core.isDeleted { writer.field("deleted", true) }
    if let reminders = core.reminders {
      writer.field("reminders_since", reminders.since.milliseconds)
      if !reminders.sent.isEmpty {
        writer.array("reminded") { writer in
          for minutes in reminders.sent { writer.integer(minutes) }
        }
      }
    }
    DetailsCodec.encode(core.details, into: &writer)
  }

  static func encode(_ change: StatusChange, into writer: inout JSONWriter) {
    writer.field("status", change.status.rawValue)
    writer.field("rev", change.revision)
    if let time = change.startedAt { writer.field("started_at", time.milliseconds) }
    if let time = change.endedAt { writer.field("ended_at", time.milliseconds) }
    if let reason = change.reason { writer.field("reason", reason) }
    if let schedule = change.schedule { writer.object("schedule") { LifeCodec.encode(schedule, into: &$0) } }
  }

  private static func encode(_ row: Attendance.Row, into writer: inout JSONWriter) {
    writer.field("user", row.user)
    writer.field("name", row.name)
    writer.field("role", row.role.rawValue)
    if let absence = row.absence {
      writer.field("absent_since", absence.since.milliseconds)
      writer.field("absent_estimated", absence.isEstimated)
      if absence.isBetweenHeartbeats { writer.field("heartbeats", true) }
    }
    if row.firstRole != row.role { writer.field("first_role", row.firstRole.rawValue) }
    writer.array("segments") { encode(row.segments, into: &$0) }
    if let email = row.email { writer.field("email", email) }
  }

  private static func encode(_ segments: [Attendance.Segment], into writer: inout JSONWriter) {
    for segment in segments {
      writer.beginObject()
      writer.field("from", segment.from.milliseconds)
      if let to = segment.to { writer.field("to", to.milliseconds) }
      writer.field("estimated", segment.isEstimated)
      if segment.isCheckedIn { writer.field("checked_in", true) }
      writer.endObject()
    }
  }

  private static func encode(_ spans: [Attendance.Span], into writer: inout JSONWriter) {
    writer.array("spans") { writer in
      for span in spans {
        writer.beginObject()
        writer.field("from", span.from.milliseconds)
        if let to = span.to { writer.field("to", to.milliseconds) }
        writer.endObject()
      }
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

    case .registration(let state):
      writer.field("answer", "registration")
      writer.field("state", state.rawValue)
    case .count(let count):
      writer.field("answer", "count")
      writer.field("count", count)
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
      classroom?.restore(try ChatCodec.message(fields))
    case .snapshotKey:
      classroom?.restore(try use(fields), key: try fields.string("key"), user: try fields.string("user"))
    case .snapshotTail:
      for event in try fields.elements("events", StreamCodec.event) where classroom?.restore(event) == false {
        throw fields.unreadable("events")
      }
    case .snapshotForgottenKeys:
      for forgotten in try fields.elements("users", ForgottenKeys.OfUser.init) {
        for hash in forgotten.hashes { classroom?.restore(forgottenKey: hash, of: forgotten.user) }
      }
    case .snapshotWaits:
      classroom?.restore(
        Attendance.Waits(user: try fields.string("user"), segments: try fields.elements("segments", segment)))
    case .snapshotSpans:
      classroom?.restore(
        try fields.elements("spans") { span throws(UnreadableRecord) in
          Attendance.Span(from: try span.timestamp("from"), to: span.optionalTimestamp("to"))
        })

    case .snapshotRoster, .snapshotWaiting, .snapshotVerdicts:
      try LifeCodec.restore(fields, recordKind, into: &classroom)

    case .snapshotNotices:
      guard fields.has("notices") || fields.has("notices_read") else { throw fields.unreadable("notices") }
      var notices = Notices()
      try NoticeCodec.read(fields, into: &notices)
      classroom?.restore(notices)

    case .snapshotConduct, .snapshotStage, .snapshotPerson, .snapshotHands, .snapshotPrivateChat, .snapshotStream:
      try ConductCodec.decode(fields, recordKind, into: &classroom)
    // Events, and the core, which comes first.
    default: throw fields.unreadable("kind")
    }
  }

  private static func core(_ fields: RecordFields) throws(UnreadableRecord) -> Classroom.Core {
    var core = Classroom.Core(
      details: try DetailsCodec.decode(fields), epoch: try fields.string("epoch"),
      statusChange: try statusChange(fields), startedBy: fields.optionalString("started_by"),
      sequence: fields.sequence, streamSequence: try fields.sequence("stream_seq"))
    core.isHidden = fields.optionalBoolean("hidden") ?? false
    core.isDeleted = fields.optionalBoolean("deleted") ?? false
    if let since = fields.optionalTimestamp("reminders_since") {
      core.reminders = ReminderState(
        since: since, sent: fields.has("reminded") ? try fields.integers("reminded") : [])
    }
    return core
  }

  static func statusChange(_ fields: RecordFields) throws(UnreadableRecord) -> StatusChange {
    StatusChange(
      status: try fields.choice("status"), revision: Int(try fields.integer("rev")),
      startedAt: fields.optionalTimestamp("started_at"), endedAt: fields.optionalTimestamp("ended_at"),
      reason: try fields.givenString("reason"), schedule: try fields.objectOrNone("schedule", LifeCodec.schedule))
  }

  private static func row(_ fields: RecordFields) throws(UnreadableRecord) -> Attendance.Row {
    var absence: Attendance.Absence?
    if let since = fields.optionalTimestamp("absent_since") {
      absence = Attendance.Absence(
        since: since, isEstimated: try fields.boolean("absent_estimated"),
        isBetweenHeartbeats: fields.optionalBoolean("heartbeats") ?? false)
    }
    let role: Role = try fields.choice("role")
    return Attendance.Row(
      user: try fields.string("user"), name: try fields.string("name"), role: role,
      segments: try fields.elements("segments", segment), absence: absence,
      firstRole: fields.optionalString("first_role").flatMap(Role.init(rawValue:)) ?? role,
      email: fields.optionalString("email"))
  }

  private static func segment(_ fields: RecordFields) throws(UnreadableRecord) -> Attendance.Segment {
    Attendance.Segment(
      from: try fields.timestamp("from"), to: fields.optionalTimestamp("to"),
      isEstimated: try fields.boolean("estimated"), isCheckedIn: fields.optionalBoolean("checked_in") ?? false)
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
    case "registration": answer = .registration(try fields.choice("state"))
    case "count": answer = .count(Int(try fields.integer("count")))
    default: throw fields.unreadable("answer")
    }
    return IdempotencyKeys.Use(
      digest: UInt64(bitPattern: try fields.integer("digest")), at: try fields.timestamp("at"), answer: answer)
  }
}
