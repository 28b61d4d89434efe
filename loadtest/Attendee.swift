import SignalingClient
import SignalingProtocol

/// One simulated person: a client, its connection, and what has become of both.
final class Attendee {
  unowned let session: ClassSession
  /// The place in the session's list; 0 is the host.
  let place: Int
  var client: SignalingClient
  let transport: ClientTransport

  /// Milliseconds of the monotonic clock: when the first join was sent, and when its answer had come.
  var joinSent: Int64?
  var joined: Int64?
  /// Nanoseconds of the monotonic clock.
  var connectStarted: Int64 = 0
  /// Whether the connection ended, and another will not be made.
  var isGone = false
  /// When the client was in again after the connections were cut, in nanoseconds of the monotonic clock.
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

  var isHost: Bool { place == 0 }
  var isPresent: Bool { client.state == .present }
  /// The number of the last event of the stream that was seen or included in the state.
  var position: UInt64 { client.position?.room ?? 0 }

  init(session: ClassSession, place: Int, number: UInt32, configuration: SignalingClientConfiguration) {
    self.session = session
    self.place = place
    client = SignalingClient(configuration, firstAttempt: nil)
    transport = ClientTransport(number: number)
  }
}
