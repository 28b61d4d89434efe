import Bytes
import EventLoop
import Glibc
import TLS

/// One connection to the server, plain or with TLS: a nonblocking socket, and what it has not taken yet.
final class ClientTransport {
  enum Phase {
    case closed, connecting
    /// TLS's handshake is under way.
    case securing
    case open
  }

  /// Why a connection is no more.
  enum End: Error, CustomStringConvertible {
    case notConnected(Int32)
    case endOfStream
    case broken(Int32)
    /// The server takes nothing any more.
    case backlogFull
    case insecure(String)

    var description: String {
      switch self {
      case .notConnected(let code): "not connected: \(SystemError.message(for: code))"
      case .endOfStream: "the stream ended without a Close"
      case .broken(let code): "broken: \(SystemError.message(for: code))"
      case .backlogFull: "the server reads nothing"
      case .insecure(let reason): "TLS: \(reason)"
      }
    }
  }

  private(set) var phase = Phase.closed
  /// Why the last connection is no more; nil when it was closed here.
  private(set) var lastEnd: End?
  private var descriptor = FileDescriptor(owning: -1)
  private var backlog = OutboundBacklog()
  private var interest: Interest = []
  /// Whether nothing is read for now, whatever comes.
  private(set) var isPaused = false
  /// What this connection and those before it have carried.
  private(set) var receivedBytes = 0
  private(set) var sentBytes = 0
  private let number: UInt32
  private let security: TransportSecurity?
  private var session: TLSSession?
  /// Grows with each connection, so that an event of an earlier one is known.
  private var generation: UInt32 = 0

  private static let backlogBytes = 1 << 20

  /// - Parameter number: comes back with each event of the poller; see ``number(of:)``.
  init(number: UInt32, security: TransportSecurity?) {
    self.number = number
    self.security = security
  }

  private var token: UInt64 { UInt64(generation) << 32 | UInt64(number) }

  /// The number of the transport that an event of the poller is for.
  static func number(of token: UInt64) -> Int { Int(UInt32(truncatingIfNeeded: token)) }

  /// Whether an event of the poller is for the connection of now.
  func isCurrent(_ token: UInt64) -> Bool { token == self.token && phase != .closed }

  /// Begins to connect.
  func connect(to address: SocketAddress, from source: SocketAddress?, poller: borrowing Poller) throws(End) {
    generation &+= 1
    lastEnd = nil
    do throws(SystemError) {
      descriptor = try StreamSocket.connect(to: address, from: source)
      try poller.add(descriptor.rawValue, .writable, token: token)
    } catch {
      throw end(.notConnected(error.code))
    }
    interest = .writable
    isPaused = false
    phase = .connecting
  }

  /// The socket is writable: it is connected, or it takes more.
  /// - Returns: whether it can be used from now on.
  func becomeWritable(poller: borrowing Poller) throws(End) -> Bool {
    guard phase == .connecting else {
      try flush(poller: poller)
      return false
    }
    let error = StreamSocket.takeError(descriptor.rawValue)
    guard error == 0 else { throw end(.notConnected(error)) }
    if let security {
      phase = .securing
      session = TLSSession(client: security.context, host: security.host, on: security.wire)
      guard session != nil else { throw end(.insecure("no session for \(security.host)")) }
      try sendWire(of: security, poller: poller)
    } else {
      phase = .open
    }
    try watch(poller)
    return phase == .open
  }

  /// Reads once.
  /// - Returns: how many bytes came, 0 when there are none now; and whether the connection can be used from now on.
  func receive(
    into buffer: UnsafeMutableRawBufferPointer, poller: borrowing Poller
  ) throws(End) -> (count: Int, isOpened: Bool) {
    guard phase == .open || phase == .securing, !isPaused else { return (0, false) }
    guard let security else { return (try read(into: buffer), false) }
    let room = min(security.ciphertext.count, buffer.count - TLSSession.plaintextCapacity(forCiphertext: 0))
    let target = UnsafeMutableRawBufferPointer(rebasing: security.ciphertext[..<room])
    let count = try read(into: target)
    let input = UnsafeRawBufferPointer(rebasing: target[..<count])
    guard count > 0, let receipt = session?.receive(input, into: buffer, on: security.wire) else { return (0, false) }
    try sendWire(of: security, poller: poller)
    if case .failed(let failure) = receipt.condition { throw end(.insecure("\(failure)")) }
    // What came before the end is to be used first; the end of the stream follows on the socket.
    let isOpened = phase == .securing && session?.isEstablished == true
    if isOpened { phase = .open }
    return (receipt.count, isOpened)
  }

  private func read(into buffer: UnsafeMutableRawBufferPointer) throws(End) -> Int {
    switch StreamSocket.receive(descriptor.rawValue, into: buffer) {
    case .bytes(let count):
      receivedBytes += count
      return count
    case .wouldBlock: return 0
    case .endOfStream: throw end(.endOfStream)
    case .failed(let code): throw end(.broken(code))
    }
  }

