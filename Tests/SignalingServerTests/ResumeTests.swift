import Testing

@testable import Classroom
@testable import RoomShard
@testable import SignalingServer
@testable import Tokens

/// Clients that come back, over sockets.
@Suite("Resuming")
struct ResumeTests {
  private func join(_ session: String, id: Int, resuming joined: VectorJSON, room: Int, signals: Int = 0) throws
    -> String
  {
    let token = try #require(joined["resume_token"]?.string)
    let epoch = try #require(joined["epoch"]?.string)
    return #"{"type":"session.join","id":\#(id),"session":"\#(session)","resume":{"token":"\#(token)","#
      + #""epoch":"\#(epoch)","streams":{"room":\#(room)},"signal_seq":\#(signals)}}"#
  }

  private func say(_ client: TestClient, _ numbers: ClosedRange<Int>, text: String = "x") throws {
    for number in numbers {
      try client.ask(#"{"type":"chat.send","id":\#(number),"text":"\#(text)"}"#, id: number)
    }
  }

  private func sequences(of client: TestClient, _ numbers: ClosedRange<Int>) throws {
    for number in numbers { #expect(try client.receive("chat.message")["seq"]?.integer == number) }
  }

  /// A live session with a teacher in it.
  private func live(_ server: TestServer, _ session: String = "algebra") throws -> TestClient {
    try server.createSession(session)
    try server.startSession(session)
    let teacher = try TestClient(server, as: server.token("teacher", role: .host))
    try teacher.join(session)
    return teacher
  }

  @Test(
    "over a half-open connection: the newer one goes on, the older one is closed with 4003, and its late end is no end")
  func halfOpen() throws {
    let server = try TestServer { $0.shard.graceMilliseconds = 300 }
    let teacher = try live(server)
    let old = try TestClient(server, as: server.token("ada"))
    let joined = try old.join("algebra")
    try say(teacher, 1...3)
    let new = try TestClient(server, as: server.token("ada"))
    let again = try new.ask(join("algebra", id: 7, resuming: joined, room: 1), id: 7)
    #expect(again["recovered"] == .bool(true) && again["peer"] == joined["peer"])
    try sequences(of: new, 2...4)
    #expect(try old.awaitClose() == 4003)
    #expect(old.close?.reason == "resumed on another connection")
    old.socket.reset()
    // Longer than the grace: the person and the address are still there.
    let deadline = server.clock.now.advanced(byMilliseconds: 900)
    while server.clock.now < deadline { try new.ask(#"{"type":"ping","id":8}"#, id: 8) }
    let peer = try #require(joined["peer"]?.string)
    let signal = #"{"type":"signal","id":9,"to":"\#(peer)","kind":"bye","payload":0}"#
    #expect(try teacher.ask(signal, id: 9)["type"]?.string == "ok")
    #expect(try new.receive("signal")["signal_seq"]?.integer == 1)
    let report = try server.get("/api/sessions/algebra/attendance/", as: server.token("teacher", role: .host)).json
    let row = report["participants"]?.array?.first { $0["user"]?.string == "ada" }
    #expect(row?["segments"]?.array?.count == 1 && row?["is_active"] == .bool(true))
  }

  @Test(
    "after a restart in the same folder, also with other loops: address, epoch, numbers, events",
    arguments: [(1, 3), (4, 1)])
  func restart(_ before: Int, _ after: Int) throws {
    let folder = try TemporaryFolder()
    let first = try TestServer(loops: before, folder: folder)
    let teacher = try live(first)
    let ada = try TestClient(first, as: first.token("ada"))
    let joined = try ada.join("algebra")
    try say(teacher, 1...5)
    try sequences(of: ada, 2...3)
    ada.socket.reset()
    first.stop()
    let second = try TestServer(loops: after, folder: folder)
    let back = try TestClient(second, as: second.token("ada"))
    let again = try back.ask(join("algebra", id: 7, resuming: joined, room: 3, signals: 2), id: 7)
    #expect(again["recovered"] == .bool(true) && again["signals_recovered"] == .bool(false))
    for field in ["peer", "epoch"] { #expect(again[field] == joined[field]) }
    try sequences(of: back, 4...6)
    let report = try second.get("/api/sessions/algebra/attendance/", as: second.token("teacher", role: .host)).json
    let row = report["participants"]?.array?.first { $0["user"]?.string == "ada" }
    #expect(row?["segments"]?.array?.count == 1)
  }

  @Test("a token of another server is not valid")
  func otherSecret() throws {
    let folder = try TemporaryFolder()
    let first = try TestServer(folder: folder)
    let teacher = try live(first)
    try teacher.ask(#"{"type":"session.leave","id":5}"#, id: 5)
    let joined = try teacher.join("algebra", id: 6)
    first.stop()
    let sealed = ResumeTokens(secret: Array("another secret of the tests, 32 bytes and more".utf8)).seal(
      ResumeClaim(
        user: "teacher", session: "algebra", epoch: joined["epoch"]?.string ?? "", peer: nil,
        expiresAt: Timestamp(milliseconds: .max)))
    let second = try TestServer(folder: folder)
    let back = try TestClient(second, as: second.token("teacher", role: .host))
    let forged =
      #"{"type":"session.join","id":7,"session":"algebra","resume":{"token":"\#(sealed)","epoch":"e","streams":{}}}"#
    #expect(try back.ask(forged, id: 7)["not_recovered"]?.string == "token_invalid")
  }

  @Test("resumes reach their room from every loop")
  func loops() throws {
    let server = try TestServer(loops: 4)
    for loop in 0..<4 {
      let session = server.sessionID(onLoop: loop)
      let teacher = try live(server, session)
      let ada = try TestClient(server, as: server.token("ada"))
      let joined = try ada.join(session)
      ada.socket.reset()
      try say(teacher, 1...3)
      // New connections land on any loop.
      for _ in 0..<6 {
        let back = try TestClient(server, as: server.token("ada"))
        let again = try back.ask(join(session, id: 7, resuming: joined, room: 1), id: 7)
        #expect(again["recovered"] == .bool(true) && again["peer"] == joined["peer"])
        try sequences(of: back, 2...4)
      }
    }
  }

  @Test("megabytes of missed events come as the client reads, in order, and cannot close it as slow")
  func bigCatchUp() throws {
    let server = try TestServer()
    let teacher = try live(server)
    let ada = try TestClient(server, as: server.token("ada"))
    let joined = try ada.join("algebra")
    ada.socket.reset()
    // Escaped, these texts are six times as long as what the limit counts.
    let text = String(repeating: #"\u0001"#, count: 2000)
    try say(teacher, 1...500, text: text)
    let back = try TestClient(server, as: server.token("ada"), receiveBytes: 4096)
    try back.send(join("algebra", id: 7, resuming: joined, room: 1))
    let again = try back.answer(to: 7)
    #expect(again["recovered"] == .bool(true))
    try sequences(of: back, 2...101)
    try say(teacher, 501...510)
    try sequences(of: back, 102...511)
    #expect(back.close == nil)
  }

  @Test("a page that is left, and a client that is done, give up the address; a cut or another code does not")
  func goodbye() throws {
    let server = try TestServer()
    let teacher = try live(server)
    for (code, isKept) in [(1000, false), (1001, false), (4000, true), (nil, true)] as [(UInt16?, Bool)] {
      let ada = try TestClient(server, as: server.token("ada"))
      let joined = try ada.join("algebra")
      let peer = try #require(joined["peer"]?.string)
      if let code {
        try ada.sendClose(code: code)
        #expect(try ada.awaitClose() == code)
        #expect(try ada.awaitEnd())
      } else {
        ada.socket.reset()
      }
      let back = try TestClient(server, as: server.token("ada"))
      let again = try back.ask(join("algebra", id: 7, resuming: joined, room: 1), id: 7)
      #expect((again["peer"]?.string == peer) == isKept, "\(code.map { "\($0)" } ?? "cut")")
      try back.ask(#"{"type":"session.leave","id":8}"#, id: 8)
    }
    _ = teacher
  }
}

@Suite("Resume tokens")
struct ResumeTokenTests {
  private let tokens = ResumeTokens(secret: TestServer.secret)
  private let claim = ResumeClaim(
    user: "ada", session: "algebra", epoch: "e1", peer: "p1", expiresAt: Timestamp(milliseconds: 1_767_225_600_123))

  @Test("a claim comes back from its token")
  func roundTrip() throws {
    var claims = [claim]
    claims.append(
      ResumeClaim(user: "ü|\u{0}", session: "s", epoch: "e", peer: nil, expiresAt: Timestamp(milliseconds: .min)))
    claims.append(
      ResumeClaim(
        user: String(repeating: "u", count: 128), session: String(repeating: "s", count: 64),
        epoch: String(repeating: "e", count: 64), peer: "pabcdefghijkm", expiresAt: Timestamp(milliseconds: .max)))
    for claim in claims {
      let token = tokens.seal(claim)
      #expect((1...512).contains(token.utf8.count))
      #expect(tokens.open(token) == claim)
    }
  }

  @Test("no changed, cut or lengthened token is taken, and none of another secret")
  func forged() throws {
    let token = tokens.seal(claim)
    let bytes = Array(token.utf8)
    for index in bytes.indices {
      var changed = bytes
      changed[index] = changed[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
      #expect(tokens.open(String(decoding: changed, as: UTF8.self)) == nil)
      #expect(tokens.open(String(decoding: bytes[..<index], as: UTF8.self)) == nil)
    }
    for other in [token + "A", token + "AAAA", "=" + token, "", " ", "é", String(repeating: "A", count: 600)] {
      #expect(tokens.open(other) == nil)
    }
    #expect(ResumeTokens(secret: TestServer.secret + [1]).open(token) == nil)
  }

  @Test("a token for people is no resume token, nor the other way round, though both come from one secret")
  func domains() throws {
    let authority = TokenAuthority(secret: TestServer.secret)
    let now = Timestamp(milliseconds: 0)
    let identity = Identity(
      user: "ada", name: "Ada", role: .participant, session: nil, isGuest: false,
      expiresAt: Timestamp(milliseconds: 1000))
    #expect(tokens.open(authority.issue(identity, at: now)) == nil)
    #expect(throws: (any Error).self) { try authority.verify(tokens.seal(claim), at: now) }
    // What the server's own key for people signs is not taken either.
    let sealed = Base64URL.decode(Array(tokens.seal(claim).utf8)) ?? []
    let body = Array(sealed.dropLast(32))
    let signed = body + TokenKey(TestServer.secret).sign(body)
    #expect(tokens.open(String(decoding: Base64URL.encode(signed), as: UTF8.self)) == nil)
  }
}
