/// Text as it may stand in a page, between tags and in quoted attributes.
enum HTMLText {
  static func escape(_ text: String) -> String {
    var escaped = ""
    escaped.reserveCapacity(text.utf8.count)
    for character in text.unicodeScalars {
      switch character {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&#39;"
      // What HTML cannot hold (13.2.3.5): a replacement that is seen.
      case "\0"..."\u{08}", "\u{0B}"..."\u{1F}", "\u{7F}"..."\u{9F}": escaped += "\u{FFFD}"
      default: escaped.unicodeScalars.append(character)
      }
    }
    return escaped
  }

  /// JSON as it may stand in a `script` element: nothing in it ends the element or begins a comment.
  static func escapeScript(_ json: [UInt8]) -> String {
    var escaped: [UInt8] = []
    escaped.reserveCapacity(json.count)
    for byte in json {
      switch byte {
      case UInt8(ascii: "<"): escaped += Array(#"\u003c"#.utf8)
      case UInt8(ascii: ">"): escaped += Array(#"\u003e"#.utf8)
      case UInt8(ascii: "&"): escaped += Array(#"\u0026"#.utf8)
      default: escaped.append(byte)
      }
    }
    return String(decoding: escaped, as: UTF8.self)
  }
}
