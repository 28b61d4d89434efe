import Classroom
import JSON

#if PLANTED_BUGS
  import PlantedBugs
#endif

/// The events of a session's life and of its admission as fields of a record.
enum LifeCodec {
  /// - Returns: nil for an event of another kind.
  static func encode(_ event: Event, by: String?, into writer: inout JSONWriter) -> RecordKind? {
    switch event {
    case .transitioned(let move):
      writer.field("transition", move.transition.rawValue)
      writer.field("from", move.from.rawValue)
      writer.field("status", move.to.rawValue)
      if let reason = move.reason { writer.field("reason", reason) }
      if let schedule = move.schedule { writer.object("schedule") { encode(schedule, into: &$0) } }
      return .transitioned
    case .updated(let details):
      DetailsCodec.encode(details, into: &writer)
      return .updated
    case .announced(let text):
      if let text { writer.field("text", text) }
      return .announced
    case .reminded(let minutes, let isLate):
      writer.field("minutes", minutes)
      writer.field("late", isLate)
      return .reminded
    case .deleted: return .deleted
    case .hidden: return .hidden
    case .rosterChanged(let entries):
      writer.array("people") { writer in
        for entry in entries { writer.object { encode(entry, into: &$0) } }
      }
      return .rosterChanged
    case .knocked(let waiter):
      if waiter.user != by { writer.field("user", waiter.user) }
      encodeRest(waiter, into: &writer)
      return .knocked
    case .waitingEnded(let user, let at):
      if user != by { writer.field("user", user) }
      writer.field("left_at", at.milliseconds)
      return .waitingEnded
    case .admitted(let users):
      writer.strings("users", users)
      return .admitted
    case .denied(let user):
      writer.field("user", user)
      return .denied
    default: return nil
    }
  }

  /// - Returns: nil for a kind of something else.
  static func decode(_ fields: RecordFields, _ kind: RecordKind, by: String?) throws(UnreadableRecord) -> Event? {
    switch kind {
    case .transitioned:
      var move = Move(
        try fields.choice("transition"), from: try fields.choice("from"), to: try fields.choice("status"),
        reason: try fields.givenString("reason"))
      move.schedule = try fields.objectOrNone("schedule", schedule)
      return .transitioned(move)
    case .updated: return .updated(try DetailsCodec.decode(fields))
    case .announced: return .announced(text: try fields.givenString("text"))
    case .reminded:
      return .reminded(minutes: Int(try fields.integer("minutes")), isLate: try fields.boolean("late"))
    case .deleted: return .deleted
    case .hidden: return .hidden
    case .rosterChanged: return .rosterChanged(try fields.elements("people", entry))
    case .knocked: return .knocked(try waiter(fields, by: by))
    case .waitingEnded:
      return .waitingEnded(user: try fields.user(or: by), at: try fields.timestamp("left_at"))
    case .admitted: return .admitted(users: try fields.strings("users"))
    case .denied: return .denied(user: try fields.string("user"))
    default: return nil
    }
  }

  // MARK: Parts

  static func encode(_ schedule: Schedule, into writer: inout JSONWriter) {
    writer.field("scheduled_at", schedule.scheduledAt.milliseconds)
    writer.field("time_zone", schedule.timeZone)
    writer.field("duration_minutes", schedule.durationMinutes)
  }

  static func schedule(_ fields: RecordFields) throws(UnreadableRecord) -> Schedule {
    Schedule(
      scheduledAt: try fields.timestamp("scheduled_at"), timeZone: try fields.string("time_zone"),
      durationMinutes: Int(try fields.integer("duration_minutes")))
  }

  static func encode(_ entry: Roster.Entry, into writer: inout JSONWriter) {
    writer.field("user", entry.user)
    writer.field("name", entry.name)
    if let email = entry.email { writer.field("email", email) }
    writer.field("state", entry.state.rawValue)
    writer.field("at", entry.at.milliseconds)
  }

