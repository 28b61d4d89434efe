import Classroom
import EventLoop
import Persistence
import Tokens

/// Every setting: the one table of them. Options, variables, file, help and the example follow from it.
public enum SettingTable {
  /// All, by group.
  public static let all: [Setting] =
    server + data + tls + tokens + browsers + classes + calls + operators + limits + trial

  /// The setting of that name.
  public static subscript(name: String) -> Setting? { byName[name] }

  private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

  private static let server: [Setting] = [
    .text("host", in: .server, "HOST", \.configuration.host, "The name or address to listen on."),
    Setting(
      "port", in: .server, .integer(0...65535, "PORT"), "The port to listen on; 0 lets the system choose.",
      read: { .integer(Int64($0.configuration.port)) }
    ) { value, settings in
      if case .integer(let port) = value { settings.configuration.port = UInt16(clamping: port) }
      return nil
    },
    Setting(
      "loops", in: .server, .integer(1...Int64(ServerConfiguration.maximumLoops), "N"),
      "How many event loops run, each a thread with its own rooms.",
      read: { $0.configuration.loops > 0 ? .integer(Int64($0.configuration.loops)) : nil }
    ) { value, settings in
      if case .integer(let loops) = value { settings.configuration.loops = Int(clamping: loops) }
      return nil
    }.otherwise("one for each core"),
    .parsed(
      "public-url", in: .server, "URL", \.configuration.publicAddress, text: \.url,
      expectation: "takes an address such as https://class.example.org", parse: { PublicAddress($0) },
      """
      Where clients reach the server when a proxy stands before it, such as https://class.example.org. Answers that name the \
      WebSocket name it there, and its pages may open it.
      """
    ).otherwise("the Host of each request"),
  ]

  private static let data: [Setting] = [
    .text(
      "data", in: .data, "FOLDER", \.configuration.dataFolder,
      "The folder of everything that is to survive; made when there is none."),
    .choice(
      "durability", in: .data, \.configuration.durability,
      """
      When what happened may be shown. `strict`: when it is on the disk. `relaxed`: when the system has it; a crash of the \
      server still loses nothing, a power failure may take the last 200 ms, and then every client loads everything anew.
      """),
    .time(
      "keep", in: .data, 3_600_000...TimeText.maximum, \.configuration.keepMilliseconds,
      "How long a session is kept after its end, with chat and attendance; for example 400d."
    ).otherwise("for ever"),
    // The tests of faults have snapshots taken, and sessions moved to the history, as soon as they need it.
    .integer(
      "snapshot-bytes", in: .data, 1...1 << 40, counting: "BYTES", \.configuration.snapshotBytes,
      "A snapshot is taken when so many bytes were journaled since the last."
    ).hidden(),
    .time(
      "snapshot-interval", in: .data, 1...TimeText.maximum, \.configuration.snapshotIntervalMilliseconds,
      "A snapshot is taken when so much time went by and something was journaled."
    ).hidden(),
    Setting(
      "archive-after", in: .data, .duration(0...TimeText.maximum),
      "How long after its end a session that nobody is in moves to the history, out of memory.",
      read: { .integer($0.configuration.shard.archiveAfterMilliseconds) }
    ) { value, settings in
      if case .integer(let time) = value {
        settings.configuration.shard.archiveAfterMilliseconds = time
        settings.configuration.shard.archiveIdleMilliseconds = time
      }
      return nil
    }.hidden(),
  ]

  private static let tls: [Setting] = [
    .text(
      "tls-cert", in: .tls, "FILE", \.certificateFile,
      "Speak TLS (https and wss) with the certificate in this file. PEM, with the chain behind it; SIGHUP reads it anew."
    ),
    .text("tls-key", in: .tls, "FILE", \.keyFile, "The file with the certificate's private key. PEM, not encrypted."),
    .flag(
      "tls-self-signed", in: .tls, \.isSelfSigned,
      """
      Speak TLS with a certificate of the server's own making, for a local network. Browsers ask before they trust it. It is \
      kept in the data folder as `self-signed.crt`, and made anew before it expires or when the machine has another address.
      """),
    .time(
      "hsts", in: .tls, 1000...TimeText.maximum, \.strictTransportSecurityMilliseconds,
      """
      Tell browsers to use nothing but https for so long, for example 365d (Strict-Transport-Security). It counts for every \
      port of the host name, so it is not said by default.
      """
    ).otherwise("nothing is said"),
  ]

