import Testing

@testable import Classroom
@testable import SignalingServer
@testable import Tokens

/// Sockets live as long as their tokens.
@Suite("The life of a token")
struct TokenLifeTests {
  private let clock = ManualClock()
  private let server: TestServer

  init() throws {
    let clock = clock
    server = try TestServer(loops: 2) {
      $0.manualClock = clock
      // Nothing but tokens is to end anything here.
      $0.patience.ping = 86_400_000
      $0.patience.idle = 86_400_000
    }
  }

  /// Says hello with a token of which less than a minute is left, and is told so.
  private func greeted(_ seconds: Int64) throws -> TestClient {
    let client = try TestClient(server, as: server.token("u", seconds: seconds))
    clock.advance(byMilliseconds: 500)
    return client
  }

  private func renew(_ client: TestClient, _ token: String, id: Int) throws -> VectorJSON {
    try client.ask(#"{"type":"token.renew","id":\#(id),"token":"\#(token)"}"#, id: id)
  }

  private func isQuiet(_ client: TestClient) throws -> Bool {
    try client.send(#"{"type":"ping","id":99}"#)
    return try client.next()["type"]?.string == "pong"
  }

  @Test("ready says when the token ends; a minute before, the client is told, and at the end it is closed")
  func expiry() throws {
    let client = try TestClient(server)
    let ready = try client.ask(
      #"{"type":"hello","id":1,"token":"\#(server.token("u", seconds: 600))"}"#, id: 1)
    let end = try #require(ready["expires_at"]?.string.flatMap(RFC3339.parse))
    let left = end.milliseconds(since: server.time)
    #expect((599_000...601_000).contains(left))
    clock.advance(byMilliseconds: left - 60_001)
    #expect(try isQuiet(client))
    clock.advance(byMilliseconds: 501)
    let warning = try client.receive("token.expiring")
    #expect(warning["expires_at"] == ready["expires_at"])
    #expect((59_000...60_000).contains(warning["in_ms"]?.integer ?? 0))
    clock.advance(byMilliseconds: end.milliseconds(since: server.time) - 1)
    #expect(try isQuiet(client), "it is told once, and not closed early")
    clock.advance(byMilliseconds: 501)
    #expect(try client.awaitClose() == 4501)
  }

  @Test("who has less than a minute left is told at once")
  func short() throws {
    let client = try greeted(10)
    #expect((8000...10_500).contains(try client.receive("token.expiring")["in_ms"]?.integer ?? 0))
  }

  @Test("after a renewal everything goes on, in the session too, and the new token's end is told in its time")
  func renewal() throws {
    try server.createSession("algebra")
    try server.startSession("algebra")
    let client = try greeted(30)
    try client.receive("token.expiring")
    let joined = try client.join("algebra")
    let answer = try renew(client, server.token("u", seconds: 600), id: 5)
    #expect(answer["type"]?.string == "ok" && answer["guest_token"] == nil)
    let end = try #require(answer["expires_at"]?.string.flatMap(RFC3339.parse))
    clock.advance(byMilliseconds: 31_000)
    #expect(try client.ask(#"{"type":"chat.send","id":6,"text":"still here"}"#, id: 6)["type"]?.string == "ok")
    #expect(joined["peer"] != nil)
    clock.advance(byMilliseconds: end.milliseconds(since: server.time) - 59_000)
    try client.await { $0["type"]?.string == "token.expiring" }
    #expect(try Exposition(of: server).value("rollcall_tokens_renewed_total") == 1)
  }

  @Test("a token of somebody else, a bad one and one that has ended change nothing")
  func refusals() throws {
    let client = try TestClient(server, as: server.token("u", seconds: 600))
    let old = server.token("u", seconds: 1)
    clock.advance(byMilliseconds: 5000)
    for (token, code) in [
      (server.token("v"), "bad_token"), ("nonsense", "bad_token"), (old, "token_expired"),
    ] {
      #expect(try renew(client, token, id: 2)["code"]?.string == code)
    }
    #expect(try client.ask(#"{"type":"token.renew","id":3}"#, id: 3)["code"]?.string == "missing_field")
    clock.advance(byMilliseconds: 602_000)
    #expect(try client.awaitClose() == 4501)
  }

  @Test("before hello there is nothing to renew")
  func early() throws {
    let client = try TestClient(server)
    try client.receive("welcome")
    #expect(try renew(client, server.token("u"), id: 1)["code"]?.string == "hello_expected")
  }

  @Test(
    "a renewed token is judged anew in the session: another session is refused, another role is sent back to resume")
  func roles() throws {
    try server.createSession("algebra")
    try server.startSession("algebra")
    let client = try TestClient(server, as: server.token("u", session: "algebra"))
    let joined = try client.join("algebra")
    #expect(try renew(client, server.token("u", session: "biology"), id: 2)["code"]?.string == "not_found")
    #expect(try renew(client, server.token("u", session: "algebra"), id: 3)["type"]?.string == "ok")
    let promoted = server.token("u", role: .cohost, session: "algebra")
    #expect(try renew(client, promoted, id: 4)["type"]?.string == "ok")
    #expect(try client.awaitClose() == 4007)
    let again = try TestClient(server, as: promoted)
    let token = joined["resume_token"]?.string ?? ""
    let epoch = joined["epoch"]?.string ?? ""
    let room = joined["streams"]?["room"]?.integer ?? 0
    let resumed = try again.ask(
      """
      {"type":"session.join","id":1,"session":"algebra","resume":{"token":"\(token)","epoch":"\(epoch)",\
      "streams":{"room":\(room)}}}
      """, id: 1)
    #expect(resumed["recovered"] == .bool(true) && resumed["peer"] == joined["peer"])
    #expect(resumed["you"]?["role"]?.string == "cohost")
  }

  @Test("a session whose token has ended is resumed with a new one")
  func resuming() throws {
    try server.createSession("algebra")
    try server.startSession("algebra")
    let client = try greeted(5)
    try client.receive("token.expiring")
    let joined = try client.join("algebra")
    clock.advance(byMilliseconds: 6500)
    #expect(try client.awaitClose() == 4501)
    client.socket.shut()
    let again = try TestClient(server, as: server.token("u"))
    let resumed = try again.ask(
      """
      {"type":"session.join","id":1,"session":"algebra","resume":{"token":"\(joined["resume_token"]?.string ?? "")",\
      "epoch":"\(joined["epoch"]?.string ?? "")","streams":{"room":\(joined["streams"]?["room"]?.integer ?? 0)}}}
      """, id: 1)
    #expect(resumed["recovered"] == .bool(true) && resumed["peer"] == joined["peer"])
  }

  @Test("a ticket's socket lives as long as the token that the ticket was given for")
  func tickets() throws {
    try server.createSession("algebra")
    let response = try server.post("/api/sessions/algebra/join/", as: server.token("u", seconds: 20))
    let ticket = try #require(try response.json["ticket"]?.string)
    let client = try TestClient(server)
    let ready = try client.ask(#"{"type":"hello","id":1,"ticket":"\#(ticket)"}"#, id: 1)
    let end = try #require(ready["expires_at"]?.string.flatMap(RFC3339.parse))
    #expect((19_000...21_000).contains(end.milliseconds(since: server.time)))
    clock.advance(byMilliseconds: 500)
    try client.receive("token.expiring")
    #expect(try renew(client, server.token("u"), id: 2)["type"]?.string == "ok")

    let other = try TestClient(server)
    try other.send(#"{"type":"hello","id":1,"ticket":"\#(ticket)"}"#)
    #expect(try other.answer(to: 1)["code"]?.string == "bad_ticket", "it works once")
    #expect(try other.awaitClose() == 4500)
    let elsewhere = try TestClient(server, as: server.token("u"))
    #expect(try elsewhere.ask(TestClient.join("biology", id: 1), id: 1)["code"]?.string == "not_found")
  }

  @Test("a ticket is for its session alone")
  func ticketOfAnotherSession() throws {
    try server.createSession("algebra")
    try server.createSession("biology")
    let response = try server.post("/api/sessions/algebra/join/", as: server.token("u"))
    let client = try TestClient(server)
    try client.ask(#"{"type":"hello","id":1,"ticket":"\#(try response.json["ticket"]?.string ?? "")"}"#, id: 1)
    #expect(try client.ask(TestClient.join("biology", id: 2), id: 2)["code"]?.string == "not_found")
    #expect(try client.join("algebra", id: 3)["state"]?.string == "waiting")
  }

  @Test("tickets, resume tokens and guest tokens are taken for nothing else")
  func kinds() throws {
    try server.createSession("algebra", fields: ["guests": .bool(true)])
    let response = try server.post("/api/sessions/algebra/join/", as: server.token("u"))
    let ticket = try #require(try response.json["ticket"]?.string)
    let client = try TestClient(server, as: server.token("u"))
    let resumeToken = try #require(try client.join("algebra")["resume_token"]?.string)
    for token in [ticket, resumeToken] {
      #expect(try server.get("/api/sessions/", as: token).status == 401)
      let impostor = try TestClient(server)
      try impostor.send(TestClient.hello(token))
      #expect(try impostor.awaitClose() == 4500)
    }
    for ticket in [resumeToken, server.token("u")] {
      let impostor = try TestClient(server)
      try impostor.send(#"{"type":"hello","ticket":"\#(ticket)"}"#)
      #expect(try impostor.awaitClose() == 4500)
    }
    let guest = try TestClient(server)
    let guestToken = try #require(
      try guest.ask(#"{"type":"hello","id":1,"guest":"Grace"}"#, id: 1)["guest_token"]?.string)
    #expect(try server.post("/api/sessions/", as: guestToken, body: .object(["title": .string("T")])).status == 403)
  }

  @Test("a guest renews with the guest token, as often as wanted, and stays the same guest")
  func guests() throws {
    let client = try TestClient(server)
    let ready = try client.ask(#"{"type":"hello","id":1,"guest":"Grace"}"#, id: 1)
    var token = try #require(ready["guest_token"]?.string)
    for round in 1...3 {
      clock.advance(byMilliseconds: 12 * 3_600_000 - 30_000)
      try client.receive("token.expiring")
      let answer = try renew(client, token, id: round + 1)
      token = try #require(answer["guest_token"]?.string)
    }
    let again = try TestClient(server)
    let second = try again.ask(#"{"type":"hello","id":1,"token":"\#(token)"}"#, id: 1)
    #expect(second["user"]?["id"] == ready["user"]?["id"])
    #expect(try renew(client, server.token("u"), id: 9)["code"]?.string == "bad_token")
  }

  @Test("a guest whom a platform made ends when the platform said")
  func platformGuests() throws {
    let claims = #"{"sub":"g1","name":"Grace","guest":true,"exp":\#(server.time.milliseconds / 1000 + 120)}"#
    let platform = try TokenSigner(secret: TestServer.secret).sign(Array(claims.utf8))
    let client = try TestClient(server)
    let ready = try client.ask(#"{"type":"hello","id":1,"token":"\#(platform)"}"#, id: 1)
    let token = try #require(ready["guest_token"]?.string)
    let answer = try renew(client, token, id: 2)
    for message in [ready, answer] {
      let end = try #require(message["expires_at"]?.string.flatMap(RFC3339.parse))
      #expect(end.milliseconds(since: server.time) <= 121_000)
    }
  }

  @Test("a connection that follows its room to another loop is told there, once")
  func handover() throws {
    for loop in 0..<2 {
      let session = server.sessionID(onLoop: loop)
      try server.createSession(session)
      let client = try greeted(30)
      try client.receive("token.expiring")
      try client.join(session)
      clock.advance(byMilliseconds: 20_000)
      #expect(try isQuiet(client))
      clock.advance(byMilliseconds: 12_000)
      #expect(try client.awaitClose() == 4501)
    }
  }

  @Test("refused tokens are counted by their reason")
  func figures() throws {
    _ = try server.get("/api/sessions/", as: "nonsense")
    _ = try server.get("/api/sessions/", as: TokenSigner(secret: TestServer.secret).sign(Array(#"{"sub":"u"}"#.utf8)))
    let stranger = Array("the secret of somebody else, who has none here".utf8)
    let claims = Array(#"{"sub":"u","exp":99999999999}"#.utf8)
    _ = try server.get("/api/sessions/", as: TokenSigner(secret: stranger).sign(claims))
    let client = try TestClient(server)
    try client.send(#"{"type":"hello","ticket":"none"}"#)
    #expect(try client.awaitClose() == 4500)
    let figures = try Exposition(of: server)
    for (reason, count) in [("malformed", 1), ("claims", 1), ("signature", 1), ("ticket", 1), ("expired", 0)] {
      #expect(try figures.value("rollcall_tokens_refused_total", ["reason": reason]) == count)
    }
  }
}
