import Classroom
import SignalingProtocol

/// A connection, as the loop that owns it names it. Never used again for another connection.
public struct ConnectionID: Hashable, Sendable {
  public var rawValue: UInt64

  /// The connection of that name.
  public init(rawValue: UInt64) {
    self.rawValue = rawValue
  }
}

/// A request from outside a room (HTTP), to be answered once.
public struct RequestID: Hashable, Sendable {
  public var rawValue: UInt64

  /// The request of that name.
  public init(rawValue: UInt64) {
    self.rawValue = rawValue
  }
}

/// The settings of a shard.
public struct ShardConfiguration: Sendable {
  /// How long a lost connection may take to come back without the person having left.
  public var graceMilliseconds: Int64 = 20_000
  /// How long changes of presence are collected.
  public var presenceIntervalMilliseconds: Int64 = 250
  /// How long after its end a session that nobody is in may go to the archive.
  public var archiveAfterMilliseconds: Int64 = 10 * 60_000
  /// How long a session that was loaded from the archive stays in memory unused.
  public var archiveIdleMilliseconds: Int64 = 60_000
  /// The events of one chunk of those that a client missed.
  public var catchUpEvents = 256
  /// The bytes that the texts of one chunk have together, unless it is a single message.
  public var catchUpTextBytes = 65_536
  /// After how many bytes of messages a chunk ends: far below what may wait for a socket, however much the texts grow when
  /// they are escaped.
  public var catchUpMessageBytes = 131_072
  /// How long signals are kept for their receiver: longer than a connection can be dead before it is noticed, and its grace.
  public var signalLifetimeMilliseconds: Int64 = 120_000

  /// The defaults.
  public init() {}
}

/// What is asked of a room from outside it.
public enum RoomRequest: Sendable {
  /// Makes the session; id and room name are given with the draft. With the key of an earlier request, and the same id,
  /// the session that it made is the answer.
  case create(SessionDraft, id: String, roomName: String, epoch: String, key: String?)
  case read
  case start(key: String?)
  case end(key: String?)
  /// Asks to come in; opens attendance when the session is live.
  case join
  case attendance
}

/// What a request is answered with.
public enum RoomAnswer: Sendable {
  case session(SessionView, mayJoin: Bool)
  case started(StatusChange, session: String, participants: Int)
  case ended(StatusChange, session: String)
  case joined(session: String, role: Role, participants: Int)
  case attendance(AttendanceReport)
}

/// Who was there and for how long.
public struct AttendanceReport: Sendable {
  public var view: SessionView
  public var rows: [Attendance.Row]
  /// The time until which open segments count.
  public var at: Timestamp
}

/// Where a shard's outputs go. Nothing reaches a sink before the records it rests on are safe.
///
/// A sink must not call the shard from inside these functions.
public protocol ShardSink: ~Copyable {
  /// Sends a message to one connection.
  mutating func send(_ message: UnsafeRawBufferPointer, to connection: ConnectionID)
  /// Sends one message to many connections.
  mutating func broadcast(_ message: UnsafeRawBufferPointer, to connections: [ConnectionID])
  /// Sends one message to many connections; to leave it out for one that is behind is no loss, if
  /// ``RoomShard/tellLatest(to:at:)`` is called for it when it has caught up.
  mutating func broadcastLatest(_ message: UnsafeRawBufferPointer, to connections: [ConnectionID])
  /// Answers a request.
  mutating func respond(to request: RequestID, with result: Result<RoomAnswer, Refusal>)
  /// Tells the catalog how a session looks now.
  mutating func publish(_ view: SessionView)
  /// Tells the catalog that a session does not exist any more.
  mutating func retract(_ session: String)
  /// The connection has been sent everything that came before ``RoomShard/handOver(_:)``.
  mutating func handOver(_ connection: ConnectionID)
  /// Ends a connection, after everything that was sent to it before.
  mutating func close(_ connection: ConnectionID, for reason: CloseReason)
}

extension ShardSink where Self: ~Copyable {
  /// A sink that leaves nothing out.
  public mutating func broadcastLatest(_ message: UnsafeRawBufferPointer, to connections: [ConnectionID]) {
    broadcast(message, to: connections)
  }
}
