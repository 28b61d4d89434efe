import Classroom
import JSON
import SignalingProtocol

/// The claims of a token whose signature is good, as they are judged.
struct TokenClaims {
  let settings: TokenSettings
  let view: JSONView

  // MARK: Whether it counts

  /// RFC 7519, 4.1.4 to 4.1.6.
  /// - Returns: when the token stops being valid.
  func checkTimes(at now: Timestamp) throws(TokenRefusal) -> Timestamp {
    guard let expiry = view["exp"].flatMap(Self.numericDate) else {
      throw TokenRefusal(.claims, "The token has no expiry (exp).")
    }
    // "on or after which the JWT MUST NOT be accepted"
    guard now < expiry else { throw TokenRefusal(.expired, "The token has expired.") }
    let latest = now.advanced(byMilliseconds: settings.leewayMilliseconds)
    for name in ["nbf", "iat"] as [StaticString] {
      guard let claim = view[name] else { continue }
      guard let time = Self.numericDate(claim) else { throw TokenRefusal(.claims, "The token's \(name) is no time.") }
      guard time <= latest else { throw TokenRefusal(.notYetValid, "The token is not valid yet (\(name)).") }
    }
    return min(expiry, Self.latestExpiry)
  }

  /// The end of the year 9999: the last moment that can be written.
  private static let latestExpiry = Timestamp(milliseconds: 253_402_300_799_000)

  /// RFC 7519, section 2: seconds since 1970, possibly with a fraction.
  private static func numericDate(_ view: JSONView) -> Timestamp? {
    guard let seconds = view.double, seconds.isFinite, abs(seconds) < 1e13 else { return nil }
    return Timestamp(milliseconds: Int64(seconds * 1000))
  }

  /// RFC 7519, 4.1.1; RFC 8725, 3.8: the issuer is one of those that are taken, and the key is one of the issuer's.
  func checkIssuer(of key: VerificationKey) throws(TokenRefusal) {
    guard key.issuer != nil || !settings.issuers.isEmpty else { return }
    guard let issuer = view["iss"]?.string else { throw TokenRefusal(.issuer, "The token has no issuer (iss).") }
    guard key.issuer == nil || key.issuer == issuer, settings.issuers.isEmpty || settings.issuers.contains(issuer)
    else { throw TokenRefusal(.issuer, "The token is of an issuer who is not taken here, or not of this key's.") }
  }

  /// RFC 7519, 4.1.3; RFC 8725, 3.9.
  func checkAudience() throws(TokenRefusal) {
    guard !settings.audiences.isEmpty else { return }
    guard let claim = view["aud"] else { throw TokenRefusal(.audience, "The token has no audience (aud).") }
    let names = claim.kind == .array ? claim.elements.compactMap(\.string) : [claim.string].compactMap { $0 }
    guard names.contains(where: settings.audiences.contains) else {
      throw TokenRefusal(.audience, "The token is for another audience.")
    }
  }

  // MARK: Who it is

  /// The identity that the token gives its bearer.
  func identity(until expiry: Timestamp) throws(TokenRefusal) -> Identity {
    let user = try user()
    let isGuest = try flag(.guest)
    let role: Role = isGuest ? .participant : try flag(.admin) ? .admin : try role()
    let profile = profile()
    let name =
      PersonName.cleaned(text(.name) ?? profile?.fullName ?? "") ?? profile?.username ?? PersonName.cleaned(user) ?? "?"
    return Identity(
      user: user, name: name, role: role, session: try session(), isGuest: isGuest, expiresAt: expiry, profile: profile)
  }

  /// The claim and the name that it goes by; nil when the token has none, or `null`.
  private func claim(_ field: ClaimNames.Field) -> (name: String, value: JSONView)? {
    for name in settings.claims[field] {
      if let value = view[name], !value.isNull { return (name, value) }
    }
    return nil
  }

  private func text(_ field: ClaimNames.Field) -> String? { claim(field)?.value.string }

  private func user() throws(TokenRefusal) -> String {
    let names = settings.claims[.user].joined(separator: " or ")
    guard let (name, value) = claim(.user) else { throw TokenRefusal(.claims, "The token has no \(names).") }
    // RFC 7519, 4.1.2: a subject is a string. Platforms have ids of their own that are numbers.
    if name != "sub", let number = value.integer { return "\(number)" }
    guard let user = value.string, (1...ProtocolLimits.userBytes).contains(user.utf8.count),
      !user.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
    else {
      throw TokenRefusal(.claims, "The token's \(name) is no string of 1 to \(ProtocolLimits.userBytes) bytes.")
    }
    return user
  }

  private func flag(_ field: ClaimNames.Field) throws(TokenRefusal) -> Bool {
    guard let (name, value) = claim(field) else { return false }
    guard let flag = value.boolean else {
      throw TokenRefusal(.claims, "The token's \(name) is neither true nor false.")
    }
    return flag
  }

  private func role() throws(TokenRefusal) -> Role {
    guard let (name, value) = claim(.role) else { return .participant }
    let unknown = TokenRefusal(.claims, "The token has a role that does not exist (\(name)).")
    switch value.kind {
    case .string:
      guard let role = value.string.flatMap(settings.role(named:)) ?? settings.otherRole else { throw unknown }
      return role
    case .array:
      // Who has several roles at the platform may have some that mean nothing here.
      let known = value.elements.compactMap(\.string).compactMap(settings.role(named:))
      guard let role = Self.byRank.first(where: known.contains) ?? settings.otherRole else { throw unknown }
      return role
    default: throw unknown
    }
  }

  private static let byRank: [Role] = [.admin, .host, .cohost, .participant, .observer]

  private func session() throws(TokenRefusal) -> String? {
    guard let (name, value) = claim(.session) else { return nil }
    guard let id = value.string, SessionID.isValid(id) else {
      throw TokenRefusal(.claims, "The token has a session that is no session's id (\(name)).")
    }
    return id
  }

  /// What is shown of the person beside the name. Nobody is turned away for what cannot be shown.
  private func profile() -> Profile? {
    let email = text(.email).flatMap { text -> String? in
      let isUsable =
        (3...254).contains(text.utf8.count) && text.contains("@") && PersonName.cleaned(text, bytes: 254) == text
      return isUsable ? text : nil
    }
    let avatar = text(.avatar).flatMap { text -> String? in
      let isUsable =
        (text.hasPrefix("https://") || text.hasPrefix("http://")) && text.utf8.count <= 2048
        && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
      return isUsable ? text : nil
    }
    let profile = Profile(
      firstName: text(.firstName).flatMap { PersonName.cleaned($0) },
      lastName: text(.lastName).flatMap { PersonName.cleaned($0) },
      username: text(.username).flatMap { PersonName.cleaned($0) }, email: email, avatar: avatar)
    return profile.isEmpty ? nil : profile
  }
}
