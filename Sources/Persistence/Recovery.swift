import Classroom

/// Takes what a data folder holds: first the snapshot's entries, then the journal's records after it.
///
/// Every record after the LSN that the snapshot covers *overall* is replayed, also those that an entry of its session
/// includes already: the consumer skips a record whose LSN is at most that of the entry it restored for the session.
public typealias RecoveryConsumer = JournalConsumer & SnapshotConsumer

/// What opening a data folder found and did.
public struct RecoveryReport: Sendable {
  /// The snapshot that was restored; nil when the journal alone was read.
  public var snapshot: SnapshotSummary?
  /// Newer snapshots that were passed over because they are damaged.
  public var damagedSnapshots: [RecoveryError]
  /// Records given to the consumer.
  public var recordsRead: Int
  /// Records verified that the snapshot includes already.
  public var recordsSkipped: Int
  /// Segments of the journal.
  public var segments: Int
  /// The file whose torn end was cut off, at which byte, and how many bytes. Such a batch was never acknowledged.
  public var tornTail: (file: String, offset: UInt64, bytes: UInt64)?
  /// Whether the journal's end may be missing although it was acknowledged: it is relaxed, and was cut off, or
  /// written in another run of the machine. When the last thing in it is a good-bye, nothing is missing.
  public var mayHaveLostEnd: Bool
  /// Nanoseconds that it took, by the clock passed in.
  public var duration: UInt64
}

/// What a data folder holds.
public struct RecoveredContents: Sendable {
  /// The snapshot that was restored; nil when the journal alone was read.
  public var snapshot: SnapshotSummary?
  /// Newer snapshots that were passed over because they are damaged.
  public var damagedSnapshots: [RecoveryError]
  /// The journal.
  public var journal: JournalContents
  /// The LSN of the last durable record; 0 before the first.
  public var lastLSN: UInt64 { max(journal.lastLSN ?? 0, snapshot?.coveredLSN ?? 0) }
}

/// How a journal is to be written from now on.
public struct JournalMode: Sendable, Equatable {
  /// When records count as kept.
  public var durability: Durability
  /// The run of the machine, as ``BootID/current()`` says; 0 when it is not known.
  public var boot: UInt64

  /// A mode with these facts.
  public init(_ durability: Durability = .strict, boot: UInt64 = 0) {
    self.durability = durability
    self.boot = boot
  }
}

/// A journal ready to be written, with what was found.
public struct OpenedJournal<S: Storage>: ~Copyable, Sendable {
  /// Continues after the last record.
  public var writer: JournalWriter<S>
  /// What was found.
  public let report: RecoveryReport

  /// The writer alone.
  public consuming func takeWriter() -> JournalWriter<S> { writer }
}

/// Brings a data folder back to its last durable state.
public enum Recovery {
  /// Restores the newest whole snapshot, replays the journal after it, cuts a torn tail and makes the rest durable.
  ///
  /// Before all files are verified nothing is written; when this throws, what `consumer` got is to be thrown away.
  /// - Parameters:
  ///   - segmentID: for the case that a segment must be begun; random, as ``SegmentID`` says.
  ///   - now: Unix milliseconds, for the same case.
  ///   - clock: monotonic nanoseconds, for ``RecoveryReport/duration``.
  ///   - mode: how the journal is written from now on.
  public static func open<S: Storage, C: RecoveryConsumer>(
    _ storage: S, segmentID: SegmentID, now: Int64, clock: () -> UInt64, mode: JournalMode = JournalMode(),
    into consumer: inout C
  ) throws(RecoveryError) -> OpenedJournal<S> {
    let start = clock()
    let found = try read(storage, into: &consumer)
    let (snapshot, contents) = (found.snapshot, found.journal)
    let writer = try makeDurable(storage, contents, after: snapshot?.coveredLSN ?? 0, mode, segmentID, now)
    var report = RecoveryReport(
      snapshot: snapshot, damagedSnapshots: found.damagedSnapshots, recordsRead: contents.recordsRead,
      recordsSkipped: contents.recordsSkipped, segments: writer.segmentStarts.count, tornTail: nil,
      mayHaveLostEnd: contents.hasLostEnd || contents.wasWrittenInAnotherRun(than: mode.boot), duration: 0)
    if contents.tornBytes > 0 {
      let last = contents.segments.last
      report.tornTail = (last?.name ?? contents.headlessSegment ?? "", last?.end ?? 0, contents.tornBytes)
    }
    report.duration = clock() &- start
    return OpenedJournal(writer: writer, report: report)
  }

  /// What the folder of a journal that is being written holds of these sessions. Writes nothing.
  ///
  /// The journal must be synced, and its writer must not have failed.
  public static func readBack<S: Storage>(
    _ sessions: Set<String>, from storage: S, history: HistoryStore<S>?
  ) throws(RecoveryError) -> [String: Classroom] {
    var state = RecoveredState(history: history, wanted: sessions)
    _ = try read(storage, into: &state)
    var classrooms = state.classrooms
    for session in state.archived.keys {
      guard let history else { continue }
      do throws(HistoryError) {
        classrooms[session] = try history.read(session)
      } catch {
        throw .history(error)
      }
    }
    return classrooms
  }

