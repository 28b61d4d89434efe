import Classroom
import JSON
import SignalingProtocol

/// A numbered event about people, the room's policy or what becomes of messages.
public struct ConductEvent: Sendable {
  public enum Kind: String, Sendable, CaseIterable {
    case policy = "room.policy"
    case spotlight = "room.spotlight"
    case edited = "chat.edited"
    case deleted = "chat.deleted"
    case reaction = "chat.reaction"
    case pinned = "chat.pinned"
    case muted = "participant.muted"
    case askedToUnmute = "participant.unmute_asked"
    case role = "participant.role"
    case removed = "participant.removed"
    case banned = "participant.banned"
    case handLowered = "hand.lowered"
    case handsLowered = "hands.lowered"
    case stage = "room.stage"
    case takenOffStage = "stage.removed"

    init?(_ type: JSONView) {
      guard let kind = Self.allCases.first(where: { type.equals($0.rawValue) }) else { return nil }
      self = kind
    }

    /// Whether it is in a stream that not everybody has.
    var isForSome: Bool {
      switch self {
      case .policy, .spotlight, .edited, .deleted, .reaction, .pinned, .handsLowered: false
      case .muted, .askedToUnmute, .role, .removed, .banned, .handLowered: true

      case .stage: false
      case .takenOffStage: true
      }
    }
  }

  public var kind: Kind
  public var stream: StreamName
  public var sequence: UInt64
  public var at: Timestamp
  /// Whom it is about: who is shown large, reacted, or was given a role, removed or banned.
  public var user: String?
  /// The message it is about.
  public var messageID: String?
  /// Whether something begins to hold, where it says so.
  public var isOn: Bool?
  /// Of a reaction: how many have reacted so.
  public var count: Int?
  public var role: Role?
  public var text: String?
  public var policy: RoomPolicy?
  public var stage: Stage?
}

extension Stage {
  init(_ fields: MessageFields) throws(ProtocolViolation) {
    var invited: [String] = []
    for element in try fields.array("invited").elements {
      guard let user = element.string, !user.isEmpty else { throw fields.wrong("invited") }
      invited.append(user)
    }
    let places = try fields.value("places").isNull ? nil : try fields.count("places")
    self.init(mode: try fields.choice("mode", Mode.self), places: places, invited: invited)
    guard Self.placesRange.contains(places ?? 0), invited.count <= Self.placesRange.upperBound else {
      throw fields.wrong("places")
    }
  }
}

extension RoomPolicy {
  init(_ fields: MessageFields) throws(ProtocolViolation) {
    self.init()
    isMuted = try fields.boolean("muted")
    isUnmuteAllowed = try fields.boolean("unmute_allowed")
    isLocked = try fields.boolean("locked")
    chat = try fields.choice("chat", Chat.self)
    slowModeSeconds = try fields.count("slow_mode_seconds")
    guard Self.slowModeRange.contains(slowModeSeconds) else { throw fields.wrong("slow_mode_seconds") }
    hasWaitingRoom = fields.has("waiting_room") ? try fields.boolean("waiting_room") : nil
  }
}

// What a client hears about people, the room's policy and what becomes of messages.
extension SignalingClient {
  /// The stream that an event is of; only the client's own and those of its role can be.
  func stream(_ fields: MessageFields) throws(ProtocolViolation) -> StreamName {
    let name = try fields.value("stream")
    if name.equals("room") { return .room }
    if name.equals("hosts") { return .hosts }
    guard let user, name.equals(StreamName.user(user).text) else { throw fields.wrong("stream") }
    return .user(user)
  }

  /// Holds the number of an event against those before in its stream.
  /// - Returns: whether it is new.
  mutating func takeNumber(_ sequence: UInt64, _ stream: StreamName) throws(ProtocolViolation) -> Bool {
    switch stream {
    case .room:
      guard let last = memory?.stream.last, let verdict = memory?.stream.receive(sequence) else { return false }
      return judge(verdict, sequence, after: last, "event")
    case .hosts:
      guard let last = memory?.hosts?.last, let verdict = memory?.hosts?.receive(sequence) else {
        throw ProtocolViolation(.unexpected, "an event for the hosts came to somebody who is none")
      }
      return judge(verdict, sequence, after: last, "event for the hosts")
    case .user:
      guard let last = memory?.own.last, let verdict = memory?.own.receive(sequence) else { return false }
      return judge(verdict, sequence, after: last, "own event")
    }
  }

