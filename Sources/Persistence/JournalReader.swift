/// Takes journal records in the order of their LSNs.
public protocol JournalConsumer {
  /// Takes one record. `payload` is valid during the call.
  mutating func replay(_ record: RecordHeader, payload: RawSpan) throws(PayloadError)
  /// There are no more records. A consumer that works behind says here what it cannot read.
  mutating func finish() throws(PayloadError)
}

extension JournalConsumer {
  /// Has nothing to say.
  public mutating func finish() throws(PayloadError) {}
}

/// What the segments of a journal hold, as far as they are durable.
public struct JournalContents: Sendable {
  /// A segment.
  public struct Segment: Sendable {
    /// Its file.
    public var name: String
    var header: SegmentHeader
    /// The byte after its last whole batch.
    public var end: UInt64
    /// The LSN of its last record, one less than ``firstLSN`` when it has none.
    public var lastLSN: UInt64
    /// The LSN of its first record.
    public var firstLSN: UInt64 { header.firstLSN }
  }

  /// In the order of their LSNs.
  public var segments: [Segment] = []
  /// Bytes after the last whole batch of the last segment, left by a crash while they were written.
  public var tornBytes: UInt64 = 0
  /// A last segment too short to have a header.
  public var headlessSegment: String?
  /// Records given to the consumer.
  public var recordsRead = 0
  /// Records that the snapshot includes already.
  public var recordsSkipped = 0
  /// What of the last segment may be in the system's memory only: its last batch, or in a relaxed segment all that its
  /// last batch does not know to be synced.
  var unsynced: Range<UInt64>?
  /// Whether the last segment is a relaxed one whose end was cut off: it may have held what was acknowledged.
  public var hasLostEnd: Bool { tornBytes > 0 && segments.last?.header.durability == .relaxed }

  /// Whether the last records were written relaxed, in another run of the machine than this or in one that is not known.
  func wasWrittenInAnotherRun(than boot: UInt64) -> Bool {
    guard let last = segments.last(where: { $0.lastLSN >= $0.firstLSN }), last.header.durability == .relaxed else {
      return false
    }
    return last.header.boot != boot || boot == 0
  }

  /// The LSN of the last record; nil when the journal has no segment.
  public var lastLSN: UInt64? { segments.last?.lastLSN }
}

/// Reads a journal and verifies all of it. Writes nothing.
public struct JournalReader<S: Storage> {
  private let storage: S
  private var sessions = SessionNameCache()

  /// A reader of the journal in `storage`.
  public init(_ storage: S) { self.storage = storage }

  /// Verifies every segment, and gives `consumer` the records after `lsn`.
  ///
  /// A batch is given whole or not at all, after all of it has been verified; but when this throws, batches before the
  /// damage may have been given.
  /// - Parameters:
  ///   - lsn: the LSN that a snapshot covers; 0 for all records.
  ///   - coveredLSN: the highest LSN that anything in that snapshot covers. A journal that lost its end may
  ///     go on after it.
  public mutating func read<C: JournalConsumer>(
    after lsn: UInt64, coveredLSN: UInt64 = 0, into consumer: inout C
  ) throws(RecoveryError) -> JournalContents {
    var contents = JournalContents()
    let pending = try headers(&contents)
    if let first = pending.first, first.header.firstLSN > lsn &+ 1 {
      throw .missingRecords(from: lsn &+ 1, before: first.name)
    }
    for (index, segment) in pending.enumerated() {
      let next = index + 1 < pending.count ? pending[index + 1] : nil
      let headless = next == nil ? contents.headlessSegment : nil
      try read(segment, next: next, headless: headless, after: lsn, into: &consumer, &contents)
      let nextLSN = next?.header.firstLSN ?? headless.flatMap(FileName.segmentLSN) ?? 0
      if let read = contents.segments.last, read.lastLSN &+ 1 < nextLSN, coveredLSN &+ 1 < nextLSN {
        // With a header to say where this segment ends, its records are all there, and others were never in it.
        throw next.map { .missingRecords(from: read.lastLSN &+ 1, before: $0.name) }
          ?? .damaged(file: read.name, offset: read.end, .truncated)
      }
    }
    return contents
  }

  private struct Pending {
    var name: String
    var header: SegmentHeader
    var batchHeaderSize: Int { BatchHeader.size(header.durability) }
  }

  /// The segments with their headers, in order.
  private func headers(_ contents: inout JournalContents) throws(RecoveryError) -> [Pending] {
    let names = try FileName.sorted(storage, FileName.segmentLSN)
    var pending: [Pending] = []
    for name in names {
      var reader = try WindowedReader(storage, name)
      guard reader.size >= SegmentHeader.size else {
        guard name == names.last else { throw .damaged(file: name, offset: reader.size, .truncated) }
        contents.headlessSegment = name
        contents.tornBytes += reader.size
        continue
      }
      let range = try reader.load(0, SegmentHeader.size)
      guard range.count == SegmentHeader.size else { throw .damaged(file: name, offset: 0, .truncated) }
      switch SegmentHeader.decode(reader.buffer.span.bytes.extracting(range)) {
      case .damaged: throw .damaged(file: name, offset: 0, .header)
      case .newer(let version):
        throw .newerFormat(file: name, version: version, supported: SegmentHeader.currentVersion)
      case .whole(let header):
        guard header.firstLSN == FileName.segmentLSN(name) else { throw .damaged(file: name, offset: 32, .name) }
        pending.append(Pending(name: name, header: header))
      }
    }
    return pending
  }

