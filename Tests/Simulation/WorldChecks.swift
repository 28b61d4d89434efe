import Classroom
import Persistence
import RoomShard

// The invariants that need more than one view.
extension World {
  /// Nothing may grow without bound.
  func checkBounds(of loop: SimulatedLoop) {
    if loop.shard.heldByteCount > 8 << 20 { fail("memory", "the outbox holds \(loop.shard.heldByteCount) bytes") }
    loop.forEachConnection { connection in
      if connection.backlog.count > patience.outboundBytes + (1 << 20) {
        fail("memory", "\(connection.backlog.count) bytes wait for one socket")
      }
      if let identity = connection.identity, connection.machine?.isOpen == true,
        loop.now.milliseconds(since: identity.expiresAt) > 2 * patience.sweep
      {
        fail("tokens", "\(identity.user) is connected past the end of the token")
      }
      if connection.input.count > 512 * 1024 { fail("memory", "\(connection.input.count) bytes of input wait") }
    }
    checkConduct(of: loop)
  }

  /// After each message to anybody: now and then the power fails in a copy of the world, and everything that was shown
  /// must be on its disk.
  func afterMessage() {
    messagesUntilSample -= 1
    guard messagesUntilSample <= 0, violation == nil else { return }
    samples += 1
    messagesUntilSample = diskRandomness.int(20...400) * (1 + samples / 8)
    checkDisks(
      diskRandomness.chance(0.7) ? disk.afterPowerLoss() : disk.afterKill(),
      diskRandomness.chance(0.7) ? historyDisk.afterPowerLoss() : historyDisk.afterKill(), "a power cut now")
  }

  /// Does something with the disk, and now and then sees what would be left had the power failed in the middle of it.
  func cuttingPower(_ work: () -> Void) {
    guard violation == nil, diskRandomness.chance(0.5 / Double(1 + samples)) || isCutDue else { return work() }
    samples += 1
    var operations = 0
    var copy: SimulatedDisk?
    disk.onOperation = { [unowned self] in
      operations += 1
      if diskRandomness.chance(1 / Double(operations)) { copy = disk.afterPowerLoss() }
    }
    work()
    disk.onOperation = nil
    if let copy { checkDisks(copy, historyDisk.afterPowerLoss(), "a power cut in the middle of a write") }
  }

  private var isCutDue: Bool { diskRandomness.chance(0.01) }

  /// What was shown must be on these disks.
  private func checkDisks(_ copy: SimulatedDisk, _ historyCopy: SimulatedDisk, _ occasion: String) {
    copy.heal()
    historyCopy.heal()
    let store = HistoryStore(historyCopy)
    var recovered = RecoveredState(history: store)
    do {
      try FolderFormat.ensure(copy)
      _ = try Recovery.open(copy, segmentID: SegmentID(1, 1), now: 0, clock: { 0 }, into: &recovered)
    } catch {
      return fail("recovery", "\(occasion) would leave a folder that is refused: \(error)")
    }
    verify(recovered, store, newest: 60, occasion)
  }

  func verify(
    _ recovered: RecoveredState<SimulatedDisk>, _ store: HistoryStore<SimulatedDisk>, newest: Int? = nil,
    _ occasion: String
  ) {
    var classrooms = recovered.classrooms
    for (name, session) in recovered.archived.sorted(by: { $0.key < $1.key }) {
      do throws(HistoryError) {
        let classroom = try store.read(name)
        if classroom.archiveView != session.view { fail("durable", "\(occasion): the history has another \(name)") }
        classrooms[name] = classroom
      } catch {
        fail("durable", "\(occasion): \(error)")
      }
    }
    history.verify(classrooms, newest: newest, occasion)
    verifyBookings(classrooms, occasion)
  }

  func disturb() { disturbances += 1 }

  /// When nothing goes wrong any more, everybody comes to see the same.
  func checkConvergence() {
    guard let server, server.isRunning else { return fail("convergence", "the server does not come up") }
    for tab in tabs where !tab.isGone {
      if let (id, sent) = tab.pending.min(by: { $0.key < $1.key }), serverNow - sent.time > 30_000 {
        return fail("answers", "\(tab.name): \(sent.type) with id \(id) was never answered")
      }
    }
    for name in sessionNames {
      let shard = server.loops[server.loop(of: name)].shard
      guard let classroom = shard.classroom(name) else {
        if shard.archived(name) != nil { continue }
        fail("convergence", "\(name) does not exist")
        continue
      }
      checkTabs(of: classroom)
    }
  }