  mutating func takeConduct(
    _ kind: ConductEvent.Kind, _ view: JSONView, _ type: JSONView
  ) throws(ProtocolViolation) {
    guard state == .present || state == .reading else { throw unexpected(type) }
    let fields = try MessageFields(view, "event")
    let stream = try stream(fields)
    guard (stream == .room) != kind.isForSome else { throw fields.wrong("stream") }
    var event = ConductEvent(
      kind: kind, stream: stream, sequence: try fields.number("seq"), at: try fields.time("at"))
    try read(fields, into: &event)
    guard try takeNumber(event.sequence, stream) else { return }
    if stream == .room { try memory?.messages.pass(event.sequence) }
    queue.append(.conduct(event))
    if let policy = event.policy { memory?.policy = policy }
    guard kind == .role, case .user = stream, let role = event.role else { return }
    self.role = role
    memory?.hosts = event.count.map { StreamPosition(after: UInt64($0)) }
  }

  private func read(_ fields: MessageFields, into event: inout ConductEvent) throws(ProtocolViolation) {
    if event.kind != .reaction { _ = try fields.value("by") }
    switch event.kind {
    case .policy: event.policy = try RoomPolicy(fields)
    case .spotlight:
      event.user =
        try fields.value("user").isNull ? nil : try fields.string("user", bytes: 1...ProtocolLimits.userBytes)
    case .edited:
      event.messageID = try fields.string("message_id", bytes: 2...20)
      event.text = try fields.string("text", bytes: 0...ProtocolLimits.chatTextBytes)
    case .deleted: event.messageID = try fields.string("message_id", bytes: 2...20)
    case .reaction:
      event.messageID = try fields.string("message_id", bytes: 2...20)
      event.user = try fields.string("user", bytes: 1...ProtocolLimits.userBytes)
      event.text = try fields.string("emoji", bytes: 1...ProtocolLimits.emojiBytes)
      event.count = try fields.count("count")
      event.isOn = try fields.boolean("on")
    case .pinned:
      event.messageID = try fields.string("message_id", bytes: 2...20)
      event.isOn = try fields.boolean("on")
    case .muted: event.isOn = try fields.boolean("on")
    case .askedToUnmute, .handLowered, .handsLowered, .takenOffStage: break
    case .stage: event.stage = try Stage(fields)
    case .role:
      event.user = try fields.string("user", bytes: 1...ProtocolLimits.userBytes)
      event.role = try fields.choice("role", Role.self)
      // To the one it is about, with the number from which on the stream of the hosts is theirs.
      if case .user = event.stream, event.role?.isModerating == true {
        event.count = try fields.object("streams").count("hosts")
      }
    case .removed, .banned:
      event.user = try fields.string("user", bytes: 1...ProtocolLimits.userBytes)
      _ = try fields.string("name", bytes: 0...ProtocolLimits.userBytes)
      if event.kind == .banned { event.isOn = try fields.boolean("on") }
    }
  }

  mutating func takeTyping(_ fields: MessageFields, _ type: JSONView) throws(ProtocolViolation) {
    guard state == .present || state == .reading else { throw unexpected(type) }
    _ = try fields.time("at")
    var users: [String] = []
    for element in try fields.array("users").elements {
      let person = try MessageFields(element, "user")
      users.append(try person.string("user", bytes: 1...ProtocolLimits.userBytes))
      _ = try person.string("name", bytes: 0...ProtocolLimits.nameBytes)
    }
    let count = try fields.count("count")
    guard users.count == min(count, ProtocolLimits.typingNames) else { throw fields.wrong("users") }
    queue.append(.typing(users: users, count: count))
  }
}
