import Classroom
import JSON
import SignalingProtocol

#if PLANTED_BUGS
  import PlantedBugs
#endif

// How connections come into a room and leave it.
extension RoomShard {
  /// A connection asks to join a session of this shard; `resume` is what it says of an earlier one.
  public func join(
    _ identity: Identity, session: String, presence mode: PresenceMode, resume: ClientMessage.Resume?, id: Int64?,
    connection: ConnectionID, at now: Timestamp
  ) {
    if closing.contains(connection) { return }
    if park(identity, session: session, presence: mode, resume: resume, id: id, connection: connection) { return }
    if let member = members[connection] {
      refuse(
        ProtocolError(.alreadyJoined, "This connection is in a session; leave it first."), id: id, to: connection,
        restingOn: member.room.position)
      return
    }
    guard let room = rooms[session] else {
      refuse(ProtocolError(Refusal.notFound), id: id, to: connection, restingOn: 0)
      return
    }
    do throws(Refusal) {
      let role = try room.classroom.role(of: identity)
      try checkIsTrusted(room)
      room.hasVisitors = true
      var member = Member(
        room: room, actor: Actor(user: identity.user, name: identity.name, role: role), ordinal: nextOrdinal(),
        mode: mode, state: .waiting)
      let resumption = resume.map { judge($0, by: identity, in: room, at: now) }
      switch room.classroom.status {
      case .scheduled:
        members[connection] = member
        wait(member, id: id, resumption: resumption, connection: connection, at: now)
      case .ongoing:
        try enter(&member, id: id, resumption: resumption, connection: connection, at: now)
      case .completed:
        member.state = .reading
        member.mode = .none
        members[connection] = member
        sendJoined(to: connection, member, id: id, resumption: resumption, at: now)
        takeSeat(member, connection: connection, resumption: resumption)
      }
    } catch {
      refuse(ProtocolError(error), id: id, to: connection, restingOn: room.position)
    }
  }

  /// From here on the connection gets what the seat gets.
  func seat(_ member: Member, connection: ConnectionID, in seat: Audience.Seat) {
    let standing = Member.Standing(state: member.state, mode: member.mode, cursor: member.catchUp?.cursor)
    outbox.append(
      .seat(connection, member.room, seat, ordinal: member.ordinal, standing), restingOn: member.room.position)
  }

  /// From here on the connection gets what a member in this state gets.
  func seat(_ member: Member, connection: ConnectionID) {
    let mode: PresenceMode = if case .reading = member.state { .none } else { member.mode }
    if case .waiting = member.state {
      seat(member, connection: connection, in: .waiting)
    } else {
      seat(member, connection: connection, in: member.catchUp == nil ? .room(mode) : .presence(mode))
    }
  }

  private func wait(
    _ member: Member, id: Int64?, resumption: Resumption?, connection: ConnectionID, at now: Timestamp
  ) {
    let room = member.room
    room.waitingConnections.insert(connection)
    if member.actor.role.isVisible {
      room.waiting[member.actor.user, default: 0] += 1
      room.hasWaitingChanges = true
      scheduleFlush(of: room, at: now)
    }
    sendJoined(to: connection, member, id: id, resumption: resumption, at: now)
    seat(member, connection: connection, in: .waiting)
  }

  /// Lets the connection have the room's events from where its state ends: from now on, or from where it stopped.
  private func takeSeat(_ member: Member, connection: ConnectionID, resumption: Resumption?) {
    if let resumption, resumption.denial == nil {
      sendMissed(to: connection, member, after: resumption.room)
    } else {
      seat(member, connection: connection, in: .room(member.mode))
    }
  }

  /// Brings a member into the class: attendance first, then the state, then the events that follow it.
  private func enter(
    _ member: inout Member, id: Int64?, isAnswer: Bool = true, resumption: Resumption?, connection: ConnectionID,
    at now: Timestamp
  ) throws(Refusal) {
    let room = member.room
    let actor = member.actor
    let wasCounted = room.presence[actor.user] != nil
    var resumption = resumption
    _ = try decide(.join, by: actor, in: room, at: now)
    if actor.role.isVisible {
      room.detachments[actor.user] = nil
      room.presence.enter(user: actor.user, name: actor.name, role: actor.role, at: now)
      member.state = .present(
        attachPeer(
          to: connection, of: actor, in: room, resumption: &resumption, wasCounted: wasCounted, at: now))
      scheduleFlush(of: room, at: now)
    } else {
      member.state = .present(nil)
    }
    members[connection] = member
    sendJoined(to: connection, member, id: id, isAnswer: isAnswer, resumption: resumption, at: now)
    if let peer = member.peer { peer.announcement = min(peer.announcement, outbox.appendedCount) }
    takeSeat(member, connection: connection, resumption: resumption)
  }