  /// Reads one segment and adds it to `contents`.
  ///
  /// The header of the next one says where this one ends. The last one ends where no whole batch follows; or, when
  /// a later file has lost its header, before the LSN in that file's name.
  private mutating func read<C: JournalConsumer>(
    _ segment: Pending, next: Pending?, headless: String?, after lsn: UInt64, into consumer: inout C,
    _ contents: inout JournalContents
  ) throws(RecoveryError) {
    var reader = try WindowedReader(storage, segment.name)
    var limit: UInt64?
    if let next {
      guard let previous = next.header.previous, previous.id == segment.header.id else {
        throw .missingRecords(from: segment.header.firstLSN, before: next.name)
      }
      guard previous.end <= reader.size else {
        throw .damaged(file: segment.name, offset: reader.size, .truncated)
      }
      limit = previous.end
    }
    let endLSN = headless.flatMap(FileName.segmentLSN) ?? UInt64.max
    var offset = UInt64(SegmentHeader.size)
    var expected = segment.header.firstLSN
    while offset < limit ?? reader.size {
      guard let batch = try self.batch(at: offset, limit: limit, of: segment, &reader) else {
        if limit != nil { throw .damaged(file: segment.name, offset: offset, .batch) }
        // What a later batch knows to be synced cannot be torn.
        guard try reader.syncedEnd(of: segment.header, from: offset + 1) <= offset else {
          throw .damaged(file: segment.name, offset: offset, .batch)
        }
        break
      }
      guard batch.header.firstLSN < endLSN else { break }
      let nextLSN = expected + UInt64(batch.header.count)
      guard batch.header.firstLSN == expected, nextLSN <= endLSN, nextLSN <= SegmentHeader.largestLSN else {
        throw .damaged(file: segment.name, offset: offset, .sequence)
      }
      if nextLSN > lsn &+ 1 {
        try deliver(batch, at: offset, of: segment, after: lsn, reader.buffer.span.bytes, into: &consumer, &contents)
      } else {
        contents.recordsSkipped += batch.header.count
      }
      expected = nextLSN
      let end = offset + UInt64(segment.batchHeaderSize + batch.header.bodySize)
      contents.unsynced = min(batch.header.syncedEnd ?? offset, offset)..<end
      offset = end
    }
    if let previous = next?.header.previous, previous.lastLSN != expected - 1 || previous.end != offset {
      throw .damaged(file: segment.name, offset: offset, .sequence)
    }
    if limit == nil { contents.tornBytes += reader.size - min(offset, reader.size) }
    if next != nil { contents.unsynced = nil }
    contents.segments.append(
      JournalContents.Segment(name: segment.name, header: segment.header, end: offset, lastLSN: expected - 1))
  }

  private struct Batch {
    var header: BatchHeader
    /// Where its records are in the reader's buffer.
    var body: Range<Int>
  }

  /// The batch at `offset` with all its records verified; nil when there is none or it is damaged.
  private func batch(
    at offset: UInt64, limit: UInt64?, of segment: Pending, _ reader: inout WindowedReader<S>
  ) throws(RecoveryError) -> Batch? {
    let size = segment.batchHeaderSize
    let head = try reader.load(offset, size)
    guard head.count == size,
      let header = BatchHeader.decode(reader.buffer.span.bytes, at: head.lowerBound, of: segment.header),
      offset + UInt64(size + header.bodySize) <= limit ?? reader.size
    else { return nil }
    let whole = try reader.load(offset, size + header.bodySize)
    guard whole.count == size + header.bodySize else { return nil }
    let body = whole.dropFirst(size)
    guard header.admits(reader.buffer.span.bytes.extracting(body)) else { return nil }
    return Batch(header: header, body: body)
  }

  private mutating func deliver<C: JournalConsumer>(
    _ batch: Batch, at offset: UInt64, of segment: Pending, after lsn: UInt64, _ bytes: RawSpan,
    into consumer: inout C, _ contents: inout JournalContents
  ) throws(RecoveryError) {
    let file = segment.name
    var start = batch.body.lowerBound
    while start < batch.body.upperBound {
      let place = offset + UInt64(segment.batchHeaderSize + start - batch.body.lowerBound)
      let end = start + RecordCoding.prefixSize + Int(bytes.littleEndian(UInt32.self, at: start))
      guard let record = RecordCoding.locate(bytes, at: start, end: end),
        let session = sessions.name(bytes.extracting(record.session))
      else { throw .damaged(file: file, offset: place, .session) }
      start = end
      guard record.lsn > lsn else {
        contents.recordsSkipped += 1
        continue
      }
      let header = RecordHeader(lsn: record.lsn, session: session, sequence: record.sequence, kind: record.kind)
      do throws(PayloadError) {
        try consumer.replay(header, payload: bytes.extracting(record.payload))
      } catch {
        throw .unreadablePayload(file: file, offset: place, reason: error.reason)
      }
      contents.recordsRead += 1
    }
  }
}
