import Classroom

/// Which tokens of a platform are taken, and what their claims are called.
public struct TokenSettings: Sendable {
  /// Who may have issued a token (`iss`); empty takes everybody who has a key.
  public var issuers: [String] = []
  /// For whom a token may be (`aud`), one of them; empty does not ask.
  public var audiences: [String] = []
  /// What a token may be (`typ`), in lower case; empty takes `JWT`, `at+jwt` (RFC 9068) and those that do not say.
  public var types: [String] = []
  /// Whether a token must name its key (`kid`).
  public var requiresKeyID = false
  /// How far the clocks of those who issue tokens may be from ours, in milliseconds: 0 to ``maximumLeeway``. So far may
  /// `nbf` and `iat` lie ahead. `exp` is exact: who comes too late gets another token.
  public var leewayMilliseconds: Int64 = 30_000
  public var claims = ClaimNames()
  /// What the platform's names for roles mean here, beside our own.
  public var roles: [String: Role] = [:]
  /// What a name means that is not known; nil refuses the token.
  public var otherRole: Role?

  /// The most leeway, in milliseconds.
  public static let maximumLeeway: Int64 = 60_000

  /// The defaults.
  public init() {}

  /// What a value of the claim `role` means.
  func role(named name: String) -> Role? { roles[name] ?? Role(rawValue: name) }
}

/// What the claims are called that say who somebody is. Of several names, the first that a token has counts.
public struct ClaimNames: Sendable, Equatable {
  /// What is read from a token.
  public enum Field: String, Sendable, CaseIterable {
    /// The id of the user. By another name than `sub` it may be an integer.
    case user
    case name
    case role
    /// The only session that the token is for.
    case session
    /// Whether this is somebody without an account.
    case guest
    /// Whether the user manages all sessions; has no name unless it is given one.
    case admin
    case firstName = "first_name"
    case lastName = "last_name"
    case username
    case email
    case avatar
  }

  private var names: [Field: [String]] = [
    .user: ["sub"], .name: ["name"], .role: ["role"], .session: ["session"], .guest: ["guest"], .admin: [],
    .firstName: ["first_name", "given_name"], .lastName: ["last_name", "family_name"],
    .username: ["username", "preferred_username"], .email: ["email"], .avatar: ["avatar", "picture"],
  ]

  /// Our own names, and those of OpenID Connect.
  public init() {}

  /// The names of a claim.
  public subscript(field: Field) -> [String] {
    get { names[field] ?? [] }
    set { names[field] = newValue }
  }
}
