/// The server's side of HTTP/1 parsing (RFC 9112): bytes in, requests out, in pieces of any size.
///
/// Strict where leniency lets two parties disagree about where a request ends (RFC 9112 §11.2): whoever sends an
/// ambiguous length, a folded line or a bare line end gets a failure, after which the connection is to be closed.
public struct HTTPRequestParser: Sendable {
  public enum Step: Sendable, Equatable {
    /// All input is taken in and the request is not whole yet.
    case needsMore
    /// A whole request; what follows it is not consumed.
    case request(HTTPRequest)
    /// Answer with the status and close. The parser stays failed.
    case failure(HTTPParseFailure)
  }

  private enum State {
    case requestLine
    case fieldLines
    case fixedBody(remaining: Int)
    case chunkSize
    case chunkData(remaining: Int)
    case chunkDataEnd(sawCarriageReturn: Bool)
    case trailers
    case failed(HTTPParseFailure)
  }

  /// How the body is framed (RFC 9112 §6).
  private enum Framing {
    case none, length(Int), chunked
  }

  /// A line of chunk framing needs few bytes; extensions have no use here.
  private static let maximumChunkLineBytes = 1_024

  /// In force from the next byte on, so that a route may be allowed a larger body once the head is known.
  public var limits: HTTPLimits

  private var state = State.requestLine
  /// The beginning of the line that is being read, when the input ended inside it.
  private var partialLine: [UInt8] = []
  private var mayBeginWithEmptyLine = true
  private var request: HTTPRequest?
  /// What the field lines, the trailers or the chunk extensions have used of their budget.
  private var headerBytes = 0
  private var headerCount = 0
  private var chunkOverheadBytes = 0
  private var continueIsPending = false
  private var isForm = false

  public init(limits: HTTPLimits = HTTPLimits()) {
    self.limits = limits
  }

  /// Whether nothing of a next request has come: a connection in this state can be closed without loss.
  public var isIdle: Bool {
    if case .requestLine = state { return partialLine.isEmpty && mayBeginWithEmptyLine }
    return false
  }

  /// The request whose head is complete and whose body is still coming; its body is empty or partial.
  public var requestInProgress: HTTPRequest? {
    switch state {
    case .requestLine, .fieldLines, .failed: return nil
    case .fixedBody, .chunkSize, .chunkData, .chunkDataEnd, .trailers: return request
    }
  }

  /// True once for each request whose client waits for `100 Continue` before it sends the body (RFC 9110 §10.1.1). Ask
  /// after ``Step/needsMore``.
  public mutating func takePendingContinue() -> Bool {
    defer { continueIsPending = false }
    return continueIsPending
  }

  /// Takes in input up to the end of a request.
  ///
  /// - Parameter consumed: set to the number of bytes taken; the rest belongs to the next request, or to the protocol
  ///   that an upgrade leads to.
  public mutating func next(_ input: UnsafeRawBufferPointer, consumed: inout Int) -> Step {
    consumed = 0
    do throws(HTTPParseFailure) {
      guard let request = try advance(input, &consumed) else { return .needsMore }
      return .request(request)
    } catch {
      fail(error)
      return .failure(error)
    }
  }

  private mutating func fail(_ failure: HTTPParseFailure) {
    state = .failed(failure)
    partialLine = []
    request = nil
    continueIsPending = false
  }

