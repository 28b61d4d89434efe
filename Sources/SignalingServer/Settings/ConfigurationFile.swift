/// A configuration file: TOML, of which it takes comments, `name = value`, strings, whole numbers, `true`, `false` and arrays
/// of strings.
public struct ConfigurationFile: Sendable {
  /// What stands behind a name.
  public enum Value: Equatable, Sendable {
    case string(String)
    case integer(Int64)
    case boolean(Bool)
    case array([String])
  }

  /// One line of it.
  public struct Entry: Equatable, Sendable {
    public var name: String
    public var value: Value
    /// From 1.
    public var line: Int
  }

  /// Why it cannot be read.
  public struct Failure: Error, Equatable, Sendable {
    /// From 1.
    public var line: Int
    public var reason: String
  }

  /// In the order of the file; no name twice.
  public let entries: [Entry]

  /// The most bytes that a file may have.
  public static let maximumBytes = 1 << 20

  /// Reads the text of a file.
  public init(_ bytes: [UInt8]) throws(Failure) {
    var reader = Reader(bytes)
    entries = try reader.entries()
  }

  /// A text as a string of the file.
  static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case let other where other.value < 0x20 || other.value == 0x7F:
        let digits = String(other.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}

/// Goes through the text, scalar by scalar.
private struct Reader {
  private let scalars: [Unicode.Scalar]
  private let isText: Bool
  private var index = 0
  private var line = 1

  init(_ bytes: [UInt8]) {
    let text = String(validating: bytes, as: UTF8.self)
    isText = text != nil
    scalars = Array((text ?? "").unicodeScalars)
  }

  private var next: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }

  private func failure(_ reason: String) -> ConfigurationFile.Failure {
    ConfigurationFile.Failure(line: line, reason: reason)
  }

  mutating func entries() throws(ConfigurationFile.Failure) -> [ConfigurationFile.Entry] {
    guard isText else { throw failure("it is not UTF-8") }
    var found: [ConfigurationFile.Entry] = []
    var lines: [String: Int] = [:]
    while true {
      skipSpace(withLines: true)
      guard let first = next else { return found }
      if first == "[" { throw failure("sections are not used: every name stands by itself") }
      let start = line
      let name = try name()
      if let former = lines[name] { throw failure("\(name) was set in line \(former)") }
      lines[name] = start
      skipSpace(withLines: false)
      guard next == "=" else { throw failure("\(name) has no =") }
      index += 1
      skipSpace(withLines: false)
      let value = try value()
      skipSpace(withLines: false)
      if let rest = next, rest != "\n" { throw failure("something follows the value of \(name)") }
      found.append(ConfigurationFile.Entry(name: name, value: value, line: start))
    }
  }

  /// Passes white space and comments.
  private mutating func skipSpace(withLines: Bool) {
    while let scalar = next {
      switch scalar {
      case " ", "\t", "\r", "\u{FEFF}": break
      case "\n" where withLines: line += 1
      case "#":
        while let skipped = next, skipped != "\n" { index += 1 }
        continue
      default: return
      }
      index += 1
    }
  }

  private mutating func name() throws(ConfigurationFile.Failure) -> String {
    var name = ""
    while let scalar = next, scalar.isASCII,
      scalar.properties.isAlphabetic || "0123456789_-.".unicodeScalars.contains(scalar)
    {
      name.unicodeScalars.append(scalar)
      index += 1
    }
    guard !name.isEmpty else { throw failure("this is not `name = value`") }
    return name
  }

  private mutating func value() throws(ConfigurationFile.Failure) -> ConfigurationFile.Value {
    switch next {
    case "\"", "'": return .string(try string())
    case "[": return .array(try array())
    default: break
    }
    var word = ""
    while let scalar = next, !" \t\r\n#,]".unicodeScalars.contains(scalar) {
      word.unicodeScalars.append(scalar)
      index += 1
    }
    switch word {
    case "true": return .boolean(true)
    case "false": return .boolean(false)
    case "": throw failure("there is no value")
    default: break
    }
    let digits = word.filter { $0 != "_" }
    guard let number = Int64(digits) else { throw failure("\(word) is no number, true or false: a text has quotes") }
    return .integer(number)
  }

  private mutating func array() throws(ConfigurationFile.Failure) -> [String] {
    index += 1
    var items: [String] = []
    while true {
      skipSpace(withLines: true)
      switch next {
      case "]":
        index += 1
        return items
      case "\"", "'": items.append(try string())
      case nil: throw failure("the array has no end")
      default: throw failure("an array has texts in quotes")
      }
      skipSpace(withLines: true)
      switch next {
      case ",": index += 1
      case "]": break
      default: throw failure("the texts of an array have commas between them")
      }
    }
  }

  private mutating func string() throws(ConfigurationFile.Failure) -> String {
    let quote = next
    index += 1
    var text = ""
    while let scalar = next, scalar != "\n" {
      index += 1
      if scalar == quote { return text }
      if scalar == "\\", quote == "\"" {
        text.unicodeScalars.append(try escaped())
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
    throw failure("the text has no closing quote")
  }

  private mutating func escaped() throws(ConfigurationFile.Failure) -> Unicode.Scalar {
    let scalar = next
    index += 1
    switch scalar {
    case "\"": return "\""
    case "\\": return "\\"
    case "n": return "\n"
    case "t": return "\t"
    case "r": return "\r"
    case "u", "U":
      let count = scalar == "u" ? 4 : 8
      let digits = scalars[min(index, scalars.count)..<min(index + count, scalars.count)]
      let text = String(String.UnicodeScalarView(digits))
      guard digits.count == count, let code = UInt32(text, radix: 16), let character = Unicode.Scalar(code) else {
        throw failure("this is no character")
      }
      index += count
      return character
    default: throw failure("a backslash stands before a quote, a backslash, n, t, r or u")
    }
  }
}
