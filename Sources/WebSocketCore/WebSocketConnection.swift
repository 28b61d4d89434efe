/// What came in on a connection. Payloads are valid until the next call to ``WebSocketConnection/next(_:consumed:)``, as
/// long as the connection lives and the input is not changed. To close meanwhile does not touch them.
public enum WebSocketEvent {
  /// A whole message, valid UTF-8.
  case text(UnsafeRawBufferPointer)
  /// A whole message.
  case binary(UnsafeRawBufferPointer)
  /// To be answered with a Pong of the same payload (RFC 6455 5.5.2).
  case ping(UnsafeRawBufferPointer)
  case pong(UnsafeRawBufferPointer)
  /// The peer's Close: its code, none when it gave none, and its reason, valid UTF-8. To be answered with
  /// ``WebSocketConnection/closeFrame(code:reason:maskingKey:)`` of the same code. The last event.
  case close(WebSocketCloseCode?, reason: UnsafeRawBufferPointer)
  /// The peer broke the protocol or a limit. To be answered with
  /// ``WebSocketConnection/closeFrame(for:maskingKey:)``, after everything already due. The last event.
  case failure(WebSocketFailure)
}

/// One WebSocket connection after its opening handshake (RFC 6455 5–7), either side: bytes in, events out.
///
/// It does no I/O and knows no time. A value can be copied and moved between threads; it goes on exactly where it was.
/// While no message is half received it holds no memory but its own.
///
/// ```
///               closeFrame             peer's Close, failure
///   open ───────────────────► closing ───────────────────────► closed
///    │ ├── peer's Close ────► closeReceived ── closeFrame ──────►│
///    │ └── failure ─────────► failed ───────── closeFrame ──────►│
/// ```
public struct WebSocketConnection: Sendable {
  public typealias Role = WebSocketRole

  public enum State: Sendable {
    /// Neither side has sent a Close.
    case open
    /// We have sent a Close; the peer's is awaited, and data is dropped until it comes (RFC 6455 7.1.3).
    case closing
    /// The peer has sent a Close; ours is due.
    case closeReceived
    /// The peer broke the protocol; our Close is due.
    case failed
    /// Nothing more is read or sent.
    case closed
  }

  /// What is to be done with the TCP connection once all that is due has been sent.
  public enum TransportAction: Sendable {
    case keepOpen
    case close
    /// Wait, with a time limit, for the peer to close it.
    case awaitPeer
  }

  /// Whether the next byte belongs to a header or to a payload.
  private enum Phase {
    case header, payload
  }

  private var limits: WebSocketLimits
  /// The message so far, and behind it the control frame so far.
  private var assembly = AssemblyBuffer()
  /// Payload bytes of the message so far.
  private var messageCount = 0
  private var messageFrameCount = 0
  /// Payload bytes of the frame that have not come in.
  private var payloadDue = 0
  /// The start of a header that did not come in one piece.
  private var headerBytes: (UInt64, UInt64) = (0, 0)
  private var maskingKey: WebSocketMaskingKey?
  private var headerCount: UInt8 = 0
  private var controlCount: UInt8 = 0
  private var opcode = WebSocketOpcode.continuation
  private var isFinal = false
  /// Text or binary while a message is under way.
  private var messageOpcode: WebSocketOpcode?
  private var phase = Phase.header
  /// Whether the message under way, or the one just put together, is compressed.
  private var isCompressed = false
  private var utf8 = UTF8Validator()
  /// The last event's payload lies in the assembly buffer.
  private var hasLentAssembly = false
  private let role: Role
  private let permitsCompression: Bool

  public private(set) var state = State.open

  /// - Parameter permitsCompression: whether permessage-deflate was agreed on, so that RSV1 has a meaning (RFC 7692 6).
  ///   Such a connection is read with ``next(_:consumed:inflater:)``.
  public init(role: Role, limits: WebSocketLimits = WebSocketLimits(), permitsCompression: Bool = false) {
    self.role = role
    self.limits = limits
    self.permitsCompression = permitsCompression
  }

  /// Whether frames other than Close may be sent: from our Close on, none may (RFC 6455 5.5.1).
  public var isOpen: Bool { state == .open }

  /// Bytes allocated for what is half received.
  public var assembledCapacity: Int { assembly.capacity }

  /// What is to be done with the TCP connection. The server closes it first, so that it is not the client's port that
  /// waits in TIME_WAIT (RFC 6455 7.1.1).
  public var transportAction: TransportAction {
    guard state == .closed else { return .keepOpen }
    return role == .server ? .close : .awaitPeer
  }

