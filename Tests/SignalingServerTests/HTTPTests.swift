import Foundation
import Glibc
import Testing

@testable import Classroom
@testable import SignalingServer

/// HTTP over real sockets, against a server of each test's own.
@Suite("HTTP")
struct HTTPTests {
  private let server: TestServer

  init() throws { server = try TestServer() }

  // MARK: Parts

  /// One answer off a connection that may carry more of them.
  private struct Answer {
    var status: Int
    var head: String
    var body: [UInt8]
    var json: VectorJSON { get throws { try VectorJSON(parsing: Data(body)) } }
  }

  private func answers(_ bytes: [UInt8], isHead: Bool = false) throws -> [Answer] {
    var rest = bytes[...]
    var answers: [Answer] = []
    while let end = rest.firstRange(of: Array("\r\n\r\n".utf8)) {
      let head = String(decoding: rest[..<end.upperBound], as: UTF8.self)
      let status = try #require(head.split(separator: " ").dropFirst().first.flatMap { Int($0) })
      rest = rest[end.upperBound...]
      var length = 0
      if let field = head.lowercased().firstRange(of: "content-length: "), !isHead {
        length = try #require(Int(head[field.upperBound...].prefix { $0.isNumber }))
      }
      guard rest.count >= length else { throw VectorFailure("an answer is cut off") }
      answers.append(Answer(status: status, head: head, body: Array(rest.prefix(length))))
      rest = rest.dropFirst(length)
    }
    #expect(rest.isEmpty, "bytes behind the last answer")
    return answers
  }

  /// What the server says to these bytes until it closes.
  private func exchange(_ text: String, isHead: Bool = false, finishing: Bool = false) throws -> [Answer] {
    let socket = try TestSocket(port: server.port)
    try socket.send(text)
    if finishing { socket.finishSending() }
    return try answers(try socket.receiveAll(), isHead: isHead)
  }

  // MARK: What cannot be understood

