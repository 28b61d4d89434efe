import Classroom
import DequeModule
import SignalingProtocol

#if PLANTED_BUGS
  import PlantedBugs
#endif

/// The timers of a shard. Each kind always waits for the same time, so that each queue is in order by itself.
struct ShardTimers {
  /// When the changes of a room's presence are told.
  var flushes: Deque<(deadline: Timestamp, room: Room)> = []
  /// When waiting for somebody to come back ends.
  var graces: Deque<(deadline: Timestamp, room: Room, user: String)> = []
  /// When waiting for the next heartbeat of somebody ends.
  var heartbeats: Deque<(deadline: Timestamp, room: Room, user: String)> = []
  /// When those who lead a class are told how attendance stands.
  var summaries: Deque<(deadline: Timestamp, room: Room)> = []
  /// When the address of a lost tab is given up.
  var peerGraces: Deque<(deadline: Timestamp, room: Room, peer: Peer, generation: UInt64)> = []

  /// When somebody is taken not to type any more, unless it was said again.
  var typing: Deque<(deadline: Timestamp, room: Room, user: String)> = []

  /// When a session that was loaded from the archive leaves memory, if nobody uses it.
  var evictions: Deque<(deadline: Timestamp, room: Room)> = []

  /// When the server has to look after a session by itself.
  var agenda = AgendaQueue()

  /// When it is looked after who needs new credentials for calls.
  var renewals: Timestamp?

  var next: Timestamp? {
    [
      agenda.first, flushes.first?.deadline, graces.first?.deadline, peerGraces.first?.deadline,
      heartbeats.first?.deadline, summaries.first?.deadline, typing.first?.deadline, evictions.first?.deadline,
      renewals,
    ].lazy.compactMap { $0 }.min()
  }
}

extension RoomShard {
  /// When ``advance(to:)`` has something to do next.
  public var nextDeadline: Timestamp? { timers.next }

  /// Does what is due.
  public func advance(to now: Timestamp) {
    evict(at: now)
    keepAgenda(at: now)
    renewICEServers(at: now)
    while let typing = timers.typing.first, typing.deadline <= now {
      timers.typing.removeFirst()
      endTyping(of: typing.user, in: typing.room, ifSilent: true, at: now)
    }
    while let flush = timers.flushes.first, flush.deadline <= now {
      timers.flushes.removeFirst()
      flushPresence(of: flush.room, at: now)
    }
    while let grace = timers.peerGraces.first, grace.deadline <= now {
      timers.peerGraces.removeFirst()
      endGrace(of: grace.peer, in: grace.room, generation: grace.generation, at: now)
    }
    while let grace = timers.graces.first, grace.deadline <= now {
      timers.graces.removeFirst()
      endGrace(of: grace.user, in: grace.room, deadline: grace.deadline, at: now)
    }
    while let heartbeat = timers.heartbeats.first, heartbeat.deadline <= now {
      timers.heartbeats.removeFirst()
      endGrace(of: heartbeat.user, in: heartbeat.room, deadline: heartbeat.deadline, at: now)
    }
    while let summary = timers.summaries.first, summary.deadline <= now {
      timers.summaries.removeFirst()
      sendAttendanceSummary(of: summary.room, at: now)
    }
  }

  func scheduleFlush(of room: Room, at now: Timestamp) {
    guard !room.isFlushScheduled else { return }
    room.isFlushScheduled = true
    timers.flushes.append((now.advanced(byMilliseconds: configuration.presenceIntervalMilliseconds), room))
  }

