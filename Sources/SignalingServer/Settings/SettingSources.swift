/// Where the value of a setting comes from. A later one counts before an earlier one.
public enum SettingSource: Equatable, Sendable, CustomStringConvertible {
  case standard
  case file(path: String, line: Int)
  case environment(variable: String)
  case option

  public var description: String {
    switch self {
    case .standard: "default"
    case .file(let path, let line): "\(path):\(line)"
    case .environment(let variable): variable
    case .option: "option"
    }
  }
}

/// What is wrong with what an operator said.
public struct SettingProblem: Equatable, Sendable, CustomStringConvertible {
  /// Where it was said.
  public enum Place: Equatable, Sendable {
    case options
    case environment
    case file
    /// In several places, which contradict each other.
    case several
  }

  public var place: Place
  /// A sentence without its full stop.
  public var description: String

  init(_ place: Place, _ description: String) {
    self.place = place
    self.description = description
  }
}

/// What options, environment and file come to.
public struct ResolvedSettings: Sendable {
  public private(set) var settings = ServerSettings()
  /// By the name of the setting; those of the default are missing.
  public private(set) var sources: [String: SettingSource] = [:]
  /// Why a server would not start.
  public private(set) var problems: [SettingProblem] = []
  /// What may be a mistake, and stops nobody.
  public private(set) var warnings: [String] = []
  /// The file that was read.
  public private(set) var file: String?
  /// Whether help was asked for.
  public private(set) var asksForHelp = false

  /// The variable that names the file, as the option `--config` does.
  public static let fileVariable = "ROLLCALL_CONFIG"

  /// Puts together what was said.
  ///
  /// - Parameters:
  ///   - options: the words of the command line.
  ///   - environment: the variables of the process.
  ///   - readFile: reads a file, or says why it cannot be read.
  public init(
    options: [String], environment: [String: String],
    readFile: (String) -> Result<[UInt8], ConfigurationFileFailure>
  ) {
    let said = OptionWords(options)
    asksForHelp = said.asksForHelp
    problems += said.problems
    if let path = said.file ?? environment[Self.fileVariable] { read(path, by: readFile) }
    read(environment)
    for (name, texts) in said.values {
      guard let setting = SettingTable[name] else { continue }
      take(setting, said: texts, from: .option)
    }
    // What contradicts itself only because something in it could not be read is not worth a word.
    guard problems.isEmpty else { return }
    for (_, sentence) in settings.contradictions { problems.append(SettingProblem(.several, sentence)) }
  }

  /// Where the value of a setting comes from.
  public func source(of setting: Setting) -> SettingSource { sources[setting.name] ?? .standard }

  // MARK: The file

  private mutating func read(_ path: String, by readFile: (String) -> Result<[UInt8], ConfigurationFileFailure>) {
    let bytes: [UInt8]
    switch readFile(path) {
    case .failure(let failure):
      problems.append(SettingProblem(.file, "the configuration file \(path) cannot be read: \(failure.reason)"))
      return
    case .success(let read): bytes = read
    }
    file = path
    do throws(ConfigurationFile.Failure) {
      for entry in try ConfigurationFile(bytes).entries { take(entry, of: path) }
    } catch {
      problems.append(SettingProblem(.file, "\(path):\(error.line): \(error.reason)"))
    }
  }

  private mutating func take(_ entry: ConfigurationFile.Entry, of path: String) {
    let name = entry.name.replacing("_", with: "-")
    let place = "\(path):\(entry.line)"
    guard let setting = SettingTable[name] else {
      let names = SettingTable.all.filter { $0.places.contains(.file) && !$0.isHidden }.map(\.name)
      problems.append(
        SettingProblem(.file, "\(place): there is no setting \(entry.name)" + Self.hint(name, among: names)))
      return
    }
    guard setting.places.contains(.file) else {
      problems.append(
        SettingProblem(
          .file, "\(place): \(name) is a secret and does not belong in here: use \(setting.variable), or a file"))
      return
    }
    guard let value = setting.form.value(of: entry.value) else {
      problems.append(SettingProblem(.file, "\(place): \(name) \(setting.form.expectation)"))
      return
    }
    if let complaint = setting.set(value, in: &settings) {
      problems.append(SettingProblem(.file, "\(place): \(name) \(complaint)"))
    } else {
      sources[setting.name] = .file(path: path, line: entry.line)
    }
  }

  // MARK: The environment

