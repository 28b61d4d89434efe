import Foundation
import Testing

/// Lint as a unit test: what a compiler cannot hold us to.
@Suite("The repository is tidy")
struct TidyTests {
  let repository = Repository()

  /// Every Swift file, read once for all rules.
  private static let swiftFiles = Result {
    try Repository().swiftFiles(below: ["Sources", "Tests", "loadtest"]).map { ($0.path, SwiftText($0.text)) }
  }

  private func check(_ folders: [String], _ rule: (String, SwiftText) -> [Violation]) throws {
    let files = try Self.swiftFiles.get().filter { path, _ in folders.contains { path.hasPrefix($0 + "/") } }
    #expect(!files.isEmpty)
    expectNone(files.flatMap { rule($0, $1) })
  }

  private func expectNone(_ violations: [Violation]) {
    let list = violations.map(\.description).joined(separator: "\n")
    #expect(violations.isEmpty, "\(list)")
  }

  @Test("pure targets import only the standard library, collections and each other")
  func pureTargets() throws { try check(["Sources"], Rules.impureImports) }

  @Test("Foundation stays out of the server and the load tester")
  func foundation() throws { try check(["Sources", "loadtest"], Rules.foundation) }

  @Test("files stay readable in one sitting")
  func length() throws { try check(["Sources", "loadtest"], Rules.length) }

  @Test("nothing traps on input: no try!, as!, forced unwrap, fatalError")
  func traps() throws { try check(["Sources", "loadtest"], Rules.traps) }

  @Test("every unchecked promise to the compiler says why it holds")
  func unexplainedUnsafety() throws { try check(["Sources", "loadtest"], Rules.unexplainedUnsafety) }

  @Test("tests do not sleep")
  func sleeps() throws { try check(["Tests"], Rules.sleeps) }

  @Test("no note of unfinished work")
  func markers() throws { expectNone(try repository.textFiles().flatMap { Rules.markers($0.path, $0.text) }) }

  @Test("no path of somebody's machine")
  func machinePaths() throws { expectNone(try repository.textFiles().flatMap { Rules.machinePaths($0.path, $0.text) }) }

  @Test("no file that only holds a place")
  func placeholders() throws {
    expectNone(Rules.placeholders(try repository.paths(below: ["Sources", "Tests", "loadtest", "protocol"])))
  }

  @Test("every file of the page is in the binary")
  func assets() throws {
    let folder = "Sources/WebClassroom/page/"
    let files = try repository.paths(below: [String(folder.dropLast())]).map { String($0.dropFirst(folder.count)) }
    expectNone(Rules.assets(try repository.text("Sources/WebClassroom/assets.c"), pageFiles: files))
  }

  @Test("every folder of Sources, and every folder of Tests with Swift in it, is a target")
  func targets() throws {
    let tests = try repository.folders(in: "Tests").filter {
      try repository.paths(below: ["Tests/\($0)"]).contains { $0.hasSuffix(".swift") }
    }
    let folders = try repository.folders(in: "Sources") + tests
    expectNone(Rules.targets(try repository.text("Package.swift"), folders: folders))
  }

  @Test("the exceptions to the rules exist, and each has a reason")
  func exceptions() throws {
    let paths = Set(try repository.paths(below: ["Sources", "loadtest"]))
    for (path, reason) in Rules.mayImportFoundation.merging(Rules.mayBeLong, uniquingKeysWith: { first, _ in first }) {
      #expect(paths.contains(path), "\(path) is excepted and does not exist")
      #expect(!reason.isEmpty)
    }
  }

  private struct Registry: Decodable {
    struct Entry: Decodable {
      var code: String
      var http: Int
      var retryable: Bool
    }
    var errors: [Entry]
  }

  private struct CloseRegistry: Decodable {
    struct Entry: Decodable { var code: Int }
    var codes: [Entry]
  }

  @Test("the error codes of the protocol are those of the code")
  func errorCodes() throws {
    let path = "protocol/errors.json"
    let registry = try JSONDecoder().decode(Registry.self, from: Data(try repository.text(path).utf8))
    let source = try repository.text("Sources/SignalingProtocol/ErrorCode.swift")
    let code = Rules.rawValues(ofEnum: "ErrorCode", in: source)
    #expect(!code.isEmpty)
    expectNone(Rules.difference(Set(registry.errors.map(\.code)), code, path: path))
  }

  @Test("every close code of the code is in the protocol")
  func closeCodes() throws {
    let path = "protocol/close-codes.json"
    let registry = try JSONDecoder().decode(CloseRegistry.self, from: Data(try repository.text(path).utf8))
    let source = try repository.text("Sources/SignalingProtocol/CloseReason.swift")
    let code = Rules.rawValues(ofEnum: "CloseReason", in: source)
    #expect(!code.isEmpty)
    #expect(code.isSubset(of: registry.codes.map { String($0.code) }), "\(code)")
  }
}
