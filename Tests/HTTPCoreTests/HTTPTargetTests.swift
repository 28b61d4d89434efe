import Testing

@testable import HTTPCore

@Suite("Request targets")
struct HTTPTargetTests {
  @Test(
    "a path is cut first and decoded afterwards",
    arguments: [
      ("/", [], false), ("/a", ["a"], false), ("/a/", ["a"], true), ("/a//b", ["a", "", "b"], false),
      ("/a//", ["a", ""], true), ("/a%2Fb/c", ["a/b", "c"], false), ("/%C3%A9+x", ["é+x"], false),
      ("/../%2e%2e", ["..", ".."], false), ("//", [""], true),
    ] as [(String, [String], Bool)])
  func segments(path: String, segments: [String], hasTrailingSlash: Bool) throws {
    let target = try HTTPTarget(path)
    #expect(target.segments == segments)
    #expect(target.hasTrailingSlash == hasTrailingSlash)
    #expect(target.raw == path)
  }

  @Test("a query is read as a form")
  func query() throws {
    let target = try HTTPTarget("/s?a=1&b=x+y%26z&c&=d&&a=2&e=f=g")
    #expect(target.queryItems.map(\.name) == ["a", "b", "c", "", "a", "e"])
    #expect(target.queryItems.map(\.value) == ["1", "x y&z", "", "d", "2", "f=g"])
    #expect(target.queryValue("a") == "1")
    #expect(target.queryValue("z") == nil)
    #expect(try HTTPTarget("/s").query == nil)
    #expect(try HTTPTarget("/s?").queryItems == [])
  }
}

@Suite("Responses")
struct HTTPResponseTests {
  let date = "Sun, 06 Nov 1994 08:49:37 GMT"

  func text(_ response: HTTPResponse, keepAlive: Bool = true, isHead: Bool = false) -> String {
    String(decoding: response.serialized(date: date, keepAlive: keepAlive, isHead: isHead), as: UTF8.self)
  }

  @Test("a response states its length and what becomes of the connection")
  func simple() {
    let response = HTTPResponse(status: 200, headers: ["Content-Type": "text/plain"], body: Array("hi".utf8))
    #expect(
      text(response)
        == "HTTP/1.1 200 OK\r\nDate: \(date)\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nhi"
    )
    #expect(text(response, keepAlive: false).contains("Connection: close\r\n"))
  }

  @Test("the answer to HEAD has the length of the body and no body (RFC 9110 §9.3.2)")
  func head() {
    let response = HTTPResponse(status: 200, body: Array("hello".utf8))
    #expect(text(response, isHead: true).hasSuffix("Content-Length: 5\r\nConnection: keep-alive\r\n\r\n"))
    let streamed = response.serializedHead(date: date, keepAlive: true, contentLength: 1_000)
    #expect(String(decoding: streamed, as: UTF8.self).contains("Content-Length: 1000\r\n"))
  }

  @Test("101, 204 and 304 have neither content nor length (RFC 9110 §6.4.1, §8.6)", arguments: [101, 204, 304])
  func noContent(status: Int) {
    let response = HTTPResponse(status: status, body: Array("hello".utf8))
    #expect(!text(response).contains("Content-Length"))
    #expect(text(response).hasSuffix("\r\n\r\n"))
  }

  @Test("a 101 keeps the Connection field it is given, other responses do not")
  func connection() {
    let headers: HTTPHeaders = ["Connection": "Upgrade", "Upgrade": "websocket"]
    #expect(text(HTTPResponse(status: 101, headers: headers)).contains("Connection: Upgrade\r\n"))
    #expect(!text(HTTPResponse(status: 101, headers: headers)).contains("keep-alive"))
    #expect(text(HTTPResponse(status: 426, headers: headers)).contains("Connection: upgrade, keep-alive\r\n"))
    let own: HTTPHeaders = ["content-length": "99", "DATE": "x", "Transfer-Encoding": "chunked"]
    let plain = text(HTTPResponse(status: 200, headers: own))
    #expect(!plain.contains("content-length") && !plain.contains("DATE") && !plain.contains("chunked"))
  }

  @Test("no value can begin another field (RFC 9110 §5.5)")
  func injection() {
    let response = HTTPResponse(status: 302, headers: ["Location": "/a\r\nSet-Cookie: b\0"])
    #expect(text(response).contains("Location: /a  Set-Cookie: b \r\n"))
  }
}

@Suite("Dates")
struct HTTPDateTests {
  @Test(
    "seconds since 1970 as IMF-fixdate (RFC 9110 §5.6.7)",
    arguments: [
      (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
      (-1, "Wed, 31 Dec 1969 23:59:59 GMT"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
      (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"), (.max, "Fri, 31 Dec 9999 23:59:59 GMT"),
      (.min, "Sat, 01 Jan 0000 00:00:00 GMT"),
    ] as [(Int64, String)])
  func fixdate(seconds: Int64, text: String) {
    #expect(HTTPDate.format(unixSeconds: seconds) == text)
  }
}
