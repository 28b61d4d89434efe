/// What the file of one journal segment holds, looked at by itself: for whoever describes or copies a folder. Whether the
/// segments make a journal is for ``JournalReader`` to say.
public struct SegmentSurvey: Sendable, Equatable {
  /// Its file.
  public var name: String
  /// The length of the file when it was opened.
  public var bytes: UInt64
  /// Unix milliseconds.
  public var createdAt: Int64
  /// How its batches are synced.
  public var durability: Durability
  /// The LSN of its first record, if it has one.
  public var firstLSN: UInt64
  /// Whole batches, from the beginning up to the first that is not.
  public var batches = 0
  /// The records in them.
  public var records: UInt64 = 0
  /// The byte after the last of them.
  public var end: UInt64
  /// Where this segment says that the one before it ends; nil in the first one of a journal.
  public var endOfPrevious: UInt64?

  /// The LSN of the last record in ``batches``, one less than ``firstLSN`` when there is none.
  public var lastLSN: UInt64 { firstLSN &+ records &- 1 }

  /// Reads the segment called `name`, and verifies its batches up to `limit`, where a later segment says that it ends.
  /// - Throws: ``RecoveryError/damaged(file:offset:_:)`` or ``RecoveryError/newerFormat(file:version:supported:)`` for its
  ///   header only.
  public init<S: Storage>(_ storage: S, name: String, limit: UInt64? = nil) throws(RecoveryError) {
    var reader = try WindowedReader(storage, name)
    let head = try reader.load(0, SegmentHeader.size)
    guard head.count == SegmentHeader.size else { throw .damaged(file: name, offset: reader.size, .truncated) }
    switch SegmentHeader.decode(reader.buffer.span.bytes.extracting(head)) {
    case .damaged: throw .damaged(file: name, offset: 0, .header)
    case .newer(let version):
      throw .newerFormat(file: name, version: version, supported: SegmentHeader.currentVersion)
    case .whole(let header):
      self.name = name
      bytes = reader.size
      createdAt = header.createdAt
      durability = header.durability
      firstLSN = header.firstLSN
      end = UInt64(SegmentHeader.size)
      endOfPrevious = header.previous?.end
      try count(&reader, of: header, limit: min(limit ?? .max, reader.size))
    }
  }

  private mutating func count<S: Storage>(
    _ reader: inout WindowedReader<S>, of segment: SegmentHeader, limit: UInt64
  ) throws(RecoveryError) {
    let headerSize = BatchHeader.size(segment.durability)
    while end < limit {
      let head = try reader.load(end, headerSize)
      guard head.count == headerSize,
        let batch = BatchHeader.decode(reader.buffer.span.bytes, at: head.lowerBound, of: segment),
        batch.firstLSN == firstLSN + records,
        end + UInt64(headerSize + batch.bodySize) <= limit
      else { return }
      let whole = try reader.load(end, headerSize + batch.bodySize)
      guard whole.count == headerSize + batch.bodySize,
        batch.admits(reader.buffer.span.bytes.extracting(whole.dropFirst(headerSize)))
      else { return }
      batches += 1
      records += UInt64(batch.count)
      end += UInt64(whole.count)
    }
  }
}