  private mutating func advance(
    _ input: UnsafeRawBufferPointer, _ position: inout Int
  ) throws(HTTPParseFailure) -> HTTPRequest? {
    while true {
      switch state {
      case .requestLine:
        // RFC 9112 §2.2: what begins like no method (a TLS handshake, say) need not be awaited to the end of its line.
        if partialLine.isEmpty, position < input.count {
          let first = input[position]
          guard first.isTokenCharacter || first == .carriageReturn || first == .lineFeed else {
            throw HTTPParseFailure("bad_request_line")
          }
        }
        guard
          let line = try readLine(
            input, &position, limit: limits.maximumRequestLineBytes,
            tooLong: HTTPParseFailure("request_line_too_long", status: 414))
        else { return nil }
        if line.isEmpty {
          // RFC 9112 §2.2: an empty line before the request line is to be ignored; one is enough for any client.
          guard mayBeginWithEmptyLine else { throw HTTPParseFailure("bad_request_line") }
          mayBeginWithEmptyLine = false
          continue
        }
        request = try parseRequestLine(line)
        state = .fieldLines

      case .fieldLines:
        guard let line = try readFieldLine(input, &position) else { return nil }
        if line.isEmpty {
          if let complete = try endHead() { return complete }
          continue
        }
        let field = try parseFieldLine(line)
        request?.headers.append(field.name, field.value)

      case .fixedBody(let remaining):
        let count = min(remaining, input.count &- position)
        request?.body.append(contentsOf: input[position..<(position &+ count)])
        position &+= count
        if count == remaining { return finish() }
        state = .fixedBody(remaining: remaining &- count)
        return nil

      case .chunkSize:
        guard
          let line = try readLine(
            input, &position, limit: Self.maximumChunkLineBytes, tooLong: HTTPParseFailure("chunk_line_too_long"))
        else { return nil }
        let size = try parseChunkSize(line)
        if size == 0 {
          (headerBytes, headerCount) = (0, 0)
          state = .trailers
        } else {
          state = .chunkData(remaining: size)
        }

      case .chunkData(let remaining):
        let count = min(remaining, input.count &- position)
        request?.body.append(contentsOf: input[position..<(position &+ count)])
        position &+= count
        state = count == remaining ? .chunkDataEnd(sawCarriageReturn: false) : .chunkData(remaining: remaining &- count)
        if count < remaining { return nil }

      case .chunkDataEnd(let sawCarriageReturn):
        // RFC 9112 §7.1: the data is followed by CRLF and nothing else.
        guard position < input.count else { return nil }
        guard input[position] == (sawCarriageReturn ? .lineFeed : .carriageReturn) else {
          throw HTTPParseFailure("bad_chunk_end")
        }
        position &+= 1
        state = sawCarriageReturn ? .chunkSize : .chunkDataEnd(sawCarriageReturn: true)

      case .trailers:
        // RFC 9112 §7.1.2: trailer fields may be discarded; they are checked like any field.
        guard let line = try readFieldLine(input, &position) else { return nil }
        if line.isEmpty { return finish() }
        _ = try parseFieldLine(line)

      case .failed(let failure):
        throw failure
      }
    }
  }

  // MARK: Lines

  /// The next line without its line end, nil when the input ends before it does.
  private mutating func readLine(
    _ input: UnsafeRawBufferPointer, _ position: inout Int, limit: Int, tooLong: HTTPParseFailure
  ) throws(HTTPParseFailure) -> [UInt8]? {
    let limit = min(limit, 1 << 40)
    // CR may stand beyond the limit, the byte after it may not.
    let allowed = max(0, limit &+ 2 &- partialLine.count)
    let end = position &+ min(allowed, input.count &- position)
    let index = input.offset(of: .lineFeed, in: position..<end)
    guard index < end else {
      partialLine.append(contentsOf: input[position..<end])
      position = end
      if partialLine.count >= limit &+ 2 || (partialLine.count > limit && partialLine.last != .carriageReturn) {
        throw tooLong
      }
      return nil
    }
    var line = partialLine
    line.append(contentsOf: input[position..<index])
    partialLine.removeAll(keepingCapacity: true)
    position = index &+ 1
    // RFC 9112 §2.2: a lone LF could end a line; that two parties may differ in this is reason enough to refuse it.
    guard line.last == .carriageReturn else {
      throw line.count > limit ? tooLong : HTTPParseFailure("bare_line_feed")
    }
    line.removeLast()
    // RFC 9112 §2.2: a CR without LF is invalid; RFC 9110 §5.5: so is NUL.
    guard line.withUnsafeBytes(\.hasControlCharacter) else { return line }
    if line.contains(.carriageReturn) { throw HTTPParseFailure("bare_carriage_return") }
    if line.contains(0) { throw HTTPParseFailure("nul_byte") }
    return line
  }

  /// The next line of the head or of the trailers, within the budgets for both.
  private mutating func readFieldLine(
    _ input: UnsafeRawBufferPointer, _ position: inout Int
  ) throws(HTTPParseFailure) -> [UInt8]? {
    let tooLong = HTTPParseFailure("headers_too_large", status: 431)
    let line = try readLine(
      input, &position, limit: max(0, limits.maximumHeaderBytes &- headerBytes), tooLong: tooLong)
    guard let line else { return nil }
    guard !line.isEmpty else { return line }
    headerBytes &+= line.count &+ 2
    headerCount &+= 1
    guard headerBytes <= limits.maximumHeaderBytes else { throw tooLong }
    guard headerCount <= limits.maximumHeaderCount else {
      throw HTTPParseFailure("too_many_headers", status: 431)
    }
    return line
  }

