import JSON
import SignalingProtocol

/// The commands that an attendee sends.
enum ClientMessages {
  /// The ids of commands; a chat message has `firstChat` plus its number.
  enum ID {
    static let hello: Int64 = 1
    static let join: Int64 = 2
    static let start: Int64 = 3
    static let end: Int64 = 4
    static let page: Int64 = 5
    static let firstChat: Int64 = 1000
  }

  static func hello(token: String) -> [UInt8] {
    message("hello", id: ID.hello) { $0.field("token", token) }
  }

  static func hello(guest name: String) -> [UInt8] {
    message("hello", id: ID.hello) { $0.field("guest", name) }
  }

  static func join(_ session: String, presence: PresenceMode) -> [UInt8] {
    message("session.join", id: ID.join) { writer in
      writer.field("session", session)
      writer.field("presence", presence.rawValue)
    }
  }

  static func start() -> [UInt8] { message("session.start", id: ID.start) { _ in } }

  static func end() -> [UInt8] { message("session.end", id: ID.end) { _ in } }

  static func page(after cursor: UInt64) -> [UInt8] {
    message("presence.page", id: ID.page) { $0.field("after", cursor) }
  }

  /// A chat message; with a key, as a client does that may have to send again.
  static func chat(_ number: Int, text: String) -> [UInt8] {
    message("chat.send", id: ID.firstChat + Int64(number)) { writer in
      writer.field("text", text)
      writer.field("key", "load-\(number)")
    }
  }

  /// A signal, or the same one on its way back.
  static func signal(_ number: Int, to peer: String, isBack: Bool) -> [UInt8] {
    message("signal", id: nil) { writer in
      writer.field("to", peer)
      writer.field("kind", SignalKind.candidate.rawValue)
      writer.field("negotiation", "load")
      writer.key("payload")
      writer.object { writer in
        writer.field("number", number)
        writer.field("back", isBack)
        writer.field("candidate", "candidate:1 1 udp 2113937151 192.0.2.17 51234 typ host generation 0 ufrag load")
        writer.field("sdpMid", "0")
      }
    }
  }

  private static func message(_ type: StaticString, id: Int64?, _ body: (inout JSONWriter) -> Void) -> [UInt8] {
    var writer = JSONWriter(reserving: 256)
    writer.object { writer in
      writer.field("type", type)
      if let id { writer.field("id", id) }
      body(&writer)
    }
    return writer.bytes
  }
}
