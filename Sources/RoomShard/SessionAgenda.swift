import Classroom
import SignalingProtocol

// What the server does with sessions by itself, when it is time: reminders, expiry, and the end of a class that everybody has
// left.
extension RoomShard {
  /// Finds out when the server has to look after a session next.
  func updateAgenda(of room: Room, at now: Timestamp) {
    let classroom = room.classroom
    let isEmpty = classroom.status.isLive && classroom.attendance.activeCount == 0
    room.emptySince = isEmpty ? room.emptySince ?? now : nil
    guard !classroom.isDeleted,
      let next = classroom.nextOccurrence(configuration.rules.times, emptySince: room.emptySince)
    else {
      room.agendaDue = nil
      return
    }
    guard room.agendaDue != next.at else { return }
    room.agendaDue = next.at
    timers.agenda.insert(room, at: next.at)
  }

  /// A session is back after a restart: nobody could be in meanwhile, and who waited is gone since the server was last alive.
  func recoverAgenda(of room: Room, lastAlive: Timestamp, at now: Timestamp) {
    for waiter in room.classroom.lobby.waiting {
      perform(
        .stopWaiting(at: max(waiter.since, lastAlive)),
        by: Actor(user: waiter.user, name: waiter.name, role: waiter.role), in: room, at: now)
    }
    room.notePublished()
    updateAgenda(of: room, at: now)
  }

  /// Does what is due.
  func keepAgenda(at now: Timestamp) {
    while let (due, room) = timers.agenda.take(through: now).map({ ($0.due, $0.room) }) {
      guard room.agendaDue == due else { continue }
      room.agendaDue = nil
      // While the storage has failed nothing happens by itself; it is made up for when it has healed.
      guard rooms[room.classroom.id] === room, takesRecords(room) else { continue }
      let told = room.classroom.streamSequence
      let before = room.classroom.conduct
      let events = room.classroom.advance(to: now, configuration.rules.times, emptySince: room.emptySince)
      record(events, in: room)
      if !events.isEmpty { unsynced.note(before, of: room.classroom.id, through: room.position) }
      tell(events, after: told, in: room, at: now)
      updateAgenda(of: room, at: now)
    }
  }

  /// Tells the catalog how many people are in, where it was told another number.
  func publishCounts(of room: Room) {
    if !room.isFrozen, !room.isPublished { publish(room) }
  }

  // MARK: Deleted sessions

  /// Forgets sessions that were deleted before the last call of this, to be called when a snapshot begins: the snapshot before
  /// this one says that they are gone, and what the journal has of them is before this one.
  public func buryDeleted() {
    for (session, room) in rooms where room.classroom.isDeleted && !room.isFrozen && room.position <= synced {
      if room.isBuried { rooms[session] = nil } else { room.isBuried = true }
    }
  }
}
