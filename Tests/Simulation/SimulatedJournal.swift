import Classroom
import JSON
import Persistence

/// What the journal is told.
enum JournalMail {
  case append(loop: Int, incarnation: UInt64, through: UInt64, events: [RecordedEvent])
  case freeze(loop: Int, incarnation: UInt64, sessions: [String])
  case snapshotPart(incarnation: UInt64, round: Int, rooms: [SnapshotRoom], isLast: Bool)
  case snapshotFinished(succeeded: Bool, removable: UInt64?)
  case stop
}

/// The journal's thread: the real pipeline, whose work takes time, and the thread that writes snapshots.
final class SimulatedJournal {
  /// A snapshot that is being made.
  private struct Snapshot {
    var coveredLSN: UInt64
    var begun: Timestamp
    var rooms: [SnapshotRoom] = []
    var isComplete = false
  }

  unowned let server: SimulatedServer
  private let disk: SimulatedDisk
  private var pipeline: JournalPipeline<SimulatedDisk>
  private var mailbox: [JournalMail] = []
  /// What the thread is at.
  private var work: [JournalMail]?
  private var snapshot: Snapshot?
  private var isAwake = false
  private var isStopped = false
  private var timer = 0
  var people: [Int]
  /// When the journal last said durably that the server lives, by the server's clock.
  private(set) var lastAlive: Int64
  private var json = JSONWriter(reserving: 512)
  private var scheduler: Scheduler { server.scheduler }
  private var now: Timestamp { server.timestamp(atMonotonic: scheduler.milliseconds) }

  init(server: SimulatedServer, disk: SimulatedDisk, writer: consuming JournalWriter<SimulatedDisk>, loops: Int) {
    self.server = server
    self.disk = disk
    var settings = JournalSettings(loops: loops)
    settings.snapshotBytes = server.world.scenario.snapshotBytes
    settings.snapshotIntervalMilliseconds = server.world.scenario.snapshotInterval
    pipeline = JournalPipeline(
      writer, storage: disk, history: server.history, settings: settings, random: server.journalRandomness(),
      clock: { 0 },
      at: server.timestamp(atMonotonic: server.scheduler.milliseconds))
    people = Array(repeating: 0, count: loops)
    lastAlive = server.timestamp(atMonotonic: server.scheduler.milliseconds).milliseconds
  }

  /// - Returns: whether the first record is safe.
  func begin(lastAlive: Timestamp) -> Bool {
    self.lastAlive = lastAlive.milliseconds
    do throws(JournalError) {
      try pipeline.begin(at: now, lastAlive: lastAlive)
    } catch {
      return false
    }
    setTimer()
    return true
  }

  func post(_ message: JournalMail) {
    mailbox.append(message)
    wake()
  }

  private func wake() {
    guard !isAwake, work == nil, server.isRunning, !isStopped else { return }
    isAwake = true
    scheduler.after(server.wakeDelay()) { [unowned self] in gather() }
  }

  /// - Parameter isIdle: whether it has just looked, and nobody is there to be counted.
  private func setTimer(isIdle: Bool = false) {
    timer += 1
    let number = timer
    let wait =
      isIdle ? JournalLimits.aliveIntervalMilliseconds : max(1, pipeline.nextDeadline.milliseconds(since: now))
    scheduler.after(wait * 1000) { [unowned self] in
      guard number == timer, server.isRunning, !isStopped else { return }
      if people.contains(where: { $0 > 0 }) || pipeline.failedSince != nil {
        wake()
      } else {
        setTimer(isIdle: true)
      }
    }
  }

  private func gather() {
    isAwake = false
    guard server.isRunning, work == nil else { return }
    work = mailbox
    mailbox = []
    scheduler.after(server.world.syncDuration()) { [unowned self] in
      guard server.isRunning, let work else { return }
      self.work = nil
      perform(work)
      if !mailbox.isEmpty { wake() }
    }
  }

  /// The machine or the process stops: what is being written stops in the middle.
  func interrupt() {
    guard work != nil || snapshot?.isComplete == true else { return }
    server.world.coverage.note(fault: .killedWhileWriting)
    disk.operationsLeft = server.world.interruptedOperations()
    if let work {
      take(work)
      pipeline.work(at: now, hasPeople: people.contains { $0 > 0 })
    }
    if let snapshot, snapshot.isComplete { _ = write(snapshot) }
  }