  private static let tokens: [Setting] = [
    .text(
      "secret-file", in: .tokens, "FILE", \.secretFile,
      """
      The file with the secret that signs tokens, at least 32 bytes. The default's is made when there is none; beside token-key \
      or jwks, that one signs only what the server itself hands out.
      """
    ).otherwise("`secret` in the data folder"),
    .text(
      "secret", in: .tokens, "SECRET", \.secret,
      "The secret that signs tokens, at least 32 bytes: only in the environment, never an option or in this file."
    ).secret().otherwise("that of secret-file"),
    .list(
      "token-key", in: .tokens, "FILE[,kid=…][,alg=…][,iss=…]", separator: ";", \.keyFiles, text: \.text,
      expectation: "takes FILE[,kid=…][,alg=…][,iss=…]", parse: { KeySource(file: $0) },
      """
      A file in PEM with the public key of those who issue tokens (or a certificate), instead of a secret that both sides have. \
      It checks the one algorithm that is named, or RS256, ES256 (by its curve ES384, ES512) or EdDSA by its kind; tokens that \
      name another kid are not checked with it; with `iss`, only tokens of that issuer are. The file is read anew when it \
      changes. In the variable, semicolons stand between several.
      """
    ).otherwise("none"),
    .list(
      "jwks", in: .tokens, "FILE-OR-ADDRESS[,iss=…]", separator: ";", \.keySets, text: \.text,
      expectation: "takes a file or an https address", parse: { KeySource(set: $0) },
      """
      A JWK set with the public keys of those who issue tokens: a file, or an https address. A key that appears there counts \
      from the next reading on, one that is gone counts no more. What cannot be read leaves the keys that there were. In the \
      variable, semicolons stand between several.
      """
    ).otherwise("none"),
    .time(
      "jwks-interval", in: .tokens, 1000...86_400_000, \.configuration.tokenKeys.refreshMilliseconds,
      """
      How often the sets at addresses are fetched. Besides, a token whose key is not known has them fetched, at most every 10 \
      seconds.
      """),
    .text(
      "jwks-ca", in: .tokens, "FILE", \.configuration.tokenKeys.authorityFile,
      "A file with the certificates of the authorities to be trusted for those addresses."
    ).otherwise("the system's"),
    // For tests, which have no certificate that others trust.
    .flag(
      "jwks-plain-loopback", in: .tokens, \.configuration.tokenKeys.permitsPlainLoopback,
      "Fetch sets from this machine without TLS."
    ).hidden(),
    .list(
      "token-issuer", in: .tokens, "NAME", \.configuration.tokens.issuers, text: { $0 }, expectation: "takes names",
      parse: { $0 }, "Who may have issued a token (iss)."
    ).otherwise("whoever has a key"),
    .list(
      "token-audience", in: .tokens, "NAME", \.configuration.tokens.audiences, text: { $0 }, expectation: "takes names",
      parse: { $0 }, "For whom a token must be (aud), one of them."
    ).otherwise("it does not matter"),
    .list(
      "token-type", in: .tokens, "TYPE", \.configuration.tokens.types, text: { $0 }, expectation: "takes types",
      parse: { $0.lowercased() }, "What a token must be (typ), one of them."
    ).otherwise("JWT, at+jwt, or not said"),
    .flag(
      "token-kid", in: .tokens, \.configuration.tokens.requiresKeyID, "Take only tokens that name their key (kid)."),
    .time(
      "token-leeway", in: .tokens, 0...TokenSettings.maximumLeeway, \.configuration.tokens.leewayMilliseconds,
      "How far a token's nbf and iat may lie ahead, for clocks that differ. Its exp is exact."),
    .time(
      "token-warning", in: .tokens, 0...3_600_000, \.configuration.tokenWarningMilliseconds,
      "How long before its token expires a socket is told so, that it may renew it; 0 tells nobody."),
    .time(
      "guest-token-ttl", in: .tokens, 1000...366 * 86_400_000, \.configuration.guestTokenMilliseconds,
      "How long somebody without an account can stay away and still be the same guest."),
    .list(
      "claim", in: .tokens, "WHAT=CLAIM", separator: ";", \.claims, text: \.text,
      expectation:
        "takes WHAT=CLAIM, where WHAT is \(ClaimNames.Field.allCases.map(\.rawValue).joined(separator: ", "))",
      parse: { ClaimNaming($0) },
      """
      What the tokens call something. For example `user=user_id` (which may be an integer), `admin=is_staff` (true for those \
      who manage everything) or `avatar=picture,photo` (the first that there is). Known: user, name, role, session, guest, \
      admin, first_name, last_name, username, email, avatar. In the variable, semicolons stand between several.
      """
    ).otherwise("our own names, and those of OpenID Connect"),
    .list(
      "token-role", in: .tokens, "THEIRS=OURS", separator: ";", \.roles, text: \.text,
      expectation: "takes THEIRS=OURS, where OURS is \(Role.allCases.map(\.rawValue).joined(separator: ", "))",
      parse: { RoleNaming($0) },
      """
      What a role of the platform is here. For example `teacher=host`; `*=participant` says what all others are. Known: host, \
      cohost, participant, observer, admin. In the variable, semicolons stand between several.
      """
    ).otherwise("what they are called here"),
  ]