  /// Verifies all files and gives `consumer` the last durable state, as ``open(_:segmentID:now:clock:into:)`` does before it
  /// writes. Writes nothing itself, so it may read the folder of a running server; what that one is just writing looks like a
  /// torn tail.
  public static func read<S: Storage, C: RecoveryConsumer>(
    _ storage: S, into consumer: inout C
  ) throws(RecoveryError) -> RecoveredContents {
    let (snapshot, damaged) = try SnapshotStore(storage).newestWhole()
    let names = try FileName.sorted(storage, FileName.segmentLSN)
    let lsn = snapshot?.lsn ?? 0
    let reachesBack = names.first.flatMap(FileName.segmentLSN).map { $0 <= lsn &+ 1 } ?? false
    if let first = damaged.first, !reachesBack { throw refusal(first) }
    if let snapshot {
      if names.isEmpty { throw .missingJournal(snapshot: snapshot.name) }
      var reader = SnapshotReader(storage, file: snapshot.name)
      _ = try reader.read(into: &consumer)
    }
    if let first = names.first, !reachesBack { throw .missingRecords(from: lsn + 1, before: first) }
    var reader = JournalReader(storage)
    let contents = try reader.read(after: lsn, coveredLSN: snapshot?.coveredLSN ?? 0, into: &consumer)
    do throws(PayloadError) {
      try consumer.finish()
    } catch {
      throw .unreadablePayload(
        file: contents.segments.last?.name ?? snapshot?.name ?? "", offset: 0, reason: error.reason)
    }
    for case .damaged(let file, let offset, let damage) in damaged {
      // The journal lost its end: the damaged snapshot held records that are nowhere else.
      guard let covered = FileName.snapshotLSN(file), covered <= contents.lastLSN ?? 0 else {
        throw .damagedSnapshot(file: file, offset: offset, damage)
      }
    }
    if contents.segments.isEmpty, let file = contents.headlessSegment,
      FileName.segmentLSN(file) != (snapshot?.coveredLSN ?? 0) + 1
    {
      throw .damaged(file: file, offset: contents.tornBytes, .truncated)
    }
    return RecoveredContents(snapshot: snapshot, damagedSnapshots: damaged, journal: contents)
  }

  private static func refusal(_ error: RecoveryError) -> RecoveryError {
    guard case .damaged(let file, let offset, let damage) = error else { return error }
    return .damagedSnapshot(file: file, offset: offset, damage)
  }

  /// Everything that is written when a folder is opened.
  private static func makeDurable<S: Storage>(
    _ storage: S, _ contents: JournalContents, after coveredLSN: UInt64, _ mode: JournalMode, _ id: SegmentID,
    _ now: Int64
  ) throws(RecoveryError) -> JournalWriter<S> {
    do throws(StorageError) {
      // Before the cut, after which nothing shows any more that something was there.
      if contents.hasLostEnd { try FolderMarker.endLost.set(in: storage) }
      var file: S.File?
      if let last = contents.segments.last {
        let opened = try storage.open(last.name, .update)
        try storage.truncate(opened, to: last.end)
        if let range = contents.unsynced { try rewrite(range, of: opened, storage) }
        try storage.sync(opened)
        file = opened
      }
      // Only after the tail is gone: the headless file's name says which records of it are void.
      let headless = contents.headlessSegment.map { [$0] } ?? []
      for name in try storage.list().filter(FileName.isLeftover) + headless { try storage.remove(name) }
      try storage.syncDirectory()

      let starts = contents.segments.map(\.firstLSN)
      let next = max(contents.lastLSN ?? 0, coveredLSN) + 1
      // Each run that writes relaxed has segments of its own, so that they say in which run they were written.
      if let last = contents.segments.last, let file, next == last.lastLSN + 1,
        last.header.durability == .strict, mode.durability == .strict
      {
        return JournalWriter(
          storage, file: file, header: last.header, end: last.end, nextLSN: next, covered: starts.dropLast())
      }
      let previous = contents.segments.last.map {
        SegmentHeader.Previous(id: $0.header.id, end: $0.end, lastLSN: $0.lastLSN)
      }
      var header = SegmentHeader(
        id: id, firstLSN: next, createdAt: now, previous: previous, durability: mode.durability, boot: mode.boot)
      // A segment without records is replaced, as both have the same name.
      if let last = contents.segments.last, last.firstLSN == next { header.previous = last.header.previous }
      return try JournalWriter(storage, header: header, covered: starts.filter { $0 < next })
    } catch {
      throw .storage(error)
    }
  }

  /// Writes what may not be synced over itself. If a sync of it failed before the crash, the system may hold it in memory
  /// as if it were on the disk; only a new write is sure to be synced.
  private static func rewrite<S: Storage>(
    _ range: Range<UInt64>, of file: S.File, _ storage: S
  ) throws(StorageError) {
    var bytes = [UInt8](repeating: 0, count: Int(clamping: range.upperBound - range.lowerBound))
    var span = bytes.mutableSpan
    var raw = span.mutableBytes
    _ = try storage.read(file, at: range.lowerBound, into: &raw)
    try storage.write(bytes.span.bytes, to: file, at: range.lowerBound)
  }
}
