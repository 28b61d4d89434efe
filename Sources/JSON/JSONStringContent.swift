/// The content of a string that has been checked: the bytes between its quotes, escapes resolved when asked for.
struct JSONStringContent {
  let bytes: UnsafeRawBufferPointer
  let hasEscapes: Bool

  init(bytes: UnsafeRawBufferPointer, hasEscapes: Bool) {
    self.bytes = bytes
    self.hasEscapes = hasEscapes
  }

  init(_ token: JSONToken, base: UnsafeRawPointer) {
    bytes = UnsafeRawBufferPointer(
      start: base + (Int(token.start) &+ 1), count: max(0, Int(token.end) &- Int(token.start) &- 2))
    hasEscapes = token.hasEscapes
  }

  /// The number of UTF-8 bytes once escapes are resolved.
  var utf8Count: Int {
    guard hasEscapes else { return bytes.count }
    var count = 0
    var unescaped = makeIterator()
    while unescaped.next() != nil { count &+= 1 }
    return count
  }

  var string: String {
    guard hasEscapes else { return String(decoding: bytes, as: UTF8.self) }
    // An escape is never shorter than the character it stands for.
    return String(unsafeUninitializedCapacity: bytes.count) { buffer in
      var count = 0
      var unescaped = makeIterator()
      while count < buffer.count, let byte = unescaped.next() {
        buffer[count] = byte
        count &+= 1
      }
      return count
    }
  }

  func equals(_ other: UnsafeRawBufferPointer) -> Bool {
    if !hasEscapes { return areEqual(bytes, other) }
    var unescaped = makeIterator()
    for byte in other {
      guard unescaped.next() == byte else { return false }
    }
    return unescaped.next() == nil
  }

  /// Total order by content, for sorting: negative, zero or positive.
  func compare(_ other: JSONStringContent) -> Int {
    if !hasEscapes, !other.hasEscapes {
      if bytes.count != other.bytes.count { return bytes.count < other.bytes.count ? -1 : 1 }
      return compareBytes(bytes, other.bytes)
    }
    let count = utf8Count
    let otherCount = other.utf8Count
    if count != otherCount { return count < otherCount ? -1 : 1 }
    var left = makeIterator()
    var right = other.makeIterator()
    while let leftByte = left.next(), let rightByte = right.next() {
      if leftByte != rightByte { return leftByte < rightByte ? -1 : 1 }
    }
    return 0
  }

  /// A cheap digest of length and ends; equal contents have equal digests, others mostly not.
  @inline(__always)
  var digest: UInt32 {
    var first: UInt32 = 0
    var last: UInt32 = 0
    var count = bytes.count
    if !hasEscapes, count >= 4 {
      first = bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self).littleEndian
      last = bytes.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self).littleEndian
    } else if !hasEscapes {
      for byte in bytes { last = last >> 8 | UInt32(byte) << 24 }
      first = count == 0 ? 0 : last >> UInt32(truncatingIfNeeded: 32 &- count &* 8)
    } else {
      count = 0
      var unescaped = makeIterator()
      while let byte = unescaped.next() {
        if count < 4 { first |= UInt32(byte) << UInt32(count &* 8) }
        last = last >> 8 | UInt32(byte) << 24
        count &+= 1
      }
    }
    let mixed = (UInt64(first) &* 0x9E37_79B9_7F4A_7C15) ^ (UInt64(last) &* 0xC2B2_AE3D_27D4_EB4F) &+ UInt64(count)
    return UInt32(truncatingIfNeeded: mixed ^ (mixed >> 32))
  }

  func makeIterator() -> UnescapedBytes { UnescapedBytes(bytes: bytes) }
}

/// Walks the checked inside of a string and yields its UTF-8 with the escapes resolved (RFC 8259 §7).
struct UnescapedBytes: IteratorProtocol {
  private let bytes: UnsafeRawBufferPointer
  private var position = 0
  /// Bytes of an escaped character still to be given out, the next one lowest.
  private var pending: UInt32 = 0
  private var pendingCount = 0

  init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  mutating func next() -> UInt8? {
    if pendingCount > 0 {
      pendingCount &-= 1
      let byte = UInt8(truncatingIfNeeded: pending)
      pending >>= 8
      return byte
    }
    guard position < bytes.count else { return nil }
    let byte = bytes[position]
    position &+= 1
    guard byte == UInt8(ascii: "\\"), position < bytes.count else { return byte }
    let escape = bytes[position]
    position &+= 1
    switch escape {
    case UInt8(ascii: "b"): return 0x08
    case UInt8(ascii: "f"): return 0x0C
    case UInt8(ascii: "n"): return 0x0A
    case UInt8(ascii: "r"): return 0x0D
    case UInt8(ascii: "t"): return 0x09
    case UInt8(ascii: "u"): return firstByteOfCodeUnitEscape()
    default: return escape
    }
  }

  private mutating func firstByteOfCodeUnitEscape() -> UInt8 {
    var scalar = codeUnit()
    if scalar & 0xFC00 == 0xD800 {
      position &+= 2
      scalar = 0x1_0000 &+ ((scalar & 0x3FF) << 10) &+ (codeUnit() & 0x3FF)
    }
    switch scalar {
    case 0..<0x80:
      return UInt8(truncatingIfNeeded: scalar)
    case 0x80..<0x800:
      pending = 0x80 | scalar & 0x3F
      pendingCount = 1
      return UInt8(truncatingIfNeeded: 0xC0 | scalar >> 6)
    case 0x800..<0x1_0000:
      pending = (0x80 | scalar >> 6 & 0x3F) | (0x80 | scalar & 0x3F) << 8
      pendingCount = 2
      return UInt8(truncatingIfNeeded: 0xE0 | scalar >> 12)
    default:
      pending =
        (0x80 | scalar >> 12 & 0x3F) | (0x80 | scalar >> 6 & 0x3F) << 8 | (0x80 | scalar & 0x3F) << 16
      pendingCount = 3
      return UInt8(truncatingIfNeeded: 0xF0 | scalar >> 18)
    }
  }

  private mutating func codeUnit() -> UInt32 {
    var unit: UInt32 = 0
    for _ in 0..<4 where position < bytes.count {
      unit = unit << 4 | (hexadecimalValue(bytes[position]) ?? 0)
      position &+= 1
    }
    return unit
  }
}

/// Whether two ranges hold the same bytes.
@inline(__always)
func areEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
  left.count == right.count && compareBytes(left, right) == 0
}

/// Order of two ranges of equal length, a word of eight bytes at a time.
func compareBytes(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
  assert(left.count == right.count)
  guard let leftBase = left.baseAddress, let rightBase = right.baseAddress else { return 0 }
  let count = min(left.count, right.count)
  var offset = 0
  while count &- offset >= 8 {
    let leftWord = leftBase.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    let rightWord = rightBase.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    if leftWord != rightWord { return leftWord < rightWord ? -1 : 1 }
    offset &+= 8
  }
  while offset < count {
    let leftByte = leftBase.load(fromByteOffset: offset, as: UInt8.self)
    let rightByte = rightBase.load(fromByteOffset: offset, as: UInt8.self)
    if leftByte != rightByte { return leftByte < rightByte ? -1 : 1 }
    offset &+= 1
  }
  return 0
}
