import COpenSSL

/// The secret that signs and verifies tokens, bound to HMAC-SHA256 (RFC 7515 `HS256`).
struct TokenKey: Sendable {
  /// RFC 7518, 3.2: a key of at least the size of the hash.
  static let minimumBytes = 32

  private let secret: [UInt8]

  init(_ secret: [UInt8]) {
    precondition(secret.count >= Self.minimumBytes, "checked when the secret is read")
    self.secret = secret
  }

  /// The HMAC of a message.
  func sign(_ message: [UInt8]) -> [UInt8] {
    var code = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    let result = HMAC(EVP_sha256(), secret, Int32(secret.count), message, message.count, &code, &length)
    precondition(result != nil && length == 32, "HMAC-SHA256 of memory does not fail")
    return code
  }

  /// Whether the code is the HMAC of the message, in a time that does not depend on where they differ.
  func verify(_ code: [UInt8], of message: [UInt8]) -> Bool {
    let expected = sign(message)
    return code.count == expected.count && CRYPTO_memcmp(code, expected, expected.count) == 0
  }
}
