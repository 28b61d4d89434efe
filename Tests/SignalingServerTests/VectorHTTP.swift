import Foundation

/// One HTTP exchange on a connection of its own, read to its end.
struct VectorHTTPResponse {
  var status: Int
  /// By name in lower case.
  var headers: [String: String]
  var body: [UInt8]

  /// Sends a request as it is.
  init(to request: [UInt8], isHead: Bool = false, port: UInt16) throws {
    let socket = try VectorSocket(port: port)
    defer { socket.shut() }
    try socket.send(request)
    let deadline = VectorSocket.now() + VectorSocket.patience
    try self.init(isHead: isHead) { try socket.receive(until: deadline) }
  }

  /// Reads an answer piece by piece.
  init(isHead: Bool, receive: () throws -> [UInt8]?) throws {
    var received: [UInt8] = []
    let terminator = Array("\r\n\r\n".utf8)
    var end: Range<Int>?
    while end == nil, let bytes = try receive() {
      received += bytes
      end = received.firstRange(of: terminator)
    }
    guard let end else { throw VectorFailure("no answer: \(String(decoding: received, as: UTF8.self))") }
    let lines = String(decoding: received[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
    let words = lines[0].split(separator: " ", maxSplits: 2)
    guard words.count >= 2, words[0] == "HTTP/1.1", let status = Int(words[1]) else {
      throw VectorFailure("no status line: \(lines[0])")
    }
    self.status = status
    headers = [:]
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { throw VectorFailure("no header field: \(line)") }
      headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
    }
    body = Array(received[end.upperBound...])
    let length = isHead || status == 204 || status == 304 ? 0 : headers["content-length"].flatMap { Int($0) }
    while length.map({ body.count < $0 }) ?? true, let bytes = try receive() { body += bytes }
    if let length, body.count != length { throw VectorFailure("a body of \(body.count) bytes, announced as \(length)") }
  }

  /// Sends a request made of its parts.
  init(
    _ method: String, _ path: String, headers: [String: String], body: [UInt8]?, port: UInt16
  ) throws {
    let request = Self.request(method, path, headers: headers, body: body, port: port)
    try self.init(to: request, isHead: method == "HEAD", port: port)
  }

  /// A request made of its parts.
  static func request(
    _ method: String, _ path: String, headers: [String: String], body: [UInt8]?, port: UInt16
  ) -> [UInt8] {
    var head = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n"
    var headers = headers
    if body != nil, headers["Content-Type"] == nil { headers["Content-Type"] = "application/json" }
    if headers["Connection"] == nil { headers["Connection"] = "close" }
    for (name, value) in headers.sorted(by: { $0.key < $1.key }) { head += "\(name): \(value)\r\n" }
    if let body { head += "Content-Length: \(body.count)\r\n" }
    return Array((head + "\r\n").utf8) + (body ?? [])
  }
}
