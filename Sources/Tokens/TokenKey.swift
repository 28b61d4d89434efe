import COpenSSL

/// A secret that signs and verifies, bound to HMAC-SHA256 (RFC 7518, 3.2: `HS256`).
public struct TokenKey: Sendable {
  /// RFC 7518, 3.2: a key of at least the size of the hash.
  public static let minimumBytes = 32

  private let secret: [UInt8]

  /// A key of at least ``minimumBytes`` bytes.
  public init(_ secret: [UInt8]) {
    precondition(secret.count >= Self.minimumBytes, "checked when the secret is read")
    self.secret = secret
  }

  /// A key for one purpose alone: nothing that it signs is good for another.
  public func derived(for purpose: StaticString) -> TokenKey {
    TokenKey(sign(purpose.withUTF8Buffer { Array($0) }))
  }

  /// The HMAC of a message.
  public func sign(_ message: [UInt8]) -> [UInt8] {
    var code = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    let result = HMAC(EVP_sha256(), secret, Int32(secret.count), message, message.count, &code, &length)
    precondition(result != nil && length == 32, "HMAC-SHA256 of memory does not fail")
    return code
  }

  /// Whether the code is the HMAC of the message, in a time that does not depend on where they differ.
  public func verify(_ code: [UInt8], of message: [UInt8]) -> Bool {
    let expected = sign(message)
    return code.count == expected.count && CRYPTO_memcmp(code, expected, expected.count) == 0
  }
}