  /// Lets in those who wait, the longest first, as far as the capacity allows. Who must go on waiting is told so once,
  /// at the start.
  func admitWaiting(in room: Room, isStart: Bool, at now: Timestamp) {
    guard takesRecords(room), room.classroom.status.isLive, !room.waitingConnections.isEmpty else { return }
    let waiting = room.waitingConnections.compactMap { connection in
      members[connection].map { (connection: connection, member: $0) }
    }
    for (connection, member) in waiting.sorted(by: { $0.member.ordinal < $1.member.ordinal }) {
      var member = member
      do throws(Refusal) {
        try enter(&member, id: nil, isAnswer: false, resumption: nil, connection: connection, at: now)
        stopWaiting(member, connection: connection, at: now)
      } catch {
        if isStart {
          send(to: connection, from: room) { ServerMessage.error(ProtocolError(error), id: nil, into: &$0) }
        }
      }
    }
  }

  func stopWaiting(_ member: Member, connection: ConnectionID, at now: Timestamp) {
    let room = member.room
    room.waitingConnections.remove(connection)
    guard member.actor.role.isVisible, let count = room.waiting[member.actor.user] else { return }
    room.waiting[member.actor.user] = count > 1 ? count - 1 : nil
    room.hasWaitingChanges = true
    scheduleFlush(of: room, at: now)
  }

  func sendJoined(
    to connection: ConnectionID, _ member: Member, id: Int64?, isAnswer: Bool = true, resumption: Resumption?,
    at now: Timestamp
  ) {
    let isRecovered = resumption.map { $0.denial == nil } ?? false
    let room = member.room
    let classroom = room.classroom
    send(to: connection, from: room, as: isAnswer ? .answer(id: id) : .event) { writer in
      ServerMessage.begin("session.joined", id: id, into: &writer)
      writer.field("at", now.milliseconds)
      switch member.state {
      case .waiting: writer.field("state", "waiting")
      case .present: writer.field("state", "present")
      case .reading: writer.field("state", "ended")
      }
      writer.key("you")
      writer.beginObject()
      writer.field("user", member.actor.user)
      writer.field("name", member.actor.name)
      writer.field("role", member.actor.role.rawValue)
      writer.endObject()
      if let peer = member.peer {
        writer.field("peer", peer.id)
        writer.field("signal_seq", peer.delivered)
      }
      writer.key("session")
      ServerMessage.writeSession(classroom.view, includingRoomName: false, into: &writer)
      writer.field("epoch", classroom.epoch)
      writer.key("streams")
      writer.beginObject()
      writer.field("room", isRecovered ? resumption?.room ?? 0 : classroom.streamSequence)
      writer.endObject()
      switch member.state {
      case .waiting:
        writer.key("waiting")
        writer.beginObject()
        writer.field("count", room.waiting.count)
        writer.endObject()
      case .present, .reading:
        if case .present = member.state {
          writer.key("presence")
          writer.beginObject()
          writePresence(of: room, mode: member.mode, into: &writer)
          writer.endObject()
        }
        if !isRecovered {
          writer.key("chat")
          writer.beginObject()
          ServerMessage.writeChat(
            classroom.chat.page(
              before: nil, limit: ProtocolLimits.historyDefault, textBytes: ProtocolLimits.historyTextBytes),
            into: &writer)
          writer.endObject()
        }
        writer.key("ice_servers")
        writer.beginArray()
        writer.endArray()
      }
      writer.field("resume_token", sealer.seal(claim(of: member, at: now)))
      writer.field("recovered", isRecovered)
      if let denial = resumption?.denial { writer.field("not_recovered", denial.rawValue) }
      if let hasSignals = resumption?.hasSignals { writer.field("signals_recovered", hasSignals) }
      writer.endObject()
    }
  }

