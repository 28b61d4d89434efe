/// The settings for people: as help, as an example of the file, as a list of what counts now.
public enum SettingTexts {
  /// How wide the help is: terminals have 80 columns, and what is longer is broken anywhere.
  private static let width = 79
  /// Where its explanations begin.
  private static let indent = 27
  /// How wide the example is.
  private static let exampleWidth = 96

  // MARK: Help

  /// The options, grouped, one short explanation for each.
  public static var help: String {
    var lines: [String] = []
    for group in Setting.Group.allCases {
      let settings = SettingTable.all.filter { $0.group == group && !$0.isHidden && $0.places.contains(.option) }
      guard !settings.isEmpty else { continue }
      lines.append("\(group.rawValue.uppercased()):")
      for setting in settings { lines += helpLines(of: setting) }
      lines.append("")
    }
    return lines.dropLast().joined(separator: "\n")
  }

  private static func helpLines(of setting: Setting) -> [String] {
    // What is on by default is there to be turned off.
    let word = setting.form.placeholder ?? (setting.defaultValue == .flag(true) ? "on|off" : nil)
    let name = "  --\(setting.name)" + (word.map { " \($0)" } ?? "")
    var text = setting.summary
    if let standard = standard(of: setting) { text += " [\(standard)]" }
    let wrapped = wrap(text, to: width - indent)
    let gap = String(repeating: " ", count: indent)
    guard name.count < indent else { return [name] + wrapped.map { gap + $0 } }
    let first = name + String(repeating: " ", count: indent - name.count) + (wrapped.first ?? "")
    return [first] + wrapped.dropFirst().map { gap + $0 }
  }

  private static func standard(of setting: Setting) -> String? {
    if let text = setting.defaultText { return text }
    guard let value = setting.defaultValue, value != .flag(false) else { return nil }
    return setting.form.text(of: value)
  }

  private static func wrap(_ text: String, to width: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      if !line.isEmpty, line.count + 1 + word.count > width {
        lines.append(line)
        line = ""
      }
      line += line.isEmpty ? String(word) : " \(word)"
    }
    return line.isEmpty ? lines : lines + [line]
  }

  // MARK: The example

  /// A file with every setting at its default, explained, and commented out.
  public static var example: String {
    var lines = wrap(
      """
      The settings of a Rollcall server, all at their defaults. Take the # away before a name to set it. This is TOML: texts have \
      quotes, times are "250ms", "20s", "5m", "1h" or "400d". Start with: rollcall serve --config FILE. Every setting is an option \
      as well (--ping-interval 20s), which counts before everything else, and a variable of the environment \
      (ROLLCALL_PING_INTERVAL=20s), which counts before this file. `rollcall check-config --config FILE` says what counts and what \
      is wrong. Those marked with (reload) take a new value at SIGHUP; the others need a restart.
      """, to: exampleWidth - 2
    ).map { "# \($0)" }
    for group in Setting.Group.allCases {
      let settings = SettingTable.all.filter { $0.group == group && !$0.isHidden }
      guard !settings.isEmpty else { continue }
      lines += ["", "", "# --- \(group.rawValue) ---"]
      for setting in settings {
        lines.append("")
        lines += wrap(explanation(of: setting), to: exampleWidth - 2).map { "# \($0)" }
        if setting.places.contains(.file) { lines.append("#\(setting.name) = \(exampleValue(of: setting))") }
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func explanation(of setting: Setting) -> String {
    var text = setting.places.contains(.file) ? setting.help : "\(setting.variable) (not in this file): \(setting.help)"
    if let standard = setting.defaultText { text += " Default: \(standard)." }
    switch setting.form {
    case .integer(let range, _): text += " (\(range.lowerBound) to \(range.upperBound))"
    case .duration(let range): text += " (\(TimeText.text(range.lowerBound)) to \(TimeText.text(range.upperBound)))"
    case .choice(let words): text += " (\(words.joined(separator: ", ")))"
    case .text, .onOff, .list: break
    }
    return setting.isReloadable ? text + " (reload)" : text
  }

  private static func exampleValue(of setting: Setting) -> String {
    if let value = setting.defaultValue { return setting.form.fileText(of: value) }
    switch setting.form {
    case .text: return "\"\""
    case .integer(let range, _): return "\(range.lowerBound)"
    case .duration(let range): return ConfigurationFile.quoted(TimeText.text(range.lowerBound))
    case .choice(let words): return ConfigurationFile.quoted(words.first ?? "")
    case .onOff: return "false"
    case .list: return "[]"
    }
  }

  // MARK: What counts

  /// One setting as it counts now.
  public struct Effective: Sendable, Equatable {
    public var name: String
    /// For people; of a secret only whether there is one.
    public var value: String
    public var source: SettingSource
  }

  /// Every setting with its value and where that comes from; hidden ones only where they were set.
  public static func effective(_ resolved: ResolvedSettings) -> [Effective] {
    SettingTable.all.compactMap { setting in
      let source = resolved.source(of: setting)
      if setting.isHidden, source == .standard { return nil }
      return Effective(name: setting.name, value: shown(setting, in: resolved.settings), source: source)
    }
  }

  private static func shown(_ setting: Setting, in settings: ServerSettings) -> String {
    guard let value = setting.value(in: settings) else { return setting.isSecret ? "-" : setting.defaultText ?? "-" }
    return setting.isSecret ? "(hidden)" : setting.form.text(of: value)
  }

  /// Every setting with its value and where that comes from, as lines.
  /// - Parameter changed: whether only those are listed that are not at their defaults.
  public static func listing(_ resolved: ResolvedSettings, onlyChanged changed: Bool) -> [String] {
    let rows = effective(resolved).filter { !changed || $0.source != .standard }
    let nameWidth = rows.map(\.name.count).max() ?? 0
    let valueWidth = min(40, rows.map(\.value.count).max() ?? 0)
    return rows.map { row in
      let name = row.name + String(repeating: " ", count: nameWidth - row.name.count)
      let value = row.value + String(repeating: " ", count: max(0, valueWidth - row.value.count))
      return "\(name)  \(value)  \(row.source)"
    }
  }
}
