import EventLoop
import Glibc

/// Why a request has no answer.
struct HTTPClientFailure: Error, CustomStringConvertible {
  var description: String
}

/// A response, its body whole.
struct HTTPClientResponse {
  var status: Int
  var body: [UInt8]
}

/// Requests one after the other, each over a connection of its own, waiting for the answer: for what comes before and
/// after the load.
struct HTTPClient {
  private let target: ServerTarget
  private let address: SocketAddress
  private static let timeoutMilliseconds: Int64 = 30_000
  private static let maximumBytes = 64 << 20

  init(target: ServerTarget, address: SocketAddress) {
    self.target = target
    self.address = address
  }

  func request(
    _ method: String, _ path: String, token: String, body: [UInt8] = []
  ) throws(HTTPClientFailure) -> HTTPClientResponse {
    let deadline = MonotonicClock.milliseconds() + Self.timeoutMilliseconds
    var head = "\(method) \(path) HTTP/1.1\r\nHost: \(target.authority)\r\nAuthorization: Bearer \(token)\r\n"
    head += "Connection: close\r\nContent-Type: application/json\r\nContent-Length: \(body.count)\r\n\r\n"
    do throws(SystemError) {
      let socket = try StreamSocket.connect(to: address)
      try Self.send(Array(head.utf8) + body, to: socket.rawValue, deadline: deadline)
      let response = try Self.receive(from: socket.rawValue, deadline: deadline)
      guard let parsed = Self.parse(response) else {
        throw SystemError(code: EBADMSG, call: "the response of \(response.count) bytes")
      }
      return parsed
    } catch {
      throw HTTPClientFailure(description: "\(method) \(path): \(error)")
    }
  }

  private static func send(_ bytes: [UInt8], to socket: Int32, deadline: Int64) throws(SystemError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      try wait(for: POLLOUT, on: socket, deadline: deadline)
      switch rest.withUnsafeBytes({ StreamSocket.send(socket, $0) }) {
      case .bytes(let count): rest = rest.dropFirst(count)
      case .wouldBlock: break
      case .failed(let code): throw SystemError(code: code, call: "send")
      }
    }
  }

  /// Everything until the server closes.
  private static func receive(from socket: Int32, deadline: Int64) throws(SystemError) -> [UInt8] {
    var received: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while received.count < maximumBytes {
      try wait(for: POLLIN, on: socket, deadline: deadline)
      switch buffer.withUnsafeMutableBytes({ StreamSocket.receive(socket, into: $0) }) {
      case .bytes(let count): received += buffer[..<count]
      case .wouldBlock: break
      case .endOfStream: return received
      case .failed(let code): throw SystemError(code: code, call: "receive")
      }
    }
    throw SystemError(code: EMSGSIZE, call: "receive")
  }

  private static func wait(for events: Int32, on socket: Int32, deadline: Int64) throws(SystemError) {
    while true {
      let remaining = deadline - MonotonicClock.milliseconds()
      guard remaining > 0 else { throw SystemError(code: ETIMEDOUT, call: "poll") }
      var watched = pollfd(fd: socket, events: Int16(truncatingIfNeeded: events), revents: 0)
      let count = poll(&watched, 1, Int32(clamping: remaining))
      if count > 0 { return }
      if count < 0, errno != EINTR { throw SystemError(code: errno, call: "poll") }
    }
  }

  /// Reads `HTTP/1.1 200 …`, skips the fields, and takes what `Content-Length` says (RFC 9112, 6.3).
  static func parse(_ bytes: [UInt8]) -> HTTPClientResponse? {
    let separator = Array("\r\n\r\n".utf8)
    guard let end = bytes.indices.dropLast(3).first(where: { bytes[$0..<$0 + 4].elementsEqual(separator) })
    else { return nil }
    let lines = String(decoding: bytes[..<end], as: UTF8.self).split(
      separator: "\r\n", omittingEmptySubsequences: false)
    guard let statusLine = lines.first, statusLine.hasPrefix("HTTP/1.1 "),
      let status = Int(statusLine.dropFirst(9).prefix(3))
    else { return nil }
    let lengths = lines.dropFirst().compactMap { line -> Int? in
      guard line.lowercased().hasPrefix("content-length:") else { return nil }
      return Int(line.dropFirst(15).drop { $0 == " " })
    }
    let body = bytes[(end + 4)...]
    guard lengths.count == 1, lengths[0] == body.count else { return nil }
    return HTTPClientResponse(status: status, body: Array(body))
  }
}
