/// Names of people as they come from tokens and from guests.
public enum PersonName {
  /// A name that is safe to show: without control characters, line ends and marks that turn the direction of what stands
  /// beside it, without white space at its ends, cut to a length at the end of a character.
  ///
  /// - Parameter bytes: the most bytes of UTF-8.
  /// - Returns: nil when nothing is left.
  public static func cleaned(_ text: String, bytes: Int = ProtocolLimits.nameBytes) -> String? {
    var cleaned = text
    if text.unicodeScalars.contains(where: isUnsafe) {
      cleaned = String(String.UnicodeScalarView(text.unicodeScalars.filter { !isUnsafe($0) }))
    }
    let start = cleaned.unicodeScalars.firstIndex { !$0.properties.isWhitespace } ?? cleaned.endIndex
    cleaned = String(cleaned.unicodeScalars[start...])
    // By scalars: one visible character can be longer than a name may be, and would leave none.
    while cleaned.utf8.count > bytes { cleaned.unicodeScalars.removeLast() }
    while let last = cleaned.unicodeScalars.last, last.properties.isWhitespace { cleaned.unicodeScalars.removeLast() }
    return cleaned.isEmpty ? nil : cleaned
  }

  private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    // Controls (C0, DEL, C1), line and paragraph separators.
    case 0...0x1F, 0x7F...0x9F, 0x2028, 0x2029: true
    // Embeddings, overrides and isolates of direction; the byte order mark.
    case 0x202A...0x202E, 0x2066...0x2069, 0xFEFF: true
    default: false
    }
  }
}
