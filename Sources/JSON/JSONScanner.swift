/// A cursor over the text that checks strings, numbers and literals.
struct JSONScanner {
  let base: UnsafeRawPointer
  let end: Int
  var position = 0

  init(base: UnsafeRawPointer, count: Int) {
    self.base = base
    self.end = count
  }

  @inline(__always)
  func byte(at offset: Int) -> UInt8 {
    assert(offset >= 0 && offset < end)
    return base.load(fromByteOffset: offset, as: UInt8.self)
  }

  /// Steps over whitespace (RFC 8259 §2) and returns the byte after it, which stays unread.
  @inline(__always)
  mutating func nextSignificantByte() throws(JSONError) -> UInt8 {
    while position < end {
      let byte = byte(at: position)
      if byte > 0x20 { return byte }
      guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
      position &+= 1
    }
    throw .unexpectedEnd(offset: end)
  }

  /// Reads the string whose opening quote is at `position`; returns whether it has escapes.
  @inline(__always)
  mutating func scanString() throws(JSONError) -> Bool {
    position &+= 1
    // Most strings of a message are keys and names that end within the first word.
    if end &- position >= 8 {
      let marks = marksOfSpecialBytes(at: position)
      position &+= marks == 0 ? 8 : marks.trailingZeroBitCount >> 3
      if marks != 0, byte(at: position) == UInt8(ascii: "\"") {
        position &+= 1
        return false
      }
    }
    return try scanRestOfString()
  }

  @inline(never)
  private mutating func scanRestOfString() throws(JSONError) -> Bool {
    var hasEscapes = false
    while true {
      skipPlainWords()
      guard position < end else { throw .unexpectedEnd(offset: end) }
      let byte = byte(at: position)
      switch byte {
      case UInt8(ascii: "\""):
        position &+= 1
        return hasEscapes
      case UInt8(ascii: "\\"):
        hasEscapes = true
        try scanEscape()
      case 0..<0x20:
        throw .controlCharacter(offset: position)
      case 0x20..<0x80:
        position &+= 1
      default:
        try scanMultibyteCharacter(lead: byte)
      }
    }
  }

  /// Steps, eight bytes at a time, to the first byte that is not ASCII or is a quote, backslash or control character, or
  /// to within eight bytes of the end.
  @inline(__always)
  private mutating func skipPlainWords() {
    while end &- position >= 32, isPlain(at: position) { position &+= 32 }
    while end &- position >= 8 {
      let marks = marksOfSpecialBytes(at: position)
      guard marks == 0 else {
        position &+= marks.trailingZeroBitCount >> 3
        return
      }
      position &+= 8
    }
  }

  /// Whether the 32 bytes from `offset` are ASCII without a quote, backslash or control character.
  @inline(__always)
  private func isPlain(at offset: Int) -> Bool {
    let ones = SIMD4<UInt64>(repeating: 0x0101_0101_0101_0101)
    let words = base.loadUnaligned(fromByteOffset: offset, as: SIMD4<UInt64>.self)
    let quotes = words ^ SIMD4(repeating: 0x2222_2222_2222_2222)
    let backslashes = words ^ SIMD4(repeating: 0x5C5C_5C5C_5C5C_5C5C)
    let marks =
      (words &- SIMD4(repeating: 0x2020_2020_2020_2020)) | (quotes &- ones) | (backslashes &- ones) | words
    return (marks[0] | marks[1] | marks[2] | marks[3]) & 0x8080_8080_8080_8080 == 0
  }

