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
  /// How long somebody who came in over HTTP is there without a word.
  public var heartbeatTimeoutMilliseconds: Int64 = 120_000
  /// How often at most those who lead a class are told how attendance stands.
  public var attendanceSummaryMilliseconds: Int64 = 5000
  /// From where on somebody counts as late, as gone early, and as there at all.
  public var thresholds = AttendanceReport.Thresholds()
  /// What holds for all sessions.
  public var rules = SessionRules()

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
  /// Does what anybody could ask for on a socket, with the key of who asks.
  case perform(Command, key: String?)
  /// Asks who is expected; for who leads the class.
  case registrations

  /// The attendance of one person, for that person or who leads the class.
  case attendanceOf(user: String)
  /// Comes in without a socket; refused to who is in already.
  case joinLive
  /// Is gone, with every connection.
  case leave
  /// Is still there, without a socket.
  case heartbeat
  /// Is in the place where the class is held, and knows the code that is shown there, or does not.
  case checkIn(isCodeRight: Bool)
  /// Whether the code for checking in may be shown.
  case checkInCode

  /// Who is here: those behind a place among them.
  case participants(after: UInt64?, limit: Int)
  /// What was said: the newest messages whose number is below that.
  case chat(before: UInt64?, limit: Int)
  /// Notes that who asks has read these notices.
  case readNotices([UInt64])
}

/// What a request is answered with.
public enum RoomAnswer: Sendable {
  case session(SessionView, mayJoin: Bool)
  case started(StatusChange, session: String, participants: Int)
  case ended(StatusChange, session: String)
  case joined(session: String, role: Role, participants: Int)
  case attendance(AttendanceReport)
  /// The command is done: its answer, the session as it is now, and how many people are in.
  case performed(Answer, SessionView, participants: Int)
  /// Who is expected, in the order in which they came onto the list.
  case registrations([Roster.Entry], session: String)

  case participants(Presence.Page)
  case chat(ChatLog.Page)

  /// The code for checking in may be shown.
  case checkInCode(session: String)
}

/// What happened to a session that those want to hear of who follow the list, beside how it looks.
public enum SessionNotice: Sendable, Equatable {
  /// It went on to another state, or got another time.
  case status(StatusChange, by: String?, at: Timestamp)
  /// The host says that the class begins now.
  case starting(text: String?, by: String?, at: Timestamp)
  /// So many minutes are left.
  case reminder(minutes: Int, at: Timestamp)
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
  /// Tells the catalog what somebody has to do with a session from now on.
  mutating func relate(_ user: String, to session: String, _ relation: Relation)
  /// Tells the catalog that a session does not exist any more.
  mutating func retract(_ session: String)
  /// Tells those who follow the list of sessions what happened to one.
  mutating func notify(_ notice: SessionNotice, of view: SessionView)
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

  /// A sink without people who follow the list.
  public mutating func notify(_ notice: SessionNotice, of view: SessionView) {}

  /// A sink whose list is the same for everybody.
  public mutating func relate(_ user: String, to session: String, _ relation: Relation) {}
}
