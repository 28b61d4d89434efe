import Classroom
import JSON
import SignalingProtocol

/// JSON Web Tokens (RFC 7519) in the one form that is taken here: JWS compact, HS256, the algorithm bound to the key (RFC 8725, 3.1).
public struct TokenAuthority: Sendable {
  /// How far a token's `nbf` may lie ahead, for clocks that differ.
  static let leewayMilliseconds: Int64 = 30_000

  private let key: TokenKey

  /// An authority with this secret, of at least 32 bytes.
  public init(secret: [UInt8]) {
    key = TokenKey(secret)
  }

  /// The id of the session that a user makes with an idempotency key: always the same, and nobody else can tell it.
  func sessionID(user: String, key: String) -> String {
    // No token's signing input holds a zero byte; the length tells where the user ends.
    let code = self.key.sign(Array("session\0\(user.utf8.count):\(user)\(key)".utf8))
    return Identifiers.name(of: code.prefix(26))
  }

  // MARK: Verifying

  /// Who the bearer of a token is.
  /// - Throws: `bad_token` or `token_expired`.
  public func verify(_ token: String, at now: Timestamp) throws(ProtocolError) -> Identity {
    let text = Array(token.utf8)
    let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard text.count <= ProtocolLimits.tokenBytes, parts.count == 3, let header = Base64URL.decode(parts[0]),
      let payload = Base64URL.decode(parts[1]), let signature = Base64URL.decode(parts[2])
    else { throw Self.invalid("The token is not a JSON Web Token.") }
    try Self.checkHeader(header)
    guard key.verify(signature, of: Array(text[..<parts[1].endIndex])) else {
      throw Self.invalid("The token's signature is not valid.")
    }
    return try Self.identity(payload, at: now)
  }

  private static func invalid(_ sentence: String) -> ProtocolError { ProtocolError(.badToken, sentence) }

  private static func read<Value>(
    _ json: [UInt8], _ body: (JSONView) throws(ProtocolError) -> Value
  ) throws(ProtocolError) -> Value {
    var reader = JSONReader()
    return try reader.read(
      json, maximumDepth: ProtocolLimits.jsonDepth, failure: { _ in invalid("The token does not hold JSON.") }
    ) { view throws(ProtocolError) in
      guard view.kind == .object else { throw invalid("The token does not hold a JSON object.") }
      return try body(view)
    }
  }

  private static func checkHeader(_ header: [UInt8]) throws(ProtocolError) {
    try read(header) { view throws(ProtocolError) in
      // RFC 8725, 3.1 and 3.5: whatever else the header offers (none, jwk, jku, x5u) has no say.
      guard let algorithm = view["alg"], algorithm.equals("HS256") else {
        throw invalid("Only tokens with the algorithm HS256 are taken.")
      }
      // RFC 7515, 4.1.11: an extension that must be understood and is not.
      guard view["crit"] == nil else { throw invalid("The token needs an extension that is not known here.") }
    }
  }

  private static func identity(_ payload: [UInt8], at now: Timestamp) throws(ProtocolError) -> Identity {
    try read(payload) { view throws(ProtocolError) in
      guard let expiry = view["exp"].flatMap(numericDate) else { throw invalid("The token has no expiry (exp).") }
      // RFC 7519, 4.1.4: on or after the expiry it must not be accepted.
      guard now < expiry else { throw ProtocolError(.tokenExpired, "The token has expired.") }
      if let notBefore = view["nbf"] {
        guard let start = numericDate(notBefore), now.advanced(byMilliseconds: leewayMilliseconds) >= start else {
          throw invalid("The token is not valid yet.")
        }
      }
      guard let user = view["sub"]?.string, (1...ProtocolLimits.userBytes).contains(user.utf8.count) else {
        throw invalid("The token has no subject (sub) of 1 to 128 bytes.")
      }
      var role = Role.participant
      if let claim = view["role"] {
        guard let known = claim.string.flatMap(Role.init(rawValue:)) else {
          throw invalid("The token has a role that does not exist.")
        }
        role = known
      }
      var session: String?
      if let claim = view["session"], !claim.isNull {
        guard let id = claim.string, SessionID.isValid(id) else {
          throw invalid("The token has a session that is no session's id.")
        }
        session = id
      }
      let name = view["name"]?.string ?? user
      let isGuest = view["guest"]?.boolean ?? false
      return Identity(
        user: user, name: shortened(name.isEmpty ? user : name), role: isGuest ? .participant : role,
        session: session, isGuest: isGuest, expiresAt: expiry)
    }
  }

  /// RFC 7519, section 2: seconds since 1970, possibly with a fraction.
  private static func numericDate(_ view: JSONView) -> Timestamp? {
    guard let seconds = view.double, seconds.isFinite, abs(seconds) < 1e13 else { return nil }
    return Timestamp(milliseconds: Int64(seconds * 1000))
  }

  private static func shortened(_ name: String) -> String {
    var name = name
    // By scalars: one visible character can be longer than a name may be, and would leave none.
    while name.utf8.count > ProtocolLimits.nameBytes { name.unicodeScalars.removeLast() }
    return name
  }

  // MARK: Issuing

  /// A token for somebody.
  public func issue(_ identity: Identity, at now: Timestamp) -> String {
    var claims = JSONWriter(reserving: 256)
    claims.beginObject()
    claims.field("sub", identity.user)
    claims.field("name", identity.name)
    claims.field("role", identity.role.rawValue)
    if let session = identity.session { claims.field("session", session) }
    if identity.isGuest { claims.field("guest", true) }
    claims.field("iat", now.milliseconds / 1000)
    claims.field("exp", identity.expiresAt.milliseconds / 1000)
    claims.endObject()
    var token = Base64URL.encode(Array(#"{"alg":"HS256","typ":"JWT"}"#.utf8))
    token.append(UInt8(ascii: "."))
    token += Base64URL.encode(claims.bytes)
    let signature = key.sign(token)
    token.append(UInt8(ascii: "."))
    token += Base64URL.encode(signature)
    return String(decoding: token, as: UTF8.self)
  }
}
