import Classroom
import JSON
import SignalingProtocol

/// Who somebody is by the token they show: a platform's, or one of the server's own.
public struct TokenAuthority: Sendable {
  private let settings: TokenSettings
  private let keys: KeyRing
  private let secret: TokenKey
  /// Signs the server's own tokens, and nothing else.
  private let ownKey: TokenKey

  /// The `typ` of the server's own tokens (RFC 8725, 3.11): no token of a platform is taken for one, nor the other way round.
  static let ownType = "rollcall+jwt"

  /// An authority that takes tokens signed with its secret alone.
  ///
  /// - Parameter secret: at least 32 bytes.
  public init(secret: [UInt8]) {
    self.init(secret: secret, settings: TokenSettings(), keys: KeyRing([VerificationKey(secret: TokenKey(secret))]))
  }

  /// An authority that takes tokens signed with these keys.
  ///
  /// - Parameter secret: what the server's own tokens are signed with, in its way; at least 32 bytes.
  public init(secret: [UInt8], settings: TokenSettings, keys: KeyRing) {
    self.settings = settings
    self.keys = keys
    self.secret = TokenKey(secret)
    ownKey = self.secret.derived(for: "rollcall own token 1")
  }

  /// 32 bytes that tell the id of the session that a user makes with an idempotency key: always the same, and nobody else
  /// can tell them.
  public func sessionCode(user: String, key: String) -> [UInt8] {
    // No token's signing input holds a zero byte; the length tells where the user ends.
    secret.sign(Array("session\0\(user.utf8.count):\(user)\(key)".utf8))
  }

  // MARK: Verifying

  /// A token that is good.
  public struct Verified: Sendable {
    public var identity: Identity
    /// Whether the server itself has issued it, and may issue a longer one for it.
    public var isOwn: Bool

    /// What a token has shown.
    public init(identity: Identity, isOwn: Bool) {
      self.identity = identity
      self.isOwn = isOwn
    }
  }

  /// Who the bearer of a token is.
  /// - Throws: `bad_token` or `token_expired`.
  public func verify(_ token: String, at now: Timestamp) throws(ProtocolError) -> Identity {
    do throws(TokenRefusal) {
      return try open(token, at: now).identity
    } catch {
      throw error.protocolError
    }
  }

  /// Who the bearer of a token is.
  ///
  /// - Parameter now: by the time of day, which is what those who issue tokens go by.
  public func open(_ token: String, at now: Timestamp) throws(TokenRefusal) -> Verified {
    let parsed = try JSONWebToken(token)
    if parsed.type == Self.ownType {
      guard parsed.algorithm == .hs256, ownKey.verify(parsed.signature, of: parsed.signingInput) else {
        throw TokenRefusal(.signature, "The token's signature is not valid.")
      }
      let isBounded = try JSONWebToken.read(parsed.payload) { $0["bounded"]?.boolean == true }
      return Verified(identity: try Self.identity(parsed.payload, TokenSettings(), nil, at: now), isOwn: !isBounded)
    }
    try checkType(parsed.type)
    let key = try signer(of: parsed)
    return Verified(identity: try Self.identity(parsed.payload, settings, key, at: now), isOwn: false)
  }

  /// RFC 8725, 3.11 and 3.12: a token for something else is none for this.
  private func checkType(_ type: String?) throws(TokenRefusal) {
    let isTaken: Bool
    if settings.types.isEmpty {
      isTaken = type == nil || type == "jwt" || type == "at+jwt"
    } else {
      isTaken = type.map(settings.types.contains) ?? false
    }
    guard isTaken else { throw TokenRefusal(.type, "The token is for something else (typ).") }
  }

