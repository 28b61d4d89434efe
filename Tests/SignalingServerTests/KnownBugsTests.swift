import Foundation
import Glibc
import Testing
import WebSocketCore
import WebSocketDeflate

@testable import SignalingServer

/// Bugs that other servers had, each tried on this one.
@Suite("Known bugs of others")
struct KnownBugsTests {
  /// The status that a request to upgrade with these fields is answered with.
  private func upgrade(_ server: TestServer, _ fields: String) throws -> Int? {
    let head =
      "GET /ws HTTP/1.1\r\nHost: rollcall.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      + "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\nSec-WebSocket-Version: 13\r\n\(fields)\r\n"
    let socket = try TestSocket(port: server.port)
    try socket.send(head)
    return Int(String(decoding: try socket.receive()?.dropFirst(9).prefix(3) ?? [], as: UTF8.self))
  }

  private func isWell(_ server: TestServer) throws -> Bool {
    let client = try TestClient(server, as: server.token("honest"))
    return try client.ask(#"{"type":"ping","id":1}"#, id: 1)["type"]?.string == "pong"
  }

  /// The processor time of this thread for one run, in milliseconds: the least of several.
  private func milliseconds(_ body: () -> Void) -> Double {
    func now() -> Double {
      var time = timespec()
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
      return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) / 1e6
    }
    return (0..<5).map { _ in
      let begin = now()
      body()
      return now() - begin
    }.min() ?? 0
  }