  private mutating func read(_ environment: [String: String]) {
    let prefix = "ROLLCALL_"
    let variables = SettingTable.all.filter { !$0.isHidden }.map(\.variable) + [Self.fileVariable]
    // What all begin with says nothing about how near two are.
    let names = variables.map { String($0.dropFirst(prefix.count)) }
    let byVariable = Dictionary(uniqueKeysWithValues: SettingTable.all.map { ($0.variable, $0) })
    for (variable, text) in environment.sorted(by: { $0.key < $1.key }) where variable.hasPrefix(prefix) {
      guard let setting = byVariable[variable] else {
        // Other things may be called so, what Kubernetes makes of a service named rollcall among them.
        if variable != Self.fileVariable {
          let name = String(variable.dropFirst(prefix.count))
          let isOfService = name.hasPrefix("SERVICE_") || name.contains("_TCP") || name.contains("_UDP")
          warnings.append(
            "there is no setting for the variable \(variable)"
              + (isOfService
                ? "; Kubernetes sets it for a service named rollcall" : Self.hint(name, among: names, prefix: prefix)))
        }
        continue
      }
      take(setting, said: [text], from: .environment(variable: variable))
    }
  }

  private mutating func take(_ setting: Setting, said texts: [String], from source: SettingSource) {
    let (place, name): (SettingProblem.Place, String) =
      if case .environment(let variable) = source { (.environment, variable) } else { (.options, "--\(setting.name)") }
    var value: SettingValue?
    if case .list = setting.form, case .option = source {
      value = texts.contains("") ? nil : .list(texts)
    } else {
      value = texts.last.flatMap { setting.form.value(of: $0) }
    }
    guard let value else {
      var complaint = "\(name) \(setting.form.expectation)"
      if case .environment = source, texts.last?.hasPrefix("tcp://") == true {
        complaint += "; this one is of Kubernetes: set enableServiceLinks to false"
      }
      problems.append(SettingProblem(place, complaint))
      return
    }
    if let complaint = setting.set(value, in: &settings) {
      problems.append(SettingProblem(place, "\(name) \(complaint)"))
    } else {
      sources[setting.name] = source
    }
  }

  fileprivate static func hint(_ name: String, among names: [String]) -> String {
    Suggestion.nearest(to: name, among: names).map { "; did you mean \($0)?" } ?? ""
  }
}

/// Why a configuration file cannot be read, in the system's words.
public struct ConfigurationFileFailure: Error, Sendable {
  public var reason: String

  /// A failure of this reason.
  public init(reason: String) { self.reason = reason }
}

/// The words of a command line, taken apart.
private struct OptionWords {
  private(set) var values: [(name: String, texts: [String])] = []
  private(set) var file: String?
  private(set) var asksForHelp = false
  private(set) var problems: [SettingProblem] = []

  init(_ words: [String]) {
    var rest = words[...]
    while let word = rest.popFirst() {
      if word == "-h" || word == "--help" {
        asksForHelp = true
        continue
      }
      guard word.hasPrefix("--"), word.count > 2 else {
        complain("\(word) is no option")
        continue
      }
      let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let (name, attached) = (String(parts[0]), parts.count > 1 ? String(parts[1]) : nil)
      if name == "config" {
        file = attached ?? rest.popFirst()
        if file?.isEmpty != false { complain("--config takes a file") }
        continue
      }
      guard let setting = SettingTable[name] else {
        let names = SettingTable.all.filter { $0.places.contains(.option) && !$0.isHidden }.map(\.name)
        complain("there is no option --\(name)" + ResolvedSettings.hint(name, among: names + ["config"], prefix: "--"))
        // What stands behind it is most likely its value.
        if attached == nil, let next = rest.first, !next.hasPrefix("-") { rest.removeFirst() }
        continue
      }
      guard setting.places.contains(.option) else {
        complain("--\(name) is a secret, and others on this machine see options: use \(setting.variable), or a file")
        if attached == nil, let next = rest.first, !next.hasPrefix("--") { rest.removeFirst() }
        continue
      }
      take(setting, attached, &rest)
    }
  }

  private mutating func take(_ setting: Setting, _ attached: String?, _ rest: inout ArraySlice<String>) {
    var text = attached
    if text == nil {
      if setting.form == .onOff {
        // It may stand alone, and on or off may follow it.
        if let next = rest.first, next == "on" || next == "off" {
          text = next
          rest.removeFirst()
        } else {
          text = "on"
        }
      } else if let next = rest.first, !next.hasPrefix("--") {
        text = next
        rest.removeFirst()
      }
    }
    guard let text else { return complain("--\(setting.name) needs a value: it \(setting.form.expectation)") }
    if let index = values.firstIndex(where: { $0.name == setting.name }) {
      values[index].texts.append(text)
    } else {
      values.append((setting.name, [text]))
    }
  }

  private mutating func complain(_ sentence: String) { problems.append(SettingProblem(.options, sentence)) }
}

extension ResolvedSettings {
  fileprivate static func hint(_ name: String, among names: [String], prefix: String) -> String {
    Suggestion.nearest(to: name, among: names).map { "; did you mean \(prefix)\($0)?" } ?? ""
  }
}
