import Foundation

/// A rule broken at a place.
struct Violation: Equatable, CustomStringConvertible {
  var path: String
  /// From 1; 0 for the file as a whole.
  var line: Int
  var reason: String

  var description: String { "\(path):\(line): \(reason)" }
}

/// The rules of the house, each a function from text to what is wrong with it.
enum Rules {
  /// Targets that import the standard library, swift-collections and each other, and nothing that does I/O.
  static let pureTargets: Set = [
    "PlantedBugs",
    "Bytes", "JSON", "WebSocketCore", "HTTPCore", "Classroom", "SignalingProtocol", "RoomShard",
    "SignalingClient",
  ]
  /// What a pure target may import besides pure targets.
  static let pureLibraries: Set = ["OrderedCollections", "HashTreeCollections", "DequeModule", "Swift"]
  /// Files outside the tests that may import Foundation, and why.
  static let mayImportFoundation: [String: String] = [:]
  static let lineLimit = 600
  /// Files above the limit: state machines, which are never split.
  static let mayBeLong: [String: String] = [:]

  // MARK: Imports

  static func imports(of text: SwiftText) -> [(line: Int, module: String)] {
    text.code.enumerated().compactMap { index, line in
      let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
      guard let position = words.firstIndex(of: "import"), position + 1 < words.count,
        words[..<position].allSatisfy({
          $0.hasPrefix("@") || ["public", "package", "internal", "private"].contains($0)
        })
      else { return nil }
      let kinds: Set = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
      let name =
        kinds.contains(words[position + 1]) && position + 2 < words.count ? words[position + 2] : words[position + 1]
      return (index + 1, String(name.prefix { $0 != "." }))
    }
  }

  static func impureImports(_ path: String, _ text: SwiftText) -> [Violation] {
    let parts = path.split(separator: "/").map(String.init)
    guard parts.count > 2, parts[0] == "Sources", pureTargets.contains(parts[1]) else { return [] }
    return imports(of: text).filter { !pureTargets.contains($0.module) && !pureLibraries.contains($0.module) }
      .map { Violation(path: path, line: $0.line, reason: "a pure target imports \($0.module)") }
  }

  static func foundation(_ path: String, _ text: SwiftText) -> [Violation] {
    guard mayImportFoundation[path] == nil else { return [] }
    return imports(of: text).filter { $0.module.hasPrefix("Foundation") }
      .map { Violation(path: path, line: $0.line, reason: "imports \($0.module)") }
  }

  // MARK: Code

  static func length(_ path: String, _ text: SwiftText) -> [Violation] {
    guard mayBeLong[path] == nil, text.lines.count > lineLimit else { return [] }
    return [Violation(path: path, line: text.lines.count, reason: "longer than \(lineLimit) lines")]
  }

