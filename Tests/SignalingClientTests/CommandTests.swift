import SignalingProtocol
import Testing

@testable import SignalingClient

@Suite("A client asks, and gets an answer to everything, once")
struct CommandTests {
  private func answer(_ id: Int64, _ sequence: Int, messageID: String? = nil) -> String {
    #"{"type": "ok", "id": \#(id), "seq": \#(sequence), "at": 5, "message_id": "\#(messageID ?? "m\(sequence)")"}"#
  }

  private func joined() throws -> ScriptedServer {
    var server = ScriptedServer()
    try server.join()
    return server
  }

  @Test("an answer comes once")
  func once() throws {
    var server = try joined()
    #expect(server.client.say("hello", key: "k", using: &server.workspace)?.rawValue == 3)
    #expect(server.heard() == [#"{"type":"chat.send","id":3,"text":"hello","key":"k"}"#])
    #expect(server.client.unansweredCount == 1)
    #expect(server.say(answer(3, 4), ScriptedServer.chat(4, by: "u1", "hello")) == ["said 4", "chat 4 u1: hello"])
    #expect(server.client.unansweredCount == 0)
    #expect(server.say(answer(3, 4)) == ["PROBLEM unexpected"])
  }

  @Test("the event is the message that was answered, whichever comes first")
  func agreement() throws {
    var server = try joined()
    for (id, sequence, messages) in [
      (3, 4, [answer(3, 4), ScriptedServer.chat(4, by: "u1", "other")]),
      (4, 5, [ScriptedServer.chat(5, by: "u1", "other"), answer(4, 5)]),
      (5, 6, [answer(5, 6), ScriptedServer.chat(6, by: "u1", "hello", id: "m99")]),
      (6, 7, [answer(6, 7), ScriptedServer.chat(7, by: "u2", "hello")]),
      (7, 8, [ScriptedServer.chat(8, by: "u2", "hello"), answer(7, 8)]),
    ] {
      #expect(server.client.say("hello", key: nil, using: &server.workspace)?.rawValue == Int64(id))
      var events: [String] = []
      for message in messages { events += server.say(message) }
      #expect(events.last == "PROBLEM contradiction", "\(sequence): \(events)")
    }
  }

  @Test("a command with a key is sent again after a reconnect until it is answered, one without is lost")
  func repeated() throws {
    var server = try joined()
    _ = server.client.say("a", key: "k1", using: &server.workspace)
    _ = server.client.say("b", key: nil, using: &server.workspace)
    _ = server.client.end(key: "k2", using: &server.workspace)
    #expect(server.heard().count == 3)
    server.client.transportEnded(at: server.now, using: &server.workspace)
    #expect(server.events() == ["lost", "disconnected, next 1007"])
    // What is said meanwhile waits.
    #expect(server.client.say("c", key: "k3", using: &server.workspace) != nil)
    #expect(server.client.say("d", key: nil, using: &server.workspace) == nil)
    try server.connect()
    _ = server.heard()
    var joined = Joined()
    joined.hasChat = false
    joined.more = #""recovered": true, "signals_recovered": false"#
    _ = server.say(ScriptedServer.welcome, ScriptedServer.ready(7), ScriptedServer.joined(8, joined.text))
    #expect(
      server.heard() == [
        #"{"type":"chat.send","id":3,"text":"a","key":"k1"}"#, #"{"type":"session.end","id":5,"key":"k2"}"#,
        #"{"type":"chat.send","id":6,"text":"c","key":"k3"}"#,
      ])
    #expect(server.say(ScriptedServer.chat(4, by: "u1", "a"), answer(3, 4)) == ["chat 4 u1: a", "said 4"])
    #expect(server.client.unansweredCount == 2)
  }

  @Test("a command with a key that the server cannot do now is sent again after a while")
  func delayed() throws {
    var server = try joined()
    _ = server.client.say("a", key: "k", using: &server.workspace)
    _ = server.heard()
    #expect(server.say(ScriptedServer.error(3, "unavailable", retryable: true)) == ["delayed unavailable"])
    let deadline = try #require(server.client.deadline)
    #expect(deadline == 1008)
    server.client.advance(to: deadline - 1, using: &server.workspace)
    #expect(server.heard() == [])
    server.client.advance(to: deadline, using: &server.workspace)
    #expect(server.heard() == [#"{"type":"chat.send","id":3,"text":"a","key":"k"}"#])
    #expect(server.say(ScriptedServer.error(3, "wrong_state")) == ["refused wrong_state"])
  }

  @Test("who has left hears nothing more of the session, and may come again")
  func leaving() throws {
    var server = try joined()
    #expect(server.client.leave(using: &server.workspace) != nil)
    #expect(server.say(ScriptedServer.chat(4), #"{"type": "ok", "id": 3}"#) == ["chat 4 u2: hi", "done"])
    #expect(server.say(ScriptedServer.chat(5)) == ["PROBLEM unexpected"])
    _ = server.heard()
    server.client.join(at: server.now, using: &server.workspace)
    #expect(server.heard() == [#"{"type":"session.join","id":4,"session":"algebra","presence":"full"}"#])
  }

  @Test("history ascends, within what was asked")
  func history() throws {
    var server = try joined()
    func page(_ id: Int, _ numbers: [Int]) -> String {
      let messages = numbers.map {
        ScriptedServer.chat($0).replacing(#""type": "chat.message", "stream": "room", "#, with: "")
      }
      return #"{"type": "ok", "id": \#(id), "messages": [\#(messages.joined(separator: ", "))], "has_more": true}"#
    }
    for _ in 0..<4 { _ = server.client.history(before: 3, limit: 2, using: &server.workspace) }
    #expect(server.say(page(3, [1, 2])) == ["history [1, 2]"])
    for (id, numbers) in [(4, [2, 1]), (5, [2, 3]), (6, [0, 1, 2])] {
      #expect(server.say(page(id, numbers)).first?.hasPrefix("PROBLEM") ?? false)
    }
  }
}
