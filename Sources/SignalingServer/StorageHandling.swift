import Bytes
import Classroom
import Persistence
import RoomShard

// What a loop does when the disk fails and heals, for snapshots, and for sessions that are over.
extension ServerLoop {
  /// How many sessions are handed over for a snapshot in one tick.
  private static let snapshotRoomsPerTick = 1000

  // MARK: Trouble

  func noteStorageFailure(isCertain: Bool) {
    snapshot = nil
    context.journal.figures[context.index].isWaitingForDisk = true
    shard.storageFailed(isCertain: isCertain, at: now)
    // What was on its way under the earlier incarnation is void; after this the journal knows that none of it is left.
    context.journal.mailbox.post(
      .freeze(loop: context.index, incarnation: shard.incarnation, sessions: shard.frozenSessions))
  }

  func noteStorageHealing(_ classrooms: [String: Classroom]) {
    var stored: [String: Classroom?] = [:]
    for session in shard.frozenSessions { stored.updateValue(classrooms[session], forKey: session) }
    shard.storageHealed(stored, at: now)
    context.journal.figures[context.index].isWaitingForDisk = false
  }

  // MARK: Snapshots

  func beginSnapshot(_ round: Int) {
    // A session that fails here may be asked for in vain; the journal has given the round up then.
    guard !shard.hasStorageFailed else { return }
    forgetExpired()
    shard.buryDeleted()
    var sessions = shard.archived.map(\.view.details.id)
    let inHistory = Set(sessions)
    sessions += shard.sessions.filter { !inHistory.contains($0) }
    snapshot = (round, sessions[...])
  }

  func takeSnapshotStep() {
    guard var work = snapshot else { return }
    // The records that these states rest on are with the journal first.
    appendRecords()
    var rooms: [SnapshotRoom] = []
    rooms.reserveCapacity(min(work.sessions.count, Self.snapshotRoomsPerTick))
    while rooms.count < Self.snapshotRoomsPerTick, let session = work.sessions.popFirst() {
      if let stub = shard.archived(session) {
        rooms.append(.archived(ArchivedSession(view: stub.view, sequence: stub.sequence)))
      } else if let classroom = shard.classroom(session) {
        rooms.append(.classroom(classroom))
      }
    }
    let isLast = work.sessions.isEmpty
    context.journal.mailbox.post(
      .snapshotPart(incarnation: shard.incarnation, round: work.round, rooms: rooms, isLast: isLast))
    snapshot = isLast ? nil : work
  }

  // MARK: History

  /// Moves sessions that have been over for a while to the history; they leave memory when their files are there.
  func archive() {
    nextArchiving =
      monotonicNow + min(patience.archiving, max(1, context.configuration.shard.archiveAfterMilliseconds))
    guard !shard.hasStorageFailed, archiving.isEmpty else { return }
    for session in shard.archivable(at: now) {
      guard let classroom = shard.classroom(session) else { continue }
      archiving.insert(session)
      context.history.mailbox.post(.archive(classroom, loop: context.index))
    }
  }

  func noteArchived(_ session: String, sequence: UInt64?) {
    archiving.remove(session)
    guard let sequence else { return }
    shard.didArchive(session, sequence: sequence)
    if archiving.isEmpty { nextArchiving = monotonicNow }
  }

  func requestLoads() {
    for session in shard.takeLoads() { context.history.mailbox.post(.load(session, loop: context.index)) }
  }

  func noteLoaded(_ session: String, _ classroom: Classroom?) {
    if let classroom {
      shard.didLoad(classroom, at: now)
    } else {
      shard.didFailToLoad(session, at: now)
    }
  }

  /// Forgets the sessions whose time is over. Only when a snapshot is taken: what the journal holds of them is then before
  /// it.
  private func forgetExpired() {
    guard let keep = context.configuration.keepMilliseconds else { return }
    for stub in shard.archived where stub.view.hasExpired(keeping: keep, at: now) {
      let session = stub.view.details.id
      if shard.forget(session, at: now) { context.history.mailbox.post(.remove(session)) }
    }
  }
}

extension SessionView {
  /// Whether the session ended longer ago than sessions are kept.
  func hasExpired(keeping keep: Int64, at now: Timestamp) -> Bool {
    guard status.isOver else { return false }
    let over = endedAt ?? details.scheduledAt.advanced(byMilliseconds: Int64(details.durationMinutes) * 60_000)
    return now.milliseconds(since: over) > keep
  }
}
