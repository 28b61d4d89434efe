import Classroom
import SignalingProtocol

// How a shard goes on when the disk can be written again.
extension RoomShard {
  /// The storage can be written again.
  ///
  /// Frozen rooms go on with what the disk has: events that turn out to be there are told, everybody present gets a whole
  /// `presence.state`, and everybody waiting the count. Then what could not be written meanwhile is made up for: who was lost or
  /// gone leaves as of when they were last heard, and who waits comes in.
  /// - Parameter stored: every session of ``frozenSessions`` as the disk has it; nil when the disk does not know it. One that
  ///   is not named stays frozen until a later call names it.
  public func storageHealed(_ stored: [String: Classroom?], at now: Timestamp) {
    trouble = nil
    let members = membersByRoom()
    for session in frozenSessions {
      guard let room = rooms[session], let entry = stored[session] else { continue }
      if let classroom = entry {
        thaw(room, as: classroom, members: members[ObjectIdentifier(room)] ?? [], at: now)
      } else {
        vanish(room, members: members[ObjectIdentifier(room)] ?? [], at: now)
      }
    }
    for session in sessions {
      guard let room = rooms[session], !room.isFrozen else { continue }
      makeUpForDepartures(from: room, at: now)
      makeUpForWaiting(in: room, at: now)
      updateAgenda(of: room, at: now)
    }
  }

  /// The disk does not know the session: it does not exist.
  private func vanish(_ room: Room, members: [(connection: ConnectionID, member: Member)], at now: Timestamp) {
    for (connection, _) in members { turnAway(connection, from: room) }
    outbox.append(.retract(room.classroom.id), restingOn: 0)
    room.detachments = [:]
    rooms[room.classroom.id] = nil
  }

  /// What the connection knows of the session counts no longer: it is to come again.
  private func turnAway(_ connection: ConnectionID, from room: Room) {
    if let peer = members.removeValue(forKey: connection)?.peer { peer.attach(nil) }
    room.audience.remove(connection)
    end(connection, for: .serviceRestart, restingOn: 0)
  }

  private func thaw(
    _ room: Room, as classroom: Classroom, members: [(connection: ConnectionID, member: Member)], at now: Timestamp
  ) {
    guard let told = room.frozen else { return }
    let hasOtherHistory =
      classroom.epoch != room.classroom.epoch || classroom.streamSequence < told.streamSequence
      || classroom.conduct.hosts.last < told.conduct.hosts.last
    room.classroom = classroom
    room.frozen = nil
    room.position = 0
    publish(room)
    relateEverybody(of: room)
    var members = members
    if hasOtherHistory {
      // The disk has lost what was told; the numbers that clients hold mean something else now.
      for (connection, _) in members { turnAway(connection, from: room) }
      members = []
      room.peers = [:]
      room.waitingConnections = []
      room.waitingByUser = [:]
      room.waiting = [:]
    } else {
      tellMissed(in: room, after: told, at: now)
      takeRoles(of: members, in: room, told: told)
      members = members.compactMap { member in self.members[member.connection].map { (member.connection, $0) } }
    }
    guard classroom.status.isLive else {
      if classroom.status.isOver, !told.status.isOver {
        if classroom.status == .completed { empty(room, at: now) } else { sendHome(from: room, at: now) }
        noteArchivable(room, at: now)
      } else {
        tellWaiting(in: room, at: now)
      }
      return
    }

    let people = classroom.attendance.rows.values.filter(\.isActive)
    // Whose leaving turns out to be on the disk is there again with what follows.
    reconcilePresence(of: room, with: people, members: members.map(\.member))
    silence(room, at: now) { [conduct = classroom.conduct] user, role in !conduct.maySpeak(user, role: role) }
    didChangeStage(to: classroom.conduct.stage, in: room, at: now)
    rememberDepartures(of: people, from: room, at: now)
    if !members.isEmpty { tellPresence(of: room, at: now) }
    tellWaiting(in: room, at: now)

    for (connection, member) in members {
      guard member.peer != nil, let row = classroom.attendance[member.actor.user] else { continue }
      if !row.isActive || row.absence != nil { letInAgain(member, connection: connection, at: now) }
    }
    admitWaiting(in: room, isStart: !told.status.isLive, at: now)
    if told.status == .completed { letReadersIn(to: room, at: now) }
  }

  /// Tells the events that were not told because nobody knew that the disk has them.
  private func tellMissed(in room: Room, after told: Room.Frozen, at now: Timestamp) {
    let session = room.classroom.id
    for event in room.classroom.stream.events(after: told.streamSequence, limit: .max, textBytes: .max) {
      broadcast(to: .everyone, of: room) { ServerMessage.streamEvent(event, session: session, into: &$0) }
      if case .status(let change) = event.content { tellWaiting(change, by: event.by, in: room, at: event.at) }
    }
  }

