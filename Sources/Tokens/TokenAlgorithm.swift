import COpenSSL

/// The signature algorithms that are taken (RFC 7518, 3.1; RFC 8037, 3.1). `none` is not among them.
public enum TokenAlgorithm: String, Sendable, CaseIterable {
  case hs256 = "HS256"
  case rs256 = "RS256"
  case rs384 = "RS384"
  case rs512 = "RS512"
  case ps256 = "PS256"
  case ps384 = "PS384"
  case ps512 = "PS512"
  case es256 = "ES256"
  case es384 = "ES384"
  case es512 = "ES512"
  case edDSA = "EdDSA"

  /// The algorithm of this name in a token's or a key's `alg`.
  public init?(name: String) {
    // RFC 9864, 2.2: the same signature under a name that tells the curve.
    self.init(rawValue: name == "Ed25519" ? Self.edDSA.rawValue : name)
  }

  /// The hash that is signed; nil where the algorithm hashes by itself (RFC 8032).
  var digest: OpaquePointer? {
    switch self {
    case .hs256, .rs256, .ps256, .es256: EVP_sha256()
    case .rs384, .ps384, .es384: EVP_sha384()
    case .rs512, .ps512, .es512: EVP_sha512()
    case .edDSA: nil
    }
  }

  /// Whether the signature is RSASSA-PSS (RFC 7518, 3.5).
  var isProbabilistic: Bool { self == .ps256 || self == .ps384 || self == .ps512 }
}

/// What kind of key pair a key belongs to. Each kind goes with few algorithms, and a key with exactly one of them.
enum KeyKind: Equatable, Sendable {
  case rsa(bits: Int)
  case p256
  case p384
  case p521
  case ed25519

  /// RFC 7518, 3.3: a key of 2048 bits or larger. Beyond the upper bound a check costs more than it gives.
  static let bitsOfRSA = 2048...8192

  /// The algorithm of a key that names none.
  var defaultAlgorithm: TokenAlgorithm {
    switch self {
    case .rsa: .rs256
    case .p256: .es256
    case .p384: .es384
    case .p521: .es512
    case .ed25519: .edDSA
    }
  }

  func fits(_ algorithm: TokenAlgorithm) -> Bool {
    switch (self, algorithm) {
    case (.rsa, .rs256), (.rsa, .rs384), (.rsa, .rs512), (.rsa, .ps256), (.rsa, .ps384), (.rsa, .ps512): true
    case (.p256, .es256), (.p384, .es384), (.p521, .es512), (.ed25519, .edDSA): true
    default: false
    }
  }

  /// The bytes of one of the two numbers of an ECDSA signature (RFC 7518, 3.4); nil for other kinds.
  var coordinateBytes: Int? {
    switch self {
    case .p256: 32
    case .p384: 48
    case .p521: 66
    case .rsa, .ed25519: nil
    }
  }

  /// Which kind a key of OpenSSL's is; nil for all that are not taken.
  init?(of key: OpaquePointer) {
    switch EVP_PKEY_get_base_id(key) {
    case EVP_PKEY_RSA: self = .rsa(bits: Int(EVP_PKEY_get_bits(key)))
    case EVP_PKEY_ED25519: self = .ed25519
    case EVP_PKEY_EC:
      var name = [CChar](repeating: 0, count: 64)
      var length = 0
      guard EVP_PKEY_get_group_name(key, &name, name.count, &length) == 1 else { return nil }
      switch String(decoding: name.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self) {
      case "prime256v1", "P-256": self = .p256
      case "secp384r1", "P-384": self = .p384
      case "secp521r1", "P-521": self = .p521
      default: return nil
      }
    default: return nil
    }
  }
}

/// Why a key cannot be used; the description is the end of a sentence for the operator.
public enum KeyFailure: Error, Equatable, Sendable, CustomStringConvertible {
  case noKey
  /// Where a public key belongs.
  case privateKey
  /// Where a private key belongs.
  case noPrivateKey
  case encryptedPrivateKey
  case unsupported
  case weakRSA(bits: Int)
  case longRSA(bits: Int)
  case badExponent
  case wrongAlgorithm(TokenAlgorithm)
  /// In OpenSSL's words.
  case refused(String)

  public var description: String {
    switch self {
    case .noKey: "holds no public key in PEM"
    case .privateKey:
      "holds a private key, which the server must not have; `openssl pkey -in … -pubout` writes the public one"
    case .noPrivateKey: "holds no private key in PEM"
    case .encryptedPrivateKey: "holds a private key that is encrypted"
    case .unsupported: "holds a key of a kind that is not taken: RSA, P-256, P-384, P-521 and Ed25519 are"
    case .weakRSA(let bits): "holds an RSA key of \(bits) bits; \(KeyKind.bitsOfRSA.lowerBound) is the least"
    case .longRSA(let bits): "holds an RSA key of \(bits) bits; \(KeyKind.bitsOfRSA.upperBound) is the most"
    case .badExponent: "holds an RSA key with an exponent that is not taken"
    case .wrongAlgorithm(let algorithm): "holds a key that does not go with \(algorithm.rawValue)"
    case .refused(let reason): "holds a key that cannot be used: \(reason)"
    }
  }
}
