/// A key that checks tokens, bound to the one algorithm that it is for (RFC 8725, 3.1), and to an issuer if it is known
/// whose it is (RFC 8725, 3.8).
public struct VerificationKey: Sendable {
  enum Material: Sendable {
    case secret(TokenKey)
    case publicKey(PublicKey)
  }

  /// The name by which tokens ask for it (`kid`); a key without one is tried for all of its algorithm.
  public var id: String?
  /// Whose tokens it checks; nil for everybody's who is taken.
  public var issuer: String?
  public let algorithm: TokenAlgorithm
  let material: Material

  /// A secret, for HS256.
  public init(secret: TokenKey) {
    algorithm = .hs256
    material = .secret(secret)
  }

  init(_ key: PublicKey, algorithm: TokenAlgorithm?, id: String?, issuer: String?) throws(KeyFailure) {
    if let algorithm, !key.kind.fits(algorithm) { throw .wrongAlgorithm(algorithm) }
    self.id = id
    self.issuer = issuer
    self.algorithm = algorithm ?? key.kind.defaultAlgorithm
    material = .publicKey(key)
  }

  /// The keys of a PEM text.
  ///
  /// - Parameter algorithm: what they are for; nil takes what their kind is usually for (RSA: RS256).
  public static func keys(
    pem: [UInt8], algorithm: TokenAlgorithm? = nil, id: String? = nil, issuer: String? = nil
  ) throws(KeyFailure) -> [VerificationKey] {
    var keys: [VerificationKey] = []
    for key in try PublicKey.keys(pem: pem) {
      keys.append(try VerificationKey(key, algorithm: algorithm, id: id, issuer: issuer))
    }
    return keys
  }

  func verify(_ signature: [UInt8], of message: [UInt8]) -> Bool {
    switch material {
    case .secret(let key): key.verify(signature, of: message)
    case .publicKey(let key): key.verify(signature, of: message, by: algorithm)
    }
  }
}
