/// The parts of HTTP's field syntax that the opening handshake reads (RFC 9110 5.6). All in one pass over the bytes.
enum HeaderFieldSyntax {
  /// A character of a token (RFC 9110 5.6.2).
  static func isTokenCharacter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
      UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
      UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
      true
    default: false
    }
  }

  static func isToken(_ bytes: some Collection<UInt8>) -> Bool {
    !bytes.isEmpty && bytes.allSatisfy(isTokenCharacter)
  }

  /// Optional white space (RFC 9110 5.6.3).
  static func isWhitespace(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
  }

  static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard let first = bytes.firstIndex(where: { !isWhitespace($0) }),
      let last = bytes.lastIndex(where: { !isWhitespace($0) })
    else { return [] }
    return bytes[first...last]
  }

  /// Whether two texts are the same but for the case of ASCII letters.
  @inline(__always)
  static func equal(_ text: some Collection<UInt8>, ignoringCaseOf lowercased: StaticString) -> Bool {
    // Most texts differ in their length already.
    guard text.count == lowercased.utf8CodeUnitCount else { return false }
    return lowercased.withUTF8Buffer { startsEqual(text, $0) }
  }

  /// Whether the first bytes of a text are these, which are as many.
  private static func startsEqual(_ text: some Collection<UInt8>, _ lowercased: UnsafeBufferPointer<UInt8>) -> Bool {
    func areEqual(_ bytes: some Sequence<UInt8>) -> Bool {
      for (byte, wanted) in zip(bytes, lowercased) {
        let isUppercase = byte &- UInt8(ascii: "A") < 26
        guard (isUppercase ? byte | 0x20 : byte) == wanted else { return false }
      }
      return true
    }
    // To walk the bytes of a string one by one costs ten times as much.
    return text.withContiguousStorageIfAvailable { areEqual($0) } ?? areEqual(text)
  }

  /// The elements of a comma-separated list, without white space around them; empty ones are left out
  /// (RFC 9110 5.6.1.2). Stops, and returns true, when `isFound` says so.
  static func listContains(
    _ value: String, where isFound: (ArraySlice<UInt8>) -> Bool
  ) -> Bool {
    let bytes = [UInt8](value.utf8)
    var start = 0
    while start <= bytes.count {
      let end = bytes[start...].firstIndex(of: UInt8(ascii: ",")) ?? bytes.count
      let element = trimmed(bytes[start..<end])
      if !element.isEmpty, isFound(element) { return true }
      start = end + 1
    }
    return false
  }
}
