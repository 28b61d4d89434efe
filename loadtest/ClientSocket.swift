import Bytes
import EventLoop
import WebSocketCore

/// Why a connection is no more.
enum ConnectionEnd: Equatable, CustomStringConvertible {
  case notConnected(Int32)
  case handshake(WebSocketHandshakeFailure)
  /// The server's Close came; its code, if there was one.
  case closed(WebSocketCloseCode?)
  /// The server broke RFC 6455.
  case protocolViolation(WebSocketFailure)
  case binaryMessage
  /// The stream ended without a Close.
  case endOfStream
  case broken(Int32)
  /// The server takes nothing any more.
  case backlogFull

  var description: String {
    switch self {
    case .notConnected(let code): "not connected: \(SystemError.message(for: code))"
    case .handshake(let failure): "handshake failed: \(failure)"
    case .closed(let code):
      code.map { "closed by the server with \($0.rawValue)" } ?? "closed by the server without a code"
    case .protocolViolation(let failure): "the server broke RFC 6455: \(failure.reason)"
    case .binaryMessage: "the server sent a binary message"
    case .endOfStream: "the stream ended without a Close"
    case .broken(let code): "broken: \(SystemError.message(for: code))"
    case .backlogFull: "the server reads nothing"
    }
  }
}

/// One WebSocket to the server: a nonblocking socket, the machine of RFC 6455 in the client's role, and what the socket
/// has not taken yet.
final class ClientSocket {
  enum Phase {
    case idle, connecting, upgrading, open, ended
  }

  /// What came in.
  enum Incoming {
    /// The opening handshake is done.
    case opened
    case text(UnsafeRawBufferPointer)
  }

  private(set) var phase = Phase.idle
  /// Whether our Close has been sent: then the server's is awaited.
  private(set) var isClosing = false
  private var descriptor = FileDescriptor(owning: -1)
  private var handshake: WebSocketClientHandshake?
  private var machine: WebSocketConnection
  private var backlog = OutboundBacklog()
  private var isWatchingWrites = false
  private let token: UInt64

  private static let limits = WebSocketLimits(maximumMessageBytes: 16 << 20)
  private static let backlogBytes = 1 << 20

  /// - Parameter token: given back by the poller with each event.
  init(token: UInt64) {
    self.token = token
    machine = WebSocketConnection(role: .client, limits: Self.limits)
  }

  /// Begins to connect.
  func connect(to address: SocketAddress, target: ServerTarget, poller: borrowing Poller) -> ConnectionEnd? {
    do throws(WebSocketHandshakeFailure) {
      handshake = try WebSocketClientHandshake(
        host: target.authority, path: target.path, key: SecureRandom.bytes(count: 16), subprotocols: ["rollcall.v1"])
    } catch {
      return end(.handshake(error))
    }
    do throws(SystemError) {
      descriptor = try StreamSocket.connect(to: address)
      try poller.add(descriptor.rawValue, .writable, token: token)
    } catch {
      return end(.notConnected(error.code))
    }
    isWatchingWrites = true
    phase = .connecting
    return nil
  }

  /// The socket is writable: it is connected, or it takes more.
  func becomeWritable(poller: borrowing Poller) -> ConnectionEnd? {
    if phase == .connecting {
      let error = StreamSocket.takeError(descriptor.rawValue)
      guard error == 0 else { return end(.notConnected(error)) }
      phase = .upgrading
      guard let request = handshake?.request else { return end(.endOfStream) }
      return request.withUnsafeBytes { write($0, poller: poller) } ?? watch(poller)
    }
    return flush(poller: poller)
  }

