/// Takes the entries of a snapshot in the order they were written.
public protocol SnapshotConsumer {
  /// Takes one entry. `payload` is valid during the call.
  mutating func restore(_ entry: RecordHeader, payload: RawSpan) throws(PayloadError)
}

/// A snapshot that is whole.
public struct SnapshotSummary: Sendable, Equatable {
  /// Its file.
  public var name: String
  /// The LSN up to which every session is covered.
  public var lsn: UInt64
  /// The highest LSN that one of its entries covers.
  public var coveredLSN: UInt64
  /// Unix milliseconds.
  public var createdAt: Int64
  /// How many entries it has.
  public var entries: UInt64
}

/// Reads a snapshot in chunks; writes nothing.
public struct SnapshotReader<S: Storage> {
  private let storage: S
  private let name: String
  private let lsn: UInt64?
  private var sessions = SessionNameCache()

  /// A reader of the snapshot called `file`.
  public init(_ storage: S, file: String) {
    self.init(storage, file: file, expecting: FileName.snapshotLSN(file))
  }

  /// A reader of the snapshot in `file`, which must cover `lsn`.
  init(_ storage: S, file: String, expecting lsn: UInt64?) {
    self.storage = storage
    name = file
    self.lsn = lsn
  }

  /// Reads all of it; throws ``RecoveryError/damaged(file:offset:_:)`` unless it is whole.
  public func verify() throws(RecoveryError) -> SnapshotSummary {
    var reader = self
    var ignore = Ignore()
    return try reader.read(into: &ignore)
  }

  /// Gives the entries to `consumer`; when this throws, those before the damage have been given.
  public mutating func read<C: SnapshotConsumer>(into consumer: inout C) throws(RecoveryError) -> SnapshotSummary {
    var reader = try WindowedReader(storage, name)
    var (summary, crc) = try header(&reader)
    var offset = UInt64(SnapshotHeader.size)
    while true {
      let prefix = try reader.load(offset, RecordCoding.prefixSize)
      guard prefix.count == RecordCoding.prefixSize else { throw damaged(offset, .truncated) }
      let length = Int(reader.buffer.span.bytes.littleEndian(UInt32.self, at: prefix.lowerBound))
      if length == 0 { break }
      let size = RecordCoding.prefixSize + length
      guard offset + UInt64(size) <= reader.size else { throw damaged(offset, .entry) }
      let range = try reader.load(offset, size)
      let bytes = reader.buffer.span.bytes.extracting(range)
      guard range.count == size, let entry = RecordCoding.verify(bytes, at: 0, continuing: crc),
        let session = sessions.name(bytes.extracting(entry.session)), entry.lsn <= SegmentHeader.largestLSN
      else { throw damaged(offset, .entry) }
      let header = RecordHeader(lsn: entry.lsn, session: session, sequence: entry.sequence, kind: entry.kind)
      do throws(PayloadError) {
        try consumer.restore(header, payload: bytes.extracting(entry.payload))
      } catch {
        throw .unreadablePayload(file: name, offset: offset, reason: error.reason)
      }
      crc = entry.crc
      summary.coveredLSN = max(summary.coveredLSN, entry.lsn)
      summary.entries += 1
      offset += UInt64(size)
    }
    let range = try reader.load(offset, SnapshotHeader.footerSize)
    guard range.count == SnapshotHeader.footerSize else { throw damaged(offset, .truncated) }
    let footer = SnapshotHeader.footer(entries: summary.entries, continuing: crc)
    guard reader.buffer[range].elementsEqual(footer) else { throw damaged(offset, .entry) }
    offset += UInt64(SnapshotHeader.footerSize)
    guard offset == reader.size else { throw damaged(offset, .trailing) }
    return summary
  }

  private func header(
    _ reader: inout WindowedReader<S>
  ) throws(RecoveryError) -> (summary: SnapshotSummary, crc: UInt32) {
    let range = try reader.load(0, SnapshotHeader.size)
    switch SnapshotHeader.decode(reader.buffer.span.bytes.extracting(range)) {
    case .damaged: throw damaged(0, .header)
    case .newer(let version):
      throw .newerFormat(file: name, version: version, supported: SnapshotHeader.currentVersion)
    case .whole(let header, let crc):
      guard header.lsn == lsn else { throw damaged(16, .name) }
      let summary = SnapshotSummary(
        name: name, lsn: header.lsn, coveredLSN: header.lsn, createdAt: header.createdAt, entries: 0)
      return (summary, crc)
    }
  }

  private func damaged(_ offset: UInt64, _ damage: RecoveryError.Damage) -> RecoveryError {
    .damaged(file: name, offset: offset, damage)
  }

  private struct Ignore: SnapshotConsumer {
    mutating func restore(_ entry: RecordHeader, payload: RawSpan) {}
  }
}
