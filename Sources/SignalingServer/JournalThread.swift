import Classroom
import EventLoop
import Logging
import Persistence
import Synchronization

/// What the journal's thread is told.
enum JournalMessage: Sendable {
  /// Records of a loop, up to this position of its own count.
  case append(loop: Int, incarnation: UInt64, through: UInt64, records: [PendingRecord])
  /// A loop has heard that the disk failed, and needs these sessions read back.
  case freeze(loop: Int, incarnation: UInt64, sessions: [String])
  /// Sessions for the snapshot of this round, as they are after what was appended before; `isLast` of their loop.
  case snapshotPart(incarnation: UInt64, round: Int, rooms: [SnapshotRoom], isLast: Bool)
  /// The snapshot's thread is done: the journal is needed only after this LSN, if any may go.
  case snapshotFinished(succeeded: Bool, removable: UInt64?)
  /// Write what is left, say good-bye, stop.
  case stop
}

/// The thread that writes the journal: it brings what comes in to the ``JournalPipeline``, and what that tells to whom it
/// concerns.
final class JournalThread: Sendable {
  /// A journal that takes longer to write counts as one that cannot be written.
  static let patienceMilliseconds: Int64 = 5000

  let mailbox: Mailbox<JournalMessage>
  /// What the loops say of themselves, by loop.
  let figures: [LoopFigures]
  private let counted = Locked(JournalCounters())
  /// Since when the disk has failed, and since when it is being written, by the monotonic clock; 0 for neither.
  private let failedSince = Atomic<Int64>(0)
  private let workingSince = Atomic<Int64>(0)

  init(loops: Int) throws(SystemError) {
    mailbox = try Mailbox()
    figures = (0..<loops).map { _ in LoopFigures() }
  }

  /// What was done so far.
  var counters: JournalCounters { counted.withLock { $0 } }

  /// Whether the disk has failed.
  var hasFailed: Bool { failedSince.load(ordering: .relaxed) != 0 }

  /// Whether the disk has failed, or takes too long. It is over when the last loop has heard so.
  func isInTrouble(atMonotonic now: Int64) -> Bool {
    if hasFailed || figures.contains(where: \.isWaitingForDisk) { return true }
    let since = workingSince.load(ordering: .relaxed)
    return since != 0 && now - since > Self.patienceMilliseconds
  }

  /// Runs until told to stop; on a thread of its own.
  func run<S: Storage>(
    _ pipeline: consuming JournalPipeline<S>, snapshots: SnapshotThread<S>, loops: [Mailbox<LoopMessage>],
    clock: ServerClock, logger: Logger
  ) {
    var pipeline = consume pipeline
    var messages: [JournalMessage] = []
    var stops = false
    var isBusy = false
    var written = pipeline.counters.records
    while !stops {
      if isBusy { MonotonicClock.sleep(nanoseconds: Self.gatheringNanoseconds) }
      let wait = max(0, pipeline.nextDeadline.milliseconds(since: clock.now))
      let goesOn = mailbox.waitAndDrain(
        into: &messages, timeoutMilliseconds: Int32(min(wait, JournalLimits.aliveIntervalMilliseconds)))
      let now = clock.now
      for message in messages {
        switch message {
        case .append(let loop, let incarnation, let position, let records):
          pipeline.append(loop: loop, incarnation: incarnation, through: position, records: records)
        case .freeze(let loop, let incarnation, let sessions):
          pipeline.freeze(loop: loop, incarnation: incarnation, sessions: sessions)
        case .snapshotPart(let incarnation, let round, let rooms, let isLast):
          pipeline.addSnapshotPart(incarnation: incarnation, round: round, rooms: rooms, isLast: isLast)
        case .snapshotFinished(let succeeded, let removable):
          snapshots.didFinish()
          pipeline.snapshotFinished(succeeded: succeeded, removable: removable, at: now)
        case .stop: stops = true
        }
      }
      messages.removeAll(keepingCapacity: true)
      stops = stops || !goesOn
      workingSince.store(MonotonicClock.milliseconds(), ordering: .relaxed)
      if stops {
        if !pipeline.end(at: now) { logger.error("the journal has no good-bye: the next start takes this for a crash") }
      } else {
        pipeline.work(at: now, hasPeople: figures.contains { $0.people > 0 })
      }
      workingSince.store(0, ordering: .relaxed)
      // Before the loops hear of it, so that whoever they answer finds it said.
      failedSince.store(pipeline.failedSince == nil ? 0 : 1, ordering: .relaxed)
      let counters = pipeline.counters
      isBusy = counters.records - written > 1
      written = counters.records
      counted.withLock { $0 = counters }
      for notice in pipeline.takeNotices() { pass(notice, to: loops, snapshots: snapshots, logger: logger) }
    }
    snapshots.stop()
  }

  /// How long records gather for the next batch when more than one came during the last: a sync, and waking the loops for
  /// it, costs so much more than a record that fewer of them let everybody have the answer sooner.
  private static var gatheringNanoseconds: Int64 { 1_000_000 }

  private func pass<S: Storage>(
    _ notice: JournalNotice, to loops: [Mailbox<LoopMessage>], snapshots: SnapshotThread<S>, logger: Logger
  ) {
    switch notice {
    case .synced(let loop, let position): loops[loop].post(.synced(through: position))
    case .failed(let loop, _, let isCertain): loops[loop].post(.storageFailed(isCertain: isCertain))
    case .healed(let loop, _, let classrooms): loops[loop].post(.storageHealed(classrooms))
    case .beginSnapshot(let round, let coveredLSN, let time):
      guard snapshots.begin(coveredLSN: coveredLSN, at: time) else {
        mailbox.post(.snapshotFinished(succeeded: false, removable: nil))
        return
      }
      for loop in loops { loop.post(.takeSnapshot(round: round)) }
    case .addToSnapshot(let rooms): snapshots.add(rooms)
    case .finishSnapshot: snapshots.finish()
    case .abandonSnapshot: snapshots.abandon()
    case .report(isError: true, let sentence): logger.error("\(sentence)")
    case .report(isError: false, let sentence): logger.info("\(sentence)")
    }
  }
}
