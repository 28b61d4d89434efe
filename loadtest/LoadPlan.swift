import SignalingProtocol

/// How the attendees say who they are.
enum Credentials: Sendable {
  /// Everybody has a token of their own, signed with the server's secret.
  case secret(TokenSigner)
  /// One token that may create sessions; everybody else is a guest.
  case hostToken(String)
}

/// What a run does.
struct LoadPlan: Sendable {
  var target: ServerTarget
  var credentials: Credentials
  var sessionPrefix: String
  var sessions: Int
  /// In each session, the host not counted.
  var attendees: Int
  var hostPresence: PresenceMode
  var attendeePresence: PresenceMode
  /// Messages per second in each session.
  var chatRate: Double
  var chatBytes: Int
  /// Signals per second in each session; each comes back.
  var signalRate: Double
  /// Pings per second of each session's host.
  var probeRate: Double
  /// How long the load lasts once everybody is in.
  var seconds: Double
  /// Joins per second; nil means as fast as the server answers.
  var joinRate: Double?
  var handshakesInFlight: Int
  /// Whether nobody speaks before everybody is in.
  var isRampQuiet: Bool
  /// How long the server may take for what is still due.
  var graceSeconds: Double
  /// Whether all connections are cut from outside after the load, and the attendees come back by themselves.
  var awaitsHerd: Bool
  /// How long that may take, from when it may happen.
  var herdSeconds: Double
  /// The server's process, for what it uses.
  var serverProcess: Int32?
}

/// Why a run could not be made, or not go on.
struct LoadRunFailure: Error {
  var sentence: String
}
