/// Who somebody is, as a verified token, ticket or guest greeting says.
public struct Identity: Hashable, Sendable {
  /// The `sub` of the token.
  public var user: String
  /// The name to show.
  public var name: String
  /// The role the token grants: in ``session`` when that is set, else on the whole server.
  public var role: Role
  /// The only session this identity is for, or nil.
  public var session: String?
  /// Whether this is somebody without an account.
  public var isGuest: Bool
  /// When the token stops being valid.
  public var expiresAt: Timestamp
  /// What else the token tells of the person.
  public var profile: Profile?

  /// An identity with these facts.
  public init(
    user: String, name: String, role: Role, session: String?, isGuest: Bool, expiresAt: Timestamp,
    profile: Profile? = nil
  ) {
    self.user = user
    self.name = name
    self.role = role
    self.session = session
    self.isGuest = isGuest
    self.expiresAt = expiresAt
    self.profile = profile
  }

  /// Whether this identity may create sessions: a host or admin of the whole server.
  public var mayCreateSessions: Bool {
    session == nil && !isGuest && (role == .host || role == .admin)
  }

  /// Whether this identity may ask a host for a session: anybody with an account.
  public var mayProposeSessions: Bool { session == nil && !isGuest }

  /// Whether this identity manages every session.
  public var isAdministrator: Bool { session == nil && !isGuest && role == .admin }
}
