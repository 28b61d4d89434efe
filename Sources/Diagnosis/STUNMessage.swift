import COpenSSL
import EventLoop

/// A STUN message (RFC 8489, section 5), as far as asking a TURN server needs it (RFC 8656).
struct STUNMessage: Equatable {
  enum Method: UInt16 {
    case binding = 0x001
    case allocate = 0x003
    case refresh = 0x004
  }

  enum Class: UInt16 {
    case request = 0x000
    case success = 0x100
    case failure = 0x110
  }

  enum AttributeType: UInt16 {
    case username = 0x0006
    case messageIntegrity = 0x0008
    case errorCode = 0x0009
    case lifetime = 0x000D
    case realm = 0x0014
    case nonce = 0x0015
    case relayedAddress = 0x0016
    case requestedTransport = 0x0019
    case mappedAddress = 0x0020
  }

  var method: UInt16
  var kind: UInt16
  /// 12 bytes.
  var transaction: [UInt8]
  var attributes: [(type: UInt16, value: [UInt8])] = []

  static let headerBytes = 20
  private static let cookie: [UInt8] = [0x21, 0x12, 0xA4, 0x42]

  static func == (first: STUNMessage, second: STUNMessage) -> Bool {
    first.method == second.method && first.kind == second.kind && first.transaction == second.transaction
      && first.attributes.elementsEqual(second.attributes, by: ==)
  }

  /// A request.
  init(_ method: Method, transaction: [UInt8] = SecureRandom.bytes(count: 12)) {
    (self.method, kind, self.transaction) = (method.rawValue, Class.request.rawValue, transaction)
  }

  /// Reads a message; nil when these bytes are none.
  init?(_ bytes: [UInt8]) {
    guard bytes.count >= Self.headerBytes, bytes[0] & 0xC0 == 0, Array(bytes[4..<8]) == Self.cookie else { return nil }
    let type = Self.word(bytes, at: 0)
    let length = Int(Self.word(bytes, at: 2))
    guard length % 4 == 0, bytes.count >= Self.headerBytes + length else { return nil }
    // RFC 8489, 5: the two bits of the class lie among those of the method.
    kind = type & 0x0110
    method = type & 0x000F | (type & 0x00E0) >> 1 | (type & 0x3E00) >> 2
    transaction = Array(bytes[8..<20])
    var index = Self.headerBytes
    let end = index + length
    while index + 4 <= end {
      let count = Int(Self.word(bytes, at: index + 2))
      guard index + 4 + count <= end else { return nil }
      attributes.append((Self.word(bytes, at: index), Array(bytes[(index + 4)..<(index + 4 + count)])))
      index += 4 + (count + 3) / 4 * 4
    }
  }

  subscript(_ type: AttributeType) -> [UInt8]? { attributes.first { $0.type == type.rawValue }?.value }

  mutating func append(_ type: AttributeType, _ value: [UInt8]) { attributes.append((type.rawValue, value)) }

  /// The bytes of the message; with a key, ended by its integrity (RFC 8489, 14.5).
  func encoded(key: [UInt8]? = nil) -> [UInt8] {
    var body: [UInt8] = []
    for (type, value) in attributes {
      body += Self.bytes(type) + Self.bytes(UInt16(truncatingIfNeeded: value.count)) + value
      body += [UInt8](repeating: 0, count: (4 - value.count % 4) % 4)
    }
    guard let key else { return header(length: body.count) + body }
    // The length counts the integrity that is about to be added.
    let message = header(length: body.count + 24) + body
    var code = [UInt8](repeating: 0, count: 20)
    var length: UInt32 = 0
    HMAC(EVP_sha1(), key, Int32(clamping: key.count), message, message.count, &code, &length)
    return message + Self.bytes(AttributeType.messageIntegrity.rawValue) + Self.bytes(20) + code
  }

  private func header(length: Int) -> [UInt8] {
    let type = method & 0x000F | (method & 0x0070) << 1 | (method & 0x0F80) << 2 | kind
    return Self.bytes(type) + Self.bytes(UInt16(truncatingIfNeeded: length)) + Self.cookie + transaction
  }

  /// The code and the words of an error (RFC 8489, 14.8).
  var error: (code: Int, reason: String)? {
    guard kind == Class.failure.rawValue else { return nil }
    guard let value = self[.errorCode], value.count >= 4 else { return (0, "no reason given") }
    return (Int(value[2] & 7) * 100 + Int(value[3]), String(decoding: value[4...], as: UTF8.self))
  }

  /// An address that is masked (RFC 8489, 14.2): the numeric host and the port.
  func address(_ type: AttributeType) -> (hostBytes: [UInt8], port: UInt16)? {
    guard let value = self[type], value.count == 8 || value.count == 20 else { return nil }
    let mask = Self.cookie + transaction
    let host = zip(value[4...], mask).map { $0 ^ $1 }
    return (host, Self.word(value, at: 2) ^ Self.word(Self.cookie, at: 0))
  }

  /// The key of long-term credentials (RFC 8489, 9.2.2).
  static func key(username: String, realm: String, password: String) -> [UInt8] {
    let text = Array("\(username):\(realm):\(password)".utf8)
    var digest = [UInt8](repeating: 0, count: 16)
    var length: UInt32 = 0
    EVP_Digest(text, text.count, &digest, &length, EVP_md5(), nil)
    return digest
  }

  private static func word(_ bytes: [UInt8], at index: Int) -> UInt16 {
    UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1])
  }

  private static func bytes(_ word: UInt16) -> [UInt8] { [UInt8(word >> 8), UInt8(word & 0xFF)] }
}
