import Classroom
import JSON
import SignalingProtocol

// The waiting room: who waits for the start or for a host, and how they come in.
extension RoomShard {
  /// What somebody comes as.
  struct Arrival {
    var actor: Actor
    /// The role before what hosts decided in the session.
    var granted: Role
    /// Whether the person may not come in, and asks for it.
    var isKnocking = false
  }

  /// As what somebody may come to a session.
  /// - Throws: as ``Classroom/Classroom/role(of:)``, and ``Refusal/denied`` for whom a host has turned away.
  func arrival(of identity: Identity, in classroom: Classroom) throws(Refusal) -> Arrival {
    var arrival: Arrival
    do throws(Refusal) {
      let role = try classroom.role(of: identity)
      arrival = Arrival(
        actor: Actor(user: identity.user, name: identity.name, role: role),
        granted: try classroom.grantedRole(of: identity))
    } catch {
      guard error == .forbidden, classroom.mayKnock(identity), !classroom.status.isOver else { throw error }
      arrival = Arrival(
        actor: Actor(user: identity.user, name: identity.name, role: .participant), granted: .participant,
        isKnocking: true)
    }
    if !classroom.lobby.isEmpty, classroom.lobby.hasDenied(identity.user), !arrival.actor.role.passesCapacity {
      throw .denied
    }
    return arrival
  }

  func wait(
    _ member: Member, id: Int64?, isAnswer: Bool = true, resumption: Resumption?, connection: ConnectionID,
    at now: Timestamp
  ) throws(Refusal) {
    let room = member.room
    let actor = member.actor
    if takesRecords(room) {
      _ = try decide(.wait(isApproved: !member.isKnocking), by: actor, in: room, at: now)
    }
    members[connection] = member
    room.waitingConnections.insert(connection)
    room.waitingByUser[actor.user, default: []].append(connection)
    if actor.role.isVisible, !member.isKnocking {
      room.waiting[actor.user, default: 0] += 1
      room.hasWaitingChanges = true
    }
    room.hasLobbyChanges = true
    scheduleFlush(of: room, at: now)
    sendJoined(to: connection, member, id: id, isAnswer: isAnswer, resumption: resumption, at: now)
    seat(member, connection: connection)
  }

  /// A connection waits no longer.
  /// - Parameter hasGone: whether the person has not come in: with the last connection the waiting ends.
  func stopWaiting(_ member: Member, connection: ConnectionID, hasGone: Bool, at now: Timestamp) {
    let room = member.room
    let user = member.actor.user
    guard room.waitingConnections.remove(connection) != nil else { return }
    room.waitingByUser[user]?.removeAll { $0 == connection }
    if room.waitingByUser[user]?.isEmpty == true { room.waitingByUser[user] = nil }
    room.hasLobbyChanges = true
    scheduleFlush(of: room, at: now)
    if hasGone, room.waitingByUser[user] == nil, takesRecords(room) {
      perform(.stopWaiting(at: now), by: member.actor, in: room, at: now)
    }
    guard member.actor.role.isVisible, !member.isKnocking, let count = room.waiting[user] else { return }
    room.waiting[user] = count > 1 ? count - 1 : nil
    room.hasWaitingChanges = true
  }

  /// Lets in those who wait and may come in, the longest first, as far as the capacity allows. Who must go on waiting for a
  /// seat is told so once, at the start.
  /// - Parameter users: only these; nil for all.
  func admitWaiting(in room: Room, users: [String]? = nil, isStart: Bool, at now: Timestamp) {
    guard takesRecords(room), room.classroom.status.isLive, !room.waitingConnections.isEmpty else { return }
    let connections = users.map { $0.flatMap { room.waitingByUser[$0] ?? [] } } ?? Array(room.waitingConnections)
    let waiting = connections.compactMap { connection in
      members[connection].map { (connection: connection, member: $0) }
    }
    for (connection, member) in waiting.sorted(by: { $0.member.ordinal < $1.member.ordinal }) {
      var member = member
      guard !member.isKnocking, !room.classroom.mustWait(member.actor) else { continue }
      do throws(Refusal) {
        try enter(&member, id: nil, isAnswer: false, resumption: nil, connection: connection, at: now)
        stopWaiting(member, connection: connection, hasGone: false, at: now)
      } catch {
        if isStart || users != nil {
          send(to: connection, from: room) { ServerMessage.error(ProtocolError(error), id: nil, into: &$0) }
        }
      }
    }
  }

  /// A session that was over goes on: who read comes in.
  func letReadersIn(to room: Room, at now: Timestamp) {
    let readers = members.filter { _, member in
      if case .reading = member.state { member.room === room } else { false }
    }
    for (connection, var member) in readers.sorted(by: { $0.value.ordinal < $1.value.ordinal }) {
      do throws(Refusal) {
        if room.classroom.mustWait(member.actor) {
          member.state = .waiting
          try wait(member, id: nil, isAnswer: false, resumption: nil, connection: connection, at: now)
        } else {
          try enter(&member, id: nil, isAnswer: false, resumption: nil, connection: connection, at: now)
        }
      } catch {
        dismiss(member, connection: connection, at: now) { writer in
          ServerMessage.sessionDismissed(room.classroom.id, for: error, at: now, into: &writer)
        }
      }
    }
  }

