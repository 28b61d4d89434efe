import ArgumentParser
import Classroom
import SignalingProtocol
import SignalingServer
import Tokens

/// Which tokens of a platform are taken, and what they say.
struct TokenOptions: ParsableArguments {
  @Option(
    name: .customLong("token-key"),
    help: ArgumentHelp(
      """
      A file in PEM with the public key of those who issue tokens (or a certificate), instead of a secret that both sides \
      have; may be given several times. It checks the one algorithm that is named, or RS256, ES256 (by its curve ES384, \
      ES512) or EdDSA by its kind; tokens that name another kid are not checked with it; with `iss`, only tokens of that \
      issuer are. The file is read anew when it changes.
      """, valueName: "file[,kid=…][,alg=…][,iss=…]"))
  var keyFiles: [KeyFileOption] = []

  @Option(
    name: .customLong("jwks"),
    help: ArgumentHelp(
      """
      A JWK set with the public keys of those who issue tokens: a file, or an https address; may be given several times. \
      A key that appears there counts from the next reading on, one that is gone counts no more. What cannot be read leaves \
      the keys that there were.
      """, valueName: "file-or-address[,iss=…]"))
  var keySets: [KeySetOption] = []

  @Option(
    name: .customLong("jwks-interval"),
    help: """
      How often the sets at addresses are fetched; besides, a token whose key is not known has them fetched, at most every \
      10 seconds.
      """)
  var refreshInterval = TimeSpan(milliseconds: 300_000)

  @Option(
    name: .customLong("jwks-ca"),
    help: "A file with the certificates of the authorities to be trusted for those addresses. Default: the system's.")
  var authorityFile: String?

  /// For tests, which have no certificate that others trust.
  @Flag(name: .customLong("jwks-plain-loopback"), help: .hidden)
  var permitsPlainLoopback = false

  @Option(
    name: .customLong("token-issuer"),
    help: "Who may have issued a token (iss); may be given several times. Default: whoever has a key.")
  var issuers: [String] = []

  @Option(
    name: .customLong("token-audience"),
    help: "For whom a token must be (aud), one of them; may be given several times. Default: it does not matter.")
  var audiences: [String] = []

  @Option(
    name: .customLong("token-type"),
    help: """
      What a token must be (typ), one of them; may be given several times. Default: JWT, at+jwt, or not said.
      """)
  var types: [String] = []

  @Flag(name: .customLong("token-kid"), help: "Take only tokens that name their key (kid).")
  var requiresKeyID = false

  @Option(
    name: .customLong("token-leeway"),
    help: "How far a token's nbf and iat may lie ahead, for clocks that differ: at most 60s. Its exp is exact.")
  var leeway = TimeSpan(milliseconds: 30_000)

  @Option(
    name: .customLong("token-warning"),
    help: "How long before its token expires a socket is told so, that it may renew it; 0 tells nobody.")
  var warning = TimeSpan(milliseconds: ProtocolLimits.tokenWarningMilliseconds)

  @Option(
    name: .customLong("guest-token-ttl"),
    help: "How long somebody without an account can stay away and still be the same guest.")
  var guestLifetime = TimeSpan(milliseconds: 12 * 3_600_000)

  @Option(
    name: .customLong("claim"),
    help: ArgumentHelp(
      """
      What the tokens call something, for example `user=user_id` (which may be an integer), `admin=is_staff` (true for \
      those who manage everything) or `avatar=picture,photo` (the first that there is); may be given several times. \
      Known: user, name, role, session, guest, admin, first_name, last_name, username, email, avatar.
      """, valueName: "what=claim"))
  var claims: [ClaimOption] = []

  @Option(
    name: .customLong("token-role"),
    help: ArgumentHelp(
      """
      What a role of the platform is here, for example `teacher=host`; may be given several times. `*=participant` says \
      what all others are. Known: host, cohost, participant, observer, admin.
      """, valueName: "theirs=ours"))
  var roles: [RoleOption] = []

  func validate() throws {
    guard (0...TokenSettings.maximumLeeway).contains(leeway.milliseconds) else {
      throw ValidationError("--token-leeway takes at most 60s.")
    }
    guard (0...3_600_000).contains(warning.milliseconds) else {
      throw ValidationError("--token-warning takes at most 1h.")
    }
    guard (1000...86_400_000 * 366).contains(guestLifetime.milliseconds) else {
      throw ValidationError("--guest-token-ttl takes 1s to 366d.")
    }
    guard (1000...86_400_000).contains(refreshInterval.milliseconds) else {
      throw ValidationError("--jwks-interval takes 1s to 1d.")
    }
  }

