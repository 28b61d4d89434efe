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

/// Whether two texts are equal but for the case of ASCII letters.
func equalsIgnoringCase(_ left: some StringProtocol, _ right: some StringProtocol) -> Bool {
  guard left.utf8.count == right.utf8.count else { return false }
  var leftBytes = left.utf8.makeIterator()
  var rightBytes = right.utf8.makeIterator()
  while true {
    switch (leftBytes.next(), rightBytes.next()) {
    case (nil, nil): return true
    case (let left?, let right?):
      guard left.lowercased == right.lowercased else { return false }
    default: return false
    }
  }
}

/// A text without the blanks around it (RFC 9110 §5.6.3).
func trimmingBlanks(_ text: Substring) -> Substring {
  var bytes = text.utf8
  while bytes.first?.isBlank == true { bytes.removeFirst() }
  while bytes.last?.isBlank == true { bytes.removeLast() }
  return Substring(bytes)
}
