import Classroom
import SignalingProtocol

#if PLANTED_BUGS
  import PlantedBugs
#endif

/// What becomes of a client's wish to go on where it stopped.
struct Resumption {
  /// Why the missed events cannot be had.
  enum Denial: String {
    /// The token is forged, or of another user or session.
    case tokenInvalid = "token_invalid"
    case tokenExpired = "token_expired"
    /// The numbers count in another history.
    case epochChanged = "epoch_changed"
    /// Some of the events are no longer kept.
    case tooOld = "too_old"
    /// The numbers are of events that have not happened.
    case ahead
  }

  /// What the token says, if it is one of ours and still good.
  var claim: ResumeClaim?
  /// Nil when every missed event can be had.
  var denial: Denial?
  /// The number of the last event that the client has.
  var room: UInt64
  /// The number of the last signal that the client has.
  var signalSequence: UInt64
  /// Whether every missed signal can be had; nil when the peer is a new one.
  var hasSignals: Bool?
}

// How clients go on where they stopped: their address, the events they missed, the signals that were kept for them.
extension RoomShard {
  func judge(_ resume: ClientMessage.Resume, by identity: Identity, in room: Room, at now: Timestamp) -> Resumption {
    var resumption = Resumption(room: resume.room, signalSequence: resume.signalSequence)
    let classroom = room.classroom
    guard let claim = sealer.open(resume.token), claim.user == identity.user, claim.session == classroom.id else {
      resumption.denial = .tokenInvalid
      return resumption
    }
    guard now < claim.expiresAt else {
      resumption.denial = .tokenExpired
      return resumption
    }
    resumption.claim = claim
    if claim.epoch != classroom.epoch || resume.epoch != classroom.epoch {
      resumption.denial = .epochChanged
    } else if resume.room > classroom.stream.last {
      resumption.denial = .ahead
    } else if !classroom.stream.covers(after: resume.room) {
      resumption.denial = .tooOld
    }
    return resumption
  }

  func claim(of member: Member, at now: Timestamp) -> ResumeClaim {
    ResumeClaim(
      user: member.actor.user, session: member.room.classroom.id, epoch: member.room.classroom.epoch,
      peer: member.peer?.id, expiresAt: now.advanced(byMilliseconds: ProtocolLimits.resumeTokenMilliseconds))
  }

  // MARK: Peers

  /// The peer that a connection speaks for from now on: the one of its token as long as that is kept, else a new one.
  /// - Parameter wasCounted: whether the person was counted as here before this connection came.
  func attachPeer(
    to connection: ConnectionID, of actor: Actor, in room: Room, resumption: inout Resumption?, wasCounted: Bool,
    at now: Timestamp
  ) -> Peer {
    let claim = resumption?.claim
    let peer: Peer
    if let kept = claim?.peer.flatMap({ room.peers[$0] }), kept.user == actor.user {
      peer = kept
      if let older = kept.connection { endForTakeover(older, in: room) }
      let sequence = resumption?.signalSequence ?? 0
      let hasSignals = kept.signals.covers(after: sequence)
      resumption?.hasSignals = hasSignals
      kept.delivered = hasSignals ? sequence : kept.signals.last
      room.presence.setConnected(true, peer: kept.id, of: actor.user)
    } else {
      let restored = wasCounted ? restorable(claim, in: room, at: now) : nil
      if restored != nil { resumption?.hasSignals = false }
      peer = Peer(id: restored ?? newPeerID(), user: actor.user)
      peer.announcement = .max
      room.peers[peer.id] = peer
      room.presence.addPeer(peer.id, of: actor.user)
    }
    peer.attach(connection)
    return peer
  }

  /// The address of a token that this server, having restarted, does not remember.
  private func restorable(_ claim: ResumeClaim?, in room: Room, at now: Timestamp) -> String? {
    guard let claim, let peer = claim.peer, claim.epoch == room.classroom.epoch, room.peers[peer] == nil,
      let end = room.restoresPeersUntil, now <= end
    else { return nil }
    return peer
  }

