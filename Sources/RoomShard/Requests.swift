import Classroom

#if PLANTED_BUGS
  import PlantedBugs
#endif

// What is asked of a room from outside it.
extension RoomShard {
  /// A request about one session; it is answered through the sink once, under its id.
  public func handle(
    _ request: RoomRequest, session: String, id: RequestID, by identity: Identity?, at now: Timestamp
  ) {
    if park(request, session: session, id: id, by: identity) { return }
    let result: Result<RoomAnswer, Refusal>
    do throws(Refusal) {
      result = .success(try answer(request, session: session, by: identity, at: now))
    } catch {
      result = .failure(error)
    }
    #if PLANTED_BUGS
      if PlantedBugs.isActive(.readPastBarrier) {
        outbox.append(.respond(id, result), restingOn: 0)
        return
      }
    #endif
    outbox.append(.respond(id, result), restingOn: position(of: result, session: session))
  }

  /// What an answer rests on. That there is no such session rests on all that has happened in any: what is hidden and what
  /// does not exist are told in the same time.
  func position(of result: Result<RoomAnswer, Refusal>, session: String) -> UInt64 {
    if case .failure(.notFound) = result { return position }
    return rooms[session]?.position ?? 0
  }

  private func answer(
    _ request: RoomRequest, session: String, by identity: Identity?, at now: Timestamp
  ) throws(Refusal) -> RoomAnswer {
    if case .create(let draft, let id, let roomName, let epoch, let key) = request {
      return try create(draft, id: id, roomName: roomName, epoch: epoch, key: key, by: identity, at: now)
    }
    guard let room = rooms[session] else { throw .notFound }
    if case .readNotices(let numbers) = request { return try readNotices(numbers, in: room, by: identity, at: now) }
    // Who may not know of the session is not told of its trouble either.
    guard identity.map(room.classroom.isVisible) ?? room.classroom.isPublic else { throw .notFound }
    try checkIsTrusted(room)
    room.hasVisitors = true
    if case .read = request {
      return try read(room.classroom, by: identity)
    }
    guard let identity else { throw .notFound }
    let actor = try actor(for: request, by: identity, in: room.classroom)
    switch request {
    case .start(let key):
      let change = try change(.start, key: key, by: actor, in: room, at: now)
      return .started(change, session: session, participants: room.classroom.attendance.activeCount)
    case .end(let key):
      return .ended(
        try change(.end, key: key, by: actor, in: room, at: now), session: session)
    case .join:
      return try join(room, by: actor, at: now)
    case .attendance, .attendanceOf, .joinLive, .leave, .heartbeat, .checkIn, .checkInCode:
      return try answer(request, about: room, by: actor, at: now)
    case .perform(let command, let key):
      let answer = try carryOut(command, by: actor, key: key, in: room, at: now)
      return .performed(answer, room.classroom.view, participants: room.classroom.attendance.activeCount)
    case .registrations:
      try room.classroom.require(.readRegistrations, of: actor)
      return .registrations(Array(room.classroom.roster.entries.values), session: session)
    case .participants, .chat:
      return try answerReading(request, about: room, by: actor)
    case .create, .read, .readNotices:
      preconditionFailure("answered above")
    }
  }

  /// Who asks, and as what.
  private func actor(
    for request: RoomRequest, by identity: Identity, in classroom: Classroom
  ) throws(Refusal) -> Actor {
    do throws(Refusal) {
      return Actor(user: identity.user, name: identity.name, role: try classroom.role(of: identity))
    } catch {
      // Who asks to be let in has no role yet.
      switch request {
      case .perform(.register, _), .perform(.unregister, _):
        guard error == .forbidden, classroom.isVisible(to: identity) else { throw error }
        return Actor(user: identity.user, name: identity.name, role: .participant)
      default: throw error
      }
    }
  }

  private func create(
    _ draft: SessionDraft, id: String, roomName: String, epoch: String, key: String?, by identity: Identity?,
    at now: Timestamp
  ) throws(Refusal) -> RoomAnswer {
    guard let identity else { throw .forbidden }
    let host = draft.host ?? identity.user
    // Who may not plan sessions may ask somebody who may.
    let isProposal = host != identity.user && !identity.isAdministrator
    // Who is the host of one session by the token may make it.
    let isGranted = identity.session == id && identity.role == .host && !identity.isGuest && host == identity.user
    guard isProposal ? identity.mayProposeSessions : identity.mayCreateSessions || isGranted else { throw .forbidden }
    if let room = rooms[id] { try checkIsTrusted(room) }
    let keyUse = key.map(draft.keyUse)
    // Before the draft is looked at: its start may have been near enough then, and lie too far in the past now.
    if let keyUse, let room = rooms[id], try room.classroom.isCreated(by: identity.user, with: keyUse, at: now) {
      return .session(room.classroom.view, mayJoin: true)
    }
    let details = try draft.validated(
      id: id, roomName: roomName, host: host, proposer: isProposal ? identity.user : nil, in: configuration.rules.zones,
      at: now)
    guard rooms[id] == nil, stubs[id] == nil else { throw .sessionExists }
    guard !hasStorageFailed else { throw .storageUnavailable(isCertain: true) }
    let creation = Classroom.creation(details, epoch: epoch, by: identity.user, keyUse: keyUse)
    guard var classroom = Classroom(creation) else { preconditionFailure("a creation creates") }
    let expected = classroom.expect(draft.invited, proposerName: identity.name, by: identity.user, at: now)
    let room = Room(classroom)
    rooms[id] = room
    record([creation] + expected, in: room)
    publish(room)
    return .session(classroom.view, mayJoin: true)
  }

  /// - Parameter view: what is shown, where it is not the classroom that has all of it.
  func read(
    _ classroom: Classroom, of view: SessionView? = nil, by identity: Identity?
  ) throws(Refusal) -> RoomAnswer {
    guard let identity else {
      guard classroom.isPublic else { throw .notFound }
      return .session(view ?? classroom.view, mayJoin: false)
    }
    guard classroom.isVisible(to: identity) else { throw .notFound }
    // A refusal to enter is no error here: the session is visible, and its room name is not.
    let mayJoin = (try? classroom.role(of: identity)) != nil
    return .session(view ?? classroom.view, mayJoin: mayJoin)
  }

  private func change(
    _ command: Command, key: String?, by actor: Actor, in room: Room, at now: Timestamp
  ) throws(Refusal) -> StatusChange {
    if case .status(let change) = try carryOut(command, by: actor, key: key, in: room, at: now) { return change }
    return room.classroom.statusChange
  }

  /// Lets somebody in who has no socket yet: attendance opens, and stays open as long as heartbeats or a socket come.
  func join(_ room: Room, by actor: Actor, at now: Timestamp) throws(Refusal) -> RoomAnswer {
    switch room.classroom.status {
    case .pendingApproval, .completed, .cancelled, .expired: throw .wrongState(room.classroom.status)
    case .approved, .scheduled: break
    // The ticket is for the waiting room.
    case .ongoing where room.classroom.mustWait(actor): break
    case .ongoing:
      let outcome = try decide(.join, by: actor, in: room, at: now)
      // Who asks again while nobody is connected has the whole time again.
      if !outcome.events.isEmpty || (actor.role.isVisible && room.detachments[actor.user] != nil) {
        room.show(actor.user, name: actor.name, role: actor.role, at: now)
        awaitHeartbeat(of: actor.user, in: room, isByRequest: true, at: now)
      }
    }
    return .joined(
      session: room.classroom.id, role: actor.role, participants: room.classroom.attendance.activeCount)
  }
}
