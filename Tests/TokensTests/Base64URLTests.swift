import Testing

@testable import Tokens

@Suite("Base64 for URLs")
struct Base64URLTests {
  @Test(
    "RFC 4648, section 10, without padding",
    arguments: [
      ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"),
      ("foobar", "Zm9vYmFy"),
    ])
  func vectors(_ plain: String, _ text: String) {
    #expect(String(decoding: Base64URL.encode(Array(plain.utf8)), as: UTF8.self) == text)
    #expect(Base64URL.decode(text.utf8) == Array(plain.utf8))
  }

  @Test("all bytes come back, and what does not come from the encoder is refused")
  func roundTrip() {
    var generator = SystemRandomNumberGenerator()
    for count in 0..<200 {
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
      let text = Base64URL.encode(bytes)
      #expect(Base64URL.decode(text) == bytes)
      #expect(Base64URL.decode(text + [UInt8(ascii: "=")]) == nil)
    }
    // Every two characters: either what encodes to them, or nothing.
    for first in UInt8.min ... .max {
      for second in UInt8.min ... .max {
        guard let bytes = Base64URL.decode([first, second]) else { continue }
        #expect(Base64URL.encode(bytes) == [first, second])
      }
    }
  }

  @Test(
    "other alphabets, padding, spare bits and impossible lengths are refused",
    arguments: [
      "Zg==", "Zg=", "Zh", "Zm9", "Zm+v", "Zm/v", "Zm9v\n", " Zm9v", "Z", "Zm9vY", "Zm9vZ-_\u{E9}",
    ])
  func refused(_ text: String) { #expect(Base64URL.decode(text.utf8) == nil) }
}