  private func take(_ messages: [JournalMail]) {
    for message in messages {
      switch message {
      case .append(let loop, let incarnation, let position, let events):
        var records: [PendingRecord] = []
        for event in events {
          json.removeAll()
          let kind = EventCodec.encode(event, into: &json)
          records.append(
            PendingRecord(session: event.session, sequence: event.sequence, kind: kind.rawValue, payload: json.bytes))
        }
        pipeline.append(loop: loop, incarnation: incarnation, through: position, records: records)
      case .freeze(let loop, let incarnation, let sessions):
        pipeline.freeze(loop: loop, incarnation: incarnation, sessions: sessions)
      case .snapshotPart(let incarnation, let round, let rooms, let isLast):
        pipeline.addSnapshotPart(incarnation: incarnation, round: round, rooms: rooms, isLast: isLast)
      case .snapshotFinished(let succeeded, let removable):
        pipeline.snapshotFinished(succeeded: succeeded, removable: removable, at: now)
      case .stop: isStopped = true
      }
    }
  }

  private func perform(_ messages: [JournalMail]) {
    let started = now.milliseconds
    take(messages)
    if isStopped {
      let isSafe = pipeline.end(at: now)
      passOn(pipeline.takeNotices())
      server.journalStopped(isSafe: isSafe)
      return
    }
    server.world.cuttingPower {
      pipeline.work(at: now, hasPeople: people.contains { $0 > 0 })
    }
    if pipeline.failedSince == nil { lastAlive = max(lastAlive, started - JournalLimits.aliveIntervalMilliseconds) }
    passOn(pipeline.takeNotices())
    setTimer()
  }

  private func passOn(_ notices: [JournalNotice]) {
    for notice in notices {
      switch notice {
      case .synced(let loop, let position): server.loops[loop].post(.synced(position))
      case .failed(let loop, let incarnation, let isCertain):
        server.world.note("journal", "fails, incarnation \(incarnation), certain \(isCertain)")
        server.world.disturb()
        server.world.attendance.storageFailed(loop: loop, at: server.world.serverNow)
        server.world.coverage.note("storage failed, \(isCertain ? "certain" : "uncertain")")
        server.loops[loop].post(.storageFailed(isCertain: isCertain))
      case .healed(let loop, let incarnation, let classrooms):
        server.world.note("journal", "heals, incarnation \(incarnation): \(classrooms.keys.sorted())")
        server.world.attendance.storageHealed(loop: loop, at: server.world.serverNow)
        server.loops[loop].post(.storageHealed(classrooms))
      case .beginSnapshot(let round, let coveredLSN, let time):
        snapshot = Snapshot(coveredLSN: coveredLSN, begun: time)
        for loop in server.loops { loop.post(.takeSnapshot(round: round)) }
      case .addToSnapshot(let rooms): snapshot?.rooms += rooms
      case .finishSnapshot:
        snapshot?.isComplete = true
        scheduler.after(5 * server.world.syncDuration()) { [unowned self] in finishSnapshot() }
      case .abandonSnapshot:
        snapshot = nil
        post(.snapshotFinished(succeeded: false, removable: nil))
      case .report(_, let sentence): server.world.note("journal", sentence)
      }
    }
  }

  private func finishSnapshot() {
    guard server.isRunning, let work = snapshot else { return }
    snapshot = nil
    do throws(SnapshotError) {
      var result: Result<UInt64?, SnapshotError> = .success(nil)
      server.world.cuttingPower { result = write(work) }
      let removable = try result.get()
      server.world.note("journal", "has a snapshot of \(work.rooms.count) sessions through \(work.coveredLSN)")
      server.world.coverage.note("snapshot")
      post(.snapshotFinished(succeeded: true, removable: removable))
    } catch {
      server.world.note("journal", "has no snapshot: \(error)")
      post(.snapshotFinished(succeeded: false, removable: nil))
    }
  }

  private func write(_ work: Snapshot) -> Result<UInt64?, SnapshotError> {
    do throws(SnapshotError) {
      var job = try SnapshotJob(disk, coveredLSN: work.coveredLSN, at: work.begun)
      do throws(SnapshotError) {
        for room in work.rooms { try job.add(room) }
      } catch {
        job.discard()
        throw error
      }
      return .success(try job.finish())
    } catch {
      return .failure(error)
    }
  }
}