  /// The newer connection counts; whatever becomes of the older one changes nothing any more.
  private func endForTakeover(_ connection: ConnectionID, in room: Room) {
    #if PLANTED_BUGS
      if PlantedBugs.isActive(.lateCloseOfOldSocket) {
        return end(connection, for: .resumedElsewhere, restingOn: room.position)
      }
    #endif
    if let member = members[connection] { depart(member, connection: connection) }
    end(connection, for: .resumedElsewhere, restingOn: room.position)
  }

  /// A peer has lost its connection, and keeps its address for the grace.
  func lose(_ peer: Peer, in room: Room, at now: Timestamp) {
    peer.attach(nil)
    room.presence.setConnected(false, peer: peer.id, of: peer.user)
    scheduleFlush(of: room, at: now)
    let deadline = now.advanced(byMilliseconds: configuration.graceMilliseconds)
    timers.peerGraces.append((deadline, room, peer, peer.generation))
  }

  func endGrace(of peer: Peer, in room: Room, generation: UInt64, at now: Timestamp) {
    // After trouble with the disk another peer may have been given the same address by its token.
    if peer.generation == generation, room.peers[peer.id] === peer { drop(peer, in: room, at: now) }
  }

  /// A peer is gone for good.
  func drop(_ peer: Peer, in room: Room, at now: Timestamp) {
    peer.attach(nil)
    room.peers[peer.id] = nil
    room.presence.removePeer(peer.id, of: peer.user)
    scheduleFlush(of: room, at: now)
  }

  // MARK: Missed events

  /// The connections that wait for more of the events they missed, and have been handed all that was made for them.
  public var catchingUp: [ConnectionID] {
    catchUps.members.filter { connection in
      members[connection].map { member in
        !member.room.isFrozen && member.catchUp.map { $0.entry <= outbox.takenCount } == true
      } == true
    }
  }

  /// Makes the next events for a connection whose socket has taken everything.
  public func continueCatchingUp(_ connection: ConnectionID) {
    guard let member = members[connection], !member.room.isFrozen, let catchUp = member.catchUp,
      catchUp.entry <= outbox.takenCount
    else { return }
    guard member.room.classroom.stream.covers(after: catchUp.cursor) else {
      // It reads more slowly than the class speaks. Coming back, it gets the whole state.
      members[connection]?.catchUp = nil
      end(connection, for: .slowConsumer, restingOn: member.room.position)
      return
    }
    sendMissed(to: connection, member, after: catchUp.cursor)
  }

  /// Sends a chunk of the events after that number. With the last one the connection takes its seat: what is said before it
  /// does not reach it that way, and all that is said after it does.
  func sendMissed(to connection: ConnectionID, _ member: Member, after sequence: UInt64) {
    let room = member.room
    #if PLANTED_BUGS
      let sequence = PlantedBugs.isActive(.resumeOffByOne) ? min(sequence + 1, room.classroom.stream.last) : sequence
    #endif
    let events = room.classroom.stream.events(
      after: sequence, limit: configuration.catchUpEvents, textBytes: configuration.catchUpTextBytes)
    var cursor = sequence
    var bytes = 0
    for event in events where bytes < configuration.catchUpMessageBytes {
      let message = compose { ServerMessage.streamEvent(event, session: room.classroom.id, into: &$0) }
      outbox.append(.send(connection, message, .event), restingOn: room.position)
      bytes += message.count
      cursor = event.sequence
    }
    var member = member
    if cursor == room.classroom.stream.last {
      member.catchUp = nil
      catchUps.remove(connection)
    } else {
      member.catchUp = Member.CatchUp(cursor: cursor, entry: outbox.appendedCount)
      catchUps.insert(connection)
    }
    members[connection]?.catchUp = member.catchUp
    seat(member, connection: connection)
    #if PLANTED_BUGS
      if member.catchUp != nil, PlantedBugs.isActive(.catchUpOverlaps) {
        seat(member, connection: connection, in: .room(member.mode))
      }
    #endif
  }
}
