import Foundation
import Testing
import WebSocketCore

@testable import SignalingServer

/// What ends a WebSocket, and what does not.
@Suite("Closing a WebSocket")
struct ClosingTests {
  private let server: TestServer

  init() throws { server = try TestServer() }

  private func greeted() throws -> TestClient { try TestClient(server, as: server.token("u")) }

  @Test("a binary message closes with 1003")
  func binary() throws {
    let client = try greeted()
    try client.socket.send(TestClient.frame(.binary, [1, 2, 3]))
    #expect(try client.awaitClose() == 1003)
  }

  @Test("a message of the largest size is read, one byte more closes with 1009, in one frame or many")
  func size() throws {
    let limit = 65_536
    let shell = #"{"type":"ping","id":1,"x":""}"#.utf8.count
    let largest = #"{"type":"ping","id":1,"x":"\#(String(repeating: "x", count: limit - shell))"}"#
    let client = try greeted()
    #expect(try client.ask(largest, id: 1)["type"]?.string == "pong")
    try client.send(largest + " ")
    #expect(try client.awaitClose() == 1009)

    let fragmented = try greeted()
    let bytes = Array((largest + " ").utf8)
    try fragmented.socket.send(
      TestClient.frame(.text, Array(bytes[..<40_000]), isFinal: false)
        + TestClient.frame(.continuation, Array(bytes[40_000...])))
    #expect(try fragmented.awaitClose() == 1009)
  }

  @Test("a frame that announces more than there is memory closes with 1009 before its bytes come")
  func announced() throws {
    let client = try greeted()
    try client.socket.send([0x81, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4])
    #expect(try client.awaitClose() == 1009)
  }

  @Test(
    "text that is not UTF-8 closes with 1007",
    arguments: [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xC3]] as [[UInt8]])
  func utf8(_ bytes: [UInt8]) throws {
    let client = try greeted()
    try client.socket.send(TestClient.frame(.text, bytes))
    #expect(try client.awaitClose() == 1007)
  }

  @Test(
    "what breaks RFC 6455 closes with 1002",
    arguments: [
      [0x81, 0x01, 0x78],  // not masked
      [0xC1, 0x80, 0, 0, 0, 0],  // a reserved bit
      [0x83, 0x80, 0, 0, 0, 0],  // a reserved opcode
      [0x09, 0x80, 0, 0, 0, 0],  // a fragmented ping
      [0x80, 0x80, 0, 0, 0, 0],  // a continuation of nothing
      [0x88, 0x81, 0, 0, 0, 0, 3],  // half a close code
      [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xED],  // 1005 does not travel
    ] as [[UInt8]])
  func violations(_ bytes: [UInt8]) throws {
    let client = try greeted()
    try client.socket.send(bytes)
    #expect(try client.awaitClose() == 1002)
    #expect(try client.awaitEnd())
  }

  @Test("what was asked before the fault is answered before the Close")
  func answersFirst() throws {
    let client = try greeted()
    let pings = (1...10).flatMap { TestClient.frame(#"{"type":"ping","id":\#($0)}"#) }
    try client.socket.send(pings + TestClient.frame(.binary, []))
    for id in 1...10 { #expect(try client.receive("pong")["id"] == .number(Double(id))) }
    #expect(try client.awaitClose() == 1003)
  }

  @Test("a ping is answered with its payload, also between fragments")
  func ping() throws {
    let client = try greeted()
    let command = Array(#"{"type":"ping","id":1}"#.utf8)
    try client.socket.send(
      TestClient.frame(.ping, [1, 2, 3]) + TestClient.frame(.text, Array(command[..<9]), isFinal: false)
        + TestClient.frame(.ping, []) + TestClient.frame(.continuation, Array(command[9...])))
    try client.answer(to: 1)
    #expect(client.pongs == [[1, 2, 3], []])
  }

  @Test(
    "the client's Close is answered with its code, and the connection ends",
    arguments: [1000, 1001, 3000, 4999] as [UInt16])
  func clientCloses(_ code: UInt16) throws {
    let client = try greeted()
    try client.sendClose(code: code)
    #expect(try client.awaitClose() == code)
    #expect(try client.awaitEnd())
  }

  @Test("a Close without a code is answered with one without")
  func emptyClose() throws {
    let client = try greeted()
    try client.socket.send(TestClient.frame(.close, []))
    #expect(try client.awaitClose() == nil)
    #expect(try client.awaitEnd())
  }

  @Test("the server's Close, answered, ends the connection; unanswered, too, in time", arguments: [true, false])
  func serverCloses(_ isAnswered: Bool) throws {
    let server = try TestServer(loops: 1) {
      if !isAnswered { $0.patience.close = 50 }
    }
    let client = try TestClient(server, as: server.token("u"))
    try client.socket.send(TestClient.frame(.binary, []))
    #expect(try client.awaitClose() == 1003)
    if isAnswered { try client.sendClose() }
    #expect(try client.awaitEnd())
  }

  @Test("who is silent is pinged, and closed with 4002 when that is not answered")
  func silence() throws {
    let server = try TestServer(loops: 1) { $0.patience.ping = 50 }
    let silent = try TestClient(server, as: server.token("u"))
    #expect(try silent.awaitClose() == 4002)
    #expect(try silent.awaitEnd())
  }

  @Test("who answers pings stays")
  func answeredPings() throws {
    let clock = ManualClock()
    let server = try TestServer(loops: 1) { $0.manualClock = clock }
    let witness = try TestClient(server, as: server.token("w"))
    let (silent, answering) = (
      try TestClient(server, as: server.token("s")), try TestClient(server, as: server.token("a"))
    )
    for round in 1...3 {
      clock.advance(byMilliseconds: 25_000)
      while answering.pingCount < round { try answering.readMore() }
      if round == 1 { while silent.pingCount < 1 { try silent.readMore() } }
      try answering.socket.send(TestClient.frame(.pong, []))
      // What the loop hears now comes after the pong.
      try witness.ask(#"{"type":"ping","id":\#(round)}"#, id: round)
    }
    #expect(try silent.awaitClose() == 4002)
    #expect(try answering.ask(#"{"type":"ping","id":9}"#, id: 9)["type"]?.string == "pong")
  }

  @Test("after a socket is lost others are told, after a session.leave at once")
  func departure() throws {
    let server = try TestServer(loops: 2) { $0.shard.graceMilliseconds = 0 }
    try server.createSession("algebra")
    try server.startSession("algebra")
    let watcher = try TestClient(server, as: server.token("watcher"))
    try watcher.join("algebra")
    for end in ["reset", "close", "leave"] {
      let client = try TestClient(server, as: server.token(end))
      try client.join("algebra")
      switch end {
      case "reset": client.socket.reset()
      case "close": try client.sendClose()
      default: try client.ask(#"{"type":"session.leave","id":9}"#, id: 9)
      }
      try watcher.await { $0["left"]?.array?.contains { $0["user"]?.string == end } == true }
    }
  }
}
