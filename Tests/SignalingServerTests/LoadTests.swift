import Foundation
import Glibc
import Testing

@testable import SignalingServer

/// Bursts, clients that do not read, and clients that vanish.
@Suite("Under load")
struct LoadTests {
  @Test(
    "a burst of thousands of pipelined commands is answered, all of it and in order", arguments: [1, 2, 4],
    [false, true])
  func burst(_ loops: Int, _ isSecure: Bool) throws {
    let server = isSecure ? try TestServer.secure(loops: loops) : try TestServer(loops: loops)
    let session = server.sessionID(onLoop: loops - 1)
    try server.createSession(session)
    try server.startSession(session)
    let client = try TestClient(server, as: server.token("u"))
    let count = 5000
    var bytes = TestClient.frame(TestClient.join(session, id: 0))
    for id in 1...count { bytes += TestClient.frame(#"{"type":"media.set","id":\#(id),"audio":\#(id % 2 == 0)}"#) }
    // Sent and read by turns, as far as either goes: the server may wait for the client to read.
    var sent = 0
    var answered: [Int] = []
    while answered.count <= count {
      if sent < bytes.count, client.socket.isReady(for: POLLOUT, within: 0) {
        let taken = client.socket.sendSome(bytes[sent..<min(bytes.count, sent + 100_000)])
        if taken > 0 { sent += taken }
      }
      if sent == bytes.count && client.socket.hasSentEverything || client.socket.isReady(for: POLLIN, within: 0) {
        if client.queue.isEmpty { try client.readMore() }
        while !client.queue.isEmpty {
          let message = client.takeFirst()
          if let id = message["id"]?.integer { answered.append(id) }
        }
      }
    }
    #expect(answered == Array(0...count))
  }

  @Test(
    "one who stops reading in a busy room is closed as slow, and the others are not disturbed", arguments: [1, 2],
    [false, true])
  func slowReader(_ loops: Int, _ isSecure: Bool) throws {
    let server = try TestServer(loops: loops) {
      // It has time to read what it was sent.
      $0.patience.close = 120_000
      // On a busy machine this takes longer than anybody may be silent.
      $0.patience.ping = 3_600_000
      if isSecure { $0.tls = .selfSigned }
    }
    try server.createSession("algebra")
    try server.startSession("algebra")
    let slow = try TestClient(server, as: server.token("slow"), receiveBytes: 4096)
    try slow.join("algebra")
    let reader = try TestClient(server, as: server.token("reader"))
    try reader.join("algebra")
    let speaker = try TestClient(server, as: server.token("speaker"))
    try speaker.join("algebra")
    let text = String(repeating: "x", count: 4000)
    let memory = try residentBytes()
    // Far more than the socket's buffers and the backlog hold together.
    let count = 4000
    for id in 1...count {
      #expect(try speaker.ask(#"{"type":"chat.send","id":\#(id),"text":"\#(text)"}"#, id: id)["type"]?.string == "ok")
      let message = try reader.receive("chat.message")
      #expect(message["seq"]?.integer == id + 1)
    }
    #expect(try residentBytes() - memory < 64 << 20, "16 MB were said")
    // What it was sent is still there to read, without a gap, and then the reason.
    var last = 1
    while slow.close == nil {
      try slow.readMore()
      while !slow.queue.isEmpty {
        let message = slow.takeFirst()
        guard message["type"]?.string == "chat.message" else { continue }
        #expect(message["seq"]?.integer == last + 1)
        last += 1
      }
    }
    #expect(slow.close?.code == 4001)
    #expect(last < count)
    #expect(try slow.awaitEnd())
  }

  @Test("one who never reads again is cut, and is gone for the others", arguments: [false, true])
  func deaf(_ isSecure: Bool) throws {
    let server = try TestServer(loops: 2) {
      if isSecure { $0.tls = .selfSigned }
      $0.shard.graceMilliseconds = 0
      $0.patience.close = 50
    }
    try server.createSession("algebra")
    try server.startSession("algebra")
    let deaf = try TestClient(server, as: server.token("deaf"), receiveBytes: 4096)
    try deaf.join("algebra")
    let speaker = try TestClient(server, as: server.token("speaker"))
    try speaker.join("algebra")
    let text = String(repeating: "x", count: 4000)
    var isGone = false
    for id in 1...10_000 where !isGone {
      try speaker.send(#"{"type":"chat.send","id":\#(id),"text":"\#(text)"}"#)
      try speaker.await { message in
        isGone = isGone || message["left"]?.array?.contains { $0["user"]?.string == "deaf" } == true
        return message["id"]?.integer == id
      }
    }
    if !isGone { try speaker.await { $0["left"]?.array?.contains { $0["user"]?.string == "deaf" } == true } }
  }

  /// The memory of this process; the server is in it.
  private func residentBytes() throws -> Int {
    let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
    let pages = try #require(text.split(separator: " ").dropFirst().first.flatMap { Int($0) })
    return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
  }

  /// Valid conversations, as bytes; a client sends a beginning of one and vanishes.
  private func conversations(of server: TestServer, _ sessions: [String]) throws -> [[UInt8]] {
    let handshake = try TestClient.handshake(port: server.port).request
    let join = sessions.map { TestClient.frame(TestClient.join($0, id: 1)) }
    let leave = TestClient.frame(#"{"type":"session.leave","id":2}"#)
    let talk =
      TestClient.frame(#"{"type":"chat.send","id":3,"text":"Hi"}"#)
      + TestClient.frame(#"{"type":"media.set","audio":true}"#) + TestClient.frame(.ping, [1, 2, 3])
      + TestClient.frame(#"{"type":"signal","to":"p","kind":"offer","payload":{"sdp":"v=0"}}"#)
      + TestClient.frame(#"{"type":"presence.subscribe","id":4,"mode":"count"}"#)
    let hello = TestClient.frame(TestClient.hello(server.token("u", role: .host)))
    let guest = TestClient.frame(#"{"type":"hello","guest":"G"}"#)
    let host = TestClient.frame(TestClient.hello(server.token("teacher", role: .host)))
    let life = TestClient.frame(#"{"type":"session.start"}"#) + talk + TestClient.frame(#"{"type":"session.end"}"#)
    let create = #"{"title":"T"}"#
    let http =
      "POST /api/sessions/ HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(server.token("t", role: .host))\r\n"
      + "Content-Length: \(create.utf8.count)\r\n\r\n\(create)"
    return [
      handshake + hello + Array(join.joined(separator: talk + leave)) + talk + TestClient.frame(.close, [3, 232]),
      handshake + host + join[0] + life + leave + join[1] + life,
      handshake + guest + join[1] + talk + TestClient.frame(.binary, [1]) + talk,
      handshake + hello + TestClient.frame(.text, [0xFF]) + talk,
      Array((http + "GET /sdk/client.js HTTP/1.1\r\nHost: a\r\n\r\n" + http).utf8) + handshake + hello + join[0] + talk,
    ]
  }

  @Test("clients that vanish at any point leave the server sound", arguments: [1, 2, 4], [false, true])
  func vanishing(_ loops: Int, _ isSecure: Bool) throws {
    let server = try TestServer(loops: loops) {
      $0.shard.graceMilliseconds = 0
      if isSecure { $0.tls = .selfSigned }
    }
    let sessions = (0..<4).map { server.sessionID(onLoop: $0 % loops, prefix: "s\($0)") }
    for session in sessions { try server.createSession(session, fields: ["guests": .bool(true)]) }
    for session in sessions.dropFirst(2) { try server.startSession(session) }
    let conversations = try conversations(of: server, sessions)
    var generator = SeededGenerator(seed: UInt64(loops))
    var open: [TestSocket] = []
    for _ in 0..<400 {
      let socket = try server.connect()
      let conversation = conversations[Int.random(in: 0..<conversations.count, using: &generator)]
      var rest = conversation.prefix(Int.random(in: 0...conversation.count, using: &generator))
      while !rest.isEmpty {
        let count = Bool.random(using: &generator) ? rest.count : Int.random(in: 1...rest.count, using: &generator)
        try socket.send(rest.prefix(count))
        rest = rest.dropFirst(count)
        if Int.random(in: 0..<4, using: &generator) == 0, socket.isReady(for: POLLIN, within: 1) {
          if try socket.receive() == nil { break }
        }
      }
      switch Int.random(in: 0..<4, using: &generator) {
      case 0: socket.shut()
      case 1: socket.finishSending()
      case 2: open.append(socket)
      default: socket.reset()
      }
    }
    for socket in open { socket.reset() }
    // It serves, and every room lets in and out.
    #expect(try server.get("/ready").status == 200)
    let client = try TestClient(server, as: server.token("last"))
    for session in sessions {
      try client.join(session)
      try client.ask(#"{"type":"session.leave","id":2}"#, id: 2)
    }
  }
}
