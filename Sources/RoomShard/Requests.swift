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
    outbox.append(.respond(id, result), restingOn: rooms[session]?.position ?? 0)
  }

  private func answer(
    _ request: RoomRequest, session: String, by identity: Identity?, at now: Timestamp
  ) throws(Refusal) -> RoomAnswer {
    if case .create(let draft, let id, let roomName, let epoch, let key) = request {
      return try create(draft, id: id, roomName: roomName, epoch: epoch, key: key, by: identity, at: now)
    }
    guard let room = rooms[session] else { throw .notFound }
    try checkIsTrusted(room)
    room.hasVisitors = true
    if case .read = request {
      return try read(room.classroom, by: identity)
    }
    guard let identity else { throw .notFound }
    let role = try room.classroom.role(of: identity)
    let actor = Actor(user: identity.user, name: identity.name, role: role)
    switch request {
    case .start(let key):
      let change = try change(.start, key: key, by: actor, in: room, at: now)
      return .started(change, session: session, participants: room.classroom.attendance.activeCount)
    case .end(let key):
      return .ended(
        try change(.end, key: key, by: actor, in: room, at: now), session: session)
    case .join:
      return try join(room, by: actor, at: now)
    case .attendance:
      return .attendance(report(of: room, for: actor, at: now))
    case .create, .read:
      preconditionFailure("answered above")
    }
  }

  private func create(
    _ draft: SessionDraft, id: String, roomName: String, epoch: String, key: String?, by identity: Identity?,
    at now: Timestamp
  ) throws(Refusal) -> RoomAnswer {
    guard let identity, identity.mayCreateSessions else { throw .forbidden }
    if let room = rooms[id] { try checkIsTrusted(room) }
    let keyUse = key.map(draft.keyUse)
    // Before the draft is looked at: its start may have been near enough then, and lie too far in the past now.
    if let keyUse, let room = rooms[id], try room.classroom.isCreated(by: identity.user, with: keyUse, at: now) {
      return .session(room.classroom.view, mayJoin: true)
    }
    let details = try draft.validated(id: id, roomName: roomName, host: identity.user, at: now)
    guard rooms[id] == nil, stubs[id] == nil else { throw .sessionExists }
    guard !hasStorageFailed else { throw .storageUnavailable(isCertain: true) }
    let creation = Classroom.creation(details, epoch: epoch, by: identity.user, keyUse: keyUse)
    guard let classroom = Classroom(creation) else { preconditionFailure("a creation creates") }
    let room = Room(classroom)
    rooms[id] = room
    record([creation], in: room)
    publish(room)
    return .session(classroom.view, mayJoin: true)
  }

  func read(_ classroom: Classroom, by identity: Identity?) throws(Refusal) -> RoomAnswer {
    guard let identity else {
      guard classroom.details.visibility == .listed else { throw .notFound }
      return .session(classroom.view, mayJoin: false)
    }
    guard classroom.isVisible(to: identity) else { throw .notFound }
    // A refusal to enter is no error here: the session is visible, and its room name is not.
    let mayJoin = (try? classroom.role(of: identity)) != nil
    return .session(classroom.view, mayJoin: mayJoin)
  }

  private func change(
    _ command: Command, key: String?, by actor: Actor, in room: Room, at now: Timestamp
  ) throws(Refusal) -> StatusChange {
    let outcome = try decide(command, by: actor, key: key, in: room, at: now)
    didChangeStatus(outcome.events, in: room, at: now)
    if case .status(let change) = outcome.answer { return change }
    return room.classroom.statusChange
  }

  /// Lets somebody in who has no socket yet: attendance opens, and a socket takes it over within the grace.
  private func join(_ room: Room, by actor: Actor, at now: Timestamp) throws(Refusal) -> RoomAnswer {
    switch room.classroom.status {
    case .completed: throw .wrongState(.completed)
    case .scheduled: break
    case .ongoing:
      let outcome = try decide(.join, by: actor, in: room, at: now)
      // Who asks again while nobody is connected has the whole grace again.
      if !outcome.events.isEmpty || (actor.role.isVisible && room.detachments[actor.user] != nil) {
        room.presence.enter(user: actor.user, name: actor.name, role: actor.role, at: now)
        detach(actor.user, from: room, since: now, isEstimated: false, at: now)
        scheduleFlush(of: room, at: now)
      }
    }
    return .joined(
      session: room.classroom.id, role: actor.role, participants: room.classroom.attendance.activeCount)
  }

  private func report(of room: Room, for actor: Actor, at now: Timestamp) -> AttendanceReport {
    let rows = room.classroom.attendance.rows.values
    return AttendanceReport(
      view: room.classroom.view,
      rows: actor.role.mayReadAttendance ? Array(rows) : rows.filter { $0.user == actor.user }, at: now)
  }
}
