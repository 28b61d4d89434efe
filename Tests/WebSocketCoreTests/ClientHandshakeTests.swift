import Testing
import WebSocketCore

@Suite("RFC 6455 4.1: the client's side of the opening handshake")
struct ClientHandshakeTests {
  /// The key whose base64 is the sample of RFC 6455 1.3.
  static let key = [UInt8]("the sample nonce".utf8)
  static let accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
  static let good = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" + accept

  private func outcome(
    of response: String, subprotocols: [String] = []
  ) throws -> WebSocketClientHandshake.Progress {
    var handshake = try WebSocketClientHandshake(host: "h", path: "/", key: Self.key, subprotocols: subprotocols)
    var consumed = 0
    return try [UInt8](response.utf8).withUnsafeBytes { bytes in
      try handshake.receive(bytes, consumed: &consumed)
    }
  }

  @Test("4.1: the request")
  func request() throws {
    let handshake = try WebSocketClientHandshake(
      host: "a.example:8080", path: "/ws?x=1", key: Self.key, subprotocols: ["one", "two"],
      extraFields: [("Origin", "https://a.example")])
    #expect(
      String(decoding: handshake.request, as: UTF8.self)
        == "GET /ws?x=1 HTTP/1.1\r\nHost: a.example:8080\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        + "Sec-WebSocket-Protocol: one, two\r\nOrigin: https://a.example\r\n\r\n")
  }

  @Test("nothing of ours can smuggle a line into the request")
  func injection() {
    for (host, path, name, value) in [
      ("h\r\n", "/", "A", "b"), ("h", "/ x", "A", "b"), ("h", "/\n", "A", "b"), ("h", "", "A", "b"),
      ("h", "/", "A:", "b"),
      ("h", "/", "A", "b\r\nC: d"), ("", "/", "A", "b"), ("h", "/\u{E9}", "A", "b"),
    ] {
      #expect(throws: WebSocketHandshakeFailure.invalidRequest) {
        try WebSocketClientHandshake(host: host, path: path, key: Self.key, extraFields: [(name, value)])
      }
    }
    #expect(throws: WebSocketHandshakeFailure.invalidRequest) {
      try WebSocketClientHandshake(host: "h", path: "/", key: [1, 2, 3])
    }
    #expect(throws: WebSocketHandshakeFailure.invalidRequest) {
      try WebSocketClientHandshake(host: "h", path: "/", key: Self.key, subprotocols: ["a, b"])
    }
  }

  @Test("4.1: a good response is accepted at whatever byte it is cut, and what follows it is left")
  func chops() throws {
    let response = [UInt8]((Self.good + "Sec-WebSocket-Protocol: two\r\n\r\n").utf8)
    let frame: [UInt8] = [0x81, 0x00]
    for split in 0...response.count {
      var handshake = try WebSocketClientHandshake(host: "h", path: "/", key: Self.key, subprotocols: ["one", "two"])
      var progress = WebSocketClientHandshake.Progress.needsMoreInput
      var left: [UInt8] = []
      for piece in [[UInt8](response[..<split]), [UInt8](response[split...]) + frame] {
        var consumed = 0
        if progress == .needsMoreInput {
          progress = try piece.withUnsafeBytes { try handshake.receive($0, consumed: &consumed) }
        }
        left += piece[consumed...]
      }
      #expect(progress == .accepted(subprotocol: "two"))
      #expect(left == frame)
    }
  }

  @Test("4.1: the six checks")
  func checks() throws {
    #expect(try outcome(of: Self.good + "\r\n") == .accepted(subprotocol: nil))
    #expect(try outcome(of: Self.good + "\r\n", subprotocols: ["a"]) == .accepted(subprotocol: nil))
    #expect(try outcome(of: Self.good) == .needsMoreInput)
    let upgrade = "Upgrade: WebSocket\r\n"
    let connection = "connection:keep-alive,upgrade\r\n"
    let cases: [(String, WebSocketHandshakeFailure)] = [
      ("HTTP/1.1 404 Not Found\r\n\r\n", .status(404)),
      ("HTTP/1.1 200\r\n" + upgrade + connection + Self.accept + "\r\n", .status(200)),
      ("HTTP/1.1 101\r\n" + connection + Self.accept + "\r\n", .missingUpgrade),
      ("HTTP/1.1 101\r\n" + upgrade + Self.accept + "\r\n", .missingConnectionUpgrade),
      ("HTTP/1.1 101\r\n" + upgrade + connection + "\r\n", .wrongAcceptKey),
      ("HTTP/1.1 101\r\n" + upgrade + connection + Self.accept.uppercased() + "\r\n", .wrongAcceptKey),
      (Self.good + Self.accept + "\r\n", .wrongAcceptKey),
      (Self.good + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", .unrequestedExtension),
      (Self.good + "Sec-WebSocket-Protocol: b\r\n\r\n", .unrequestedSubprotocol),
      (Self.good + "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: a\r\n\r\n", .unrequestedSubprotocol),
      ("HTTP/1.0 101 x\r\n\r\n", .malformedResponse),
      ("HTTP/1.1 1011\r\n\r\n", .malformedResponse),
      ("SSH-2.0-x\r\n\r\n", .malformedResponse),
      (Self.good + " folded\r\n\r\n", .malformedResponse),
      (Self.good + "Bad Name: x\r\n\r\n", .malformedResponse),
      (Self.good + "A: x\nB: y\r\n\r\n", .malformedResponse),
    ]
    for (response, failure) in cases {
      #expect(throws: failure) { try outcome(of: response, subprotocols: ["a"]) }
    }
  }

  @Test("a head without end is given up after 16 KiB")
  func endless() {
    #expect(throws: WebSocketHandshakeFailure.headTooLong) {
      try outcome(of: Self.good + String(repeating: "A: b\r\n", count: 3_000))
    }
  }
}
