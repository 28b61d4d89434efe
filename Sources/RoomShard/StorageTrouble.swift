import Classroom
import SignalingProtocol

/// That the storage has failed.
struct StorageTrouble {
  /// Whether it is certain that the void records are not on the disk.
  var isCertain: Bool
}

// What a shard does while the disk cannot be written. How it goes on afterwards is in StorageHealing.swift.
//
// What is live goes on: signals, media flags and presence of those whose joins are safe, and everything that rests on synced
// records. What needs a record is refused at once, so that nothing is ever told that the disk may not know.
extension RoomShard {
  /// Whether the storage has failed and not healed.
  public var hasStorageFailed: Bool { trouble != nil }

  /// How many times the storage has failed. Appends carry it, so that the journal can tell records that were on their way
  /// when it failed: those of an earlier incarnation are void.
  ///
  /// Positions are never used again: ``position`` goes on after a failure, and the positions of void records are skipped.
  /// Whatever is said later of a void record is not believed.
  public var incarnation: UInt64 { failureCount }

  /// The sessions whose state in memory rests on void records, sorted: they refuse everything but what is live until
  /// ``storageHealed(_:at:)`` brings what the disk has.
  public var frozenSessions: [String] { rooms.values.filter(\.isFrozen).map(\.classroom.id).sorted() }

  // MARK: Deciding

  /// Decides on a command and records what follows from it: the one way to a record of a room that exists.
  /// - Throws: also ``Refusal/storageUnavailable(isCertain:)``, when it would need a record and none can be made.
  func decide(
    _ command: Command, by actor: Actor, key: String? = nil, in room: Room, at now: Timestamp
  ) throws(Refusal) -> Classroom.Outcome {
    guard takesRecords(room) else {
      try checkIsTrusted(room)
      // An answer that was given before, and what changes nothing, needs no disk.
      var copy = room.classroom
      let outcome = try copy.handle(command, by: actor, key: key, under: configuration.rules, at: now)
      guard outcome.events.isEmpty else { throw .storageUnavailable(isCertain: true) }
      return outcome
    }
    let before = command.changesConduct(of: room.classroom) ? room.classroom.conduct : nil
    let outcome = try room.classroom.handle(command, by: actor, key: key, under: configuration.rules, at: now)
    record(outcome.events, in: room)
    if let before, !outcome.events.isEmpty { unsynced.note(before, of: room.classroom.id, through: room.position) }
    return outcome
  }

  /// Whether something can happen to the room's session.
  func takesRecords(_ room: Room) -> Bool { trouble == nil && !room.isFrozen }

  /// - Throws: when nothing may be told of the room's session.
  func checkIsTrusted(_ room: Room) throws(Refusal) {
    if room.isFrozen { throw .storageUnavailable(isCertain: true) }
  }

  /// - Throws: when the room's session cannot be trusted, and the command is not about what is live.
  func checkIsTrusted(_ room: Room, for message: ClientMessage, from member: Member) throws(ProtocolError) {
    guard room.isFrozen else { return }
    switch message {
    case .sessionLeave, .presenceSubscribe: return
    case .signal, .mediaSet, .presencePage, .presenceAway, .chatTyping: if case .present = member.state { return }
    default: break
    }
    throw ProtocolError(Refusal.storageUnavailable(isCertain: true))
  }

  /// The people in a room when its session ended, in case that turns out void.
  func noteEnd(of room: Room) {
    if room.position > synced { unsynced.noteEnd(of: room.classroom.id, presence: room.presence) }
  }

  /// Whom a difference is about, in case it is never told.
  func noteUntold(_ difference: Presence.Difference, of room: Room) {
    guard room.position > synced else {
      room.untold = []
      return
    }
    room.untold.removeAll { $0.position <= synced }
    let changes = difference.changes { _ in true }
    room.untold.append((room.position, (changes.joined + changes.updated).map(\.user) + changes.left))
  }

  // MARK: Failing

  /// The storage could not write: every record after the last synced position is void.
  ///
  /// Whoever asked for something that rests on them is told that the storage is unavailable; what others would have been
  /// told is dropped. Until ``storageHealed(_:at:)`` no record is made.
  /// - Parameter isCertain: whether it is certain that the void records are not on the disk.
  public func storageFailed(isCertain: Bool, at now: Timestamp) {
    failureCount += 1
    trouble = StorageTrouble(isCertain: isCertain)
    let boundary = synced
    let (void, presenceAtEnd, conducts) = unsynced.takeAll()
    skipUnsynced()
    for session in void.keys {
      guard let room = rooms[session] else { continue }
      room.frozen = Room.Frozen(conduct: conducts[session] ?? room.classroom.conduct)
    }
    let (handedOver, gone) = dropVoidOutputs(after: boundary, isCertain: isCertain)
    reinstate(except: handedOver, gone: gone, at: now)
    revertMembers(at: now)
    let present = membersByRoom()
    for session in void.keys.sorted() {
      guard let room = rooms[session], let events = void[session] else { continue }
      freeze(
        room, void: events, presenceAtEnd: presenceAtEnd[session], members: present[ObjectIdentifier(room)] ?? [],
        after: boundary, at: now)
    }
  }

