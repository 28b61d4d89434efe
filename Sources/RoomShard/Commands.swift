import Classroom
import JSON
import SignalingProtocol

#if PLANTED_BUGS
  import PlantedBugs
#endif

// What people in a room ask for.
extension RoomShard {
  /// A command of a connection, other than `hello`, `session.join` and `ping`, which come before a room.
  public func handle(_ message: ClientMessage, id: Int64?, from connection: ConnectionID, at now: Timestamp) {
    if closing.contains(connection) || park(message, id: id, from: connection) { return }
    guard let member = members[connection] else {
      refuse(ProtocolError(.notJoined, "Join a session first."), id: id, to: connection, restingOn: 0)
      return
    }
    do throws(ProtocolError) {
      try checkIsTrusted(member.room, for: message, from: member)
      switch message {
      case .chatSend(let text, let key):
        try carryOut(.sendChat(text: text), key: key, id: id, from: connection, member, at: now)
      case .chatHistory(let before, let limit):
        try sendHistory(before: before, limit: limit, id: id, to: connection, member)
      case .signal(let target, let kind, let negotiation, let payload):
        try relay(
          kind, to: target, negotiation: negotiation, payload: payload, id: id, from: connection, member, at: now)
      case .mediaSet(let audio, let video, let screen):
        try setMedia(audio: audio, video: video, screen: screen, id: id, from: connection, member, at: now)
      case .presenceSubscribe(let mode):
        try subscribe(mode, id: id, connection: connection, member)
      case .presencePage(let cursor):
        try sendPage(after: cursor, id: id, to: connection, member)
      case .sessionStart(let key):
        try carryOut(.start, key: key, id: id, from: connection, member, at: now)
      case .sessionEnd(let key):
        try carryOut(.end, key: key, id: id, from: connection, member, at: now)
      case .sessionLeave:
        try leave(member, id: id, connection: connection, at: now)
      case .perform(let command, let key):
        try carryOut(command, key: key, id: id, from: connection, member, at: now)
      case .attendanceGet(let after, let limit):
        try sendAttendance(after: after, limit: limit, id: try required(id), to: connection, member, at: now)
      case .participantBans(let after, let limit):
        try sendBans(after: after, limit: limit, id: try required(id), to: connection, member)
      case .privateHistory(let before, let limit):
        try sendPrivateHistory(before: before, limit: limit, id: id, to: connection, member)
      case .chatTyping(let isOn):
        try setTyping(isOn, id: id, from: connection, member, at: now)
      case .presenceAway(let isOn):
        try setAway(isOn, id: id, from: connection, member, at: now)
      case .hello, .sessionJoin, .ping, .sessionsWatch, .tokenRenew:
        preconditionFailure("the connection answers these itself")
      }
    } catch {
      refuse(error, id: id, to: connection, restingOn: member.room.position)
    }
  }

  // MARK: Life cycle

  /// Does what it brings with it that the session went on.
  func didChangeStatus(_ events: [RecordedEvent], in room: Room, at now: Timestamp) {
    guard let status = events.lazy.compactMap(\.event.newStatus).last else { return }
    publish(room)
    switch status {
    case .approved, .scheduled: break
    case .pendingApproval, .cancelled, .expired:
      sendHome(from: room, at: now)
      if status.isOver { noteArchivable(room, at: now) }
    case .ongoing:
      for case .joined(let user, let name, let role) in events.map(\.event) {
        room.show(user, name: name, role: role, at: now)
        scheduleFlush(of: room, at: now)
      }
      admitWaiting(in: room, isStart: true, at: now)
      letReadersIn(to: room, at: now)
      // Who starts the class from elsewhere is there without a socket.
      for case .joined(let user, _, _) in events.map(\.event) where room.presence[user]?.hasConnection == false {
        awaitHeartbeat(of: user, in: room, isByRequest: false, at: now)
      }
    case .completed:
      empty(room, at: now)
      noteArchivable(room, at: now)
    }
  }

