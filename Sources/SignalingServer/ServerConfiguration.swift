import Classroom
import EventLoop
import Persistence
import RoomShard
import SignalingProtocol
import Synchronization
import Tokens

/// How a server runs.
public struct ServerConfiguration: Sendable {
  /// The name or address to listen on.
  public var host = "127.0.0.1"
  /// The port; 0 lets the system choose one.
  public var port: UInt16 = 8080
  /// The folder of journal and snapshots.
  public var dataFolder: String
  /// What the server's own tokens are signed with, and those of the platform if it has it too (HS256); at least
  /// ``TokenKey/minimumBytes`` bytes.
  public var secret: [UInt8]
  /// Which tokens of the platform are taken, and what their claims are called.
  public var tokens = TokenSettings()
  /// Which keys check them.
  public var tokenKeys = TokenKeySettings()
  /// How long before its token expires a socket is told so, in milliseconds; 0 tells nobody.
  public var tokenWarningMilliseconds = ProtocolLimits.tokenWarningMilliseconds
  /// How long somebody without an account stays the same guest, in milliseconds.
  public var guestTokenMilliseconds: Int64 = 12 * 3_600_000
  /// How many event loops run, 1 to ``maximumLoops``.
  public var loops: Int
  public var shard = ShardConfiguration()
  /// Where the certificate comes from; nil serves without TLS.
  public var tls: TLSSource?
  /// What answers over TLS say in `Strict-Transport-Security` (RFC 6797), for example `max-age=31536000`; nil says nothing.
  public var strictTransportSecurity: String?
  /// How much is taken from clients; ``LimitSetting`` names what is in it.
  var limits = LimitSettings()
  /// The proxies whose `X-Forwarded-For` is believed.
  public var trustedProxies: [AddressRange] = []
  /// A listener of its own for `/metrics`, `/health` and `/ready`, where nobody is asked for a token.
  public var metricsAddress: (host: String, port: UInt16)?
  /// Whether `/echo` serves a plain echo WebSocket, for conformance tests.
  public var servesEcho = false
  /// Whether clients that offer permessage-deflate get what is said to a room compressed.
  public var compresses = true
  /// What is shorter than so many bytes is said to a room as it is.
  public var compressionThresholdBytes = Self.defaultCompressionThresholdBytes
  /// Pages from here may open WebSockets and read what HTTP answers, beside those that the server itself is the origin of.
  public var origins: [WebOrigin] = []
  /// Where clients reach the server, when they do not where it listens.
  public var publicAddress: PublicAddress?
  /// A snapshot is taken when so many bytes were journaled since the last.
  public var snapshotBytes = 16 << 20
  /// A snapshot is taken when so much time went by and something was journaled.
  public var snapshotIntervalMilliseconds: Int64 = 300_000
  /// The servers that help browsers with their calls.
  public var calls = CallSettings()
  /// When what is journaled counts as kept, and may be shown.
  public var durability = Durability.strict
  /// How long a session is kept after its end; nil keeps it for ever.
  public var keepMilliseconds: Int64?
  /// The file with the key that signs attendance reports (Ed25519, PEM); nil takes the data folder's own, made when there is
  /// none.
  public var reportKeyFile: String?
  /// What meeting addresses are made of for sessions that have none of their own.
  public var meetingTemplate: MeetingTemplate?
  /// How long the transport waits; tests wait less.
  var patience = Patience()
  /// What the loops take for the monotonic clock, when a test turns it.
  var manualClock: ManualClock?

  /// From how many bytes on compression saves more than it costs.
  public static let defaultCompressionThresholdBytes = 256

  /// The most event loops that a server runs.
  public static let maximumLoops = 64

  /// How many connections a process takes in that may have so many files open.
  public func maximumConnections(descriptors: Int) -> Int {
    limits.census(descriptors: descriptors, loops: max(1, loops)).maximum
  }

  /// The defaults, with what has none.
  public init(dataFolder: String, secret: [UInt8], loops: Int) {
    self.dataFolder = dataFolder
    self.secret = secret
    self.loops = loops
    shard.rules.zones = TimeZoneFolder()
  }
}

/// A clock that stands until it is turned, or let go.
final class ManualClock: Sendable {
  private let stored = Atomic<Int64>(MonotonicClock.milliseconds())

  /// Since when it goes by itself, by the monotonic clock; 0 while it stands.
  private let goesSince = Atomic<Int64>(0)

  var milliseconds: Int64 {
    let since = goesSince.load(ordering: .acquiring)
    let elapsed = since == 0 ? 0 : MonotonicClock.milliseconds() - since
    return stored.load(ordering: .acquiring) + elapsed
  }

  func advance(byMilliseconds duration: Int64) { stored.add(duration, ordering: .releasing) }

  func letGo() { goesSince.store(MonotonicClock.milliseconds(), ordering: .releasing) }
}

/// How long the transport waits, in milliseconds.
struct Patience: Sendable {
  /// For a TLS handshake, from the beginning of the connection, and for a request to come in: from there (or from the end of
  /// the handshake) for the first, from its first byte for a later one.
  var request: Int64 = 5000
  /// For a form with a picture to come in, once its head has.
  var form: Int64 = 60_000
  /// For the next request on a connection that is kept alive.
  var idle: Int64 = 60_000
  /// For `hello`.
  var hello = ProtocolLimits.helloTimeoutMilliseconds
  /// For anything from a client before it is pinged, and for anything after that.
  var ping = ProtocolLimits.pingIntervalMilliseconds
  /// For the other side to answer a Close.
  var close: Int64 = 5000
  /// For the other side of a connection that we have ended to read our last words.
  var linger: Int64 = 2000
  /// Before sessions that are over are looked for again, to move them to the history.
  var archiving: Int64 = 5000
  /// For the connections of a server that ends.
  var drain: Int64 = 4000
}

/// The bounds of the transport that are not set. Those that are stand in `LimitSettings`, those of the protocol in
/// `ProtocolLimits`.
enum TransportLimits {
  /// What the fields of a form may have beside its picture.
  static let formFieldBytes = 1 << 20
  /// How many forms one loop takes in at a time.
  static let forms = 16
  /// What one loop reads at a time.
  static let readBytes = 256 * 1024
  /// How many connections that are too many get an answer between two sweeps, before they are closed without one.
  static let refusalsPerSweep = 4
  /// The connections at the listener for figures.
  static let operatorConnections = 32
  /// What may be waiting to be sent before a loop takes in no more in this tick.
  static let tickBytes = 64 << 20
  /// How many messages of one connection are handled before others get their turn.
  static let messagesPerTurn = 32
  /// As how many connections a second everybody is asked to come back when the server ends.
  static let comebacksPerSecond: Int64 = 2500
  /// The message limit of the echo endpoint, as the conformance suite needs it.
  static let echoMessageBytes = 16 << 20
  /// The frames of one message on the echo endpoint.
  static let echoFrames = 1 << 20
}
