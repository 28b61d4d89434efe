import EventLoop

/// Unpredictable names.
enum Identifiers {
  private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)

  /// A name of so many random bits, rounded up to 5, in letters and digits.
  static func random(bits: Int) -> String {
    name(of: SecureRandom.bytes(count: (bits + 4) / 5))
  }

  /// A name for the history of a session: short enough to need no memory of its own.
  static func epoch() -> String { "e\(random(bits: 70))" }

  /// A name with 5 bits of each byte.
  static func name(of bytes: some Sequence<UInt8>) -> String {
    String(decoding: bytes.map { alphabet[Int($0 & 31)] }, as: UTF8.self)
  }
}
