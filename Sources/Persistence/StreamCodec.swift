import Classroom
import JSON

/// The numbered events of a stream as elements of a snapshot's entry.
enum StreamCodec {
  static func encode(_ event: StreamEvent, into writer: inout JSONWriter) {
    if let by = event.by { writer.field("by", by) }
    func begin(_ type: StaticString, numbered: Bool = true) {
      writer.field("type", type)
      guard numbered else { return }
      writer.field("seq", event.sequence)
      writer.field("at", event.at.milliseconds)
    }
    switch event.content {
    case .status(let change):
      begin("status")
      SnapshotCodec.encode(change, into: &writer)
    case .chat(let message):
      // Its own fields say when; the number is that of the stream it is in.
      begin("chat", numbered: message.isPrivate)
      if message.isPrivate {
        writer.object("message") { ChatCodec.encode(message, into: &$0) }
      } else {
        ChatCodec.encode(message, into: &writer)
      }

    case .updated(let view):
      begin("updated")
      writer.object("session") { ArchiveCodec.write(view, into: &$0) }
    case .starting(let text):
      begin("starting")
      if let text { writer.field("text", text) }

    case .policy(let policy):
      begin("policy")
      ConductCodec.encode(policy, into: &writer)
    case .spotlight(let user):
      begin("spotlight")
      if let user { writer.field("user", user) }
    case .edited(let message, let text):
      begin("edited")
      writer.field("message", message)
      writer.field("text", text)
    case .deleted(let message):
      begin("deleted")
      writer.field("message", message)
    case .reaction(let message, let emoji, let count, let user, let isOn):
      begin("reaction")
      writer.field("message", message)
      writer.field("emoji", emoji)
      writer.field("count", count)
      writer.field("user", user)
      writer.field("on", isOn)
    case .pinned(let message, let isOn):
      begin("pinned")
      writer.field("message", message)
      writer.field("on", isOn)
    case .muted(let isMuted):
      begin("muted")
      writer.field("on", isMuted)
    case .askedToUnmute: begin("asked_to_unmute")
    case .handLowered: begin("hand_lowered")
    case .handsLowered: begin("hands_lowered")
    case .role(let user, let role, let hosts):
      begin("role")
      writer.field("user", user)
      writer.field("role", role.rawValue)
      if let hosts { writer.field("hosts", hosts) }
    case .removed(let user, let name):
      begin("removed")
      writer.field("user", user)
      writer.field("name", name)
    case .banned(let user, let name, let isBanned):
      begin("banned")
      writer.field("user", user)
      writer.field("name", name)
      writer.field("on", isBanned)

    case .stage(let stage):
      begin("stage")
      ConductCodec.encode(stage, into: &writer)
    case .takenOffStage: begin("taken_off_stage")
    }
  }

  static func event(_ fields: RecordFields) throws(UnreadableRecord) -> StreamEvent {
    StreamEvent(
      sequence: try fields.sequence("seq"), at: try fields.timestamp("at"), by: fields.optionalString("by"),
      content: try content(fields))
  }

  private static func content(_ fields: RecordFields) throws(UnreadableRecord) -> StreamEvent.Content {
    switch try fields.string("type") {
    case "status": .status(try SnapshotCodec.statusChange(fields))
    case "chat": .chat(try ChatCodec.message(fields.has("message") ? try fields.object("message") : fields))

    case "updated": .updated(try session(fields))
    case "starting": .starting(text: try fields.givenString("text"))

    case "policy": .policy(try ConductCodec.policy(fields))
    case "spotlight": .spotlight(try fields.givenString("user"))
    case "edited": .edited(message: try fields.sequence("message"), text: try fields.string("text"))
    case "deleted": .deleted(message: try fields.sequence("message"))
    case "reaction":
      .reaction(
        message: try fields.sequence("message"), emoji: try fields.string("emoji"),
        count: Int(try fields.integer("count")), user: try fields.string("user"), isOn: try fields.boolean("on"))
    case "pinned": .pinned(message: try fields.sequence("message"), isOn: try fields.boolean("on"))
    case "muted": .muted(try fields.boolean("on"))
    case "asked_to_unmute": .askedToUnmute
    case "hand_lowered": .handLowered
    case "hands_lowered": .handsLowered
    case "role":
      .role(
        user: try fields.string("user"), try fields.choice("role"), hosts: try fields.optionalSequence("hosts"))
    case "removed": .removed(user: try fields.string("user"), name: try fields.string("name"))
    case "banned":
      .banned(user: try fields.string("user"), name: try fields.string("name"), isBanned: try fields.boolean("on"))

    case "stage": .stage(try ConductCodec.stage(fields))
    case "taken_off_stage": .takenOffStage
    default: throw fields.unreadable("type")
    }
  }

  private static func session(_ fields: RecordFields) throws(UnreadableRecord) -> SessionView {
    guard let view = try fields.objectOrNone("session", ArchiveCodec.read) else { throw fields.unreadable("session") }
    return view
  }
}