  // MARK: Receiving

  /// Takes bytes from `input`, from `consumed` on, until there is an event or no byte is left. To be called again,
  /// with the same input, until it returns nil: then everything has been taken in, partial frames too, and the memory
  /// lent to the last event is free.
  ///
  /// Masked payloads are unmasked in place. A frame that lies whole in `input` and is a whole message is delivered
  /// where it lies; any other is put together first.
  ///
  /// - Parameters:
  ///   - input: what was received and not taken in yet.
  ///   - consumed: how much of `input` has been taken in; moved on. After the last event it is the whole input:
  ///     nothing that follows a Close or a failure is looked at (RFC 6455 1.4, 7.1.7).
  public mutating func next(_ input: UnsafeMutableRawBufferPointer, consumed: inout Int) -> WebSocketEvent? {
    precondition(!permitsCompression, "compression was agreed on and there is no inflater")
    return advance(input, &consumed)
  }

  /// The same, for a connection on which compression may have been agreed.
  ///
  /// A compressed message is put together as it came and inflated when it is whole. So half a message costs the memory
  /// that it has on the wire and no state of a decompressor, and one inflater can serve many connections, unless the
  /// peer carries its context from message to message.
  ///
  /// - Parameter inflater: the connection's own when the peer may carry its context on. The payload of the next event
  ///   may lie in it, and is valid until it is used again.
  public mutating func next(
    _ input: UnsafeMutableRawBufferPointer, consumed: inout Int, inflater: inout some WebSocketInflater & ~Copyable
  ) -> WebSocketEvent? {
    guard let event = advance(input, &consumed) else { return nil }
    guard isCompressed else { return event }
    switch event {
    case .text(let payload): return inflate(payload, isText: true, &inflater, input, &consumed)
    case .binary(let payload): return inflate(payload, isText: false, &inflater, input, &consumed)
    case .ping, .pong, .close, .failure: return event
    }
  }

  /// Delivers a message that was put together compressed.
  private mutating func inflate(
    _ payload: UnsafeRawBufferPointer, isText: Bool, _ inflater: inout some WebSocketInflater & ~Copyable,
    _ input: UnsafeMutableRawBufferPointer, _ consumed: inout Int
  ) -> WebSocketEvent {
    isCompressed = false
    do throws(WebSocketFailure) {
      let message = try inflater.inflate(payload, maximumBytes: limits.maximumInflatedMessageBytes)
      // RFC 6455 8.1 is about the message, whatever it was on the wire.
      guard isText else { return .binary(message) }
      guard UTF8Validator.isValid(message) else { throw .invalidUTF8 }
      return .text(message)
    } catch {
      consumed = input.count
      return fail(error == .messageTooBig ? .inflatedMessageTooBig : error)
    }
  }

  private mutating func fail(_ failure: WebSocketFailure) -> WebSocketEvent {
    state = state == .open ? .failed : .closed
    endMessage()
    assembly.release()
    hasLentAssembly = false
    return .failure(failure)
  }

  private mutating func advance(
    _ input: UnsafeMutableRawBufferPointer, _ consumed: inout Int
  ) -> WebSocketEvent? {
    precondition(consumed >= 0 && consumed <= input.count)
    if hasLentAssembly {
      hasLentAssembly = false
      if messageCount == 0 || state != .open { assembly.release() }
    }
    guard state == .open || state == .closing else {
      consumed = input.count
      return nil
    }
    do throws(WebSocketFailure) {
      while true {
        if phase == .header {
          guard let header = try readHeader(input, &consumed) else { return nil }
          try begin(header)
        }
        let chunk = takeChunk(input, &consumed)
        let isWhole = payloadDue == 0
        if isWhole { phase = .header }
        if let event = try opcode.isControl ? takeControl(chunk, isWhole) : takeData(chunk, isWhole) {
          if state == .closeReceived || state == .closed { consumed = input.count }
          return event
        }
        guard isWhole else { return nil }
      }
    } catch {
      consumed = input.count
      return fail(error)
    }
  }

