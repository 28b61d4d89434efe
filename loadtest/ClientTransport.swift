import Bytes
import EventLoop
import Glibc

/// One TCP connection to the server: a nonblocking socket, and what it has not taken yet.
final class ClientTransport {
  enum Phase {
    case closed, connecting, open
  }

  /// Why a connection is no more.
  enum End: Error, CustomStringConvertible {
    case notConnected(Int32)
    case endOfStream
    case broken(Int32)
    /// The server takes nothing any more.
    case backlogFull

    var description: String {
      switch self {
      case .notConnected(let code): "not connected: \(SystemError.message(for: code))"
      case .endOfStream: "the stream ended without a Close"
      case .broken(let code): "broken: \(SystemError.message(for: code))"
      case .backlogFull: "the server reads nothing"
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
  /// Grows with each connection, so that an event of an earlier one is known.
  private var generation: UInt32 = 0

  private static let backlogBytes = 1 << 20

  /// - Parameter number: comes back with each event of the poller; see ``number(of:)``.
  init(number: UInt32) { self.number = number }

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
  /// - Returns: whether it has just been connected.
  func becomeWritable(poller: borrowing Poller) throws(End) -> Bool {
    guard phase == .connecting else {
      try flush(poller: poller)
      return false
    }
    let error = StreamSocket.takeError(descriptor.rawValue)
    guard error == 0 else { throw end(.notConnected(error)) }
    phase = .open
    try watch(poller)
    return true
  }

  /// Reads once.
  /// - Returns: how many bytes came; 0 when there are none now.
  func receive(into buffer: UnsafeMutableRawBufferPointer) throws(End) -> Int {
    guard phase == .open, !isPaused else { return 0 }
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
    guard sent < bytes.count else { return }
    let isKept = bytes.withUnsafeBytes {
      backlog.append(UnsafeRawBufferPointer(rebasing: $0[sent...]), limit: Self.backlogBytes)
    }
    guard isKept else { throw end(.backlogFull) }
    try watch(poller)
  }

  /// Drops the connection as it is.
  func close() {
    phase = .closed
    isPaused = false
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
    close()
  }

  /// Sends the beginning of something, and ends the connection.
  func cut(within bytes: [UInt8]) {
    if phase == .open, backlog.isEmpty {
      _ = bytes.prefix(max(1, bytes.count / 2)).withUnsafeBytes { StreamSocket.send(descriptor.rawValue, $0) }
    }
    close()
  }

  /// Gives up the connection without telling the other side: the socket stays open, and nobody reads it.
  /// - Returns: the owner of the socket; nil when there is none.
  func abandon(poller: borrowing Poller) -> AbandonedSocket? {
    guard phase == .open, (try? poller.remove(descriptor.rawValue)) != nil else {
      close()
      return nil
    }
    let socket = AbandonedSocket(descriptor.take())
    close()
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
    close()
    lastEnd = reason
    return reason
  }
}

/// A socket that is open and not used any more.
final class AbandonedSocket {
  private let descriptor: FileDescriptor

  init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
}
