import Testing

@testable import HTTPCore

/// What a parser makes of a whole stream.
struct Outcome: Equatable {
  var requests: [HTTPRequest] = []
  var failure: HTTPParseFailure?
}

/// Feeds a stream in pieces of the given size (0: in one piece) and collects what comes out.
func parse(_ bytes: [UInt8], pieces: Int = 0, limits: HTTPLimits = HTTPLimits()) -> Outcome {
  var parser = HTTPRequestParser(limits: limits)
  var outcome = Outcome()
  var start = 0
  while start < bytes.count {
    var piece = Array(bytes[start..<(pieces == 0 ? bytes.count : min(bytes.count, start + pieces))])
    start += piece.count
    while !piece.isEmpty {
      var consumed = 0
      let step = piece.withUnsafeBytes { parser.next($0, consumed: &consumed) }
      switch step {
      case .needsMore:
        if consumed != piece.count { Issue.record("input was left although more is needed") }
      case .request(let request):
        outcome.requests.append(request)
      case .failure(let failure):
        outcome.failure = failure
        return outcome
      }
      piece.removeFirst(consumed)
    }
  }
  return outcome
}

func parse(_ text: String, limits: HTTPLimits = HTTPLimits()) -> Outcome {
  parse(Array(text.utf8), limits: limits)
}

@Suite("Reading HTTP/1.1 requests")
struct HTTPRequestParserTests {
  func only(_ text: String) throws -> HTTPRequest {
    let outcome = parse(text)
    #expect(outcome.failure == nil)
    #expect(outcome.requests.count == 1)
    return try #require(outcome.requests.first)
  }

  @Test("a GET has its method, path, query and fields in order")
  func simple() throws {
    let request = try only(
      "GET /api/live-sessions/?page=2&q=a+b HTTP/1.1\r\nHost: a.example:8080\r\nX-A: 1\r\nx-a:\t 2 \t\r\n\r\n")
    #expect(request.method == "GET")
    #expect(request.path == "/api/live-sessions/")
    #expect(request.target.segments == ["api", "live-sessions"])
    #expect(request.query == "page=2&q=a+b")
    #expect(request.target.queryValue("q") == "a b")
    #expect(request.headers.all("X-A") == ["1", "2"])
    #expect(request.headers.first("x-A") == "1")
    #expect(request.headers.fields.map(\.name) == ["Host", "X-A", "x-a"])
    #expect(request.versionMinor == 1)
    #expect(request.keepAlive)
    #expect(request.body.isEmpty)
    #expect(request.authority == "a.example:8080")
  }

  @Test("a body of Content-Length is taken whole, what follows stays (RFC 9112 §6.2, §9.3.2)")
  func pipelining() {
    let first = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
    let second = "GET /b HTTP/1.1\r\nHost: h\r\n\r\n"
    var parser = HTTPRequestParser()
    var consumed = 0
    let bytes = Array((first + second).utf8)
    guard case .request(let request) = bytes.withUnsafeBytes({ parser.next($0, consumed: &consumed) }) else {
      Issue.record("no request")
      return
    }
    #expect(String(decoding: request.body, as: UTF8.self) == "hello")
    #expect(consumed == first.utf8.count)
    #expect(parser.isIdle)
    #expect(parse(first + second + first).requests.map(\.path) == ["/a", "/b", "/a"])
  }

  @Test("the first frames of an upgraded connection are left untouched")
  func upgrade() {
    let head = Array(
      "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n".utf8)
    var parser = HTTPRequestParser()
    var consumed = 0
    let step = (head + [0x81, 0x85, 0, 0]).withUnsafeBytes { parser.next($0, consumed: &consumed) }
    guard case .request(let request) = step else {
      Issue.record("no request")
      return
    }
    #expect(consumed == head.count)
    #expect(request.headers.contains("upgrade", inList: "connection"))
    #expect(!request.headers.contains("grade", inList: "connection"))
  }

