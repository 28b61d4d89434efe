import COpenSSL
import OpenSSLSupport

/// A public key that checks signatures.
///
/// `@unchecked Sendable`: OpenSSL counts references to an `EVP_PKEY` atomically, and nothing changes it once it is made.
final class PublicKey: @unchecked Sendable {
  let kind: KeyKind
  private let key: OpaquePointer

  /// Takes a key over, also when it is refused.
  private init(owning key: OpaquePointer) throws(KeyFailure) {
    self.key = key
    do throws(KeyFailure) {
      kind = try Self.judge(key)
    } catch {
      EVP_PKEY_free(key)
      throw error
    }
  }

  deinit { EVP_PKEY_free(key) }

  private static func judge(_ key: OpaquePointer) throws(KeyFailure) -> KeyKind {
    guard let kind = KeyKind(of: key) else { throw .unsupported }
    if case .rsa(let bits) = kind {
      guard bits >= KeyKind.bitsOfRSA.lowerBound else { throw .weakRSA(bits: bits) }
      guard bits <= KeyKind.bitsOfRSA.upperBound else { throw .longRSA(bits: bits) }
      var exponent: OpaquePointer?
      guard EVP_PKEY_get_bn_param(key, "e", &exponent) == 1 else { throw .refused(OpenSSLErrors.takeReason()) }
      defer { BN_free(exponent) }
      // With an exponent of 1 anything is its own signature; a long one makes every check dear.
      guard BN_is_odd(exponent) == 1, BN_is_one(exponent) == 0, BN_num_bits(exponent) <= 64 else { throw .badExponent }
    }
    guard let context = EVP_PKEY_CTX_new_from_pkey(nil, key, nil) else { throw .refused(OpenSSLErrors.takeReason()) }
    defer { EVP_PKEY_CTX_free(context) }
    guard EVP_PKEY_public_check(context) == 1 else { throw .refused(OpenSSLErrors.takeReason()) }
    return kind
  }

  // MARK: Making

  /// The public keys of a PEM text, in order: `PUBLIC KEY`, `RSA PUBLIC KEY` and `CERTIFICATE`, of which the key counts.
  static func keys(pem: [UInt8]) throws(KeyFailure) -> [PublicKey] {
    OpenSSLErrors.clear()
    defer { OpenSSLErrors.clear() }
    let text = String(decoding: pem, as: UTF8.self)
    guard !text.contains("PRIVATE KEY-----") else { throw .privateKey }
    guard let bio = BIO_new_mem_buf(pem, Int32(clamping: pem.count)) else { throw .noKey }
    defer { BIO_free(bio) }
    var found: [PublicKey] = []
    if text.contains("-----BEGIN CERTIFICATE-----") {
      while let certificate = PEM_read_bio_X509(bio, nil, { _, _, _, _ in -1 }, nil) {
        defer { X509_free(certificate) }
        guard let key = X509_get_pubkey(certificate) else { throw .refused(OpenSSLErrors.takeReason()) }
        found.append(try PublicKey(owning: key))
        // The certificates behind the first are those of its issuers.
        break
      }
    } else {
      while let key = PEM_read_bio_PUBKEY(bio, nil, { _, _, _, _ in -1 }, nil) {
        found.append(try PublicKey(owning: key))
      }
    }
    guard !found.isEmpty else { throw .noKey }
    return found
  }

  /// An RSA key of its numbers (RFC 7518, 6.3.1).
  static func rsa(modulus: [UInt8], exponent: [UInt8]) throws(KeyFailure) -> PublicKey {
    guard modulus.count <= KeyKind.bitsOfRSA.upperBound / 8 + 1 else { throw .longRSA(bits: modulus.count * 8) }
    guard exponent.count <= 9, let n = BN_bin2bn(modulus, Int32(modulus.count), nil) else { throw .badExponent }
    defer { BN_free(n) }
    guard let e = BN_bin2bn(exponent, Int32(exponent.count), nil) else { throw .badExponent }
    defer { BN_free(e) }
    return try made { copenssl_rsa_key(n, e) }
  }

  /// A key on a NIST curve of its coordinates (RFC 7518, 6.2.1). Both have the full length; the point must be on the curve.
  static func ellipticCurve(_ kind: KeyKind, x: [UInt8], y: [UInt8]) throws(KeyFailure) -> PublicKey {
    let group =
      switch kind {
      case .p256: "P-256"
      case .p384: "P-384"
      default: "P-521"
      }
    guard let size = kind.coordinateBytes, x.count == size, y.count == size else { throw .refused("wrong length") }
    let point = [4] + x + y
    return try made { copenssl_ec_key(group, point, point.count) }
  }

