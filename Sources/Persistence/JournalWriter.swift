#if PLANTED_BUGS
  import PlantedBugs
#endif

/// A record that has no LSN yet.
public struct PendingRecord: Sendable, Equatable {
  /// The session that it belongs to; at most 65,535 bytes of UTF-8.
  public var session: String
  /// The session's own sequence number.
  public var sequence: UInt64
  /// What the payload is; the meaning is the writer's.
  public var kind: UInt8
  /// Any bytes.
  public var payload: [UInt8]

  /// Creates a record.
  public init(session: String, sequence: UInt64, kind: UInt8, payload: [UInt8]) {
    self.session = session
    self.sequence = sequence
    self.kind = kind
    self.payload = payload
  }

  /// The bytes that it takes in a batch. One that cannot be represented counts as none: its batch is refused anyway.
  var encodedSize: Int { RecordCoding.size(sessionBytes: session.utf8.count, payloadBytes: payload.count) ?? 0 }
}

/// Why records were not appended, or a segment not begun or removed.
public enum JournalError: Error, Sendable, Equatable {
  /// The storage failed. After ``JournalWriter/append(_:)`` the writer has failed; after the others
  /// ``JournalWriter/hasFailed`` tells.
  case storage(StorageError)
  /// An earlier write or sync failed, and ``JournalWriter/recoverAfterFailure(segmentID:now:)`` has not succeeded since.
  case failed
  /// A batch without records.
  case emptyBatch
  /// The batch takes more than 64 MiB, or one of its session ids more than 65,535 bytes. Nothing was written.
  case tooLarge
}

/// Appends batches of records to the journal.
///
/// In a strict journal each batch is on stable storage before the next one is written. In a relaxed one several may be
/// written before ``sync()`` makes them durable.
///
/// A failed write or sync is never believed, whatever later calls say: the writer refuses all work until
/// ``recoverAfterFailure(segmentID:now:)`` has made sure that the rejected records cannot come back. Only
/// then may whoever asked be told that they are rejected.
public struct JournalWriter<S: Storage>: ~Copyable, Sendable {
  /// The LSN that the next record gets.
  public private(set) var nextLSN: UInt64
  /// The LSN of the last record that is on stable storage.
  public private(set) var durableLSN: UInt64
  /// How batches are synced.
  public var durability: Durability { header.durability }
  /// Bytes in the current segment.
  public var bytesSinceRotation: Int { Int(clamping: writtenEnd) }
  /// Whether ``recoverAfterFailure(segmentID:now:)`` must succeed before anything else will.
  public var hasFailed: Bool { failure != nil }
  /// Whether something is written that is not synced.
  public var hasUnsynced: Bool { writtenEnd > durableEnd }
  /// The first LSNs of all segments, oldest first; the last is the current one's.
  public var segmentStarts: [UInt64] { covered + [header.firstLSN] }

  private enum Failure {
    /// Perhaps a part of a batch is in the file after its written end.
    case write
    /// The file cannot be trusted any further.
    case sync
  }

  private let storage: S
  private var file: S.File
  private var header: SegmentHeader
  private var durableEnd: UInt64
  /// The byte after the last batch; what lies before it and after the durable end is not synced.
  private var writtenEnd: UInt64
  /// First LSNs of the segments before the current one.
  private var covered: [UInt64]
  private var failure: Failure?
  private var buffer: [UInt8] = []

  /// Goes on at the durable end of a segment, all of it synced.
  init(_ storage: S, file: S.File, header: SegmentHeader, end: UInt64, nextLSN: UInt64, covered: [UInt64]) {
    self.storage = storage
    self.file = file
    self.header = header
    self.durableEnd = end
    self.writtenEnd = end
    self.nextLSN = nextLSN
    self.durableLSN = nextLSN - 1
    self.covered = covered
  }

  /// Begins a segment.
  init(_ storage: S, header: SegmentHeader, covered: [UInt64]) throws(StorageError) {
    let file = try storage.install(header.encoded().span.bytes, as: FileName.segment(firstLSN: header.firstLSN))
    self.init(
      storage, file: file, header: header, end: UInt64(SegmentHeader.size), nextLSN: header.firstLSN, covered: covered)
  }

