import EventLoop

/// Everything that an operator sets, as it was said; ``configured()`` makes of it what a server runs by.
public struct ServerSettings: Sendable {
  /// What is set by itself. The secret is empty, and 0 loops are one for each core.
  public internal(set) var configuration = ServerConfiguration(dataFolder: "rollcall-data", secret: [], loops: 0)
  /// The file of the secret that signs tokens; nil: `secret` in the data folder.
  public internal(set) var secretFile: String?
  /// The secret itself.
  public internal(set) var secret: String?
  /// The file of the secret that is shared with the TURN server.
  public internal(set) var turnSecretFile: String?
  /// That secret itself.
  public internal(set) var turnSecret: String?
  /// Whether a class for trying things is made.
  public internal(set) var makesDemo = false
  /// Where the public keys come from that check the platform's tokens: files, and sets.
  var keyFiles: [KeySource] = []
  var keySets: [KeySource] = []
  /// What the platform's tokens call things.
  var claims: [ClaimNaming] = []
  var roles: [RoleNaming] = []
  /// The folder of the tz database.
  var zoneFolder = TimeZoneFolder.defaultPath
  var certificateFile: String?
  var keyFile: String?
  var isSelfSigned = false
  var strictTransportSecurityMilliseconds: Int64?
  var metricsPort: Int64?
  var metricsHost = "127.0.0.1"

  /// The defaults.
  public init() {}

  /// What contradicts something else: each a setting and a sentence.
  var contradictions: [(setting: String, sentence: String)] {
    var found: [(setting: String, sentence: String)] = []
    if (certificateFile == nil) != (keyFile == nil) {
      found.append(("tls-cert", "tls-cert and tls-key go together"))
    }
    if isSelfSigned, certificateFile != nil { found.append(("tls-self-signed", "tls-self-signed takes no tls-cert")) }
    if strictTransportSecurityMilliseconds != nil, source == nil { found.append(("hsts", "hsts needs TLS")) }
    if secretFile != nil, secret != nil { found.append(("secret", "secret-file and secret exclude each other")) }
    if turnSecretFile != nil, turnSecret != nil {
      found.append(("turn-secret", "turn-secret-file and turn-secret exclude each other"))
    }
    let hasTurnSecret = turnSecretFile != nil || turnSecret != nil
    if hasTurnSecret, configuration.calls.turnURLs.isEmpty {
      found.append(("turn-url", "a secret for TURN needs a turn-url"))
    }
    if !hasTurnSecret, !configuration.calls.turnURLs.isEmpty {
      found.append(("turn-url", "turn-url needs the secret of the TURN server: turn-secret-file"))
    }
    if configuration.calls.isRelayOnly, configuration.calls.turnURLs.isEmpty {
      found.append(("ice-transport-policy", "ice-transport-policy relay needs a turn-url"))
    }
    return found
  }

  private var source: TLSSource? {
    if isSelfSigned { return .selfSigned }
    guard let certificateFile, let keyFile else { return nil }
    return .files(certificate: certificateFile, key: keyFile)
  }

  /// The configuration with everything that follows from several settings, but without secrets, which are read elsewhere.
  public func configured() -> ServerConfiguration {
    var configuration = configuration
    configuration.tls = source
    configuration.strictTransportSecurity = strictTransportSecurityMilliseconds.map { "max-age=\($0 / 1000)" }
    configuration.tokenKeys.sources = keyFiles + keySets
    // Beside public keys, a secret that nobody has named signs only what the server itself hands out.
    configuration.tokenKeys.takesSecret = secretFile != nil || secret != nil || configuration.tokenKeys.sources.isEmpty
    for claim in claims { configuration.tokens.claims[claim.field] = claim.names }
    for role in roles {
      if role.name == "*" {
        configuration.tokens.otherRole = role.role
      } else {
        configuration.tokens.roles[role.name] = role.role
      }
    }
    configuration.shard.rules.zones = TimeZoneFolder(path: zoneFolder)
    configuration.metricsAddress = metricsPort.map { (metricsHost, UInt16(clamping: $0)) }
    return configuration
  }
}