  @Test("chunks are joined, extensions and trailers dropped (RFC 9112 §7.1)")
  func chunks() throws {
    let request = try only(
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n"
        + "5\r\nhello\r\n0006 ; a=b;c=\"d;e\"\r\n world\r\nA\r\n0123456789\r\n0\r\nX-Trailer: 1\r\nContent-Length: 99\r\n\r\n"
    )
    #expect(String(decoding: request.body, as: UTF8.self) == "hello world0123456789")
    #expect(request.headers.first("x-trailer") == nil)
    #expect(request.headers.first("content-length") == nil)
  }

  @Test("keep-alive follows version and Connection (RFC 9112 §9.3)")
  func keepAlive() throws {
    #expect(try only("GET / HTTP/1.1\r\nHost: h\r\nConnection: Close\r\n\r\n").keepAlive == false)
    #expect(try only("GET / HTTP/1.1\r\nHost: h\r\nConnection: x, close\r\n\r\n").keepAlive == false)
    #expect(try only("GET / HTTP/1.0\r\n\r\n").keepAlive == false)
    #expect(try only("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keepAlive)
    #expect(try only("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n").keepAlive == false)
    #expect(try only("GET / HTTP/1.7\r\nHost: h\r\n\r\n").keepAlive)
  }

  @Test("a client that expects 100 Continue is told so once, before its body (RFC 9110 §10.1.1)")
  func expectation() {
    var parser = HTTPRequestParser()
    var consumed = 0
    let head = Array("PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\n".utf8)
    let step = head.withUnsafeBytes { parser.next($0, consumed: &consumed) }
    #expect(step == .needsMore)
    #expect(parser.requestInProgress?.path == "/x")
    let asked = [parser.takePendingContinue(), parser.takePendingContinue()]
    #expect(asked == [true, false])
    guard case .request(let request) = Array("ok".utf8).withUnsafeBytes({ parser.next($0, consumed: &consumed) }) else {
      Issue.record("no request")
      return
    }
    #expect(request.expectsContinue)
    #expect(parser.requestInProgress == nil)
    #expect(
      parse("PUT / HTTP/1.0\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n").requests.first?.expectsContinue
        == false)
  }

  @Test(
    "the forms of a target (RFC 9112 §3.2)",
    arguments: [
      ("GET / HTTP/1.1", "/"), ("OPTIONS * HTTP/1.1", "*"), ("GET http://other.example:81/a/b?c HTTP/1.1", "/a/b"),
      ("GET HTTPS://other.example HTTP/1.1", "/"), ("GET http://other.example?q HTTP/1.1", "/"),
      ("GET //a HTTP/1.1", "//a"), ("GET /a?b?c/d HTTP/1.1", "/a"),
    ])
  func targets(line: String, path: String) throws {
    #expect(try only(line + "\r\nHost: h\r\n\r\n").path == path)
  }

  @Test("the authority of an absolute-form target goes before the Host field (RFC 9112 §3.2.2)")
  func authority() throws {
    #expect(try only("GET http://a.example:81/ HTTP/1.1\r\nHost: b\r\n\r\n").authority == "a.example:81")
    #expect(try only("GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n").authority == "[::1]:8080")
    #expect(try only("GET / HTTP/1.1\r\nHost:\r\n\r\n").authority == "")
  }

  @Test("one empty line before a request is ignored, a second is not (RFC 9112 §2.2)")
  func leadingEmptyLine() {
    let get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
    #expect(parse("\r\n" + get + "\r\n" + get).requests.count == 2)
    #expect(parse("\r\n\r\n" + get).failure?.code == "bad_request_line")
    #expect(parse("\n" + get).failure?.code == "bare_line_feed")
  }

  @Test("fields that are not UTF-8 are taken and marked (RFC 9110 §5.5)")
  func obsoleteText() {
    let bytes = Array("GET / HTTP/1.1\r\nHost: h\r\nX: a".utf8) + [0xE9] + Array("b\r\n\r\n".utf8)
    #expect(parse(bytes).requests.first?.headers.first("x") == "a\u{FFFD}b")
  }

  static let refusals: [(clause: String, text: String, status: Int, code: String)] = [
    ("RFC 9112 §3", "GET /\r\n", 400, "bad_request_line"),
    ("RFC 9112 §3", "GET  / HTTP/1.1\r\n", 400, "bad_request_line"),
    ("RFC 9112 §3", "GET /  HTTP/1.1\r\n", 400, "bad_request_line"),
    ("RFC 9112 §3", "GET / HTTP/1.1 \r\n", 400, "bad_request_line"),
    ("RFC 9112 §3", " GET / HTTP/1.1\r\n", 400, "bad_request_line"),
    ("RFC 9112 §3", "GET\t/\tHTTP/1.1\r\n", 400, "bad_request_line"),
    ("RFC 9112 §3.1", "G@T / HTTP/1.1\r\n", 400, "bad_request_line"),
    ("RFC 9112 §2.2", "\u{16}\u{3}\u{1}", 400, "bad_request_line"),
    ("RFC 9112 §2.3", "GET / HTTP/1\r\n", 400, "bad_version"),
    ("RFC 9112 §2.3", "GET / http/1.1\r\n", 400, "bad_version"),
    ("RFC 9112 §2.3", "GET / HTTP/1.11\r\n", 400, "bad_version"),
    ("RFC 9112 §2.3", "GET / HTTQ/1.1\r\n", 400, "bad_version"),
    ("RFC 9110 §15.6.6", "GET / HTTP/2.0\r\n", 505, "version_not_supported"),
    ("RFC 9113 §3.4", "PRI * HTTP/2.0\r\n", 505, "version_not_supported"),
    ("RFC 9110 §15.6.6", "GET / HTTP/0.9\r\n", 505, "version_not_supported"),
    ("RFC 9112 §3.2", "GET a HTTP/1.1\r\n", 400, "bad_target"),
    ("RFC 9112 §3.2", "GET ftp://a/ HTTP/1.1\r\n", 400, "bad_target"),
    ("RFC 9112 §3.2.2", "GET http:/// HTTP/1.1\r\n", 400, "bad_target"),
    ("RFC 9110 §4.2.4", "GET http://u@h/ HTTP/1.1\r\n", 400, "bad_target"),
    ("RFC 9112 §3.2.4", "GET * HTTP/1.1\r\n", 400, "bad_target"),
    ("RFC 9110 §4.2.5", "GET /#a HTTP/1.1\r\n", 400, "bad_target"),
    ("RFC 3986 §2", "GET /\u{7F} HTTP/1.1\r\n", 400, "bad_target"),
    ("RFC 3986 §2", "GET /é HTTP/1.1\r\n", 400, "bad_target"),
    ("RFC 3986 §2.1", "GET /%2 HTTP/1.1\r\n", 400, "bad_path_escape"),
    ("RFC 3986 §2.1", "GET /%zz HTTP/1.1\r\n", 400, "bad_path_escape"),
    ("RFC 3986 §2.1", "GET /a%00b HTTP/1.1\r\n", 400, "bad_path_escape"),
    ("RFC 3986 §2.5", "GET /%C0%AF HTTP/1.1\r\n", 400, "bad_path_escape"),
    ("RFC 3986 §2.1", "GET /?a=%4 HTTP/1.1\r\n", 400, "bad_query_escape"),
    ("RFC 3986 §2.1", "GET /?a=%&b=4f HTTP/1.1\r\n", 400, "bad_query_escape"),
    ("RFC 9112 §3.2.3", "CONNECT h:443 HTTP/1.1\r\n", 501, "method_not_supported"),
    ("RFC 9112 §2.2", "GET / HTTP/1.1\nHost: h\r\n\r\n", 400, "bare_line_feed"),
    ("RFC 9112 §2.2", "GET / HTTP/1.1\r\nHost: h\n\r\n", 400, "bare_line_feed"),
    ("RFC 9112 §2.2", "GET / HTTP/1.1\r\nHost: h\r\n\n", 400, "bare_line_feed"),
    ("RFC 9112 §2.2", "GET / HTTP/1.1\r\nHost: h\rX: y\r\n\r\n", 400, "bare_carriage_return"),
    ("RFC 9112 §2.2", "GET / HTTP/1.1\r\nHost: h\r\r\n\r\n", 400, "bare_carriage_return"),
    ("RFC 9112 §2.2", "GET / \rHTTP/1.1\r\n", 400, "bare_carriage_return"),
    ("RFC 9110 §5.5", "GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n", 400, "nul_byte"),
    ("RFC 9110 §5.5", "GET / HTTP/1.1\r\nX: a\u{B}b\r\n\r\n", 400, "bad_header_value"),
    ("RFC 9110 §5.5", "GET / HTTP/1.1\r\nX: a\u{7F}b\r\n\r\n", 400, "bad_header_value"),
    ("RFC 9112 §5.1", "GET / HTTP/1.1\r\nHost : h\r\n\r\n", 400, "bad_header_name"),
    ("RFC 9112 §5.1", "GET / HTTP/1.1\r\nHost\t: h\r\n\r\n", 400, "bad_header_name"),
    ("RFC 9112 §5.1", "GET / HTTP/1.1\r\n: h\r\n\r\n", 400, "bad_header_name"),
    ("RFC 9112 §5", "GET / HTTP/1.1\r\nHost\r\n\r\n", 400, "bad_header"),
    ("RFC 9112 §5.1", "GET / HTTP/1.1\r\nHö: h\r\n\r\n", 400, "bad_header_name"),
    ("RFC 9112 §5.2", "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n", 400, "folded_header"),
    ("RFC 9112 §2.2", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400, "folded_header"),
    ("RFC 9112 §3.2", "GET / HTTP/1.1\r\n\r\n", 400, "missing_host"),
    ("RFC 9112 §3.2", "GET http://h/ HTTP/1.1\r\n\r\n", 400, "missing_host"),
    ("RFC 9112 §3.2", "GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", 400, "duplicate_host"),
    ("RFC 9112 §3.2", "GET / HTTP/1.0\r\nHost: h\r\nhost: i\r\n\r\n", 400, "duplicate_host"),
    ("RFC 9112 §3.2", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "bad_host"),
    ("RFC 9112 §3.2", "GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", 400, "bad_host"),
    ("RFC 9112 §3.2", "GET / HTTP/1.1\r\nHost: h/x\r\n\r\n", 400, "bad_host"),
    ("RFC 9112 §3.2", "GET / HTTP/1.1\r\nHost: h:80:80\r\n\r\n", 400, "bad_host"),
    ("RFC 9112 §3.2", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400, "bad_host"),
    (
      "RFC 9112 §6.1", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
      "length_and_transfer_encoding"
    ),
    ("RFC 9112 §6.1", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "transfer_encoding_in_http_1_0"),
    (
      "RFC 9112 §6.1", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501,
      "transfer_encoding_not_supported"
    ),
    (
      "RFC 9112 §6.1", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", 501,
      "transfer_encoding_not_supported"
    ),
    (
      "RFC 9112 §6.1", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n", 501,
      "transfer_encoding_not_supported"
    ),
    (
      "RFC 9112 §6.1", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked;a=b\r\n\r\n", 501,
      "transfer_encoding_not_supported"
    ),
    (
      "RFC 9112 §6.1",
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", 501,
      "transfer_encoding_not_supported"
    ),
    (
      "RFC 9112 §7", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", 400,
      "bad_transfer_encoding"
    ),
    ("RFC 9112 §6.1", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n\r\n", 400, "bad_transfer_encoding"),
    (
      "RFC 9112 §6.3", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", 400,
      "duplicate_content_length"
    ),
    ("RFC 9112 §6.3", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3, 3\r\n\r\n", 400, "bad_content_length"),
    ("RFC 9110 §8.6", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +3\r\n\r\n", 400, "bad_content_length"),
    ("RFC 9110 §8.6", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", 400, "bad_content_length"),
    ("RFC 9110 §8.6", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x3\r\n\r\n", 400, "bad_content_length"),
    ("RFC 9110 §8.6", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n\r\n", 400, "bad_content_length"),
    ("RFC 9110 §15.5.14", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1048577\r\n\r\n", 413, "body_too_large"),
    (
      "RFC 9110 §8.6", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n", 413,
      "body_too_large"
    ),
  ]

  @Test("what RFC 9112 calls invalid is refused with its status", arguments: refusals.indices)
  func refuses(index: Int) {
    let refusal = Self.refusals[index]
    let expected = HTTPParseFailure(status: refusal.status, code: refusal.code)
    #expect(parse(refusal.text).failure == expected, "\(refusal.clause): \(refusal.text.debugDescription)")
    #expect(parse(Array(refusal.text.utf8), pieces: 1).failure == expected, "\(refusal.clause), byte by byte")
  }

  @Test(
    "bad chunks are refused (RFC 9112 §7.1)",
    arguments: [
      ("\r\n", "bad_chunk_size"), ("g\r\n", "bad_chunk_size"), ("0x5\r\n", "bad_chunk_size"),
      ("-1\r\n", "bad_chunk_size"),
      ("+1\r\n", "bad_chunk_size"), (" 5\r\n", "bad_chunk_size"), ("5 \r\n", "bad_chunk_size"),
      ("5 5\r\n", "bad_chunk_size"),
      ("5,\r\n", "bad_chunk_size"), ("5\n", "bare_line_feed"), ("5\rhello", nil),
      ("5;a\u{1}\r\n", "bad_chunk_extension"),
      ("5;a\rb\r\n", "bare_carriage_return"), ("5\r\nhelloX", "bad_chunk_end"), ("5\r\nhello\n", "bad_chunk_end"),
      ("5\r\nhello\rX", "bad_chunk_end"), ("fffffffffffffffff\r\n", "body_too_large"),
      ("7fffffffffffffff\r\n", "body_too_large"),
      ("8000000000000000\r\n", "body_too_large"), ("100001\r\n", "body_too_large"),
      ("0\r\nX : 1\r\n", "bad_header_name"),
      ("0\r\n folded\r\n", "folded_header"), ("0\r\nX: 1\n", "bare_line_feed"),
    ] as [(String, String?)])
  func chunkRefusals(chunks: String, code: String?) {
    let text = Array(("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks).utf8)
    for pieces in [0, 1] {
      let outcome = parse(text, pieces: pieces)
      #expect(outcome.failure?.code == code)
      #expect(outcome.requests.isEmpty)
    }
  }

  @Test("limits hold exactly, however the bytes come")
  func limits() {
    let limits = HTTPLimits(
      maximumRequestLineBytes: 20, maximumHeaderBytes: 30, maximumHeaderCount: 3, maximumBodyBytes: 10)
    func code(_ text: String) -> String? {
      let whole = parse(Array(text.utf8), limits: limits)
      for pieces in [1, 3, 7] { #expect(parse(Array(text.utf8), pieces: pieces, limits: limits) == whole) }
      if let failure = whole.failure { return "\(failure.status) \(failure.code)" }
      return whole.requests.isEmpty ? "incomplete" : nil
    }
    #expect(code("GET /234567 HTTP/1.1\r\nHost: h\r\n\r\n") == nil)
    #expect(code("GET /2345678 HTTP/1.1\r\nHost: h\r\n\r\n") == "414 request_line_too_long")
    #expect(code("GET /23456789012345") == "incomplete")
    #expect(code("GET /234567890123456") == "incomplete")
    #expect(code("GET /2345678901234567") == "414 request_line_too_long")
    #expect(code("GET / HTTP/1.1\r\nHost: h\r\nX: 5678901234567890\r\n\r\n".replacing(byteCount: 30)) == nil)
    #expect(
      code("GET / HTTP/1.1\r\nHost: h\r\nX: 5678901234567890\r\n\r\n".replacing(byteCount: 31))
        == "431 headers_too_large")
    #expect(code("GET / HTTP/1.1\r\nA:\r\nB:\r\nHost: h\r\n\r\n") == nil)
    #expect(code("GET / HTTP/1.1\r\nA:\r\nB:\r\nC:\r\nHost: h\r\n\r\n") == "431 too_many_headers")
    #expect(code("PUT / HTTP/1.0\r\nContent-Length: 10\r\n\r\n0123456789") == nil)
    #expect(code("PUT / HTTP/1.0\r\nContent-Length: 11\r\n\r\n") == "413 body_too_large")
    let chunked = "PUT / HTTP/1.1\r\nHost:\r\nTE:\r\n\r\n"
    #expect(code(chunked) == nil)
  }

  @Test("chunked bodies, trailers and extensions have limits too")
  func chunkLimits() {
    let limits = HTTPLimits(maximumHeaderBytes: 60, maximumHeaderCount: 3, maximumBodyBytes: 10)
    let head = "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    #expect(parse(head + "5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n", limits: limits).requests.first?.body.count == 10)
    #expect(parse(head + "5\r\n01234\r\n6\r\n", limits: limits).failure?.status == 413)
    #expect(parse(head + "0\r\na:\r\nb:\r\nc:\r\nd:\r\n", limits: limits).failure?.code == "too_many_headers")
    #expect(parse(head + "0\r\na: \(String(repeating: "x", count: 60))\r\n", limits: limits).failure?.status == 431)
    let extended = "1;\(String(repeating: "e", count: 19))\r\nx\r\n"
    #expect(parse(head + String(repeating: extended, count: 3), limits: limits).failure == nil)
    #expect(
      parse(head + String(repeating: extended, count: 4), limits: limits).failure?.code == "chunk_extensions_too_large")
    #expect(
      parse(head + "1;" + String(repeating: "e", count: 2_000), limits: limits).failure?.code == "chunk_line_too_long")
  }

  @Test("limits without limit do not overflow")
  func unlimited() {
    let limits = HTTPLimits(
      maximumRequestLineBytes: .max, maximumHeaderBytes: .max, maximumHeaderCount: .max, maximumBodyBytes: .max)
    #expect(parse("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok", limits: limits).requests.count == 1)
    #expect(parse("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: \(Int.max)\r\n\r\nok", limits: limits).failure == nil)
    let head = "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"
    #expect(parse(head + "7fffffffffffffff\r\n", limits: limits).failure?.status == 413)
  }

  @Test("a parser that failed stays failed and takes in nothing")
  func staysFailed() {
    var parser = HTTPRequestParser()
    var consumed = 0
    let bad = Array("GET\r\n".utf8).withUnsafeBytes { parser.next($0, consumed: &consumed) }
    let after = Array("GET / HTTP/1.1\r\nHost: h\r\n\r\n".utf8).withUnsafeBytes { parser.next($0, consumed: &consumed) }
    #expect(bad == .failure(HTTPParseFailure(status: 400, code: "bad_request_line")))
    #expect(after == bad)
    #expect(consumed == 0)
  }

  @Test("thousands of fields and huge lists cost one pass")
  func hostileHeaders() throws {
    let many = String(repeating: "a: b\r\n", count: 5_000)
    #expect(parse("GET / HTTP/1.1\r\nHost: h\r\n" + many).failure?.status == 431)
    let list = String(repeating: ",", count: 15_000)
    let request = try only("GET / HTTP/1.1\r\nHost: h\r\nConnection: \(list)upgrade\r\n\r\n")
    #expect(request.headers.list("connection") == ["upgrade"])
  }
}

extension String {
  /// Lengthens or shortens the field X so that all field lines together have this many bytes.
  fileprivate func replacing(byteCount: Int) -> String {
    "GET / HTTP/1.1\r\nHost: h\r\nX: " + String(repeating: "x", count: byteCount - 9 - 5) + "\r\n\r\n"
  }
}
