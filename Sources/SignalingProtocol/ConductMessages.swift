import Classroom
import JSON

// What is said of people's conduct, of the room's policy, and of what becomes of messages.
extension ServerMessage {
  /// An event of a stream that is neither a change of the session's state nor a message to everybody.
  static func conductEvent(_ event: StreamEvent, in stream: StreamName, into writer: inout JSONWriter) {
    func begin(_ type: StaticString) {
      beginEvent(type, in: stream, sequence: event.sequence, at: event.at, into: &writer)
    }
    func writeAuthor() { writer.field("by", event.by) }
    switch event.content {
    case .status, .updated, .starting: preconditionFailure("what becomes of the session has messages of its own")
    case .chat(let message):
      begin("chat.message")
      writeFields(of: message, into: &writer)
      writer.field("to", "hosts")
    case .policy(let policy):
      begin("room.policy")
      writeFields(of: policy, into: &writer)
      writeAuthor()
    case .spotlight(let user):
      begin("room.spotlight")
      writer.field("user", user)
      writeAuthor()
    case .edited(let message, let text):
      begin("chat.edited")
      writer.field("message_id", messageID(message))
      writer.field("text", text)
      writeAuthor()
    case .deleted(let message):
      begin("chat.deleted")
      writer.field("message_id", messageID(message))
      writeAuthor()
    case .reaction(let message, let emoji, let count, let user, let isOn):
      begin("chat.reaction")
      writer.field("message_id", messageID(message))
      writer.field("emoji", emoji)
      writer.field("count", count)
      writer.field("user", user)
      writer.field("on", isOn)
    case .pinned(let message, let isOn):
      begin("chat.pinned")
      writer.field("message_id", messageID(message))
      writer.field("on", isOn)
      writeAuthor()
    case .muted(let isMuted):
      begin("participant.muted")
      writer.field("on", isMuted)
      writeAuthor()
    case .askedToUnmute:
      begin("participant.unmute_asked")
      writeAuthor()
    case .handLowered:
      begin("hand.lowered")
      writeAuthor()
    case .handsLowered:
      begin("hands.lowered")
      writeAuthor()
    case .role(let user, let role, let hosts):
      begin("participant.role")
      writer.field("user", user)
      writer.field("role", role.rawValue)
      if let hosts { writer.object("streams") { $0.field("hosts", hosts) } }
      writeAuthor()
    case .removed(let user, let name):
      begin("participant.removed")
      writer.field("user", user)
      writer.field("name", name)
      writeAuthor()
    case .banned(let user, let name, let isBanned):
      begin("participant.banned")
      writer.field("user", user)
      writer.field("name", name)
      writer.field("on", isBanned)
      writeAuthor()

    case .stage(let stage):
      begin("room.stage")
      writeFields(of: stage, into: &writer)
      writeAuthor()
    case .takenOffStage:
      begin("stage.removed")
      writeAuthor()
    }
    writer.endObject()
  }

  /// The room's policy as an object.
  public static func writePolicy(_ policy: RoomPolicy, into writer: inout JSONWriter) {
    writer.beginObject()
    writeFields(of: policy, into: &writer)
    writer.endObject()
  }

  private static func writeFields(of policy: RoomPolicy, into writer: inout JSONWriter) {
    writer.field("muted", policy.isMuted)
    writer.field("unmute_allowed", policy.isUnmuteAllowed)
    writer.field("locked", policy.isLocked)
    writer.field("chat", policy.chat.rawValue)
    writer.field("slow_mode_seconds", policy.slowModeSeconds)
    if let hasWaitingRoom = policy.hasWaitingRoom { writer.field("waiting_room", hasWaitingRoom) }
  }

  /// The stage as an object.
  public static func writeStage(_ stage: Stage, into writer: inout JSONWriter) {
    writer.beginObject()
    writeFields(of: stage, into: &writer)
    writer.endObject()
  }

  private static func writeFields(of stage: Stage, into writer: inout JSONWriter) {
    writer.field("mode", stage.mode.rawValue)
    writer.field("places", stage.places)
    writer.array("invited") { writer in
      for user in stage.invited { writer.string(user) }
    }
  }

  /// `hand` and `muted` of somebody whose hand is up, or who is muted: of most people there is nothing to say.
  public static func writeMarks(_ marks: Presence.Marks, into writer: inout JSONWriter) {
    if let hand = marks.hand { writer.field("hand", hand) }
    if marks.isMuted { writer.field("muted", true) }
  }

  /// The pinned messages, as a field of the chat.
  public static func writePins(of chat: ChatLog, for reader: String, into writer: inout JSONWriter) {
    writer.array("pinned") { writer in
      for pin in chat.pins {
        if let message = chat.message(pin) { writeMessage(message, for: reader, into: &writer) }
      }
    }
  }

  static func writeReactions(to message: ChatMessage, for reader: String?, into writer: inout JSONWriter) {
    guard !message.reactions.isEmpty else { return }
    writer.array("reactions") { writer in
      for reaction in message.reactions {
        writer.object { writer in
          writer.field("emoji", reaction.emoji)
          writer.field("count", reaction.users.count)
          if let reader, reaction.users.contains(reader) { writer.field("mine", true) }
        }
      }
    }
  }

  /// `messages` and `has_more` of a page of what was said to the hosts, with the numbers of the reader's stream.
  public static func writePrivateChat(
    _ messages: some Sequence<ChatMessage>, in stream: StreamName, hasMore: Bool, into writer: inout JSONWriter
  ) {
    writer.array("messages") { writer in
      for message in messages {
        writer.object { writer in
          writer.field("stream", stream.text)
          writer.field("seq", stream == .hosts ? message.streamSequence : message.ownSequence ?? 0)
          writer.field("at", message.at.milliseconds)
          writeFields(of: message, into: &writer)
          writer.field("to", "hosts")
        }
      }
    }
    writer.field("has_more", hasMore)
  }
}

extension ServerMessage {
  /// Some of those who are banned, the answer to `participant.bans`.
  /// - Parameter next: what the next page is to be asked for after; nil on the last.
  public static func bansPage(_ people: [Conduct.Person], next: Int?, id: Int64, into writer: inout JSONWriter) {
    begin("ok", id: id, into: &writer)
    writer.array("banned") { writer in
      for person in people {
        guard let ban = person.ban else { continue }
        writer.beginObject()
        writer.field("user", person.user)
        writer.field("name", ban.name)
        writer.field("since", RFC3339.format(ban.at))
        writer.endObject()
      }
    }
    writer.field("next", next)
    writer.endObject()
  }
}
