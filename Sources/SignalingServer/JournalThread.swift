import Classroom
import EventLoop
import Logging
import Persistence
import Synchronization

/// What the journal's thread is told.
enum JournalMessage: Sendable {
  /// Records of a loop, up to this position of its own count.
  case append(loop: Int, through: UInt64, records: [PendingRecord])
  /// A part of the snapshot of this round, of a state that rests on what was appended before; `isLast` of its loop.
  case snapshotPart(round: Int, entries: [SnapshotEntry], isLast: Bool)
  /// The snapshot's thread is done: the journal is needed only after this LSN, if any may go.
  case snapshotFinished(removable: UInt64?)
  /// Write what is left, say good-bye, stop.
  case stop
}

/// One entry of a snapshot.
struct SnapshotEntry: Sendable {
  var session: String
  var sequence: UInt64
  var kind: UInt8
  var payload: [UInt8]
}

/// The thread that writes the journal: whatever has gathered becomes one batch with one sync (several only beyond what a
/// batch holds), then the loops are told.
///
/// A disk that cannot sync ends the process: nothing that was not synced has been shown to anybody, and a restart reads
/// back what is really there.
final class JournalThread: Sendable {
  /// How often the journal says that the server lives, while anybody is in a class.
  static let aliveIntervalMilliseconds: Int64 = 1000

  let mailbox: Mailbox<JournalMessage>
  /// How many people are in live classes, by loop.
  let people: [Counter]

  /// A count that one loop writes and the journal reads.
  final class Counter: Sendable {
    private let value = Atomic<Int>(0)

    var count: Int {
      get { value.load(ordering: .relaxed) }
      set { value.store(newValue, ordering: .relaxed) }
    }
  }

  init(loops: Int) throws(SystemError) {
    mailbox = try Mailbox()
    people = (0..<loops).map { _ in Counter() }
  }

  /// Runs until told to stop; on a thread of its own.
  func run(
    _ writer: consuming JournalWriter<FileStorage>, storage: FileStorage, loops: [Mailbox<LoopMessage>],
    configuration: ServerConfiguration, clock: ServerClock, logger: Logger
  ) {
    var work = JournalWork(
      writer: writer, snapshots: SnapshotThread(storage: storage, journal: mailbox, logger: logger), loops: loops,
      configuration: configuration, clock: clock, logger: logger)
    var messages: [JournalMessage] = []
    var nextAlive = clock.now
    while true {
      let now = clock.now
      let wait = max(0, min(Self.aliveIntervalMilliseconds, nextAlive.milliseconds(since: now)))
      let goesOn = mailbox.waitAndDrain(into: &messages, timeoutMilliseconds: Int32(wait))
      let isAliveDue = clock.now >= nextAlive
      if isAliveDue { nextAlive = clock.now.advanced(byMilliseconds: Self.aliveIntervalMilliseconds) }
      let hasPeople = people.contains { $0.count > 0 }
      if work.handle(messages, saysAlive: isAliveDue && hasPeople) || !goesOn { return }
    }
  }
}

/// The state of the journal's thread.
private struct JournalWork: ~Copyable {
  private var writer: JournalWriter<FileStorage>
  private let snapshots: SnapshotThread
  private let loops: [Mailbox<LoopMessage>]
  private let configuration: ServerConfiguration
  private let clock: ServerClock
  private let logger: Logger
  private var snapshotRound = 0
  private var loopsDue = 0
  private var lastSnapshot: Timestamp
  private var snapshotLSN: UInt64

  init(
    writer: consuming JournalWriter<FileStorage>, snapshots: SnapshotThread, loops: [Mailbox<LoopMessage>],
    configuration: ServerConfiguration, clock: ServerClock, logger: Logger
  ) {
    snapshotLSN = writer.nextLSN
    self.writer = writer
    self.snapshots = snapshots
    self.loops = loops
    self.configuration = configuration
    self.clock = clock
    self.logger = logger
    lastSnapshot = clock.now
  }

  /// Does one round of work.
  /// - Returns: whether to stop.
  mutating func handle(_ messages: [JournalMessage], saysAlive: Bool) -> Bool {
    var batch: [PendingRecord] = []
    var positions: [Int: UInt64] = [:]
    var stops = false
    for message in messages {
      switch message {
      case .append(let loop, let position, let records):
        batch += records
        positions[loop] = position
      case .stop: stops = true
      case .snapshotPart, .snapshotFinished: break
      }
    }
    if saysAlive || stops { batch.append(RecoveredState.alive(at: clock.now, isGoodbye: stops)) }
    append(batch)
    for loop in positions.keys.sorted() {
      if let position = positions[loop] { loops[loop].post(.synced(through: position)) }
    }
    for message in messages {
      switch message {
      case .snapshotPart(let round, let entries, let isLast):
        take(entries, of: round, isLast: isLast)
      case .snapshotFinished(let removable):
        finishSnapshot(removable)
      case .append, .stop: break
      }
    }
    if stops {
      snapshots.stop()
    } else {
      beginSnapshotIfDue()
    }
    return stops
  }

  private mutating func append(_ batch: [PendingRecord]) {
    do throws(JournalError) {
      try writer.append(inBatches: batch)
    } catch {
      fail("the journal cannot be written: \(error)")
    }
  }

  private func fail(_ sentence: String) -> Never {
    logger.critical("\(sentence); stopping, nothing unsynced has been shown to anybody")
    exitProcess(code: 1)
  }

  // MARK: Snapshots

  private mutating func beginSnapshotIfDue() {
    guard loopsDue == 0, !snapshots.isBusy, writer.nextLSN > snapshotLSN else { return }
    let age = clock.now.milliseconds(since: lastSnapshot)
    guard
      writer.bytesSinceRotation >= configuration.snapshotBytes || age >= configuration.snapshotIntervalMilliseconds
    else { return }
    var random = SystemRandomNumberGenerator()
    do throws(JournalError) {
      try writer.rotate(segmentID: SegmentID(using: &random), now: clock.now.milliseconds)
    } catch {
      if writer.hasFailed { fail("the journal cannot begin a segment: \(error)") }
      logger.error("no snapshot now: \(error)")
      lastSnapshot = clock.now
      return
    }
    snapshotRound += 1
    loopsDue = loops.count
    lastSnapshot = clock.now
    snapshotLSN = writer.nextLSN
    snapshots.begin(coveredLSN: writer.nextLSN - 1, at: clock.now)
    for loop in loops { loop.post(.takeSnapshot(round: snapshotRound)) }
  }

  private mutating func take(_ entries: [SnapshotEntry], of round: Int, isLast: Bool) {
    guard round == snapshotRound, loopsDue > 0 else { return }
    snapshots.add(entries)
    guard isLast else { return }
    loopsDue -= 1
    if loopsDue == 0 { snapshots.finish() }
  }

  private mutating func finishSnapshot(_ removable: UInt64?) {
    snapshots.didFinish()
    guard let removable else { return }
    do throws(JournalError) {
      try writer.removeSegments(coveredThrough: removable)
    } catch {
      logger.error("segments that are no longer needed cannot be removed: \(error)")
    }
  }
}
