import SignalingProtocol
import Testing

@testable import SignalingClient

@Suite("A client holds the server to the protocol")
struct StrictnessTests {
  /// What a client that is present makes of messages.
  private func present(_ messages: String..., joined: Joined = Joined()) throws -> [String] {
    var server = ScriptedServer()
    try server.join(joined.text)
    var events: [String] = []
    for message in messages { events += server.say(message) }
    return events
  }

  @Test("numbered events: left out, too late, again")
  func numbers() throws {
    let events = try present(
      ScriptedServer.chat(4), ScriptedServer.chat(6), ScriptedServer.chat(5), ScriptedServer.chat(5),
      ScriptedServer.chat(3), ScriptedServer.chat(7))
    #expect(
      events == [
        "chat 4 u2: hi", "PROBLEM missingEvents", "chat 6 u2: hi", "PROBLEM lateEvent", "chat 5 u2: hi",
        "PROBLEM repeatedEvent", "PROBLEM repeatedEvent", "chat 7 u2: hi",
      ])
  }

  @Test(
    "what is no message of the protocol",
    arguments: [
      "{", "[]", "{}", #"{"type": 1}"#, #"{"type": "session.renamed"}"#, #"{"type": "chat.message"}"#,
      ScriptedServer.chat(4).replacing(#""stream": "room""#, with: #""stream": "side""#),
      ScriptedServer.chat(4).replacing(#""message_id": "m4""#, with: #""message_id": 4"#),
      ScriptedServer.chat(4).replacing(#""role": "participant""#, with: #""role": "king""#),
      ScriptedServer.chat(4).replacing(#""text": "hi""#, with: #""text": """#),
      ScriptedServer.status(4, "completed", rev: 3).replacing("algebra", with: "other"),
      ScriptedServer.status(nil, "completed", rev: 3),
      ScriptedServer.signal(1).replacing(#""kind": "offer""#, with: #""kind": "call""#),
      ScriptedServer.signal(1).replacing(#", "payload": 1"#, with: ""),
      ScriptedServer.difference(5, count: 2, joined: [ScriptedServer.participant("u2", peer: "p2", role: "observer")]),
      ScriptedServer.difference(5, count: 1, left: ["u2", "u2"]),
    ])
  func malformed(message: String) throws {
    #expect(try present(message) == ["PROBLEM malformed"])
  }

  @Test(
    "what has no place in this state",
    arguments: [
      ScriptedServer.welcome, ScriptedServer.ready(1), ScriptedServer.joined(2, Joined().text),
      ScriptedServer.joined(nil, Joined().text),
      #"{"type": "waiting.count", "at": 5, "session": "algebra", "count": 1}"#,
      #"{"type": "presence.count", "at": 5, "presence_seq": 5, "count": 1}"#,
      #"{"type": "ok", "id": 99}"#, #"{"type": "pong", "id": 2, "at": 5}"#, ScriptedServer.error(99, "forbidden"),
    ])
  func unexpected(message: String) throws {
    #expect(try present(message) == ["PROBLEM unexpected"])
  }

  @Test("events before the state")
  func beforeState() throws {
    var server = ScriptedServer()
    try server.connect()
    #expect(server.say(ScriptedServer.ready(1)) == ["PROBLEM unexpected"])
    #expect(server.say(ScriptedServer.welcome, ScriptedServer.chat(4)) == ["PROBLEM unexpected"])
  }

  @Test("an error that names nothing and refuses nothing")
  func namelessError() throws {
    #expect(try present(ScriptedServer.error(nil, "forbidden")).first == "PROBLEM unexpected")
    var server = ScriptedServer()
    try server.join()
    let isSent = server.client.signalUnanswered(to: "p2", .bye, negotiation: nil, using: &server.workspace) {
      $0.null()
    }
    #expect(isSent)
    #expect(server.say(ScriptedServer.error(nil, "peer_unavailable")) == ["refused peer_unavailable, nothing named"])
  }

  @Test("an error whose code does not say what the registry says")
  func wrongRetryable() throws {
    #expect(try present(ScriptedServer.error(nil, "forbidden", retryable: true)) == ["PROBLEM malformed"])
  }

  @Test("a session that goes where it cannot go")
  func lifeCycle() throws {
    #expect(try present(ScriptedServer.status(4, "ongoing", rev: 3)).last == "PROBLEM contradiction")
    #expect(try present(ScriptedServer.status(4, "completed", rev: 2)).contains("PROBLEM contradiction"))
    let events = try present(ScriptedServer.status(4, "completed", rev: 3), ScriptedServer.chat(5))
    #expect(events == ["status 4 completed", "presence", "chat 5 u2: hi", "PROBLEM contradiction"])
  }

  @Test("an erased message has no text, and is still counted")
  func erased() throws {
    let erased = ScriptedServer.chat(4, by: "erased-1", "").replacing(
      #""text": """#, with: #""text": "", "erased": true"#)
    #expect(try present(erased, ScriptedServer.chat(5)) == ["chat 4 erased-1: ", "chat 5 u2: hi"])
    #expect(try present(erased.replacing(#""text": """#, with: #""text": "x""#)) == ["PROBLEM malformed"])
  }

  @Test("participants: the announced number, and the client among them")
  func presence() throws {
    let second = ScriptedServer.participant("u2", peer: "p2")
    #expect(try present(ScriptedServer.difference(5, count: 2, joined: [second])) == ["presence"])
    #expect(try present(ScriptedServer.difference(5, count: 3, joined: [second])) == ["presence", "PROBLEM presence"])
    #expect(try present(ScriptedServer.difference(5, count: 0, left: ["u1"])) == ["presence", "PROBLEM presence"])
    #expect(try present(ScriptedServer.difference(4, count: 9, joined: [second])) == [])
    let lost = ScriptedServer.participant("u1")
    #expect(try present(ScriptedServer.difference(5, count: 1, joined: [lost])) == ["presence", "PROBLEM presence"])
  }

  @Test("a list without everybody")
  func shortList() throws {
    var server = ScriptedServer()
    try server.connect()
    var joined = Joined()
    joined.count = 2
    let events = server.say(ScriptedServer.welcome, ScriptedServer.ready(1), ScriptedServer.joined(2, joined.text))
    #expect(events == ["ready u1", "joined present", "presence", "PROBLEM presence"])
  }

  @Test("a list in pages is complete with the last")
  func pages() throws {
    var server = ScriptedServer()
    var joined = Joined()
    joined.count = 2
    joined.next = "1"
    try server.join(joined.text)
    #expect(server.heard() == [#"{"type":"presence.page","id":3,"after":1}"#])
    let second = ScriptedServer.participant("u2", peer: "p2")
    #expect(server.say(#"{"type": "ok", "id": 3, "participants": [\#(second)], "next": null}"#) == ["presence"])
    #expect(server.client.presence?.participants.count == 2)
    #expect(server.say(ScriptedServer.difference(5, count: 1)) == ["presence", "PROBLEM presence"])
  }

  @Test("a page of a list that another has replaced does not count")
  func replacedList() throws {
    var server = ScriptedServer()
    var joined = Joined()
    joined.count = 2
    joined.next = "1"
    try server.join(joined.text)
    let state = """
      {"type": "presence.state", "mode": "full", "presence_seq": 9, "count": 1, "participants": [\(ScriptedServer.own)], \
      "next": null}
      """
    let second = ScriptedServer.participant("u2", peer: "p2")
    #expect(server.say(state) == ["presence"])
    #expect(server.say(#"{"type": "ok", "id": 3, "participants": [\#(second)], "next": null}"#) == [])
    #expect(server.client.presence?.participants.count == 1)
  }

  @Test("the mode changes with the answer, not before")
  func modes() throws {
    var server = ScriptedServer()
    try server.join()
    #expect(server.client.subscribe(.count, using: &server.workspace) != nil)
    let state =
      #"{"type": "presence.state", "id": 3, "mode": "count", "presence_seq": 5, "count": 1, "participants": [], "next": null}"#
    let count = #"{"type": "presence.count", "at": 5, "presence_seq": 6, "count": 2}"#
    #expect(server.say(ScriptedServer.difference(5, count: 1)) == ["presence"])
    #expect(server.say(state, count) == ["done", "presence", "presence"])
    #expect(server.say(ScriptedServer.difference(7, count: 2)) == ["PROBLEM unexpected"])
  }

  @Test("signals: one after the other, and politeness that stays")
  func signals() throws {
    #expect(try present(ScriptedServer.signal(1), ScriptedServer.signal(3)).last == "PROBLEM signals")
    #expect(try present(ScriptedServer.signal(1), ScriptedServer.signal(1)).last == "PROBLEM signals")
    #expect(try present(ScriptedServer.signal(2)).last == "PROBLEM signals")
    #expect(try present(ScriptedServer.signal(1), ScriptedServer.signal(2, polite: false)).last == "PROBLEM signals")
    #expect(try present(ScriptedServer.signal(1, from: "p1")).last == "PROBLEM signals")
    #expect(
      try present(
        ScriptedServer.signal(1), ScriptedServer.signal(2, from: "p3", polite: false), ScriptedServer.signal(3))
        == ["signal 1 from p2", "signal 2 from p3", "signal 3 from p2"])
  }

  @Test("a binary message ends the connection")
  func binary() throws {
    var server = ScriptedServer()
    try server.join()
    #expect(server.receive([0x82, 1, 0]).first == "PROBLEM unexpected")
    #expect(server.heard() == ["close 1003"])
  }
}