  /// Walks the outputs that wait: what rests on synced records leaves, of the rest only answers remain, as errors.
  /// - Returns: the connections that are on their way to another loop, and the members, by ordinal, whose going is safe.
  private func dropVoidOutputs(
    after boundary: UInt64, isCertain: Bool
  ) -> (handedOver: Set<ConnectionID>, gone: Set<UInt64>) {
    let refusal = Refusal.storageUnavailable(isCertain: isCertain)
    let taken = outbox.takenCount
    let held = outbox.takeHeld()
    /// Whose coming or going is void: what follows for them rests on it, in whatever room.
    var undone: Set<ConnectionID> = []
    var handedOver: Set<ConnectionID> = []
    var gone: Set<UInt64> = []
    for entry in held.entries {
      let isVoid = entry.position > boundary
      switch entry.delivery {
      case .send(let connection, let range, let purpose):
        let isUndone = undone.contains(connection)
        switch purpose {
        case .answer(let id) where isVoid || isUndone, .liveAnswer(let id) where isUndone:
          refuse(ProtocolError(refusal), id: id, to: connection, restingOn: 0)
        case .event where isVoid || isUndone: break
        case .event, .answer, .liveAnswer:
          outbox.append(.send(connection, outbox.store(held.message(range)), purpose), restingOn: 0)
        }
      case .broadcast(let room, let group, let range):
        if !isVoid { outbox.append(.broadcast(room, group, outbox.store(held.message(range))), restingOn: 0) }
      case .broadcastLatest(let room, let group, let range):
        if !isVoid { outbox.append(.broadcastLatest(room, group, outbox.store(held.message(range))), restingOn: 0) }
      case .seat(let connection, _, _, let ordinal, let standing):
        if isVoid || undone.contains(connection) {
          undone.insert(connection)
        } else {
          outbox.append(entry.delivery, restingOn: 0)
          note(standing, of: connection, ordinal: ordinal)
          if case .present(let peer?) = standing.state, peer.announcement > taken {
            peer.announcement = outbox.appendedCount
          }
        }
      case .unseat(let connection, let room, let ordinal):
        if isVoid || undone.contains(connection) {
          undone.insert(connection)
        } else {
          // The rest of what it gets, it gets as a member.
          outbox.append(.unseat(connection, room, ordinal: ordinal), restingOn: 0)
          gone.insert(ordinal)
        }
      case .signal(let peer, let room, let range, let time):
        if !isVoid { outbox.append(.signal(peer, room, outbox.store(held.message(range)), at: time), restingOn: 0) }
      case .respond(let request, let result):
        outbox.append(.respond(request, isVoid ? .failure(refusal) : result), restingOn: 0)
      case .publish, .notify, .relate:
        if !isVoid { outbox.append(entry.delivery, restingOn: 0) }
      case .retract: if !isVoid { outbox.append(entry.delivery, restingOn: 0) }
      case .close(let connection, let reason) where isVoid && (reason == .removed || reason == .banned):
        // Nobody was sent out after all.
        outbox.append(.close(connection, .serviceRestart), restingOn: 0)
      case .close:
        // A connection that is being ended is no longer heard: it ends, also when who took over from it is out again.
        outbox.append(entry.delivery, restingOn: 0)
      case .handOver(let connection):
        handedOver.insert(connection)
        outbox.append(entry.delivery, restingOn: 0)
      }
    }
    return (handedOver, gone)
  }