  /// - Parameter namesSecret: whether the operator has named the secret that tokens are signed with.
  func apply(to configuration: inout ServerConfiguration, namesSecret: Bool) {
    configuration.tokenKeys.sources = keyFiles.map(\.source) + keySets.map(\.source)
    configuration.tokenKeys.takesSecret = namesSecret || configuration.tokenKeys.sources.isEmpty
    configuration.tokenKeys.refreshMilliseconds = refreshInterval.milliseconds
    configuration.tokenKeys.authorityFile = authorityFile
    configuration.tokenKeys.permitsPlainLoopback = permitsPlainLoopback
    configuration.tokens.issuers = issuers
    configuration.tokens.audiences = audiences
    configuration.tokens.types = types.map { $0.lowercased() }
    configuration.tokens.requiresKeyID = requiresKeyID
    configuration.tokens.leewayMilliseconds = leeway.milliseconds
    configuration.tokenWarningMilliseconds = warning.milliseconds
    configuration.guestTokenMilliseconds = guestLifetime.milliseconds
    for claim in claims { configuration.tokens.claims[claim.field] = claim.names }
    for role in roles {
      if role.name == "*" {
        configuration.tokens.otherRole = role.role
      } else {
        configuration.tokens.roles[role.name] = role.role
      }
    }
  }
}

/// A place, and what is said of it behind commas.
private struct Annotated {
  var place: String
  var notes: [String: String] = [:]

  init?(_ text: String, names: [String]) {
    var parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    // From the end, so that commas may be in the place itself.
    while let last = parts.last, parts.count > 1, let name = names.first(where: { last.hasPrefix("\($0)=") }) {
      let value = String(last.dropFirst(name.utf8.count + 1))
      guard !value.isEmpty, notes[name] == nil else { return nil }
      notes[name] = value
      parts.removeLast()
    }
    place = parts.joined(separator: ",")
    guard !place.isEmpty else { return nil }
  }
}

/// A file with public keys, `FILE[,kid=…][,alg=…][,iss=…]`.
struct KeyFileOption: ExpressibleByArgument {
  var source: KeySource

  init?(argument: String) {
    guard let text = Annotated(argument, names: ["kid", "alg", "iss"]) else { return nil }
    var algorithm: TokenAlgorithm?
    if let name = text.notes["alg"] {
      guard let known = TokenAlgorithm(name: name), known != .hs256 else { return nil }
      algorithm = known
    }
    source = KeySource(
      .pem(path: text.place, algorithm: algorithm, id: text.notes["kid"]), issuer: text.notes["iss"])
  }
}

/// A JWK set, `FILE[,iss=…]` or `https://…[,iss=…]`.
struct KeySetOption: ExpressibleByArgument {
  var source: KeySource

  init?(argument: String) {
    guard let text = Annotated(argument, names: ["iss"]) else { return nil }
    let form: KeySource.Form = text.place.contains("://") ? .address(text.place) : .set(path: text.place)
    source = KeySource(form, issuer: text.notes["iss"])
  }
}

/// What tokens call something, `WHAT=CLAIM[,CLAIM]`.
struct ClaimOption: ExpressibleByArgument {
  var field: ClaimNames.Field
  var names: [String]

  init?(argument: String) {
    guard let equals = argument.firstIndex(of: "="), let field = ClaimNames.Field(rawValue: String(argument[..<equals]))
    else { return nil }
    names = argument[argument.index(after: equals)...].split(separator: ",").map(String.init)
    guard !names.isEmpty else { return nil }
    self.field = field
  }
}

/// What a role of the platform is here, `THEIRS=OURS`.
struct RoleOption: ExpressibleByArgument {
  var name: String
  var role: Role

  init?(argument: String) {
    // Their name for it may hold an equals sign, ours does not.
    guard let equals = argument.lastIndex(of: "="), equals != argument.startIndex,
      let role = Role(rawValue: String(argument[argument.index(after: equals)...]))
    else { return nil }
    name = String(argument[..<equals])
    self.role = role
  }
}

extension TokenAlgorithm: ExpressibleByArgument {
  public init?(argument: String) { self.init(name: argument) }
}