  private static let browsers: [Setting] = [
    .list(
      "origin", in: .browsers, "URL", \.configuration.origins, text: \.rawValue,
      expectation: "takes origins such as https://school.example", parse: { WebOrigin($0) },
      """
      An origin whose pages may open WebSockets, such as https://school.example. The pages that this server serves may always, \
      clients that send no Origin too.
      """
    ).reloadable().otherwise("the server's own"),
    Setting(
      "compression", in: .browsers, .onOff,
      """
      Whether what is said to a room is compressed for the clients that offer it (permessage-deflate). It is done once for all \
      of them; what is said to one alone, tokens among it, never is.
      """,
      read: { .flag($0.configuration.compresses) }
    ) { value, settings in
      if case .flag(let isOn) = value { settings.configuration.compresses = isOn }
      return nil
    },
    .integer(
      "compression-threshold", in: .browsers, 0...1 << 24, counting: "BYTES", \.configuration.compressionThresholdBytes,
      "From how many bytes on a message to a room is compressed."),
    .time(
      "grace", in: .browsers, 0...86_400_000, \.configuration.shard.graceMilliseconds,
      "How long a lost connection may take to come back without the person having left."),
  ]

  private static let classes: [Setting] = [
    .time(
      "expire-after", in: .classes, 0...TimeText.maximum, \.configuration.shard.rules.times.expireAfterMilliseconds,
      "How long after its planned end a session that was never live expires."),
    .time(
      "complete-after", in: .classes, 0...TimeText.maximum, \.configuration.shard.rules.times.completeAfterMilliseconds,
      "How long nobody may be in a live session before the server ends it."),
    .time(
      "reopen-within", in: .classes, 0...TimeText.maximum, \.configuration.shard.rules.times.reopenWithinMilliseconds,
      "How long after its end a session may be started again; 0s for never."),
    .parsed(
      "meeting-url", in: .classes, "URL", \.configuration.meetingTemplate, text: \.text,
      expectation: "takes an address such as https://meet.example.org/{room_name}", parse: { MeetingTemplate($0) },
      """
      The address that sessions without one of their own are given, for example https://meet.example.org/{room_name}. Only who \
      may join is shown it.
      """
    ).otherwise("none"),
    .text("zoneinfo", in: .classes, "FOLDER", \.zoneFolder, "The folder of the tz database."),
    .time(
      "chat-edit-within", in: .classes, 0...86_400_000, \.configuration.shard.rules.conduct.editMilliseconds,
      "How long after it was said a message may be changed by its author."),
    .integer(
      "chat-pins", in: .classes, 0...50, \.configuration.shard.rules.conduct.pins,
      "How many messages of a session may be pinned at once."),
    .integer(
      "chat-reaction-kinds", in: .classes, 0...100, \.configuration.shard.rules.conduct.reactionKinds,
      "How many kinds of reaction one message may have."),
    .integer(
      "bans", in: .classes, 0...100_000, \.configuration.shard.rules.conduct.bans,
      "How many people may be banned from one session."),
    .time(
      "presence-interval", in: .classes, 10...10_000, \.configuration.shard.presenceIntervalMilliseconds,
      "How long changes of presence are collected before they are told."),
    .time(
      "late-after", in: .classes, 0...86_400_000, \.configuration.shard.thresholds.lateAfterMilliseconds,
      "Who first comes more than so long after the beginning is late."),
    .time(
      "left-early-before", in: .classes, 0...86_400_000, \.configuration.shard.thresholds.leftEarlyBeforeMilliseconds,
      "Who is last seen more than so long before the end has left early."),
    .time(
      "attended-from", in: .classes, 0...86_400_000, \.configuration.shard.thresholds.minimumMilliseconds,
      "Who is there for less has not attended. In a short class, a tenth of its length is enough."),
    .time(
      "heartbeat-timeout", in: .classes, 1000...86_400_000, \.configuration.shard.heartbeatTimeoutMilliseconds,
      "How long somebody who came in over HTTP, without a socket, is there without a heartbeat."),
    .time(
      "attendance-interval", in: .classes, 1000...3_600_000, \.configuration.shard.attendanceSummaryMilliseconds,
      "How often at most those who lead a class are told how attendance stands."),
    .text(
      "report-key", in: .classes, "FILE", \.configuration.reportKeyFile,
      "The file with the private key (Ed25519, PEM) that signs attendance reports. The default's is made when there is none."
    ).otherwise("`report-key.pem` in the data folder"),
  ]

