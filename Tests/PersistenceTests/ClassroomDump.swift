import Classroom
import JSON

/// Sessions as JSON that does not follow the journal's or the snapshot's form: what a folder is expected to hold.
enum ClassroomDump {
  /// One line for each session, by id.
  /// - Parameter withVersion2: with what format 2 keeps and format 1 did not.
  static func json(_ classrooms: [Classroom], withVersion2: Bool) -> String {
    var text = "["
    for (index, classroom) in classrooms.sorted(by: { $0.id < $1.id }).enumerated() {
      var writer = JSONWriter()
      writer.object { write(classroom, withVersion2, into: &$0) }
      text += (index == 0 ? "\n" : ",\n") + String(decoding: writer.bytes, as: UTF8.self)
    }
    return text + "\n]\n"
  }

  private static func write(_ classroom: Classroom, _ withVersion2: Bool, into writer: inout JSONWriter) {
    let details = classroom.details
    writer.object("details") { writer in
      writer.field("id", details.id)
      writer.field("title", details.title)
      writer.field("description", details.description)
      writer.field("instructor", details.instructor)
      writer.field("kind", details.kind.rawValue)
      writer.field("host", details.host)
      writer.field("scheduled_at", details.scheduledAt.milliseconds)
      writer.field("time_zone", details.timeZone)
      writer.field("duration_minutes", details.durationMinutes)
      writer.field("capacity", details.capacity)
      writer.field("admission", details.admission.rawValue)
      writer.field("visibility", details.visibility.rawValue)
      writer.field("guests", details.allowsGuests)
      writer.field("room_name", details.roomName)
      writer.field("created_at", details.createdAt.milliseconds)
    }
    writer.field("epoch", classroom.epoch)
    write(classroom.statusChange, into: &writer)
    writer.field("started_by", classroom.startedBy)
    writer.field("events", classroom.sequence)
    writer.field("last_seq", classroom.streamSequence)
    writer.field("active", classroom.attendance.activeCount)
    writer.array("attendance") { writer in
      for row in classroom.attendance.rows.values { writer.object { write(row, into: &$0) } }
    }
    writer.array("chat") { writer in
      for message in classroom.chat.messages { writer.object { write(message, into: &$0) } }
    }
    writer.array("keys") { writer in
      for keys in classroom.keys.users.values {
        for (key, use) in keys.uses { writer.object { write(use, key: key, user: keys.user, into: &$0) } }
      }
    }
    guard withVersion2 else { return }
    writer.array("newest") { writer in
      for event in classroom.stream.events { writer.object { write(event, into: &$0) } }
    }
    writer.array("forgotten_keys") { writer in
      for keys in classroom.keys.users.values where !keys.forgotten.isEmpty {
        writer.object { writer in
          writer.field("user", keys.user)
          writer.array("hashes") { for hash in keys.forgotten.ascending { $0.integer(hash) } }
        }
      }
    }
  }

  private static func write(_ change: StatusChange, into writer: inout JSONWriter) {
    writer.field("status", change.status.rawValue)
    writer.field("rev", change.revision)
    writer.field("started_at", change.startedAt?.milliseconds)
    writer.field("ended_at", change.endedAt?.milliseconds)
  }

  private static func write(_ row: Attendance.Row, into writer: inout JSONWriter) {
    writer.field("user", row.user)
    writer.field("name", row.name)
    writer.field("role", row.role.rawValue)
    writer.array("segments") { writer in
      for segment in row.segments {
        writer.object { writer in
          writer.field("from", segment.from.milliseconds)
          writer.field("to", segment.to?.milliseconds)
          writer.field("estimated", segment.isEstimated)
        }
      }
    }
    guard let absence = row.absence else { return }
    writer.object("absence") { writer in
      writer.field("since", absence.since.milliseconds)
      writer.field("estimated", absence.isEstimated)
    }
  }

  private static func write(_ message: ChatMessage, into writer: inout JSONWriter) {
    writer.field("seq", message.streamSequence)
    writer.field("event", message.sequence)
    writer.field("at", message.at.milliseconds)
    writer.field("user", message.user)
    writer.field("name", message.name)
    writer.field("role", message.role.rawValue)
    writer.field("text", message.text)
    if message.isErased { writer.field("erased", true) }
  }

  private static func write(
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
      writer.object("state") { write(change, into: &$0) }
    }
  }

  private static func write(_ event: StreamEvent, into writer: inout JSONWriter) {
    writer.field("seq", event.sequence)
    writer.field("at", event.at.milliseconds)
    writer.field("by", event.by)
    switch event.content {
    case .status(let change): writer.object("status") { write(change, into: &$0) }
    case .chat(let message): writer.object("chat") { write(message, into: &$0) }
    }
  }
}
