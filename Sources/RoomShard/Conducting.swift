import Classroom
import SignalingProtocol

// What the decisions of those who lead a class do to the people who are connected.
extension RoomShard {
  /// Some of those who are banned, for who leads the class.
  func sendBans(
    after: Int, limit: Int, id: Int64, to connection: ConnectionID, _ member: Member
  ) throws(ProtocolError) {
    guard member.actor.role.isModerating else { throw ProtocolError(Refusal.forbidden) }
    let page = member.room.conduct.banned(after: after, limit: limit)
    send(to: connection, from: member.room, as: .answer(id: id)) {
      ServerMessage.bansPage(page.people, next: page.next, id: id, into: &$0)
    }
  }

  /// Tells what happened to those who get a stream that not everybody gets.
  func tellSome(_ events: [RecordedEvent], in room: Room) {
    var counts: [(stream: StreamName, count: Int)] = []
    for event in events {
      for stream in event.streamsOfSome {
        if let index = counts.firstIndex(where: { $0.stream == stream }) {
          counts[index].count += 1
        } else {
          counts.append((stream, 1))
        }
      }
    }
    for (stream, count) in counts {
      let tail = room.classroom.conduct.stream(stream)
      for event in tail.events(after: tail.last - min(UInt64(count), tail.last), limit: .max, textBytes: .max) {
        broadcast(to: .stream(stream), of: room) {
          ServerMessage.streamEvent(event, in: stream, session: room.classroom.id, into: &$0)
        }
      }
    }
  }

  /// Does to the connected what was decided.
  func didConduct(_ events: [RecordedEvent], in room: Room, at now: Timestamp) {
    for event in events {
      switch event.event {
      case .policyChanged(let policy, let mutesAll):
        if mutesAll { silence(room, at: now) { _, role in !role.isModerating } }
        if !policy.isLocked { admitWaiting(in: room, isStart: false, at: now) }
      case .muted(let user, let isMuted):
        if isMuted { silence(room, at: now) { speaker, _ in speaker == user } }
        showMarks(of: user, in: room, at: now)
      case .askedToUnmute(let user), .handRaised(let user), .handLowered(let user?):
        showMarks(of: user, in: room, at: now)
      case .handLowered(nil):
        for user in room.presence.raisedHands { showMarks(of: user, in: room, at: now) }
      case .removed(let user, _): expel(user, from: room, for: .removed, at: now)
      case .banned(let user, _, true): expel(user, from: room, for: .banned, at: now)
      case .roleChanged(let user, _): changeRole(of: user, in: room, at: now)
      case .chatSent(let user, _, _, _, _), .privateChatSent(let user, _, _, _, _):
        endTyping(of: user, in: room, at: now)
      case .stageChanged(let stage): didChangeStage(to: stage, in: room, at: now)
      case .takenOffStage(let user): clearStage(of: room, at: now) { speaker, _ in speaker == user }
      default: break
      }
    }
  }

  func showMarks(of user: String, in room: Room, at now: Timestamp) {
    room.showMarks(of: user)
    scheduleFlush(of: room, at: now)
  }

  /// Turns off the microphones of those whom the predicate picks; it is asked about those only whose microphone is on.
  func silence(_ room: Room, at now: Timestamp, where isPicked: (_ user: String, Role) -> Bool) {
    for user in room.presence.speakers {
      guard let participant = room.presence[user], isPicked(user, participant.role) else { continue }
      for peer in participant.peers where peer.media.audio {
        var media = peer.media
        media.audio = false
        room.presence.setMedia(media, of: peer.id, user: user)
        room.peers[peer.id]?.media = media
      }
      scheduleFlush(of: room, at: now)
    }
  }

  /// Turns off what somebody sends who had a role that may send it, and has another one now.
  func stopWhatIsNotAllowed(of user: String, in room: Room, at now: Timestamp) {
    guard let participant = room.presence[user], !participant.role.isModerating, participant.takesPlace else { return }
    let conduct = room.conduct
    if !conduct.maySpeak(user, role: participant.role) { silence(room, at: now) { speaker, _ in speaker == user } }
    if conduct.stage.mode == .invited, !conduct.stage.invited.contains(user) {
      clearStage(of: room, at: now) { holder, _ in holder == user }
    }
  }

  // MARK: Sending out

  /// Ends what somebody has to do with the room: every connection, those that wait or read included.
  private func expel(_ user: String, from room: Room, for reason: CloseReason, at now: Timestamp) {
    vacate(user, in: room, at: now)
    for (connection, member) in connections(of: user, in: room) {
      if case .waiting = member.state { stopWaiting(member, connection: connection, hasGone: false, at: now) }
      depart(member, connection: connection)
      end(connection, for: reason, restingOn: room.position)
    }
    admitWaiting(in: room, isStart: false, at: now)
  }

  /// Takes somebody whose attendance is over out of presence.
  func vacate(_ user: String, in room: Room, at now: Timestamp) {
    room.detachments[user] = nil
    room.lastHeard[user] = nil
    guard let participant = room.presence[user] else { return }
    for peer in participant.peers {
      guard let peer = room.peers[peer.id] else { continue }
      forgetNegotiations(of: peer, in: room)
      room.peers.removeValue(forKey: peer.id)?.attach(nil)
    }
    room.presence.leave(user: user)
    endTyping(of: user, in: room, at: now)
    scheduleFlush(of: room, at: now)
  }

  /// The members of a room that are one user's, in the order in which they came. To send somebody out or to promote is rare
  /// enough to look at everybody for it.
  private func connections(of user: String, in room: Room) -> [(connection: ConnectionID, member: Member)] {
    members.lazy.filter { $0.value.room === room && $0.value.actor.user == user }
      .map { (connection: $0.key, member: $0.value) }.sorted { $0.member.ordinal < $1.member.ordinal }
  }

  // MARK: Roles

  /// Whoever is connected as this user has the role that hosts decided on, or the own one.
  func changeRole(of user: String, in room: Room, at now: Timestamp) {
    // Who only knocks has no role yet.
    for (connection, var member) in connections(of: user, in: room) where !member.isKnocking {
      let role = room.classroom.conduct.role(of: user, granted: member.granted)
      guard role != member.actor.role else { continue }
      member.actor.role = role
      if member.catchUp != nil {
        member.catchUp?.cursor.hosts =
          role.isModerating ? room.classroom.conduct.hostsCursor(of: user, known: nil) : nil
      }
      members[connection] = member
      if case .present = member.state, let shown = room.presence[user], shown.role != role {
        room.show(user, name: shown.name, role: role, at: shown.joinedAt)
        scheduleFlush(of: room, at: now)
      }
      if case .waiting = member.state, !room.classroom.status.isLive {
        // Who does not get the own stream yet learns of it with the state.
        sendJoined(to: connection, member, id: nil, isAnswer: false, resumption: nil, at: now)
      }
      seat(member, connection: connection)
    }
    if let shown = room.presence[user], shown.role != room.classroom.attendance[user]?.role,
      let role = room.classroom.attendance[user]?.role
    {
      // Nobody is connected: let in over HTTP, or away within the grace.
      room.show(user, name: shown.name, role: role, at: shown.joinedAt)
    }
    stopWhatIsNotAllowed(of: user, in: room, at: now)
    // Who leads from now on is told who waits, and waits for nobody.
    room.hasLobbyChanges = true
    scheduleFlush(of: room, at: now)
    admitWaiting(in: room, users: [user], isStart: false, at: now)
  }
}
