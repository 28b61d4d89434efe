import SignalingProtocol

/// One simulated person: a socket, and what it has shown.
final class Attendee {
  enum State {
    case idle
    /// From the first packet until the session is joined.
    case joining
    /// Joined, and the session has not started.
    case waiting
    case present
    /// The session is over.
    case reading
    /// The connection is no more.
    case gone
  }

  unowned let session: ClassSession
  /// The place in the session's list; 0 is the host.
  let place: Int
  let socket: ClientSocket
  /// The message that says who this is.
  let hello: [UInt8]
  /// The user's id; nil for a guest whom the server has not named yet.
  var user: String?
  let presenceMode: PresenceMode
  var state = State.idle

  /// Nanoseconds of the monotonic clock.
  var connectStarted: Int64 = 0
  var joinSent: Int64 = 0
  var joined: Int64 = 0
  /// The address for signals.
  var peer: String?
  /// Whether this is the polite side of its pair, as the first signal said.
  var isPolite: Bool?
  var stream: StreamChecker?
  var presence: PresenceView?
  /// The number of presence messages after which the set did not have the announced size.
  var presenceMismatches: UInt64 = 0

  var isHost: Bool { place == 0 }

  init(
    session: ClassSession, place: Int, token: UInt64, hello: [UInt8], user: String?, presenceMode: PresenceMode
  ) {
    self.session = session
    self.place = place
    self.hello = hello
    self.user = user
    self.presenceMode = presenceMode
    socket = ClientSocket(token: token)
  }
}
