import Classroom
import JSON
import SignalingProtocol
import WebSocketCore

/// One attendee's client: bytes in, events and bytes out. It does no I/O, has no clock and throws no dice; time is
/// milliseconds of any clock that does not go back, randomness comes with the ``ClientWorkspace``.
///
/// ```
///  disconnected ──connect──► connecting ──transportConnected──► handshake ──101──► greeting ──ready──► joining
///       ▲  ▲                                                                                           │   │
///       │  └──── nextAttempt: back-off, retry_after_ms, close codes ◄── any state, when its connection ends │
///       │                                                                            ▲                 ▼   ▼
///       └── closing ◄──close── any open state                               outside ◄┴─ waiting ► present ► reading
/// ```
///
/// It keeps the resume token, the position in the stream, presence, and the commands with a key until they are answered,
/// over as many connections as it takes. It holds the server to `protocol/README.md`: what it can see to be broken is a
/// ``ClientEvent/problem(_:)``.
///
/// A host opens a transport when ``nextAttempt`` is reached, hands in what it receives with ``next(_:consumed:at:using:)``
/// until that returns nil, sends ``takeOutput()`` after every call, and calls ``advance(to:using:)`` when ``deadline`` is
/// reached.
public struct SignalingClient {
  public enum State: String, Sendable {
    /// No connection. See ``SignalingClient/nextAttempt``.
    case disconnected
    /// The transport is being opened.
    case connecting
    /// The request of the opening handshake is sent.
    case handshake
    /// `hello` and `session.join` are sent.
    case greeting
    /// `ready` has come; `session.joined` has not.
    case joining
    /// In the session, which has not started or is full.
    case waiting
    case present
    /// The session is over.
    case reading
    /// Greeted, and in no session.
    case outside
    /// Our Close is sent; the server's has not come.
    case closing
  }

  /// Who this is and where it wants to be. A change counts from the next connection on.
  public var configuration: SignalingClientConfiguration
  public internal(set) var state = State.disconnected
  /// When the client wants a connection; nil when it has one or wants none.
  public internal(set) var nextAttempt: Int64?
  /// The user's id, once the server has said it.
  public internal(set) var user: String?
  /// The role in the session, once joined.
  public internal(set) var role: Role?
  /// Whether this client waits without being one who may come in.
  public internal(set) var isKnocking = false
  /// Who is there; nil while not ``State/present``.
  public internal(set) var presence: PresenceView?

  var websocket = WebSocketConnection(role: .client, limits: Self.limits)
  /// Whether the server may compress its messages on this connection.
  public private(set) var isCompressed = false
  var handshake: WebSocketClientHandshake?
  var output: [UInt8] = []
  var queue: [ClientEvent] = []
  var memory: SessionMemory?
  var pending = PendingCommands()
  /// The token with which a guest comes back as the same one.
  var guestToken: String?
  /// Whether the last `session.join` asked for a resume.
  var askedToResume = false
  /// The question for the page that belongs to the list of now.
  var currentPage: CommandID?
  /// Commands without an id whose refusal may still come.
  var unnumberedCommands = 0

  var failures = 0
  var retryAfter: Int64?
  var openedAt: Int64 = 0
  var heardAt: Int64 = 0
  var isPinging = false
  var pingInterval: Int64 = ProtocolLimits.pingIntervalMilliseconds
  var joinRetryAt: Int64?
  var isWelcomed = false
  var isClosingOwnWish = false
  /// The server refused the credential; its Close comes.
  var isRefusedEntry = false

  static let limits = WebSocketLimits(maximumMessageBytes: 16 << 20)
  static let subprotocol = "rollcall.v1"

  /// A client that wants its first connection at that time.
  public init(_ configuration: SignalingClientConfiguration, firstAttempt: Int64?) {
    self.configuration = configuration
    nextAttempt = firstAttempt
  }

