import Persistence

/// A record or an entry with its payload.
struct Item: Equatable {
  var header: RecordHeader
  var payload: [UInt8]
}

/// Keeps what recovery hands over.
struct Collector: RecoveryConsumer {
  var entries: [Item] = []
  var records: [Item] = []

  mutating func restore(_ entry: RecordHeader, payload: RawSpan) {
    entries.append(Item(header: entry, payload: payload.withUnsafeBytes { Array($0) }))
  }

  mutating func replay(_ record: RecordHeader, payload: RawSpan) {
    records.append(Item(header: record, payload: payload.withUnsafeBytes { Array($0) }))
  }
}

/// Segment ids that differ from call to call and from run to run of a test.
struct SegmentIDs {
  private var generator: SeededGenerator

  init(_ seed: UInt64 = 1) { generator = SeededGenerator(seed) }

  mutating func next() -> SegmentID { SegmentID(using: &generator) }
}

/// The record that the tests write with a given LSN: everything about it follows from the LSN.
func record(_ lsn: UInt64) -> PendingRecord {
  PendingRecord(
    session: "s\(lsn % 3)", sequence: lsn / 3, kind: UInt8(lsn % 7),
    payload: (0..<lsn % 11).map { UInt8(truncatingIfNeeded: $0 &* lsn) })
}

/// What a reader is to see of ``record(_:)``.
func item(_ lsn: UInt64) -> Item {
  let record = record(lsn)
  return Item(
    header: RecordHeader(lsn: lsn, session: record.session, sequence: record.sequence, kind: record.kind),
    payload: record.payload)
}

func items(_ lsns: ClosedRange<UInt64>) -> [Item] { lsns.map(item) }

/// The first `count` records.
func items(first count: UInt64) -> [Item] { count == 0 ? [] : items(1...count) }

extension JournalWriter {
  /// Appends the next `count` of the tests' records.
  mutating func append(next count: UInt64) throws(JournalError) -> ClosedRange<UInt64> {
    try append((nextLSN..<nextLSN + count).map(record))
  }
}

/// Opens the folder for writing.
func open<S: Storage>(
  _ storage: S, into collector: inout Collector, seed: UInt64 = 77
) throws(RecoveryError) -> OpenedJournal<S> {
  var ids = SegmentIDs(seed)
  return try Recovery.open(storage, segmentID: ids.next(), now: 0, clock: { 0 }, into: &collector)
}

/// The records of a folder with their report, as opening it finds them.
func recovered<S: Storage>(_ storage: S) throws(RecoveryError) -> (items: [Item], report: RecoveryReport) {
  var collector = Collector()
  let report = try open(storage, into: &collector).report
  return (collector.records, report)
}
