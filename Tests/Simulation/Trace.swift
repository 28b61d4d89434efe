/// What happened, in order: always as a hash, and in words when somebody wants to read it.
struct Trace {
  /// Whether lines are kept; a failing seed is run once more with them.
  let isReadable: Bool
  private(set) var lines: [String] = []
  private(set) var hash: UInt64 = 0xcbf2_9ce4_8422_2325

  init(isReadable: Bool) {
    self.isReadable = isReadable
  }

  mutating func mix(_ value: UInt64) {
    hash = (hash ^ value) &* 0x9E37_79B9_7F4A_7C15
    hash ^= hash >> 29
  }

  mutating func mix(_ bytes: UnsafeRawBufferPointer) {
    var offset = 0
    while offset + 8 <= bytes.count {
      mix(bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      offset += 8
    }
    var rest: UInt64 = UInt64(bytes.count)
    while offset < bytes.count {
      rest = rest << 8 | UInt64(bytes[offset])
      offset += 1
    }
    mix(rest)
  }

  mutating func note(_ time: Int64, _ actor: String, _ what: String) {
    let seconds = String(time / 1_000_000)
    let fraction = String(time % 1_000_000)
    let padded = String(repeating: "0", count: 6 - fraction.utf8.count) + fraction
    let width = String(repeating: " ", count: max(0, 6 - seconds.utf8.count))
    let column = actor + String(repeating: " ", count: max(1, 14 - actor.utf8.count))
    lines.append("\(width)\(seconds).\(padded)  \(column)\(what)")
  }
}
