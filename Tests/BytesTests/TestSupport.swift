import Testing

/// SplitMix64: the same numbers for the same seed, so that a failing run repeats.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func bytes(upTo limit: Int) -> [UInt8] {
    let count = Int.random(in: 0...limit, using: &self)
    return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &self) }
  }
}

/// `#expect` for conditions that change something or touch a noncopyable value, which the macro cannot capture.
func verify(_ condition: Bool, _ comment: Comment? = nil, at location: SourceLocation = #_sourceLocation) {
  #expect(condition, comment, sourceLocation: location)
}