  private func flushPresence(of room: Room, at now: Timestamp) {
    room.isFlushScheduled = false
    flushWaiting(of: room, at: now)
    publishCounts(of: room)
    flushTyping(of: room, at: now)
    guard let difference = room.presence.takeDifference() else { return }
    scheduleAttendanceSummary(of: room, at: now)
    noteUntold(difference, of: room)
    broadcastLatest(to: .presence(.full), of: room) {
      ServerMessage.presenceDifference(difference, at: now, where: { _ in true }, into: &$0)
    }
    broadcastLatest(to: .presence(.hosts), of: room) {
      ServerMessage.presenceDifference(difference, at: now, where: \.isHosting, into: &$0)
    }
    guard difference.count != room.announcedCount else { return }
    room.announcedCount = difference.count
    broadcastLatest(to: .presence(.count), of: room) {
      ServerMessage.presenceCount(difference.count, sequence: difference.sequence, at: now, into: &$0)
    }
  }

  // MARK: Grace

  /// Starts waiting for somebody whose last connection is gone.
  func detach(_ user: String, from room: Room, since: Timestamp, isEstimated: Bool, at now: Timestamp) {
    guard let participant = room.presence[user] else { return }
    if room.classroom.attendance[user]?.isCheckedIn == true {
      // Who is vouched for needs no connection.
      room.presence.setWithoutConnection(true, user: user)
      return
    }
    room.presence.setWithoutConnection(false, user: user)
    // Written down, so that a crash within the grace does not make the person stay longer than heard.
    if takesRecords(room) {
      perform(
        .lose(since: since, isEstimated: isEstimated),
        by: Actor(user: user, name: participant.name, role: participant.role), in: room, at: now)
    }
    awaitReturn(of: user, to: room, since: since, isEstimated: isEstimated, at: now)
  }

  /// Waits for somebody whose loss is written down.
  /// - Parameter isBetweenHeartbeats: whether the person needs no connection, only to say so in time.
  func awaitReturn(
    of user: String, to room: Room, since: Timestamp, isEstimated: Bool, isBetweenHeartbeats: Bool = false,
    isByRequest: Bool = false, at now: Timestamp
  ) {
    let patience =
      isBetweenHeartbeats ? configuration.heartbeatTimeoutMilliseconds : configuration.graceMilliseconds
    let deadline = now.advanced(byMilliseconds: patience)
    room.detachments[user] = Room.Detachment(
      since: since, isEstimated: isEstimated, deadline: deadline, isByRequest: isByRequest)
    if isBetweenHeartbeats {
      timers.heartbeats.append((deadline, room, user))
    } else {
      timers.graces.append((deadline, room, user))
    }
    room.presence.setWithoutConnection(isBetweenHeartbeats, user: user)
  }

  private func endGrace(of user: String, in room: Room, deadline: Timestamp, at now: Timestamp) {
    #if PLANTED_BUGS
      if PlantedBugs.isActive(.graceForgotten) {
        return leave(user, room: room, at: now, isEstimated: false, now: now)
      }
    #endif
    // While the storage has failed nobody's attendance ends; it is made up for when it has healed.
    guard takesRecords(room), let detachment = room.detachments[user], detachment.deadline == deadline else { return }
    #if PLANTED_BUGS
      if PlantedBugs.isActive(.graceCounted) {
        room.detachments[user] = nil
        return leave(user, room: room, at: now, isEstimated: false, now: now)
      }
    #endif
    room.detachments[user] = nil
    leave(user, room: room, at: detachment.since, isEstimated: detachment.isEstimated, now: now)
  }

  /// Records what the server itself has noticed.
  func perform(_ command: Command, by actor: Actor, in room: Room, at now: Timestamp) {
    do throws(Refusal) {
      _ = try decide(command, by: actor, in: room, at: now)
    } catch {
      assertionFailure("losing a connection and leaving are never refused")
    }
  }

  /// Ends the attendance of somebody.
  func leave(_ user: String, room: Room, at time: Timestamp, isEstimated: Bool, now: Timestamp) {
    guard let participant = room.presence[user] else { return }
    perform(
      .leave(at: time, isEstimated: isEstimated),
      by: Actor(user: user, name: participant.name, role: participant.role), in: room, at: now)
    vacate(user, in: room, at: now)
    admitWaiting(in: room, isStart: false, at: now)
  }
}
