import Classroom
import JSON

/// How much of presence a client wants.
public enum PresenceMode: String, Sendable, CaseIterable {
  case none
  case count
  case hosts
  case full
}

/// What a signal carries (JSEP, RFC 8829).
public enum SignalKind: String, Sendable, CaseIterable {
  case offer
  case answer
  case candidate
  case endOfCandidates = "end_of_candidates"
  case bye
}

/// For whom a chat message is, when not for everybody.
public enum ChatAudience: String, Sendable, CaseIterable {
  case hosts
}

/// A message from a client.
///
/// Cases with `UnsafeRawBufferPointer` point into the bytes the message was read from and are valid as long as these.
public enum ClientMessage {
  /// How somebody says who they are.
  public enum Hello: Sendable, Equatable {
    case token(String)
    case ticket(String)
    case guest(name: String)
  }

  /// What somebody who was in the session before says about it.
  public struct Resume: Sendable, Equatable {
    /// The sealed claim from `session.joined`.
    public var token: String
    /// The history that ``room`` counts in.
    public var epoch: String
    /// The number of the last event of the stream `room` that arrived, 0 before the first.
    public var room: UInt64
    /// The number of the last signal that arrived, 0 before the first.
    public var signalSequence: UInt64
    /// The number of the last event of the stream `hosts` that arrived; nil when the client did not have that stream.
    public var hosts: UInt64?
    /// The same of the stream of one user.
    public var own: OwnStream?

    /// A place in the stream of one user.
    public struct OwnStream: Sendable, Equatable {
      public var user: String
      public var sequence: UInt64

      /// A place of this number.
      public init(user: String, sequence: UInt64) {
        self.user = user
        self.sequence = sequence
      }
    }

    /// A resume with these facts.
    public init(
      token: String, epoch: String, room: UInt64, signalSequence: UInt64 = 0, hosts: UInt64? = nil,
      own: OwnStream? = nil
    ) {
      self.token = token
      self.epoch = epoch
      self.room = room
      self.signalSequence = signalSequence
      self.hosts = hosts
      self.own = own
    }
  }

  case hello(Hello)
  case sessionJoin(session: String, presence: PresenceMode, resume: Resume?)
  case sessionLeave
  case sessionStart(key: String?)
  case sessionEnd(key: String?)
  case presenceSubscribe(PresenceMode)
  case presencePage(after: UInt64)
  case mediaSet(audio: Bool?, video: Bool?, screen: Bool?)
  case chatSend(text: String, key: String?)
  case chatHistory(before: UInt64?, limit: Int)
  case signal(to: String, kind: SignalKind, negotiation: String?, payload: UnsafeRawBufferPointer)
  case ping

  /// A new token of the same user, in the place of the one that the connection came with.
  case tokenRenew(String)
  /// Follows the list of sessions, or no longer does.
  case sessionsWatch(on: Bool)
  /// A command that the domain knows by itself; answered with what it leads to.
  case perform(Command, key: String?)

  case attendanceGet(after: Int, limit: Int)
  /// Asks who is banned.
  case participantBans(after: Int, limit: Int)

  /// Asks for what was said to the hosts.
  case privateHistory(before: UInt64?, limit: Int)
  case chatTyping(isOn: Bool)
  case presenceAway(isOn: Bool)
}

/// A message with the id that the client chose.
public struct ClientEnvelope {
  public var id: Int64?
  public var message: Result<ClientMessage, ProtocolError>

  /// Reads a parsed message. Every way in which it can be wrong is a ``ProtocolError`` that names the field.
  public init(_ view: JSONView) {
    guard view.kind == .object else {
      message = .failure(ProtocolError(.malformedJSON, "A message is a JSON object."))
      return
    }
    if let id = view["id"], !id.isNull {
      guard let integer = id.integer else {
        message = .failure(ProtocolError(.invalidField, "An id is an integer.", field: "id"))
        return
      }
      self.id = integer
    }
    do throws(ProtocolError) {
      message = .success(try ClientMessage(view))
    } catch {
      message = .failure(error)
    }
  }
}