  /// The state that a client in this mode begins with.
  func writePresence(of room: Room, mode: PresenceMode, into writer: inout JSONWriter) {
    if mode == .count, room.presence.count != room.announcedCount { room.announcedCount = nil }
    ServerMessage.writePresence(
      mode: mode, sequence: room.presence.sequence, count: room.presence.count,
      page: page(of: room, mode: mode, after: 0),
      into: &writer)
  }

  /// Tells a connection how things stand, for which ``ShardSink/broadcastLatest(_:to:)`` left something out.
  public func tellLatest(to connection: ConnectionID, at now: Timestamp) {
    guard !closing.contains(connection), let member = members[connection], !member.room.isFrozen else { return }
    let room = member.room
    switch member.state {
    case .waiting:
      send(to: connection, from: room) {
        ServerMessage.waitingCount(room.waiting.count, session: room.classroom.id, at: now, into: &$0)
      }
    case .present where member.mode != .none:
      send(to: connection, from: room) { writer in
        ServerMessage.begin("presence.state", id: nil, into: &writer)
        writePresence(of: room, mode: member.mode, into: &writer)
        writer.endObject()
      }
    case .present, .reading: break
    }
  }

  func page(of room: Room, mode: PresenceMode, after cursor: UInt64) -> Presence.Page {
    switch mode {
    case .full: room.presence.page(after: cursor, limit: ProtocolLimits.presencePage)
    case .hosts:
      room.presence.page(after: cursor, limit: ProtocolLimits.presencePage) { $0.role.isHosting }
    case .count, .none: .empty
    }
  }

  // MARK: Going

  /// A socket is gone. The person has the grace to come back; `lastHeard` is when it last showed life.
  /// - Parameter isGoodbye: whether the client itself closed it as done with (1000, 1001): then its address is given up at
  ///   once, while the person keeps the grace.
  public func connectionClosed(
    _ connection: ConnectionID, lastHeard: Timestamp, isGoodbye: Bool = false, at now: Timestamp
  ) {
    closing.remove(connection)
    parking.remove(connection)
    for departed in departing.removeValue(forKey: connection) ?? [] { departed.room.audience.remove(connection) }
    guard let member = members.removeValue(forKey: connection) else { return }
    let room = member.room
    room.audience.remove(connection)
    catchUps.remove(connection)
    switch member.state {
    case .waiting: stopWaiting(member, connection: connection, at: now)
    case .reading: break
    case .present(let peer):
      guard let peer else { return }
      if isGoodbye { drop(peer, in: room, at: now) } else { lose(peer, in: room, at: now) }
      let user = member.actor.user
      // Of several tabs, the one that closes last is not always the one that was heard last.
      let heard = max(min(lastHeard, now), room.lastHeard[user] ?? min(lastHeard, now))
      if room.presence[user]?.isReconnecting == true {
        room.lastHeard[user] = nil
        detach(user, from: room, since: heard, isEstimated: false, at: now)
      } else {
        room.lastHeard[user] = heard
      }
    }
  }

  /// A connection is no member any more. Until that is safe it gets what the others get: it may turn out never to have left.
  func depart(_ member: Member, connection: ConnectionID) {
    members[connection] = nil
    catchUps.remove(connection)
    departing[connection, default: []].append(member)
    outbox.append(.unseat(connection, member.room, ordinal: member.ordinal), restingOn: member.room.position)
  }

  /// Somebody leaves with this tab; with the last one attendance ends at once.
  func leave(_ member: Member, id: Int64?, connection: ConnectionID, at now: Timestamp) throws(ProtocolError) {
    let room = member.room
    if !takesRecords(room), let peer = member.peer,
      room.presence[peer.user]?.peers.contains(where: { $0.isConnected && $0.id != peer.id }) == false
    {
      throw ProtocolError(Refusal.storageUnavailable(isCertain: true))
    }
    members[connection] = nil
    catchUps.remove(connection)
    switch member.state {
    case .waiting: stopWaiting(member, connection: connection, at: now)
    case .reading: break
    case .present(let peer):
      guard let peer else { break }
      drop(peer, in: room, at: now)
      if room.presence[peer.user]?.isReconnecting == true {
        leave(peer.user, room: room, at: now, isEstimated: false, now: now)
      } else {
        room.lastHeard[peer.user] = now
      }
    }
    depart(member, connection: connection)
    if let id { send(to: connection, from: room, as: .answer(id: id)) { ServerMessage.ok(id: id, into: &$0) } }
  }
}
