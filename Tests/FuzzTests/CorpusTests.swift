import Foundation
import FuzzTargets
import Testing

@Suite("What the fuzzers kept")
struct CorpusTests {
  private static let corpus = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fuzz/Corpus")

  private static func inputs(_ target: String) throws -> [URL] {
    try FileManager.default.contentsOfDirectory(
      at: corpus.appendingPathComponent(target), includingPropertiesForKeys: nil
    ).sorted { $0.path < $1.path }
  }

  @Test("every input leaves the invariants of its target whole", arguments: FuzzTarget.all.map(\.name))
  func replay(name: String) throws {
    let target = try #require(FuzzTarget.all.first { $0.name == name })
    let inputs = try Self.inputs(name)
    #expect(!inputs.isEmpty)
    for input in inputs {
      let bytes = [UInt8](try Data(contentsOf: input))
      #expect(throws: Never.self, "\(input.lastPathComponent)") {
        try bytes.withUnsafeBytes { try target.run($0) }
      }
    }
  }

  @Test("what lies in the folder is small, and all of it is replayed")
  func size() throws {
    let names = FuzzTarget.all.map(\.name)
    let folders = try FileManager.default.contentsOfDirectory(atPath: Self.corpus.path).sorted()
    #expect(folders == names.sorted())
    var bytes = 0
    for name in names {
      let inputs = try Self.inputs(name)
      #expect(inputs.count <= 40, "\(name)")
      for input in inputs { bytes += try Data(contentsOf: input).count }
    }
    #expect(bytes <= 64 * 1024)
  }
}
