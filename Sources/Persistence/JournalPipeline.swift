import Classroom

/// The work of a server's journal: whatever the loops have appended becomes one batch with one sync, then they are told;
/// snapshots are begun and superfluous segments removed; a failing disk is waited for.
///
/// It has no thread, no mailbox and no clock, so that a simulator drives the same code: inputs only gather, ``work(at:hasPeople:)``
/// does all the input and output on the disk, and what there is to tell is taken by ``takeNotices()`` afterwards.
///
/// When a batch cannot be written or synced, everything that is not safe is void. The loops hear of it and raise their
/// incarnation; appends under an older one are dropped. The disk is tried again with growing pauses. Once a probe is
/// safe and all loops have said what they need, that is read back from the disk and handed to them.
public struct JournalPipeline<S: Storage>: ~Copyable, Sendable {
  private struct Append {
    var loop: Int
    var through: UInt64
    var records: [PendingRecord]
    var size: Int
  }

  private struct Part {
    var rooms: [SnapshotRoom]
    var isLast: Bool
  }

  /// What is known of a disk that failed.
  private struct Outage {
    var since: Timestamp
    var nextAttempt: Timestamp
    var wasFull: Bool
    /// Whether a probe is safe: only the loops' answers are missing.
    var isOver = false
    /// The frozen sessions of the loops that have answered.
    var frozen: [Int: [String]] = [:]
  }

  private let storage: S
  private let history: HistoryStore<S>?
  private let settings: JournalSettings
  private let clock: @Sendable () -> UInt64
  private var random: any RandomNumberGenerator & Sendable
  private var writer: JournalWriter<S>

  private var pending: [Append] = []
  private var parts: [Part] = []
  private var notices: [JournalNotice] = []
  private var incarnation: UInt64 = 0
  private var outage: Outage?
  private var retryPause = JournalLimits.firstRetryMilliseconds
  private var lastHealed: Timestamp?
  /// In a relaxed journal: what was written, and shown, and is not synced.
  private var unsynced: [PendingRecord] = []
  private var unsyncedSince: Timestamp?
  private var nextAlive: Timestamp

  private var round = 0
  /// The loops whose sessions the snapshot under way still waits for.
  private var loopsDue = 0
  private var isSnapshotBusy = false
  private var lastSnapshot: Timestamp
  private var snapshotLSN: UInt64
  private var snapshotPause = JournalLimits.snapshotRetryMilliseconds
  private var nextSnapshotAttempt: Timestamp
  /// Whether the last snapshot that was due is not there.
  private var isSnapshotOwed = false
  /// The LSN up to which segments may go.
  private var removable: UInt64?

  /// What was done so far.
  public private(set) var counters = JournalCounters()

  /// A pipeline that continues this journal.
  /// - Parameters:
  ///   - history: where sessions are read from that are over and not in memory.
  ///   - random: makes the ids of segments; it must be unpredictable to clients.
  ///   - clock: monotonic nanoseconds, for measuring syncs only.
  public init(
    _ writer: consuming JournalWriter<S>, storage: S, history: HistoryStore<S>?, settings: JournalSettings,
    random: any RandomNumberGenerator & Sendable, clock: @escaping @Sendable () -> UInt64, at now: Timestamp
  ) {
    snapshotLSN = writer.nextLSN
    self.writer = writer
    self.storage = storage
    self.history = history
    self.settings = settings
    self.random = random
    self.clock = clock
    lastSnapshot = now
    nextSnapshotAttempt = now
    nextAlive = now
  }

  // MARK: Input

  /// Takes the records of a loop, up to this position of its own count.
  public mutating func append(loop: Int, incarnation: UInt64, through position: UInt64, records: [PendingRecord]) {
    guard incarnation == self.incarnation else { return }
    let size = records.reduce(0) { $0 + $1.encodedSize }
    pending.append(Append(loop: loop, through: position, records: records, size: size))
  }

  /// A loop has heard that the disk failed, and needs these sessions read back.
  public mutating func freeze(loop: Int, incarnation: UInt64, sessions: [String]) {
    guard incarnation == self.incarnation, outage != nil else { return }
    outage?.frozen[loop] = sessions
  }

  /// Takes sessions of a loop for the snapshot of this round, as they are after all that the loop has appended;
  /// `isLast` of the loop.
  public mutating func addSnapshotPart(incarnation: UInt64, round: Int, rooms: [SnapshotRoom], isLast: Bool) {
    guard incarnation == self.incarnation, round == self.round, loopsDue > 0 else { return }
    parts.append(Part(rooms: rooms, isLast: isLast))
  }