  private mutating func readHeader(
    _ input: UnsafeMutableRawBufferPointer, _ consumed: inout Int
  ) throws(WebSocketFailure) -> WebSocketFrameHeader? {
    if headerCount == 0 {
      let rest = UnsafeRawBufferPointer(rebasing: input[consumed...])
      if let header = try WebSocketFrameHeader.decode(
        rest, receivedBy: role, permittedReservedBits: permittedReservedBits)
      {
        consumed &+= header.length
        return header
      }
    }
    let permittedReservedBits = permittedReservedBits
    // Byte by byte, as nothing behind the header may be taken along. An incomplete header has at most 13 bytes.
    while consumed < input.count {
      let byte = input[consumed]
      let offset = Int(headerCount)
      withUnsafeMutableBytes(of: &headerBytes) { $0[offset] = byte }
      consumed &+= 1
      headerCount &+= 1
      let header = try withUnsafeBytes(of: headerBytes) { (bytes) throws(WebSocketFailure) in
        try WebSocketFrameHeader.decode(
          UnsafeRawBufferPointer(rebasing: bytes[...offset]), receivedBy: role,
          permittedReservedBits: permittedReservedBits)
      }
      if let header {
        headerCount = 0
        return header
      }
    }
    return nil
  }

  private var permittedReservedBits: WebSocketReservedBits { permitsCompression ? .rsv1 : [] }

  /// Checks the header against what has gone before; from here on the frame is the current one.
  private mutating func begin(_ header: WebSocketFrameHeader) throws(WebSocketFailure) {
    switch header.opcode {
    case .text, .binary:
      // RFC 6455 5.4: the fragments of one message "MUST NOT be interleaved" with those of another.
      guard messageOpcode == nil else { throw .unfinishedMessage }
      messageOpcode = header.opcode
      utf8 = UTF8Validator()
      // RFC 7692 6: the bit of the first frame is that of the message.
      isCompressed = header.reservedBits.contains(.rsv1)
      try countFrame(header)
    case .continuation:
      // RFC 6455 5.4: a continuation carries on a message that a text or binary frame began.
      guard messageOpcode != nil else { throw .unexpectedContinuation }
      try countFrame(header)
    case .close, .ping, .pong:
      controlCount = 0
    }
    opcode = header.opcode
    isFinal = header.isFinal
    payloadDue = header.payloadCount
    maskingKey = header.maskingKey
    phase = .payload
  }

  private mutating func countFrame(_ header: WebSocketFrameHeader) throws(WebSocketFailure) {
    guard messageFrameCount < limits.maximumFramesPerMessage else { throw .tooManyFrames }
    messageFrameCount &+= 1
    // RFC 6455 10.4: limits on frames and on messages put together. `messageCount` never passes the limit.
    let maximum = isCompressed ? limits.maximumCompressedMessageBytes : limits.maximumMessageBytes
    guard header.payloadCount <= maximum &- messageCount else { throw .messageTooBig }
  }

  /// As much of the frame's payload as has come in, unmasked.
  private mutating func takeChunk(
    _ input: UnsafeMutableRawBufferPointer, _ consumed: inout Int
  ) -> UnsafeRawBufferPointer {
    let count = min(payloadDue, input.count &- consumed)
    let chunk = UnsafeMutableRawBufferPointer(rebasing: input[consumed..<consumed &+ count])
    consumed &+= count
    payloadDue &-= count
    if let key = maskingKey {
      key.apply(to: chunk)
      if payloadDue > 0 { maskingKey = key.advanced(by: count) }
    }
    return UnsafeRawBufferPointer(chunk)
  }

  private mutating func takeData(
    _ chunk: UnsafeRawBufferPointer, _ isWhole: Bool
  ) throws(WebSocketFailure) -> WebSocketEvent? {
    guard let messageOpcode else { return nil }
    let isComplete = isWhole && isFinal
    if state == .closing {
      // The sizes still count, so that a message that never ends meets its limit.
      messageCount &+= chunk.count
      if isComplete { endMessage() }
      return nil
    }
    // RFC 6455 8.1. Each chunk is checked as it comes: a peer hears of its fault at once. What is compressed is no text yet.
    if messageOpcode == .text, !isCompressed {
      guard utf8.append(chunk), !isComplete || utf8.isComplete else { throw .invalidUTF8 }
    }
    var message = chunk
    if messageCount > 0 || !isComplete {
      assembly.write(chunk, at: messageCount)
      messageCount &+= chunk.count
      guard isComplete else { return nil }
      message = assembly.bytes(0..<messageCount)
      hasLentAssembly = true
    }
    endMessage()
    return messageOpcode == .text ? .text(message) : .binary(message)
  }

  private mutating func endMessage() {
    messageOpcode = nil
    messageCount = 0
    messageFrameCount = 0
  }

