/// FNV-1a with 64 bits: the same in every run and on every machine, and thus fit for what is written to disk. It is no
/// defence against somebody who looks for collisions.
struct StableDigest {
  private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

  mutating func mix(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }

  /// Mixes in a text.
  mutating func mix(_ text: String) { text.utf8.forEach { mix($0) } }

  /// Mixes in a text and where it ends: no UTF-8 has this byte.
  mutating func mix(field text: String) {
    mix(text)
    mix(0xFF)
  }
}
