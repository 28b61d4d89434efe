/// What was said for a setting, in the form that the setting takes.
public enum SettingValue: Equatable, Sendable {
  case text(String)
  /// A number; of times, milliseconds.
  case integer(Int64)
  case flag(Bool)
  case list([String])
}

/// What a setting takes.
public enum SettingForm: Equatable, Sendable {
  /// Any text that is not empty; the word stands for it in the help.
  case text(String)
  /// A whole number from this range; the word stands for it in the help.
  case integer(ClosedRange<Int64>, String)
  /// A length of time from this range, in milliseconds.
  case duration(ClosedRange<Int64>)
  /// One of these words.
  case choice([String])
  /// On or off; as an option it may stand alone.
  case onOff
  /// Several texts: the option is repeated, the variable has a separator between them, the file an array. The word stands for
  /// one of them.
  case list(String, separator: Character = ",")

  /// What the help says behind the option; nil for what may stand alone.
  public var placeholder: String? {
    switch self {
    case .text(let word), .integer(_, let word), .list(let word, _): word
    case .duration: "TIME"
    case .choice(let words): words.joined(separator: "|")
    case .onOff: nil
    }
  }

  /// What it takes, as the end of a sentence that begins with its name.
  var expectation: String {
    switch self {
    case .text: "takes a text that is not empty"
    case .integer(let range, _): "takes \(range.lowerBound) to \(range.upperBound)"
    case .duration(let range): "takes \(TimeText.text(range.lowerBound)) to \(TimeText.text(range.upperBound))"
    case .choice(let words): "takes \(words.joined(separator: ", "))"
    case .onOff: "takes on or off"
    case .list: "takes texts that are not empty"
    }
  }

  /// The value of a text, as options and variables have it; nil when it is none of this form.
  func value(of text: String) -> SettingValue? {
    switch self {
    case .text: return text.isEmpty ? nil : .text(text)
    case .integer(let range, _):
      guard let number = Int64(text), range.contains(number) else { return nil }
      return .integer(number)
    case .duration(let range):
      guard let time = TimeText.milliseconds(text), range.contains(time) else { return nil }
      return .integer(time)
    case .choice(let words): return words.contains(text) ? .text(text) : nil
    case .onOff:
      switch text.lowercased() {
      case "on", "true", "yes", "1": return .flag(true)
      case "off", "false", "no", "0": return .flag(false)
      default: return nil
      }
    case .list(_, let separator):
      let items = text.split(separator: separator, omittingEmptySubsequences: false).map { Self.trimmed($0) }
      return items.contains("") ? nil : .list(items)
    }
  }

  /// The value of what stands in a file; nil when it is none of this form.
  func value(of entry: ConfigurationFile.Value) -> SettingValue? {
    switch (self, entry) {
    case (.integer(let range, _), .integer(let number)): range.contains(number) ? .integer(number) : nil
    // A bare number of seconds, as on the command line.
    case (.duration, .integer(let number)): value(of: "\(number)")
    case (.onOff, .boolean(let flag)): .flag(flag)
    case (.list, .array(let items)): items.contains("") ? nil : .list(items)
    case (.list, .string(let item)): item.isEmpty ? nil : .list([item])
    case (.text, .string(let text)), (.duration, .string(let text)), (.choice, .string(let text)),
      (.onOff, .string(let text)):
      value(of: text)
    default: nil
    }
  }

  /// The value as people read it.
  public func text(of value: SettingValue) -> String {
    switch value {
    case .text(let text): text
    case .integer(let number): if case .duration = self { TimeText.text(number) } else { "\(number)" }
    case .flag(let isOn): isOn ? "on" : "off"
    case .list(let items): items.joined(separator: ", ")
    }
  }

  /// The value as a file has it.
  func fileText(of value: SettingValue) -> String {
    switch value {
    case .text(let text): ConfigurationFile.quoted(text)
    case .integer(let number):
      if case .duration = self { ConfigurationFile.quoted(TimeText.text(number)) } else { "\(number)" }
    case .flag(let isOn): "\(isOn)"
    case .list(let items): "[" + items.map(ConfigurationFile.quoted).joined(separator: ", ") + "]"
    }
  }

  private static func trimmed(_ text: Substring) -> String {
    let beginning = text.drop { $0 == " " }
    return String(beginning.reversed().drop { $0 == " " }.reversed())
  }
}

/// Lengths of time as people write them: `250ms`, `20s`, `5m`, `1h`, `400d`, or a bare number of seconds.
public enum TimeText {
  private static let units: [(suffix: String, milliseconds: Int64)] = [
    ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
  ]
  /// The longest: ten years.
  public static let maximum: Int64 = 10 * 366 * 86_400_000

  /// The milliseconds of a text; nil when it is none, negative, or longer than ``maximum``.
  public static func milliseconds(_ text: String) -> Int64? {
    let unit = units.first { text.hasSuffix($0.suffix) }
    let digits = text.dropLast(unit?.suffix.count ?? 0)
    guard let number = Int64(digits), number >= 0 else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: unit?.milliseconds ?? 1000)
    return overflow || product > maximum ? nil : product
  }

  /// The shortest text of so many milliseconds.
  public static func text(_ milliseconds: Int64) -> String {
    let unit = units.last { milliseconds % $0.milliseconds == 0 && milliseconds >= $0.milliseconds }
    return unit.map { "\(milliseconds / $0.milliseconds)\($0.suffix)" } ?? "\(milliseconds)ms"
  }
}
