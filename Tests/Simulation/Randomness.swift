/// A generator with a seed, which can be split into independent ones (SplitMix64).
///
/// Each part of the simulation draws from its own, so that one part drawing more often does not change what the others see.
struct Randomness: RandomNumberGenerator, Sendable {
  private var state: UInt64

  init(seed: UInt64) {
    state = Self.mix(seed &+ 0x9E37_79B9_7F4A_7C15)
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return Self.mix(state)
  }

  private static func mix(_ value: UInt64) -> UInt64 {
    var mixed = value
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  /// A generator of its own.
  mutating func split() -> Randomness { Randomness(seed: next()) }

  /// Whether something of this probability happens.
  mutating func chance(_ probability: Double) -> Bool {
    Double(next() >> 11) * 0x1p-53 < probability
  }

  mutating func int(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }
  mutating func int64(_ range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &self) }

  /// A time that is mostly short and sometimes long: exponential with this mean, at most ten times it.
  mutating func duration(mean: Int64) -> Int64 {
    // The sum of halvings: no logarithm, so that every machine gets the same bits.
    var bits = next()
    var length: Int64 = 0
    while bits & 1 == 1, length < 9 {
      length += 1
      bits >>= 1
    }
    let fraction = Int64(next() >> 44)
    return (mean * length + mean * fraction >> 20) * 2 / 3 + 1
  }

  mutating func pick<Element>(_ elements: [Element]) -> Element? {
    elements.isEmpty ? nil : elements[int(0...elements.count - 1)]
  }
}
