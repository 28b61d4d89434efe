import Classroom
import JSON
import SignalingProtocol

// Attendance: who asks for it, who is in without a socket, and what those who lead the class are told of it.
extension RoomShard {
  /// How soon after a heartbeat another one is not written down.
  private static let heartbeatSpacingMilliseconds: Int64 = 1000

  /// Answers what is asked over HTTP about being there.
  func answer(
    _ request: RoomRequest, about room: Room, by actor: Actor, at now: Timestamp
  ) throws(Refusal) -> RoomAnswer {
    let classroom = room.classroom
    switch request {
    case .attendance:
      return .attendance(try report(of: room, for: actor, at: now))
    case .attendanceOf(let user):
      try classroom.require(.readAttendance, of: actor)
      guard user == actor.user || actor.role.mayReadAttendance else { throw .forbidden }
      return .attendance(classroom.report(.only(user), thresholds: configuration.thresholds, at: now))
    case .joinLive:
      guard classroom.status.isLive else { throw .wrongState(classroom.status) }
      let isIn =
        room.presence[actor.user]?.hasConnection == true || room.detachments[actor.user]?.isByRequest == true
        || classroom.attendance[actor.user]?.isCheckedIn == true
      if isIn { throw .alreadyIn }
      return try join(room, by: actor, at: now)
    case .leave:
      try leaveAltogether(actor, room, at: now)
      return performed(in: room)
    case .heartbeat:
      try noteHeartbeat(of: actor, in: room, at: now)
      return performed(in: room)
    case .checkIn(let isCodeRight):
      try classroom.require(.checkIn, of: actor)
      guard isCodeRight else { throw .invalidField("code", "This is not the code that is shown now.") }
      return .performed(
        try carryOut(.checkIn, by: actor, key: nil, in: room, at: now), room.classroom.view,
        participants: room.classroom.attendance.activeCount)
    case .checkInCode:
      try classroom.require(.markPresent, of: actor)
      guard classroom.status.isLive else { throw .wrongState(classroom.status) }
      return .checkInCode(session: classroom.id)
    case .create, .read, .start, .end, .join, .perform, .registrations, .participants, .chat, .readNotices:
      preconditionFailure("answered elsewhere")
    }
  }

  private func performed(in room: Room) -> RoomAnswer {
    .performed(.done, room.classroom.view, participants: room.classroom.attendance.activeCount)
  }

  // MARK: Reading

  /// Everybody's attendance for who leads the class, the own for all others.
  private func report(of room: Room, for actor: Actor, at now: Timestamp) throws(Refusal) -> AttendanceReport {
    try room.classroom.require(.readAttendance, of: actor)
    return room.classroom.report(
      actor.role.mayReadAttendance ? .everybody : .only(actor.user), thresholds: configuration.thresholds, at: now)
  }

  func sendAttendance(
    after: Int, limit: Int, id: Int64, to connection: ConnectionID, _ member: Member, at now: Timestamp
  ) throws(ProtocolError) {
    let room = member.room
    let report: AttendanceReport
    do throws(Refusal) {
      report = try self.report(of: room, for: member.actor, at: now)
    } catch {
      throw ProtocolError(error)
    }
    send(to: connection, from: room, as: .answer(id: id)) {
      ServerMessage.attendancePage(report, after: after, limit: limit, id: id, into: &$0)
    }
  }

  func scheduleAttendanceSummary(of room: Room, at now: Timestamp) {
    guard !room.isSummaryScheduled else { return }
    room.isSummaryScheduled = true
    timers.summaries.append((now.advanced(byMilliseconds: configuration.attendanceSummaryMilliseconds), room))
  }

  func sendAttendanceSummary(of room: Room, at now: Timestamp) {
    room.isSummaryScheduled = false
    guard !room.isFrozen, room.classroom.status.isLive else { return }
    guard !room.audience.members(of: .stream(.hosts)).isEmpty else { return }
    broadcast(to: .stream(.hosts), of: room) { writer in
      ServerMessage.attendanceSummary(
        room.classroom.attendanceTotals(configuration.thresholds, at: now), session: room.classroom.id, at: now,
        into: &writer)
    }
  }

  // MARK: Being there without a socket

  /// Somebody without a connection is there as of now, and is waited for to say so again.
  /// - Parameter isByRequest: whether the person asked over HTTP to come in.
  func awaitHeartbeat(of user: String, in room: Room, isByRequest: Bool, at now: Timestamp) {
    guard let participant = room.presence[user] else { return }
    if room.classroom.attendance[user]?.isCheckedIn == true {
      room.presence.setWithoutConnection(true, user: user)
      return
    }
    if takesRecords(room) {
      perform(
        .heartbeat, by: Actor(user: user, name: participant.name, role: participant.role), in: room, at: now)
    }
    awaitReturn(
      of: user, to: room, since: now, isEstimated: false, isBetweenHeartbeats: true, isByRequest: isByRequest, at: now)
    scheduleFlush(of: room, at: now)
  }

  private func noteHeartbeat(of actor: Actor, in room: Room, at now: Timestamp) throws(Refusal) {
    try room.classroom.require(.heartbeat, of: actor)
    guard let row = room.classroom.attendance[actor.user], row.isActive, let participant = room.presence[actor.user]
    else { throw .notPresent }
    if participant.hasConnection || row.isCheckedIn { return }
    let known = room.detachments[actor.user]
    if participant.isWithoutConnection, let known,
      now.milliseconds(since: known.since) < Self.heartbeatSpacingMilliseconds
    {
      return
    }
    guard takesRecords(room) else { throw .storageUnavailable(isCertain: true) }
    awaitHeartbeat(of: actor.user, in: room, isByRequest: known?.isByRequest ?? false, at: now)
  }

  /// Somebody leaves, over HTTP, with every tab. Who is not there has left.
  private func leaveAltogether(_ actor: Actor, _ room: Room, at now: Timestamp) throws(Refusal) {
    guard room.classroom.attendance.isActive(actor.user) else { return }
    guard takesRecords(room) else { throw .storageUnavailable(isCertain: true) }
    let told = room.classroom.streamSequence
    let outcome = try decide(.leave(at: now, isEstimated: false), by: actor, in: room, at: now)
    tell(outcome.events, after: told, in: room, at: now)
  }

  /// Makes the live room follow what was recorded of who is in without a connection, and who was said to have gone.
  func followAttendance(_ events: [RecordedEvent], in room: Room, at now: Timestamp) {
    guard room.classroom.status.isLive else { return }
    for event in events {
      switch event.event {
      case .checkedIn(let user):
        guard let row = room.classroom.attendance[user], row.isActive else { continue }
        if room.presence[user] == nil {
          room.show(user, name: row.name, role: row.role, at: row.segments.last?.from ?? now)
        }
        room.detachments[user] = nil
        room.presence.setWithoutConnection(true, user: user)
        scheduleFlush(of: room, at: now)
      case .left(let user, _, _):
        takeOut(user, of: room, at: now)
      default: break
      }
    }
  }

  /// Somebody's attendance has ended: every connection of that person ends.
  private func takeOut(_ user: String, of room: Room, at now: Timestamp) {
    guard !room.classroom.attendance.isActive(user), let participant = room.presence[user] else { return }
    for peer in participant.peers.compactMap({ room.peers[$0.id] }) {
      if let connection = peer.connection, let member = members[connection] {
        depart(member, connection: connection)
        end(connection, for: .leftElsewhere, restingOn: room.position)
      }
      drop(peer, in: room, at: now)
    }
    vacate(user, in: room, at: now)
    admitWaiting(in: room, isStart: false, at: now)
  }
}
