/// What users wrote, made fit for a terminal: it must not be driven by the text of a chat.
public enum PrintableText {
  /// The text on one line, with everything written as `\u{…}` that could move the cursor, change colours, reorder or hide
  /// other text; a backslash is doubled, so that the escapes are unambiguous.
  public static func escaped(_ text: String) -> String {
    if text.utf8.allSatisfy({ (0x20...0x7E).contains($0) && $0 != 0x5C }) { return text }
    var escaped = ""
    for scalar in text.unicodeScalars {
      if scalar == "\\" {
        escaped += "\\\\"
      } else if isHarmless(scalar) {
        escaped.unicodeScalars.append(scalar)
      } else {
        escaped += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
      }
    }
    return escaped
  }

  /// The text in quotes, escaped.
  public static func quoted(_ text: String) -> String { "\"\(escaped(text))\"" }

  /// A JSON text on one line in which only harmless characters stand for themselves; the others, which JSON allows in strings
  /// only, become `\uXXXX` (RFC 8259 section 7).
  static func escaped(json: [UInt8]) -> String {
    let text = String(decoding: json, as: UTF8.self)
    if json.allSatisfy({ (0x20...0x7E).contains($0) }) { return text }
    var escaped = ""
    for scalar in text.unicodeScalars {
      if isHarmless(scalar) {
        escaped.unicodeScalars.append(scalar)
      } else {
        for unit in String(scalar).utf16 {
          let digits = String(unit, radix: 16)
          escaped += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
        }
      }
    }
    return escaped
  }

  private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
    // Of the invisible ones only the joiners, which emoji and some scripts are written with.
    case .format: scalar == "\u{200C}" || scalar == "\u{200D}"
    default: true
    }
  }
}
