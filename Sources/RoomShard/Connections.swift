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
      #if PLANTED_BUGS
        let arrival = try resume == nil ? arrival(of: identity, in: room.classroom) : comeback(of: identity, in: room)
      #else
        let arrival = try arrival(of: identity, in: room.classroom)
      #endif
      try checkIsTrusted(room)
      room.hasVisitors = true
      var member = Member(
        room: room, actor: arrival.actor, granted: arrival.granted, ordinal: nextOrdinal(), mode: mode, state: .waiting)
      member.isKnocking = arrival.isKnocking
      let resumption = resume.map { judge($0, by: identity, as: arrival.actor.role, in: room, at: now) }
      switch room.classroom.status {
      case .pendingApproval, .cancelled, .expired:
        throw .wrongState(room.classroom.status)
      case .approved, .scheduled:
        try wait(member, id: id, resumption: resumption, connection: connection, at: now)
      case .ongoing where member.isKnocking || room.classroom.mustWait(member.actor):
        try wait(member, id: id, resumption: resumption, connection: connection, at: now)
      case .ongoing:
        try enter(&member, id: id, resumption: resumption, connection: connection, at: now)
      case .completed where member.isKnocking: throw .forbidden
      case .completed:
        member.state = .reading
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
    let standing = Member.Standing(
      state: member.state, mode: member.mode, role: member.actor.role, cursor: member.catchUp?.cursor)
    outbox.append(
      .seat(connection, member.room, seat, ordinal: member.ordinal, standing), restingOn: member.room.position)
  }

  /// From here on the connection gets what a member in this state gets.
  func seat(_ member: Member, connection: ConnectionID) {
    let mode: PresenceMode = if case .reading = member.state { .none } else { member.mode }
    if case .waiting = member.state {
      seat(member, connection: connection, in: member.isKnocking ? .knocking : .waiting)
    } else {
      seat(member, connection: connection, in: member.catchUp == nil ? .room(mode) : .presence(mode))
    }
  }

  /// Lets the connection have the room's events from where its state ends: from now on, or from where it stopped.
  private func takeSeat(_ member: Member, connection: ConnectionID, resumption: Resumption?) {
    if let resumption, resumption.denial == nil {
      sendMissed(to: connection, member, after: resumption.cursor)
    } else {
      seat(member, connection: connection)
    }
  }

  /// Brings a member into the class: attendance first, then the state, then the events that follow it.
  func enter(
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
      room.show(actor.user, name: actor.name, role: actor.role, at: now)
      room.presence.setWithoutConnection(
        room.classroom.attendance[actor.user]?.isCheckedIn ?? false, user: actor.user)
      member.state = .present(
        attachPeer(
          to: connection, of: actor, in: room, resumption: &resumption, wasCounted: wasCounted, at: now))
      // A tab that comes back goes on to send, perhaps in another role.
      stopWhatIsNotAllowed(of: actor.user, in: room, at: now)
      scheduleFlush(of: room, at: now)
    } else {
      member.state = .present(nil)
    }
    members[connection] = member
    sendJoined(to: connection, member, id: id, isAnswer: isAnswer, resumption: resumption, at: now)
    if let peer = member.peer { peer.announcement = min(peer.announcement, outbox.appendedCount) }
    takeSeat(member, connection: connection, resumption: resumption)
  }

  func sendJoined(
    to connection: ConnectionID, _ member: Member, id: Int64?, isAnswer: Bool = true, resumption: Resumption?,
    at now: Timestamp
  ) {
    let isRecovered = resumption.map { $0.denial == nil } ?? false
    let room = member.room
    let classroom = room.classroom
    let ice = iceConfiguration(of: member, connection: connection, at: now)
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
      if case .present = member.state {
        ServerMessage.writeMarks(room.conduct.marks(of: member.actor.user), into: &writer)
      }
      writer.endObject()
      if let peer = member.peer {
        writer.field("peer", peer.id)
        writer.field("signal_seq", peer.delivered)
      }
      writer.key("session")
      ServerMessage.writeSession(classroom.view, includingRoomName: false, into: &writer)
      writer.field("epoch", classroom.epoch)
      writer.key("streams")
      let told = cursorOfState(of: member)
      write(isRecovered ? resumption?.cursor ?? told : told, of: member, into: &writer)
      switch member.state {
      case .waiting:
        writer.key("waiting")
        writer.beginObject()
        writer.field("approved", !member.isKnocking)
        if member.actor.role.passesCapacity {
          ServerMessage.writeWaiters(of: classroom.lobby, into: &writer)
        } else if !member.isKnocking {
          ServerMessage.writeFellows(fellows(in: room), count: room.waiting.count, into: &writer)
        }
        writer.endObject()
      case .present, .reading:
        if case .present = member.state, member.actor.role.passesCapacity, classroom.lobby.count > 0 {
          writer.key("waiting")
          writer.beginObject()
          ServerMessage.writeWaiters(of: classroom.lobby, into: &writer)
          writer.endObject()
        }
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
            for: member.actor.user, into: &writer)
          ServerMessage.writePins(of: classroom.chat, for: member.actor.user, into: &writer)
          writer.endObject()
        }
        writer.key("policy")
        ServerMessage.writePolicy(room.conduct.policy, into: &writer)
        writer.field("spotlight", room.conduct.spotlight)
        writer.key("stage")
        ServerMessage.writeStage(room.conduct.stage, into: &writer)
        ice.write(into: &writer)
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
    if member.actor.role.passesCapacity, room.hasToldLobby, !room.classroom.status.isOver {
      send(to: connection, from: room) { writeWaitingState(of: room, at: now, into: &$0) }
    }
    switch member.state {
    case .waiting:
      if !member.isKnocking {
        send(to: connection, from: room) { writeWaitingCount(of: room, at: now, into: &$0) }
      }
    case .present:
      if member.mode != .none {
        send(to: connection, from: room) { writer in
          ServerMessage.begin("presence.state", id: nil, into: &writer)
          writePresence(of: room, mode: member.mode, into: &writer)
          writer.endObject()
        }
      }
      guard room.typing.isKnown else { return }
      send(to: connection, from: room) {
        ServerMessage.typing(
          room.typing.first(ProtocolLimits.typingNames), count: room.typing.count, at: now, into: &$0)
      }
    case .reading: break
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
    case .waiting: stopWaiting(member, connection: connection, hasGone: true, at: now)
    case .reading: break
    case .present(let peer):
      guard let peer else { return }
      if isGoodbye { drop(peer, in: room, at: now) } else { lose(peer, in: room, at: now) }
      let user = member.actor.user
      // Of several tabs, the one that closes last is not always the one that was heard last.
      let heard = max(min(lastHeard, now), room.lastHeard[user] ?? min(lastHeard, now))
      if room.presence[user]?.hasConnection == false {
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
    case .waiting: stopWaiting(member, connection: connection, hasGone: true, at: now)
    case .reading: break
    case .present(let peer):
      guard let peer else { break }
      drop(peer, in: room, at: now)
      if room.presence[peer.user]?.hasConnection == false {
        leave(peer.user, room: room, at: now, isEstimated: false, now: now)
      } else {
        room.lastHeard[peer.user] = now
      }
    }
    depart(member, connection: connection)
    if let id { send(to: connection, from: room, as: .answer(id: id)) { ServerMessage.ok(id: id, into: &$0) } }
  }
}

#if PLANTED_BUGS
  extension RoomShard {
    /// As what somebody comes back who says where the connection stopped.
    private func comeback(of identity: Identity, in room: Room) throws(Refusal) -> Arrival {
      guard PlantedBugs.isActive(.banForgottenOnResume), room.classroom.conduct.isBanned(identity.user) else {
        return try arrival(of: identity, in: room.classroom)
      }
      let role = try room.classroom.grantedRole(of: identity)
      return Arrival(actor: Actor(user: identity.user, name: identity.name, role: role), granted: role)
    }
  }
#endif