  @Test(
    "what is malformed is answered with 400, and nothing behind it is looked at",
    arguments: [
      "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\nHost: a\n\n", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
      "\u{16}\u{03}\u{01}",
      "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",
      "POST /health HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "POST /health HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", "GET / HTTQ/1.1\r\nHost: a\r\n\r\n",
    ])
  func malformed(_ request: String) throws {
    let answers = try exchange(request + "GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
    let answer = try #require(answers.first)
    #expect(answers.count == 1 && answer.status == 400)
    #expect(answer.head.contains("Connection: close"))
    #expect(try answer.json["error"]?["code"]?.string == "bad_request")
  }

  @Test("each limit has its status")
  func limits() throws {
    let long = String(repeating: "x", count: 20_000)
    for (status, code, request) in [
      (413, "payload_too_large", "POST /api/sessions/ HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n"),
      (413, "payload_too_large", "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n"),
      (
        413, "payload_too_large",
        "POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2000000\r\n\r\n"
      ),
      (414, "uri_too_long", "GET /\(long) HTTP/1.1\r\nHost: a\r\n\r\n"),
      (431, "header_too_large", "GET / HTTP/1.1\r\nHost: a\r\nX: \(long)\r\n\r\n"),
      (
        431, "header_too_large",
        "GET / HTTP/1.1\r\nHost: a\r\n\(String(repeating: "X: y\r\n", count: 200))\r\n"
      ),
      (501, "not_implemented", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n"),
      (505, "version_not_supported", "GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
    ] {
      let answers = try exchange(request)
      #expect(answers.map(\.status) == [status])
      #expect(try answers.first?.json["error"]?["code"]?.string == code)
    }
  }

  @Test("a body that arrives after its refusal does not take the answer away")
  func refusedBody() throws {
    let socket = try TestSocket(port: server.port)
    try socket.send("POST /api/sessions/ HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n")
    for _ in 0..<20 { try socket.send([UInt8](repeating: 0x20, count: 100_000)) }
    #expect(try answers(try socket.receiveAll()).map(\.status) == [413])
  }

  @Test(
    "unknown paths are 404",
    arguments: [
      "/nothing", "/api", "/api/sessions/a/b/c", "/api/sessions/a/grow/", "/ws/", "/echo", "/..", "//", "/health/",
      "/api/sessions//", "/api/sessions//start/",
    ])
  func unknownPath(_ path: String) throws {
    let answer = try server.get(path, as: server.token("u"))
    #expect(answer.status == 404)
    #expect(try answer.json["error"]?["code"]?.string == "not_found")
  }

  @Test(
    "another method is answered with 405 and Allow",
    arguments: [
      ("DELETE", "/health", "GET, HEAD, OPTIONS"), ("POST", "/", "GET, HEAD"),
      ("PUT", "/api/sessions/", "GET, HEAD, POST, OPTIONS"), ("GET", "/api/sessions/a/start", "POST, OPTIONS"),
      ("PUT", "/api/sessions/upcoming/", "GET, HEAD, OPTIONS"),
      ("POST", "/api/sessions/a/attendance/", "GET, HEAD, OPTIONS"),
      ("POST", "/api/live/status/a/", "GET, HEAD, OPTIONS"), ("get", "/health", "GET, HEAD, OPTIONS"),
    ])
  func method(_ method: String, _ path: String, _ allowed: String) throws {
    let answer = try VectorHTTPResponse(method, path, headers: [:], body: nil, port: server.port)
    #expect(answer.status == 405 && answer.headers["allow"] == allowed)
    #expect(try answer.json["error"]?["code"]?.string == "method_not_allowed")
  }

  // MARK: Who may what

  @Test("without a token it is 401, with a bad one too, and the answer says how")
  func unauthorized() throws {
    for authorization in [nil, "", "Bearer", "Bearer x", "Basic dTpw", "Bearer  "] {
      let headers = authorization.map { ["Authorization": $0] } ?? [:]
      let answer = try server.get("/api/sessions/", headers: headers)
      #expect(answer.status == 401 && answer.headers["www-authenticate"] == "Bearer")
    }
    let token = server.token("u")
    #expect(try server.get("/api/sessions/", headers: ["Authorization": "bEARER \(token)"]).status == 200)
    let twice =
      "GET /api/sessions/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
      + String(repeating: "Authorization: Bearer \(token)\r\n", count: 2) + "\r\n"
    #expect(try exchange(twice).map(\.status) == [401])
  }

  @Test("hidden and unknown sessions look alike, to the byte")
  func hiddenOrUnknown() throws {
    try server.createSession("secret", fields: ["visibility": .string("members"), "admission": .string("approval")])
    for (method, path) in [
      ("GET", "/api/sessions/ID/"), ("POST", "/api/sessions/ID/start/"), ("POST", "/api/sessions/ID/end/"),
      ("POST", "/api/sessions/ID/join/"), ("GET", "/api/sessions/ID/attendance/"), ("GET", "/api/live/status/ID/"),
    ] {
      for token in [server.token("stranger"), server.token("other", role: .host), server.token("x", session: "other")] {
        let answers = try ["secret", "absent", "not%20an%20id"].map { id in
          try VectorHTTPResponse(
            method, path.replacingOccurrences(of: "ID", with: id), headers: ["Authorization": "Bearer \(token)"],
            body: nil, port: server.port)
        }
        #expect(answers[0].status == (path.contains("live") ? 200 : 404))
        for other in answers.dropFirst() {
          #expect(other.status == answers[0].status && other.body == answers[0].body, "\(method) \(path)")
          #expect(other.headers.keys.sorted() == answers[0].headers.keys.sorted())
        }
      }
    }
  }

  @Test("what is visible and not allowed is 403")
  func forbidden() throws {
    try server.createSession("algebra", fields: ["admission": .string("approval")])
    #expect(try server.post("/api/sessions/algebra/start/", as: server.token("u")).status == 403)
    #expect(try server.post("/api/sessions/algebra/join/", as: server.token("u")).status == 403)
    #expect(
      try server.post("/api/sessions/", as: server.token("u"), body: .object(["title": .string("T")])).status == 403)
  }

  @Test("the live status is 200 to everybody")
  func liveStatus() throws {
    try server.createSession("algebra")
    try server.startSession("algebra")
    for token in [nil, "stale", server.token("x", session: "other")] {
      let answer = try server.get("/api/live/status/algebra/", as: token)
      #expect(answer.status == 200)
      #expect(try answer.json["room_name"] == .null)
    }
    let member = try server.get("/api/live/status/algebra/", as: server.token("u")).json
    #expect(member["is_active"] == .bool(true) && member["room_name"]?.string?.hasPrefix("algebra_") == true)
  }

  @Test("the live status of an id that cannot exist is that of no session", arguments: ["a%20b", "%F0%9F%98%80"])
  func liveStatusOfNothing(_ id: String) throws {
    try server.createSession("-")
    let answer = try server.get("/api/live/status/\(id)/", as: server.token("u"))
    #expect(answer.status == 200)
    #expect(try answer.json["status"] == .null)
  }

  @Test(
    "a 422 names the field",
    arguments: [
      ("title", #"{}"#), ("title", #"{"title":null}"#), ("title", #"{"title":7}"#), ("title", #"{"title":"  "}"#),
      ("id", #"{"title":"T","id":"a b"}"#), ("id", #"{"title":"T","id":"../x"}"#),
      ("kind", #"{"title":"T","kind":"tv"}"#),
      ("capacity", #"{"title":"T","capacity":0}"#), ("capacity", #"{"title":"T","capacity":1.5}"#),
      ("capacity", #"{"title":"T","capacity":1e300}"#), ("duration_minutes", #"{"title":"T","duration_minutes":-1}"#),
      ("scheduled_at", #"{"title":"T","scheduled_at":"tomorrow"}"#),
      ("scheduled_at", #"{"title":"T","scheduled_at":"1999-01-01T00:00:00Z"}"#),
      ("guests", #"{"title":"T","guests":"no"}"#),
      ("admission", #"{"title":"T","admission":""}"#), ("visibility", #"{"title":"T","visibility":[]}"#),
      ("time_zone", #"{"title":"T","time_zone":"<b>"}"#),
    ])
  func fields(_ field: String, _ body: String) throws {
    let answer = try VectorHTTPResponse(
      "POST", "/api/sessions/", headers: ["Authorization": "Bearer \(server.token("t", role: .host))"],
      body: Array(body.utf8), port: server.port)
    #expect(answer.status == 422)
    #expect(try answer.json["error"]?["details"]?["field"]?.string == field)
  }

  @Test(
    "a body that is no JSON object is 400",
    arguments: ["", "x", "[]", "null", #"{"title":"T","title":"U"}"#, "{\"title\":\"\u{0}\"}"])
  func bodies(_ body: String) throws {
    let answer = try VectorHTTPResponse(
      "POST", "/api/sessions/", headers: ["Authorization": "Bearer \(server.token("t", role: .host))"],
      body: Array(body.utf8), port: server.port)
    #expect(answer.status == 400)
    #expect(try answer.json["error"]?["code"]?.string == "malformed_json")
  }

  @Test(
    "the list refuses what it does not know, naming it",
    arguments: [
      ("status", "status=open"), ("limit", "limit=0"), ("limit", "limit=101"), ("limit", "limit=x"),
      ("cursor", "cursor=x"),
    ])
  func listQueries(_ field: String, _ query: String) throws {
    let answer = try server.get("/api/sessions/?\(query)", as: server.token("u"))
    #expect(answer.status == 422)
    #expect(try answer.json["error"]?["details"]?["field"]?.string == field)
  }

  // MARK: Idempotency

  private func create(
    _ body: String, key: String?, user: String = "teacher", on server: TestServer
  ) throws -> VectorHTTPResponse {
    var headers = ["Authorization": "Bearer \(server.token(user, role: .host))"]
    headers["Idempotency-Key"] = key
    return try VectorHTTPResponse("POST", "/api/sessions/", headers: headers, body: Array(body.utf8), port: server.port)
  }

  @Test("a repeated creation with the same key gives the same session, also after a restart", arguments: [1, 4])
  func keyedCreation(_ loops: Int) throws {
    var server = try TestServer(loops: loops)
    let first = try create(#"{"title":"T"}"#, key: "k", on: server)
    let id = try #require(try first.json["id"]?.string)
    #expect(first.status == 201)
    for isRestarted in [false, true] {
      if isRestarted {
        server.stop()
        server = try TestServer(loops: loops, folder: server.folder)
      }
      let again = try create(#"{"title":"T"}"#, key: "k", on: server)
      #expect(again.status == 201 && again.body == first.body)
      let sessions = try server.get("/api/sessions/", as: server.token("teacher", role: .host)).json["sessions"]
      #expect(sessions?.array?.count == 1)
    }
    #expect(try server.post("/api/sessions/\(id)/start/", as: server.token("teacher", role: .host)).status == 200)
    let live = try create(#"{"title":"T"}"#, key: "k", on: server)
    #expect(try live.status == 201 && live.json["status"]?.string == "ongoing", "the session as it is now")
    let other = try create(#"{"title":"U"}"#, key: "k", on: server)
    #expect(try other.status == 400 && other.json["error"]?["code"]?.string == "key_conflict")
  }

  @Test("a key of a creation belongs to its user; without a key every creation makes a session")
  func creationKeysOfOthers() throws {
    let answers = try [
      create(#"{"title":"T"}"#, key: "k", on: server), create(#"{"title":"T"}"#, key: "k", user: "other", on: server),
      create(#"{"title":"T"}"#, key: "l", on: server), create(#"{"title":"T"}"#, key: nil, on: server),
      create(#"{"title":"T"}"#, key: nil, on: server),
    ]
    #expect(answers.allSatisfy { $0.status == 201 })
    #expect(Set(try answers.map { try $0.json["id"]?.string }).count == answers.count)
    #expect(try create(#"{"title":"T"}"#, key: "", on: server).status == 422)
  }

  @Test("a creation that names its id is repeated with the key, and refused without")
  func keyedCreationWithID() throws {
    let body = #"{"id":"algebra","title":"T"}"#
    let first = try create(body, key: "k", on: server)
    let again = try create(body, key: "k", on: server)
    #expect(first.status == 201 && again.status == 201 && first.body == again.body)
    for (key, user) in [(nil, "teacher"), ("l", "teacher"), ("k", "other")] {
      let refused = try create(body, key: key, user: user, on: server)
      #expect(try refused.status == 400 && refused.json["error"]?["code"]?.string == "session_exists")
    }
  }

  // MARK: Connections

  @Test("pipelined requests are answered in their order, whichever loop they need", arguments: [1, 2, 4])
  func pipelining(_ loops: Int) throws {
    let server = try TestServer(loops: loops)
    let token = server.token("teacher", role: .host)
    var text = ""
    var expected: [String] = []
    for number in 0..<60 {
      let body = #"{"id":"s\#(number)","title":"T"}"#
      text +=
        "POST /api/sessions/ HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(token)\r\nContent-Length: \(body.count)\r\n\r\n\(body)"
      text += "GET /api/sessions/s\(number) HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(token)\r\n\r\n"
      text += "GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
      expected += ["201 s\(number)", "200 s\(number)", "200 "]
    }
    text += "GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /health HTTP/1.1\r\nHost: a\r\n\r\n"
    let socket = try TestSocket(port: server.port)
    try socket.send(text)
    let seen = try answers(try socket.receiveAll()).map { "\($0.status) \(try $0.json["id"]?.string ?? "")" }
    #expect(seen == expected + ["404 "])
  }

  @Test("a request may come byte by byte")
  func bytewise() throws {
    let socket = try TestSocket(port: server.port)
    let body = #"{"id":"slow","title":"T"}"#
    let token = server.token("teacher", role: .host)
    let request =
      "POST /api/sessions/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer \(token)\r\nTransfer-Encoding: chunked\r\n\r\n"
      + "\(String(body.count, radix: 16))\r\n\(body)\r\n0\r\n\r\n"
    for byte in request.utf8 { try socket.send([byte]) }
    #expect(try answers(try socket.receiveAll()).map(\.status) == [201])
  }

  @Test("HTTP/1.1 keeps the connection, HTTP/1.0 only when asked")
  func keepAlive() throws {
    let old = try exchange("GET /health HTTP/1.0\r\n\r\nGET /health HTTP/1.0\r\n\r\n")
    #expect(old.map(\.status) == [200])
    let kept = try exchange(
      "GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /health HTTP/1.1\r\nHost: a\r\n\r\n"
        + "GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    #expect(kept.count == 3)
    #expect(kept.map { $0.head.contains("Connection: keep-alive") } == [true, true, false])
  }

  @Test(
    "HEAD has the head of GET and no body",
    arguments: ["/", "/health", "/nothing", "/api/sessions/", "/api/sessions/algebra/"])
  func head(_ path: String) throws {
    try server.createSession("algebra")
    let headers = ["Authorization": "Bearer \(server.token("u"))"]
    let get = try VectorHTTPResponse("GET", path, headers: headers, body: nil, port: server.port)
    let head = try VectorHTTPResponse("HEAD", path, headers: headers, body: nil, port: server.port)
    #expect(head.status == get.status && head.body.isEmpty && !get.body.isEmpty)
    #expect(head.headers["content-length"] == "\(get.body.count)")
    #expect(head.headers.keys.sorted() == get.headers.keys.sorted())
  }

  @Test("who expects 100 Continue gets it, before the answer")
  func expectContinue() throws {
    let socket = try TestSocket(port: server.port)
    let body = #"{"title":"T"}"#
    try socket.send(
      "POST /api/sessions/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\n"
        + "Authorization: Bearer \(server.token("t", role: .host))\r\nContent-Length: \(body.count)\r\n\r\n")
    #expect(try socket.receive() == Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
    try socket.send(body)
    #expect(try answers(try socket.receiveAll()).map(\.status) == [201])
  }

  @Test("a client that closes its half is answered", arguments: [1, 4])
  func halfClosed(_ loops: Int) throws {
    let server = try TestServer(loops: loops)
    let token = server.token("teacher", role: .host)
    for number in 0..<20 {
      let body = #"{"id":"s\#(number)","title":"T"}"#
      let socket = try TestSocket(port: server.port)
      try socket.send(
        "POST /api/sessions/ HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(token)\r\nContent-Length: \(body.count)\r\n\r\n\(body)"
      )
      socket.finishSending()
      #expect(try answers(try socket.receiveAll()).map(\.status) == [201])
    }
  }

  @Test("pipelined requests of a client that does not read are answered as it reads")
  func unreadAnswers() throws {
    let socket = try TestSocket(port: server.port, receiveBytes: 4096)
    let request = Array("GET /sdk/client.js HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
    // The server takes in what it can answer, and then no more: not all of this.
    let flood = Array(repeating: request, count: 400_000).flatMap { $0 }
    var sent = 0
    while sent < flood.count, socket.isReady(for: POLLOUT, within: 1000) {
      let count = socket.sendSome(flood[sent..<min(flood.count, sent + 65_536)])
      if count > 0 { sent += count }
    }
    #expect(sent < flood.count)
    // Others are not held up, and what was asked for comes: here the first hundred.
    #expect(try server.get("/health").status == 200)
    let whole = try #require(try server.get("/sdk/client.js").headers["content-length"].flatMap { Int($0) }) + 1000
    var received: [UInt8] = []
    while received.count < 100 * whole { received += try #require(try socket.receive()) }
    let heads = String(decoding: received, as: UTF8.self).components(separatedBy: "HTTP/1.1 200 OK\r\n").count - 1
    #expect(heads >= 100)
    socket.reset()
  }

  // MARK: Time

  @Test(
    "a request that does not come in in time is cut",
    arguments: ["", "G", "GET / HTTP/1.1\r\nHost: a\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n1"])
  func slowRequest(_ beginning: String) throws {
    let server = try TestServer(loops: 1) { $0.patience.request = 50 }
    let socket = try TestSocket(port: server.port)
    try socket.send(beginning)
    #expect(try socket.receiveAll() == [])
  }

  @Test("a later request that comes in slowly is cut at its deadline, an idle connection is kept for longer")
  func slowLaterRequest() throws {
    let server = try TestServer(loops: 1) {
      $0.patience.request = 50
      $0.patience.idle = 60_000
    }
    let health = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
    let (slow, idle) = (try TestSocket(port: server.port), try TestSocket(port: server.port))
    for socket in [slow, idle] {
      try socket.send(health)
      _ = try socket.receive()
    }
    try slow.send("GET /hea")
    #expect(try slow.receiveAll() == [], "it is cut, after the idle one has been idle for longer")
    try idle.send(health)
    #expect(try idle.receive() != nil)
  }

  @Test("an idle connection is closed in time")
  func idle() throws {
    let server = try TestServer(loops: 1) { $0.patience.idle = 50 }
    let socket = try TestSocket(port: server.port)
    try socket.send("GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(try answers(try socket.receiveAll()).map(\.status) == [200])
  }

  // MARK: Headers and files

  @Test(
    "every answer carries the security headers",
    arguments: [
      "GET / HTTP/1.1\r\nHost: a", "GET /nothing HTTP/1.1\r\nHost: a", "GET /api/sessions/ HTTP/1.1\r\nHost: a",
      "GET /ws HTTP/1.1\r\nHost: a", "PUT /health HTTP/1.1\r\nHost: a", "bad", "GET /health HTTP/1.1\r\nHost: a",
    ])
  func securityHeaders(_ request: String) throws {
    let answer = try #require(try exchange(request + "\r\nConnection: close\r\n\r\n").first)
    #expect(answer.head.contains("X-Content-Type-Options: nosniff\r\n"))
    #expect(answer.head.contains("Referrer-Policy: no-referrer\r\n"))
    #expect(answer.head.contains("\r\nDate: "))
  }

  @Test(
    "the page's files come with their type and a policy that allows nothing from elsewhere",
    arguments: [
      ("/", "text/html"), ("/sdk/index.js", "text/javascript"), ("/app/main.js", "text/javascript"),
      ("/styles/base.css", "text/css"), ("/icon.svg", "image/svg+xml"), ("/?session=x", "text/html"),
    ])
  func files(_ path: String, _ type: String) throws {
    let answer = try server.get(path)
    #expect(answer.status == 200 && answer.headers["content-type"]?.hasPrefix(type) == true)
    let policy = try #require(answer.headers["content-security-policy"])
    #expect(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"))
    #expect(!policy.contains("unsafe") && !policy.contains("*"))
    #expect(answer.headers["permissions-policy"] != nil)
  }

  @Test("answers of the API are not stored, and have no error in them that names what is inside")
  func noStore() throws {
    #expect(try server.get("/health").headers["cache-control"] == "no-store")
    #expect(try server.get("/ready").status == 200)
  }
}
