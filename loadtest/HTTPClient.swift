import EventLoop
import Glibc
import TLS

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
  private let security: TransportSecurity?
  private static let timeoutMilliseconds: Int64 = 30_000
  private static let maximumBytes = 64 << 20

  init(target: ServerTarget, address: SocketAddress, security: TransportSecurity? = nil) {
    self.security = security
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
      let request = Array(head.utf8) + body
      let response: [UInt8]
      if let security {
        response = try Self.exchange(request, over: socket.rawValue, security, deadline: deadline)
      } else {
        try Self.send(request, to: socket.rawValue, deadline: deadline)
        response = try Self.receive(from: socket.rawValue, deadline: deadline)
      }
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

  /// The same over TLS, with a wire of its own.
  private static func exchange(
    _ request: [UInt8], over socket: Int32, _ security: TransportSecurity, deadline: Int64
  ) throws(SystemError) -> [UInt8] {
    let wire = TLSWire()
    guard var session = TLSSession(client: security.context, host: security.host, on: wire) else {
      throw SystemError(code: EINVAL, call: "TLS for \(security.host)")
    }
    var received: [UInt8] = []
    var isAsked = false
    var ciphertext = [UInt8](repeating: 0, count: 1 << 16)
    var plaintext = [UInt8](repeating: 0, count: TLSSession.plaintextCapacity(forCiphertext: 1 << 16))
    while received.count < maximumBytes {
      if !isAsked, session.isEstablished {
        isAsked = request.withUnsafeBytes { session.send($0, on: wire) }
      }
      let output = Array(wire.output)
      wire.removeOutput()
      try send(output, to: socket, deadline: deadline)
      try wait(for: POLLIN, on: socket, deadline: deadline)
      let count: Int
      switch ciphertext.withUnsafeMutableBytes({ StreamSocket.receive(socket, into: $0) }) {
      case .bytes(let bytes): count = bytes
      case .wouldBlock: continue
      // A response has its length, so that an end that is too early is noticed.
      case .endOfStream: return received
      case .failed(let code): throw SystemError(code: code, call: "receive")
      }
      let receipt = ciphertext[..<count].withUnsafeBytes { input in
        plaintext.withUnsafeMutableBytes { session.receive(input, into: $0, on: wire) }
      }
      received += plaintext[..<receipt.count]
      switch receipt.condition {
      case .open: break
      case .endOfStream: return received
      case .failed(let failure): throw SystemError(code: EPROTO, call: "TLS: \(failure)")
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
