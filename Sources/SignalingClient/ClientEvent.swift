import Classroom
import JSON
import SignalingProtocol
import WebSocketCore

/// The number under which a client sends a command, and the server answers it. Not used twice by one client.
public struct CommandID: Hashable, Sendable {
  public var rawValue: Int64
}

/// What happened to a client.
///
/// ``ChatEvent``, ``SignalEvent``, ``JoinedEvent`` and ``ChatPage`` point into what was received: they are valid until the
/// client, or another one of the same workspace, is asked for its next event.
public enum ClientEvent {
  /// The WebSocket is open; who this is and where it wants to be is said.
  case opened
  /// The server knows who this is.
  case ready(user: String, isGuest: Bool)
  case joined(JoinedEvent)
  /// The server does not let this client in. It asks again at the given time; with nil, only when it is told to.
  case joinRefused(ServerRefusal, nextAttempt: Int64?)
  /// How many wait for the start.
  case waiting(Int)
  /// A numbered event: somebody said something.
  case chat(ChatEvent)
  /// The session went on; numbered, except for who waits.
  case status(StatusEvent)
  /// Who waits, for who leads the class: so many.
  case lobby(Int)
  /// The session's fields changed.
  case updated(StatusEvent)
  /// The host says that the class begins now.
  case starting
  /// So many minutes are left until the start.
  case reminder(minutes: Int)
  /// This client is out of the session: a host has turned it away, it was called off, or does not exist any more.
  case dismissed(Dismissal)
  /// ``SignalingClient/presence`` is another one now.
  case presenceChanged
  case signal(SignalEvent)
  /// A command has its answer.
  case answered(CommandID, CommandAnswer)
  /// The server could not do a command with a key now; it is sent again.
  case delayed(CommandID, ServerRefusal)
  /// The connection went before a command without a key was answered: whether it was done is not known.
  case lost(CommandID)
  /// A refusal that names no command.
  case refused(ServerRefusal)
  /// The server goes down and wants to be left alone so long.
  case draining(retryAfterMilliseconds: Int64)
  /// A numbered event about people, the room's policy or what becomes of messages.
  case conduct(ConductEvent)
  /// Who is typing: the first of them, and how many.
  case typing(users: [String], count: Int)
  /// Other servers for calls, or new credentials for them.
  case iceServers(ICEServers)
  /// The server broke the protocol. The client goes on as well as it can.
  case problem(ProtocolViolation)
  /// The connection is no more, or was given up: what is still to be sent is to be sent if possible, and the socket closed.
  case disconnected(Disconnection)

  /// The token ends at that time, in so many milliseconds: a new one is to be brought by
  /// ``SignalingClient/renew(_:using:)``, else the server closes with 4501.
  case tokenExpiring(at: Timestamp, inMilliseconds: Int64)
  /// How attendance stands; for who leads the class.
  case attendance(AttendanceFigures)

  /// The person was told something of a session; on every connection, in whichever session it is.
  case notified(NotificationEvent)
}

/// Why a client is out of a session that it has not left.
public enum Dismissal: Sendable, Equatable {
  case denied
  case deleted
  /// The session went on to this state, in which nobody waits.
  case status(SessionStatus)
  /// A session that was over goes on, and there is no place for this client.
  case refused(ErrorCode)
}

/// An `error` of the server.
public struct ServerRefusal: Error, Hashable, Sendable, CustomStringConvertible {
  public var code: ErrorCode
  public var message: String
  /// `details.outcome`: whether the command was certainly not done, where the server says so.
  public var outcome: String?

  public var description: String { "\(code.rawValue): \(message)" }
}

/// What a command was answered with.
public enum CommandAnswer {
  case done
  /// `chat.send` was done, as the event of that number.
  case said(sequence: UInt64, messageID: String)
  /// `session.start` or `session.end` was done; the session's state after it.
  case status(SessionStatus)
  case history(ChatPage)
  case refused(ServerRefusal)

  case attendance(AttendancePage)
}

/// The figures of all together: how attendance stands. Who leads the class is left out.
public struct AttendanceFigures: Sendable, Equatable {
  public var total: Int
  public var attended: Int
  public var late: Int
  public var leftEarly: Int
  public var present: Int
  public var peak: Int

  init(_ fields: MessageFields) throws(ProtocolViolation) {
    total = try fields.count("total")
    attended = try fields.count("attended")
    late = try fields.count("late")
    leftEarly = try fields.count("left_early")
    present = try fields.count("present")
    peak = try fields.count("peak")
    let absent = try fields.count("absent")
    guard attended <= total, total - attended == absent, present <= attended, late <= attended, leftEarly <= attended
    else { throw ProtocolViolation(.contradiction, "of \(total) people \(attended) attended and \(absent) did not") }
  }
}