  private static let calls: [Setting] = [
    .list(
      "stun-url", in: .calls, "URL", \.configuration.calls.stunURLs, text: \.description,
      expectation: "takes addresses such as stun:stun.school.example:3478",
      parse: { ICEServerURL($0).flatMap { $0.isRelay ? nil : $0 } },
      "A STUN server, where browsers learn their own address: stun:HOST[:PORT]."
    ).reloadable().otherwise("none"),
    .list(
      "turn-url", in: .calls, "URL", \.configuration.calls.turnURLs, text: \.description,
      expectation: "takes addresses such as turn:turn.school.example:3478?transport=udp",
      parse: { ICEServerURL($0).flatMap { $0.isRelay ? $0 : nil } },
      """
      A TURN server that relays the media of those whom no direct way joins: turn:HOST[:PORT][?transport=udp|tcp], or turns: \
      over TLS. Everybody in a class gets credentials of their own for it.
      """
    ).reloadable().otherwise("none"),
    .text(
      "turn-secret-file", in: .calls, "FILE", \.turnSecretFile,
      "The file with the secret shared with the TURN server (coturn: `use-auth-secret`, `static-auth-secret`)."
    ).reloadable(),
    .text(
      "turn-secret", in: .calls, "SECRET", \.turnSecret,
      "That secret itself: only in the environment, never an option or in this file."
    ).secret(),
    .time(
      "turn-lifetime", in: .calls, 4000...7 * 86_400_000, \.configuration.calls.lifetimeMilliseconds,
      "How long the credentials for TURN hold; clients get new ones when three quarters of it are over."
    ).reloadable(),
    Setting(
      "ice-transport-policy", in: .calls, .choice(["all", "relay"]),
      """
      `relay`: media goes over the TURN server alone, so that nobody in a class learns another's address. `all`: the shortest \
      way that works.
      """,
      read: { .text($0.configuration.calls.isRelayOnly ? "relay" : "all") }
    ) { value, settings in
      settings.configuration.calls.isRelayOnly = value == .text("relay")
      return nil
    }.reloadable(),
    .integer(
      "stage-places", in: .calls, 0...64, \.configuration.shard.rules.conduct.stagePlaces,
      """
      How many people beside the hosts may send sound or pictures at once, where the session does not say otherwise. Every \
      one of them sends to everybody else.
      """),
  ]

  private static let operators: [Setting] = [
    Setting(
      "metrics-port", in: .operators, .integer(0...65535, "PORT"),
      """
      Serve /metrics, /health and /ready on this port too, to anybody who reaches it; 0 lets the system choose. Then /metrics \
      on the other port needs an administrator's token, from this machine too.
      """,
      read: { $0.metricsPort.map { .integer($0) } }
    ) { value, settings in
      if case .integer(let port) = value { settings.metricsPort = port }
      return nil
    }.otherwise("none"),
    .text(
      "metrics-host", in: .operators, "HOST", \.metricsHost, "The name or address to listen on for metrics-port."),
    .list(
      "trusted-proxy", in: .operators, "NETWORK", \.configuration.trustedProxies, text: \.description,
      expectation: "takes addresses and networks such as 10.0.0.0/8", parse: { AddressRange($0) },
      """
      An address or network (10.0.0.0/8) of a proxy whose X-Forwarded-For is believed, for connections per address. Without it \
      the header is ignored, and everybody behind a proxy counts as the proxy.
      """
    ).reloadable().otherwise("nobody"),
  ]

  /// How many connections there may be is counted by all loops together, and decided at the start.
  private static let fixedLimits: Set = [LimitSetting.connections.option, LimitSetting.connectionsPerAddress.option]

  private static let limits: [Setting] = Limit.allCases.flatMap(\.settings).map { limit in
    let setting = Setting.limit(limit)
    return fixedLimits.contains(limit.option) ? setting : setting.reloadable()
  }

  private static let trial: [Setting] = [
    .flag("demo", in: .trial, \.makesDemo, "Make a demo class that guests may enter, and print two links to it."),
    .flag(
      "test-echo", in: .trial, \.configuration.servesEcho,
      "Serve a plain echo WebSocket at /echo, for conformance tests."),
  ]
}