  /// The epoch and position of the last state and event; nil before the first.
  public var position: (epoch: String, room: UInt64)? { memory.map { ($0.epoch, $0.stream.last) } }
  /// The places in the streams that not everybody has; nil for one that this client does not have.
  public var streamPositions: (hosts: UInt64?, own: UInt64?) { (memory?.hosts?.last, memory?.own.last) }
  /// The room's policy as it was told last; nil before the first join.
  public var policy: RoomPolicy? { memory?.policy }
  /// The address for signals; nil for who has none.
  public var peer: String? { memory?.peer }
  /// The number of the last signal; nil before the first join.
  public var signalSequence: UInt64? { memory?.signalSequence }
  /// Whether the next `session.join` asks for a resume.
  public var canResume: Bool { memory?.resumeToken != nil }
  /// How many of the host's commands have no answer.
  public var unansweredCount: Int {
    pending.entries.count { command in
      switch command.kind {
      case .hello, .join, .page: false
      default: true
      }
    }
  }

  /// Whether the client is in the session, be it waiting, present or reading.
  public var isIn: Bool { state == .waiting || state == .present || state == .reading }

  // MARK: The transport

  /// The host begins to open a transport. To be called when ``state`` is ``State/disconnected``.
  public mutating func connect(at now: Int64) {
    guard state == .disconnected else { return }
    state = .connecting
    nextAttempt = nil
    openedAt = now
    heardAt = now
    websocket = WebSocketConnection(role: .client, limits: Self.limits)
    isCompressed = false
    output.removeAll(keepingCapacity: true)
    isWelcomed = false
    isPinging = false
    isRefusedEntry = false
    isClosingOwnWish = false
    askedToResume = false
    currentPage = nil
    unnumberedCommands = 0
    joinRetryAt = nil
    retryAfter = nil
  }

