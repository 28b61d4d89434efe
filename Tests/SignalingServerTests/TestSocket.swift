import EventLoop
import Glibc
import TLS

/// A blocking TCP connection to a server of this machine, with what a test does to one. Every wait ends.
final class TestSocket {
  /// How long anything may take, in milliseconds: long, since the machine may be busy.
  static let patience: Int64 = 30_000

  private var descriptor: Int32
  /// Nil on a plain connection.
  let tls: TestTLS?
  /// Encrypted, and not sent yet.
  private var unsent: [UInt8] = []
  /// What was decrypted and nobody has received yet, or why nothing more comes: nil is the end.
  private var said: Result<[UInt8]?, any Error>?
  /// At most so many bytes are sent in one piece.
  var pieceBytes = Int.max

  /// - Parameters:
  ///   - receiveBytes: the size of the receive buffer, when it is to be small.
  ///   - trust: whom to trust, for a connection with TLS.
  init(
    port: UInt16, receiveBytes: Int32? = nil, trust: TLSClientContext? = nil, resuming resumption: TLSResumption? = nil
  ) throws {
    tls = try trust.map { try TestTLS($0, resuming: resumption) }
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    if var receiveBytes {
      setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBytes, socklen_t(MemoryLayout<Int32>.size))
    }
    var isImmediate: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &isImmediate, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard descriptor >= 0, result == 0 else { throw VectorFailure("no connection: errno \(errno)") }
    guard let tls else { return }
    while !tls.isEstablished {
      try sendAsIs(tls.takeOutput())
      guard let bytes = try receiveAsIs(within: Self.patience) else { throw VectorFailure("ended in the handshake") }
      _ = try tls.decrypt(bytes)
    }
    try sendAsIs(tls.takeOutput())
  }

  deinit { shut() }

  /// Closes the connection.
  func shut() {
    guard descriptor >= 0 else { return }
    close(descriptor)
    descriptor = -1
  }

  /// Ends the connection with a reset.
  func reset() {
    var atOnce = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &atOnce, socklen_t(MemoryLayout<linger>.size))
    shut()
  }

  /// Closes our half.
  func finishSending() {
    if let tls { try? sendAsIs(tls.closeNotify()) }
    shutdown(descriptor, Int32(SHUT_WR))
  }

  /// Whether the socket becomes ready for this in time.
  func isReady(for events: Int32, within milliseconds: Int64) -> Bool {
    guard let tls, events == POLLIN else { return isReadyAsIs(for: events, within: milliseconds) }
    // Not all that comes has something to say.
    while said == nil, isReadyAsIs(for: events, within: milliseconds) {
      let next = Result { try receiveAsIs().flatMap { try tls.decrypt($0) } }
      if case .success([]?) = next { continue }
      said = next
    }
    return said != nil
  }

  private func isReadyAsIs(for events: Int32, within milliseconds: Int64) -> Bool {
    var watched = pollfd(fd: descriptor, events: Int16(events), revents: 0)
    return poll(&watched, 1, Int32(milliseconds)) > 0
  }

  /// Sends everything, unless the other side has gone.
  func send(_ bytes: some Collection<UInt8>) throws {
    if let tls {
      unsent += try tls.encrypt(Array(bytes))
      let ciphertext = unsent
      unsent = []
      try sendAsIs(ciphertext)
    } else {
      try sendAsIs(Array(bytes))
    }
  }

  /// Sends bytes that TLS has no part in.
  func sendAsIs(_ bytes: [UInt8]) throws {
    var sent = 0
    while sent < bytes.count {
      guard isReady(for: POLLOUT, within: Self.patience) else { throw VectorFailure("the server takes nothing more") }
      let count = sendSomeAsIs(bytes[sent..<(sent + min(pieceBytes, bytes.count - sent))])
      if count < 0, [EPIPE, ECONNRESET].contains(errno) { return }
      guard count > 0 else { throw VectorFailure("cannot send: errno \(errno)") }
      sent += count
    }
  }

  func send(_ text: String) throws { try send(Array(text.utf8)) }

  /// Sends what the socket takes now; less than 0 is an error, which may be `EAGAIN`.
  func sendSome(_ bytes: ArraySlice<UInt8>) -> Int {
    guard let tls else { return sendSomeAsIs(bytes) }
    if unsent.isEmpty, let ciphertext = try? tls.encrypt(Array(bytes)) {
      unsent = ciphertext
      _ = sendUnsent()
      return bytes.count
    }
    let result = sendUnsent()
    return result < 0 ? result : 0
  }

  /// Whether nothing that `sendSome` has taken is left.
  var hasSentEverything: Bool {
    if !unsent.isEmpty { _ = sendUnsent() }
    return unsent.isEmpty
  }

  private func sendUnsent() -> Int {
    let sent = sendSomeAsIs(unsent[...])
    if sent > 0 { unsent.removeFirst(sent) }
    return sent
  }

  private func sendSomeAsIs(_ bytes: ArraySlice<UInt8>) -> Int {
    bytes.withUnsafeBytes {
      Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
    }
  }

  /// What comes next; nil at the end of the stream or at a reset.
  func receive(within milliseconds: Int64 = TestSocket.patience) throws -> [UInt8]? {
    if tls == nil { return try receiveAsIs(within: milliseconds) }
    while !unsent.isEmpty, sendUnsent() > 0 {}
    guard isReady(for: POLLIN, within: milliseconds) else { throw VectorFailure("nothing (more) came in time") }
    guard let bytes = try said?.get() else { return nil }
    said = nil
    return bytes
  }

  /// What comes next, as it is on the wire.
  func receiveAsIs(within milliseconds: Int64 = TestSocket.patience) throws -> [UInt8]? {
    guard isReadyAsIs(for: POLLIN, within: milliseconds) else { throw VectorFailure("nothing (more) came in time") }
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = recv(descriptor, &buffer, buffer.count, 0)
    if count < 0, errno == ECONNRESET { return nil }
    guard count >= 0 else { throw VectorFailure("cannot receive: errno \(errno)") }
    return count == 0 ? nil : Array(buffer[..<count])
  }

  /// Everything up to the end.
  func receiveAll() throws -> [UInt8] {
    var all: [UInt8] = []
    while let bytes = try receive() { all += bytes }
    return all
  }
}
