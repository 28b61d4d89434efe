/// Writes whole frames.
public enum WebSocketFrame {
  /// The bytes of a frame with this payload.
  public static func length(payloadCount: Int, masked: Bool) -> Int {
    WebSocketFrameHeader.headerLength(payloadCount: payloadCount, masked: masked) + payloadCount
  }

  /// Writes header and payload, masked when there is a key.
  ///
  /// - Parameter destination: room for ``length(payloadCount:masked:)`` bytes that `payload` does not overlap.
  /// - Returns: the bytes written.
  @discardableResult
  public static func write(
    _ opcode: WebSocketOpcode, payload: UnsafeRawBufferPointer, isFinal: Bool = true,
    reservedBits: WebSocketReservedBits = [], maskingKey: WebSocketMaskingKey? = nil,
    to destination: UnsafeMutableRawPointer
  ) -> Int {
    let header = WebSocketFrameHeader(
      opcode: opcode, payloadCount: payload.count, isFinal: isFinal, reservedBits: reservedBits,
      maskingKey: maskingKey)
    let headerLength = header.write(to: destination)
    let body = UnsafeMutableRawBufferPointer(start: destination + headerLength, count: payload.count)
    body.copyMemory(from: payload)
    maskingKey?.apply(to: body)
    return headerLength + payload.count
  }

  /// The bytes of a frame in an array of their own.
  public static func bytes(
    _ opcode: WebSocketOpcode, payload: UnsafeRawBufferPointer, isFinal: Bool = true,
    reservedBits: WebSocketReservedBits = [], maskingKey: WebSocketMaskingKey? = nil
  ) -> [UInt8] {
    let count = length(payloadCount: payload.count, masked: maskingKey != nil)
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, initializedCount in
      guard let base = buffer.baseAddress else { return }
      initializedCount = write(
        opcode, payload: payload, isFinal: isFinal, reservedBits: reservedBits, maskingKey: maskingKey,
        to: UnsafeMutableRawPointer(base))
    }
  }

  /// The bytes of a frame in an array of their own.
  public static func bytes(
    _ opcode: WebSocketOpcode, payload: [UInt8], isFinal: Bool = true, reservedBits: WebSocketReservedBits = [],
    maskingKey: WebSocketMaskingKey? = nil
  ) -> [UInt8] {
    payload.withUnsafeBytes {
      bytes(opcode, payload: $0, isFinal: isFinal, reservedBits: reservedBits, maskingKey: maskingKey)
    }
  }
}
