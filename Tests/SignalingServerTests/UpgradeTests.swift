import Foundation
import Testing

@testable import SignalingServer

/// The opening handshake at its limits, and in the shapes in which two parties would read two things.
@Suite("An upgrade, strictly")
struct UpgradeTests {
  private let server: TestServer

  init() throws {
    server = try TestServer(loops: 1) { configuration in
      configuration.origins = ["https://school.example", "https://Other.Example:8443", "http://plain.example:80"]
        .compactMap { WebOrigin($0) }
    }
  }

  private static let fields = """
    Upgrade: websocket\r
    Connection: Upgrade\r
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
    Sec-WebSocket-Version: 13\r

    """

  /// The status of the first answer, and whether the server ends the connection after an answer that is no 101.
  private func status(_ request: String) throws -> Int {
    let socket = try TestSocket(port: server.port)
    try socket.send(request)
    var text = ""
    while !text.contains("\r\n\r\n") {
      text += String(decoding: try #require(try socket.receive()), as: UTF8.self)
    }
    return try #require(Int(text.dropFirst(9).prefix(3)))
  }

  private func upgrade(
    _ more: String = "", path: String = "/ws", line: String? = nil, host: String = "Host: rollcall.test\r\n"
  ) throws -> Int {
    try status("\(line ?? "GET \(path) HTTP/1.1")\r\n\(host)\(Self.fields)\(more)\r\n")
  }

  // MARK: Limits

  @Test("the request line may have 8192 bytes, and not one more")
  func requestLine() throws {
    let rest = "GET /ws? HTTP/1.1".utf8.count
    #expect(try upgrade(path: "/ws?" + String(repeating: "x", count: 8_192 - rest)) == 101)
    #expect(try upgrade(path: "/ws?" + String(repeating: "x", count: 8_193 - rest)) == 414)
  }

  @Test("the fields may have 16384 bytes, and not one more")
  func fieldBytes() throws {
    let rest = "Host: rollcall.test\r\n\(Self.fields)X: \r\n".utf8.count
    #expect(try upgrade("X: \(String(repeating: "x", count: 16_384 - rest))\r\n") == 101)
    #expect(try upgrade("X: \(String(repeating: "x", count: 16_385 - rest))\r\n") == 431)
  }

  @Test("there may be 100 fields, and not one more")
  func fieldCount() throws {
    #expect(try upgrade(String(repeating: "X: y\r\n", count: 95)) == 101)
    #expect(try upgrade(String(repeating: "X: y\r\n", count: 96)) == 431)
  }

  @Test("32 extensions may be offered, in one field or in many, and not one more")
  func extensions() throws {
    let list = { (count: Int) in Array(repeating: "x", count: count).joined(separator: ", ") }
    #expect(try upgrade("Sec-WebSocket-Extensions: \(list(32))\r\n") == 101)
    #expect(try upgrade("Sec-WebSocket-Extensions: \(list(33))\r\n") == 400)
    #expect(try upgrade("Sec-WebSocket-Extensions: \(list(16))\r\nSec-WebSocket-Extensions: \(list(17))\r\n") == 400)
  }

  // MARK: Two readings

  @Test(
    "a handshake with a body, or with two of what there is one of, is refused",
    arguments: [
      "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
      "Content-Length: 0\r\nContent-Length: 0\r\n", "Content-Length: +0\r\n", "Content-Length: 0, 0\r\n",
      "Transfer-Encoding: identity\r\n", "Transfer-Encoding : chunked\r\n", "Transfer-Encoding: xchunked\r\n",
      " folded\r\n", "X: a\nY: b\r\n", "X: a\rY: b\r\n", "Host: other.test\r\n",
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
    ])
  func smuggling(_ more: String) throws {
    let body =
      more.contains("chunked") && !more.contains("Content") ? "\r\n0\r\n" : more.contains("5") ? "\r\nhello" : ""
    #expect([400, 501].contains(try upgrade(more + body)))
  }

  @Test("a length of nothing is no body")
  func noBody() throws { #expect(try upgrade("Content-Length: 0\r\n") == 101) }

  @Test("a request line that is none, or another version, is refused")
  func requestLines() throws {
    for (line, expected) in [
      ("GET /ws HTTP/1.0", 400), ("GET  /ws HTTP/1.1", 400), ("GET /ws  HTTP/1.1", 400), ("GET /ws HTTP/1.1 ", 400),
      ("GET /ws HTTP/2.0", 505), ("GET /ws", 400), ("POST /ws HTTP/1.1", 400),
      ("GET http://rollcall.test/ws HTTP/1.1", 101),
    ] {
      #expect(try upgrade(line: line) == expected, "\(line)")
    }
    #expect(try upgrade(host: "") == 400)
  }

  @Test(
    "only version 13 is spoken, and who asks for another is told so", arguments: ["12", "14", "13, 8", "013", "x", ""])
  func version(_ version: String) throws {
    let socket = try TestSocket(port: server.port)
    try socket.send(
      "GET /ws HTTP/1.1\r\nHost: a\r\n\(Self.fields.replacing("Version: 13", with: "Version: \(version)"))Connection: close\r\n\r\n"
    )
    let text = String(decoding: try socket.receiveAll(), as: UTF8.self)
    #expect(text.hasPrefix("HTTP/1.1 426 ") && text.contains("Sec-WebSocket-Version: 13\r\n"))
  }

  @Test("what is pipelined behind the handshake is frames, not a request")
  func pipelining() throws {
    let socket = try TestSocket(port: server.port)
    try socket.send(
      "GET /health HTTP/1.1\r\nHost: a\r\n\r\nGET /ws HTTP/1.1\r\nHost: a\r\n\(Self.fields)\r\nGET /health HTTP/1.1\r\nHost: a\r\n\r\n"
    )
    let bytes = try socket.receiveAll()
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(text.components(separatedBy: "HTTP/1.1 200 OK").count == 2)
    #expect(text.components(separatedBy: "HTTP/1.1 101 ").count == 2)
    // "GE" is a frame with reserved bits: 1002, and nothing after it.
    #expect(bytes.suffix(20).starts(with: [0x88, 18, 0x03, 0xEA]))
  }

  // MARK: Origins

  @Test(
    "pages of the origins that are listed may connect, those next to them may not",
    arguments: [
      ("https://school.example", 101), ("HTTPS://School.Example", 101), ("https://other.example:8443", 101),
      ("http://plain.example", 101), ("http://rollcall.test", 101),
      ("http://school.example", 403), ("https://school.example:8443", 403), ("https://other.example", 403),
      ("https://school.example.evil.example", 403), ("https://evil-school.example", 403),
      ("https://a.school.example", 403),
      ("https://school.exampl", 403), ("https://school.example/", 403), ("https://plain.example", 403), ("null", 403),
    ])
  func origins(_ origin: String, _ expected: Int) throws {
    #expect(try upgrade("Origin: \(origin)\r\n") == expected)
  }

  @Test(
    "what is no origin of a page cannot be listed",
    arguments: [
      "", "*", "null", "school.example", "https://", "https://*", "https://a.example/", "https://a.example/page",
      "wss://a.example",
      "https://a.example?b", "https://user@a.example", "https://:443", "file:///a",
    ])
  func noOrigins(_ text: String) { #expect(WebOrigin(text) == nil) }
}
