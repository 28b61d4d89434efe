import JSON
import Testing

@testable import loadtest

@Suite("What the load tester reads and writes beside the sockets")
struct InputTests {
  @Test("addresses of servers")
  func targets() {
    let target = ServerTarget("ws://127.0.0.1:8080/ws")
    #expect(target?.host == "127.0.0.1")
    #expect(target?.port == 8080)
    #expect(target?.path == "/ws")
    #expect(ServerTarget("http://127.0.0.1:8080") == target)
    #expect(ServerTarget("http://127.0.0.1:8080/") == target)
    #expect(ServerTarget("ws://[::1]:81/other")?.authority == "[::1]:81")
    #expect(ServerTarget("ws://host")?.port == 80)
    #expect(ServerTarget("ws://host")?.isSecure == false)
    #expect(ServerTarget("wss://host")?.port == 443)
    #expect(ServerTarget("https://host:8443")?.isSecure == true)
    for wrong in [
      "", "ftp://host/ws", "host:80", "ws://", "ws://host:0", "ws://host:x", "ws://[::1", "ws://a@b", "ws://h:1/ #",
    ] {
      #expect(ServerTarget(wrong) == nil, "\(wrong)")
    }
  }

  @Test("a token is what another implementation makes of the same claims")
  func signature() throws {
    #expect(TokenSigner(secret: [UInt8](repeating: 1, count: 31)) == nil)
    #expect(TokenSigner.base64URL([]) == "")
    #expect(TokenSigner.base64URL([0xFF]) == "_w")
    #expect(TokenSigner.base64URL([0xFB, 0xFF]) == "-_8")
    #expect(TokenSigner.base64URL([3, 236, 255, 224, 193]) == "A-z_4ME")
    let signer = try #require(TokenSigner(secret: Array("0123456789abcdef0123456789abcdef".utf8)))
    let token = signer.token(user: "u1", name: "Ada", role: "host", expiry: 1_767_225_600)
    // From Python's hmac and hashlib.
    #expect(
      token == "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
        + ".eyJzdWIiOiJ1MSIsIm5hbWUiOiJBZGEiLCJyb2xlIjoiaG9zdCIsImV4cCI6MTc2NzIyNTYwMH0"
        + ".VZ5X7eWLvKwz1ZKgHjhU4Lpt-jbikwrhY87x-Y-i_I4")
  }

  @Test("a response is taken whole, or not at all")
  func responses() {
    func response(_ text: String) -> HTTPClientResponse? { HTTPClient.parse(Array(text.utf8)) }
    let whole = response("HTTP/1.1 201 Created\r\nX: y\r\ncontent-length: 2\r\n\r\n{}")
    #expect(whole?.status == 201)
    #expect(whole?.body == Array("{}".utf8))
    #expect(response("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}") == nil)
    #expect(response("HTTP/1.1 200 OK\r\n\r\n{}") == nil)
    #expect(response("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n") == nil)
    #expect(response("") == nil)
  }

  @Test("what a process uses, whatever its name")
  func usage() {
    let fields = "S 1 1 1 0 -1 0 10 0 0 0 250 50 0 0 20 0 4 0 100 1000000 256 0"
    let usage = ProcessUsage(stat: "42 (a (b) c) \(fields)")
    #expect(usage?.cpuSeconds == 3)
    #expect((usage?.residentBytes ?? 0) >= 256 * 4096)
    #expect(ProcessUsage(stat: "42 (short) S 1") == nil)
    #expect(ProcessUsage(stat: "") == nil)
  }

  @Test("numbers for people")
  func decimals() {
    #expect(DecimalText.text(1.25, decimals: 1) == "1.3")
    #expect(DecimalText.text(0.05, decimals: 2) == "0.05")
    #expect(DecimalText.text(-1.5) == "-1.5")
    #expect(DecimalText.text(1999.6, decimals: 0) == "2000")
    #expect(DecimalText.padded("ab", to: 4, alignRight: true) == "  ab")
  }
}