  /// Gives each member the role that the disk has, with what was missed of the streams that not everybody gets.
  private func takeRoles(
    of members: [(connection: ConnectionID, member: Member)], in room: Room, told: Room.Frozen
  ) {
    let conduct = room.classroom.conduct
    let known = told.conduct
    tellMissed(.hosts, in: room, after: known.hosts.last)
    var users: Set<String> = []
    for (connection, var member) in members {
      let user = member.actor.user
      if users.insert(user).inserted { tellMissed(.user(user), in: room, after: known.stream(.user(user)).last) }
      let role = conduct.role(of: user, granted: member.granted)
      guard role != member.actor.role, !member.isKnocking else { continue }
      member.actor.role = role
      let start = role.isModerating ? conduct.hostsCursor(of: user, known: nil) : nil
      if member.catchUp != nil {
        member.catchUp?.cursor.hosts = start
      } else if let start, case .present = member.state {
        for event in conduct.hosts.events(after: start, limit: .max, textBytes: .max) {
          send(to: connection, from: room) {
            ServerMessage.streamEvent(event, in: .hosts, session: room.classroom.id, into: &$0)
          }
        }
      }
      self.members[connection] = member
      seat(member, connection: connection)
    }
  }

  private func tellMissed(_ name: StreamName, in room: Room, after sequence: UInt64) {
    for event in room.classroom.conduct.stream(name).events(after: sequence, limit: .max, textBytes: .max) {
      broadcast(to: .stream(name), of: room) {
        ServerMessage.streamEvent(event, in: name, session: room.classroom.id, into: &$0)
      }
    }
  }

  /// Notes who of the people in attendance has no connection.
  private func rememberDepartures(of people: [Attendance.Row], from room: Room, at now: Timestamp) {
    let known = room.detachments
    room.detachments = [:]
    for row in people where room.presence[row.user]?.hasConnection == false && !row.isCheckedIn {
      if let absence = row.absence, var detachment = known[row.user] {
        detachment.since = absence.since
        detachment.isEstimated = absence.isEstimated
        room.detachments[row.user] = detachment
      } else if let detachment = known[row.user] {
        room.detachments[row.user] = detachment
      } else {
        awaitReturn(
          of: row.user, to: room, since: row.absence?.since ?? now, isEstimated: row.absence?.isEstimated ?? false,
          isBetweenHeartbeats: row.absence?.isBetweenHeartbeats ?? false, at: now)
      }
    }
  }

  /// Sends everybody who is present the people that are here, whatever they were told before.
  private func tellPresence(of room: Room, at now: Timestamp) {
    _ = room.presence.takeDifference()
    for mode in PresenceMode.allCases where mode != .none {
      broadcast(to: .presence(mode), of: room) { writer in
        ServerMessage.begin("presence.state", id: nil, into: &writer)
        writePresence(of: room, mode: mode, into: &writer)
        writer.endObject()
      }
    }
    room.announcedCount = room.presence.count
  }

  private func tellWaiting(in room: Room, at now: Timestamp) {
    room.hasWaitingChanges = false
    broadcast(to: .waiting, of: room) { writeWaitingCount(of: room, at: now, into: &$0) }
    room.hasLobbyChanges = true
    scheduleFlush(of: room, at: now)
  }

  /// Opens the attendance of somebody who is connected and whom the disk has as gone.
  private func letInAgain(_ member: Member, connection: ConnectionID, at now: Timestamp) {
    let room = member.room
    do throws(Refusal) {
      _ = try decide(.join, by: member.actor, in: room, at: now)
      room.detachments[member.actor.user] = nil
      room.show(member.actor.user, name: member.actor.name, role: member.actor.role, at: now)
      if let peer = member.peer { show(peer, in: room) }
      scheduleFlush(of: room, at: now)
    } catch {
      if let peer = member.peer { room.peers[peer.id] = nil }
      turnAway(connection, from: room)
    }
  }

  /// Writes down who came to wait, and went, while that could not be written.
  private func makeUpForWaiting(in room: Room, at now: Timestamp) {
    for waiter in room.classroom.lobby.waiting where room.waitingByUser[waiter.user] == nil {
      let actor = Actor(user: waiter.user, name: waiter.name, role: waiter.role)
      perform(.stopWaiting(at: now), by: actor, in: room, at: now)
    }
    for (user, connections) in room.waitingByUser.sorted(by: { $0.key < $1.key }) {
      guard room.classroom.lobby[user] == nil, let member = connections.first.flatMap({ members[$0] }) else { continue }
      perform(.wait(isApproved: !member.isKnocking), by: member.actor, in: room, at: now)
    }
  }

  /// Writes down who was lost or gone while that could not be written.
  private func makeUpForDepartures(from room: Room, at now: Timestamp) {
    for (user, detachment) in room.detachments.sorted(by: { $0.key < $1.key }) {
      guard let row = room.classroom.attendance[user], row.isActive else { continue }
      if detachment.deadline <= now, let absence = row.absence, absence.isBetweenHeartbeats {
        // What was said meanwhile could not be written down.
        awaitReturn(
          of: user, to: room, since: absence.since, isEstimated: false, isBetweenHeartbeats: true, at: now)
      } else if detachment.deadline <= now {
        room.detachments[user] = nil
        leave(user, room: room, at: detachment.since, isEstimated: detachment.isEstimated, now: now)
      } else if row.absence == nil {
        perform(
          .lose(since: detachment.since, isEstimated: detachment.isEstimated),
          by: Actor(user: user, name: row.name, role: row.role), in: room, at: now)
      }
    }
  }
}
