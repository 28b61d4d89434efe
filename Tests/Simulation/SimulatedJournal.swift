import Classroom
import JSON
import Persistence

/// What the journal is told.
enum JournalMail {
  case append(loop: Int, through: UInt64, events: [RecordedEvent])
  case snapshotPart(round: Int, rooms: [Classroom], isLast: Bool)
  case stop
}

/// The journal's thread: what has gathered becomes one batch, whose write and sync take time; then the loops are told.
final class SimulatedJournal {
  unowned let server: SimulatedServer
  private let disk: SimulatedDisk
  private var writer: JournalWriter<SimulatedDisk>
  private var mailbox: [JournalMail] = []
  private var work: [JournalMail]?
  private var snapshotWork: [Classroom]?
  private var isAwake = false
  var people: [Int]
  private var nextAlive: Int64 = 0
  /// When the journal last said durably that the server lives, by the server's clock.
  private(set) var lastAlive: Int64 = 0
  private var snapshotRound = 0
  private var loopsDue = 0
  private var lastSnapshot: Int64
  private var snapshotLSN: UInt64
  private var snapshotRooms: [Classroom] = []
  private var coveredLSN: UInt64 = 0
  private var json = JSONWriter(reserving: 512)
  private var isStopped = false
  private var scheduler: Scheduler { server.scheduler }

  init(server: SimulatedServer, disk: SimulatedDisk, writer: consuming JournalWriter<SimulatedDisk>, loops: Int) {
    self.server = server
    self.disk = disk
    snapshotLSN = writer.nextLSN
    self.writer = writer
    people = Array(repeating: 0, count: loops)
    lastSnapshot = server.scheduler.milliseconds
  }

  func begin() { keepAlive() }

  private func keepAlive() {
    scheduler.after(1_000_000) { [weak self] in
      guard let self, self.server.isRunning, !self.isStopped else { return }
      if self.people.contains(where: { $0 > 0 }) { self.wake() }
      self.keepAlive()
    }
  }

  func post(_ message: JournalMail) {
    mailbox.append(message)
    wake()
  }

  private func wake() {
    guard !isAwake, work == nil, server.isRunning, !isStopped else { return }
    isAwake = true
    scheduler.after(server.wakeDelay()) { [weak self] in self?.gather() }
  }

  private func gather() {
    isAwake = false
    guard server.isRunning, work == nil else { return }
    work = mailbox
    mailbox = []
    scheduler.after(server.world.syncDuration()) { [weak self] in
      guard let self, self.server.isRunning, let work = self.work else { return }
      self.work = nil
      guard self.perform(work) else { return self.server.die("the journal cannot be written") }
      if !self.mailbox.isEmpty { self.wake() }
    }
  }

  /// The machine or the process stops: what is being written stops in the middle.
  func interrupt() {
    guard work != nil || snapshotWork != nil else { return }
    server.world.coverage.note(fault: .killedWhileWriting)
    disk.operationsLeft = server.world.interruptedOperations()
    if let work { _ = write(work) }
    if let snapshotWork { writeSnapshot(snapshotWork) }
  }

  /// - Returns: the positions that are synced; nil when the disk failed.
  private func write(_ messages: [JournalMail]) -> [Int: UInt64]? {
    var batch: [PendingRecord] = []
    var positions: [Int: UInt64] = [:]
    var stops = false
    for message in messages {
      switch message {
      case .append(let loop, let position, let events):
        for event in events {
          json.removeAll()
          let kind = EventCodec.encode(event, into: &json)
          batch.append(
            PendingRecord(session: event.session, sequence: event.sequence, kind: kind.rawValue, payload: json.bytes))
        }
        positions[loop] = position
      case .stop: stops = true
      case .snapshotPart: break
      }
    }
    let now = scheduler.milliseconds
    if stops || now >= nextAlive && people.contains(where: { $0 > 0 }) {
      nextAlive = now + 1000
      batch.append(RecoveredState.alive(at: server.timestamp(atMonotonic: now), isGoodbye: stops))
    }
    do throws(JournalError) {
      if !batch.isEmpty { _ = try writer.append(batch) }
    } catch {
      return nil
    }
    if !batch.isEmpty { lastAlive = server.timestamp(atMonotonic: now).milliseconds }
    return positions
  }

  private func perform(_ messages: [JournalMail]) -> Bool {
    guard let positions = write(messages) else { return false }
    for loop in positions.keys.sorted() {
      if let position = positions[loop] { server.loops[loop].post(.synced(position)) }
    }
    var stops = false
    for message in messages {
      switch message {
      case .snapshotPart(let round, let rooms, let isLast): take(rooms, of: round, isLast: isLast)
      case .stop: stops = true
      case .append: break
      }
    }
    if stops {
      isStopped = true
      server.journalStopped()
    } else {
      return beginSnapshotIfDue()
    }
    return true
  }

  private func beginSnapshotIfDue() -> Bool {
    guard loopsDue == 0, snapshotWork == nil, writer.nextLSN > snapshotLSN else { return true }
    let now = scheduler.milliseconds
    guard
      writer.bytesSinceRotation >= server.world.snapshotBytes || now - lastSnapshot >= server.world.snapshotInterval
    else { return true }
    do throws(JournalError) {
      try writer.rotate(segmentID: server.segmentID(), now: now)
    } catch {
      lastSnapshot = now
      return !writer.hasFailed
    }
    snapshotRound += 1
    loopsDue = server.loops.count
    lastSnapshot = now
    snapshotLSN = writer.nextLSN
    coveredLSN = writer.nextLSN - 1
    snapshotRooms = []
    for loop in server.loops { loop.post(.takeSnapshot(round: snapshotRound)) }
    return true
  }

  private func take(_ rooms: [Classroom], of round: Int, isLast: Bool) {
    guard round == snapshotRound, loopsDue > 0 else { return }
    snapshotRooms += rooms
    guard isLast else { return }
    loopsDue -= 1
    guard loopsDue == 0 else { return }
    snapshotWork = snapshotRooms
    scheduler.after(5 * server.world.syncDuration()) { [weak self] in
      guard let self, self.server.isRunning, let work = self.snapshotWork else { return }
      self.writeSnapshot(work)
      self.snapshotWork = nil
    }
  }

  private func writeSnapshot(_ rooms: [Classroom]) {
    do {
      let now = server.timestamp(atMonotonic: scheduler.milliseconds)
      var snapshot = try SnapshotWriter(disk, lsn: coveredLSN, now: now.milliseconds)
      let alive = RecoveredState.alive(at: now, isGoodbye: false)
      try snapshot.append(
        RecordHeader(lsn: coveredLSN, session: "", sequence: 0, kind: alive.kind), payload: alive.payload.span.bytes)
      for room in rooms {
        var entries: [(RecordKind, [UInt8])] = []
        SnapshotCodec.encode(room) { entries.append(($0, $1)) }
        for (kind, payload) in entries {
          try snapshot.append(
            RecordHeader(lsn: coveredLSN, session: room.id, sequence: room.sequence, kind: kind.rawValue),
            payload: payload.span.bytes)
        }
      }
      try snapshot.finish()
      if let removable = try SnapshotStore(disk).prune() { try writer.removeSegments(coveredThrough: removable) }
      server.world.note("journal") { "snapshot of \(rooms.count) sessions through \(self.coveredLSN)" }
    } catch {
      server.world.note("journal") { "no snapshot: \(error)" }
    }
  }
}