extension ClientMessage {
  fileprivate init(_ view: JSONView) throws(ProtocolError) {
    let fields = CommandFields(view)
    guard let type = view["type"] else { throw ProtocolError(.missingField, "A message has a type.", field: "type") }
    guard type.kind == .string else {
      throw ProtocolError(.invalidField, "A type is a string.", field: "type")
    }
    if type.equals("chat.send") {
      let text = try fields.string("text", bytes: 0...ProtocolLimits.messageBytes)
      let key = try fields.key()
      let replyTo = try fields.optionalMessage("reply_to")
      let isPrivate = try fields.optionalChoice("to", ChatAudience.self) == .hosts
      self =
        replyTo == nil && !isPrivate
        ? .chatSend(text: text, key: key)
        : .perform(.sendChat(text: text, replyTo: replyTo, isPrivate: isPrivate), key: key)
    } else if type.equals("signal") {
      guard let payload = view["payload"] else {
        throw ProtocolError(.missingField, "A signal has a payload.", field: "payload")
      }
      self = .signal(
        to: try fields.string("to", bytes: 1...ProtocolLimits.userBytes),
        kind: try fields.signalKind(),
        negotiation: try fields.optionalString("negotiation", bytes: 1...ProtocolLimits.negotiationBytes),
        payload: payload.raw)
    } else if type.equals("ping") {
      self = .ping
    } else if type.equals("media.set") {
      self = .mediaSet(
        audio: try fields.optionalBoolean("audio"), video: try fields.optionalBoolean("video"),
        screen: try fields.optionalBoolean("screen"))
    } else if type.equals("hello") {
      self = .hello(try fields.hello())
    } else if type.equals("session.join") {
      let session = try fields.string("session", bytes: 1...64)
      guard SessionID.isValid(session) else {
        throw ProtocolError(.invalidField, "This is not the id of a session.", field: "session")
      }
      self = .sessionJoin(
        session: session, presence: try fields.optionalChoice("presence", PresenceMode.self) ?? .full,
        resume: try fields.resume())
    } else if type.equals("session.leave") {
      self = .sessionLeave
    } else if type.equals("session.start") {
      self = .sessionStart(key: try fields.key())
    } else if type.equals("session.end") {
      self = .sessionEnd(key: try fields.key())
    } else if type.equals("presence.subscribe") {
      self = .presenceSubscribe(try fields.choice("mode", PresenceMode.self))
    } else if type.equals("presence.page") {
      self = .presencePage(after: try fields.sequence("after"))
    } else if type.equals("chat.history") {
      let before = try fields.optionalSequence("before")
      let limit =
        try fields.optionalInteger("limit", 1...Int64(ProtocolLimits.historyPage))
        .map(Int.init) ?? ProtocolLimits.historyDefault
      self =
        try fields.optionalBoolean("private") == true
        ? .privateHistory(before: before, limit: limit) : .chatHistory(before: before, limit: limit)
    } else if type.equals("chat.typing") {
      self = .chatTyping(isOn: try fields.boolean("on"))
    } else if type.equals("presence.away") {
      self = .presenceAway(isOn: try fields.boolean("on"))
    } else if type.equals("token.renew") {
      self = .tokenRenew(try fields.string("token", bytes: 1...ProtocolLimits.tokenBytes))
    } else if type.equals("attendance.get") {
      let page = try fields.page(upTo: ProtocolLimits.attendancePage)
      self = .attendanceGet(after: page.after, limit: page.limit)
    } else if type.equals("participant.bans") {
      let page = try fields.page(upTo: ProtocolLimits.bansPage)
      self = .participantBans(after: page.after, limit: page.limit)
    } else if type.equals("participant.check_in") {
      self = .perform(
        .markPresent(
          user: try fields.string("user", bytes: 1...ProtocolLimits.userBytes),
          name: try fields.optionalString("name", bytes: 1...ProtocolLimits.nameBytes)), key: try fields.key())
    } else if type.equals("participant.check_out") {
      self = .perform(
        .markGone(user: try fields.string("user", bytes: 1...ProtocolLimits.userBytes)), key: try fields.key())
    } else if type.equals("sessions.watch") {
      self = .sessionsWatch(on: try fields.optionalBoolean("on") ?? true)
    } else if let command = try fields.conduct(type) {
      self = .perform(command, key: try fields.key())
    } else if let command = try fields.lifeCommand(type) {
      self = .perform(command, key: try fields.key())
    } else {
      throw ProtocolError(.unknownType, "There is no command of this type.", field: "type")
    }
  }
}

