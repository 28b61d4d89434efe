import COpenSSL
import JSON
import OpenSSLSupport

/// A key pair that signs tokens: for `rollcall token`, `rollcall keygen` and tests. The server itself needs none.
///
/// `@unchecked Sendable`: nothing changes an `EVP_PKEY` once it is made, and OpenSSL guards what it computes of it.
public struct PrivateKey: ~Copyable, @unchecked Sendable {
  let kind: KeyKind
  private let key: OpaquePointer

  /// Reads the first private key of a PEM text.
  public init(pem: [UInt8]) throws(KeyFailure) {
    let key: OpaquePointer
    do throws(PEM.PrivateKeyFailure) {
      key = try PEM.privateKey(pem)
    } catch {
      throw error == .encrypted ? .encryptedPrivateKey : .noPrivateKey
    }
    guard let kind = KeyKind(of: key) else {
      EVP_PKEY_free(key)
      throw .unsupported
    }
    (self.key, self.kind) = (key, kind)
  }

  /// Makes a key pair for this algorithm, which is not HS256.
  public init(generatingFor algorithm: TokenAlgorithm, bitsOfRSA: Int = 3072) throws(KeyFailure) {
    OpenSSLErrors.clear()
    defer { OpenSSLErrors.clear() }
    let (type, group): (String, String?) =
      switch algorithm {
      case .hs256: throw .wrongAlgorithm(.hs256)
      case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512: ("RSA", nil)
      case .es256: ("EC", "P-256")
      case .es384: ("EC", "P-384")
      case .es512: ("EC", "P-521")
      case .edDSA: ("ED25519", nil)
      }
    guard let context = EVP_PKEY_CTX_new_from_name(nil, type, nil) else { throw .refused(OpenSSLErrors.takeReason()) }
    defer { EVP_PKEY_CTX_free(context) }
    var key: OpaquePointer?
    guard EVP_PKEY_keygen_init(context) == 1,
      type != "RSA" || EVP_PKEY_CTX_set_rsa_keygen_bits(context, Int32(clamping: bitsOfRSA)) == 1,
      group.map({ EVP_PKEY_CTX_set_group_name(context, $0) == 1 }) ?? true,
      EVP_PKEY_generate(context, &key) == 1, let key
    else { throw .refused(OpenSSLErrors.takeReason()) }
    guard let kind = KeyKind(of: key) else {
      EVP_PKEY_free(key)
      throw .unsupported
    }
    (self.key, self.kind) = (key, kind)
  }

  deinit { EVP_PKEY_free(key) }

  /// The algorithm of a key for which none is named.
  public var defaultAlgorithm: TokenAlgorithm { kind.defaultAlgorithm }

  /// The signature of a message in the form of JWS (RFC 7518, 3).
  /// - Throws: ``KeyFailure/wrongAlgorithm(_:)`` when the algorithm does not go with the key.
  public func sign(_ message: [UInt8], by algorithm: TokenAlgorithm) throws(KeyFailure) -> [UInt8] {
    guard kind.fits(algorithm) else { throw .wrongAlgorithm(algorithm) }
    OpenSSLErrors.clear()
    defer { OpenSSLErrors.clear() }
    guard let context = EVP_MD_CTX_new() else { throw .refused(OpenSSLErrors.takeReason()) }
    defer { EVP_MD_CTX_free(context) }
    var keyContext: OpaquePointer?
    guard EVP_DigestSignInit(context, &keyContext, algorithm.digest, nil, key) == 1 else {
      throw .refused(OpenSSLErrors.takeReason())
    }
    if algorithm.isProbabilistic {
      guard EVP_PKEY_CTX_set_rsa_padding(keyContext, RSA_PKCS1_PSS_PADDING) == 1,
        EVP_PKEY_CTX_set_rsa_pss_saltlen(keyContext, RSA_PSS_SALTLEN_DIGEST) == 1
      else { throw .refused(OpenSSLErrors.takeReason()) }
    }
    var count = 0
    guard EVP_DigestSign(context, nil, &count, message, message.count) == 1 else {
      throw .refused(OpenSSLErrors.takeReason())
    }
    var signature = [UInt8](repeating: 0, count: count)
    guard EVP_DigestSign(context, &signature, &count, message, message.count) == 1 else {
      throw .refused(OpenSSLErrors.takeReason())
    }
    signature.removeLast(signature.count - count)
    guard let size = kind.coordinateBytes else { return signature }
    guard let numbers = ECDSASignature.numbers(signature, size: size) else { throw .refused("no signature") }
    return numbers
  }

  // MARK: Writing

  /// The key pair in PEM (PKCS #8), not encrypted.
  public var pem: [UInt8] { PEM.text { PEM_write_bio_PKCS8PrivateKey($0, key, nil, nil, 0, nil, nil) } ?? [] }

  /// The public key in PEM.
  public var publicPEM: [UInt8] { PEM.text { PEM_write_bio_PUBKEY($0, key) } ?? [] }

  /// The members of the public key as a JWK, in the order of RFC 7638, 3.2.
  private var members: [(name: String, value: String)] {
    func text(_ bytes: [UInt8]) -> String { String(decoding: Base64URL.encode(bytes), as: UTF8.self) }
    func number(_ name: String, bytes: Int?) -> String {
      var number: OpaquePointer?
      guard EVP_PKEY_get_bn_param(key, name, &number) == 1 else { return "" }
      defer { BN_free(number) }
      let count = bytes ?? Int(BN_num_bits(number) + 7) / 8
      var digits = [UInt8](repeating: 0, count: count)
      return BN_bn2binpad(number, &digits, Int32(count)) == count ? text(digits) : ""
    }
    switch kind {
    case .rsa: return [("e", number("e", bytes: nil)), ("kty", "RSA"), ("n", number("n", bytes: nil))]
    case .p256, .p384, .p521:
      let curve = kind == .p256 ? "P-256" : kind == .p384 ? "P-384" : "P-521"
      let size = kind.coordinateBytes
      return [("crv", curve), ("kty", "EC"), ("x", number("qx", bytes: size)), ("y", number("qy", bytes: size))]
    case .ed25519:
      var bytes = [UInt8](repeating: 0, count: 32)
      var count = bytes.count
      guard EVP_PKEY_get_raw_public_key(key, &bytes, &count) == 1 else { return [] }
      return [("crv", "Ed25519"), ("kty", "OKP"), ("x", text(bytes))]
    }
  }

  /// The key's thumbprint (RFC 7638, SHA-256), a name for it that everybody finds alike.
  public var thumbprint: String {
    var writer = JSONWriter(reserving: 512)
    writer.beginObject()
    for member in members {
      writer.key(member.name)
      writer.string(member.value)
    }
    writer.endObject()
    var digest = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    let bytes = writer.bytes
    let result = EVP_Digest(bytes, bytes.count, &digest, &length, EVP_sha256(), nil)
    precondition(result == 1 && length == 32, "SHA-256 of memory does not fail")
    return String(decoding: Base64URL.encode(digest), as: UTF8.self)
  }

  /// The public key as a JWK set of one (RFC 7517, 5).
  public func publicKeySet(id: String, algorithm: TokenAlgorithm) -> [UInt8] {
    var writer = JSONWriter(reserving: 768)
    writer.object { writer in
      writer.array("keys") { writer in
        writer.object { writer in
          writer.field("kid", id)
          writer.field("alg", algorithm.rawValue)
          writer.field("use", "sig")
          for member in members {
            writer.key(member.name)
            writer.string(member.value)
          }
        }
      }
    }
    return writer.bytes
  }
}