/// A page of the attendance report.
public struct AttendancePage: Sendable {
  /// The attendance of one person.
  public struct Person: Sendable, Equatable {
    public var user: String
    public var milliseconds: UInt64
    public var hasAttended: Bool
    public var isActive: Bool
  }

  /// Nil in the answer to who sees the own row alone.
  public var figures: AttendanceFigures?
  public var people: [Person]
  /// What the next page is to be asked for after; nil on the last.
  public var next: UInt64?

  init(_ fields: MessageFields) throws(ProtocolViolation) {
    let report = try fields.object("report")
    figures = report.has("totals") ? try AttendanceFigures(try report.object("totals")) : nil
    people = []
    for element in try fields.array("participants").elements {
      let row = try MessageFields(element, "participants")
      let states = try row.object("states")
      let milliseconds = try row.number("milliseconds")
      let live = try states.number("live_milliseconds")
      let breakout = try states.number("breakout_milliseconds")
      let waiting = try states.number("waiting_milliseconds")
      guard live &+ breakout == milliseconds, milliseconds &+ waiting == (try states.number("total_milliseconds"))
      else { throw ProtocolViolation(.contradiction, "the parts of somebody's attendance do not make the whole") }
      let state = try row.string("state", bytes: 6...8)
      guard state == "attended" || state == "absent" else { throw row.wrong("state") }
      people.append(
        Person(
          user: try row.string("user", bytes: 1...ProtocolLimits.userBytes), milliseconds: milliseconds,
          hasAttended: state == "attended", isActive: try row.boolean("is_active")))
    }
    next = try fields.numberOrNull("next")
  }
}

/// The state a client was let in with.
public struct JoinedEvent {
  public enum Place: String, Sendable {
    case waiting, present, ended
  }

  /// Why a resume was not honoured.
  public enum NotRecovered: String, Sendable, CaseIterable {
    case tokenInvalid = "token_invalid"
    case tokenExpired = "token_expired"
    case epochChanged = "epoch_changed"
    case tooOld = "too_old"
    case ahead
  }

  public var place: Place
  public var role: Role
  public var status: SessionStatus
  /// Whether a resume was asked for.
  public var isResume: Bool
  /// Whether what follows goes on where the connection before broke off.
  public var isRecovered: Bool
  public var notRecovered: NotRecovered?
  /// Whether no signal was lost; nil when the address for signals is a new one.
  public var areSignalsRecovered: Bool?
  /// The number that the state already includes.
  public var position: UInt64
  /// The newest messages; nil when recovered, and while waiting.
  public var chat: ChatPage?
}

/// One message of the chat.
public struct ChatEvent {
  public let sequence: UInt64
  public let at: Timestamp
  /// Whether text and name were erased at the wish of whose they were.
  public let isErased: Bool
  /// Whether the text was taken back.
  public let isDeleted: Bool
  /// Whether it is for the hosts alone.
  public let isPrivate: Bool
  private let fields: JSONView

  init(_ fields: MessageFields) throws(ProtocolViolation) {
    self.fields = fields.view
    sequence = try fields.number("seq")
    at = try fields.time("at")
    let id = try fields.text("message_id", bytes: 2...20)
    guard id.unescapedBytes?.first == UInt8(ascii: "m") else { throw fields.wrong("message_id") }
    _ = try fields.text("user", bytes: 1...ProtocolLimits.userBytes)
    _ = try fields.text("name", bytes: 0...ProtocolLimits.nameBytes)
    _ = try fields.choice("role", Role.self)
    isErased = fields.has("erased")
    if isErased, try !fields.boolean("erased") { throw fields.wrong("erased") }
    isDeleted = fields.has("deleted")
    if isDeleted, try !fields.boolean("deleted") { throw fields.wrong("deleted") }
    isPrivate = fields.has("to")
    if isPrivate, try !fields.value("to").equals("hosts") { throw fields.wrong("to") }
    if fields.has("reply_to") { _ = try fields.text("reply_to", bytes: 2...20) }
    if fields.has("edited_at") { _ = try fields.date("edited_at") }
    _ = try fields.text("text", bytes: isErased || isDeleted ? 0...0 : 1...ProtocolLimits.chatTextBytes)
  }

