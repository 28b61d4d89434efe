/// Which side of a connection a machine plays.
public enum WebSocketRole: Sendable {
  case server, client
}

/// The header of a frame (RFC 6455 5.2).
public struct WebSocketFrameHeader: Hashable, Sendable {
  /// FIN: the last or only frame of its message.
  public var isFinal: Bool
  public var reservedBits: WebSocketReservedBits
  public var opcode: WebSocketOpcode
  /// Payload bytes, 0…2^63−1.
  public var payloadCount: Int
  /// The masking key; always there in frames from a client, never in frames from a server.
  public var maskingKey: WebSocketMaskingKey?

  public init(
    opcode: WebSocketOpcode, payloadCount: Int, isFinal: Bool = true, reservedBits: WebSocketReservedBits = [],
    maskingKey: WebSocketMaskingKey? = nil
  ) {
    self.opcode = opcode
    self.payloadCount = payloadCount
    self.isFinal = isFinal
    self.reservedBits = reservedBits
    self.maskingKey = maskingKey
  }

  /// The bytes of the header of a frame with this payload: 2…14.
  public static func headerLength(payloadCount: Int, masked: Bool) -> Int {
    let length = payloadCount < 126 ? 2 : payloadCount <= 0xFFFF ? 4 : 10
    return masked ? length &+ 4 : length
  }

  /// The bytes of this header: 2…14.
  public var length: Int {
    Self.headerLength(payloadCount: payloadCount, masked: maskingKey != nil)
  }

  /// Writes the header in its shortest form, as RFC 6455 5.2 demands.
  ///
  /// - Parameter destination: room for ``length`` bytes.
  /// - Returns: the bytes written.
  @discardableResult
  public func write(to destination: UnsafeMutableRawPointer) -> Int {
    assert(payloadCount >= 0)
    let first = (isFinal ? 0x80 : 0) | reservedBits.rawValue | opcode.rawValue
    let maskBit: UInt8 = maskingKey == nil ? 0 : 0x80
    destination.storeBytes(of: first, as: UInt8.self)
    var length = 2
    if payloadCount < 126 {
      destination.storeBytes(of: maskBit | UInt8(truncatingIfNeeded: payloadCount), toByteOffset: 1, as: UInt8.self)
    } else if payloadCount <= 0xFFFF {
      destination.storeBytes(of: maskBit | 126, toByteOffset: 1, as: UInt8.self)
      destination.storeBytes(
        of: UInt16(truncatingIfNeeded: payloadCount).bigEndian, toByteOffset: 2, as: UInt16.self)
      length = 4
    } else {
      destination.storeBytes(of: maskBit | 127, toByteOffset: 1, as: UInt8.self)
      destination.storeBytes(of: UInt64(bitPattern: Int64(payloadCount)).bigEndian, toByteOffset: 2, as: UInt64.self)
      length = 10
    }
    if let maskingKey {
      destination.storeBytes(of: maskingKey.word, toByteOffset: length, as: UInt32.self)
      length &+= 4
    }
    return length
  }

  /// Reads the header at the start of `bytes`.
  ///
  /// A fault is found with the first byte that shows it, so that the result does not depend on how the stream was cut.
  ///
  /// - Parameters:
  ///   - role: the side that receives the frame: a server demands a mask, a client refuses one (RFC 6455 5.1).
  ///   - permittedReservedBits: the bits that an agreed extension gave a meaning, in the first frame of a message.
  /// - Returns: the header, its ``length`` being the bytes it took; nil when more bytes are needed.
  public static func decode(
    _ bytes: UnsafeRawBufferPointer, receivedBy role: WebSocketRole,
    permittedReservedBits: WebSocketReservedBits = []
  ) throws(WebSocketFailure) -> WebSocketFrameHeader? {
    guard bytes.count >= 1, let base = bytes.baseAddress else { return nil }
    let first = base.load(as: UInt8.self)
    let reservedBits = WebSocketReservedBits(rawValue: first)
    let isFinal = first & 0x80 != 0
    // RFC 6455 5.2: "MUST be 0 unless an extension is negotiated that defines meanings for non-zero values".
    guard reservedBits.isSubset(of: permittedReservedBits) else { throw .reservedBitSet }
    // RFC 6455 5.2: "If an unknown opcode is received, the receiving endpoint MUST Fail the WebSocket Connection".
    guard let opcode = WebSocketOpcode(rawValue: first & 0x0F) else { throw .reservedOpcode }
    // RFC 7692 6: a compressed message is marked on its first frame; a control frame is never compressed.
    guard reservedBits.isEmpty || opcode == .text || opcode == .binary else { throw .reservedBitSet }
    // RFC 6455 5.5: control frames "MUST NOT be fragmented".
    guard isFinal || !opcode.isControl else { throw .fragmentedControlFrame }

    guard bytes.count >= 2 else { return nil }
    let second = base.load(fromByteOffset: 1, as: UInt8.self)
    let isMasked = second & 0x80 != 0
    let shortLength = second & 0x7F
    // RFC 6455 5.1: the server closes "upon receiving a frame that is not masked", the client "if it detects a masked".
    switch role {
    case .server: guard isMasked else { throw .unmaskedFrame }
    case .client: guard !isMasked else { throw .maskedFrame }
    }
    // RFC 6455 5.5: control frames "MUST have a payload length of 125 bytes or less".
    guard shortLength < 126 || !opcode.isControl else { throw .controlFrameTooLong }

    var payloadCount = Int(shortLength)
    var length = 2
    if shortLength == 126 {
      guard bytes.count >= 4 else { return nil }
      payloadCount = Int(UInt16(bigEndian: base.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
      // RFC 6455 5.2: "the minimal number of bytes MUST be used to encode the length".
      guard payloadCount > 125 else { throw .lengthNotMinimal }
      length = 4
    } else if shortLength == 127 {
      guard bytes.count >= 10 else { return nil }
      let declared = UInt64(bigEndian: base.loadUnaligned(fromByteOffset: 2, as: UInt64.self))
      // RFC 6455 5.2: "the most significant bit MUST be 0".
      guard let count = Int(exactly: declared) else { throw .lengthOutOfRange }
      guard count > 0xFFFF else { throw .lengthNotMinimal }
      payloadCount = count
      length = 10
    }
    var maskingKey: WebSocketMaskingKey?
    if isMasked {
      guard bytes.count >= length &+ 4 else { return nil }
      maskingKey = WebSocketMaskingKey(word: base.loadUnaligned(fromByteOffset: length, as: UInt32.self))
    }
    return WebSocketFrameHeader(
      opcode: opcode, payloadCount: payloadCount, isFinal: isFinal, reservedBits: reservedBits, maskingKey: maskingKey)
  }
}
