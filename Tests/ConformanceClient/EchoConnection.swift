import EventLoop
import Glibc
import WebSocketCore
import WebSocketDeflate

/// Why an echo connection ended without its Close.
enum EchoFailure: Error, CustomStringConvertible {
  case notConnected(SystemError)
  case broken(Int32)
  case handshake(WebSocketHandshakeFailure)
  case compression(DeflateRefusal)
  case timeout

  var description: String {
    switch self {
    case .notConnected(let error): "not connected: \(error)"
    case .broken(let code): "broken: \(SystemError.message(for: code))"
    case .handshake(let failure): "the handshake failed: \(failure)"
    case .compression(let refusal): "the answer to the offer of compression is wrong: \(refusal)"
    case .timeout: "it took too long"
    }
  }
}

/// A client that sends back every message, as the suite asks of who it tests.
struct EchoConnection: ~Copyable {
  private let socket: FileDescriptor
  private var output: [UInt8]
  private var sent = 0
  private var handshake: WebSocketClientHandshake
  private var isOpen = false
  private var machine: WebSocketConnection
  private var inflater = MessageInflater(keepsContext: true)
  /// Nil when what we send is not compressed.
  private var deflater: MessageDeflater?
  private var random = SystemRandomNumberGenerator()
  /// When the connection is given up.
  private var deadline: Int64 = .max

  private static let offer = DeflateClientOffer()
  private static let limits = WebSocketLimits(maximumMessageBytes: 16 << 20, maximumFramesPerMessage: 1 << 20)
  private static let readBytes = 256 * 1024
  /// How long the server may take to close after both Closes, in milliseconds.
  private static let closingPatience: Int64 = 2000

  init(to address: SocketAddress, host: String, path: String) throws(EchoFailure) {
    let handshake = try Self.handshake(host: host, path: path)
    socket = FileDescriptor(owning: try Self.connect(to: address))
    output = handshake.request
    self.handshake = handshake
    machine = WebSocketConnection(role: .client, limits: Self.limits)
  }

  private static func connect(to address: SocketAddress) throws(EchoFailure) -> Int32 {
    do throws(SystemError) {
      return try StreamSocket.connect(to: address).release()
    } catch {
      throw .notConnected(error)
    }
  }

  private static func handshake(host: String, path: String) throws(EchoFailure) -> WebSocketClientHandshake {
    var random = SystemRandomNumberGenerator()
    let key = (0..<16).map { _ in UInt8.random(in: 0...255, using: &random) }
    do throws(WebSocketHandshakeFailure) {
      return try WebSocketClientHandshake(host: host, path: path, key: key, extensions: [offer.element])
    } catch {
      throw .handshake(error)
    }
  }

  /// Echoes until the connection ends.
  mutating func run(until deadline: Int64) throws(EchoFailure) {
    self.deadline = deadline
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.readBytes, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      let events = try wait()
      if events & Int16(POLLOUT) != 0 { try flush() }
      guard events & Int16(POLLIN | POLLHUP | POLLERR) != 0 else { continue }
      switch StreamSocket.receive(socket.rawValue, into: buffer) {
      case .bytes(let count): try take(UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]))
      case .wouldBlock: break
      case .endOfStream: return
      case .failed(let code):
        if machine.state == .closed { return }
        throw .broken(code)
      }
    }
  }

  private func wait() throws(EchoFailure) -> Int16 {
    var watched = pollfd(
      fd: socket.rawValue, events: Int16(output.isEmpty ? POLLIN : POLLIN | POLLOUT), revents: 0)
    let left = deadline - MonotonicClock.milliseconds()
    guard left > 0 else { throw .timeout }
    return poll(&watched, 1, Int32(clamping: left)) > 0 ? watched.revents : 0
  }

  private mutating func flush() throws(EchoFailure) {
    while !output.isEmpty {
      let result = output.withUnsafeBytes { bytes in
        StreamSocket.send(socket.rawValue, UnsafeRawBufferPointer(rebasing: bytes[sent...]))
      }
      switch result {
      case .bytes(let count): sent += count
      case .wouldBlock: return
      case .failed(let code): throw .broken(code)
      }
      if sent == output.count {
        output.removeAll(keepingCapacity: true)
        sent = 0
      }
    }
  }

  private mutating func take(_ input: UnsafeMutableRawBufferPointer) throws(EchoFailure) {
    var consumed = 0
    if !isOpen { try open(UnsafeRawBufferPointer(input), &consumed) }
    guard isOpen else { return }
    while let event = machine.next(input, consumed: &consumed, inflater: &inflater) { answer(event) }
    try flush()
  }

  private mutating func open(_ input: UnsafeRawBufferPointer, _ consumed: inout Int) throws(EchoFailure) {
    do throws(WebSocketHandshakeFailure) {
      guard case .accepted = try handshake.receive(input, consumed: &consumed) else { return }
    } catch {
      throw .handshake(error)
    }
    let agreement: DeflateAgreement?
    do throws(DeflateRefusal) {
      agreement = try Self.offer.agreement(from: handshake.extensions)
    } catch {
      throw .compression(error)
    }
    isOpen = true
    machine = WebSocketConnection(role: .client, limits: Self.limits, permitsCompression: agreement != nil)
    guard let agreement else { return }
    inflater = MessageInflater(keepsContext: !agreement.serverNoContextTakeover)
    // Without a compressor for a window of 256 bytes, what we send is sent as it is (RFC 7692, 6).
    if PermessageDeflate.usableWindowBits.contains(agreement.clientMaxWindowBits) {
      deflater = MessageDeflater(
        windowBits: agreement.clientMaxWindowBits, keepsContext: !agreement.clientNoContextTakeover)
    }
  }

  private mutating func answer(_ event: WebSocketEvent) {
    switch event {
    case .text(let payload): echo(.text, payload)
    case .binary(let payload): echo(.binary, payload)
    case .ping(let payload): send(.pong, payload)
    case .pong: break
    case .close(let code, _): end(machine.closeFrame(code: code, maskingKey: key()))
    case .failure(let failure): end(machine.closeFrame(for: failure, maskingKey: key()))
    }
  }

  private mutating func echo(_ opcode: WebSocketOpcode, _ message: UnsafeRawBufferPointer) {
    if let payload = deflater?.deflate(message) {
      send(opcode, payload, reservedBits: .rsv1)
    } else {
      send(opcode, message)
    }
  }

  private mutating func send(
    _ opcode: WebSocketOpcode, _ payload: UnsafeRawBufferPointer, reservedBits: WebSocketReservedBits = []
  ) {
    guard machine.isOpen else { return }
    output += WebSocketFrame.bytes(opcode, payload: payload, reservedBits: reservedBits, maskingKey: key())
  }

  private mutating func end(_ frame: [UInt8]?) {
    if let frame { output += frame }
    // RFC 6455, 7.1.1: it is the server that closes the connection.
    deadline = min(deadline, MonotonicClock.milliseconds() + Self.closingPatience)
  }

  private mutating func key() -> WebSocketMaskingKey { WebSocketMaskingKey(random: random.next()) }
}
