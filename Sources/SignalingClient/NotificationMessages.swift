import Classroom
import JSON
import SignalingProtocol

/// Something that a client was told of a session, its own or another.
public struct NotificationEvent: Sendable, Equatable {
  public var id: String
  public var kind: Notice.Kind
  public var session: String
  public var text: String

  init(_ fields: MessageFields) throws(ProtocolViolation) {
    _ = try fields.time("at")
    id = try fields.string("id")
    kind = try fields.choice("kind", Notice.Kind.self)
    session = try fields.string("session")
    text = try fields.string("text")
    guard SessionID.isValid(session), id.hasPrefix(session + ".") else { throw fields.wrong("id") }
    guard try fields.boolean("read") == false else { throw fields.wrong("read") }
  }
}
