import Testing

@testable import Diagnosis

@Suite("STUN messages")
struct STUNMessageTests {
  private static func bytes(_ hexadecimal: String) -> [UInt8] {
    let digits = hexadecimal.filter(\.isHexDigit)
    return stride(from: 0, to: digits.count, by: 2).compactMap { index in
      let start = digits.index(digits.startIndex, offsetBy: index)
      return UInt8(digits[start...].prefix(2), radix: 16)
    }
  }

  /// RFC 5769, 2.4.
  private static let request = bytes(
    """
    000100602112a44278ad3433c6ad72c029da412e 00060012e3839ee38388e383aae38383e382afe382b90000
    0015001c662f2f3439396b39353464364f4c33346f4c39465354767936347341 0014000b6578616d706c652e6f726700
    00080014f67024656dd64a3e02b8e0712e85c9a28ca89666
    """)

  @Test("a request with long-term credentials is that of RFC 5769")
  func longTerm() {
    var message = STUNMessage(.binding, transaction: Self.bytes("78ad3433c6ad72c029da412e"))
    message.append(.username, Array("マトリックス".utf8))
    message.append(.nonce, Array("f//499k954d6OL34oL9FSTvy64sA".utf8))
    message.append(.realm, Array("example.org".utf8))
    let key = STUNMessage.key(username: "マトリックス", realm: "example.org", password: "TheMatrIX")
    #expect(message.encoded(key: key) == Self.request)
  }

  @Test("what is written can be read")
  func reading() throws {
    let message = try #require(STUNMessage(Self.request))
    #expect(message.method == STUNMessage.Method.binding.rawValue)
    #expect(message.kind == STUNMessage.Class.request.rawValue)
    #expect(message[.realm] == Array("example.org".utf8))
    for method in [STUNMessage.Method.allocate, .refresh] {
      var request = STUNMessage(method)
      request.append(.lifetime, [0, 0, 0, 1])
      #expect(STUNMessage(request.encoded()) == request)
    }
  }

  @Test("an answer's address is unmasked: RFC 5769, 2.2")
  func address() throws {
    let answer = Self.bytes(
      """
      0101003c2112a442b7e7a701bc34d686fa87dfae 8022000b7465737420766563746f7220 002000080001a147e112a643
      000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7 80280004c07d4c96
      """)
    let message = try #require(STUNMessage(answer))
    #expect(message.kind == STUNMessage.Class.success.rawValue)
    let mapped = try #require(message.address(.mappedAddress))
    #expect(mapped.hostBytes == [192, 0, 2, 1] && mapped.port == 32853)
  }

  @Test("bytes that are no message are none, wherever they are cut")
  func cut() {
    for count in 0..<Self.request.count { #expect(STUNMessage(Array(Self.request.prefix(count))) == nil) }
    var other = Self.request
    other[4] ^= 1
    #expect(STUNMessage(other) == nil)
  }
}
