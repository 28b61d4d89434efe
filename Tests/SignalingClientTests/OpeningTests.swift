import SignalingProtocol
import Testing

@testable import SignalingClient

@Suite("A client comes in, and comes back")
struct OpeningTests {
  @Test("hello and join are sent at once, and the state comes in")
  func opening() throws {
    var server = ScriptedServer()
    #expect(server.client.nextAttempt == 0)
    try server.connect()
    let sent = server.heard()
    #expect(
      sent == [
        #"{"type":"hello","id":1,"token":"t"}"#,
        #"{"type":"session.join","id":2,"session":"algebra","presence":"full"}"#,
      ])
    let events = server.say(
      ScriptedServer.welcome, ScriptedServer.ready(1), ScriptedServer.joined(2, Joined().text))
    #expect(events == ["ready u1", "joined present", "presence"])
    #expect(server.client.state == .present)
    #expect(server.client.peer == "p1")
    #expect(server.client.position?.room == 3)
    #expect(server.client.presence?.participants.keys.sorted() == ["u1"])
  }

  @Test("bytes may come one at a time")
  func singleBytes() throws {
    var server = ScriptedServer()
    try server.join()
    var events: [String] = []
    let message = ScriptedServer.chat(4)
    let frame: [UInt8] =
      [0x81, 126, UInt8(message.utf8.count >> 8), UInt8(message.utf8.count & 255)] + Array(message.utf8)
    for byte in frame { events += server.receive([byte]) }
    #expect(events == ["chat 4 u2: hi"])
  }

  @Test("who waits is told of the start and then comes in")
  func waiting() throws {
    var server = ScriptedServer()
    var joined = Joined()
    joined.state = "waiting"
    joined.room = 0
    try server.join(joined.text)
    #expect(server.client.state == .waiting)
    joined.state = "present"
    joined.room = 1
    let events = server.say(
      ScriptedServer.status(nil, "ongoing", rev: 2), ScriptedServer.joined(nil, joined.text), ScriptedServer.chat(2))
    #expect(events == ["status ongoing", "joined present", "presence", "chat 2 u2: hi"])
  }

  @Test("a lost connection is made again, with what resumes it")
  func resume() throws {
    var server = ScriptedServer(random: 500)
    try server.join()
    #expect(server.say(ScriptedServer.chat(4), ScriptedServer.signal(1)) == ["chat 4 u2: hi", "signal 1 from p2"])
    server.client.transportEnded(at: server.now, using: &server.workspace)
    #expect(server.events() == ["disconnected, next 1500"])
    server.now = 1500
    try server.connect()
    #expect(
      server.heard().last == """
        {"type":"session.join","id":4,"session":"algebra","presence":"full","resume":{"token":"r1","epoch":"e1",\
        "streams":{"room":4,"user:u1":0},"signal_seq":1}}
        """)
    var joined = Joined()
    joined.room = 4
    joined.signals = 1
    joined.hasChat = false
    joined.more = #""recovered": true, "signals_recovered": true"#
    let events = server.say(
      ScriptedServer.welcome, ScriptedServer.ready(3), ScriptedServer.joined(4, joined.text), ScriptedServer.chat(5),
      ScriptedServer.signal(2))
    #expect(events == ["ready u1", "joined present recovered", "presence", "chat 5 u2: hi", "signal 2 from p2"])
  }

  @Test("an end that was missed, and after which the class went on, puts nobody out")
  func resumeAcrossAnEnd() throws {
    var server = ScriptedServer()
    try server.join()
    server.client.transportEnded(at: server.now, using: &server.workspace)
    _ = server.events()
    try server.connect()
    var joined = Joined()
    joined.peer = "p9"
    joined.participants = [ScriptedServer.participant("u1", peer: "p9")]
    joined.revision = 4
    joined.hasChat = false
    joined.more = #""recovered": true"#
    let events = server.say(
      ScriptedServer.welcome, ScriptedServer.ready(3), ScriptedServer.joined(4, joined.text),
      ScriptedServer.status(4, "completed", rev: 3), ScriptedServer.status(5, "ongoing", rev: 4))
    #expect(
      events == ["ready u1", "joined present recovered", "presence", "status 4 completed", "status 5 ongoing"])
    #expect(server.client.state == .present)
    #expect(server.client.peer == "p9")
    #expect(server.say(ScriptedServer.status(6, "completed", rev: 5)) == ["status 6 completed", "presence"])
    #expect(server.client.state == .reading)
  }

  @Test("who waits in a class that has begun is told of its changes from there on")
  func resumeInTheWaitingRoom() throws {
    var server = ScriptedServer()
    var joined = Joined()
    joined.state = "waiting"
    joined.room = 0
    try server.join(joined.text)
    server.client.transportEnded(at: server.now, using: &server.workspace)
    _ = server.events()
    try server.connect()
    joined.status = "ongoing"
    joined.more = #""recovered": true"#
    joined.hasChat = false
    _ = server.say(ScriptedServer.welcome, ScriptedServer.ready(3), ScriptedServer.joined(4, joined.text))
    joined.revision = 3
    let update = #"{"type": "session.updated", "at": 5, "by": null, "session": \#(joined.session)}"#
    #expect(server.say(update) == ["updated 3"])
  }

  @Test("a resume that is not honoured begins anew, with the reason")
  func notRecovered() throws {
    var server = ScriptedServer()
    try server.join()
    server.client.transportEnded(at: server.now, using: &server.workspace)
    try server.connect()
    var joined = Joined()
    joined.room = 90
    joined.peer = "p9"
    joined.participants = [ScriptedServer.participant("u1", peer: "p9")]
    joined.more = #""recovered": false, "not_recovered": "too_old""#
    _ = server.events()
    let events = server.say(
      ScriptedServer.welcome, ScriptedServer.ready(3), ScriptedServer.joined(4, joined.text), ScriptedServer.chat(91),
      ScriptedServer.signal(1))
    #expect(events == ["ready u1", "joined present too_old", "presence", "chat 91 u2: hi", "signal 1 from p2"])
    #expect(server.client.peer == "p9")
  }

  @Test(
    "a resume that contradicts what is known is a problem",
    arguments: [
      (#""recovered": true, "signals_recovered": true"#, 4, "e1", "p1"),
      (#""recovered": true, "signals_recovered": true"#, 3, "e2", "p1"),
      (#""recovered": true, "signals_recovered": true"#, 3, "e1", "p2"),
      (#""recovered": false, "not_recovered": "too_old""#, 2, "e1", "p1"),
      (#""recovered": false, "not_recovered": "ahead""#, 3, "e1", "p1"),
      (#""recovered": false, "not_recovered": "epoch_changed""#, 3, "e1", "p1"),
    ])
  func contradictingResume(more: String, room: Int, epoch: String, peer: String) throws {
    var server = ScriptedServer()
    try server.join()
    server.client.transportEnded(at: server.now, using: &server.workspace)
    try server.connect()
    var joined = Joined()
    joined.more = more
    joined.room = room
    joined.epoch = epoch
    joined.peer = peer
    joined.participants = [ScriptedServer.participant("u1", peer: peer)]
    joined.hasChat = !more.contains("true")
    let events = server.say(
      ScriptedServer.welcome, ScriptedServer.ready(3), ScriptedServer.joined(4, joined.text))
    #expect(events.contains("PROBLEM contradiction"), "\(events)")
  }

  @Test("signals that are said to be recovered go on from the last one; those that are not, from where the server says")
  func signalsAfterResume() throws {
    for (more, number, expected) in [("true", 2, "PROBLEM signals"), ("false", 7, "ready u1"), ("true", 1, "ready u1")]
    {
      var server = ScriptedServer()
      try server.join()
      _ = server.say(ScriptedServer.signal(1))
      server.client.transportEnded(at: server.now, using: &server.workspace)
      try server.connect()
      var joined = Joined()
      joined.hasChat = false
      joined.signals = number
      joined.more = #""recovered": true, "signals_recovered": \#(more)"#
      let events = server.say(
        ScriptedServer.welcome, ScriptedServer.ready(3), ScriptedServer.joined(4, joined.text),
        ScriptedServer.signal(number + 1))
      #expect(events.contains(expected), "\(events)")
      #expect(events.contains("PROBLEM signals") == (expected != "ready u1"))
    }
  }

  @Test("a resume that was not asked for is a problem")
  func unaskedResume() throws {
    var server = ScriptedServer()
    try server.connect()
    var joined = Joined()
    joined.more = #""recovered": true"#
    joined.hasChat = false
    let events = server.say(ScriptedServer.welcome, ScriptedServer.ready(1), ScriptedServer.joined(2, joined.text))
    #expect(events == ["ready u1", "PROBLEM malformed"])
  }

  @Test("the server's wish to be left alone, with jitter on top")
  func draining() throws {
    var server = ScriptedServer(random: 1_000_003)
    try server.join()
    #expect(server.say(#"{"type": "server.draining", "retry_after_ms": 1500}"#) == ["draining 1500"])
    // 1,000,003 modulo 1001 is 4.
    #expect(server.close(1012) == ["disconnected, next 2504"])
    #expect(server.heard() == ["close 1012"])
  }

  @Test("delays grow to a bound, and each is between nothing and the bound")
  func delays() {
    let delay = ReconnectDelay(baseMilliseconds: 1000, capMilliseconds: 10_000)
    for (failures, bound) in [(0, 1000), (1, 2000), (3, 8000), (4, 10_000), (63, 10_000), (Int.max, 10_000)] {
      let bound = UInt64(bound)
      #expect(delay.milliseconds(afterFailures: failures, random: bound) == Int64(bound))
      #expect(delay.milliseconds(afterFailures: failures, random: bound + 1) == 0)
      #expect(delay.milliseconds(afterFailures: failures, random: .max) <= Int64(bound))
    }
  }

  @Test(
    "close codes say whether to come back, and how",
    arguments: [
      (1001, true, true), (1008, false, true), (1011, true, true), (1012, true, true), (1013, true, true),
      (4001, true, true), (4002, true, true), (4003, true, false), (4005, true, true), (4007, true, true),
      (4006, true, true), (4500, false, true), (4501, false, true), (4502, false, true), (4503, false, true),
      (4510, false, true),
    ] as [(UInt16, Bool, Bool)])
  func closeCodes(code: UInt16, reconnects: Bool, resumes: Bool) throws {
    var server = ScriptedServer()
    try server.join()
    let events = server.close(code)
    #expect(events.count == 1)
    #expect((server.client.nextAttempt != nil) == reconnects)
    #expect(server.client.canResume == resumes)
  }

  @Test("every code with which the server closes is known", arguments: CloseReason.allCases)
  func closeReasons(reason: CloseReason) throws {
    var server = ScriptedServer()
    try server.join()
    #expect(server.close(reason.rawValue).allSatisfy { !$0.hasPrefix("PROBLEM") })
  }

  @Test("a close code in no registry is a problem; its range decides", arguments: [(4100, true), (4600, false)])
  func unknownCloseCode(code: UInt16, reconnects: Bool) throws {
    var server = ScriptedServer()
    try server.join()
    #expect(server.close(code).first == "PROBLEM unexpected")
    #expect((server.client.nextAttempt != nil) == reconnects)
  }

  @Test("a credential that is refused ends it")
  func refused() throws {
    var server = ScriptedServer()
    try server.connect()
    let events = server.say(
      ScriptedServer.welcome, ScriptedServer.error(1, "bad_token"), ScriptedServer.error(2, "hello_expected"))
    #expect(events == ["refused bad_token, nothing named"])
    #expect(server.close(4500) == ["disconnected, next never"])
  }

  @Test("a join that is refused for now is asked again, one that is refused for good is not")
  func joinRefused() throws {
    var server = ScriptedServer()
    try server.connect()
    _ = server.heard()
    #expect(
      server.say(
        ScriptedServer.welcome, ScriptedServer.ready(1), ScriptedServer.error(2, "unavailable", retryable: true))
        == ["ready u1", "join refused unavailable, again"])
    let deadline = try #require(server.client.deadline)
    server.client.advance(to: deadline, using: &server.workspace)
    #expect(server.heard() == [#"{"type":"session.join","id":3,"session":"algebra","presence":"full"}"#])
    #expect(server.say(ScriptedServer.error(3, "not_found")) == ["join refused not_found"])
    #expect(server.client.state == .outside)
  }

  @Test("nothing comes: the opening is given up, and so is a connection that has gone silent")
  func silence() throws {
    var server = ScriptedServer()
    try server.connect()
    server.now = try #require(server.client.deadline)
    #expect(server.now == 16_000)
    server.client.advance(to: server.now - 1, using: &server.workspace)
    #expect(server.client.state == .greeting)
    server.client.advance(to: server.now, using: &server.workspace)
    #expect(server.client.state == .disconnected)

    server = ScriptedServer()
    try server.join()
    server.client.advance(to: 26_000, using: &server.workspace)
    #expect(server.heard() == [#"{"type":"ping","id":3}"#])
    server.client.advance(to: 51_000, using: &server.workspace)
    #expect(server.events().last == "disconnected, next 51007")
  }

  @Test("a guest comes back as the same guest")
  func guest() throws {
    var server = ScriptedServer(credential: .guest(name: "Bo"))
    try server.connect()
    #expect(server.heard().first == #"{"type":"hello","id":1,"guest":"Bo"}"#)
    _ = server.say(
      ScriptedServer.welcome,
      """
      {"type": "ready", "id": 1, "user": {"id": "g1", "name": "Bo", "role": "participant", "guest": true}, \
      "connection_id": "c1", "expires_at": "2026-01-01T00:00:00.000Z", "guest_token": "gt", "at": 5}
      """)
    server.client.transportEnded(at: server.now, using: &server.workspace)
    try server.connect()
    #expect(server.heard().first == #"{"type":"hello","id":3,"token":"gt"}"#)
  }

  @Test("who is told that the token ends brings another, and comes back with that one")
  func renewal() throws {
    var server = ScriptedServer()
    try server.join()
    #expect(
      server.say(
        #"{"type": "token.expiring", "at": 5, "expires_at": "2026-01-01T00:00:00.000Z", "in_ms": 60000}"#)
        == ["expiring 60000"])
    _ = server.client.renew("another", using: &server.workspace)
    let id = try server.lastID()
    #expect(server.say(#"{"type": "ok", "id": \#(id), "expires_at": "2026-01-01T01:00:00.000Z"}"#) == ["done"])
    server.client.transportEnded(at: server.now, using: &server.workspace)
    try server.connect()
    #expect(server.heard().first?.contains(#""token":"another""#) == true)
  }

  @Test("a refused renewal changes nothing, and 4501 is the end until there is another token")
  func expiry() throws {
    var server = ScriptedServer()
    try server.join()
    _ = server.client.renew("of somebody else", using: &server.workspace)
    let id = try server.lastID()
    #expect(
      server.say(
        #"{"type": "error", "id": \#(id), "code": "bad_token", "message": "no", "retryable": false, "details": {}}"#)
        == ["refused bad_token"])
    #expect(server.close(4501) == ["disconnected, next never"])
  }

  @Test("who closes does not come back")
  func closing() throws {
    var server = ScriptedServer()
    try server.join()
    server.client.close(at: server.now, using: &server.workspace)
    #expect(server.heard() == ["close 1000"])
    #expect(server.say(ScriptedServer.chat(4)) == [])
    #expect(server.close(1000) == ["disconnected, next never"])
  }
}
