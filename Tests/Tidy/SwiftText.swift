/// A Swift source with everything that is not code blanked out, so that a rule about code does not read prose.
///
/// A heuristic, good enough for this repository: it knows line and nested block comments, strings with interpolation, multi-line
/// and raw strings; it does not know regex literals.
struct SwiftText {
  /// The lines with comments and the contents of strings replaced by spaces.
  let code: [String]
  /// The lines as they are.
  let lines: [String]

  init(_ text: String) {
    lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    var scanner = Scanner(bytes: Array(text.utf8))
    scanner.scanCode(untilParenthesis: false)
    code = String(decoding: scanner.output, as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  private struct Scanner {
    let bytes: [UInt8]
    var output: [UInt8] = []
    var index = 0

    init(bytes: [UInt8]) {
      self.bytes = bytes
      output.reserveCapacity(bytes.count)
    }

    /// Whether the byte at this distance from here is the given one.
    func isNext(_ byte: UInt8, offset: Int = 0) -> Bool {
      index + offset < bytes.count && bytes[index + offset] == byte
    }

    /// Whether `first` follows, and behind it `count` times `second`.
    func isNext(_ first: UInt8, times: Int, then second: UInt8, count: Int) -> Bool {
      for offset in 0..<times where !isNext(first, offset: offset) { return false }
      for offset in times..<(times + count) where !isNext(second, offset: offset) { return false }
      return true
    }

    mutating func keep(_ count: Int = 1) {
      output.append(contentsOf: bytes[index..<min(index + count, bytes.count)])
      index += count
    }

    mutating func blank(_ count: Int = 1) {
      for byte in bytes[index..<min(index + count, bytes.count)] {
        output.append(byte == Self.newline ? byte : UInt8(ascii: " "))
      }
      index += count
    }

    mutating func scanCode(untilParenthesis: Bool) {
      var depth = 0
      while index < bytes.count {
        switch bytes[index] {
        case Self.slash where isNext(Self.slash, offset: 1):
          while index < bytes.count, bytes[index] != Self.newline { blank() }
        case Self.slash where isNext(Self.star, offset: 1):
          scanBlockComment()
        case Self.quote:
          scanString(hashes: 0)
        case Self.hash:
          var hashes = 1
          while isNext(Self.hash, offset: hashes) { hashes += 1 }
          let isString = isNext(Self.quote, offset: hashes)
          keep(hashes)
          if isString { scanString(hashes: hashes) }
        case Self.open:
          depth += 1
          keep()
        case Self.close:
          depth -= 1
          keep()
          if untilParenthesis, depth < 0 { return }
        default:
          keep()
        }
      }
    }

    mutating func scanBlockComment() {
      var depth = 0
      repeat {
        if isNext(Self.slash), isNext(Self.star, offset: 1) {
          depth += 1
          blank(2)
        } else if isNext(Self.star), isNext(Self.slash, offset: 1) {
          depth -= 1
          blank(2)
        } else {
          blank()
        }
      } while depth > 0 && index < bytes.count
    }

    /// Scans from the opening quotation mark to behind the closing one.
    mutating func scanString(hashes: Int) {
      let isMultiline = isNext(Self.quote, offset: 1) && isNext(Self.quote, offset: 2)
      let quotes = isMultiline ? 3 : 1
      keep(quotes)
      while index < bytes.count {
        if isNext(Self.quote, times: quotes, then: Self.hash, count: hashes) { return keep(quotes + hashes) }
        if isNext(Self.backslash, times: 1, then: Self.hash, count: hashes) {
          blank(1 + hashes)
          if isNext(Self.open) {
            keep()
            scanCode(untilParenthesis: true)
          } else if index < bytes.count {
            blank()
          }
        } else if !isMultiline, isNext(Self.newline) {
          return  // an unterminated string, as in a broken example: go on with the next line
        } else {
          blank()
        }
      }
    }

    private static let slash = UInt8(ascii: "/")
    private static let star = UInt8(ascii: "*")
    private static let quote = UInt8(ascii: "\"")
    private static let hash = UInt8(ascii: "#")
    private static let backslash = UInt8(ascii: "\\")
    private static let open = UInt8(ascii: "(")
    private static let close = UInt8(ascii: ")")
    private static let newline = UInt8(ascii: "\n")
  }
}
