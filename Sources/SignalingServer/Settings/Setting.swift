/// Something that an operator can set: as an option of `rollcall serve`, in the environment, or in a file.
public struct Setting: Sendable {
  /// What belongs together, in the order of the help.
  public enum Group: String, CaseIterable, Sendable {
    case server = "Server"
    case data = "Data"
    case tls = "TLS"
    case tokens = "Tokens"
    case browsers = "Browsers and WebSockets"
    case calls = "Calls"
    case classes = "Classes"
    case operators = "Figures and proxies"
    case limits = "Limits"
    case trial = "Trying things"
  }

  /// Where it may be said.
  public struct Places: OptionSet, Sendable {
    public let rawValue: UInt8

    /// The places of these bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let option = Places(rawValue: 1)
    public static let environment = Places(rawValue: 2)
    public static let file = Places(rawValue: 4)
    /// Everywhere.
    public static let all: Places = [.option, .environment, .file]
  }

  /// The name: of the option with two hyphens before it, and in the file.
  public let name: String
  public let group: Group
  public let form: SettingForm
  /// What it does; the first sentence stands for all of it in the short help.
  public let help: String
  public internal(set) var places = Places.all
  /// Whether the value must not be shown.
  public internal(set) var isSecret = false
  /// Whether `SIGHUP` brings a changed value into force.
  public internal(set) var isReloadable = false
  /// Whether the help leaves it out.
  public internal(set) var isHidden = false
  /// The default for people where no value says it.
  public internal(set) var defaultText: String?
  private let read: @Sendable (ServerSettings) -> SettingValue?
  private let write: @Sendable (SettingValue, inout ServerSettings) -> String?

  /// A setting.
  /// - Parameters:
  ///   - read: the value; nil when there is none.
  ///   - write: sets it, or says what is wrong with it, as the end of a sentence that begins with its name.
  init(
    _ name: String, in group: Group, _ form: SettingForm, _ help: String,
    read: @escaping @Sendable (ServerSettings) -> SettingValue?,
    write: @escaping @Sendable (SettingValue, inout ServerSettings) -> String?
  ) {
    (self.name, self.group, self.form, self.help) = (name, group, form, help)
    (self.read, self.write) = (read, write)
  }

  /// The name of its environment variable.
  public var variable: String {
    "ROLLCALL_" + name.uppercased().replacing("-", with: "_")
  }

  /// What it is in these settings; nil when it has no value.
  public func value(in settings: ServerSettings) -> SettingValue? { read(settings) }

  /// What a server does without it; nil when there is no value for it.
  public var defaultValue: SettingValue? { read(ServerSettings()) }

  /// Sets it.
  /// - Returns: what is wrong with the value, as the end of a sentence that begins with its name; then nothing is set.
  func set(_ value: SettingValue, in settings: inout ServerSettings) -> String? { write(value, &settings) }

  /// Takes the value of other settings.
  public func copy(from other: ServerSettings, to settings: inout ServerSettings) {
    // A setting that was taken out again is the default's.
    if let value = read(other) ?? defaultValue { _ = write(value, &settings) }
  }

  /// The first sentence of ``help``.
  public var summary: String {
    let end = help.ranges(of: ". ").first?.lowerBound
    return end.map { String(help[..<$0]) + "." } ?? help
  }
}

// The usual forms of a setting, each of a place in the settings.
extension Setting {
  typealias Path<Value> = WritableKeyPath<ServerSettings, Value> & Sendable

  static func text(
    _ name: String, in group: Group, _ word: String, _ path: Path<String>, _ help: String
  ) -> Setting {
    Setting(name, in: group, .text(word), help, read: { .text($0[keyPath: path]) }) { value, settings in
      if case .text(let text) = value { settings[keyPath: path] = text }
      return nil
    }
  }

  static func text(
    _ name: String, in group: Group, _ word: String, _ path: Path<String?>, _ help: String
  ) -> Setting {
    Setting(name, in: group, .text(word), help, read: { $0[keyPath: path].map { .text($0) } }) { value, settings in
      if case .text(let text) = value { settings[keyPath: path] = text }
      return nil
    }
  }

  static func integer(
    _ name: String, in group: Group, _ range: ClosedRange<Int64>, counting word: String = "N", _ path: Path<Int>,
    _ help: String
  ) -> Setting {
    Setting(name, in: group, .integer(range, word), help, read: { .integer(Int64($0[keyPath: path])) }) {
      value, settings in
      if case .integer(let number) = value { settings[keyPath: path] = Int(clamping: number) }
      return nil
    }
  }