  /// Gives the records consecutive LSNs, writes them in one write and syncs once.
  /// - Returns: their LSNs, when all of them are on stable storage.
  public mutating func append(_ batch: [PendingRecord]) throws(JournalError) -> ClosedRange<UInt64> {
    let lsns = try write(batch)
    try sync()
    return lsns
  }

  /// Gives the records consecutive LSNs and writes them in one write. They are not on stable storage before ``sync()``
  /// has returned; in a strict journal it must be called before the next batch.
  /// - Returns: their LSNs.
  public mutating func write(_ batch: [PendingRecord]) throws(JournalError) -> ClosedRange<UInt64> {
    guard failure == nil else { throw .failed }
    precondition(durability == .relaxed || !hasUnsynced, "a batch of a strict journal is synced before the next one")
    buffer.removeAll(keepingCapacity: true)
    try Self.encode(batch, of: header, firstLSN: nextLSN, syncedEnd: durableEnd, to: &buffer)
    do throws(StorageError) {
      try storage.write(buffer.span.bytes, to: file, at: writtenEnd)
    } catch {
      failure = .write
      throw named(error)
    }
    let first = nextLSN
    nextLSN += UInt64(batch.count)
    writtenEnd += UInt64(buffer.count)
    return first...nextLSN - 1
  }

  /// Returns when everything written is on stable storage. When this throws, nothing written since the last sync counts.
  public mutating func sync() throws(JournalError) {
    guard failure == nil else { throw .failed }
    #if PLANTED_BUGS
      if PlantedBugs.isActive(.syncSkipped), hasUnsynced {
        (durableEnd, durableLSN) = (writtenEnd, nextLSN - 1)
        return
      }
    #endif
    guard hasUnsynced else { return }
    do throws(StorageError) {
      try storage.sync(file)
    } catch {
      failure = .sync
      #if PLANTED_BUGS
        if PlantedBugs.isActive(.rejectedRecordReturns) { throw named(error) }
      #endif
      forgetUnsynced()
      throw named(error)
    }
    durableEnd = writtenEnd
    durableLSN = nextLSN - 1
  }

  private mutating func forgetUnsynced() {
    nextLSN = durableLSN + 1
    writtenEnd = durableEnd
  }

  /// Divides records into batches that are not too large: into one, unless they are very many.
  static func batches(
    of records: [PendingRecord], upTo largestBody: Int = BatchHeader.largestBody
  ) -> [[PendingRecord]] {
    var batches: [[PendingRecord]] = []
    var start = 0
    var size = 0
    for (index, record) in records.enumerated() {
      let recordSize = record.encodedSize
      if index > start, size + recordSize > largestBody {
        batches.append(Array(records[start..<index]))
        (start, size) = (index, 0)
      }
      size += recordSize
    }
    if start < records.count { batches.append(start == 0 ? records : Array(records[start...])) }
    return batches
  }

  /// Begins a new segment, unless the current one has no records. When this throws and the writer has not failed, the
  /// current segment goes on.
  /// - Parameters:
  ///   - segmentID: random, as ``SegmentID`` says.
  ///   - now: Unix milliseconds.
  public mutating func rotate(segmentID: SegmentID, now: Int64) throws(JournalError) {
    guard failure == nil else { throw .failed }
    guard nextLSN > header.firstLSN else { return }
    try sync()
    try begin(segmentID, now)
  }

  /// Makes sure that no rejected record can return, and lets the writer work again.
  ///
  /// After a failed write the file is cut back to the last whole batch and synced; when that fails, and always after a
  /// failed sync, a new segment records where the durable part of the old one ends; it begins with those of the `kept`
  /// records that the old one does not hold durably. When this throws it may be tried again.
  /// - Parameters:
  ///   - kept: of a relaxed journal: the last records that were written, and that count although they were not synced.
  ///   - segmentID: random, as ``SegmentID`` says; not one given before.
  ///   - now: Unix milliseconds.
  public mutating func recoverAfterFailure(
    segmentID: SegmentID, now: Int64, keeping kept: [PendingRecord] = []
  ) throws(JournalError) {
    #if PLANTED_BUGS
      if PlantedBugs.isActive(.rejectedRecordReturns) {
        self.failure = nil
        return
      }
    #endif
    guard let failure else { return }
    if case .write = failure {
      do throws(StorageError) {
        try storage.truncate(file, to: writtenEnd)
        try storage.sync(file)
        durableEnd = writtenEnd
        durableLSN = nextLSN - 1
        self.failure = nil
        return
      } catch {
        self.failure = .sync
      }
    }
    forgetUnsynced()
    try begin(segmentID, now, with: kept)
    self.failure = nil
  }

