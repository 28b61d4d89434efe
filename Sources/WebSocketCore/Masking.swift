/// The four octets that a client's payload is combined with (RFC 6455 5.3).
public struct WebSocketMaskingKey: Hashable, Sendable {
  /// The octets as they lie in memory on the wire.
  let word: UInt32

  init(word: UInt32) {
    self.word = word
  }

  /// A key out of 32 random bits. A client takes them from a strong source, new for each frame (RFC 6455 5.3).
  public init(random bits: UInt32) {
    word = bits
  }

  /// A key of these octets, in the order of the wire.
  public init(_ first: UInt8, _ second: UInt8, _ third: UInt8, _ fourth: UInt8) {
    word = UInt32(
      littleEndian: UInt32(first) | UInt32(second) << 8 | UInt32(third) << 16 | UInt32(fourth) << 24)
  }

  /// The key that goes on where this one has been applied to `count` bytes.
  public func advanced(by count: Int) -> WebSocketMaskingKey {
    let bits = UInt32(truncatingIfNeeded: count & 3) &* 8
    let little = word.littleEndian
    return WebSocketMaskingKey(word: UInt32(littleEndian: little &>> bits | little &<< ((32 &- bits) & 31)))
  }

  /// Masks or unmasks `bytes` in place; the first byte meets the key's first octet.
  public func apply(to bytes: UnsafeMutableRawBufferPointer) {
    guard let base = bytes.baseAddress else { return }
    let count = bytes.count
    let wide = UInt64(word) | UInt64(word) << 32
    var index = 0
    while count &- index >= 8 {
      let masked = base.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      base.storeBytes(of: masked ^ wide, toByteOffset: index, as: UInt64.self)
      index &+= 8
    }
    // The index is a multiple of eight here, so the key starts at its first octet again.
    var rest = word.littleEndian
    if count &- index >= 4 {
      let masked = base.loadUnaligned(fromByteOffset: index, as: UInt32.self)
      base.storeBytes(of: masked ^ word, toByteOffset: index, as: UInt32.self)
      index &+= 4
    }
    while index < count {
      let masked = base.load(fromByteOffset: index, as: UInt8.self)
      base.storeBytes(of: masked ^ UInt8(truncatingIfNeeded: rest), toByteOffset: index, as: UInt8.self)
      rest &>>= 8
      index &+= 1
    }
  }
}
