import COpenSSL
import JSON

/// Makes tokens as a course platform does: JWT (RFC 7519), HS256. Written anew here and not taken from the server, so
/// that the two check each other.
struct TokenSigner: Sendable {
  /// RFC 7518, 3.2: a key of at least the size of the hash.
  static let minimumBytes = 32

  private let secret: [UInt8]

  /// - Returns: nil when the secret is shorter than ``minimumBytes``.
  init?(secret: [UInt8]) {
    guard secret.count >= Self.minimumBytes else { return nil }
    self.secret = secret
  }

  /// A token for a user.
  /// - Parameter expiry: in seconds since 1970.
  func token(user: String, name: String, role: StaticString, expiry: Int64) -> String {
    var claims = JSONWriter(reserving: 128)
    claims.object { claims in
      claims.field("sub", user)
      claims.field("name", name)
      claims.field("role", role)
      claims.field("exp", expiry)
    }
    let signed = Self.base64URL(Array(#"{"alg":"HS256","typ":"JWT"}"#.utf8)) + "." + Self.base64URL(claims.bytes)
    return signed + "." + Self.base64URL(authenticationCode(of: Array(signed.utf8)))
  }

  private func authenticationCode(of message: [UInt8]) -> [UInt8] {
    var code = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    let result = HMAC(EVP_sha256(), secret, Int32(clamping: secret.count), message, message.count, &code, &length)
    precondition(result != nil && length == 32, "HMAC-SHA256 of memory does not fail")
    return code
  }

  /// Base64 with the URL alphabet, without padding (RFC 4648, section 5).
  static func base64URL(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count / 3 * 4 + 4)
    var bits: UInt32 = 0
    var bitCount: UInt32 = 0
    for byte in bytes {
      bits = (bits << 8 | UInt32(byte)) & 0xFFFF
      bitCount += 8
      while bitCount >= 6 {
        bitCount -= 6
        text.append(alphabet[Int(bits >> bitCount & 63)])
      }
    }
    if bitCount > 0 { text.append(alphabet[Int(bits << (6 - bitCount) & 63)]) }
    return String(decoding: text, as: UTF8.self)
  }
}
