/// Base64 (RFC 4648 4), as far as the opening handshake needs it.
enum Base64 {
  private static let alphabet = [UInt8]("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func encode(_ bytes: [UInt8]) -> String {
    var encoded: [UInt8] = []
    encoded.reserveCapacity((bytes.count + 2) / 3 * 4)
    var index = 0
    while index < bytes.count {
      let left = bytes.count - index
      let group =
        UInt32(bytes[index]) << 16 | (left > 1 ? UInt32(bytes[index + 1]) << 8 : 0)
        | (left > 2 ? UInt32(bytes[index + 2]) : 0)
      encoded.append(alphabet[Int(group >> 18 & 63)])
      encoded.append(alphabet[Int(group >> 12 & 63)])
      encoded.append(left > 1 ? alphabet[Int(group >> 6 & 63)] : UInt8(ascii: "="))
      encoded.append(left > 2 ? alphabet[Int(group & 63)] : UInt8(ascii: "="))
      index += 3
    }
    return String(decoding: encoded, as: UTF8.self)
  }

  private static func isOfAlphabet(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
      true
    default: false
    }
  }

  /// Whether `text` is the encoding of exactly 16 bytes: 22 characters of the alphabet and two of padding.
  static func encodesSixteenBytes(_ text: some Collection<UInt8>) -> Bool {
    guard text.count == 24 else { return false }
    return text.prefix(22).allSatisfy(isOfAlphabet) && text.suffix(2).allSatisfy { $0 == UInt8(ascii: "=") }
  }
}
