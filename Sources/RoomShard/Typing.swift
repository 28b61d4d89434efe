import Classroom
import SignalingProtocol

/// Who is typing in a room.
struct Typing {
  private struct Person {
    var user: String
    var name: String
    /// When the last word of it came.
    var since: Timestamp
  }

  private var people: [Person] = []
  /// Whether the list has changed since it was told.
  private(set) var hasChanges = false
  /// Whether anybody was ever told.
  private(set) var isKnown = false

  /// How many are typing.
  var count: Int { people.count }

  /// Those who have been typing longest.
  func first(_ limit: Int) -> [(user: String, name: String)] { people.prefix(limit).map { ($0.user, $0.name) } }

  /// - Returns: whether it counts: not when it was said a moment ago.
  mutating func begin(_ user: String, name: String, at now: Timestamp) -> Bool {
    guard let index = people.firstIndex(where: { $0.user == user }) else {
      people.append(Person(user: user, name: name, since: now))
      hasChanges = true
      return true
    }
    guard now.milliseconds(since: people[index].since) >= ProtocolLimits.typingRepeatMilliseconds else { return false }
    people[index].since = now
    return true
  }

  /// - Parameter now: when given, only if nothing was said of it for a while.
  /// - Returns: whether that is a change.
  mutating func end(_ user: String, ifSilentAt now: Timestamp? = nil) -> Bool {
    guard let index = people.firstIndex(where: { $0.user == user }) else { return false }
    if let now, now.milliseconds(since: people[index].since) < ProtocolLimits.typingLifetimeMilliseconds {
      return false
    }
    people.remove(at: index)
    hasChanges = true
    return true
  }

  mutating func markTold() {
    hasChanges = false
    isKnown = true
  }
}

// What people are seen to do besides what they say: who types, and who looks elsewhere. None of it is kept.
extension RoomShard {
  func setTyping(
    _ isOn: Bool, id: Int64?, from connection: ConnectionID, _ member: Member, at now: Timestamp
  ) throws(ProtocolError) {
    let room = member.room
    let peer = try peer(of: member)
    if isOn, !room.conduct.mayWrite(member.actor.role) { throw ProtocolError(Refusal.chatClosed) }
    if isOn {
      if room.typing.begin(peer.user, name: member.actor.name, at: now) {
        timers.typing.append((now.advanced(byMilliseconds: ProtocolLimits.typingLifetimeMilliseconds), room, peer.user))
        scheduleFlush(of: room, at: now)
      }
    } else {
      endTyping(of: peer.user, in: room, at: now)
    }
    if let id { send(to: connection, from: room, as: .liveAnswer(id: id)) { ServerMessage.ok(id: id, into: &$0) } }
  }

  func endTyping(of user: String, in room: Room, ifSilent: Bool = false, at now: Timestamp) {
    if room.typing.count > 0, room.typing.end(user, ifSilentAt: ifSilent ? now : nil) {
      scheduleFlush(of: room, at: now)
    }
  }

  /// Tells who is typing, if that has changed.
  func flushTyping(of room: Room, at now: Timestamp) {
    guard room.typing.hasChanges else { return }
    room.typing.markTold()
    broadcastLatest(to: .everyone, of: room) {
      ServerMessage.typing(
        room.typing.first(ProtocolLimits.typingNames), count: room.typing.count, at: now, into: &$0)
    }
  }

  func setAway(
    _ isAway: Bool, id: Int64?, from connection: ConnectionID, _ member: Member, at now: Timestamp
  ) throws(ProtocolError) {
    let peer = try peer(of: member)
    let room = member.room
    room.presence.setAway(isAway, peer: peer.id, of: peer.user)
    peer.isAway = isAway
    scheduleFlush(of: room, at: now)
    if let id { send(to: connection, from: room, as: .liveAnswer(id: id)) { ServerMessage.ok(id: id, into: &$0) } }
  }

  /// A page of what was said to the hosts: all of it to who leads the class, the own messages to others.
  func sendPrivateHistory(
    before: UInt64?, limit: Int, id: Int64?, to connection: ConnectionID, _ member: Member
  ) throws(ProtocolError) {
    let room = member.room
    if case .waiting = member.state { throw ProtocolError(Refusal.wrongState(room.classroom.status)) }
    let id = try required(id)
    let chat = room.classroom.conduct.privateChat
    let user = member.actor.user
    send(to: connection, from: room, as: .answer(id: id)) { writer in
      ServerMessage.begin("ok", id: id, into: &writer)
      let bytes = ProtocolLimits.historyTextBytes
      if member.actor.role.isModerating {
        let page = chat.page(before: before, limit: limit, textBytes: bytes)
        ServerMessage.writePrivateChat(page.messages, in: .hosts, hasMore: page.hasMore, into: &writer)
      } else {
        let page = chat.page(of: user, before: before, limit: limit, textBytes: bytes)
        ServerMessage.writePrivateChat(page.messages, in: .user(user), hasMore: page.hasMore, into: &writer)
      }
      writer.endObject()
    }
  }
}