/// Typed access to the fields of a command.
struct CommandFields {
  private let view: JSONView

  /// The names of the objects around these fields, each with a dot behind it.
  private let path: String

  init(_ view: JSONView, path: String = "") {
    self.view = view
    self.path = path
  }

  func value(_ name: StaticString) -> JSONView? {
    guard let value = view[name], !value.isNull else { return nil }
    return value
  }

  func isNull(_ name: StaticString) -> Bool { view[name]?.isNull == true }

  func missing(_ name: StaticString) -> ProtocolError {
    ProtocolError(.missingField, "The field \(path)\(name) is missing.", field: "\(path)\(name)")
  }

  func invalid(_ name: StaticString, _ expectation: String) -> ProtocolError {
    ProtocolError(.invalidField, "The field \(path)\(name) is \(expectation).", field: "\(path)\(name)")
  }

  func optionalString(_ name: StaticString, bytes: ClosedRange<Int>) throws(ProtocolError) -> String? {
    guard let value = value(name) else { return nil }
    guard let count = value.utf8Count, bytes.contains(count), let string = value.string else {
      throw invalid(name, "a string of \(bytes.lowerBound) to \(bytes.upperBound) bytes")
    }
    return string
  }

  func string(_ name: StaticString, bytes: ClosedRange<Int>) throws(ProtocolError) -> String {
    guard let string = try optionalString(name, bytes: bytes) else { throw missing(name) }
    return string
  }

  func key() throws(ProtocolError) -> String? {
    try optionalString("key", bytes: 1...ProtocolLimits.keyBytes)
  }

  func optionalBoolean(_ name: StaticString) throws(ProtocolError) -> Bool? {
    guard let value = value(name) else { return nil }
    guard let boolean = value.boolean else { throw invalid(name, "true or false") }
    return boolean
  }

  func boolean(_ name: StaticString) throws(ProtocolError) -> Bool {
    guard let boolean = try optionalBoolean(name) else { throw missing(name) }
    return boolean
  }

  /// The id of a chat message: the number of its event behind an `m`.
  func optionalMessage(_ name: StaticString) throws(ProtocolError) -> UInt64? {
    guard let text = try optionalString(name, bytes: 2...20) else { return nil }
    guard text.utf8.first == UInt8(ascii: "m"), text.utf8.dropFirst().allSatisfy({ (0x30...0x39).contains($0) }),
      let sequence = UInt64(text.dropFirst())
    else {
      throw invalid(name, "the id of a message")
    }
    return sequence
  }

  func message(_ name: StaticString) throws(ProtocolError) -> UInt64 {
    guard let sequence = try optionalMessage(name) else { throw missing(name) }
    return sequence
  }

  func user() throws(ProtocolError) -> String { try string("user", bytes: 1...ProtocolLimits.userBytes) }

