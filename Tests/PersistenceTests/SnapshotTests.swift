import Testing

@testable import Persistence

@Suite("Snapshot")
struct SnapshotTests {
  let newest = "snapshot-00000000000000000006.rcs"
  let older = "snapshot-00000000000000000004.rcs"

  private func write(_ storage: VirtualStorage, lsn: UInt64, entries: UInt64 = 3) throws {
    var writer = try SnapshotWriter(storage, lsn: lsn, now: 9)
    for number in 0..<entries {
      let header = RecordHeader(lsn: lsn + number % 2, session: "s\(number)", sequence: number, kind: 1)
      let payload = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: Int(number))
      try writer.append(header, payload: payload.span.bytes)
    }
    try writer.finish()
  }

  /// Eight records in segments of two, and snapshots at 4 and 6.
  private func folder() throws -> VirtualStorage {
    let storage = VirtualStorage()
    var ids = SegmentIDs()
    var collector = Collector()
    var writer = try open(storage, into: &collector).takeWriter()
    for _ in 0..<3 {
      _ = try writer.append(next: 2)
      try writer.rotate(segmentID: ids.next(), now: 0)
    }
    _ = try writer.append(next: 2)
    try write(storage, lsn: 4)
    try write(storage, lsn: 6)
    return storage
  }

  @Test("entries come back in order, then the records after the snapshot")
  func roundTrip() throws {
    let storage = try folder()
    var collector = Collector()
    let report = try open(storage, into: &collector).report
    #expect(report.snapshot == SnapshotSummary(name: newest, lsn: 6, coveredLSN: 7, createdAt: 9, entries: 3))
    #expect(collector.entries.map(\.header.session) == ["s0", "s1", "s2"])
    #expect(collector.entries.map(\.header.lsn) == [6, 7, 6])
    #expect(collector.entries[2].payload == [2, 2])
    #expect(collector.records == items(7...8), "also record 7, which one entry includes: the consumer decides")
    #expect(report.recordsSkipped == 6)
  }

  @Test("a snapshot larger than the buffers is streamed")
  func large() throws {
    let storage = VirtualStorage()
    var writer = try SnapshotWriter(storage, lsn: 0, now: 0)
    let payload = [UInt8](repeating: 5, count: 700_000)
    for number: UInt64 in 0..<5 {
      try writer.append(RecordHeader(lsn: 0, session: "s", sequence: number, kind: 0), payload: payload.span.bytes)
    }
    try writer.finish()
    var collector = Collector()
    var reader = SnapshotReader(storage, file: "snapshot-00000000000000000000.rcs")
    #expect(try reader.read(into: &collector).entries == 5)
    #expect(collector.entries.allSatisfy { $0.payload == payload })
  }

  @Test("every cut and every flipped bit is noticed")
  func everyCutAndBit() throws {
    let storage = VirtualStorage()
    try write(storage, lsn: 6)
    let whole = try #require(storage.files[newest])
    for length in 0..<whole.count {
      let cut = VirtualStorage([newest: Array(whole.prefix(length))])
      #expect(throws: RecoveryError.self, "cut at \(length)") { try SnapshotReader(cut, file: newest).verify() }
    }
    for bit in 0..<whole.count * 8 {
      var bytes = whole
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      let flipped = VirtualStorage([newest: bytes])
      #expect(throws: RecoveryError.self, "bit \(bit)") { try SnapshotReader(flipped, file: newest).verify() }
    }
    let longer = VirtualStorage([newest: whole + [0]])
    #expect(throws: RecoveryError.self) { try SnapshotReader(longer, file: newest).verify() }
  }

  @Test("a damaged newest snapshot: the older one and the journal after it, and the report names it")
  func fallback() throws {
    var files = try folder().files
    files[newest]?[60] ^= 1
    var collector = Collector()
    let report = try open(VirtualStorage(files), into: &collector).report
    #expect(report.snapshot?.name == older)
    #expect(report.damagedSnapshots == [.damaged(file: newest, offset: 48, .entry)])
    #expect(collector.records == items(5...8))
    files[older]?[60] ^= 1
    let (found, second) = try recovered(VirtualStorage(files))
    #expect(second.snapshot == nil)
    #expect(found == items(1...8), "the journal alone, as it reaches back to its beginning")
  }

  @Test("a damaged newest snapshot without a way back is a refusal that names it and writes nothing")
  func noWayBack() throws {
    var files = try folder().files
    for first in [1, 3, 5] { files[FileName.segment(firstLSN: UInt64(first))] = nil }
    #expect(try recovered(VirtualStorage(files)).items == items(7...8))
    files[newest]?[60] ^= 1
    let storage = VirtualStorage(files)
    #expect(throws: RecoveryError.damagedSnapshot(file: newest, offset: 48, .entry)) { try recovered(storage) }
    #expect(storage.operations == 0)
  }

  @Test("records that only the damaged snapshot held are not passed over in silence")
  func damagedSnapshotAndLostTail() throws {
    var files = try folder().files
    files[newest]?[60] ^= 1
    files["journal-00000000000000000007.rcj"] = nil
    files["journal-00000000000000000005.rcj"]?.removeLast()
    #expect(throws: RecoveryError.damagedSnapshot(file: newest, offset: 48, .entry)) {
      try recovered(VirtualStorage(files))
    }
  }

  @Test("a journal that lost its end goes on after what the snapshot covers, and can be opened again")
  func snapshotAheadOfJournal() throws {
    var files = try folder().files
    files["journal-00000000000000000007.rcj"] = nil
    files["journal-00000000000000000005.rcj"]?.removeLast()
    let storage = VirtualStorage(files)
    var collector = Collector()
    var writer = try open(storage, into: &collector).takeWriter()
    #expect(collector.records.isEmpty)
    let next = writer.nextLSN
    #expect(next == 8)
    _ = try writer.append(next: 1)
    #expect(try recovered(storage).items == [item(8)])
    // The older snapshot does not cover what is missing.
    var without = storage.files
    without[newest] = nil
    #expect(throws: RecoveryError.missingRecords(from: 5, before: "journal-00000000000000000008.rcj")) {
      try recovered(VirtualStorage(without))
    }
  }

  @Test("a snapshot without any journal is a refusal")
  func noJournal() throws {
    let files = try folder().files.filter { $0.key.hasSuffix(".rcs") }
    #expect(throws: RecoveryError.missingJournal(snapshot: newest)) { try recovered(VirtualStorage(files)) }
  }

  @Test("a snapshot of a newer format is refused, not passed over")
  func newerFormat() throws {
    var files = try folder().files
    var bytes = try #require(files[newest])
    bytes[8] = 2
    bytes.replaceLittleEndian(at: 44, with: CRC32C.of(bytes.span.bytes.extracting(0..<44)))
    files[newest] = bytes
    #expect(throws: RecoveryError.newerFormat(file: newest, version: 2, supported: 1)) {
      try recovered(VirtualStorage(files))
    }
  }

  @Test("two whole snapshots are kept, and the journal is needed from the older one on")
  func pruning() throws {
    let storage = try folder()
    #expect(try SnapshotStore(storage).prune() == 4)
    try write(storage, lsn: 8)
    #expect(try SnapshotStore(storage).prune() == 6)
    let kept = storage.files.keys.filter { $0.hasSuffix(".rcs") }.sorted()
    #expect(kept == [newest, "snapshot-00000000000000000008.rcs"])
  }

  @Test("a damaged snapshot does not count as one of the two")
  func pruningWithDamage() throws {
    var files = try folder().files
    files[newest]?[60] ^= 1
    let storage = VirtualStorage(files)
    #expect(try SnapshotStore(storage).prune() == nil)
    try write(storage, lsn: 8)
    #expect(try SnapshotStore(storage).prune() == 4)
    let kept = storage.files.keys.filter { $0.hasSuffix(".rcs") }.sorted()
    #expect(kept == [older, "snapshot-00000000000000000008.rcs"])
  }

  @Test("a snapshot that does not fit leaves the old ones and nothing of itself")
  func fullDisk() throws {
    let storage = try folder()
    let before = storage.files
    storage.capacity = before.values.reduce(0) { $0 + $1.count } + 50
    #expect(throws: SnapshotError.self) { try write(storage, lsn: 8) }
    #expect(storage.files == before)
  }

  @Test("what a crash left under temporary names is removed, other files are not")
  func leftovers() throws {
    var files = try folder().files
    files[newest + ".tmp"] = [1, 2, 3]
    files["journal-00000000000000000009.rcj.tmp"] = []
    files["notes.tmp"] = [1]
    let storage = VirtualStorage(files)
    _ = try recovered(storage)
    #expect(storage.files.keys.filter { $0.hasSuffix(".tmp") } == ["notes.tmp"])
  }
}
