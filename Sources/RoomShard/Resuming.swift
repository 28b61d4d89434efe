import Classroom
import JSON
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
  /// The numbers of the last events that the client has; where the streams end, of one that it did not have.
  var cursor: Member.Cursor
  /// The number of the last signal that the client has.
  var signalSequence: UInt64
  /// Whether every missed signal can be had; nil when the peer is a new one.
  var hasSignals: Bool?
}

// How clients go on where they stopped: their address, the events they missed, the signals that were kept for them.
extension RoomShard {
  func judge(
    _ resume: ClientMessage.Resume, by identity: Identity, as role: Role, in room: Room, at now: Timestamp
  ) -> Resumption {
    let classroom = room.classroom
    let conduct = classroom.conduct
    let own = conduct.stream(.user(identity.user))
    var resumption = Resumption(
      cursor: Member.Cursor(
        room: resume.room, hosts: role.isModerating ? conduct.hostsCursor(of: identity.user, known: resume.hosts) : nil,
        own: resume.own?.user == identity.user ? resume.own?.sequence ?? 0 : 0), signalSequence: resume.signalSequence)
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
    } else if resume.room > classroom.stream.last || resumption.cursor.hosts ?? 0 > conduct.hosts.last
      || resumption.cursor.own > own.last
    {
      resumption.denial = .ahead
    } else if lacksState(resume, claim, of: classroom)
      || !hasEvents(after: resumption.cursor, of: identity.user, in: classroom)
    {
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

  /// The address of a token that this server, having restarted, does not remember. One from before the last end of the
  /// class is gone: everybody was told so.
  private func restorable(_ claim: ResumeClaim?, in room: Room, at now: Timestamp) -> String? {
    guard let claim, let peer = claim.peer, claim.epoch == room.classroom.epoch, room.peers[peer] == nil,
      let end = room.restoresPeersUntil, now <= end, let begin = room.classroom.attendance.spans.last?.from
    else { return nil }
    #if PLANTED_BUGS
      if PlantedBugs.isActive(.addressOutlivesClass) { return peer }
    #endif
    return claim.givenAt >= begin ? peer : nil
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
    forgetNegotiations(of: peer, in: room)
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
    guard hasEvents(after: catchUp.cursor, of: member.actor.user, in: member.room.classroom) else {
      // It reads more slowly than the class speaks. Coming back, it gets the whole state.
      members[connection]?.catchUp = nil
      end(connection, for: .slowConsumer, restingOn: member.room.position)
      return
    }
    sendMissed(to: connection, member, after: catchUp.cursor)
  }

  /// Whether everything is kept that happened in each stream after these numbers.
  private func hasEvents(after cursor: Member.Cursor, of user: String, in classroom: Classroom) -> Bool {
    classroom.stream.covers(after: cursor.room) && cursor.hosts.map(classroom.conduct.hosts.covers) ?? true
      && classroom.conduct.stream(.user(user)).covers(after: cursor.own)
  }

  /// The numbers of the last events of each stream that a member gets.
  func cursor(of member: Member) -> Member.Cursor {
    let classroom = member.room.classroom
    return Member.Cursor(
      room: classroom.stream.last, hosts: member.actor.role.isModerating ? classroom.conduct.hosts.last : nil,
      own: classroom.conduct.stream(.user(member.actor.user)).last)
  }

  /// The numbers up to which the state that a member is given has the events. Who waits in a class that has begun is given
  /// nothing of what was said in it.
  func cursorOfState(of member: Member) -> Member.Cursor {
    guard case .waiting = member.state, member.room.classroom.startedAt != nil else { return cursor(of: member) }
    return Member.Cursor(room: 0, hosts: member.actor.role.isModerating ? 0 : nil, own: 0)
  }

  /// Whether a client has nothing of a class to go on from: it came to wait when that had begun. The beginning itself has a
  /// number, so that everybody else has one.
  private func lacksState(_ resume: ClientMessage.Resume, _ claim: ResumeClaim, of classroom: Classroom) -> Bool {
    guard resume.room == 0, let start = classroom.startedAt else { return false }
    return claim.expiresAt >= start.advanced(byMilliseconds: ProtocolLimits.resumeTokenMilliseconds)
  }

  /// Writes the numbers of a client's streams as an object; observers have no stream of their own.
  func write(_ cursor: Member.Cursor, of member: Member, into writer: inout JSONWriter) {
    writer.beginObject()
    writer.field("room", cursor.room)
    if let hosts = cursor.hosts { writer.field("hosts", hosts) }
    writer.key(StreamName.user(member.actor.user).text)
    writer.integer(cursor.own)
    writer.endObject()
  }

  /// Sends a chunk of the events after those numbers. With the last one the connection takes its seat: what is said before it
  /// does not reach it that way, and all that is said after it does.
  func sendMissed(to connection: ConnectionID, _ member: Member, after cursor: Member.Cursor) {
    let room = member.room
    let classroom = room.classroom
    var cursor = cursor
    #if PLANTED_BUGS
      if PlantedBugs.isActive(.resumeOffByOne) { cursor.room = min(cursor.room + 1, classroom.stream.last) }
    #endif
    var left = configuration.catchUpMessageBytes
    send(&cursor.room, .room, classroom.stream, to: connection, from: room, bytesLeft: &left)
    // The own stream says from where on the one of the hosts is the client's: it comes before.
    let own = StreamName.user(member.actor.user)
    send(&cursor.own, own, classroom.conduct.stream(own), to: connection, from: room, bytesLeft: &left)
    if var hosts = cursor.hosts {
      send(&hosts, .hosts, classroom.conduct.hosts, to: connection, from: room, bytesLeft: &left)
      cursor.hosts = hosts
    }
    let end = self.cursor(of: member)
    var member = member
    if cursor.room == end.room, cursor.own == end.own, cursor.hosts ?? 0 >= end.hosts ?? 0 {
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

  /// Sends the next events of one stream, as long as the chunk has room.
  private func send(
    _ cursor: inout UInt64, _ name: StreamName, _ stream: StreamTail, to connection: ConnectionID, from room: Room,
    bytesLeft: inout Int
  ) {
    guard bytesLeft > 0, cursor < stream.last else { return }
    let events = stream.events(
      after: cursor, limit: configuration.catchUpEvents, textBytes: configuration.catchUpTextBytes)
    for event in events where bytesLeft > 0 {
      let message = compose {
        ServerMessage.streamEvent(event, in: name, session: room.classroom.id, into: &$0)
      }
      outbox.append(.send(connection, message, .event), restingOn: room.position)
      bytesLeft -= message.count
      cursor = event.sequence
    }
  }
}