  /// The snapshot that was begun is written, or given up.
  /// - Parameters:
  ///   - succeeded: whether it is there.
  ///   - removable: the LSN up to which the journal is no longer needed, if any of it may go.
  public mutating func snapshotFinished(succeeded: Bool, removable: UInt64?, at now: Timestamp) {
    isSnapshotBusy = false
    loopsDue = 0
    parts = []
    if succeeded {
      counters.snapshots += 1
      snapshotPause = JournalLimits.snapshotRetryMilliseconds
    } else {
      postponeSnapshot(at: now)
    }
    if let removable { self.removable = max(self.removable ?? 0, removable) }
  }

  // MARK: Output

  /// What there is to tell since the last call.
  public mutating func takeNotices() -> [JournalNotice] {
    guard !notices.isEmpty else { return [] }
    let taken = notices
    notices.removeAll(keepingCapacity: true)
    return taken
  }

  /// Since when the disk has failed; nil when it works.
  public var failedSince: Timestamp? { outage?.since }

  /// When ``work(at:hasPeople:)`` has something to do even if nothing comes in.
  public var nextDeadline: Timestamp {
    if let outage { return outage.isOver ? nextAlive : outage.nextAttempt }
    var deadline = nextAlive
    if let unsyncedSince {
      deadline = min(deadline, unsyncedSince.advanced(byMilliseconds: JournalLimits.relaxedSyncMilliseconds))
    }
    return deadline
  }

  // MARK: Work

  /// Writes the first records of a server's life: what the start itself changed, and one that shows a later start that
  /// this life has not ended well. Nothing may be shown to anybody before.
  /// - Parameter lastAlive: when the server was last known to be alive. It is again only when the loops have written down
  ///   who is not back yet: otherwise a crash before that would count the pause as attendance.
  public mutating func begin(
    at now: Timestamp, lastAlive: Timestamp, records: [PendingRecord] = []
  ) throws(JournalError) {
    for batch in JournalWriter<S>.batches(of: records + [AliveRecord.make(at: lastAlive, isGoodbye: false)]) {
      _ = try writer.append(batch)
    }
    nextAlive = now.advanced(byMilliseconds: JournalLimits.aliveIntervalMilliseconds)
  }

  /// Writes what has gathered, syncs, and does whatever else is due.
  /// - Parameter hasPeople: whether anybody is in a class.
  public mutating func work(at now: Timestamp, hasPeople: Bool) {
    var alive: [PendingRecord] = []
    if now >= nextAlive {
      nextAlive = now.advanced(byMilliseconds: JournalLimits.aliveIntervalMilliseconds)
      if hasPeople { alive = [AliveRecord.make(at: now, isGoodbye: false)] }
    }
    if outage != nil {
      tryToHeal(at: now)
      return
    }
    writePending(and: alive, at: now)
    if outage == nil, writer.hasUnsynced, isSyncDue(at: now) { syncRelaxed(at: now) }
    guard outage == nil else { return }
    passOnParts()
    removeSegments()
    if outage == nil { beginSnapshotIfDue(at: now) }
  }

  /// Writes what is left and the good-bye. Nothing is to follow.
  /// - Returns: whether the good-bye is safe.
  public mutating func end(at now: Timestamp) -> Bool {
    if outage != nil { outage?.nextAttempt = now }
    work(at: now, hasPeople: false)
    guard outage == nil || outage?.isOver == true, !writer.hasFailed else { return false }
    do throws(JournalError) {
      _ = try writer.append([AliveRecord.make(at: now, isGoodbye: true)])
      return true
    } catch {
      notices.append(.report(isError: true, "the journal's last record cannot be written: \(error)"))
      return false
    }
  }

  // MARK: Batches

  private mutating func writePending(and alive: [PendingRecord], at now: Timestamp) {
    let appends = pending
    pending.removeAll(keepingCapacity: true)
    var start = 0
    var alive = alive
    while start < appends.count || !alive.isEmpty {
      var end = start
      var size = 0
      var records: [PendingRecord] = []
      // A loop's records of one tick stay together, so that a position is safe or not.
      while end < appends.count, end == start || size + appends[end].size <= BatchHeader.largestBody / 2 {
        records += appends[end].records
        size += appends[end].size
        end += 1
      }
      records += alive
      alive = []
      let first = writer.nextLSN
      do throws(JournalError) {
        try write(records, at: now)
        noteSynced(appends[start..<end])
      } catch {
        fail(error, void: appends[start..<end], isPartlyDurable: writer.nextLSN != first, at: now)
        return
      }
      start = end
    }
  }