  /// The names in a line of code, each with the first character behind it.
  private static func names(in line: String) -> [(name: String, next: UInt8, afterNext: UInt8)] {
    let bytes = Array(line.utf8)
    func isPart(_ byte: UInt8) -> Bool {
      (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")) || byte == UInt8(ascii: "_")
        || (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"))
    }
    var found: [(name: String, next: UInt8, afterNext: UInt8)] = []
    var index = 0
    while index < bytes.count {
      let start = index
      while index < bytes.count, isPart(bytes[index]) { index += 1 }
      if index > start {
        let next = index < bytes.count ? bytes[index] : 0
        let afterNext = index + 1 < bytes.count ? bytes[index + 1] : 0
        found.append((String(decoding: bytes[start..<index], as: UTF8.self), next, afterNext))
      } else {
        // A call, a subscript or an optional chain can be unwrapped like a name; it is reported as an empty one.
        if bytes[index] == UInt8(ascii: ")") || bytes[index] == UInt8(ascii: "]") || bytes[index] == UInt8(ascii: "?"),
          index + 1 < bytes.count
        {
          found.append(("", bytes[index + 1], index + 2 < bytes.count ? bytes[index + 2] : 0))
        }
        index += 1
      }
    }
    return found
  }

  static func traps(_ path: String, _ text: SwiftText) -> [Violation] {
    text.code.enumerated().flatMap { index, line in
      names(in: line).compactMap { name, next, afterNext -> String? in
        if name == "fatalError" { return "fatalError traps" }
        guard next == UInt8(ascii: "!"), afterNext != UInt8(ascii: "=") else { return nil }
        return name == "try" || name == "as" ? "\(name)! traps" : "a forced unwrap traps"
      }
      .map { Violation(path: path, line: index + 1, reason: $0) }
    }
  }

  static func unexplainedUnsafety(_ path: String, _ text: SwiftText) -> [Violation] {
    text.code.indices.filter { index in
      let line = text.code[index]
      guard line.contains("@unchecked") || line.contains("nonisolated(unsafe)") else { return false }
      if text.lines[index].contains("//") { return false }
      var above = index - 1
      while above >= 0, text.lines[above].trimmingCharacters(in: .whitespaces).hasPrefix("@") { above -= 1 }
      return above < 0 || !text.lines[above].trimmingCharacters(in: .whitespaces).hasPrefix("//")
    }
    .map { Violation(path: path, line: $0 + 1, reason: "no comment says why this is safe") }
  }

  static func sleeps(_ path: String, _ text: SwiftText) -> [Violation] {
    let sleeping: Set = ["sleep", "usleep", "nanosleep", "sleepForTimeInterval"]
    return text.code.enumerated().filter { _, line in
      line.contains("sleep") && names(in: line).contains { sleeping.contains($0.name) && $0.next == UInt8(ascii: "(") }
    }
    .map { Violation(path: path, line: $0.offset + 1, reason: "a test that sleeps is slow or wrong") }
  }

  // MARK: Files

  static func markers(_ path: String, _ text: String) -> [Violation] {
    let words = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]
    return text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap { index, line in
      let found = line.split(whereSeparator: { !$0.isLetter && !$0.isNumber && $0 != "_" }).first {
        words.contains(String($0))
      }
      return found.map { Violation(path: path, line: index + 1, reason: "says \($0): do it, or leave it out") }
    }
  }

  static func machinePaths(_ path: String, _ text: String) -> [Violation] {
    let folders = ["/ho" + "me/", "/Us" + "ers/", "/ro" + "ot/", "/wo" + "rk/", "/tmp/" + "rc-"]
    return text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap { index, line in
      guard let folder = folders.first(where: { line.contains($0) }) else { return nil }
      // `https://example.org/home/` is an address, not a folder of a machine.
      let isAddress = line.firstMatch(of: /:\/\/[^\s"'<>]*\/(?:home|root|work)\//) != nil
      return isAddress
        ? nil : Violation(path: path, line: index + 1, reason: "names \(folder), a folder of somebody's machine")
    }
  }

  static func placeholders(_ paths: [String]) -> [Violation] {
    paths.filter { $0.split(separator: "/").last?.hasPrefix("Placeholder") ?? false }
      .map { Violation(path: $0, line: 0, reason: "holds a place") }
  }

  // MARK: Registries

  /// Every file of the page is embedded, and everything embedded is there.
  static func assets(_ source: String, pageFiles: [String]) -> [Violation] {
    let embedded = Set(source.matches(of: /#embed\s+"page\/([^"]+)"/).map { String($0.1) })
    let path = "Sources/WebClassroom/assets.c"
    return Set(pageFiles).subtracting(embedded).sorted()
      .map { Violation(path: path, line: 0, reason: "page/\($0) is not embedded") }
      + embedded.subtracting(pageFiles).sorted()
      .map { Violation(path: path, line: 0, reason: "page/\($0) does not exist") }
  }

  /// Every folder is a target of the package.
  static func targets(_ manifest: String, folders: [String]) -> [Violation] {
    let names = Set(
      manifest.matches(of: /\.(?:target|executableTarget|testTarget|systemLibrary)\(\s*name:\s*"([^"]+)"/).map {
        String($0.1)
      })
    return folders.filter { !names.contains($0) }
      .map { Violation(path: "Package.swift", line: 0, reason: "the folder \($0) is no target") }
  }

  /// The raw values of an enum's cases in a Swift file: `case a, b = "c"`, or numbers.
  static func rawValues(ofEnum name: String, in source: String) -> Set<String> {
    guard let start = source.range(of: "enum \(name)") else { return [] }
    var depth = 0
    var values: Set<String> = []
    for line in source[start.lowerBound...].split(separator: "\n") {
      if depth == 1, let match = line.firstMatch(of: /^\s*case ([A-Za-z_0-9]+)(?: = "?([^"\s]+)"?)?\s*$/) {
        values.insert(String(match.2 ?? match.1))
      }
      depth += line.count { $0 == "{" } - line.count { $0 == "}" }
      if depth <= 0, line.contains("}") { break }
    }
    return values
  }

  /// Two lists that must be one.
  static func difference(_ registry: Set<String>, _ code: Set<String>, path: String) -> [Violation] {
    registry.subtracting(code).sorted().map {
      Violation(path: path, line: 0, reason: "\($0) is not in the Swift registry")
    }
      + code.subtracting(registry).sorted().map {
        Violation(path: path, line: 0, reason: "\($0) is only in the Swift registry")
      }
  }
}