  @Test(
    "ws CVE-2021-32640: 16 KiB of a hostile Protocol or Extensions header cost no more than their length",
    arguments: ["Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"],
    [" ", ",", ";", "a,", "a;", "a; b=\"", "\\\"", "a b", "=", "\u{9}"])
  func hostileHeader(_ name: String, _ piece: String) {
    func fields(_ length: Int) -> [(name: String, value: String)] {
      let value = "a" + String(repeating: piece, count: length / piece.utf8.count) + "b"
      return [
        ("Host", "a"), ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), (name, value),
      ]
    }
    func cost(_ length: Int) -> Double {
      let request = WebSocketUpgradeRequest(method: "GET", isHTTP11OrLater: true, fields: fields(length))
      return milliseconds { _ = try? WebSocketHandshake.accept(request, subprotocols: ["rollcall.v1"]) }
    }
    // Four times the length: in square of it that would be sixteen times the cost.
    let (short, long) = (cost(4096), cost(16_384))
    #expect(long < max(1, short * 10), "\(short) ms, then \(long) ms")
  }

  @Test("ws CVE-2024-37890, tungstenite CVE-2023-43669: thousands of header fields, or one that is huge, are refused")
  func manyHeaders() throws {
    let server = try TestServer(loops: 1)
    #expect(try upgrade(server, String(repeating: "A: b\r\n", count: 2000)) == 431)
    #expect(try upgrade(server, "X: \(String(repeating: "x", count: 1 << 20))\r\n") == 431)
    let endless = try TestSocket(port: server.port)
    try endless.send("GET /ws HTTP/1.1\r\nX: ")
    var sent = 0
    let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 65_536)
    while !endless.isReady(for: POLLIN, within: 0), sent < 64 << 20 {
      try endless.send(piece)
      sent += piece.count
    }
    #expect(sent < 64 << 20, "it is answered before it ends")
    #expect(try isWell(server))
  }

  @Test("ws CVE-2026-48779: a message in tiny or empty fragments without end is cut off", arguments: [0, 1])
  func fragments(_ size: Int) throws {
    let server = try TestServer(loops: 1)
    let client = try TestClient(server)
    let fragment = TestClient.frame(.continuation, [UInt8](repeating: UInt8(ascii: "x"), count: size), isFinal: false)
    try client.socket.send(
      TestClient.frame(.text, [], isFinal: false) + Array(repeatElement(fragment, count: 100_000).joined()))
    #expect(try client.awaitClose() == 1008)
    #expect(try isWell(server))
  }

  @Test(
    "gorilla CVE-2020-27813: no length of 64 bits overflows anything, at the start or on top of a message",
    arguments: [UInt64.max, 1 << 63, (1 << 63) - 1, (1 << 62), 1 << 32, (1 << 63) - 65_536] as [UInt64], [false, true])
  func lengths(_ length: UInt64, _ isContinuation: Bool) throws {
    let server = try TestServer(loops: 1)
    let client = try TestClient(server)
    if isContinuation { try client.socket.send(TestClient.frame(.text, Array("x".utf8), isFinal: false)) }
    try client.socket.send(
      [isContinuation ? 0x80 : 0x81, 0xFF] + (0..<8).reversed().map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) }
        + [1, 2, 3, 4, 5])
    #expect(try client.awaitClose() == (length >> 63 == 1 ? 1002 : 1009))
    #expect(try isWell(server))
  }

  @Test(
    "socket.io-parser CVE-2022-2421: values of a wrong type, too deep, or too many, are answered and trap nothing",
    arguments: [
      "hello", "session.join", "session.leave", "session.start", "session.end", "presence.subscribe", "presence.page",
      "media.set", "chat.send", "chat.history", "signal", "ping",
    ])
  func wrongTypes(_ type: String) throws {
    let server = try TestServer(loops: 1)
    try server.createSession("algebra")
    try server.startSession("algebra")
    let client = try TestClient(server, as: server.token("teacher", role: .host))
    try client.join("algebra")
    let names = [
      "id", "key", "session", "presence", "resume", "token", "ticket", "guest", "name", "mode", "after", "audio",
      "text",
      "before", "limit", "to", "kind", "negotiation", "payload", "type",
    ]
    let values = [
      "null", "true", "-1", "1e400", "18446744073709551616", "-9223372036854775809", "0.5", "\"\"", "\"\\u0000\"", "[]",
      "{}", "[[]]", "{\"length\":-1}", "{\"__proto__\":{}}", "{\"epoch\":1,\"streams\":[],\"token\":{}}",
      "\"\(String(repeating: "x", count: 9000))\"",
      String(repeating: "[", count: 30) + String(repeating: "]", count: 30),
    ]
    for name in names {
      var burst: [UInt8] = []
      for value in values {
        let fields = name == "type" ? "\"type\":\(value)" : "\"type\":\"\(type)\",\"\(name)\":\(value)"
        burst += TestClient.frame("{\(fields)}")
      }
      try client.socket.send(burst)
    }
    let deep = String(repeating: "[", count: 30_000)
    try client.send(#"{"type":"\#(type)","payload":\#(deep)"#)
    try client.send(#"{"type":"ping","id":7777}"#)
    #expect(try client.answer(to: 7777)["type"]?.string == "pong")
    #expect(try isWell(server))
  }

  @Test("NATS CVE-2026-27571: a bomb is refused while it is inflated, before anybody has said who it is")
  func bomb() throws {
    let server = try TestServer(loops: 1)
    let client = try FrameClient(server, offer: "permessage-deflate")
    let before = try Exposition(of: server).value("process_resident_memory_bytes")
    // A thousand to one: what is inflated of it is far below what is refused.
    try client.sendCompressed(payload: MessageBomb.payload)
    #expect(try client.awaitClose() == 1009)
    #expect(try Exposition(of: server).value("process_resident_memory_bytes") - before < 16 << 20)
    #expect(try isWell(server))
  }

  @Test(
    "window bits of 0, 7, 16, nothing or text are no offer that is taken, and trap nothing",
    arguments: ["server_max_window_bits", "client_max_window_bits"],
    ["=0", "=7", "=16", "=text", "=", "=\"\"", "=-8", "=08", "=99999999999999999999", "=8.5"])
  func windowBits(_ parameter: String, _ value: String) throws {
    let server = try TestServer(loops: 1)
    let status = try upgrade(server, "Sec-WebSocket-Extensions: permessage-deflate; \(parameter)\(value)\r\n")
    #expect(status == 101 || status == 400)
    #expect(try isWell(server))
  }

  @Test("Jitsi JSA-2023-0001: who a signal or a message is from is what the server says, whatever the sender claims")
  func forgedSender() throws {
    let server = try TestServer(loops: 1)
    try server.createSession("algebra")
    try server.startSession("algebra")
    let (eve, victim) = (
      try TestClient(server, as: server.token("eve")), try TestClient(server, as: server.token("bo"))
    )
    let evePeer = try #require(try eve.join("algebra")["peer"]?.string)
    let victimPeer = try #require(try victim.join("algebra")["peer"]?.string)
    try eve.send(
      """
      {"type":"signal","to":"\(victimPeer)","kind":"offer","payload":{"from":"teacher"},"from":"\(victimPeer)",\
      "polite":false,"user":"teacher","role":"host","signal_seq":9}
      """)
    let signal = try victim.await { $0["type"]?.string == "signal" }
    #expect(signal["from"]?.string == evePeer)
    #expect(signal["signal_seq"] == .number(1))
    #expect(signal["user"] == nil && signal["role"] == nil)
    try eve.send(#"{"type":"chat.send","text":"Hi","user":"teacher","name":"Teacher","role":"host","seq":99,"at":1}"#)
    let message = try victim.await { $0["type"]?.string == "chat.message" }
    #expect(message["user"]?.string == "eve" && message["role"]?.string == "participant")
  }

  @Test("a seat that is taken is not to be had by coming back: not by a resume, not over HTTP, not after a kick-out")
  func capacity() throws {
    let server = try TestServer(loops: 1) {
      $0.shard.graceMilliseconds = 0
      $0.shard.heartbeatTimeoutMilliseconds = 0
    }
    try server.createSession("algebra", fields: ["capacity": .number(1)])
    try server.startSession("algebra")
    let first = try TestClient(server, as: server.token("ada"))
    let joined = try first.join("algebra")
    let token = try #require(joined["resume_token"]?.string)
    let epoch = try #require(joined["epoch"]?.string)
    let watcher = try TestClient(server, as: server.token("watcher", role: .observer))
    try watcher.join("algebra")
    try first.sendClose(code: 4000)
    #expect(try first.awaitEnd())
    try watcher.await { $0["left"]?.array?.contains { $0["user"]?.string == "ada" } == true }
    // Somebody else has the seat now.
    let second = try TestClient(server, as: server.token("bo"))
    try second.join("algebra")
    let back = try TestClient(server, as: server.token("ada"))
    let resume =
      #""resume":{"token":"\#(token)","epoch":"\#(epoch)","streams":{"room":1}}"#
    let answer = try back.ask(#"{"type":"session.join","id":5,"session":"algebra",\#(resume)}"#, id: 5)
    #expect(answer["code"]?.string == "session_full")
    #expect(try server.post("/api/sessions/algebra/join/", as: server.token("ada")).status == 400)
  }

  @Test("a keep-alive keeps no connection that has not said who it is: neither pings, nor pongs, nor messages")
  func keepAlive() throws {
    let clock = ManualClock()
    let server = try TestServer(loops: 1) { $0.manualClock = clock }
    let kept = try TestClient(server)
    for id in 1...4 {
      clock.advance(byMilliseconds: 1200)
      try kept.socket.send(TestClient.frame(.ping, [1]) + TestClient.frame(.pong, []))
      #expect(try kept.ask(#"{"type":"ping","id":\#(id)}"#, id: id)["type"]?.string == "pong")
    }
    clock.advance(byMilliseconds: 700)
    #expect(try kept.awaitClose() == 4005)
  }

  @Test(
    "cross-site WebSocket hijacking: a foreign Origin, null, or one that only begins or ends like ours, is refused",
    arguments: [
      "http://evil.example", "null", "http://rollcall.test.evil.example", "http://evilrollcall.test",
      "http://evil.example/rollcall.test", "http://rollcall.test@evil.example", "http://rollcall.test:81",
      "file://rollcall.test", "", "*", "http://rollcall.tes",
    ])
  func hijacking(_ origin: String) throws {
    let server = try TestServer(loops: 1)
    #expect(try upgrade(server, "Origin: \(origin)\r\n") == 403)
    #expect(try upgrade(server, "Origin: http://rollcall.test\r\n") == 101)
  }
}

/// 64 MiB of one letter, compressed to what a message may have.
private enum MessageBomb {
  static let payload: [UInt8] = {
    var deflater = MessageDeflater(windowBits: 15, keepsContext: false, level: 9)
    let letters = [UInt8](repeating: UInt8(ascii: "a"), count: 64 << 20)
    return letters.withUnsafeBytes { bytes in deflater.deflate(bytes).map { [UInt8]($0) } ?? [] }
  }()
}