  /// A command about people, the room's policy or what becomes of messages; nil when there is none of this type.
  func conduct(_ type: JSONView) throws(ProtocolError) -> Command? {
    if type.equals("hand.raise") { return .raiseHand }
    if type.equals("hand.lower") {
      if try optionalBoolean("all") == true { return .lowerHand(.all) }
      return .lowerHand(try optionalString("user", bytes: 1...ProtocolLimits.userBytes).map(HandOwner.user) ?? .own)
    }
    if type.equals("chat.react") {
      return .reactToChat(
        message: try message("message"), emoji: try string("emoji", bytes: 1...ProtocolLimits.emojiBytes),
        isOn: try boolean("on"))
    }
    if type.equals("chat.edit") {
      return .editChat(
        message: try message("message"), text: try string("text", bytes: 0...ProtocolLimits.messageBytes))
    }
    if type.equals("chat.delete") { return .deleteChat(message: try message("message")) }
    if type.equals("chat.pin") { return .pinChat(message: try message("message"), isOn: try boolean("on")) }
    if type.equals("participant.mute") { return .mute(user: try user(), isOn: try optionalBoolean("on") ?? true) }
    if type.equals("participant.ask_unmute") { return .askToUnmute(user: try user()) }
    if type.equals("participant.remove") { return .remove(user: try user()) }
    if type.equals("participant.ban") { return .ban(user: try user(), isOn: true) }
    if type.equals("participant.unban") { return .ban(user: try user(), isOn: false) }
    if type.equals("participant.promote") { return .promote(user: try user()) }
    if type.equals("participant.demote") { return .demote(user: try user()) }
    if type.equals("participant.spotlight") {
      return .spotlight(user: try optionalBoolean("on") ?? true ? try user() : nil)
    }
    if type.equals("room.mute_all") {
      return .muteAll(isOn: try boolean("on"), isUnmuteAllowed: try optionalBoolean("unmute_allowed") ?? false)
    }
    if type.equals("room.lock") {
      var change = PolicyChange()
      change.isLocked = try boolean("on")
      return .setPolicy(change)
    }
    if type.equals("room.policy") {
      var change = PolicyChange()
      change.isLocked = try optionalBoolean("locked")
      change.isUnmuteAllowed = try optionalBoolean("unmute_allowed")
      change.chat = try optionalChoice("chat", RoomPolicy.Chat.self)
      change.slowModeSeconds = try optionalInteger("slow_mode_seconds", 0...Int64(RoomPolicy.slowModeRange.upperBound))
        .map(Int.init)
      change.hasWaitingRoom = try optionalBoolean("waiting_room")
      return .setPolicy(change)
    }
    if type.equals("stage.set") {
      let places = try optionalInteger(
        "places", Int64(Stage.placesRange.lowerBound)...Int64(Stage.placesRange.upperBound))
      return .setStage(StageChange(mode: try optionalChoice("mode", Stage.Mode.self), places: places.map { Int($0) }))
    }
    if type.equals("stage.invite") { return .inviteToStage(user: try user()) }
    if type.equals("stage.remove") { return .removeFromStage(user: try user()) }
    if type.equals("stage.leave") { return .leaveStage }
    return nil
  }

  func optionalInteger(_ name: StaticString, _ range: ClosedRange<Int64>) throws(ProtocolError) -> Int64? {
    guard let value = value(name) else { return nil }
    guard let integer = value.integer, range.contains(integer) else {
      throw invalid(name, "an integer from \(range.lowerBound) to \(range.upperBound)")
    }
    return integer
  }

  /// How many entries the pages before had, or what they were told, and how many the page asked for has at most.
  func page(upTo maximum: Int) throws(ProtocolError) -> (after: Int, limit: Int) {
    let limit = try optionalInteger("limit", 1...Int64(maximum)).map(Int.init) ?? maximum
    return (Int(try optionalInteger("after", 0...Int64(Int32.max)) ?? 0), limit)
  }

  func optionalSequence(_ name: StaticString) throws(ProtocolError) -> UInt64? {
    try optionalInteger(name, 0...Int64.max).map(UInt64.init)
  }

  func sequence(_ name: StaticString) throws(ProtocolError) -> UInt64 {
    guard let sequence = try optionalSequence(name) else { throw missing(name) }
    return sequence
  }

  func optionalChoice<Choice: RawRepresentable & CaseIterable>(
    _ name: StaticString, _ type: Choice.Type
  ) throws(ProtocolError) -> Choice? where Choice.RawValue == String {
    guard let value = value(name) else { return nil }
    guard let string = value.string, let choice = Choice(rawValue: string) else {
      let choices = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw invalid(name, "one of \(choices)")
    }
    return choice
  }