  /// The session is not one to wait for any more: who waited has been told, and may join another one.
  func sendHome(from room: Room, at now: Timestamp) {
    for connection in room.waitingConnections.sorted(by: { $0.rawValue < $1.rawValue }) {
      guard let member = members[connection] else { continue }
      stopWaiting(member, connection: connection, hasGone: false, at: now)
      depart(member, connection: connection)
    }
  }

  // MARK: What hosts decide

  /// Hosts have let these people in: they come in, or wait as people who may.
  func didAdmit(_ users: [String], in room: Room, at now: Timestamp) {
    for user in users {
      for connection in room.waitingByUser[user] ?? [] {
        guard var member = members[connection], member.isKnocking else { continue }
        member.isKnocking = false
        member.actor.role = room.classroom.conduct.role(of: user, granted: member.granted)
        members[connection] = member
        if member.actor.role.isVisible {
          room.waiting[user, default: 0] += 1
          room.hasWaitingChanges = true
        }
        guard !room.classroom.status.isLive else { continue }
        sendJoined(to: connection, member, id: nil, isAnswer: false, resumption: nil, at: now)
        seat(member, connection: connection)
      }
    }
    room.hasLobbyChanges = true
    scheduleFlush(of: room, at: now)
    admitWaiting(in: room, users: users, isStart: false, at: now)
  }

  /// A host has turned somebody away who waits.
  func didDeny(_ user: String, in room: Room, at now: Timestamp) {
    for connection in room.waitingByUser[user] ?? [] {
      guard let member = members[connection] else { continue }
      dismiss(member, connection: connection, at: now) { writer in
        ServerMessage.waitingDenied(session: room.classroom.id, at: now, into: &writer)
      }
    }
    room.hasLobbyChanges = true
    scheduleFlush(of: room, at: now)
  }

  /// The roster or the admission changed: who only knocked may have become somebody who may come in, and the other way round.
  func didChangeRoster(_ entries: [Roster.Entry], in room: Room, at now: Timestamp) {
    guard !room.waitingConnections.isEmpty else { return }
    let approved = entries.filter { $0.state.isIn && room.waitingByUser[$0.user] != nil }.map(\.user)
    for user in approved {
      guard takesRecords(room), let connection = room.waitingByUser[user]?.first, let member = members[connection],
        member.isKnocking
      else { continue }
      perform(.wait(isApproved: true), by: member.actor, in: room, at: now)
    }
    if !approved.isEmpty { didAdmit(approved, in: room, at: now) }
    for entry in entries where entry.state == .rejected { didDeny(entry.user, in: room, at: now) }
  }

  /// Sends a connection away from the session; it stays open, and may join another one.
  func dismiss(
    _ member: Member, connection: ConnectionID, at now: Timestamp, _ farewell: (inout JSONWriter) -> Void
  ) {
    let room = member.room
    send(to: connection, from: room, farewell)
    if case .waiting = member.state { stopWaiting(member, connection: connection, hasGone: false, at: now) }
    if let peer = member.peer { drop(peer, in: room, at: now) }
    depart(member, connection: connection)
  }

  /// The session does not exist any more, or not for this person: nobody stays in it.
  func dismissEveryone(from room: Room, at now: Timestamp) {
    let all = members.filter { $0.value.room === room }.sorted { $0.value.ordinal < $1.value.ordinal }
    for (connection, member) in all {
      dismiss(member, connection: connection, at: now) { writer in
        ServerMessage.sessionDeleted(room.classroom.id, at: now, into: &writer)
      }
    }
  }

  // MARK: What people are told

  /// Who leads the class is told who waits; who may come in, how many do and, when they are few, who.
  func flushWaiting(of room: Room, at now: Timestamp) {
    if room.hasWaitingChanges {
      room.hasWaitingChanges = false
      broadcastLatest(to: .waiting, of: room) { writeWaitingCount(of: room, at: now, into: &$0) }
    }
    // Of a room that rests on void records nothing is told but what is live.
    if room.hasLobbyChanges, !room.isFrozen {
      room.hasLobbyChanges = false
      room.hasToldLobby = true
      broadcastLatest(to: .leaders, of: room) { writeWaitingState(of: room, at: now, into: &$0) }
    }
  }

  func writeWaitingCount(of room: Room, at now: Timestamp, into writer: inout JSONWriter) {
    ServerMessage.waitingCount(
      room.waiting.count, people: fellows(in: room), session: room.classroom.id, at: now, into: &writer)
  }

  func writeWaitingState(of room: Room, at now: Timestamp, into writer: inout JSONWriter) {
    ServerMessage.waitingState(room.classroom.lobby, session: room.classroom.id, at: now, into: &writer)
  }

  /// Who waits, as others see it who wait: nobody when they are many.
  func fellows(in room: Room) -> [Lobby.Waiter]? {
    guard room.waiting.count <= ProtocolLimits.waitingNames, !room.isFrozen else { return nil }
    return room.classroom.lobby.waiting.filter { $0.isApproved && $0.role.isVisible }
  }
}
