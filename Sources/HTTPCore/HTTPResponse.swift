/// A response to be sent.
public struct HTTPResponse: Sendable, Equatable {
  /// 100 to 599.
  public var status: Int
  /// What the writer does not set by itself: `Content-Length`, `Transfer-Encoding` and `Date` here are ignored, and so is
  /// `Connection` except on a 101.
  public var headers: HTTPHeaders
  public var body: [UInt8]

  public init(status: Int, headers: HTTPHeaders = [:], body: [UInt8] = []) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// The response as it goes out.
  ///
  /// - Parameters:
  ///   - date: for the Date field, see ``HTTPDate``.
  ///   - keepAlive: whether the connection lives on; the Connection field says so.
  ///   - isHead: whether the request was HEAD: the head is that of the answer to GET, the body is left out
  ///     (RFC 9110 §9.3.2).
  public func serialized(date: String, keepAlive: Bool, isHead: Bool = false) -> [UInt8] {
    let hasContent = !isHead && !statusForbidsContent
    var output = head(
      date: date, keepAlive: keepAlive, contentLength: body.count, reserving: hasContent ? body.count : 0)
    if hasContent { output.append(contentsOf: body) }
    return output
  }

  /// The head alone, for a body that is sent by other means.
  ///
  /// - Parameter contentLength: the size of that body. Left out where RFC 9110 §8.6 forbids it.
  public func serializedHead(date: String, keepAlive: Bool, contentLength: Int) -> [UInt8] {
    head(date: date, keepAlive: keepAlive, contentLength: contentLength, reserving: 0)
  }

  /// RFC 9110 §6.4.1: 1xx, 204 and 304 have no content.
  private var statusForbidsContent: Bool { status < 200 || status == 204 || status == 304 }

  private func head(date: String, keepAlive: Bool, contentLength: Int, reserving: Int) -> [UInt8] {
    var output: [UInt8] = []
    output.reserveCapacity(192 &+ headers.count &* 48 &+ reserving)
    output.append(contentsOf: "HTTP/1.1 ".utf8)
    output.append(contentsOf: String(min(max(status, 100), 599)).utf8)
    output.append(.space)
    output.append(contentsOf: HTTPResponse.reasonPhrase(status).utf8)
    output.append(contentsOf: "\r\n".utf8)
    appendField("Date", date, to: &output)
    for field in headers where !isSetByWriter(field.name) {
      appendField(field.name, field.value, to: &output)
    }
    // RFC 9110 §8.6: no Content-Length in 1xx and 204; a 304 would have to know that of the 200.
    if !statusForbidsContent { appendField("Content-Length", String(max(0, contentLength)), to: &output) }
    if status != 101 {
      // RFC 9110 §7.8: whoever sends Upgrade (with a 426) names it in Connection.
      let upgrade = headers.first("upgrade") == nil ? "" : "upgrade, "
      appendField("Connection", upgrade + (keepAlive ? "keep-alive" : "close"), to: &output)
    }
    output.append(contentsOf: "\r\n".utf8)
    return output
  }

  private func isSetByWriter(_ name: String) -> Bool {
    switch name.utf8.count {
    case 4: return equalsIgnoringCase(name, "date")
    case 10: return status != 101 && equalsIgnoringCase(name, "connection")
    case 14: return equalsIgnoringCase(name, "content-length")
    case 17: return equalsIgnoringCase(name, "transfer-encoding")
    default: return false
    }
  }

  /// RFC 9110 §5.5: a line end inside a value would begin another field, or another response.
  private func appendField(_ name: String, _ value: String, to output: inout [UInt8]) {
    guard !name.isEmpty, name.utf8.allSatisfy(\.isTokenCharacter) else {
      assertionFailure("not a field name: \(name)")
      return
    }
    output.append(contentsOf: name.utf8)
    output.append(contentsOf: ": ".utf8)
    for byte in value.utf8 { output.append(byte.isFieldValueCharacter ? byte : .space) }
    output.append(contentsOf: "\r\n".utf8)
  }

  /// `100 Continue`, whole, for a client that waits for it (RFC 9110 §15.2.1).
  public static let continueBytes = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)

  /// The phrase of RFC 9110 §15 and RFC 6585 for a status; empty when there is none, which is valid.
  public static func reasonPhrase(_ status: Int) -> String {
    switch status {
    case 100: return "Continue"
    case 101: return "Switching Protocols"
    case 200: return "OK"
    case 201: return "Created"
    case 202: return "Accepted"
    case 204: return "No Content"
    case 206: return "Partial Content"
    case 301: return "Moved Permanently"
    case 302: return "Found"
    case 303: return "See Other"
    case 304: return "Not Modified"
    case 307: return "Temporary Redirect"
    case 308: return "Permanent Redirect"
    case 400: return "Bad Request"
    case 401: return "Unauthorized"
    case 403: return "Forbidden"
    case 404: return "Not Found"
    case 405: return "Method Not Allowed"
    case 406: return "Not Acceptable"
    case 408: return "Request Timeout"
    case 409: return "Conflict"
    case 410: return "Gone"
    case 411: return "Length Required"
    case 412: return "Precondition Failed"
    case 413: return "Content Too Large"
    case 414: return "URI Too Long"
    case 415: return "Unsupported Media Type"
    case 416: return "Range Not Satisfiable"
    case 417: return "Expectation Failed"
    case 421: return "Misdirected Request"
    case 422: return "Unprocessable Content"
    case 426: return "Upgrade Required"
    case 428: return "Precondition Required"
    case 429: return "Too Many Requests"
    case 431: return "Request Header Fields Too Large"
    case 500: return "Internal Server Error"
    case 501: return "Not Implemented"
    case 502: return "Bad Gateway"
    case 503: return "Service Unavailable"
    case 504: return "Gateway Timeout"
    case 505: return "HTTP Version Not Supported"
    case 507: return "Insufficient Storage"
    default: return ""
    }
  }
}
