import SignalingProtocol

/// How the attendees say who they are.
enum Credentials: Sendable {
  /// Everybody has a token of their own, signed with the server's secret.
  case secret(TokenSigner)
  /// One token that may create sessions; everybody else is a guest.
  case hostToken(String)
}

/// Whether all connections break at once after the load.
enum HerdPlan: Sendable {
  case none
  /// The tester breaks them.
  case ours
  /// Somebody else does, and tells when the server is back.
  case outside
}

/// What a run does.
struct LoadPlan {
  var scenario: Scenario
  /// The command line, for the report.
  var commandLine: String
  var target: ServerTarget
  /// Nil without TLS.
  var security: TransportSecurity?
  /// Whether the server may compress.
  var compresses: Bool
  var credentials: Credentials
  var sessionPrefix: String
  var sessions: Int
  /// In each session, the host not counted.
  var attendees: Int
  var hostPresence: PresenceMode
  var attendeePresence: PresenceChoice
  /// Messages per second in each session.
  var chatRate: Double
  var chatBytes: Int
  /// Signals per second in each session; each comes back.
  var signalRate: Double
  /// Pings per second of each session's host.
  var probeRate: Double
  /// How long the load lasts once everybody is in; of a class, how long it lasts altogether.
  var seconds: Double
  /// Joins per second; nil means as fast as the server answers.
  var joinRate: Double?
  var handshakesInFlight: Int
  /// Whether nobody speaks before everybody is in.
  var isRampQuiet: Bool
  /// Departures per second, all sessions together.
  var churnRate: Double
  var faults: FaultShares
  /// How long the server keeps the seat of who lost the connection.
  var resumeSeconds: Double
  /// How long the server may take for what is still due.
  var graceSeconds: Double
  var herd: HerdPlan
  /// How long the return of the herd may take, from when the connections may break.
  var herdSeconds: Double
  var seed: UInt64
  /// Own addresses to connect from; none when the system chooses.
  var sourceAddresses: SourceAddressChoice
  /// The server's process, for what it uses.
  var serverProcess: Int32?
  /// What is falsified on the way to one attendee, so that the checks must find it.
  var sabotage: Sabotage?

  /// Whether connections break on purpose, and clients come back.
  var breaksConnections: Bool {
    if case .none = herd { return scenario == .classroom || scenario == .churn || !faults.isEmpty }
    return true
  }
}

/// Why a run could not be made, or not go on.
struct LoadRunFailure: Error {
  var sentence: String
}
