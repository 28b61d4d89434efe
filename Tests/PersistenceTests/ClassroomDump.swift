import Classroom
import JSON

/// Sessions as JSON that does not follow the journal's or the snapshot's form: what a folder is expected to hold.
enum ClassroomDump {
  /// One line for each session, by id.
  /// - Parameter format: with what this format keeps, and not what only later ones do.
  static func json(_ classrooms: [Classroom], format: Int) -> String {
    var text = "["
    for (index, classroom) in classrooms.sorted(by: { $0.id < $1.id }).enumerated() {
      var writer = JSONWriter()
      writer.object { write(classroom, format, into: &$0) }
      text += (index == 0 ? "\n" : ",\n") + String(decoding: writer.bytes, as: UTF8.self)
    }
    return text + "\n]\n"
  }

  private static func write(_ classroom: Classroom, _ format: Int, into writer: inout JSONWriter) {
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
    guard format >= 2 else { return }
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
    guard format >= 3 else { return }
    writeLife(of: classroom, into: &writer)
    writeConduct(of: classroom, into: &writer)
  }

  private static func write(_ texts: [String], as name: StaticString, into writer: inout JSONWriter) {
    writer.array(name) { writer in for text in texts { writer.string(text) } }
  }

  private static func writeLife(of classroom: Classroom, into writer: inout JSONWriter) {
    writer.field("hidden", classroom.isHidden)
    writer.field("deleted", classroom.isDeleted)
    writer.field("reason", classroom.reason)
    writer.field("proposer", classroom.details.proposer)
    writer.field("waiting_room", classroom.hasWaitingRoom)
    let tags = classroom.details.tags
    write(tags + classroom.details.materials.map { "\($0.title) \($0.url)" }, as: "tags", into: &writer)
    write(
      classroom.roster.entries.values.map { "\($0.user) \($0.name) \($0.email ?? "-") \($0.state.rawValue)" },
      as: "roster", into: &writer)
    write(classroom.lobby.waiting.map { "\($0.user) \($0.isApproved)" }, as: "waiting", into: &writer)
    write(classroom.lobby.admittedUsers, as: "admitted", into: &writer)
    write(classroom.lobby.deniedUsers, as: "denied", into: &writer)
    write(
      classroom.notices.list.map { "\($0.number) \($0.kind.rawValue) \($0.by ?? "-")" }, as: "notices", into: &writer)
    write(classroom.notices.allReads.map { "\($0.user) \($0.numbers)" }, as: "read", into: &writer)
    write(
      classroom.attendance.spans.map { "\($0.from.milliseconds) \($0.to?.milliseconds ?? 0)" }, as: "spans",
      into: &writer)
    write(
      classroom.attendance.waits.values.map { "\($0.user) \($0.segments.count)" }, as: "waits", into: &writer)
    write(
      classroom.attendance.rows.values.map {
        "\($0.user) \($0.email ?? "-") \($0.isCheckedIn) \($0.absence?.isBetweenHeartbeats ?? false)"
      }, as: "presence", into: &writer)
  }

  private static func writeConduct(of classroom: Classroom, into writer: inout JSONWriter) {
    let conduct = classroom.conduct
    let policy = conduct.policy
    write(
      [
        "muted \(policy.isMuted)", "unmute \(policy.isUnmuteAllowed)", "locked \(policy.isLocked)",
        "chat \(policy.chat.rawValue)", "slow \(policy.slowModeSeconds)",
      ], as: "policy", into: &writer)
    writer.field("spotlight", conduct.spotlight)
    write(conduct.hands.users, as: "hands", into: &writer)
    write(
      conduct.people.values.map { person in
        "\(person.user) \(person.role?.rawValue ?? "-") \(person.isMuted) \(person.askedAt) \(person.ban?.name ?? "-")"
          + " \(person.hostsFrom) \(person.lastSaid?.milliseconds ?? 0) \(person.stream.last)"
      }, as: "people", into: &writer)
    write(conduct.privateChat.messages.map(\.text), as: "private", into: &writer)
    write(conduct.hosts.events.map { "\($0.sequence) \($0.by ?? "-")" }, as: "hosts", into: &writer)
    write(
      classroom.chat.messages.suffix(5).map { message in
        "\(message.replyTo ?? 0) \(message.editedAt?.milliseconds ?? 0) \(message.isDeleted) \(message.reactions.count)"
      }, as: "messages", into: &writer)
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
    // Not in the folder of format 2 that this is held against.
    case .registration(let state):
      writer.field("answer", "registration")
      writer.field("state", state.rawValue)
    case .count(let count):
      writer.field("answer", "count")
      writer.field("count", count)
    }
  }

  private static func write(_ event: StreamEvent, into writer: inout JSONWriter) {
    writer.field("seq", event.sequence)
    writer.field("at", event.at.milliseconds)
    writer.field("by", event.by)
    switch event.content {
    case .status(let change): writer.object("status") { write(change, into: &$0) }
    case .chat(let message): writer.object("chat") { write(message, into: &$0) }
    case .updated(let view): writer.field("title", view.details.title)
    case .starting(let text): writer.field("starting", text)
    // Formats 1 and 2 have no others.
    default: writer.field("other", "\(event.content)")
    }
  }
}
