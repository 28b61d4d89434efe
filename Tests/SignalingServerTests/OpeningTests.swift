import Foundation
import Testing

@testable import SignalingServer

/// The opening handshake and the greeting.
@Suite("Opening a WebSocket")
struct OpeningTests {
  private let server: TestServer

  init() throws { server = try TestServer() }

  /// The fields of a good handshake, with others in their place; nil leaves one out.
  private func upgrade(_ changes: [String: String?] = [:], method: String = "GET") throws -> (
    status: Int, headers: [String: String], body: String
  ) {
    var headers: [String: String?] = [
      "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Version": "13",
    ]
    for (name, value) in changes { headers.updateValue(value, forKey: name) }
    var request = "\(method) /ws HTTP/1.1\r\n"
    if changes["Host"] == nil { request += "Host: rollcall.test:8080\r\n" }
    for (name, value) in headers { if let value { request += "\(name): \(value)\r\n" } }
    return try answer(to: request + "\r\n")
  }

  /// An answer to an upgrade, and the bytes of its body; what follows a 101 is left out.
  private func answer(to request: String) throws -> (status: Int, headers: [String: String], body: String) {
    let socket = try TestSocket(port: server.port)
    try socket.send(request)
    var text = ""
    while true {
      text += String(decoding: try #require(try socket.receive()), as: UTF8.self)
      guard let end = text.firstRange(of: "\r\n\r\n") else { continue }
      let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
      let fields = lines.dropFirst().map { $0.components(separatedBy: ": ") }
      let headers = Dictionary(fields.map { ($0[0].lowercased(), $0[1]) }) { $1 }
      let body = String(text[end.upperBound...].utf8.prefix(Int(headers["content-length"] ?? "0") ?? 0)) ?? ""
      guard body.utf8.count == Int(headers["content-length"] ?? "0") else { continue }
      return (try #require(Int(lines[0].dropFirst(9).prefix(3))), headers, body)
    }
  }

  @Test("the handshake of RFC 6455, 1.3 is answered as there")
  func example() throws {
    let answer = try upgrade(["Sec-WebSocket-Protocol": "chat, rollcall.v1"])
    #expect(answer.status == 101)
    #expect(answer.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    #expect(answer.headers["sec-websocket-protocol"] == "rollcall.v1")
    #expect(answer.headers["sec-websocket-extensions"] == nil)
  }

  @Test(
    "what is no handshake is refused with the error body, and says what would be one",
    arguments: [
      (["Upgrade": nil], 426, "upgrade_required"), (["Upgrade": "h2c"], 426, "upgrade_required"),
      (["Connection": "keep-alive"], 400, "bad_request"), (["Sec-WebSocket-Version": "8"], 426, "unsupported_version"),
      (["Sec-WebSocket-Version": nil], 426, "unsupported_version"), (["Sec-WebSocket-Key": nil], 400, "bad_request"),
      (["Sec-WebSocket-Key": "short"], 400, "bad_request"),
      (["Sec-WebSocket-Protocol": "chat"], 400, "unsupported_subprotocol"),
      (["Sec-WebSocket-Protocol": "rollcall.v2, (x)"], 400, "bad_request"),
    ] as [([String: String?], Int, String)])
  func refusals(_ changes: [String: String?], _ status: Int, _ code: String) throws {
    let head = try upgrade(changes)
    #expect(head.status == status)
    #expect((head.headers["upgrade"] == "websocket") == (status == 426))
    #expect((head.headers["sec-websocket-version"] == "13") == (status == 426))
    #expect(head.body.contains("\"code\":\"\(code)\""))
  }

  @Test("another method than GET is no handshake")
  func method() throws { #expect(try upgrade(method: "POST").status == 400) }

  @Test("after a refusal the connection is an HTTP connection as before")
  func afterRefusal() throws {
    let socket = try TestSocket(port: server.port)
    try socket.send(
      "GET /ws HTTP/1.1\r\nHost: a\r\n\r\nGET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    let text = String(decoding: try socket.receiveAll(), as: UTF8.self)
    #expect(text.hasPrefix("HTTP/1.1 426 ") && text.contains("HTTP/1.1 200 OK"))
  }

  @Test(
    "only pages of the server's own origin are let in",
    arguments: [
      ("http://rollcall.test:8080", 101), ("https://rollcall.test:8080", 101), ("HTTP://Rollcall.Test:8080", 101),
      ("http://rollcall.test", 403), ("http://rollcall.test:80801", 403),
      ("http://rollcall.test:8080.evil.example", 403),
      ("http://evil.example", 403), ("http://evil.rollcall.test:8080", 403), ("http://xrollcall.test:8080", 403),
      ("null", 403), ("", 403), ("rollcall.test:8080", 403), ("ws://rollcall.test:8080", 403), ("file://", 403),
      ("http://rollcall.test:8080/", 403), ("http://rollcall.test:8080 http://evil.example", 403),
      ("http://user@rollcall.test:8080", 403),
    ])
  func origins(_ origin: String, _ status: Int) throws {
    let answer = try upgrade(["Origin": origin])
    #expect(answer.status == status)
    if status == 403 { #expect(answer.body.contains("origin_not_allowed")) }
  }

  @Test("two Origins are none that is allowed")
  func twoOrigins() throws {
    let own = "http://rollcall.test:8080"
    #expect(try upgrade(["Origin": own, "origin": "http://evil.example"]).status == 403)
    #expect(try upgrade(["Origin": own, "origin": own]).status == 403)
  }

  // MARK: Greeting

  @Test("the handshake, hello and join may come in one piece", arguments: [1, 2, 4])
  func onePiece(_ loops: Int) throws {
    let server = try TestServer(loops: loops)
    for loop in 0..<loops {
      let session = server.sessionID(onLoop: loop)
      try server.createSession(session)
      let client = try TestClient(
        server,
        following: TestClient.frame(TestClient.hello(server.token("u")))
          + TestClient.frame(TestClient.join(session, id: 2)) + TestClient.frame(#"{"type":"media.set","id":3}"#))
      try client.receive("welcome")
      try client.receive("ready")
      #expect(try client.receive("session.joined")["id"] == .number(2))
      #expect(try client.receive("error")["id"] == .number(3), "the class has not begun")
    }
  }

  @Test("the handshake, hello and join may come byte by byte", arguments: [1, 4])
  func bytewise(_ loops: Int) throws {
    let server = try TestServer(loops: loops)
    let session = server.sessionID(onLoop: loops - 1)
    try server.createSession(session)
    let socket = try TestSocket(port: server.port)
    var handshake = try TestClient.handshake(port: server.port)
    let bytes =
      handshake.request + TestClient.frame(TestClient.hello(server.token("u")))
      + TestClient.frame(TestClient.join(session, id: 2)) + TestClient.frame(#"{"type":"media.set","id":3}"#)
    for byte in bytes { try socket.send([byte]) }
    let client = try TestClient(socket, awaiting: &handshake)
    try client.receive("ready")
    #expect(try client.receive("session.joined")["id"] == .number(2))
    #expect(try client.receive("error")["id"] == .number(3), "the class has not begun")
  }

  @Test("who says no hello in time is closed with 4005, pings or not")
  func helloTimeout() throws {
    let server = try TestServer(loops: 1) { $0.patience.hello = 50 }
    let (silent, talking) = (try TestClient(server), try TestClient(server))
    try talking.send(#"{"type":"ping","id":1}"#)
    #expect(try silent.awaitClose() == 4005)
    #expect(try talking.awaitClose() == 4005)
    #expect(try silent.awaitEnd())
  }

  @Test("who has said hello is not closed for it")
  func helloInTime() throws {
    let server = try TestServer(loops: 1) { $0.patience.hello = 50 }
    let greeted = try TestClient(server, as: server.token("u"))
    let silent = try TestClient(server)
    #expect(try silent.awaitClose() == 4005)
    #expect(try greeted.ask(#"{"type":"ping","id":1}"#, id: 1)["type"]?.string == "pong")
  }

  @Test("a ticket opens one connection, a second use is closed with 4500")
  func ticketOnce() throws {
    try server.createSession("algebra")
    let ticket = try #require(
      try server.post("/api/sessions/algebra/join/", as: server.token("u")).json["ticket"]?.string)
    let hello = #"{"type":"hello","ticket":"\#(ticket)"}"#
    let (first, second) = (try TestClient(server), try TestClient(server))
    try first.send(hello)
    #expect(try first.receive("ready")["user"]?["id"]?.string == "u")
    try second.send(hello)
    #expect(try second.receive("error")["code"]?.string == "bad_ticket")
    #expect(try second.awaitClose() == 4500)
  }

  @Test("what follows a bad token is not looked at")
  func afterBadToken() throws {
    try server.createSession("algebra")
    let client = try TestClient(server)
    let good = TestClient.frame(TestClient.hello(server.token("u")))
    try client.socket.send(
      TestClient.frame(TestClient.hello("x.y.z")) + good + TestClient.frame(TestClient.join("algebra", id: 1)))
    #expect(try client.receive("error")["code"]?.string == "bad_token")
    #expect(try client.awaitClose() == 4500)
    #expect(client.queue.isEmpty)
  }
}