  /// The key that has signed the token.
  private func signer(of token: JSONWebToken) throws(TokenRefusal) -> VerificationKey {
    guard token.keyID != nil || !settings.requiresKeyID else {
      throw TokenRefusal(.header, "The token does not name its key (kid).")
    }
    let candidates = keys.candidates(token.algorithm, id: token.keyID)
    guard !candidates.isEmpty else {
      throw TokenRefusal(
        .key,
        token.keyID == nil
          ? "There is no key here for the token's algorithm." : "The key that the token names (kid) is not known here.")
    }
    guard let key = candidates.first(where: { $0.verify(token.signature, of: token.signingInput) }) else {
      throw TokenRefusal(.signature, "The token's signature is not valid.")
    }
    return key
  }

  private static func identity(
    _ payload: [UInt8], _ settings: TokenSettings, _ key: VerificationKey?, at now: Timestamp
  ) throws(TokenRefusal) -> Identity {
    try JSONWebToken.read(payload) { view throws(TokenRefusal) in
      let claims = TokenClaims(settings: settings, view: view)
      let expiry = try claims.checkTimes(at: now)
      if let key {
        try claims.checkIssuer(of: key)
        try claims.checkAudience()
      }
      return try claims.identity(until: expiry)
    }
  }

  // MARK: Issuing

  /// A token of the server's own for somebody, good for whole seconds.
  ///
  /// - Parameter isBounded: whether it ends when somebody else has said, so that no longer one may be issued for it.
  public func issue(_ identity: Identity, isBounded: Bool = false, at now: Timestamp) -> String {
    let claims = TokenSigner.claims(of: identity, isBounded: isBounded, at: now)
    return JSONWebToken.signed(algorithm: .hs256, keyID: nil, type: Self.ownType, claims: claims) { ownKey.sign($0) }
  }
}

/// Signs tokens as a platform does: for `rollcall token`, and for tests.
public struct TokenSigner: ~Copyable {
  private enum Key: ~Copyable {
    case secret(TokenKey)
    case pair(PrivateKey)
  }

  private let key: Key
  public let algorithm: TokenAlgorithm
  /// The `kid` of the header.
  public var keyID: String?
  public var issuer: String?
  public var audience: String?

  /// Signs with a secret, by HS256.
  public init(secret: [UInt8]) {
    key = .secret(TokenKey(secret))
    algorithm = .hs256
  }

  /// Signs with a private key.
  ///
  /// - Parameter algorithm: nil for the one that keys of its kind are usually for.
  public init(_ key: consuming PrivateKey, algorithm: TokenAlgorithm?) throws(KeyFailure) {
    let algorithm = algorithm ?? key.defaultAlgorithm
    guard key.kind.fits(algorithm) else { throw .wrongAlgorithm(algorithm) }
    self.algorithm = algorithm
    self.key = .pair(key)
  }

  /// A token that gives its bearer this identity.
  public func sign(_ identity: Identity, at now: Timestamp) throws(KeyFailure) -> String {
    try sign(Self.claims(of: identity, issuer: issuer, audience: audience, at: now))
  }

  /// A token with these claims, a JSON object.
  public func sign(_ claims: [UInt8]) throws(KeyFailure) -> String {
    try JSONWebToken.signed(algorithm: algorithm, keyID: keyID, type: "JWT", claims: claims) {
      message throws(KeyFailure) in
      switch key {
      case .secret(let key): key.sign(message)
      case .pair(let pair): try pair.sign(message, by: algorithm)
      }
    }
  }

  static func claims(
    of identity: Identity, issuer: String? = nil, audience: String? = nil, isBounded: Bool = false, at now: Timestamp
  ) -> [UInt8] {
    var claims = JSONWriter(reserving: 256)
    claims.beginObject()
    if let issuer { claims.field("iss", issuer) }
    claims.field("sub", identity.user)
    if let audience { claims.field("aud", audience) }
    claims.field("name", identity.name)
    claims.field("role", identity.role.rawValue)
    if let session = identity.session { claims.field("session", session) }
    if identity.isGuest { claims.field("guest", true) }
    if isBounded { claims.field("bounded", true) }
    claims.field("iat", now.milliseconds / 1000)
    claims.field("exp", identity.expiresAt.milliseconds / 1000)
    claims.endObject()
    return claims.bytes
  }
}
