import EventLoop
import Foundation
import Testing
import WebSocketCore

@testable import SignalingServer

/// Each limit, set low: exactly at it all is well, one more is refused as its row of the table says, and counted.
@Suite("Limits")
struct LimitTests {
  private func count(_ limit: Limit, at server: TestServer) throws -> Int {
    try Exposition(of: server).value("rollcall_limit_reached_total", ["limit": limit.rawValue])
  }

  private func answer(_ server: TestServer, _ head: String, body: [UInt8] = []) throws -> VectorHTTPResponse {
    try VectorHTTPResponse(to: Array((head + "Connection: close\r\n\r\n").utf8) + body, port: server.port)
  }

  private func code(_ response: VectorHTTPResponse) throws -> String? { try response.json["error"]?["code"]?.string }

  /// Says it so many times at once, and waits until it is said.
  private func say(_ text: String, _ count: Int, from speaker: TestClient, after id: inout Int) throws {
    let ids = (id + 1)...(id + count)
    try speaker.socket.send(ids.flatMap { TestClient.frame(#"{"type":"chat.send","id":\#($0),"text":"\#(text)"}"#) })
    id += count
    try speaker.answer(to: id)
  }

  // MARK: The table

  @Test("the README has the table of the code")
  func readme() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let readme = try String(contentsOf: root.appendingPathComponent("README.md"), encoding: .utf8)
    #expect(readme.contains("\n\(Limit.table)\n"), "\(Limit.table)")
  }

  @Test("every setting is one of a limit, has a default in its range, and can be set")
  func settings() {
    let options = Limit.allCases.flatMap { $0.settings.map(\.option) }
    #expect(Set(options).count == options.count)
    for setting in Limit.allCases.flatMap(\.settings) {
      #expect(setting.range.contains(setting.defaultValue), "\(setting.option)")
      var configuration = ServerConfiguration(dataFolder: "", secret: [], loops: 1)
      for value in [setting.range.lowerBound, setting.range.upperBound] {
        setting.set(value, in: &configuration)
        #expect(setting.value(in: configuration) == value, "\(setting.option)")
      }
    }
  }

  // MARK: HTTP

  @Test("request_line_bytes: 414")
  func requestLine() throws {
    let server = try TestServer { $0.limits.requestLineBytes = 200 }
    let shell = "GET / HTTP/1.1".utf8.count
    for (extra, status) in [(0, 404), (1, 414)] {
      let path = String(repeating: "x", count: 200 - shell + extra)
      let response = try answer(server, "GET /\(path) HTTP/1.1\r\nHost: a\r\n")
      #expect(response.status == status)
      if status == 414 { #expect(try code(response) == "uri_too_long") }
    }
    #expect(try count(.requestLineBytes, at: server) == 1)
  }

  @Test("header_bytes and header_count: 431")
  func header() throws {
    let server = try TestServer {
      $0.limits.headerBytes = 600
      $0.limits.headerCount = 10
    }
    let rest = "Host: a\r\nConnection: close\r\nX: \r\n".utf8.count
    for (extra, status) in [(0, 200), (1, 431)] {
      let value = String(repeating: "x", count: 600 - rest + extra)
      let response = try answer(server, "GET /health HTTP/1.1\r\nHost: a\r\nX: \(value)\r\n")
      #expect(response.status == status)
      if status == 431 { #expect(try code(response) == "header_too_large") }
    }
    #expect(try count(.headerBytes, at: server) == 1)
    for (extra, status) in [(0, 200), (1, 431)] {
      let fields = String(repeating: "A: b\r\n", count: 8 + extra)
      #expect(try answer(server, "GET /health HTTP/1.1\r\nHost: a\r\n\(fields)").status == status)
    }
    #expect(try count(.headerCount, at: server) == 1)
  }

  @Test("body_bytes: 413, announced or in chunks")
  func body() throws {
    let server = try TestServer { $0.limits.bodyBytes = 1024 }
    for (extra, status) in [(0, 401), (1, 413)] {
      let body = [UInt8](repeating: UInt8(ascii: " "), count: 1024 + extra)
      let head = "POST /api/sessions/ HTTP/1.1\r\nHost: a\r\n"
      #expect(try answer(server, head + "Content-Length: \(body.count)\r\n", body: body).status == status)
      let chunks = Array("\(String(body.count, radix: 16))\r\n".utf8) + body + Array("\r\n0\r\n\r\n".utf8)
      #expect(try answer(server, head + "Transfer-Encoding: chunked\r\n", body: chunks).status == status)
    }
    #expect(try count(.bodyBytes, at: server) == 2)
  }

  @Test("handshake_time: a header that comes byte by byte is cut at its time, however lively")
  func slowHeader() throws {
    let clock = ManualClock()
    let server = try TestServer(loops: 1) { $0.manualClock = clock }
    let slow = try TestSocket(port: server.port)
    let honest = try TestClient(server, as: server.token("u"))
    for byte in Array("GET".utf8) {
      try slow.send([byte])
      // What the loop hears now comes after the byte.
      try honest.ask(#"{"type":"ping","id":1}"#, id: 1)
      clock.advance(byMilliseconds: 1600)
      try honest.ask(#"{"type":"ping","id":1}"#, id: 1)
      #expect(!slow.isReady(for: POLLIN, within: 0), "4.8 s are not 5")
    }
    try slow.send(" ")
    clock.advance(byMilliseconds: 700)
    #expect(try slow.receiveAll() == [])
    #expect(try count(.handshakeTime, at: server) == 1)
    try honest.ask(#"{"type":"ping","id":2}"#, id: 2)
  }

  @Test("idle_time: a connection without a further request is cut at its time")
  func idle() throws {
    let clock = ManualClock()
    let server = try TestServer(loops: 1) { $0.manualClock = clock }
    let idle = try TestSocket(port: server.port)
    try idle.send("GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
    _ = try idle.receive()
    clock.advance(byMilliseconds: 59_999)
    #expect(try server.get("/health").status == 200)
    #expect(!idle.isReady(for: POLLIN, within: 0))
    clock.advance(byMilliseconds: 501)
    #expect(try idle.receiveAll() == [])
    #expect(try count(.idleTime, at: server) == 1)
  }

  // MARK: WebSocket

  @Test("hello_time and silence are counted")
  func times() throws {
    let clock = ManualClock()
    let server = try TestServer(loops: 1) { $0.manualClock = clock }
    let mute = try TestClient(server)
    let dead = try TestClient(server, as: server.token("u"))
    clock.advance(byMilliseconds: 5001)
    #expect(try mute.awaitClose() == 4005)
    #expect(try count(.helloTime, at: server) == 1)
    clock.advance(byMilliseconds: 25_000)
    while dead.pingCount == 0 { try dead.readMore() }
    clock.advance(byMilliseconds: 25_001)
    #expect(try dead.awaitClose() == 4002)
    #expect(try count(.silence, at: server) == 1)
  }

  @Test("message_bytes: 1009, and welcome says so")
  func messageBytes() throws {
    let server = try TestServer { $0.limits.messageBytes = 20_000 }
    let client = try TestClient(server)
    #expect(try client.receive("welcome")["limits"]?["message_bytes"] == .number(20_000))
    let shell = #"{"type":"ping","id":1,"x":""}"#.utf8.count
    let largest = #"{"type":"ping","id":1,"x":"\#(String(repeating: "x", count: 20_000 - shell))"}"#
    #expect(try client.ask(largest, id: 1)["type"]?.string == "pong")
    try client.send(largest + " ")
    #expect(try client.awaitClose() == 1009)
    #expect(try count(.messageBytes, at: server) == 1)
  }

  @Test("inflated_bytes: 1009, by default as large as any message")
  func inflatedBytes() throws {
    for (setting, most) in [(0, 65_536), (2000, 2000)] {
      let server = try TestServer { $0.limits.inflatedBytes = setting }
      let client = try FrameClient(server, offer: "permessage-deflate")
      let shell = #"{"type":"ping","id":1,"x":""}"#.utf8.count
      let largest = #"{"type":"ping","id":1,"x":"\#(String(repeating: "x", count: most - shell))"}"#
      try client.sendCompressed(Array(largest.utf8))
      _ = try client.next { String(decoding: $0.payload, as: UTF8.self).contains("\"pong\"") }
      try client.sendCompressed(Array((largest + " ").utf8))
      #expect(try client.awaitClose() == 1009)
      #expect(try count(.inflatedBytes, at: server) == 1)
      #expect(try count(.messageBytes, at: server) == 0)
    }
  }

  @Test("message_fragments: 1008, empty ones counted")
  func fragments() throws {
    let server = try TestServer { $0.limits.messageFragments = 5 }
    let client = try TestClient(server)
    let text = Array(#"{"type":"ping","id":1}"#.utf8)
    func message(_ empty: Int) -> [UInt8] {
      TestClient.frame(.text, text, isFinal: false)
        + (0..<empty).flatMap { _ in TestClient.frame(.continuation, [], isFinal: false) }
        + TestClient.frame(.continuation, [])
    }
    try client.socket.send(message(3))
    try client.answer(to: 1)
    try client.socket.send(message(4))
    #expect(try client.awaitClose() == 1008)
    #expect(try count(.messageFragments, at: server) == 1)
  }

  @Test("message_rate: the burst passes, one more is refused with the time to wait, who goes on is closed with 4006")
  func messageRate() throws {
    let clock = ManualClock()
    let server = try TestServer {
      $0.manualClock = clock
      $0.limits.messageRate = 10
      $0.limits.messageBurst = 5
    }
    let client = try TestClient(server)
    let limits = try client.receive("welcome")["limits"]
    #expect(limits?["messages_per_second"] == .number(10) && limits?["message_burst"] == .number(5))
    func ask(_ id: Int) throws -> VectorJSON { try client.ask(#"{"type":"ping","id":\#(id)}"#, id: id) }
    for id in 1...5 { #expect(try ask(id)["type"]?.string == "pong") }
    let refusal = try ask(6)
    #expect(refusal["code"]?.string == "rate_limited")
    #expect(refusal["retryable"] == .bool(true))
    #expect(refusal["details"]?["retry_after_ms"] == .number(200))
    clock.advance(byMilliseconds: 200)
    #expect(try ask(7)["type"]?.string == "pong")
    for id in 8...12 { #expect(try ask(id)["code"]?.string == "rate_limited") }
    try client.send(#"{"type":"ping","id":13}"#)
    #expect(try client.awaitClose() == 4006)
    #expect(try count(.messageRate, at: server) == 7)
  }

  @Test("message_rate: what is refused is not done, also when it comes pipelined")
  func refusedIsNotDone() throws {
    let clock = ManualClock()
    let server = try TestServer {
      $0.manualClock = clock
      $0.limits.messageRate = 1
      $0.limits.messageBurst = 4
    }
    try server.createSession("algebra")
    try server.startSession("algebra")
    let client = try TestClient(server, as: server.token("u"))
    try client.join("algebra")
    try client.socket.send((2...6).flatMap { TestClient.frame(#"{"type":"chat.send","id":\#($0),"text":"\#($0)"}"#) })
    var outcomes: [Int: String] = [:]
    while outcomes.count < 5 {
      let message = try client.next()
      if let id = message["id"]?.integer { outcomes[id] = message["code"]?.string ?? message["type"]?.string }
    }
    #expect(outcomes == [2: "ok", 3: "ok", 4: "rate_limited", 5: "rate_limited", 6: "rate_limited"])
    clock.advance(byMilliseconds: 60_000)
    let reader = try TestClient(server, as: server.token("reader"))
    let chat = try reader.join("algebra")["chat"]?["messages"]?.array
    #expect(chat?.compactMap { $0["text"]?.string } == ["2", "3"])
  }

  @Test("user_message_rate: two tabs share it, on whichever loops they are; others have their own", arguments: [1, 2])
  func userRate(_ loops: Int) throws {
    let clock = ManualClock()
    let server = try TestServer(loops: loops) {
      $0.manualClock = clock
      $0.limits.userMessageRate = 1
      $0.limits.userMessageBurst = 4
    }
    // Who says hello is not known before, so that a hello does not count.
    let tabs = try (0..<4).map { _ in try TestClient(server, as: server.token("ada")) }
    for (id, tab) in tabs.enumerated() {
      #expect(try tab.ask(#"{"type":"ping","id":\#(id)}"#, id: id)["type"]?.string == "pong")
    }
    #expect(try tabs[0].ask(#"{"type":"ping","id":9}"#, id: 9)["code"]?.string == "rate_limited")
    let other = try TestClient(server, as: server.token("bo"))
    #expect(try other.ask(#"{"type":"ping","id":1}"#, id: 1)["type"]?.string == "pong")
    #expect(try count(.userMessageRate, at: server) == 1)
  }

  @Test("a rate follows the connection to the loop of its room")
  func rateMoves() throws {
    let clock = ManualClock()
    let server = try TestServer(loops: 2) {
      $0.manualClock = clock
      $0.limits.messageRate = 1
      $0.limits.messageBurst = 5
    }
    for loop in 0..<2 {
      let session = server.sessionID(onLoop: loop)
      try server.createSession(session)
      let client = try TestClient(server, as: server.token("u\(loop)"))
      try client.join(session)
      for id in 2...4 { #expect(try client.ask(#"{"type":"ping","id":\#(id)}"#, id: id)["type"]?.string == "pong") }
      #expect(try client.ask(#"{"type":"ping","id":5}"#, id: 5)["code"]?.string == "rate_limited")
    }
  }

  @Test("control_frame_rate: 4006", arguments: [WebSocketOpcode.ping, .pong])
  func controlFrames(_ opcode: WebSocketOpcode) throws {
    let clock = ManualClock()
    let server = try TestServer {
      $0.manualClock = clock
      $0.limits.controlFrameRate = 1
      $0.limits.controlFrameBurst = 5
    }
    let client = try TestClient(server)
    try client.socket.send((0..<5).flatMap { _ in TestClient.frame(opcode, [1]) })
    try client.ask(#"{"type":"ping","id":1}"#, id: 1)
    #expect(client.close == nil && client.pongs.count == (opcode == .ping ? 5 : 0))
    try client.socket.send(TestClient.frame(opcode, [1]))
    #expect(try client.awaitClose() == 4006)
    #expect(try count(.controlFrameRate, at: server) == 1)
  }

  @Test("outbound_bytes: who does not read is closed with 4001, and what waits is bounded")
  func outbound() throws {
    let server = try TestServer(loops: 1) { $0.limits.outboundBytes = 20_000 }
    try server.createSession("algebra")
    try server.startSession("algebra")
    let slow = try TestClient(server, as: server.token("slow"), receiveBytes: 4096)
    try slow.join("algebra")
    let speaker = try TestClient(server, as: server.token("speaker"))
    try speaker.join("algebra")
    let text = String(repeating: "x", count: 4000)
    var id = 1
    var most = 0
    while try count(.outboundBytes, at: server) == 0 {
      try say(text, 50, from: speaker, after: &id)
      most = max(most, try Exposition(of: server).value("rollcall_queue_bytes"))
    }
    #expect(most <= 20_000 + 64, "and the Close behind it")
    #expect(try slow.awaitClose() == 4001)
    #expect(try Exposition(of: server).value("rollcall_closes_total", ["code": "4001"]) == 1)
  }

  // MARK: Connections

  @Test("connections: 503, and a place that is given back is taken")
  func connections() throws {
    let server = try TestServer {
      $0.limits.connections = 3
      $0.metricsAddress = ("127.0.0.1", 0)
    }
    var sockets = try (0..<3).map { _ in
      let socket = try TestSocket(port: server.port)
      // Answered, so that it has its place before the next one comes.
      try socket.send("GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
      _ = try socket.receive()
      return socket
    }
    let refused = try TestSocket(port: server.port)
    let text = String(decoding: try refused.receiveAll(), as: UTF8.self)
    #expect(text.hasPrefix("HTTP/1.1 503 ") && text.contains("\"server_full\"") && text.contains("\r\nRetry-After: "))
    // The figures can be had all the same.
    #expect(try count(.connections, at: server) == 1)
    #expect(try Exposition(of: server).value("rollcall_connections_maximum") == 3)
    sockets.removeLast()
    while try server.get("/health").status == 503 {}
    withExtendedLifetime(sockets) {}
  }

  @Test("connections_per_address: 429, on every loop together, and the place follows a connection to its room")
  func connectionsPerAddress() throws {
    let server = try TestServer(loops: 2) {
      $0.limits.connectionsPerAddress = 3
      $0.metricsAddress = ("127.0.0.1", 0)
    }
    for loop in 0..<2 { try server.createSession(server.sessionID(onLoop: loop)) }
    var clients = try (0..<3).map { try TestClient(server, as: server.token("u\($0)")) }
    for (index, client) in clients.enumerated() { try client.join(server.sessionID(onLoop: index % 2)) }
    let refused = try TestSocket(port: server.port)
    let text = String(decoding: try refused.receiveAll(), as: UTF8.self)
    #expect(text.hasPrefix("HTTP/1.1 429 ") && text.contains("\"too_many_connections\""))
    #expect(try count(.connectionsPerAddress, at: server) == 1)
    clients.removeAll()
    var status = 429
    while status == 429 { status = try server.get("/health").status }
    #expect(status == 200)
  }

  @Test("behind a trusted proxy the clients it names are counted; from others the header is nothing")
  func proxies() throws {
    func upgrade(_ server: TestServer, _ forwarded: String) throws -> (socket: TestSocket, status: String) {
      let socket = try TestSocket(port: server.port)
      try socket.send(
        "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
          + "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\nX-Forwarded-For: \(forwarded)\r\n\r\n")
      let head = String(decoding: try socket.receive() ?? [], as: UTF8.self)
      return (socket, String(head.dropFirst(9).prefix(3)))
    }
    let trusting = try TestServer {
      $0.limits.connectionsPerAddress = 2
      $0.trustedProxies = [AddressRange("127.0.0.0/8"), AddressRange("10.0.0.0/8")].compactMap { $0 }
    }
    let open = [
      try upgrade(trusting, "192.0.2.1"), try upgrade(trusting, "198.51.100.7, 192.0.2.1, 10.1.2.3"),
      try upgrade(trusting, "192.0.2.2"), try upgrade(trusting, "2001:db8::1"), try upgrade(trusting, "2001:db8::2"),
    ]
    #expect(open.map(\.status) == Array(repeating: "101", count: 5))
    #expect(try upgrade(trusting, "192.0.2.1").status == "429")
    #expect(try upgrade(trusting, "2001:db8::3").status == "429", "one /64")
    #expect(try upgrade(trusting, "2001:db8:0:1::3").status == "101")
    let distrusting = try TestServer { $0.limits.connectionsPerAddress = 2 }
    let two = [try upgrade(distrusting, "192.0.2.1"), try upgrade(distrusting, "192.0.2.2")]
    #expect(two.map(\.status) == ["101", "101"])
    #expect(try upgrade(distrusting, "192.0.2.3").status == "429", "whatever it says, it is one address")
  }

  // MARK: Coalescing

  @Test(
    "who is behind is spared presence, and is told how things stand once it has read", arguments: ["full", "count"])
  func coalescing(_ mode: String) throws {
    let server = try TestServer(loops: 1) {
      $0.shard.presenceIntervalMilliseconds = 1
      $0.shard.graceMilliseconds = 0
      $0.shard.heartbeatTimeoutMilliseconds = 0
      $0.limits.outboundBytes = 4 << 20
    }
    try server.createSession("algebra")
    try server.startSession("algebra")
    let slow = try TestClient(server, as: server.token("slow"), receiveBytes: 4096)
    try slow.ask(#"{"type":"session.join","id":1,"session":"algebra","presence":"\#(mode)"}"#, id: 1)
    let speaker = try TestClient(server, as: server.token("speaker"))
    try speaker.join("algebra")
    let text = String(repeating: "x", count: 4000)
    var (id, coalesced) = (1, 0)
    while coalesced < 5 {
      try say(text, 200, from: speaker, after: &id)
      let guest = try TestClient(server, as: server.token("guest\(id)"))
      try guest.join("algebra")
      coalesced = try Exposition(of: server).value("rollcall_coalesced_total")
    }
    // Everything said is still there to read, and behind it the presence of now.
    var texts = 0
    while true {
      let state = try slow.await { message in
        if message["type"]?.string == "chat.message" { texts += 1 }
        return message["type"]?.string == "presence.state"
      }
      #expect(texts == id - 1)
      #expect(state["mode"]?.string == mode)
      if mode == "full" { #expect(state["participants"]?.array?.count == state["count"]?.integer) }
      if state["count"]?.integer == 2 { break }
      // The guests have gone; the last of that may come as a diff.
      let last = try slow.await { $0["count"]?.integer == 2 }
      #expect(["presence.diff", "presence.count", "presence.state"].contains(last["type"]?.string))
      break
    }
  }
}
