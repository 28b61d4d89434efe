import JSON
import Testing

@testable import SignalingProtocol

@Suite("Messages from a client")
struct ClientMessageTests {
  /// What a text was read as, in a form that outlives its bytes and can be compared.
  private struct Reading: Equatable {
    var id: Int64?
    var message: String
  }

  private func read(_ text: String) throws -> Reading {
    var reader = JSONReader()
    return try reader.read(Array(text.utf8), maximumDepth: ProtocolLimits.jsonDepth) { view in
      let envelope = ClientEnvelope(view)
      switch envelope.message {
      case .success(.signal(let to, let kind, let negotiation, let payload)):
        let payload = String(decoding: payload, as: UTF8.self)
        return Reading(id: envelope.id, message: "signal(\(to), \(kind), \(negotiation ?? "nil"), \(payload))")
      case .success(let message): return Reading(id: envelope.id, message: "\(message)")
      case .failure(let error): return Reading(id: envelope.id, message: "\(error.code.rawValue) \(error.field ?? "-")")
      }
    }
  }

  private func text(_ count: Int) -> String { String(repeating: "x", count: count) }

  @Test(
    "every command, with and without its optional fields",
    arguments: [
      (#"{"type":"hello","token":"t"}"#, #"hello(SignalingProtocol.ClientMessage.Hello.token("t"))"#),
      (#"{"type":"hello","ticket":"t","client":"x"}"#, #"hello(SignalingProtocol.ClientMessage.Hello.ticket("t"))"#),
      (#"{"type":"hello","guest":"Ada"}"#, #"hello(SignalingProtocol.ClientMessage.Hello.guest(name: "Ada"))"#),
      (
        #"{"type":"session.join","session":"a-B_9"}"#,
        #"sessionJoin(session: "a-B_9", presence: SignalingProtocol.PresenceMode.full, resume: nil)"#
      ),
      (
        #"{"type":"session.join","session":"a","presence":"hosts"}"#,
        #"sessionJoin(session: "a", presence: SignalingProtocol.PresenceMode.hosts, resume: nil)"#
      ),
      (#"{"type":"session.leave"}"#, "sessionLeave"),
      (#"{"type":"session.start"}"#, "sessionStart(key: nil)"),
      (#"{"type":"session.start","key":"k"}"#, #"sessionStart(key: Optional("k"))"#),
      (#"{"type":"session.end"}"#, "sessionEnd(key: nil)"),
      (#"{"type":"session.end","key":"k"}"#, #"sessionEnd(key: Optional("k"))"#),
      (
        #"{"type":"presence.subscribe","mode":"none"}"#,
        "presenceSubscribe(SignalingProtocol.PresenceMode.none)"
      ),
      (#"{"type":"presence.page","after":500}"#, "presencePage(after: 500)"),
      (#"{"type":"media.set"}"#, "mediaSet(audio: nil, video: nil, screen: nil)"),
      (
        #"{"type":"media.set","audio":true,"video":false,"screen":true}"#,
        "mediaSet(audio: Optional(true), video: Optional(false), screen: Optional(true))"
      ),
      (#"{"type":"chat.send","text":"Hi"}"#, #"chatSend(text: "Hi", key: nil)"#),
      (#"{"type":"chat.send","text":"\u00e9\n","key":"k"}"#, #"chatSend(text: "é\n", key: Optional("k"))"#),
      (#"{"type":"chat.history"}"#, "chatHistory(before: nil, limit: 50)"),
      (#"{"type":"chat.history","before":12,"limit":100}"#, "chatHistory(before: Optional(12), limit: 100)"),
      (#"{"type":"chat.history","before":0,"limit":1}"#, "chatHistory(before: Optional(0), limit: 1)"),
      (#"{"type":"signal","to":"p","kind":"offer","payload":{}}"#, "signal(p, offer, nil, {})"),
      (
        #"{"type":"signal","to":"p","kind":"end_of_candidates","negotiation":"n","payload": [1.50, "\u0041"] }"#,
        #"signal(p, endOfCandidates, n, [1.50, "\u0041"])"#
      ),
      (#"{"type":"signal","to":"p","kind":"candidate","payload":null}"#, "signal(p, candidate, nil, null)"),
      (#"{"type":"ping"}"#, "ping"),
    ])
  func commands(text: String, message: String) throws {
    #expect(try read(text) == Reading(id: nil, message: message))
    let withID = text.dropLast() + #","id":7,"unknown":{"a":[]}}"#
    #expect(try read(String(withID)) == Reading(id: 7, message: message), "unknown fields are ignored")
  }

  @Test(
    "a field that is missing or null is named",
    arguments: [
      (#""hello""#, "guest"), (#""session.join""#, "session"), (#""presence.subscribe""#, "mode"),
      (#""presence.page""#, "after"), (#""chat.send""#, "text"), (#""signal","to":"p","kind":"bye""#, "payload"),
      (#""signal","kind":"bye","payload":1"#, "to"), (#""signal","to":"p","payload":1"#, "kind"),
    ])
  func missing(fields: String, field: String) throws {
    #expect(try read(#"{"id":3,"type":\#(fields)}"#) == Reading(id: 3, message: "missing_field \(field)"))
    if field != "payload" {
      #expect(
        try read(#"{"id":3,"type":\#(fields),"\#(field)":null}"#) == Reading(id: 3, message: "missing_field \(field)"))
    }
  }

  /// Every field of every command with the rest of that command, and whether a null stands for leaving it out.
  private static let fields: [(type: String, rest: String, field: String, wrong: [String])] = [
    ("hello", "", "token", [#""""#, "1", "{}", "[]", "true"]),
    ("hello", "", "ticket", [#""""#, "1", "{}", "[]", "true"]),
    ("hello", "", "guest", [#""""#, #""  ""#, #""\u2003\t""#, "1", "{}", "[]", "true"]),
    (
      "session.join", "", "session",
      [#""""#, #""a b""#, #""ä""#, #""a/b""#, #""a\u0000""#, "1", "{}", "[]", "true"]
    ),
    ("session.join", #","session":"a""#, "presence", [#""""#, #""FULL""#, #""all""#, "1", "{}", "[]", "true"]),
    ("session.start", "", "key", [#""""#, "1", "{}", "[]", "true"]),
    ("session.end", "", "key", [#""""#, "1", "{}", "[]", "true"]),
    ("presence.subscribe", "", "mode", [#""""#, #""Full""#, "1", "{}", "[]", "true"]),
    ("presence.page", "", "after", ["-1", "1.0", "1e2", "9223372036854775808", #""1""#, "{}", "[]", "true"]),
    ("media.set", "", "audio", ["0", "1", #""true""#, "{}", "[]"]),
    ("media.set", "", "video", ["0", "1", #""true""#, "{}", "[]"]),
    ("media.set", "", "screen", ["0", "1", #""true""#, "{}", "[]"]),
    ("chat.send", "", "text", ["1", "{}", "[]", "true"]),
    ("chat.send", #","text":"x""#, "key", [#""""#, "1", "{}", "[]", "true"]),
    ("chat.history", "", "before", ["-1", "1.5", "9223372036854775808", #""1""#, "{}", "[]", "true"]),
    ("chat.history", "", "limit", ["0", "101", "-1", "1.0", "1e1", #""1""#, "{}", "[]", "true"]),
    ("signal", #","kind":"bye","payload":1"#, "to", [#""""#, "1", "{}", "[]", "true"]),
    ("signal", #","to":"p","payload":1"#, "kind", [#""""#, #""OFFER""#, #""endOfCandidates""#, "1", "{}", "[]"]),
    ("signal", #","to":"p","kind":"bye","payload":1"#, "negotiation", [#""""#, "1", "{}", "[]", "true"]),
  ]

  @Test("a field of a wrong type or value is named", arguments: fields.indices)
  func wrong(index: Int) throws {
    let (type, rest, field, wrong) = Self.fields[index]
    for value in wrong {
      let text = #"{"type":"\#(type)","id":-9\#(rest),"\#(field)":\#(value)}"#
      #expect(try read(text) == Reading(id: -9, message: "invalid_field \(field)"), "\(text)")
    }
  }

  @Test("strings at their limit are taken, one byte more is refused")
  func limits() throws {
    let limits: [(type: String, rest: String, field: String, limit: Int)] = [
      ("hello", "", "token", 8192), ("hello", "", "ticket", 8192), ("hello", "", "guest", 120),
      ("session.join", "", "session", 64), ("session.start", "", "key", 128), ("session.end", "", "key", 128),
      ("chat.send", #","text":"x""#, "key", 128), ("chat.send", "", "text", 65_536),
      ("signal", #","kind":"bye","payload":1"#, "to", 128),
      ("signal", #","to":"p","kind":"bye","payload":1"#, "negotiation", 64),
    ]
    for (type, rest, field, limit) in limits {
      let start = #"{"type":"\#(type)","id":1\#(rest),"\#(field)":""#
      #expect(!(try read(start + text(limit) + "\"}").message.contains("_field")), "\(type) \(field)")
      #expect(try read(start + text(limit + 1) + "\"}").message == "invalid_field \(field)")
      // Bytes of the content count, not characters and not the bytes of the escapes.
      let escaped = String(repeating: #"\u0061"#, count: limit)
      #expect(!(try read(start + escaped + "\"}").message.contains("_field")), "\(type) \(field)")
      if field != "session" {
        let wide = String(repeating: "é", count: limit / 2 + 1)
        #expect(try read(start + wide + "\"}").message == "invalid_field \(field)")
      }
    }
  }

  @Test(
    "ids are integers of 64 bits, or left out",
    arguments: [
      ("0", 0), ("-1", -1), ("9223372036854775807", .max), ("-9223372036854775808", .min), ("null", nil),
    ] as [(String, Int64?)])
  func ids(text: String, id: Int64?) throws {
    #expect(try read(#"{"type":"ping","id":\#(text)}"#) == Reading(id: id, message: "ping"))
    #expect(try read(#"{"id":\#(text),"type":"nonsense"}"#) == Reading(id: id, message: "unknown_type type"))
  }

  @Test(
    "an id of another kind is refused before anything is done",
    arguments: ["1.0", "1e3", "9223372036854775808", #""7""#, "true", "{}", "[7]"])
  func wrongID(text: String) throws {
    #expect(try read(#"{"type":"session.end","id":\#(text)}"#) == Reading(id: nil, message: "invalid_field id"))
  }

  @Test("a message is an object with a type")
  func types() throws {
    for text in ["[]", "1", "null", #""ping""#, "true"] { #expect(try read(text).message == "malformed_json -") }
    #expect(try read("{}").message == "missing_field type")
    for type in ["1", "null", "{}", "[]", "true"] {
      let message = try read(#"{"type":\#(type)}"#).message
      #expect(message == "invalid_field type" || (type == "null" && message == "missing_field type"), "\(type)")
    }
    for type in ["", "Ping", "ping ", "session", "session.", "session.join\\u0000", "ok", "welcome", "session.joined"] {
      #expect(try read(#"{"type":"\#(type)","id":4}"#) == Reading(id: 4, message: "unknown_type type"))
    }
    #expect(try read(#"{"type":"p\u0069ng"}"#).message == "ping", "escapes are resolved")
  }

  @Test("of several ways to say hello the strongest counts")
  func hello() throws {
    #expect(try read(#"{"type":"hello","guest":"A","ticket":"b","token":"c"}"#).message.contains(".token"))
    #expect(try read(#"{"type":"hello","guest":"A","ticket":"b","token":null}"#).message.contains(".ticket"))
  }
}