  private mutating func noteSynced(_ appends: ArraySlice<Append>) {
    var positions: [Int: UInt64] = [:]
    for append in appends { positions[append.loop] = append.through }
    for loop in positions.keys.sorted() {
      if let position = positions[loop] { notices.append(.synced(loop: loop, through: position)) }
    }
  }

  private mutating func write(_ records: [PendingRecord], at now: Timestamp) throws(JournalError) {
    for batch in JournalWriter<S>.batches(of: records) {
      _ = try writer.write(batch)
      switch writer.durability {
      case .strict: try sync()
      case .relaxed:
        unsynced += batch
        if unsyncedSince == nil { unsyncedSince = now }
      }
      counters.batches += 1
      counters.records += UInt64(batch.count)
      counters.bytes += UInt64(batch.reduce(0) { $0 + $1.encodedSize })
    }
  }

  private mutating func sync() throws(JournalError) {
    let start = clock()
    try writer.sync()
    counters.noteSync(nanoseconds: clock() &- start)
  }

  // MARK: Relaxed

  private func isSyncDue(at now: Timestamp) -> Bool {
    // What a snapshot holds must be in the journal.
    if !parts.isEmpty { return true }
    guard let unsyncedSince else { return false }
    return now.milliseconds(since: unsyncedSince) >= JournalLimits.relaxedSyncMilliseconds
  }

  private mutating func syncRelaxed(at now: Timestamp) {
    do throws(JournalError) {
      try sync()
      forgetUnsynced()
    } catch {
      recover(from: error, at: now)
    }
  }

  private mutating func forgetUnsynced() {
    unsynced.removeAll(keepingCapacity: true)
    unsyncedSince = nil
  }

  /// Brings the writer back to work, and into the journal what was shown already and is not on the disk.
  private mutating func recoverWriter(at now: Timestamp) throws(JournalError) {
    try writer.recoverAfterFailure(segmentID: SegmentID(using: &random), now: now.milliseconds, keeping: unsynced)
    if writer.hasUnsynced { try sync() }
    forgetUnsynced()
  }

  // MARK: Failure

  /// Something failed while nothing new was being written: if the writer recovers, no loop needs to hear of it.
  private mutating func recover(from error: JournalError, at now: Timestamp) {
    noteFailure(error)
    do throws(JournalError) {
      try recoverWriter(at: now)
    } catch {
      beginOutage(error, uncertain: [], at: now)
    }
  }

  /// These appends could not be made safe.
  private mutating func fail(
    _ error: JournalError, void: ArraySlice<Append>, isPartlyDurable: Bool, at now: Timestamp
  ) {
    noteFailure(error)
    var isCertain = !isPartlyDurable
    do throws(JournalError) {
      try recoverWriter(at: now)
    } catch {
      isCertain = false
    }
    // Only what was in the batch that failed can be on the disk all the same.
    beginOutage(error, uncertain: isCertain ? [] : Set(void.map(\.loop)), at: now)
  }

  private mutating func noteFailure(_ error: JournalError) {
    counters.failures += 1
    notices.append(.report(isError: true, "the journal cannot be written: \(error)"))
  }

  /// From here on nothing is safe any more, until all loops have got back what they need.
  private mutating func beginOutage(_ error: JournalError, uncertain loops: Set<Int>, at now: Timestamp) {
    incarnation += 1
    pending = []
    parts = []
    abandonSnapshot()
    for loop in 0..<settings.loops {
      notices.append(.failed(loop: loop, incarnation: incarnation, isCertain: !loops.contains(loop)))
    }
    var wasFull = false
    if case .storage(let cause) = error { wasFull = cause.isOutOfSpace }
    if let lastHealed, now.milliseconds(since: lastHealed) < JournalLimits.relapseMilliseconds {
      outage = Outage(since: now, nextAttempt: now.advanced(byMilliseconds: retryPause), wasFull: wasFull)
      lengthenPause()
    } else {
      retryPause = JournalLimits.firstRetryMilliseconds
      outage = Outage(since: now, nextAttempt: now, wasFull: wasFull)
      tryToHeal(at: now)
    }
  }

  private mutating func lengthenPause() { retryPause = min(retryPause * 2, JournalLimits.longestRetryMilliseconds) }

  private mutating func tryToHeal(at now: Timestamp) {
    guard var outage else { return }
    if !outage.isOver {
      guard now >= outage.nextAttempt else { return }
      do throws(JournalError) {
        try recoverWriter(at: now)
        try probe(outage, at: now)
        outage.isOver = true
      } catch {
        outage.nextAttempt = now.advanced(byMilliseconds: retryPause)
        lengthenPause()
      }
    }
    self.outage = outage
    if outage.isOver, outage.frozen.count == settings.loops { giveBack(outage, at: now) }
  }