  /// Marks, in the high bit of each of the eight bytes from `offset`, what is not ASCII or is a quote, backslash or control
  /// character. A borrow can mark a byte too many above a marked one, never hide one: the lowest mark is true.
  @inline(__always)
  private func marksOfSpecialBytes(at offset: Int) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let highs: UInt64 = 0x8080_8080_8080_8080
    let word = base.loadUnaligned(fromByteOffset: offset, as: UInt64.self).littleEndian
    let quote = word ^ (ones &* 0x22)
    let backslash = word ^ (ones &* 0x5C)
    return ((word &- (ones &* 0x20)) | (quote &- ones) | (backslash &- ones) | word) & highs
  }

  private mutating func scanEscape() throws(JSONError) {
    let start = position
    guard start &+ 1 < end else { throw .unexpectedEnd(offset: end) }
    switch byte(at: start &+ 1) {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      position = start &+ 2
    case UInt8(ascii: "u"):
      let unit = try codeUnit(atEscape: start)
      position = start &+ 6
      // RFC 8259 §8.2: half a surrogate pair stands for no character.
      if unit & 0xFC00 == 0xDC00 { throw .loneSurrogate(offset: start) }
      if unit & 0xFC00 == 0xD800 {
        guard end &- position >= 2, byte(at: position) == UInt8(ascii: "\\"),
          byte(at: position &+ 1) == UInt8(ascii: "u")
        else { throw .loneSurrogate(offset: start) }
        guard try codeUnit(atEscape: position) & 0xFC00 == 0xDC00 else { throw .loneSurrogate(offset: start) }
        position &+= 6
      }
    default:
      throw .invalidEscape(offset: start)
    }
  }

  private func codeUnit(atEscape start: Int) throws(JSONError) -> UInt32 {
    guard end &- start >= 6 else { throw .unexpectedEnd(offset: end) }
    var unit: UInt32 = 0
    for offset in (start &+ 2)..<(start &+ 6) {
      guard let digit = hexadecimalValue(byte(at: offset)) else { throw .invalidEscape(offset: start) }
      unit = unit << 4 | digit
    }
    return unit
  }

  /// RFC 3629 §4: no overlong form, no surrogate, nothing above U+10FFFF.
  private mutating func scanMultibyteCharacter(lead: UInt8) throws(JSONError) {
    let length: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch lead {
    case 0xC2...0xDF: length = 2
    case 0xE0...0xEF:
      length = 3
      if lead == 0xE0 { second = 0xA0...0xBF } else if lead == 0xED { second = 0x80...0x9F }
    case 0xF0...0xF4:
      length = 4
      if lead == 0xF0 { second = 0x90...0xBF } else if lead == 0xF4 { second = 0x80...0x8F }
    default: throw .invalidUTF8(offset: position)
    }
    guard end &- position >= length, second.contains(byte(at: position &+ 1)) else {
      throw .invalidUTF8(offset: position)
    }
    for offset in 2..<max(length, 2) where byte(at: position &+ offset) & 0xC0 != 0x80 {
      throw .invalidUTF8(offset: position)
    }
    position &+= length
  }

  /// Reads the number at `position` (RFC 8259 §6); returns whether it is written without fraction and exponent.
  mutating func scanNumber() throws(JSONError) -> Bool {
    let start = position
    var isInteger = true
    if byte(at: position) == UInt8(ascii: "-") { position &+= 1 }
    guard position < end else { throw .unexpectedEnd(offset: end) }
    if byte(at: position) == UInt8(ascii: "0") {
      position &+= 1
      // No leading zeros.
      if position < end, isDigit(byte(at: position)) { throw .invalidNumber(offset: start) }
    } else {
      try scanDigits(ofNumberAt: start)
    }
    if position < end, byte(at: position) == UInt8(ascii: ".") {
      isInteger = false
      position &+= 1
      try scanDigits(ofNumberAt: start)
    }
    if position < end, byte(at: position) | 0x20 == UInt8(ascii: "e") {
      isInteger = false
      position &+= 1
      if position < end, byte(at: position) == UInt8(ascii: "+") || byte(at: position) == UInt8(ascii: "-") {
        position &+= 1
      }
      try scanDigits(ofNumberAt: start)
    }
    return isInteger
  }

  @inline(__always)
  private mutating func scanDigits(ofNumberAt start: Int) throws(JSONError) {
    guard position < end else { throw .unexpectedEnd(offset: end) }
    guard isDigit(byte(at: position)) else { throw .invalidNumber(offset: start) }
    repeat { position &+= 1 } while position < end && isDigit(byte(at: position))
  }

  @inline(__always)
  private func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

  /// Reads `true`, `false` or `null`, which must be spelled so (RFC 8259 §3).
  mutating func scanLiteral(_ literal: StaticString) throws(JSONError) {
    for index in 0..<literal.utf8CodeUnitCount {
      guard position < end else { throw .unexpectedEnd(offset: end) }
      guard byte(at: position) == literal.utf8Start[index] else { throw .unexpectedByte(offset: position) }
      position &+= 1
    }
  }
}

/// The value of a hexadecimal digit, nil for any other byte.
@inline(__always)
func hexadecimalValue(_ byte: UInt8) -> UInt32? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): return UInt32(byte &- UInt8(ascii: "0"))
  case UInt8(ascii: "a")...UInt8(ascii: "f"): return UInt32(byte &- UInt8(ascii: "a") &+ 10)
  case UInt8(ascii: "A")...UInt8(ascii: "F"): return UInt32(byte &- UInt8(ascii: "A") &+ 10)
  default: return nil
  }
}