  /// Sends what the socket takes, and keeps the rest for later.
  func send(_ bytes: [UInt8], poller: borrowing Poller) throws(End) {
    guard phase == .open, !bytes.isEmpty else { return }
    if let security {
      guard encrypt(bytes, security) else { throw end(.insecure("nothing can be sent")) }
      try sendWire(of: security, poller: poller)
    } else {
      try transmit(bytes.span.bytes, poller: poller)
    }
  }

  private func encrypt(_ bytes: [UInt8], _ security: TransportSecurity) -> Bool {
    bytes.withUnsafeBytes { session?.send($0, on: security.wire) } ?? false
  }

  private func sendWire(of security: TransportSecurity, poller: borrowing Poller) throws(End) {
    defer { security.wire.removeOutput() }
    if !security.wire.output.isEmpty { try transmit(RawSpan(_unsafeBytes: security.wire.output), poller: poller) }
  }

  private func transmit(_ bytes: RawSpan, poller: borrowing Poller) throws(End) {
    var sent = 0
    if backlog.isEmpty {
      switch bytes.withUnsafeBytes({ StreamSocket.send(descriptor.rawValue, $0) }) {
      case .bytes(let count):
        sent = count
        sentBytes += count
      case .wouldBlock: break
      case .failed(let code): throw end(.broken(code))
      }
    }
    guard sent < bytes.byteCount else { return }
    let isKept = bytes.withUnsafeBytes {
      backlog.append(UnsafeRawBufferPointer(rebasing: $0[sent...]), limit: Self.backlogBytes)
    }
    guard isKept else { throw end(.backlogFull) }
    try watch(poller)
  }

  /// Drops the connection as it is.
  func close() {
    // Who can say good-bye does; nobody waits for the answer.
    if phase == .open, let security, session?.close(on: security.wire) == true {
      if backlog.isEmpty { _ = StreamSocket.send(descriptor.rawValue, security.wire.output) }
      security.wire.removeOutput()
    }
    forget()
  }

  private func forget() {
    phase = .closed
    isPaused = false
    session = nil
    descriptor = FileDescriptor(owning: -1)
    backlog.removeAll()
  }

  /// The connection ended while nobody read it.
  func endUnread() -> End { end(.endOfStream) }

  // MARK: Faults

  /// Drops the connection with a reset (RST): what is under way in either direction is lost.
  func reset() {
    var option = linger(l_onoff: 1, l_linger: 0)
    _ = setsockopt(
      descriptor.rawValue, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    forget()
  }

  /// Sends the beginning of something, and ends the connection.
  func cut(within bytes: [UInt8]) {
    if phase == .open, backlog.isEmpty {
      if let security {
        if encrypt(bytes, security) { sendHalf(of: security.wire.output) }
        security.wire.removeOutput()
      } else {
        bytes.withUnsafeBytes(sendHalf(of:))
      }
    }
    forget()
  }

  private func sendHalf(of bytes: UnsafeRawBufferPointer) {
    _ = StreamSocket.send(descriptor.rawValue, UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count / 2)]))
  }

  /// Gives up the connection without telling the other side: the socket stays open, and nobody reads it.
  /// - Returns: the owner of the socket; nil when there is none.
  func abandon(poller: borrowing Poller) -> AbandonedSocket? {
    guard phase == .open, (try? poller.remove(descriptor.rawValue)) != nil else {
      forget()
      return nil
    }
    let socket = AbandonedSocket(descriptor.take())
    forget()
    return socket
  }

  /// Reads nothing from now on; the system's buffers are made small, so that the server notices.
  func pauseReading(poller: borrowing Poller) throws(End) {
    guard phase == .open else { return }
    var size: Int32 = 4096
    _ = setsockopt(descriptor.rawValue, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    isPaused = true
    try watch(poller)
  }

  func resumeReading(poller: borrowing Poller) throws(End) {
    guard isPaused else { return }
    isPaused = false
    var size: Int32 = 1 << 20
    _ = setsockopt(descriptor.rawValue, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    if phase == .open { try watch(poller) }
  }

  private func flush(poller: borrowing Poller) throws(End) {
    if !backlog.isEmpty {
      switch StreamSocket.send(descriptor.rawValue, backlog.front) {
      case .bytes(let count):
        backlog.consume(count)
        sentBytes += count
      case .wouldBlock: return
      case .failed(let code): throw end(.broken(code))
      }
    }
    try watch(poller)
  }

  private func watch(_ poller: borrowing Poller) throws(End) {
    var wanted: Interest = isPaused ? [] : .readable
    if !backlog.isEmpty { wanted.insert(.writable) }
    guard wanted != interest else { return }
    interest = wanted
    do throws(SystemError) {
      try poller.modify(descriptor.rawValue, wanted, token: token)
    } catch {
      throw end(.broken(error.code))
    }
  }

  private func end(_ reason: End) -> End {
    forget()
    lastEnd = reason
    return reason
  }
}

/// A socket that is open and not used any more.
final class AbandonedSocket {
  private let descriptor: FileDescriptor

  init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
}