  /// Nobody is in a session that is over; who is connected reads.
  func empty(_ room: Room, at now: Timestamp) {
    noteEnd(of: room)
    room.presence = Presence()
    room.announcedCount = 0
    room.detachments = [:]
    room.lastHeard = [:]
    room.typing = Typing()
    // Observers have no peer: all members are looked at.
    let present = members.filter { _, member in
      if case .present = member.state { member.room === room } else { false }
    }
    for (connection, var member) in present.sorted(by: { $0.value.ordinal < $1.value.ordinal }) {
      member.state = .reading
      members[connection] = member
      seat(member, connection: connection)
    }
    for peer in room.peers.values { peer.attach(nil) }
    room.peers = [:]
    for connection in room.waitingConnections.sorted(by: { $0.rawValue < $1.rawValue }) {
      guard var member = members[connection] else { continue }
      stopWaiting(member, connection: connection, hasGone: false, at: now)
      guard !member.isKnocking else {
        depart(member, connection: connection)
        continue
      }
      member.state = .reading
      members[connection] = member
      sendJoined(to: connection, member, id: nil, isAnswer: false, resumption: nil, at: now)
      seat(member, connection: connection)
    }
  }

  // MARK: Chat

  /// The id of a question, without which there is no telling its answer.
  func required(_ id: Int64?) throws(ProtocolError) -> Int64 {
    guard let id else {
      throw ProtocolError(.missingField, "A question needs an id to be answered under.", field: "id")
    }
    return id
  }

  private func sendHistory(
    before: UInt64?, limit: Int, id: Int64?, to connection: ConnectionID, _ member: Member
  ) throws(ProtocolError) {
    let room = member.room
    if case .waiting = member.state { throw ProtocolError(Refusal.wrongState(room.classroom.status)) }
    let id = try required(id)
    send(to: connection, from: room, as: .answer(id: id)) { writer in
      ServerMessage.begin("ok", id: id, into: &writer)
      ServerMessage.writeChat(
        room.classroom.chat.page(before: before, limit: limit, textBytes: ProtocolLimits.historyTextBytes),
        for: member.actor.user, into: &writer)
      writer.endObject()
    }
  }

  // MARK: Presence

  func peer(of member: Member) throws(ProtocolError) -> Peer {
    switch member.state {
    case .present(let peer?): return peer
    case .present(nil): throw ProtocolError(Refusal.forbidden)
    case .waiting, .reading: throw ProtocolError(Refusal.wrongState(member.room.classroom.status))
    }
  }

  private func setMedia(
    audio: Bool?, video: Bool?, screen: Bool?, id: Int64?, from connection: ConnectionID, _ member: Member,
    at now: Timestamp
  ) throws(ProtocolError) {
    let peer = try peer(of: member)
    let room = member.room
    let user = member.actor.user
    #if PLANTED_BUGS
      let mayAlwaysSpeak = PlantedBugs.isActive(.muteIgnored)
    #else
      let mayAlwaysSpeak = false
    #endif
    // What a person may is the same in every tab: what presence shows.
    let role = room.presence[user]?.role ?? member.actor.role
    if audio == true, !mayAlwaysSpeak, !room.conduct.maySpeak(user, role: role) {
      throw ProtocolError(Refusal.muted)
    }
    var media = room.presence[user]?.peers.first { $0.id == peer.id }?.media ?? Presence.Media()
    media.audio = audio ?? media.audio
    media.video = video ?? media.video
    media.screen = screen ?? media.screen
    try checkStage(media, of: member)
    room.presence.setMedia(media, of: peer.id, user: user)
    peer.media = media
    scheduleFlush(of: room, at: now)
    if let id { send(to: connection, from: room, as: .liveAnswer(id: id)) { ServerMessage.ok(id: id, into: &$0) } }
  }

  private func subscribe(
    _ mode: PresenceMode, id: Int64?, connection: ConnectionID, _ member: Member
  ) throws(ProtocolError) {
    let room = member.room
    members[connection]?.mode = mode
    var member = member
    member.mode = mode
    guard case .present = member.state else {
      // It takes effect when the session starts; after the end there is nobody to see.
      seat(member, connection: connection)
      if let id { send(to: connection, from: room, as: .answer(id: id)) { ServerMessage.ok(id: id, into: &$0) } }
      return
    }
    send(to: connection, from: room, as: .answer(id: id)) { writer in
      ServerMessage.begin("presence.state", id: id, into: &writer)
      writePresence(of: room, mode: mode, into: &writer)
      writer.endObject()
    }
    seat(member, connection: connection)
  }

  private func sendPage(
    after cursor: UInt64, id: Int64?, to connection: ConnectionID, _ member: Member
  ) throws(ProtocolError) {
    let room = member.room
    guard case .present = member.state else { throw ProtocolError(Refusal.wrongState(room.classroom.status)) }
    let id = try required(id)
    send(to: connection, from: room, as: .answer(id: id)) { writer in
      ServerMessage.begin("ok", id: id, into: &writer)
      ServerMessage.writePage(page(of: room, mode: member.mode, after: cursor), into: &writer)
      writer.endObject()
    }
  }
}
