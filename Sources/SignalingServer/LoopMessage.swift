import Bytes
import Classroom
import EventLoop
import RoomShard
import SignalingProtocol
import TLS
import WebSocketCore

/// Who waits for the answer of a request.
enum RequestAddress: Sendable {
  /// A connection of a loop.
  case connection(SlotID, loop: Int)
  /// The process itself.
  case mailbox(Mailbox<Result<RoomAnswer, Refusal>>)
}

/// A WebSocket on its way to the loop of its room, with everything that belongs to it.
struct Handover: Sendable {
  /// The socket; whoever takes the handover owns it.
  var descriptor: Int32
  /// Its TLS session, on no wire. The beginning of a record that has come is in it; all that came before is decrypted.
  var tls: Handoff<TLSSession>?
  var machine: WebSocketConnection
  var deflateWindowBits: UInt8
  var identity: Identity
  var session: String
  var presence: PresenceMode
  var resume: ClientMessage.Resume?
  var commandID: Int64?
  /// Bytes that were read, and decrypted, and not taken in yet.
  var input: [UInt8]
  /// Bytes that the socket has not taken yet, encrypted if the connection is.
  var backlog: [UInt8]
  /// When the client was last heard, by the monotonic clock.
  var lastHeard: Int64
  /// The network of its place in the census, which the new loop takes over.
  var network: ClientNetwork?
  var messageBucket: RateLimit.Bucket
  var controlFrameBucket: RateLimit.Bucket
  var userRate: UserRate?
  /// Whether it was told that its token is about to expire.
  var isTokenWarned: Bool

  /// Ends the connection: nobody takes it over.
  func discard(_ context: LoopContext, at now: Int64) {
    FileDescriptor(owning: descriptor).close()
    _ = Admission(network, in: context.census)
    if let userRate { context.userRates.leave(userRate, at: now) }
  }
}

/// What a loop is told by others.
enum LoopMessage: Sendable {
  /// A connection follows its room.
  case adopt(Handover)
  /// A request for a room of this loop.
  case request(RoomRequest, session: String, identity: Identity?, from: RequestAddress)
  /// The answer to a request of this loop.
  case answer(Result<RoomAnswer, Refusal>, to: SlotID)
  /// The journal has synced this loop's records up to here.
  case synced(through: UInt64)
  /// The journal cannot be written: what is not synced by now is void.
  case storageFailed(isCertain: Bool)
  /// The journal can be written again, and this is what the disk has of the frozen sessions.
  case storageHealed([String: Classroom])
  /// Hand the state of every room to the journal.
  case takeSnapshot(round: Int)
  /// The history file of the session includes the event of this number; nil when it could not be written.
  case archived(String, sequence: UInt64?)
  /// The session as its history file has it; nil when it cannot be read.
  case loaded(String, Classroom?)
  /// What people are told of a session, wherever they are connected.
  case notices([Notice], SessionView)
  /// What happened to the list of sessions in another loop.
  case listChanged([ListChange])
  /// The picture of a connection's request is kept, or cannot be.
  case pictureKept(Bool, for: SlotID)
  /// The picture that a connection's request is for; nil when there is none.
  case pictureRead([UInt8]?, for: SlotID)

  /// What can be changed while the server runs is this from now on.
  case reconfigure(ServerConfiguration)
  /// Say good-bye to everybody, then stop.
  case drain
}
