import Bytes
import Classroom
import EventLoop
import HTTPCore
import RoomShard
import SignalingProtocol
import TLS
import WebSocketCore

/// A client's connection in its loop's slab.
struct Connection: ~Copyable {
  var socket: FileDescriptor
  /// Its TLS session, once its client has begun one.
  var tls: TLSSession?
  /// Whether its client is to begin with TLS and has said nothing yet.
  var awaitsTLS = false
  /// What the tick arena holds for it.
  var spans = PendingSpans()
  /// What its socket has not taken, encrypted if the connection is.
  var backlog = OutboundBacklog()
  /// When bytes last came from it, by the monotonic clock in milliseconds.
  var lastHeard: Int64
  /// When the loop's sweep closes it unless something changes, or `Int64.max`.
  var deadline: Int64
  /// When its token is about to expire, or has, by the monotonic clock in milliseconds.
  var tokenDeadline: Int64 = .max
  var interest: Interest = .readable
  /// Whether it is listed for the flush at the end of the tick.
  var isDirty = false
  /// Close it once everything is sent.
  var closesAfterFlush = false
  /// Its socket has failed; it ends with the tick.
  var hasFailed = false
  /// Everything is sent and our half is closed; what comes in is dropped.
  var isLingering = false
  /// Whether its room has heard, or will hear, that it is gone.
  var hasDeparted = false
  /// Whether a ping is out that nothing has answered yet.
  var isPinged = false
  /// Whether it is listed for another turn.
  var isDeferred = false
  /// Bytes that were read, and decrypted, and wait for their turn.
  var input: [UInt8] = []
  /// Its place among those that the server takes; none for those of the operator and those that are turned away.
  var admission: Admission?
  /// Whether it came in where the figures are, and nothing else.
  var isOperator = false
  var http: HTTPState?
  var webSocket: WebSocketState?

  init(socket: consuming FileDescriptor, now: Int64, deadline: Int64, http: HTTPState?) {
    self.socket = socket
    lastHeard = now
    self.deadline = deadline
    self.http = http
  }

  /// Whether an HTTP request is not yet wholly answered.
  var owesAnswer: Bool {
    guard let http, !isLingering else { return false }
    return http.pending != nil || !isDrained
  }

  /// Whether nothing waits to be sent.
  var isDrained: Bool { spans.isEmpty && backlog.isEmpty }
}

/// The HTTP side of a connection.
final class HTTPState {
  var parser: HTTPRequestParser
  /// Whether the first request has come, so that the time for a later one begins with its first byte.
  var isKeptAlive = false
  /// The request that is being answered elsewhere; later ones stay unparsed until then.
  var pending: PendingRequest?
  /// Whether a form is coming in whose head has been looked at.
  var hasForm = false
  /// What is asked of the room once the picture that came with the request is kept.
  var afterPicture: RoomRequest?
  /// What the answer says to the browser of a page from elsewhere.
  var crossOrigin: CrossOriginAnswer?

  init(_ limits: HTTPLimits) { parser = HTTPRequestParser(limits: limits) }
}

/// The WebSocket side of a connection.
struct WebSocketState {
  enum Purpose {
    case signaling
    case echo
  }

  /// A join on its way to the loop of its room.
  struct Departure {
    var session: String
    var presence: PresenceMode
    var resume: ClientMessage.Resume?
    var commandID: Int64?
  }

  var machine: WebSocketConnection
  let purpose: Purpose
  /// The window of what is compressed for it, 9…15 as a power of two; 0 when compression was not agreed on.
  var deflateWindowBits: UInt8
  /// What the echo endpoint keeps from message to message; nothing else keeps any.
  var echo: EchoCompression?
  var identity: Identity? {
    didSet { isGreeted = identity != nil }
  }
  /// Whether somebody has said hello on it.
  private(set) var isGreeted = false
  var departure: Departure?
  /// What it has left to send.
  var messageBucket: RateLimit.Bucket = 0
  var controlFrameBucket: RateLimit.Bucket = 0
  /// What all connections of the user have left, once it is known who that is.
  var userRate: UserRate?
  /// The code of the first Close, whoever sent it: 1005 when it had none, 0 when there was none.
  var closeCode: UInt16 = 0
  /// Whether something was left out that it is to be told anew.
  var missesLatest = false
  /// Whether the client has closed it as done with: it will not be resumed.
  var hasSaidGoodbye = false
  /// Whether it was told that its token is about to expire.
  var isTokenWarned = false

  init(machine: WebSocketConnection, purpose: Purpose, deflateWindowBits: UInt8, identity: Identity? = nil) {
    self.machine = machine
    self.purpose = purpose
    self.deflateWindowBits = deflateWindowBits
    self.identity = identity
    isGreeted = identity != nil
  }
}

// Questions of the hot path. They are `mutating` only so that the state is looked at where it lies: anything else copies
// all of it out of its optional first.
extension WebSocketState {
  /// What the connection is for, and whether somebody has said hello on it.
  mutating func standing() -> (purpose: Purpose, isGreeted: Bool) { (purpose, isGreeted) }

  /// Whether it is on its way to the loop of its room.
  mutating func isLeaving() -> Bool { departure != nil }

  /// The bits of the agreed window, 0 for none.
  mutating func agreedWindowBits() -> UInt8 { deflateWindowBits }

  /// Whether frames may be sent.
  mutating func isOpen() -> Bool { machine.isOpen }

  /// The bits of the agreed window, 0 for none; nil when no frames may be sent.
  mutating func openWindowBits() -> UInt8? { machine.isOpen ? deflateWindowBits : nil }
}
