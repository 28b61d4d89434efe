import Testing
import WebSocketCore
import WebSocketDeflate

@testable import SignalingServer

/// permessage-deflate on the signaling endpoint.
@Suite("Compression")
struct CompressionTests {
  private static let browser = "permessage-deflate; client_max_window_bits"
  private static let agreed = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

  /// A server with a live session on a loop that may be another than the one that accepts.
  private func server(loops: Int = 2, _ configure: (inout ServerConfiguration) -> Void = { _ in }) throws -> TestServer
  {
    let server = try TestServer(loops: loops) { configuration in
      configuration.compressionThresholdBytes = 256
      configure(&configuration)
    }
    try server.createSession("algebra")
    try server.startSession("algebra")
    return server
  }

  private func chat(_ text: String, id: Int) -> String { #"{"type":"chat.send","id":\#(id),"text":"\#(text)"}"# }

  private static let long = String(repeating: "the quick brown fox ", count: 40)

  // MARK: Agreeing

  @Test(
    "who offers it is answered, who does not is not",
    arguments: [
      (nil, nil), ("x-webkit-deflate-frame", nil), (browser, agreed),
      (
        "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12",
        agreed + "; server_max_window_bits=12"
      ),
      ("permessage-deflate; server_max_window_bits=8", nil),
      ("permessage-deflate; server_max_window_bits=8, permessage-deflate", agreed),
      ("permessage-deflate; server_max_window_bits=16", nil), ("permessage-deflate; server_max_window_bits=text", nil),
      ("permessage-deflate; client_max_window_bits=0", nil),
    ] as [(String?, String?)])
  func agreeing(_ offer: String?, _ answer: String?) throws {
    let server = try server()
    let client = try FrameClient(server, offer: offer)
    #expect(client.extensions.map(\.fieldValue) == (answer.map { [$0] } ?? []))
  }

  @Test("a server that does not compress agrees to nothing, and RSV1 has no meaning to it")
  func turnedOff() throws {
    let server = try server { $0.compresses = false }
    let client = try FrameClient(server, offer: Self.browser)
    #expect(client.extensions.isEmpty)
    try client.sendCompressed(Array("{}".utf8))
    #expect(try client.awaitClose() == 1002)
  }

  // MARK: What is said to a room

  @Test(
    "what is said to a room is compressed once for who agreed, and plain for who did not", arguments: [1, 2, 4])
  func mixedReceivers(_ loops: Int) throws {
    let server = try server(loops: loops)
    let plain = try FrameClient(server, as: "ada", in: "algebra", offer: nil)
    let offers = [Self.browser, Self.browser, "permessage-deflate; server_max_window_bits=12"]
    let compressing = try offers.enumerated().map { number, offer in
      try FrameClient(server, as: "student-\(number)", in: "algebra", offer: offer)
    }
    try plain.send(chat(Self.long, id: 2))
    let isMeant: (FrameClient.Frame) -> Bool = { $0.text.contains(Self.long) }
    let said = try plain.next(where: isMeant).frame
    #expect(!said.isCompressed)
    var frames: [[UInt8]] = []
    for client in compressing {
      let heard = try client.next(where: isMeant).frame
      #expect(heard.isCompressed && heard.payload == said.payload)
      #expect(heard.bytes.count < said.bytes.count / 3)
      frames.append(heard.bytes)
    }
    // The message is shorter than either window, so that it is the same frame for all.
    #expect(frames.allSatisfy { $0 == frames[0] })
  }

  @Test("each gets a long message within the window it agreed on")
  func windows() throws {
    let server = try server()
    let clients = try [9, 12, 15].map { bits in
      try FrameClient(
        server, as: "student-\(bits)", in: "algebra", offer: "permessage-deflate; server_max_window_bits=\(bits)")
    }
    // Two halves that are the same, too far apart for the smaller windows.
    var random = SystemRandomNumberGenerator()
    let half = String((0..<900).map { _ in "abcdefghijklmnopqrstuvwxyz".randomElement(using: &random) ?? "a" })
    try clients[0].send(chat(half + half, id: 2))
    let counts = try clients.map { client in
      let frame = try client.next { $0.text.contains(half + half) }.frame
      #expect(frame.isCompressed)
      return frame.bytes.count
    }
    #expect(counts[0] > counts[1] + 300)
    #expect(counts[1] == counts[2])
  }

  @Test("a message below the threshold goes out as it is, one at it is compressed")
  func threshold() throws {
    let server = try server { $0.compressionThresholdBytes = 600 }
    let client = try FrameClient(server, as: "ada", in: "algebra", offer: Self.browser)
    func said(_ count: Int) throws -> (count: Int, isCompressed: Bool) {
      try client.send(chat(String(repeating: "x", count: count), id: 2))
      let frame = try client.next { $0.text.contains("chat.message") }.frame
      return (frame.payload.count, frame.isCompressed)
    }
    let overhead = try said(100).count - 100
    // Around the threshold, since the number of a message may have a digit more than that of the one before.
    let heard = try (595...605).map { try said($0 - overhead) }
    #expect(heard.contains { $0.count == 599 } && heard.contains { $0.count == 600 })
    #expect(heard.allSatisfy { $0.isCompressed == ($0.count >= 600) })
  }

  @Test("what one client alone is told is never compressed: tokens are in it")
  func secrets() throws {
    let server = try server { $0.compressionThresholdBytes = 0 }
    let other = try FrameClient(server, as: "bob", in: "algebra", offer: Self.browser)
    let client = try FrameClient(server, offer: Self.browser)
    try client.send(TestClient.hello(server.token("ada")))
    try client.send(TestClient.join("algebra", id: 1))
    try client.send(#"{"type":"chat.history","id":2,"limit":50}"#)
    let (before, answer) = try client.next { $0.text.contains("\"id\":2") }
    let own = (before + [answer]).filter { frame in
      ["welcome", "ready", "session.joined", "chat.history"].contains { frame.text.contains("\"type\":\"\($0)\"") }
        || frame.text.contains("oken")
    }
    #expect(own.count >= 3)
    #expect(own.allSatisfy { !$0.isCompressed })
    // The threshold is such that everything else is compressed that a room is told.
    try client.send(chat(Self.long, id: 3))
    #expect(try other.next { $0.text.contains(Self.long) }.frame.isCompressed)
  }

  // MARK: What clients send

  @Test("compressed messages are understood, whole and byte by byte, on every loop", arguments: [1, 4])
  func receiving(_ loops: Int) throws {
    let server = try server(loops: loops)
    let client = try FrameClient(server, offer: Self.browser)
    try client.sendCompressed(Array(TestClient.hello(server.token("ada")).utf8))
    try client.sendCompressed(Array(TestClient.join("algebra", id: 1).utf8))
    _ = try client.next { $0.text.contains("session.joined") }
    var deflater = MessageDeflater(windowBits: 15, keepsContext: false)
    let payload = Array(chat(Self.long, id: 2).utf8).withUnsafeBytes { bytes in
      deflater.deflate(bytes).map { [UInt8]($0) } ?? []
    }
    let key = WebSocketMaskingKey(random: 0x0102_0304)
    let stream =
      WebSocketFrame.bytes(
        .text, payload: Array(payload[..<20]), isFinal: false, reservedBits: .rsv1, maskingKey: key)
      + TestClient.frame(.ping, [1]) + TestClient.frame(.continuation, Array(payload[20...]))
    for byte in stream { try client.socket.send([byte]) }
    #expect(try client.next { $0.opcode == .pong }.frame.payload == [1])
    #expect(try client.next { $0.text.contains("chat.message") }.frame.text.contains(Self.long))
  }

  @Test("a bomb before hello is closed with 1009, and nobody else notices (as in NATS CVE-2026-27571)")
  func bomb() throws {
    let server = try server()
    let honest = try FrameClient(server, as: "ada", in: "algebra", offer: Self.browser)
    let client = try FrameClient(server, offer: Self.browser)
    try client.sendCompressed([UInt8](repeating: 0x20, count: 32 << 20))
    #expect(try client.awaitClose() == 1009)
    try honest.sendCompressed(Array(chat(Self.long, id: 2).utf8))
    #expect(try honest.next { $0.text.contains("chat.message") }.frame.text.contains(Self.long))
  }

  @Test(
    "what is no DEFLATE, breaks off or is no UTF-8 is closed with 1007",
    arguments: [
      [0xFF, 0xFF], [], [0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48], [0xF2, 0x00, 0x11, 0x00, 0x00], [0x7A, 0x04, 0x00],
    ]
      as [[UInt8]])
  func broken(_ payload: [UInt8]) throws {
    let server = try server()
    let client = try FrameClient(server, offer: Self.browser)
    try client.sendCompressed(payload: payload)
    #expect(try client.awaitClose() == 1007)
  }
}