  static func entry(_ fields: RecordFields) throws(UnreadableRecord) -> Roster.Entry {
    Roster.Entry(
      user: try fields.string("user"), name: try fields.string("name"), email: try fields.givenString("email"),
      state: try fields.choice("state"), at: try fields.timestamp("at"))
  }

  static func encode(_ waiter: Lobby.Waiter, into writer: inout JSONWriter) {
    writer.field("user", waiter.user)
    encodeRest(waiter, into: &writer)
  }

  private static func encodeRest(_ waiter: Lobby.Waiter, into writer: inout JSONWriter) {
    writer.field("name", waiter.name)
    writer.field("role", waiter.role.rawValue)
    writer.field("since", waiter.since.milliseconds)
    writer.field("approved", waiter.isApproved)
  }

  static func waiter(_ fields: RecordFields) throws(UnreadableRecord) -> Lobby.Waiter { try waiter(fields, by: nil) }

  private static func waiter(_ fields: RecordFields, by: String?) throws(UnreadableRecord) -> Lobby.Waiter {
    Lobby.Waiter(
      user: try fields.user(or: by), name: try fields.string("name"), role: try fields.choice("role"),
      since: try fields.timestamp("since"), isApproved: try fields.boolean("approved"))
  }

  // MARK: Snapshot

  /// The people of the roster that share an entry.
  static let rosterEntries = 64
  /// The people who wait that share an entry.
  static let waiters = 64
  /// The users let in or turned away that share an entry.
  static let verdicts = 512

  /// Writes the entries of who is expected, who waits, and whom hosts let in or turned away.
  static func encodeEntries(
    of classroom: Classroom, entry: (RecordKind, (inout JSONWriter) -> Void) -> Void
  ) {
    for people in Array(classroom.roster.entries.values).chunks(of: rosterEntries) {
      entry(.snapshotRoster) { writer in
        writer.array("people") { writer in
          for person in people { writer.object { encode(person, into: &$0) } }
        }
      }
    }
    let lobby = classroom.lobby
    for people in lobby.waiting.chunks(of: waiters) {
      entry(.snapshotWaiting) { writer in
        writer.array("people") { writer in
          for person in people { writer.object { encode(person, into: &$0) } }
        }
      }
    }
    for (users, isAdmitted) in [(lobby.admittedUsers, true), (lobby.deniedUsers, false)] {
      #if PLANTED_BUGS
        if isAdmitted, PlantedBugs.isActive(.admissionMissingFromSnapshot) { continue }
      #endif
      for users in users.chunks(of: verdicts) {
        entry(.snapshotVerdicts) { writer in
          writer.field("admitted", isAdmitted)
          writer.strings("users", Array(users))
        }
      }
    }
  }

  /// Takes in such an entry.
  static func restore(
    _ fields: RecordFields, _ kind: RecordKind, into classroom: inout Classroom?
  ) throws(UnreadableRecord) {
    switch kind {
    case .snapshotRoster: for person in try fields.elements("people", entry) { classroom?.restore(person) }
    case .snapshotWaiting: for person in try fields.elements("people", waiter) { classroom?.restore(person) }
    case .snapshotVerdicts:
      let users = try fields.strings("users")
      let isAdmitted = try fields.boolean("admitted")
      classroom?.restore(admitted: isAdmitted ? users : [], denied: isAdmitted ? [] : users)
    default: throw fields.unreadable("kind")
    }
  }
}

extension JSONWriter {
  /// A member that is an array of strings.
  mutating func strings(_ name: StaticString, _ strings: [String]) {
    array(name) { writer in
      for text in strings { writer.string(text) }
    }
  }
}

extension Array {
  fileprivate func chunks(of size: Int) -> [ArraySlice<Element>] {
    stride(from: 0, to: count, by: size).map { self[$0..<Swift.min($0 + size, count)] }
  }
}