  /// Reads once and hands out what that completes.
  func receive(
    into buffer: UnsafeMutableRawBufferPointer, poller: borrowing Poller, _ take: (Incoming) -> Void
  ) -> ConnectionEnd? {
    guard phase == .upgrading || phase == .open else { return nil }
    switch StreamSocket.receive(descriptor.rawValue, into: buffer) {
    case .wouldBlock: return nil
    case .endOfStream: return end(.endOfStream)
    case .failed(let code): return end(.broken(code))
    case .bytes(let count):
      return process(UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]), poller: poller, take)
    }
  }

  private func process(
    _ input: UnsafeMutableRawBufferPointer, poller: borrowing Poller, _ take: (Incoming) -> Void
  ) -> ConnectionEnd? {
    var consumed = 0
    if phase == .upgrading {
      do throws(WebSocketHandshakeFailure) {
        guard case .accepted = try handshake?.receive(UnsafeRawBufferPointer(input), consumed: &consumed)
        else { return nil }
      } catch {
        return end(.handshake(error))
      }
      handshake = nil
      phase = .open
      take(.opened)
    }
    while phase == .open, let event = machine.next(input, consumed: &consumed) {
      switch event {
      case .text(let text): take(.text(text))
      case .binary: return end(.binaryMessage)
      case .ping(let payload): if let failure = send(.pong, payload, poller: poller) { return failure }
      case .pong: break
      case .close(let code, _):
        if let frame = machine.closeFrame(code: code, maskingKey: Self.newMaskingKey()) {
          _ = frame.withUnsafeBytes { write($0, poller: poller) }
        }
        return end(.closed(code))
      case .failure(let failure):
        if let frame = machine.closeFrame(for: failure, maskingKey: Self.newMaskingKey()) {
          _ = frame.withUnsafeBytes { write($0, poller: poller) }
        }
        return end(.protocolViolation(failure))
      }
    }
    return nil
  }

  /// Sends a text message.
  func send(text: [UInt8], poller: borrowing Poller) -> ConnectionEnd? {
    text.withUnsafeBytes { send(.text, $0, poller: poller) }
  }

  private func send(
    _ opcode: WebSocketOpcode, _ payload: UnsafeRawBufferPointer, poller: borrowing Poller
  ) -> ConnectionEnd? {
    guard phase == .open, machine.isOpen else { return nil }
    return withUnsafeTemporaryAllocation(
      byteCount: WebSocketFrame.length(payloadCount: payload.count, masked: true), alignment: 8
    ) { frame in
      guard let base = frame.baseAddress else { return nil }
      WebSocketFrame.write(opcode, payload: payload, maskingKey: Self.newMaskingKey(), to: base)
      return write(UnsafeRawBufferPointer(frame), poller: poller)
    }
  }

  /// Begins the closing handshake.
  func close(poller: borrowing Poller) -> ConnectionEnd? {
    guard phase == .open, let frame = machine.closeFrame(code: .normalClosure, maskingKey: Self.newMaskingKey())
    else { return nil }
    isClosing = true
    return frame.withUnsafeBytes { write($0, poller: poller) }
  }

  /// Drops the connection as it is.
  func abandon() {
    if phase != .ended { _ = end(.endOfStream) }
  }

  // MARK: Writing

  private func write(_ bytes: UnsafeRawBufferPointer, poller: borrowing Poller) -> ConnectionEnd? {
    var sent = 0
    if backlog.isEmpty {
      switch StreamSocket.send(descriptor.rawValue, bytes) {
      case .bytes(let count): sent = count
      case .wouldBlock: break
      case .failed(let code): return end(.broken(code))
      }
    }
    guard sent < bytes.count else { return nil }
    guard backlog.append(UnsafeRawBufferPointer(rebasing: bytes[sent...]), limit: Self.backlogBytes)
    else { return end(.backlogFull) }
    return watch(poller)
  }

  private func flush(poller: borrowing Poller) -> ConnectionEnd? {
    if !backlog.isEmpty {
      switch StreamSocket.send(descriptor.rawValue, backlog.front) {
      case .bytes(let count): backlog.consume(count)
      case .wouldBlock: return nil
      case .failed(let code): return end(.broken(code))
      }
    }
    return watch(poller)
  }

  private func watch(_ poller: borrowing Poller) -> ConnectionEnd? {
    let wantsWrites = !backlog.isEmpty
    guard wantsWrites != isWatchingWrites, phase != .ended else { return nil }
    isWatchingWrites = wantsWrites
    do throws(SystemError) {
      try poller.modify(descriptor.rawValue, wantsWrites ? [.readable, .writable] : .readable, token: token)
      return nil
    } catch {
      return end(.broken(error.code))
    }
  }

  private func end(_ reason: ConnectionEnd) -> ConnectionEnd {
    phase = .ended
    descriptor = FileDescriptor(owning: -1)
    handshake = nil
    backlog.removeAll()
    return reason
  }

  /// RFC 6455, 5.3: a new key for each frame, from a strong source.
  private static func newMaskingKey() -> WebSocketMaskingKey { WebSocketMaskingKey(random: .random(in: 0 ... .max)) }
}