  /// The transport is open: the handshake's request is in the output.
  public mutating func transportConnected(at now: Int64, using workspace: inout ClientWorkspace) {
    guard state == .connecting else { return }
    heardAt = now
    let first = workspace.random()
    let second = workspace.random()
    let key = [first, second].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) } }
    do throws(WebSocketHandshakeFailure) {
      let handshake = try WebSocketClientHandshake(
        host: configuration.host, path: configuration.path, key: key, subprotocols: [Self.subprotocol],
        extensions: configuration.compressionOffer.map { [$0] } ?? [])
      output += handshake.request
      self.handshake = handshake
      state = .handshake
    } catch {
      disconnect(.handshake(error), at: now, using: &workspace)
    }
  }

  /// The transport could not be opened, has ended or broke.
  public mutating func transportEnded(at now: Int64, using workspace: inout ClientWorkspace) {
    if state != .disconnected { disconnect(.transport, at: now, using: &workspace) }
  }

  /// Closes the connection for good: nothing is connected any more after it.
  public mutating func close(at now: Int64, using workspace: inout ClientWorkspace) {
    nextAttempt = nil
    switch state {
    case .disconnected, .closing: return
    case .connecting, .handshake:
      isClosingOwnWish = true
      disconnect(.transport, at: now, using: &workspace)
    case .greeting, .joining, .waiting, .present, .reading, .outside:
      isClosingOwnWish = true
      if let frame = websocket.closeFrame(code: .normalClosure, maskingKey: maskingKey(&workspace)) { output += frame }
      state = .closing
      openedAt = now
    }
  }

  /// What is to be sent now; empty afterwards.
  public mutating func takeOutput() -> [UInt8] {
    var bytes: [UInt8] = []
    swap(&bytes, &output)
    return bytes
  }

  /// Whether there is something to send.
  public var hasOutput: Bool { !output.isEmpty }

  /// An event that came without input: of a call other than ``next(_:consumed:at:using:)``.
  public mutating func nextEvent() -> ClientEvent? { queue.isEmpty ? nil : queue.removeFirst() }

  /// Takes in bytes from the transport, from `consumed` on, until there is an event. To be called again, with the same
  /// input, until it returns nil.
  public mutating func next(
    _ input: UnsafeMutableRawBufferPointer, consumed: inout Int, at now: Int64, using workspace: inout ClientWorkspace
  ) -> ClientEvent? {
    if consumed < input.count {
      heardAt = now
      isPinging = false
    }
    while true {
      if let event = nextEvent() { return event }
      switch state {
      case .disconnected, .connecting:
        consumed = input.count
        return nil
      case .handshake:
        guard upgrade(UnsafeRawBufferPointer(input), consumed: &consumed, at: now, using: &workspace) else {
          return nextEvent()
        }
      case .greeting, .joining, .waiting, .present, .reading, .outside, .closing:
        let incoming =
          isCompressed
          ? websocket.next(input, consumed: &consumed, inflater: &workspace.inflater)
          : websocket.next(input, consumed: &consumed)
        guard let incoming else { return nextEvent() }
        take(incoming, at: now, using: &workspace)
      }
    }
  }

  /// - Returns: whether the WebSocket is open now.
  private mutating func upgrade(
    _ input: UnsafeRawBufferPointer, consumed: inout Int, at now: Int64, using workspace: inout ClientWorkspace
  ) -> Bool {
    do throws(WebSocketHandshakeFailure) {
      guard case .accepted(let subprotocol) = try handshake?.receive(input, consumed: &consumed) else { return false }
      let extensions = handshake?.extensions ?? []
      handshake = nil
      if let agreed = extensions.first {
        // RFC 7692 7.1.1.1: who takes the offer names it, and keeps no context; what kept one could not be read.
        guard extensions.count == 1, agreed.parameters.contains(where: { $0.name == "server_no_context_takeover" })
        else {
          throw WebSocketHandshakeFailure.unrequestedExtension
        }
        isCompressed = true
        websocket = WebSocketConnection(role: .client, limits: Self.limits, permitsCompression: true)
      }
      if subprotocol != Self.subprotocol {
        report(ProtocolViolation(.unexpected, "the server does not name the subprotocol \(Self.subprotocol)"))
      }
      state = .greeting
      queue.append(.opened)
      greet(using: &workspace)
      return true
    } catch {
      disconnect(.handshake(error), at: now, using: &workspace)
      return false
    }
  }

  private mutating func take(
    _ incoming: WebSocketEvent, at now: Int64, using workspace: inout ClientWorkspace
  ) {
    switch incoming {
    case .text(let text):
      receive(text, at: now, using: &workspace)
    case .ping(let payload):
      if websocket.isOpen { write(.pong, payload, &workspace) }
    case .pong: break
    case .binary:
      report(ProtocolViolation(.unexpected, "the server sent a binary message"))
      finish(websocket.closeFrame(code: .unsupportedData, maskingKey: maskingKey(&workspace)))
      disconnect(.binaryMessage, at: now, using: &workspace)
    case .close(let code, _):
      finish(websocket.closeFrame(code: code, maskingKey: maskingKey(&workspace)))
      disconnect(.closed(code), at: now, using: &workspace)
    case .failure(let failure):
      finish(websocket.closeFrame(for: failure, maskingKey: maskingKey(&workspace)))
      disconnect(.brokenFraming(failure), at: now, using: &workspace)
    }
  }

  private mutating func finish(_ frame: [UInt8]?) {
    if let frame { output += frame }
  }

  // MARK: The end of a connection

  mutating func disconnect(_ cause: Disconnection.Cause, at now: Int64, using workspace: inout ClientWorkspace) {
    let isOwnWish = isClosingOwnWish
    state = .disconnected
    handshake = nil
    presence = nil
    for command in pending.takeUnkeyed() {
      switch command.kind {
      case .hello, .join, .page: break
      default: queue.append(.lost(command.id))
      }
    }
    var rule = CloseRule.reconnect
    if case .closed(let code) = cause, !isOwnWish {
      rule = CloseRule(code)
      if rule == .unknown, let code {
        report(ProtocolViolation(.unexpected, "the server closed with \(code.rawValue), which is in no registry"))
        rule = CloseRule.byRange(code.rawValue)
      }
      if code == .normalClosure { report(ProtocolViolation(.unexpected, "the server closed with 1000 unasked")) }
    }
    if rule == .joinAnew { memory?.resumeToken = nil }
    nextAttempt = nil
    if !isOwnWish, configuration.reconnects, rule != .stop {
      let delay = configuration.delay.milliseconds(afterFailures: failures, random: workspace.random())
      nextAttempt = now + (retryAfter ?? 0) + delay
      failures += 1
    }
    queue.append(.disconnected(Disconnection(cause: cause, isOwnWish: isOwnWish, nextAttempt: nextAttempt)))
  }

  // MARK: Time

  /// When ``advance(to:using:)`` is to be called, beside ``nextAttempt``.
  public var deadline: Int64? {
    switch state {
    case .disconnected: nil
    case .connecting, .handshake, .greeting, .joining:
      min(openedAt + configuration.openingTimeoutMilliseconds, joinRetryAt ?? .max)
    case .closing: openedAt + configuration.closingTimeoutMilliseconds
    // What is to be repeated waits until the client is in again.
    case .outside: min(heardAt + pingInterval * (isPinging ? 2 : 1), joinRetryAt ?? .max)
    case .waiting, .present, .reading:
      min(heardAt + pingInterval * (isPinging ? 2 : 1), joinRetryAt ?? .max, pending.nextRetry ?? .max)
    }
  }

  /// Does what is due: gives up a connection on which nothing comes, asks for life, sends again.
  public mutating func advance(to now: Int64, using workspace: inout ClientWorkspace) {
    guard let deadline, deadline <= now else { return }
    switch state {
    case .disconnected: break
    case .connecting, .handshake, .greeting, .joining, .closing:
      disconnect(.timeout, at: now, using: &workspace)
    case .waiting, .present, .reading, .outside:
      if let time = joinRetryAt, time <= now {
        joinRetryAt = nil
        sendJoin(at: now, using: &workspace)
      }
      resend(at: now, using: &workspace)
      // A server pings who is silent; a client that speaks and hears nothing has to find out by itself.
      if !isPinging, heardAt + pingInterval <= now {
        isPinging = true
        _ = ping(using: &workspace)
      } else if isPinging, heardAt + 2 * pingInterval <= now {
        disconnect(.timeout, at: now, using: &workspace)
      }
    }
  }

  // MARK: Frames

  mutating func report(_ violation: ProtocolViolation) { queue.append(.problem(violation)) }

  func maskingKey(_ workspace: inout ClientWorkspace) -> WebSocketMaskingKey {
    WebSocketMaskingKey(random: UInt32(truncatingIfNeeded: workspace.random()))
  }

  private mutating func write(
    _ opcode: WebSocketOpcode, _ payload: UnsafeRawBufferPointer, _ workspace: inout ClientWorkspace
  ) {
    let key = maskingKey(&workspace)
    let count = WebSocketFrame.length(payloadCount: payload.count, masked: true)
    withUnsafeTemporaryAllocation(byteCount: count, alignment: 8) { frame in
      guard let base = frame.baseAddress else { return }
      WebSocketFrame.write(opcode, payload: payload, maskingKey: key, to: base)
      output.append(contentsOf: UnsafeRawBufferPointer(frame))
    }
  }

  /// Sends a message as it is.
  mutating func send(_ message: [UInt8], using workspace: inout ClientWorkspace) {
    message.withUnsafeBytes { write(.text, $0, &workspace) }
  }

  /// Sends what is in the workspace's writer.
  mutating func sendWritten(using workspace: inout ClientWorkspace) {
    let key = maskingKey(&workspace)
    workspace.writer.withUnsafeBytes { payload in
      let count = WebSocketFrame.length(payloadCount: payload.count, masked: true)
      withUnsafeTemporaryAllocation(byteCount: count, alignment: 8) { frame in
        guard let base = frame.baseAddress else { return }
        WebSocketFrame.write(.text, payload: payload, maskingKey: key, to: base)
        output.append(contentsOf: UnsafeRawBufferPointer(frame))
      }
    }
  }
}
