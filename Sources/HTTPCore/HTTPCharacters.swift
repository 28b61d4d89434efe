/// Character classes of RFC 9110 §5.6 and RFC 3986 §2, and comparisons without regard to the case of ASCII letters.
extension UInt8 {
  static let carriageReturn: UInt8 = 0x0D
  static let lineFeed: UInt8 = 0x0A
  static let space: UInt8 = 0x20
  static let horizontalTab: UInt8 = 0x09

  var isDigit: Bool { self &- 0x30 < 10 }
  var isLetter: Bool { (self | 0x20) &- 0x61 < 26 }
  /// SP or HTAB (RFC 9110 §5.6.3).
  var isBlank: Bool { self == .space || self == .horizontalTab }

  /// RFC 9110 §5.6.2 `tchar`.
  var isTokenCharacter: Bool {
    if isLetter || isDigit { return true }
    switch self {
    case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
      UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
      UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
      return true
    default: return false
    }
  }

  /// RFC 9110 §5.5: visible characters, blanks and obs-text; no other control character.
  var isFieldValueCharacter: Bool { self >= 0x20 && self != 0x7F || self == .horizontalTab }

  var hexadecimalValue: UInt8? {
    if isDigit { return self &- 0x30 }
    let lowered = self | 0x20
    return lowered &- 0x61 < 6 ? lowered &- 0x61 &+ 10 : nil
  }

  var lowercased: UInt8 { self &- 0x41 < 26 ? self | 0x20 : self }
}

/// Looks at eight bytes at a time; a borrow can only mark a byte behind one that is marked rightly.
extension UnsafeRawBufferPointer {
  private static let ones: UInt64 = 0x0101_0101_0101_0101
  private static let highs: UInt64 = 0x8080_8080_8080_8080

  private func word(at offset: Int) -> UInt64 { loadUnaligned(fromByteOffset: offset, as: UInt64.self).littleEndian }

  /// The first offset of this byte in `range`, or the end of the range.
  func offset(of byte: UInt8, in range: Range<Int>) -> Int {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    let wanted = Self.ones &* UInt64(byte)
    var offset = range.lowerBound
    while range.upperBound &- offset >= 8 {
      let difference = word(at: offset) ^ wanted
      let marks = (difference &- Self.ones) & ~difference & Self.highs
      if marks != 0 { return offset &+ marks.trailingZeroBitCount >> 3 }
      offset &+= 8
    }
    while offset < range.upperBound, self[offset] != byte { offset &+= 1 }
    return offset
  }

  /// Whether a control character (DEL and tabulators included) is among the bytes.
  var hasControlCharacter: Bool {
    var offset = 0
    while count &- offset >= 8 {
      let word = word(at: offset)
      let delete = word ^ (Self.ones &* 0x7F)
      if ((word &- Self.ones &* 0x20) & ~word | (delete &- Self.ones) & ~delete) & Self.highs != 0 { return true }
      offset &+= 8
    }
    return self[offset...].contains { $0 < 0x20 || $0 == 0x7F }
  }
}

/// Whether two texts are equal but for the case of ASCII letters.
@inline(__always)
func equalsIgnoringCase(_ left: some StringProtocol, _ right: some StringProtocol) -> Bool {
  // Most texts differ in their length already.
  left.utf8.count == right.utf8.count && haveEqualBytesIgnoringCase(left, right)
}

/// Whether two texts of the same length are equal but for the case of ASCII letters.
private func haveEqualBytesIgnoringCase(_ left: some StringProtocol, _ right: some StringProtocol) -> Bool {
  func areEqual(_ left: some Sequence<UInt8>, _ right: some Sequence<UInt8>) -> Bool {
    for (left, right) in zip(left, right) where left.lowercased != right.lowercased { return false }
    return true
  }
  // To walk the bytes of a string one by one costs ten times as much.
  let fast = left.utf8.withContiguousStorageIfAvailable { left in
    right.utf8.withContiguousStorageIfAvailable { right in areEqual(left, right) }
  }
  return (fast ?? nil) ?? areEqual(left.utf8, right.utf8)
}

/// A text without the blanks around it (RFC 9110 §5.6.3).
func trimmingBlanks(_ text: Substring) -> Substring {
  var bytes = text.utf8
  while bytes.first?.isBlank == true { bytes.removeFirst() }
  while bytes.last?.isBlank == true { bytes.removeLast() }
  return Substring(bytes)
}
