import COpenSSL
import EventLoop
import JSON
import OpenSSLSupport
import Tokens

/// The key pair (Ed25519, RFC 8032) that signs attendance reports.
public struct ReportKey: Sendable {
  /// The bytes of a private key, a public key and a signature.
  static let keyBytes = 32
  static let signatureBytes = 64

  private let secret: [UInt8]
  public let publicKey: ReportPublicKey

  /// The key of these 32 secret bytes; nil for another number of them.
  init?(secret: [UInt8]) {
    guard secret.count == Self.keyBytes, let key = Self.key(of: secret) else { return nil }
    defer { EVP_PKEY_free(key) }
    var bytes = [UInt8](repeating: 0, count: Self.keyBytes)
    var count = bytes.count
    guard EVP_PKEY_get_raw_public_key(key, &bytes, &count) == 1, count == Self.keyBytes,
      let publicKey = ReportPublicKey(bytes: bytes)
    else { return nil }
    self.secret = secret
    self.publicKey = publicKey
  }

  /// A new key.
  public static func generate() -> ReportKey? { ReportKey(secret: SecureRandom.bytes(count: keyBytes)) }

  /// The first private key of a PEM text; nil when that is no Ed25519 key, or is encrypted.
  init?(pem: [UInt8]) {
    let key: OpaquePointer
    do throws(PEM.PrivateKeyFailure) {
      key = try PEM.privateKey(pem)
    } catch {
      return nil
    }
    defer { EVP_PKEY_free(key) }
    guard EVP_PKEY_is_a(key, "ED25519") == 1 else { return nil }
    var secret = [UInt8](repeating: 0, count: Self.keyBytes)
    var count = secret.count
    guard EVP_PKEY_get_raw_private_key(key, &secret, &count) == 1 else { return nil }
    self.init(secret: Array(secret.prefix(count)))
  }

  /// The key pair in PEM (PKCS #8), not encrypted.
  var pem: [UInt8] {
    guard let key = Self.key(of: secret) else { return [] }
    defer { EVP_PKEY_free(key) }
    return PEM.text { PEM_write_bio_PKCS8PrivateKey($0, key, nil, nil, 0, nil, nil) } ?? []
  }

  private static func key(of secret: [UInt8]) -> OpaquePointer? {
    EVP_PKEY_new_raw_private_key_ex(nil, "ED25519", nil, secret, secret.count)
  }

  /// The signature of a message; the same message always has the same (RFC 8032, 5.1.6).
  func sign(_ message: [UInt8]) -> [UInt8] {
    guard let key = Self.key(of: secret), let context = EVP_MD_CTX_new() else {
      preconditionFailure("a key that was good when it was read is good")
    }
    defer {
      EVP_MD_CTX_free(context)
      EVP_PKEY_free(key)
    }
    var signature = [UInt8](repeating: 0, count: Self.signatureBytes)
    var count = signature.count
    let isSigned =
      EVP_DigestSignInit(context, nil, nil, nil, key) == 1
      && EVP_DigestSign(context, &signature, &count, message, message.count) == 1
    precondition(isSigned && count == Self.signatureBytes, "signing memory with Ed25519 does not fail")
    return signature
  }
}

/// The public half of a key that signs attendance reports.
public struct ReportPublicKey: Sendable, Hashable {
  public let bytes: [UInt8]

  /// The key of these bytes; nil when they are not 32.
  init?(bytes: [UInt8]) {
    guard bytes.count == ReportKey.keyBytes else { return nil }
    self.bytes = bytes
  }

  /// The keys of a text: a public (or private) key in PEM, a JWK (RFC 8037) or a JWK set. Keys of other kinds are left out.
  public static func read(_ text: [UInt8]) -> [ReportPublicKey] {
    if let key = ReportKey(pem: text) { return [key.publicKey] }
    let keys = readPEM(text)
    return keys.isEmpty ? readJSON(text) : keys
  }

  private static func readPEM(_ text: [UInt8]) -> [ReportPublicKey] {
    ERR_clear_error()
    defer { ERR_clear_error() }
    guard let bio = BIO_new_mem_buf(text, Int32(clamping: text.count)) else { return [] }
    defer { BIO_free(bio) }
    var keys: [ReportPublicKey] = []
    while let key = PEM_read_bio_PUBKEY(bio, nil, { _, _, _, _ in -1 }, nil) {
      defer { EVP_PKEY_free(key) }
      var bytes = [UInt8](repeating: 0, count: ReportKey.keyBytes)
      var count = bytes.count
      guard EVP_PKEY_is_a(key, "ED25519") == 1, EVP_PKEY_get_raw_public_key(key, &bytes, &count) == 1,
        let found = ReportPublicKey(bytes: bytes)
      else { continue }
      keys.append(found)
    }
    return keys
  }

  private static func readJSON(_ text: [UInt8]) -> [ReportPublicKey] {
    var reader = JSONReader()
    var keys: [ReportPublicKey] = []
    // A text that is no JSON holds no keys, which is what is said of it.
    try? reader.read(text) { view throws(JSONError) in
      if let set = view["keys"] {
        keys = set.elements.compactMap(Self.init(jwk:))
      } else if let key = Self(jwk: view) {
        keys = [key]
      }
    }
    return keys
  }

  private init?(jwk: JSONView) {
    // RFC 8037, 2.
    guard jwk["kty"]?.equals("OKP") == true, jwk["crv"]?.equals("Ed25519") == true, let text = jwk["x"]?.string,
      let bytes = Base64URL.decode(Array(text.utf8))
    else { return nil }
    self.init(bytes: bytes)
  }

  /// Whether the signature is that of the message.
  func verify(_ signature: [UInt8], of message: [UInt8]) -> Bool {
    guard signature.count == ReportKey.signatureBytes,
      let key = EVP_PKEY_new_raw_public_key_ex(nil, "ED25519", nil, bytes, bytes.count)
    else { return false }
    defer { EVP_PKEY_free(key) }
    guard let context = EVP_MD_CTX_new() else { return false }
    defer {
      EVP_MD_CTX_free(context)
      ERR_clear_error()
    }
    return EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1
      && EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
  }

  /// The key as base64url, the member `x` of a JWK.
  var text: String { String(decoding: Base64URL.encode(bytes), as: UTF8.self) }

  /// The name of the key, which everybody finds alike: its thumbprint (RFC 7638 with SHA-256).
  public var id: String {
    let members = Array(#"{"crv":"Ed25519","kty":"OKP","x":"\#(text)"}"#.utf8)
    var digest = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    let result = EVP_Digest(members, members.count, &digest, &length, EVP_sha256(), nil)
    precondition(result == 1 && length == 32, "SHA-256 of memory does not fail")
    return String(decoding: Base64URL.encode(digest), as: UTF8.self)
  }

  /// The key in PEM.
  public var pem: [UInt8] {
    guard let key = EVP_PKEY_new_raw_public_key_ex(nil, "ED25519", nil, bytes, bytes.count) else { return [] }
    defer { EVP_PKEY_free(key) }
    return PEM.text { PEM_write_bio_PUBKEY($0, key) } ?? []
  }

  /// The key as a JWK set (RFC 7517, 5) of one.
  public var set: [UInt8] {
    var writer = JSONWriter(reserving: 256)
    writer.object { writer in
      writer.array("keys") { writer in
        writer.object { writer in
          writer.field("kty", "OKP")
          writer.field("crv", "Ed25519")
          writer.field("x", text)
          writer.field("alg", "EdDSA")
          writer.field("use", "sig")
          writer.field("kid", id)
        }
      }
    }
    return writer.bytes
  }
}