  static func time(
    _ name: String, in group: Group, _ range: ClosedRange<Int64>, _ path: Path<Int64>, _ help: String
  ) -> Setting {
    Setting(name, in: group, .duration(range), help, read: { .integer($0[keyPath: path]) }) { value, settings in
      if case .integer(let time) = value { settings[keyPath: path] = time }
      return nil
    }
  }

  static func time(
    _ name: String, in group: Group, _ range: ClosedRange<Int64>, _ path: Path<Int64?>, _ help: String
  ) -> Setting {
    Setting(name, in: group, .duration(range), help, read: { $0[keyPath: path].map { .integer($0) } }) {
      value, settings in
      if case .integer(let time) = value { settings[keyPath: path] = time }
      return nil
    }
  }

  /// A text of which `parse` makes something, or nil; `expectation` ends a sentence about one of which it makes nothing.
  static func parsed<Item: Sendable>(
    _ name: String, in group: Group, _ word: String, _ path: Path<Item?>, text: @escaping @Sendable (Item) -> String,
    expectation: String, parse: @escaping @Sendable (String) -> Item?, _ help: String
  ) -> Setting {
    Setting(name, in: group, .text(word), help, read: { $0[keyPath: path].map { .text(text($0)) } }) {
      value, settings in
      guard case .text(let text) = value else { return nil }
      guard let item = parse(text) else { return "\(expectation), not \"\(text)\"" }
      settings[keyPath: path] = item
      return nil
    }
  }

  static func flag(_ name: String, in group: Group, _ path: Path<Bool>, _ help: String) -> Setting {
    Setting(name, in: group, .onOff, help, read: { .flag($0[keyPath: path]) }) { value, settings in
      if case .flag(let isOn) = value { settings[keyPath: path] = isOn }
      return nil
    }
  }

  static func choice<Choice: RawRepresentable & CaseIterable & Sendable>(
    _ name: String, in group: Group, _ path: Path<Choice>, _ help: String
  ) -> Setting where Choice.RawValue == String {
    Setting(
      name, in: group, .choice(Choice.allCases.map(\.rawValue)), help, read: { .text($0[keyPath: path].rawValue) }
    ) { value, settings in
      if case .text(let word) = value, let choice = Choice(rawValue: word) { settings[keyPath: path] = choice }
      return nil
    }
  }

  /// Several values of one kind. `parse` makes one of a text, or gives nil; `expectation` ends a sentence about a text of which
  /// it makes none.
  static func list<Item: Sendable>(
    _ name: String, in group: Group, _ word: String, separator: Character = ",", _ path: Path<[Item]>,
    text: @escaping @Sendable (Item) -> String, expectation: String, parse: @escaping @Sendable (String) -> Item?,
    _ help: String
  ) -> Setting {
    Setting(
      name, in: group, .list(word, separator: separator), help,
      read: { settings in
        let items = settings[keyPath: path]
        return items.isEmpty ? nil : .list(items.map(text))
      }
    ) { value, settings in
      guard case .list(let texts) = value else { return nil }
      var items: [Item] = []
      for text in texts {
        guard let item = parse(text) else { return "\(expectation), not \"\(text)\"" }
        items.append(item)
      }
      settings[keyPath: path] = items
      return nil
    }
  }

  /// A limit of the server's own table.
  static func limit(_ limit: LimitSetting) -> Setting {
    let form: SettingForm =
      limit.unit == .milliseconds ? .duration(limit.range) : .integer(limit.range, limit.unit == .bytes ? "BYTES" : "N")
    return Setting(
      limit.option, in: .limits, form, limit.help, read: { .integer(limit.value(in: $0.configuration)) }
    ) { value, settings in
      if case .integer(let number) = value { limit.set(number, in: &settings.configuration) }
      return nil
    }
  }

  func secret() -> Setting {
    var setting = self
    setting.isSecret = true
    setting.places = .environment
    return setting
  }

  func reloadable() -> Setting {
    var setting = self
    setting.isReloadable = true
    return setting
  }

  func hidden() -> Setting {
    var setting = self
    setting.isHidden = true
    return setting
  }

  func otherwise(_ text: String) -> Setting {
    var setting = self
    setting.defaultText = text
    return setting
  }
}
