import Testing

/// A rule that never finds anything is no rule: each is shown a violation, and something that only looks like one.
@Suite("The tidy rules find what they are for")
struct RuleTests {
  private let pure = "Sources/Classroom/File.swift"
  private let other = "Sources/SignalingServer/File.swift"

  private func lines(_ violations: [Violation]) -> [Int] { violations.map(\.line) }

  @Test("a pure target that imports an impure module")
  func impureImports() {
    let text = SwiftText(
      "import Classroom\nimport Glibc\n@preconcurrency import Foundation\nimport struct CLinux.epoll_event\n")
    #expect(lines(Rules.impureImports(pure, text)) == [2, 3, 4])
    #expect(Rules.impureImports(other, text).isEmpty)
    #expect(Rules.impureImports(pure, SwiftText("import JSON\nimport OrderedCollections\n// import Glibc\n")).isEmpty)
  }

  @Test("Foundation, and its smaller part")
  func foundation() {
    #expect(lines(Rules.foundation(other, SwiftText("import Foundation\nimport FoundationEssentials\n"))) == [1, 2])
    #expect(Rules.foundation(other, SwiftText("let text = \"import Foundation\"\n")).isEmpty)
  }

  @Test("a file that is too long")
  func length() {
    let line = "let a = 1\n"
    #expect(Rules.length(other, SwiftText(String(repeating: line, count: Rules.lineLimit))).count == 1)
    #expect(Rules.length(other, SwiftText(String(repeating: line, count: Rules.lineLimit - 1))).isEmpty)
  }

  @Test(
    "everything that traps",
    arguments: [
      "let a = try! f()", "let a = b as! C", "fatalError(\"no\")", "let a = b!", "a[1]!.b", "f()!.b", "var a: String!",
      "let a = \"\\(b!)\"", "a?.b!.c", "a as! B?", "Swift.fatalError()", "while let a = b! {",
    ])
  func traps(code: String) {
    #expect(lines(Rules.traps(other, SwiftText("let x = 1\n\(code)\n"))) == [2])
  }

  @Test(
    "what only looks as if it trapped",
    arguments: [
      "if a != b {", "if !a {", "// never try! this!", "let a = \"Hello!\"", "/* fatalError( */", "#if !os(Linux)",
      "a.filter(!)",
      "let a = #\"b!\"#", "let a = \"\"\"\n  wow!\n  \"\"\"", "f(a, !b)",
    ])
  func lookalikes(code: String) {
    #expect(Rules.traps(other, SwiftText(code)).isEmpty)
  }

  @Test("an unchecked promise without a reason")
  func unexplainedUnsafety() {
    let bare = "struct A {}\nfinal class B: @unchecked Sendable {}\n"
    #expect(lines(Rules.unexplainedUnsafety(other, SwiftText(bare))) == [2])
    #expect(lines(Rules.unexplainedUnsafety(other, SwiftText("nonisolated(unsafe) var a = 1\n"))) == [1])
    let explained = "/// A lock guards it.\n@usableFromInline\nfinal class B: @unchecked Sendable {}\n"
    #expect(Rules.unexplainedUnsafety(other, SwiftText(explained)).isEmpty)
  }

  @Test(
    "a sleep",
    arguments: ["Thread.sleep(forTimeInterval: 1)", "usleep(1)", "try await Task.sleep(for: .seconds(1))", "sleep(1)"])
  func sleeps(code: String) {
    #expect(lines(Rules.sleeps("Tests/A.swift", SwiftText(code))) == [1])
    #expect(Rules.sleeps("Tests/A.swift", SwiftText("// \(code)\nclock.sleeps = 1\n")).isEmpty)
  }

  @Test("a note of unfinished work", arguments: ["TO" + "DO: later", "// FIX" + "ME", "# XX" + "X", "a HA" + "CK."])
  func markers(note: String) {
    #expect(lines(Rules.markers("Makefile", "all:\n\(note)\n")) == [2])
    #expect(Rules.markers("Makefile", "mktemp a.XX" + "XXXX\nTO" + "DOS\n").isEmpty)
  }

  @Test("a path of somebody's machine")
  func machinePaths() {
    #expect(lines(Rules.machinePaths("a", "cd /ho" + "me/ada/rollcall")) == [1])
    #expect(lines(Rules.machinePaths("a", "ok\n/Us" + "ers/ada")) == [2])
    #expect(Rules.machinePaths("a", "see https://example.org/ho" + "me/page and /usr/bin/env").isEmpty)
  }

  @Test("a file that only holds a place")
  func placeholders() {
    let paths = ["Sources/A/Placeholder.swift", "Sources/A/A.swift", "Sources/Placeholders/A.swift"]
    #expect(Rules.placeholders(paths).map(\.path) == ["Sources/A/Placeholder.swift"])
  }

  @Test("a file of the page that is not embedded, and one that is embedded and gone")
  func assets() {
    let source = "#embed \"page/index.html\"\n#embed \"page/gone.js\"\n"
    let found = Rules.assets(source, pageFiles: ["index.html", "app.js"]).map(\.reason)
    #expect(found == ["page/app.js is not embedded", "page/gone.js does not exist"])
  }

  @Test("a folder that is no target")
  func targets() {
    let manifest =
      ".target(name: \"A\"),\n.executableTarget(\n  name: \"B\", path: \"b\"),\n.testTarget(name: \"ATests\")"
    #expect(Rules.targets(manifest, folders: ["A", "B", "C", "ATests"]).map(\.reason) == ["the folder C is no target"])
  }

  @Test("a code that only one of two registries has")
  func registries() {
    let source = """
      public enum Code: String {
        case plain
        case named = "with_name"
        var text: String {
          switch self {
          case .plain: "x"
          }
        }
        case number = 4001
      }
      enum Other { case elsewhere }
      """
    let values = Rules.rawValues(ofEnum: "Code", in: source)
    #expect(values == ["plain", "with_name", "4001"])
    let found = Rules.difference(["plain", "missing"], values.subtracting(["4001"]), path: "a").map(\.reason)
    #expect(found == ["missing is not in the Swift registry", "with_name is only in the Swift registry"])
  }
}