  public var messageID: String { fields["message_id"]?.string ?? "" }
  public var user: String { fields["user"]?.string ?? "" }
  public var name: String { fields["name"]?.string ?? "" }
  public var text: String { fields["text"]?.string ?? "" }
  /// The text in place; nil when it is written with escapes.
  public var textBytes: UnsafeRawBufferPointer? { fields["text"]?.unescapedBytes }
  /// Whether that user said it. Makes no `String`.
  public func isBy(_ user: String) -> Bool { fields["user"]?.equals(user) ?? false }

  func hasID(_ id: String) -> Bool { fields["message_id"]?.equals(id) ?? false }

  var textDigest: UInt64 {
    if let bytes = textBytes { return Digest.of(bytes) }
    return Digest.of(text.utf8)
  }
}

/// Messages of the chat in ascending order.
public struct ChatPage: Sequence {
  public let hasMore: Bool
  private let messages: JSONView

  public var count: Int { messages.count }
  public var underestimatedCount: Int { messages.count }

  /// - Throws: a violation when the messages are not ascending, too many, or not below `end`.
  init(_ fields: MessageFields, below end: UInt64?, limit: Int) throws(ProtocolViolation) {
    hasMore = try fields.boolean("has_more")
    messages = try fields.array("messages")
    guard messages.count <= limit else { throw fields.wrong("messages") }
    var last: UInt64 = 0
    for message in messages.elements {
      let message = try ChatEvent(try MessageFields(message, "messages"))
      guard message.sequence > last, end.map({ message.sequence < $0 }) ?? true else {
        throw ProtocolViolation(.contradiction, "a page of chat has message \(message.sequence) in the wrong place")
      }
      last = message.sequence
    }
  }

  public func makeIterator() -> AnyIterator<ChatEvent> {
    var elements = messages.elements
    return AnyIterator {
      while let element = elements.next() {
        // The page was checked when it came: nothing is left out here.
        if let fields = try? MessageFields(element, "messages"), let message = try? ChatEvent(fields) { return message }
      }
      return nil
    }
  }
}

/// The session went on to another state.
public struct StatusEvent: Sendable {
  /// Its number; nil for who waits.
  public var sequence: UInt64?
  public var at: Timestamp
  public var by: String?
  public var change: StatusChange

  init(_ fields: MessageFields, session: String) throws(ProtocolViolation) {
    sequence = fields.has("seq") ? try fields.number("seq") : nil
    at = try fields.time("at")
    guard try fields.value("session").equals(session) else { throw fields.wrong("session") }
    by = try fields.value("by").isNull ? nil : try fields.string("by", bytes: 1...ProtocolLimits.userBytes)
    change = try StatusChange(fields)
  }

  /// The message `session.updated`.
  init(updated fields: MessageFields, _ change: StatusChange) throws(ProtocolViolation) {
    sequence = fields.has("seq") ? try fields.number("seq") : nil
    at = try fields.time("at")
    by = try fields.value("by").isNull ? nil : try fields.string("by", bytes: 1...ProtocolLimits.userBytes)
    self.change = change
  }
}

extension StatusChange {
  /// The fields `status`, `is_live`, `rev`, `started_at` and `ended_at`, which must agree.
  init(_ fields: MessageFields) throws(ProtocolViolation) {
    let status = try fields.choice("status", SessionStatus.self)
    let startedAt = try fields.dateOrNull("started_at")
    let endedAt = try fields.dateOrNull("ended_at")
    guard try fields.boolean("is_live") == status.isLive else { throw fields.wrong("is_live") }
    guard (startedAt != nil) == (status.isLive || status == .completed) else { throw fields.wrong("started_at") }
    guard (endedAt != nil) == (status == .completed) else { throw fields.wrong("ended_at") }
    self.init(status: status, revision: try fields.count("rev"), startedAt: startedAt, endedAt: endedAt)
  }
}

/// A signal of another peer.
public struct SignalEvent {
  public var from: String
  public var isPolite: Bool
  public var kind: SignalKind
  public var negotiation: String?
  /// Its number among the signals for this client's address, from 1.
  public var sequence: UInt64
  public var payload: JSONView
}

/// Why a client has no connection any more, and what it does about it.
public struct Disconnection: Sendable {
  public enum Cause: Sendable, Equatable {
    /// The transport ended or broke, or could not be opened.
    case transport
    case handshake(WebSocketHandshakeFailure)
    /// The server's Close came; its code, if there was one.
    case closed(WebSocketCloseCode?)
    /// The server broke RFC 6455.
    case brokenFraming(WebSocketFailure)
    case binaryMessage
    /// Nothing came within the time for it.
    case timeout
  }

  public var cause: Cause
  /// Whether this client had begun to close.
  public var isOwnWish: Bool
  /// When the client wants to connect again; nil when it does not.
  public var nextAttempt: Int64?
}
