import Classroom
import JSON

/// Chat messages as fields of a record.
enum ChatCodec {
  /// The fields of an event in which somebody says something.
  static func encode(name: String, role: Role, text: String, replyTo: UInt64?, into writer: inout JSONWriter) {
    writer.field("name", name)
    writer.field("role", role.rawValue)
    writer.field("text", text)
    if let replyTo { writer.field("reply_to", replyTo) }
  }

  /// The fields of a message as it is now.
  static func encode(_ message: ChatMessage, into writer: inout JSONWriter) {
    writer.field("seq", message.streamSequence)
    writer.field("event", message.sequence)
    writer.field("at", message.at.milliseconds)
    writer.field("user", message.user)
    encode(name: message.name, role: message.role, text: message.text, replyTo: message.replyTo, into: &writer)
    if message.isErased { writer.field("erased", true) }
    if let time = message.editedAt { writer.field("edited_at", time.milliseconds) }
    if message.isDeleted { writer.field("deleted", true) }
    if let number = message.ownSequence { writer.field("own_seq", number) }
    guard !message.reactions.isEmpty else { return }
    writer.array("reactions") { writer in
      for reaction in message.reactions {
        writer.object { writer in
          writer.field("emoji", reaction.emoji)
          writer.array("users") { writer in
            for user in reaction.users.sorted() { writer.string(user) }
          }
        }
      }
    }
  }

  /// Reads a message.
  static func message(_ fields: RecordFields) throws(UnreadableRecord) -> ChatMessage {
    var message = ChatMessage(
      streamSequence: try fields.sequence("seq"), sequence: try fields.sequence("event"),
      at: try fields.timestamp("at"), user: try fields.string("user"), name: try fields.string("name"),
      role: try fields.choice("role"), text: try fields.string("text"),
      isErased: try fields.givenBoolean("erased") ?? false, replyTo: try fields.optionalSequence("reply_to"))
    message.editedAt = try fields.givenTimestamp("edited_at")
    message.isDeleted = try fields.givenBoolean("deleted") ?? false
    message.ownSequence = try fields.optionalSequence("own_seq")
    if fields.has("reactions") {
      message.reactions = try fields.elements("reactions") { reaction throws(UnreadableRecord) in
        ChatMessage.Reaction(emoji: try reaction.string("emoji"), users: .init(try reaction.strings("users")))
      }
    }
    return message
  }
}