  /// Makes sure that a record can be made safe; after a full disk also that there is room for more than that.
  private mutating func probe(_ outage: Outage, at now: Timestamp) throws(JournalError) {
    if outage.wasFull {
      do throws(StorageError) {
        let file = try storage.open(FileName.probe, .replace)
        try storage.write([UInt8](repeating: 0, count: JournalLimits.probeBytes).span.bytes, to: file, at: 0)
        try storage.sync(file)
        try storage.remove(FileName.probe)
      } catch {
        // The first failure tells; the next probe writes over what stays.
        try? storage.remove(FileName.probe)
        throw .storage(error)
      }
    }
    _ = try writer.append([AliveRecord.make(at: now, isGoodbye: false)])
  }

  /// Reads back what the loops need, and lets them go on.
  private mutating func giveBack(_ outage: Outage, at now: Timestamp) {
    let wanted = Set(outage.frozen.values.joined())
    var classrooms: [String: Classroom] = [:]
    do throws(RecoveryError) {
      if !wanted.isEmpty { classrooms = try Recovery.readBack(wanted, from: storage, history: history) }
    } catch {
      notices.append(.report(isError: true, "the sessions cannot be read back: \(error)"))
      self.outage?.isOver = false
      self.outage?.nextAttempt = now.advanced(byMilliseconds: retryPause)
      lengthenPause()
      return
    }
    self.outage = nil
    lastHealed = now
    for (loop, sessions) in outage.frozen.sorted(by: { $0.key < $1.key }) {
      let own = sessions.reduce(into: [:]) { $0[$1] = classrooms[$1] }
      notices.append(.healed(loop: loop, incarnation: incarnation, classrooms: own))
    }
    let duration = now.milliseconds(since: outage.since)
    notices.append(
      .report(
        isError: false, "the journal can be written again after \(duration) ms; \(wanted.count) sessions read back"))
  }

  // MARK: Snapshots

  private mutating func beginSnapshotIfDue(at now: Timestamp) {
    guard !isSnapshotBusy, now >= nextSnapshotAttempt, isSnapshotOwed || writer.nextLSN > snapshotLSN else { return }
    guard
      isSnapshotOwed || writer.bytesSinceRotation >= settings.snapshotBytes
        || now.milliseconds(since: lastSnapshot) >= settings.snapshotIntervalMilliseconds
    else { return }
    do throws(JournalError) {
      if writer.hasUnsynced {
        try sync()
        forgetUnsynced()
      }
      try writer.rotate(segmentID: SegmentID(using: &random), now: now.milliseconds)
    } catch {
      postponeSnapshot(at: now)
      notices.append(.report(isError: true, "no snapshot now: \(error)"))
      if writer.hasFailed { recover(from: error, at: now) }
      return
    }
    round += 1
    loopsDue = settings.loops
    isSnapshotBusy = true
    isSnapshotOwed = false
    lastSnapshot = now
    snapshotLSN = writer.nextLSN
    notices.append(.beginSnapshot(round: round, coveredLSN: writer.durableLSN, at: now))
  }

  private mutating func postponeSnapshot(at now: Timestamp) {
    counters.abandonedSnapshots += 1
    isSnapshotOwed = true
    nextSnapshotAttempt = now.advanced(byMilliseconds: snapshotPause)
    snapshotPause = min(snapshotPause * 2, settings.snapshotIntervalMilliseconds)
  }

  private mutating func passOnParts() {
    let taken = parts
    parts.removeAll(keepingCapacity: true)
    for part in taken {
      if !part.rooms.isEmpty { notices.append(.addToSnapshot(part.rooms)) }
      guard part.isLast else { continue }
      loopsDue -= 1
      if loopsDue == 0 { notices.append(.finishSnapshot) }
    }
  }

  /// A snapshot that still waits for sessions will not get them; one that has them all rests on safe records only.
  private mutating func abandonSnapshot() {
    guard loopsDue > 0 else { return }
    loopsDue = 0
    notices.append(.abandonSnapshot)
  }

  private mutating func removeSegments() {
    guard let lsn = removable else { return }
    removable = nil
    do throws(JournalError) {
      try writer.removeSegments(coveredThrough: lsn)
    } catch {
      notices.append(.report(isError: true, "segments that are no longer needed cannot be removed: \(error)"))
    }
  }
}