  /// A key on edwards25519 (RFC 8037, 2).
  static func ed25519(_ bytes: [UInt8]) throws(KeyFailure) -> PublicKey {
    guard bytes.count == 32, let key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, bytes.count) else {
      throw .refused("wrong length")
    }
    return try PublicKey(owning: key)
  }

  private static func made(_ make: () -> OpaquePointer?) throws(KeyFailure) -> PublicKey {
    OpenSSLErrors.clear()
    defer { OpenSSLErrors.clear() }
    guard let key = make() else { throw .refused(OpenSSLErrors.takeReason()) }
    return try PublicKey(owning: key)
  }

  // MARK: Checking

  /// Whether the signature is that of the message. The algorithm must be one that goes with the key.
  func verify(_ signature: [UInt8], of message: [UInt8], by algorithm: TokenAlgorithm) -> Bool {
    guard kind.fits(algorithm), let signature = encoded(signature) else { return false }
    OpenSSLErrors.clear()
    defer { OpenSSLErrors.clear() }
    guard let context = EVP_MD_CTX_new() else { return false }
    defer { EVP_MD_CTX_free(context) }
    var keyContext: OpaquePointer?
    guard EVP_DigestVerifyInit(context, &keyContext, algorithm.digest, nil, key) == 1 else { return false }
    if algorithm.isProbabilistic {
      // RFC 7518, 3.5: the salt is as long as the hash.
      guard EVP_PKEY_CTX_set_rsa_padding(keyContext, RSA_PKCS1_PSS_PADDING) == 1,
        EVP_PKEY_CTX_set_rsa_pss_saltlen(keyContext, RSA_PSS_SALTLEN_DIGEST) == 1
      else { return false }
    }
    return EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
  }

  /// The signature as OpenSSL wants it; nil when it has not the length that it must have.
  private func encoded(_ signature: [UInt8]) -> [UInt8]? {
    guard let size = kind.coordinateBytes else { return signature }
    // RFC 7518, 3.4: R and S, each with its full length, and never ASN.1.
    guard signature.count == 2 * size else { return nil }
    return ECDSASignature.der(Array(signature[..<size]), Array(signature[size...]))
  }
}

/// The two forms of an ECDSA signature: the numbers R and S one behind the other (JWS), and ASN.1 (OpenSSL).
enum ECDSASignature {
  /// ASN.1 of the numbers.
  static func der(_ r: [UInt8], _ s: [UInt8]) -> [UInt8]? {
    guard let signature = ECDSA_SIG_new() else { return nil }
    defer { ECDSA_SIG_free(signature) }
    guard let first = BN_bin2bn(r, Int32(r.count), nil) else { return nil }
    guard let second = BN_bin2bn(s, Int32(s.count), nil) else {
      BN_free(first)
      return nil
    }
    guard ECDSA_SIG_set0(signature, first, second) == 1 else {
      BN_free(first)
      BN_free(second)
      return nil
    }
    let count = i2d_ECDSA_SIG(signature, nil)
    guard count > 0 else { return nil }
    var bytes = [UInt8](repeating: 0, count: Int(count))
    let written = bytes.withUnsafeMutableBufferPointer { buffer in
      var position = buffer.baseAddress
      return i2d_ECDSA_SIG(signature, &position)
    }
    return written == count ? bytes : nil
  }

  /// The numbers of ASN.1, each with `size` bytes.
  static func numbers(_ der: [UInt8], size: Int) -> [UInt8]? {
    let signature = der.withUnsafeBufferPointer { buffer in
      var position = buffer.baseAddress
      return d2i_ECDSA_SIG(nil, &position, buffer.count)
    }
    guard let signature else { return nil }
    defer { ECDSA_SIG_free(signature) }
    var r = [UInt8](repeating: 0, count: size)
    var s = [UInt8](repeating: 0, count: size)
    guard BN_bn2binpad(ECDSA_SIG_get0_r(signature), &r, Int32(size)) == size,
      BN_bn2binpad(ECDSA_SIG_get0_s(signature), &s, Int32(size)) == size
    else { return nil }
    return r + s
  }
}
