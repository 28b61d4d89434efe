import Classroom
import JSON

/// How people behave in a session, as fields of records and entries of a snapshot.
enum ConductCodec {
  /// The hands or numbered events that share an entry, and the bytes of text after which it ends earlier.
  private static let chunk = 64
  private static let chunkTextBytes = 65_536

  // MARK: The policy

  /// What is as in a new room is left out.
  static func encode(_ policy: RoomPolicy, into writer: inout JSONWriter) {
    if policy.isMuted { writer.field("muted", true) }
    if policy.isUnmuteAllowed { writer.field("unmute_allowed", true) }
    if policy.isLocked { writer.field("locked", true) }
    if policy.chat != .open { writer.field("chat", policy.chat.rawValue) }
    if policy.slowModeSeconds > 0 { writer.field("slow_mode_seconds", policy.slowModeSeconds) }
    if let hasWaitingRoom = policy.hasWaitingRoom { writer.field("waiting_room", hasWaitingRoom) }
  }

  static func policy(_ fields: RecordFields) throws(UnreadableRecord) -> RoomPolicy {
    var policy = RoomPolicy()
    policy.isMuted = try fields.givenBoolean("muted") ?? false
    policy.isUnmuteAllowed = try fields.givenBoolean("unmute_allowed") ?? false
    policy.isLocked = try fields.givenBoolean("locked") ?? false
    if fields.has("chat") { policy.chat = try fields.choice("chat") }
    if fields.has("slow_mode_seconds") { policy.slowModeSeconds = Int(try fields.integer("slow_mode_seconds")) }
    policy.hasWaitingRoom = try fields.givenBoolean("waiting_room")
    return policy
  }

  // MARK: The stage

  static func encode(_ stage: Stage, into writer: inout JSONWriter) {
    if stage.mode != .open { writer.field("mode", stage.mode.rawValue) }
    if let places = stage.places { writer.field("places", places) }
    writer.array("invited") { writer in
      for user in stage.invited { writer.string(user) }
    }
  }

  static func stage(_ fields: RecordFields) throws(UnreadableRecord) -> Stage {
    Stage(
      mode: fields.has("mode") ? try fields.choice("mode") : .open,
      places: fields.optionalInteger("places").map { Int($0) },
      invited: try fields.strings("invited"))
  }

  // MARK: Snapshot

  static func encode(_ classroom: Classroom, entry: (RecordKind, (inout JSONWriter) -> Void) -> Void) {
    guard let core = classroom.conductCore else { return }
    let conduct = classroom.conduct
    entry(.snapshotConduct) { writer in
      encode(core.policy, into: &writer)
      if core.mutedAllAt > 0 { writer.field("muted_all_at", core.mutedAllAt) }
      if let user = core.spotlight { writer.field("spotlight", user) }
      writer.field("hosts_seq", core.hostsSequence)
      writer.array("pins") { writer in
        for pin in core.pins { writer.integer(pin) }
      }
    }
    if conduct.stage != Stage() { entry(.snapshotStage) { encode(conduct.stage, into: &$0) } }
    for person in conduct.people.values { entry(.snapshotPerson) { encode(person, into: &$0) } }
    let hands = conduct.hands.users
    for start in stride(from: 0, to: hands.count, by: chunk) {
      entry(.snapshotHands) { writer in
        writer.array("hands") { writer in
          for user in hands[start..<min(start + chunk, hands.count)] {
            writer.object { writer in
              writer.field("user", user)
              writer.field("place", conduct.hands[user] ?? 0)
            }
          }
        }
      }
    }
    for message in conduct.privateChat.messages {
      entry(.snapshotPrivateChat) { ChatCodec.encode(message, into: &$0) }
    }
    encode(conduct.hosts, of: nil, entry: entry)
    for person in conduct.people.values { encode(person.stream, of: person.user, entry: entry) }
  }

  private static func encode(_ person: Conduct.Person, into writer: inout JSONWriter) {
    writer.field("user", person.user)
    if let role = person.role { writer.field("role", role.rawValue) }
    if person.hostsFrom > 0 { writer.field("hosts_from", person.hostsFrom) }
    if person.isMuted { writer.field("muted", true) }
    if person.askedAt > 0 { writer.field("asked_at", person.askedAt) }
    if let ban = person.ban {
      writer.field("banned_at", ban.at.milliseconds)
      writer.field("name", ban.name)
    }
    if let time = person.lastSaid { writer.field("last_said", time.milliseconds) }
    if person.stream.last > 0 { writer.field("stream_seq", person.stream.last) }
  }

  private static func encode(
    _ stream: StreamTail, of user: String?, entry: (RecordKind, (inout JSONWriter) -> Void) -> Void
  ) {
    var last = stream.events.first.map { $0.sequence - 1 } ?? stream.last
    while case let events = stream.events(after: last, limit: chunk, textBytes: chunkTextBytes), let end = events.last {
      entry(.snapshotStream) { writer in
        if let user { writer.field("user", user) }
        writer.array("events") { writer in
          for event in events { writer.object { StreamCodec.encode(event, into: &$0) } }
        }
      }
      last = end.sequence
    }
  }

  static func decode(
    _ fields: RecordFields, _ kind: RecordKind, into classroom: inout Classroom?
  ) throws(UnreadableRecord) {
    switch kind {
    case .snapshotConduct:
      classroom?.restore(
        Conduct.Core(
          policy: try policy(fields), mutedAllAt: try fields.optionalSequence("muted_all_at") ?? 0,
          spotlight: try fields.givenString("spotlight"), hostsSequence: try fields.sequence("hosts_seq"),
          pins: try fields.sequences("pins")))
    case .snapshotStage:
      classroom?.restore(try stage(fields))
    case .snapshotPerson:
      classroom?.restore(try person(fields))
    case .snapshotHands:
      let hands = try fields.elements("hands") { hand throws(UnreadableRecord) in
        (user: try hand.string("user"), place: try hand.sequence("place"))
      }
      for hand in hands { classroom?.restore(handOf: hand.user, place: hand.place) }
    case .snapshotPrivateChat:
      classroom?.restore(privateMessage: try ChatCodec.message(fields))
    case .snapshotStream:
      let name = try fields.givenString("user").map(StreamName.user) ?? .hosts
      for event in try fields.elements("events", StreamCodec.event) where classroom?.restore(event, in: name) == false {
        throw fields.unreadable("events")
      }
    default: throw fields.unreadable("kind")
    }
  }

  private static func person(_ fields: RecordFields) throws(UnreadableRecord) -> Conduct.Person {
    var person = Conduct.Person(
      user: try fields.string("user"), streamSequence: try fields.optionalSequence("stream_seq") ?? 0)
    if fields.has("role") { person.role = try fields.choice("role") }
    person.hostsFrom = try fields.optionalSequence("hosts_from") ?? 0
    person.isMuted = try fields.givenBoolean("muted") ?? false
    person.askedAt = try fields.optionalSequence("asked_at") ?? 0
    if let at = try fields.givenTimestamp("banned_at") {
      person.ban = Conduct.Ban(name: try fields.string("name"), at: at)
    }
    person.lastSaid = try fields.givenTimestamp("last_said")
    return person
  }
}