  // MARK: Head

  /// RFC 9112 §3: method, target and version with single spaces between them.
  private func parseRequestLine(_ line: [UInt8]) throws(HTTPParseFailure) -> HTTPRequest {
    let parts = line.split(separator: .space, omittingEmptySubsequences: false)
    guard parts.count == 3, !parts[0].isEmpty, parts[0].allSatisfy(\.isTokenCharacter) else {
      throw HTTPParseFailure("bad_request_line")
    }
    // RFC 9112 §2.3. Looked at before the target, because another version may know other targets.
    let version = Array(parts[2])
    guard version.count == 8, version.starts(with: "HTTP/".utf8), version[5].isDigit,
      version[6] == UInt8(ascii: "."), version[7].isDigit
    else { throw HTTPParseFailure("bad_version") }
    guard version[5] == UInt8(ascii: "1") else { throw HTTPParseFailure("version_not_supported", status: 505) }
    let method = String(decoding: parts[0], as: UTF8.self)
    // RFC 9112 §3.2.3: authority-form belongs to CONNECT, and this is no proxy.
    if method == "CONNECT" { throw HTTPParseFailure("method_not_supported", status: 501) }
    guard let text = String(validating: parts[1], as: UTF8.self) else { throw HTTPParseFailure("bad_target") }
    let target = try HTTPTarget(text)
    // RFC 9112 §3.2.4: asterisk-form is for OPTIONS.
    if text == "*", method != "OPTIONS" { throw HTTPParseFailure("bad_target") }
    return HTTPRequest(
      method: method, target: target, versionMinor: Int(version[7] &- 0x30), keepAlive: false)
  }

  private func parseFieldLine(_ line: [UInt8]) throws(HTTPParseFailure) -> HTTPHeaders.Field {
    // RFC 9112 §5.2: a server refuses folded lines; §2.2: so it does blanks before the first field.
    if line.first?.isBlank == true { throw HTTPParseFailure("folded_header") }
    guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { throw HTTPParseFailure("bad_header") }
    // RFC 9112 §5.1: no blank between name and colon; a token has none.
    guard colon > 0, line[..<colon].allSatisfy(\.isTokenCharacter) else {
      throw HTTPParseFailure("bad_header_name")
    }
    var value = line[(colon &+ 1)...]
    // RFC 9110 §5.5: control characters are dangerous to pass on.
    guard !value.withUnsafeBytes(\.hasControlCharacter) || value.allSatisfy(\.isFieldValueCharacter) else {
      throw HTTPParseFailure("bad_header_value")
    }
    while value.first?.isBlank == true { value.removeFirst() }
    while value.last?.isBlank == true { value.removeLast() }
    return HTTPHeaders.Field(
      name: String(decoding: line[..<colon], as: UTF8.self), value: String(decoding: value, as: UTF8.self))
  }

  /// Judges the whole head; returns the request when it has no body.
  private mutating func endHead() throws(HTTPParseFailure) -> HTTPRequest? {
    guard var head = request else { throw HTTPParseFailure("bad_request_line") }
    try checkHost(of: head)
    let framing = try framing(of: head)
    // RFC 9112 §9.3.
    let closes = head.headers.contains("close", inList: "connection")
    head.keepAlive =
      !closes && (head.versionMinor > 0 || head.headers.contains("keep-alive", inList: "connection"))
    // RFC 9110 §10.1.1: an HTTP/1.0 client cannot mean it.
    head.expectsContinue = head.versionMinor > 0 && head.headers.contains("100-continue", inList: "expect")
    isForm = head.headers.first("content-type").map(Self.isForm) ?? false
    request = head
    switch framing {
    case .none, .length(0):
      return finish()
    case .length(let length):
      guard length <= maximumBodyBytes else { throw HTTPParseFailure("body_too_large", status: 413) }
      state = .fixedBody(remaining: length)
    case .chunked:
      chunkOverheadBytes = 0
      state = .chunkSize
    }
    continueIsPending = head.expectsContinue
    return nil
  }