  /// Removes the segments, oldest first, whose every record has an LSN up to `lsn`; never the current one.
  ///
  /// To keep the way back from a damaged newest snapshot, `lsn` is what the *older* of the kept snapshots covers
  /// (``SnapshotStore/prune()`` returns it).
  public mutating func removeSegments(coveredThrough lsn: UInt64) throws(JournalError) {
    do throws(StorageError) {
      while let oldest = covered.first, (covered.count > 1 ? covered[1] : header.firstLSN) - 1 <= lsn {
        do throws(StorageError) {
          try storage.remove(FileName.segment(firstLSN: oldest))
        } catch  where error.isNotFound {
          // An earlier attempt removed it and then failed to sync.
        }
        // One at a time: a crash that lost the older removal and kept the younger would leave a gap.
        try storage.syncDirectory()
        covered.removeFirst()
      }
    } catch {
      throw .storage(error)
    }
  }

  /// Installs a segment that begins at the next LSN. It replaces the current one when that has no durable record, as
  /// both have the same name.
  private mutating func begin(
    _ id: SegmentID, _ now: Int64, with records: [PendingRecord] = []
  ) throws(JournalError) {
    let replaces = nextLSN == header.firstLSN
    var new = header
    new.id = id
    new.firstLSN = nextLSN
    new.createdAt = now
    if !replaces { new.previous = SegmentHeader.Previous(id: header.id, end: durableEnd, lastLSN: nextLSN - 1) }
    var content = new.encoded()
    var lastLSN = durableLSN
    for batch in Self.batches(of: records) {
      try Self.encode(batch, of: new, firstLSN: lastLSN + 1, syncedEnd: UInt64(SegmentHeader.size), to: &content)
      lastLSN += UInt64(batch.count)
    }
    let name = FileName.segment(firstLSN: nextLSN)
    do throws(StorageError) {
      let installed = try storage.install(content.span.bytes, as: name)
      if !replaces { covered.append(header.firstLSN) }
      file = installed
      header = new
      durableEnd = UInt64(content.count)
      durableLSN = lastLSN
      forgetUnsynced()
    } catch {
      // From the rename on it is open which segment a recovery would find: appending to the old one could be in vain.
      if error.operation == .rename || error.operation == .syncDirectory { failure = .sync }
      throw .storage(error)
    }
  }

  /// The file was opened under its temporary name, which would mislead whoever reads the message.
  private func named(_ error: StorageError) -> JournalError {
    var error = error
    error.file = FileName.segment(firstLSN: header.firstLSN)
    return .storage(error)
  }

  private static func encode(
    _ batch: [PendingRecord], of segment: SegmentHeader, firstLSN: UInt64, syncedEnd: UInt64, to buffer: inout [UInt8]
  ) throws(JournalError) {
    guard !batch.isEmpty else { throw .emptyBatch }
    var bodySize = 0
    for record in batch {
      guard let size = RecordCoding.size(sessionBytes: record.session.utf8.count, payloadBytes: record.payload.count)
      else { throw .tooLarge }
      bodySize += size
      guard bodySize <= BatchHeader.largestBody else { throw .tooLarge }
    }
    buffer.reserveCapacity(buffer.count + BatchHeader.size(segment.durability) + bodySize)
    let crc = BatchHeader.encode(
      id: segment.id, bodySize: bodySize, count: batch.count, firstLSN: firstLSN,
      syncedEnd: segment.durability == .relaxed ? syncedEnd : nil, to: &buffer)
    for (index, record) in batch.enumerated() {
      let header = RecordHeader(
        lsn: firstLSN + UInt64(index), session: record.session, sequence: record.sequence, kind: record.kind)
      _ = RecordCoding.append(header, payload: record.payload.span.bytes, continuing: crc, to: &buffer)
    }
  }
}