  func choice<Choice: RawRepresentable & CaseIterable>(
    _ name: StaticString, _ type: Choice.Type
  ) throws(ProtocolError) -> Choice where Choice.RawValue == String {
    guard let choice = try optionalChoice(name, type) else { throw missing(name) }
    return choice
  }

  /// Like `choice`, without a `String`: calls send many.
  func signalKind() throws(ProtocolError) -> SignalKind {
    if let value = value("kind") {
      if value.equals("candidate") { return .candidate }
      if value.equals("offer") { return .offer }
      if value.equals("answer") { return .answer }
    }
    return try choice("kind", SignalKind.self)
  }

  private func optionalObject(_ name: StaticString) throws(ProtocolError) -> CommandFields? {
    guard let value = value(name) else { return nil }
    guard value.kind == .object else { throw invalid(name, "an object") }
    return CommandFields(value, path: "\(path)\(name).")
  }

  func resume() throws(ProtocolError) -> ClientMessage.Resume? {
    guard let fields = try optionalObject("resume") else { return nil }
    let token = try fields.string("token", bytes: 1...ProtocolLimits.resumeTokenBytes)
    let epoch = try fields.string("epoch", bytes: 1...ProtocolLimits.epochBytes)
    guard let streams = try fields.optionalObject("streams") else { throw fields.missing("streams") }
    for member in streams.view.members {
      guard let number = member.value.integer, number >= 0 else {
        throw fields.invalid("streams", "an object of integers from 0")
      }
    }
    return ClientMessage.Resume(
      token: token, epoch: epoch, room: try streams.optionalSequence("room") ?? 0,
      signalSequence: try fields.optionalSequence("signal_seq") ?? 0, hosts: try streams.optionalSequence("hosts"),
      own: streams.ownStream())
  }

  /// The place in the stream whose name begins with `user:`.
  private func ownStream() -> ClientMessage.Resume.OwnStream? {
    for member in view.members {
      guard let name = member.key.string, name.hasPrefix("user:"), let number = member.value.integer else { continue }
      return ClientMessage.Resume.OwnStream(user: String(name.dropFirst(5)), sequence: UInt64(clamping: number))
    }
    return nil
  }

  /// A command about the life of the session, or about who waits; nil for any other.
  func lifeCommand(_ type: JSONView) throws(ProtocolError) -> Command? {
    if type.equals("session.cancel") { return .cancel(reason: try reason("reason")) }
    if type.equals("session.announce") { return .announce(text: try reason("text")) }
    if type.equals("session.update") { return .update(try SessionPatch(reading: view)) }
    if type.equals("session.reschedule") {
      return .reschedule(try ScheduleChange(reading: view), reason: try reason("reason"))
    }
    if type.equals("waiting.admit") {
      if try optionalBoolean("all") == true { return .admit(users: []) }
      return .admit(users: [try string("user", bytes: 1...ProtocolLimits.userBytes)])
    }
    if type.equals("waiting.deny") { return .deny(user: try string("user", bytes: 1...ProtocolLimits.userBytes)) }
    return nil
  }

  private func reason(_ name: StaticString) throws(ProtocolError) -> String? {
    try optionalString(name, bytes: 0...ProtocolLimits.reasonBytes)
  }

  func hello() throws(ProtocolError) -> ClientMessage.Hello {
    if let token = try optionalString("token", bytes: 1...ProtocolLimits.tokenBytes) { return .token(token) }
    if let ticket = try optionalString("ticket", bytes: 1...ProtocolLimits.tokenBytes) { return .ticket(ticket) }
    let name = try string("guest", bytes: 1...ProtocolLimits.nameBytes)
    guard let name = PersonName.cleaned(name) else { throw invalid("guest", "a name, not only white space") }
    return .guest(name: name)
  }
}
