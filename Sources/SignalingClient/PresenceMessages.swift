import Classroom
import JSON
import SignalingProtocol

/// A page of participants as it came over the wire.
struct PresencePage {
  var participants: [ShownParticipant]
  /// The cursor of the page that follows.
  var next: UInt64?

  init(_ fields: MessageFields, mode: PresenceMode) throws(ProtocolViolation) {
    participants = try ShownParticipant.list(fields, "participants")
    next = try fields.numberOrNull("next")
    guard participants.count <= ProtocolLimits.presencePage else { throw fields.wrong("participants") }
    switch mode {
    case .full: break
    case .hosts: guard participants.allSatisfy({ $0.role.isHosting }) else { throw fields.wrong("participants") }
    case .count, .none: guard participants.isEmpty, next == nil else { throw fields.wrong("participants") }
    }
  }
}

/// The presence that a client holds from here on.
struct PresenceState {
  var mode: PresenceMode
  var sequence: UInt64
  var count: Int
  var page: PresencePage

  init(_ fields: MessageFields) throws(ProtocolViolation) {
    mode = try fields.choice("mode", PresenceMode.self)
    sequence = try fields.number("presence_seq")
    count = try fields.count("count")
    page = try PresencePage(fields, mode: mode)
  }
}

/// A `presence.diff`.
struct PresenceDifference {
  var sequence: UInt64
  var count: Int
  /// Who came or changed.
  var present: [ShownParticipant]
  var left: [String]

  init(_ fields: MessageFields) throws(ProtocolViolation) {
    _ = try fields.time("at")
    sequence = try fields.number("presence_seq")
    count = try fields.count("count")
    present = try ShownParticipant.list(fields, "joined")
    present += try ShownParticipant.list(fields, "updated")
    left = []
    for entry in try fields.array("left").elements {
      left.append(try MessageFields(entry, "left").string("user", bytes: 1...ProtocolLimits.userBytes))
    }
    // One entry for each user, or the order of the three lists would matter.
    var users = Set(left)
    guard users.count == left.count, present.allSatisfy({ users.insert($0.user).inserted }) else {
      throw fields.wrong("joined")
    }
  }
}

extension MessageFields {
  func count(_ field: StaticString) throws(ProtocolViolation) -> Int {
    guard let count = Int(exactly: try number(field)) else { throw wrong(field) }
    return count
  }
}

extension ShownParticipant {
  init(_ fields: MessageFields) throws(ProtocolViolation) {
    user = try fields.string("user", bytes: 1...ProtocolLimits.userBytes)
    name = try fields.string("name", bytes: 0...ProtocolLimits.nameBytes)
    role = try fields.choice("role", Role.self)
    guard role.isVisible else { throw fields.wrong("role") }
    joinedAt = try fields.date("joined_at")
    media = Presence.Media()
    media.audio = try fields.boolean("audio_enabled")
    media.video = try fields.boolean("video_enabled")
    media.screen = try fields.boolean("screen_enabled")
    peers = []
    for peer in try fields.array("peers").elements {
      guard let peer = peer.string, !peer.isEmpty, !peers.contains(peer) else { throw fields.wrong("peers") }
      peers.append(peer)
    }
    isReconnecting = try fields.boolean("reconnecting")
    marks = Presence.Marks(
      hand: fields.has("hand") ? try fields.number("hand") : nil,
      isMuted: fields.has("muted") ? try fields.boolean("muted") : false)
    isAway = fields.has("away") ? try fields.boolean("away") : false
    // Who was muted cannot be heard.
    if marks.isMuted, media.audio { throw fields.wrong("audio_enabled") }
    digest = Digest.of(user.utf8)
  }

  static func list(_ fields: MessageFields, _ field: StaticString) throws(ProtocolViolation) -> [ShownParticipant] {
    let array = try fields.array(field)
    var list: [ShownParticipant] = []
    list.reserveCapacity(array.count)
    for element in array.elements {
      list.append(try ShownParticipant(try MessageFields(element, "participant")))
    }
    return list
  }
}

/// The latest differences by their bytes: one that goes to a whole room is the same for everybody, so that it is enough to
/// read it once, and its strings are kept once.
struct DifferenceCache {
  private var entries: [(bytes: [UInt8], difference: PresenceDifference)?] = Array(repeating: nil, count: 64)

  /// What `presence.diff` begins with.
  private static let prefix = Array(#"{"type":"presence.diff""#.utf8)

  /// The place of a message; nil when it is no difference.
  private func place(of bytes: UnsafeRawBufferPointer) -> Int? {
    guard bytes.starts(with: Self.prefix) else { return nil }
    return Int(truncatingIfNeeded: Digest.of(bytes.prefix(96)) % UInt64(entries.count))
  }

  subscript(bytes: UnsafeRawBufferPointer) -> PresenceDifference? {
    guard let place = place(of: bytes), let entry = entries[place], entry.bytes.count == bytes.count,
      entry.bytes.elementsEqual(bytes)
    else { return nil }
    return entry.difference
  }

  mutating func remember(_ difference: PresenceDifference, of bytes: UnsafeRawBufferPointer) {
    if let place = place(of: bytes) { entries[place] = (Array(bytes), difference) }
  }
}