  /// RFC 9112 §3.2: exactly one valid Host in HTTP/1.1, at most one in HTTP/1.0.
  private func checkHost(of head: HTTPRequest) throws(HTTPParseFailure) {
    let hosts = head.headers.all("host")
    if hosts.count > 1 { throw HTTPParseFailure("duplicate_host") }
    guard let host = hosts.first else {
      if head.versionMinor == 0 { return }
      throw HTTPParseFailure("missing_host")
    }
    guard isValidHost(host[...]) else { throw HTTPParseFailure("bad_host") }
  }

  /// RFC 9112 §6.3: where the body ends, or why that is not certain.
  private func framing(of head: HTTPRequest) throws(HTTPParseFailure) -> Framing {
    let lengths = head.headers.all("content-length")
    let codings = head.headers.all("transfer-encoding")
    guard codings.isEmpty else {
      // RFC 9112 §6.1: both together are an attack or a bug, and an HTTP/1.0 client cannot mean chunks.
      guard lengths.isEmpty else { throw HTTPParseFailure("length_and_transfer_encoding") }
      guard head.versionMinor > 0 else { throw HTTPParseFailure("transfer_encoding_in_http_1_0") }
      let names = head.headers.list("transfer-encoding")
      guard !names.isEmpty else { throw HTTPParseFailure("bad_transfer_encoding") }
      guard names.allSatisfy({ equalsIgnoringCase($0, "chunked") }) else {
        throw HTTPParseFailure("transfer_encoding_not_supported", status: 501)
      }
      // RFC 9112 §7: chunked is applied once.
      guard names.count == 1 else { throw HTTPParseFailure("bad_transfer_encoding") }
      return .chunked
    }
    guard let text = lengths.first else { return .none }
    // RFC 9112 §6.3: a list, even of equal values, may be refused.
    guard lengths.count == 1 else { throw HTTPParseFailure("duplicate_content_length") }
    guard !text.isEmpty, text.utf8.allSatisfy(\.isDigit) else { throw HTTPParseFailure("bad_content_length") }
    // RFC 9110 §8.6: digits without end are valid, so that too many to count means too large.
    guard let length = Int(text) else { throw HTTPParseFailure("body_too_large", status: 413) }
    return .length(length)
  }

  // MARK: Body

  private var maximumBodyBytes: Int { isForm ? limits.maximumFormBytes : limits.maximumBodyBytes }

  private static func isForm(_ contentType: String) -> Bool {
    equalsIgnoringCase(contentType.prefix { $0 != ";" && $0 != " " }, "multipart/form-data")
  }

  /// RFC 9112 §7.1: hexadecimal digits, then perhaps extensions, which are ignored.
  private mutating func parseChunkSize(_ line: [UInt8]) throws(HTTPParseFailure) -> Int {
    let allowed = maximumBodyBytes &- (request?.body.count ?? 0)
    var size = 0
    var index = 0
    while index < line.count, let digit = line[index].hexadecimalValue {
      let (scaled, overflows) = size.multipliedReportingOverflow(by: 16)
      let (sum, exceeds) = scaled.addingReportingOverflow(Int(digit))
      guard !overflows, !exceeds, sum <= allowed else { throw HTTPParseFailure("body_too_large", status: 413) }
      size = sum
      index &+= 1
    }
    guard index > 0 else { throw HTTPParseFailure("bad_chunk_size") }
    // RFC 9112 §7.1.1: extensions without end on tiny chunks would be a body without limit.
    chunkOverheadBytes &+= line.count &- min(index, 16)
    guard chunkOverheadBytes <= limits.maximumHeaderBytes else { throw HTTPParseFailure("chunk_extensions_too_large") }
    guard index < line.count else { return size }
    while index < line.count, line[index].isBlank { index &+= 1 }
    guard index < line.count, line[index] == UInt8(ascii: ";") else { throw HTTPParseFailure("bad_chunk_size") }
    guard line[index...].allSatisfy(\.isFieldValueCharacter) else { throw HTTPParseFailure("bad_chunk_extension") }
    return size
  }

  /// Hands the request out and makes ready for the next.
  private mutating func finish() -> HTTPRequest? {
    defer {
      request = nil
      state = .requestLine
      mayBeginWithEmptyLine = true
      (headerBytes, headerCount) = (0, 0)
      continueIsPending = false
      // An idle connection holds no memory for lines.
      partialLine = []
    }
    return request
  }
}