  private mutating func takeControl(
    _ chunk: UnsafeRawBufferPointer, _ isWhole: Bool
  ) throws(WebSocketFailure) -> WebSocketEvent? {
    // A message dropped while closing counts without being kept, so the control frame has the buffer to itself.
    let offset = state == .closing ? 0 : messageCount
    var payload = chunk
    if controlCount > 0 || !isWhole {
      assembly.write(chunk, at: offset &+ Int(controlCount))
      controlCount &+= UInt8(truncatingIfNeeded: chunk.count)
      guard isWhole else { return nil }
      payload = assembly.bytes(offset..<offset &+ Int(controlCount))
      hasLentAssembly = true
    }
    if opcode == .close { return try takeClose(payload) }
    if state == .closing {
      // RFC 6455 5.5.1: after our Close no Pong may be sent, so there is nothing to be done about either.
      assembly.release()
      hasLentAssembly = false
      return nil
    }
    return opcode == .ping ? .ping(payload) : .pong(payload)
  }

  private mutating func takeClose(_ payload: UnsafeRawBufferPointer) throws(WebSocketFailure) -> WebSocketEvent {
    var code: WebSocketCloseCode?
    var reason = payload
    if !payload.isEmpty {
      // RFC 6455 5.5.1: "If there is a body, the first two bytes of the body MUST be a 2-byte unsigned integer".
      guard payload.count >= 2 else { throw .truncatedCloseCode }
      let received = WebSocketCloseCode(rawValue: UInt16(payload[0]) << 8 | UInt16(payload[1]))
      guard received.isValidOnTheWire else { throw .invalidCloseCode }
      code = received
      reason = UnsafeRawBufferPointer(rebasing: payload[2...])
      // RFC 6455 5.5.1 and 8.1: the reason is UTF-8.
      guard UTF8Validator.isValid(reason) else { throw .invalidUTF8 }
    }
    state = state == .closing ? .closed : .closeReceived
    endMessage()
    if !hasLentAssembly { assembly.release() }
    return .close(code, reason: reason)
  }

  // MARK: Closing

  /// The Close frame to send now, be it the first or the answer to the peer's; nil when one has been sent. Nothing may
  /// be sent after it.
  ///
  /// - Parameters:
  ///   - code: in an answer, the code the peer gave (RFC 6455 5.5.1). None gives an empty Close, without a reason.
  ///   - reason: cut to 123 bytes at the end of a character.
  ///   - maskingKey: needed by a client, refused for a server.
  public mutating func closeFrame(
    code: WebSocketCloseCode?, reason: String = "", maskingKey: WebSocketMaskingKey? = nil
  ) -> [UInt8]? {
    precondition((maskingKey != nil) == (role == .client), "a client masks every frame, a server none")
    switch state {
    case .open:
      state = .closing
      releaseMessage()
    case .closeReceived, .failed: state = .closed
    case .closing, .closed: return nil
    }
    return WebSocketFrame.bytes(.close, payload: Self.closePayload(code, reason), maskingKey: maskingKey)
  }

  /// The Close frame to send for a failure; nil when one has been sent.
  public mutating func closeFrame(
    for failure: WebSocketFailure, maskingKey: WebSocketMaskingKey? = nil
  ) -> [UInt8]? {
    closeFrame(code: failure.closeCode, reason: failure.reason, maskingKey: maskingKey)
  }

  /// Frees the half of a message that will not be delivered any more. A control frame under way stays.
  private mutating func releaseMessage() {
    // Who closes while handling an event may still be reading its payload; the next call to `next` frees it.
    if hasLentAssembly { return }
    guard opcode.isControl, phase == .payload, controlCount > 0 else { return assembly.release() }
    let control = assembly.bytes(messageCount..<messageCount &+ Int(controlCount))
    var kept = AssemblyBuffer()
    kept.write(control, at: 0)
    assembly = kept
  }

  private static func closePayload(_ code: WebSocketCloseCode?, _ reason: String) -> [UInt8] {
    guard let code else { return [] }
    precondition(code.isValidOnTheWire, "a close code that must not travel")
    let bytes = reason.utf8
    var end =
      bytes.index(
        bytes.startIndex, offsetBy: WebSocketLimits.maximumCloseReasonBytes, limitedBy: bytes.endIndex)
      ?? bytes.endIndex
    while end < bytes.endIndex, end > bytes.startIndex, bytes[end] & 0xC0 == 0x80 {
      end = bytes.index(before: end)
    }
    return [UInt8(truncatingIfNeeded: code.rawValue >> 8), UInt8(truncatingIfNeeded: code.rawValue)] + bytes[..<end]
  }
}
