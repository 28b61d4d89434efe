/// A property that must hold for every input, and did not.
public struct BrokenInvariant: Error, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }
}

/// A parser of what comes from outside, and what must be true of it whatever comes.
///
/// `make fuzz` looks for inputs that break it; the tests replay those in `Tests/Fuzz/Corpus`.
public struct FuzzTarget: Sendable {
  /// What the folder of its corpus is called too.
  public let name: String
  private let body: @Sendable (UnsafeRawBufferPointer) throws(BrokenInvariant) -> Void

  private init(_ name: String, _ body: @escaping @Sendable (UnsafeRawBufferPointer) throws(BrokenInvariant) -> Void) {
    self.name = name
    self.body = body
  }

  public static let all = [
    FuzzTarget("http", fuzzHTTP),
    FuzzTarget("frames", fuzzFrames),
    FuzzTarget("deflate", fuzzDeflate),
    FuzzTarget("commands", fuzzCommands),
    FuzzTarget("token", fuzzToken),
    FuzzTarget("journal", fuzzJournal),
  ]

  /// Runs one input; a crash is a failure too.
  public func run(_ bytes: UnsafeRawBufferPointer) throws(BrokenInvariant) { try body(bytes) }
}

/// Throws unless the property holds.
func hold(_ condition: Bool, _ property: @autoclosure () -> String) throws(BrokenInvariant) {
  if !condition { throw BrokenInvariant(property()) }
}

/// Takes the bytes that an input begins with as choices, and leaves the rest.
struct Choices {
  private(set) var rest: UnsafeRawBufferPointer

  init(_ bytes: UnsafeRawBufferPointer) { rest = bytes }

  mutating func byte() -> UInt8 {
    guard let first = rest.first else { return 0 }
    rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst())
    return first
  }
}

/// Where a stream is cut: at once, byte by byte, and in pieces of changing length.
enum Cutting: CaseIterable {
  case whole, bytes, pieces

  func pieces(of count: Int) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var start = 0
    while start < count {
      let length =
        switch self {
        case .whole: count
        case .bytes: 1
        case .pieces: 1 + (start * 7 + 3) % 19
        }
      let end = min(count, start + length)
      ranges.append(start..<end)
      start = end
    }
    return ranges
  }
}