  /// Who has left, and the leaving is void, is in again, unless the connection goes elsewhere or is being ended.
  private func reinstate(except handedOver: Set<ConnectionID>, gone: Set<UInt64>, at now: Timestamp) {
    for (connection, generations) in departing.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      departing[connection] = generations.filter { gone.contains($0.ordinal) }
      if departing[connection]?.isEmpty == true { departing[connection] = nil }
      let void = generations.filter { !gone.contains($0.ordinal) }
      guard !handedOver.contains(connection), !closing.contains(connection),
        let member = void.last(where: { $0.told != nil })
      else {
        for member in void { member.room.audience.remove(connection) }
        continue
      }
      if let newer = members[connection] { withdraw(newer, connection: connection, at: now) }
      if let peer = member.peer {
        member.room.peers[peer.id] = peer
        if peer.connection != connection { peer.attach(connection) }
      }
      members[connection] = member
      reinstated.insert(connection)
    }
  }

  /// Who was not told to be in is out again; the others are what they were told last.
  private func revertMembers(at now: Timestamp) {
    for (connection, var member) in members.sorted(by: { $0.value.ordinal < $1.value.ordinal }) {
      let room = member.room
      guard let told = member.told else {
        withdraw(member, connection: connection, at: now)
        continue
      }
      if let catchUp = member.catchUp {
        member.catchUp = Member.CatchUp(cursor: catchUp.cursor, entry: outbox.appendedCount)
      }
      if room.isFrozen {
        member.state = told.state
        member.mode = told.mode
        member.actor.role = told.role
        member.catchUp = told.cursor.map { Member.CatchUp(cursor: $0, entry: outbox.appendedCount) }
        if member.catchUp == nil { catchUps.remove(connection) } else { catchUps.insert(connection) }
      }
      members[connection] = member
      if reinstated.contains(connection) { seat(member, connection: connection) }
    }
    reinstated = []
  }

  /// Takes out a member whose coming is void.
  private func withdraw(_ member: Member, connection: ConnectionID, at now: Timestamp) {
    let room = member.room
    guard room.isFrozen else {
      // Its address was never told.
      connectionClosed(connection, lastHeard: now, isGoodbye: member.peer?.isTold == false, at: now)
      return
    }
    members[connection] = nil
    catchUps.remove(connection)
    room.audience.remove(connection)
    if let peer = member.peer, peer.connection == connection { lose(peer, in: room, at: now) }
  }

  /// The members of each room, in the order in which they came.
  func membersByRoom() -> [ObjectIdentifier: [(connection: ConnectionID, member: Member)]] {
    var byRoom: [ObjectIdentifier: [(connection: ConnectionID, member: Member)]] = [:]
    for (connection, member) in members {
      byRoom[ObjectIdentifier(member.room), default: []].append((connection, member))
    }
    return byRoom.mapValues { $0.sorted { $0.member.ordinal < $1.member.ordinal } }
  }

  /// Brings the live state of a room back to what rests on synced records.
  private func freeze(
    _ room: Room, void: [RecordedEvent], presenceAtEnd: Presence?,
    members: [(connection: ConnectionID, member: Member)], after boundary: UInt64, at now: Timestamp
  ) {
    let undo = Undo(void, presenceAtEnd: presenceAtEnd, in: room.classroom)
    room.position = 0
    room.frozen?.streamSequence = undo.streamSequence
    room.frozen?.status = undo.status
    room.waitingConnections = []
    room.waitingByUser = [:]
    room.waiting = [:]
    for peer in room.peers.values {
      if !peer.isTold { room.peers[peer.id] = nil }
      // What waited has left or is dropped.
      if peer.lastHeldSignal > 0 { peer.lastHeldSignal = outbox.appendedCount }
    }
    for (connection, member) in members {
      switch member.state {
      case .waiting:
        room.waitingConnections.insert(connection)
        room.waitingByUser[member.actor.user, default: []].append(connection)
        if member.actor.role.isVisible, !member.isKnocking { room.waiting[member.actor.user, default: 0] += 1 }
      case .present(let peer?):
        room.peers[peer.id] = peer
        if peer.connection != connection { peer.attach(connection) }
      case .present(nil), .reading: break
      }
    }
    room.hasWaitingChanges = !room.waitingConnections.isEmpty
    // With what had changed and was not told when the session ended.
    if let presenceAtEnd { room.presence = presenceAtEnd }
    reconcilePresence(of: room, with: undo.people, members: members.map(\.member))
    silence(room, at: now) { [conduct = room.conduct] user, role in !conduct.maySpeak(user, role: role) }
    retell(room.untold.filter { $0.position > boundary }.flatMap(\.users), in: room, at: now)
    room.untold = []
    room.announcedCount = nil
    scheduleFlush(of: room, at: now)
    rememberDepartures(undo, from: room, at: now)
  }

  /// Tells of these people how they are, or that they are gone, or host no longer: what was said of them is dropped.
  private func retell(_ users: [String], in room: Room, at now: Timestamp) {
    for user in users {
      let participant = room.presence[user]
      room.presence.enter(user: user, name: participant?.name ?? "", role: .host, at: now)
      if let participant {
        room.presence.enter(user: user, name: participant.name, role: participant.role, at: participant.joinedAt)
        room.showMarks(of: user)
      } else {
        room.presence.leave(user: user)
      }
    }
  }

  /// Notes who of the people in attendance has no connection, and since when.
  private func rememberDepartures(_ undo: Undo, from room: Room, at now: Timestamp) {
    let known = room.detachments
    room.detachments = [:]
    for row in undo.people where room.presence[row.user]?.hasConnection == false && !row.isCheckedIn {
      if let detachment = known[row.user] {
        room.detachments[row.user] = detachment
      } else if let departure = undo.departures[row.user], departure.isOver {
        room.detachments[row.user] = Room.Detachment(
          since: departure.since, isEstimated: departure.isEstimated, deadline: now)
      } else {
        let departure = undo.departures[row.user]
        awaitReturn(
          of: row.user, to: room, since: departure?.since ?? row.absence?.since ?? now,
          isEstimated: departure?.isEstimated ?? row.absence?.isEstimated ?? false,
          isBetweenHeartbeats: departure == nil && row.absence?.isBetweenHeartbeats == true, at: now)
      }
    }
  }

  /// Makes presence show these people, with the peers of the room, as changes to be told.
  func reconcilePresence(of room: Room, with people: [Attendance.Row], members: [Member]) {
    var newest: [String: Actor] = [:]
    for member in members where member.peer != nil { newest[member.actor.user] = member.actor }
    let wanted = Set(people.map(\.user))
    for participant in room.presence.page(limit: .max).participants where !wanted.contains(participant.user) {
      room.presence.leave(user: participant.user)
    }
    for peer in room.peers.values where !wanted.contains(peer.user) && peer.connection == nil {
      room.peers[peer.id] = nil
    }
    for row in people {
      let current = room.presence[row.user]
      let (name, role) = newest[row.user].map { ($0.name, $0.role) } ?? (row.name, row.role)
      if current == nil || current?.name != name || current?.role != role {
        room.presence.enter(
          user: row.user, name: name, role: role, at: row.segments.last?.from ?? .init(milliseconds: 0))
      }
      room.showMarks(of: row.user)
      room.presence.setWithoutConnection(
        row.isCheckedIn || row.absence?.isBetweenHeartbeats == true, user: row.user)
      for peer in current?.peers ?? [] where room.peers[peer.id] == nil {
        room.presence.removePeer(peer.id, of: row.user)
      }
    }
    let order = Dictionary(
      members.compactMap { member in member.peer.map { ($0.id, member.ordinal) } }, uniquingKeysWith: max)
    let peers = room.peers.values.sorted { (order[$0.id] ?? 0, $0.id) < (order[$1.id] ?? 0, $1.id) }
    for peer in peers where wanted.contains(peer.user) { show(peer, in: room) }
  }

  /// Makes presence show a peer as it is.
  func show(_ peer: Peer, in room: Room) {
    let known = room.presence[peer.user]?.peers.first { $0.id == peer.id }
    if known == nil { room.presence.addPeer(peer.id, of: peer.user) }
    room.presence.setConnected(peer.connection != nil, peer: peer.id, of: peer.user)
    if (known?.media ?? Presence.Media()) != peer.media {
      room.presence.setMedia(peer.media, of: peer.id, user: peer.user)
    }
    room.presence.setAway(peer.isAway, peer: peer.id, of: peer.user)
  }
}

