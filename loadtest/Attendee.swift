import SignalingClient
import SignalingProtocol

/// One simulated person: a client, its connection, and what has become of both.
final class Attendee {
  /// Where the person should be, by what was planned.
  enum Expectation {
    /// Not come yet, or gone as planned.
    case away
    /// In, or on the way in.
    case here
    /// Without a connection, and coming back.
    case lost
    /// On the way out.
    case leaving
  }

  unowned let session: ClassSession
  /// The place in the session's list; 0 is the host.
  let place: Int
  /// The number in the list of all people.
  let number: UInt32
  var client: SignalingClient
  let transport: ClientTransport

  var expectation = Expectation.away
  /// Whether the connection is being made for the first time in this stay.
  var isOpening = false
  /// Milliseconds of the monotonic clock: when the last join was sent.
  var joinSent: Int64 = 0
  /// Whether the client has waited for the start.
  var hasWaited = false
  /// Whether the client was in at least once.
  var hasJoined = false
  /// Nanoseconds of the monotonic clock.
  var connectStarted: Int64 = 0
  /// Whether the connection ended unplanned, and another will not be made.
  var isGone = false
  /// Until when there is no network, in nanoseconds of the monotonic clock.
  var offlineUntil: Int64 = 0
  /// When the connection was lost by the tester's doing, in nanoseconds of the monotonic clock.
  var lostAt: Int64 = 0
  /// Since when nothing happened to the connection: what was due before tells nothing of the server's speed.
  var soundSince: Int64 = 0
  /// Whether the person was slow, so that the server may close with 4001.
  var wasSlow = false
  /// Whether nothing is read at the moment.
  var isReading = true
  /// Waits for the answers to what was said before leaving.
  var isAboutToLeave = false
  var leaveID: CommandID?
  var isMicrophoneOn = false

  /// When the client was in again after all connections were cut, in nanoseconds of the monotonic clock.
  var returned: Int64?
  /// Whether the connection was cut with all others.
  var wasCut = false
  /// Attempts to come back that failed.
  var failedAttempts = 0

  /// The numbers of the messages that have no answer yet.
  var said: [CommandID: Int] = [:]
  /// How many events were left out, as far as they have not come late.
  var missingEvents: UInt64 = 0
  /// Whether this is the polite side of its pair, as the first signal said.
  var isPolite: Bool?
  /// The number of the last difference of presence that was seen.
  var presenceSequence: UInt64 = 0

  var isHost: Bool { place == 0 }
  var isPresent: Bool { client.state == .present }
  /// Whether the person is there, and what is said is heard.
  var canSpeak: Bool { isPresent && expectation == .here && isReading && !isAboutToLeave }
  /// The number of the last event of the stream that was seen or included in the state.
  var position: UInt64 { client.position?.room ?? 0 }

  init(
    session: ClassSession, place: Int, number: UInt32, configuration: SignalingClientConfiguration,
    security: TransportSecurity?
  ) {
    self.session = session
    self.place = place
    self.number = number
    client = SignalingClient(configuration, firstAttempt: nil)
    transport = ClientTransport(number: number, security: security)
  }
}