  func checkTabs(of classroom: Classroom) {
    let name = classroom.id
    let inside = tabs.filter { $0.view.session == name && $0.isJoined }
    let present = Set(classroom.attendance.rows.values.filter(\.isActive).map(\.user))
    var peers: [String: Set<String>] = [:]
    for tab in inside {
      if let peer = tab.view.peer { peers[tab.view.user, default: []].insert(peer) }
    }
    for tab in inside {
      checkSignals(of: tab)
      tab.checkMachine()
    }
    for tab in inside where tab.view.state == .present || tab.view.state == .ended {
      let view = tab.view
      func expect(_ condition: Bool, _ detail: String) {
        if !condition { fail("convergence", "\(tab.name) in \(name): \(detail)") }
      }
      expect(view.status == classroom.status.rawValue, "sees it \(view.status), it is \(classroom.status)")
      expect(view.room == Int64(classroom.streamSequence), "has \(view.room) of \(classroom.streamSequence)")
      checkConduct(of: classroom, seenBy: tab)
      guard view.state == .present else { continue }
      if view.mode != "none" { expect(view.count == Int64(present.count), "counts \(view.count) of \(present.count)") }
      guard view.mode == "full" else { continue }
      expect(Set(view.participants.keys) == present, "sees \(view.participants.keys.sorted()) of \(present.sorted())")
      for (user, participant) in view.participants {
        expect(
          Set(participant.peers) == peers[user] ?? [],
          "sees \(participant.peers.sorted()) of \(user) instead of \((peers[user] ?? []).sorted())")
      }
    }
    for tab in inside where tab.view.state == .waiting && classroom.status != .scheduled {
      // A host has to let the person in.
      if classroom.status == .ongoing, classroom.details.hasWaitingRoom { continue }
      let isFull = classroom.details.capacity.map { classroom.attendance.activeCount >= $0 } ?? false
      let isKeptOut = isFull || classroom.conduct.policy.isLocked
      if !isKeptOut || classroom.status == .completed { fail("convergence", "\(tab.name) still waits for \(name)") }
    }
  }

  /// The server stops, and its folder must say all that was ever shown, and how long everybody was there.
  func finish() {
    guard let server else { return }
    let now = serverNow
    server.kill()
    let store = HistoryStore(historyDisk.afterKill())
    var recovered = RecoveredState(history: store)
    let last = disk.afterKill()
    do {
      _ = try Recovery.open(last, segmentID: SegmentID(1, 1), now: 0, clock: { 0 }, into: &recovered)
    } catch {
      return fail("recovery", "the folder is refused at the end: \(error)")
    }
    verify(recovered, store, "at the end")
    for name in sessionNames {
      if let classroom = recovered.classrooms[name] ?? (try? store.read(name)) {
        checkAttendance(of: classroom, now: now)
      }
    }
  }

  func checkAttendance(of classroom: Classroom, now: Int64) {
    guard let started = classroom.startedAt?.milliseconds else { return }
    let held = classroom.attendance.spans.map { ($0.from.milliseconds, $0.to?.milliseconds ?? now) }
    let hasEnded = !classroom.status.isLive
    if held.first?.0 != started || hasEnded && classroom.endedAt?.milliseconds != held.last?.1 {
      fail("attendance", "\(classroom.id) began at \(started) and was held at \(held)")
    }
    history.checkTimes(held, of: classroom)
    for row in classroom.attendance.rows.values {
      let bounds = attendance.bounds(
        user: row.user, session: classroom.id, held: held, now: now, grace: shardConfiguration.graceMilliseconds)
      let found = row.milliseconds(until: Timestamp(milliseconds: now))
      let slack: Int64 = 300 + 60 * Int64(row.segments.count)
      if found < bounds.least - slack || found > bounds.most + slack {
        fail(
          "attendance",
          "\(row.user) in \(classroom.id) has \(found) ms, was there \(bounds.least) to \(bounds.most) ms: \(row.segments)"
        )
      }
    }
  }
}