/// What a classroom was before its void records, as far as it was told.
private struct Undo {
  /// That somebody was noticed to be gone.
  struct Departure {
    var since: Timestamp
    var isEstimated: Bool
    /// Whether the waiting for the person had ended.
    var isOver: Bool
  }

  var streamSequence: UInt64
  var status: SessionStatus
  /// Who was in, in the order in which they first came.
  var people: [Attendance.Row]
  var departures: [String: Departure] = [:]

  init(_ void: [RecordedEvent], presenceAtEnd: Presence?, in classroom: Classroom) {
    streamSequence = classroom.streamSequence
    status = classroom.status
    var expelled: Set<String> = []
    var users = Set(classroom.attendance.rows.values.lazy.filter(\.isActive).map(\.user))
    var isEnded = false
    for event in void.reversed() {
      if event.event.isNumbered { streamSequence -= 1 }
      switch event.event {
      case .joined(let user, _, _): users.remove(user)
      // Whose connection was to be ended comes back.
      case .removed(let user, _), .banned(let user, _, true): expelled.insert(user)
      case .left(let user, let since, let isEstimated):
        users.insert(user)
        if departures[user] == nil {
          departures[user] = Departure(
            since: since, isEstimated: isEstimated, isOver: !isEnded && !expelled.contains(user))
        }
      case .lost(let user, let since, let isEstimated):
        if departures[user] == nil {
          departures[user] = Departure(since: since, isEstimated: isEstimated, isOver: false)
        }
      case .statusChanged(.completed):
        status = .ongoing
        isEnded = true
        users.formUnion(presenceAtEnd?.page(limit: .max).participants.map(\.user) ?? [])
      case .statusChanged(.ongoing):
        status = .scheduled
        users = []
      case .transitioned(let move):
        status = move.from
        if move.to == .completed {
          isEnded = true
          users.formUnion(presenceAtEnd?.page(limit: .max).participants.map(\.user) ?? [])
        } else if move.to == .ongoing {
          users = []
        }
      default: break
      }
    }
    people = classroom.attendance.rows.values.filter { users.contains($0.user) }
  }
}
