import Testing

@testable import Persistence

@Suite("Journal")
struct JournalTests {
  var ids = SegmentIDs()

  private func opened(_ storage: VirtualStorage) throws -> JournalWriter<VirtualStorage> {
    var collector = Collector()
    return try open(storage, into: &collector).takeWriter()
  }

  @Test("records come back as they were written, over several batches and segments")
  mutating func roundTrip() throws {
    let storage = VirtualStorage()
    var writer = try opened(storage)
    let lsns = try writer.append(next: 3)
    #expect(lsns == 1...3)
    try writer.rotate(segmentID: ids.next(), now: 5)
    let lsnsAfter = try writer.append(next: 1)
    #expect(lsnsAfter == 4...4)
    let lsnsLater = try writer.append(next: 5)
    #expect(lsnsLater == 5...9)
    let next = writer.nextLSN
    #expect(next == 10)
    let starts = writer.segmentStarts
    #expect(starts == [1, 4])
    #expect(
      storage.files.keys.sorted() == ["journal-00000000000000000001.rcj", "journal-00000000000000000004.rcj"])
    let (found, report) = try recovered(storage)
    #expect(found == items(1...9))
    #expect(report.recordsRead == 9)
    #expect(report.segments == 2)
    #expect(report.tornTail == nil)
  }

  @Test("a reopened journal continues where it ended, in the same segment")
  func continues() throws {
    let storage = VirtualStorage()
    var writer = try opened(storage)
    _ = try writer.append(next: 2)
    var second = try opened(storage)
    let lsns = try second.append(next: 2)
    #expect(lsns == 3...4)
    #expect(storage.files.count == 1)
    #expect(try recovered(storage).items == items(1...4))
  }

  @Test("a batch is one write and one sync, and acknowledged after the sync")
  func oneWriteOneSync() throws {
    let storage = VirtualStorage()
    var writer = try opened(storage)
    let before = storage.log.count
    _ = try writer.append(next: 100)
    let name = "journal-00000000000000000001.rcj"
    #expect(storage.log.dropFirst(before) == ["write \(name)", "sync \(name)"])
  }

  @Test("a segment without records is not rotated")
  mutating func emptyRotation() throws {
    let storage = VirtualStorage()
    var writer = try opened(storage)
    try writer.rotate(segmentID: ids.next(), now: 0)
    let starts = writer.segmentStarts
    #expect(starts == [1])
    _ = try writer.append(next: 1)
    try writer.rotate(segmentID: ids.next(), now: 0)
    let bytes = writer.bytesSinceRotation
    #expect(bytes == SegmentHeader.size)
    let startsAfter = writer.segmentStarts
    #expect(startsAfter == [1, 2])
  }

  @Test("what cannot be represented is refused and harms nothing")
  func refusals() throws {
    let storage = VirtualStorage()
    var writer = try opened(storage)
    #expect(throws: JournalError.emptyBatch) { try writer.append([]) }
    let long = PendingRecord(session: String(repeating: "x", count: 65_536), sequence: 0, kind: 0, payload: [])
    #expect(throws: JournalError.tooLarge) { try writer.append([long]) }
    let big = PendingRecord(session: "x", sequence: 0, kind: 0, payload: [UInt8](repeating: 0, count: 65 << 20))
    #expect(throws: JournalError.tooLarge) { try writer.append([big]) }
    let hasFailed = writer.hasFailed
    #expect(!hasFailed)
    let longest = PendingRecord(session: String(repeating: "x", count: 65_535), sequence: 0, kind: 0, payload: [])
    let lsns = try writer.append([longest])
    #expect(lsns == 1...1)
    #expect(try recovered(storage).items.first?.header.session.utf8.count == 65_535)
  }

  @Test("more records than one batch holds are appended in several, in order")
  func manyBatches() throws {
    let storage = VirtualStorage()
    var writer = try opened(storage)
    let records = (1...20).map(record)
    // Some fit together, some are alone, and one is larger than a batch is to be.
    let batches = JournalWriter<VirtualStorage>.batches(of: records, upTo: 70)
    #expect(batches.contains { $0.count > 1 } && batches.contains { $0.count == 1 })
    for batch in batches { _ = try writer.append(batch) }
    #expect(try recovered(storage).items == items(1...20))
    #expect(JournalWriter<VirtualStorage>.batches(of: []).isEmpty)
    #expect(JournalWriter<VirtualStorage>.batches(of: records) == [records])
  }

  @Test("a batch larger than the read window is read")
  func largeBatch() throws {
    let storage = VirtualStorage()
    var writer = try opened(storage)
    let large = PendingRecord(session: "x", sequence: 1, kind: 2, payload: [UInt8](repeating: 7, count: 3 << 20))
    _ = try writer.append(next: 1)
    _ = try writer.append([large])
    _ = try writer.append(next: 1)
    let found = try recovered(storage).items
    #expect(found.map(\.payload.count) == [1, 3 << 20, 3])
    #expect(found[2] == item(3))
  }

  @Test("segments go when all their records are covered, never the current one")
  mutating func removal() throws {
    let storage = VirtualStorage()
    var writer = try opened(storage)
    for _ in 0..<4 {
      _ = try writer.append(next: 2)
      try writer.rotate(segmentID: ids.next(), now: 0)
    }
    let starts = writer.segmentStarts
    #expect(starts == [1, 3, 5, 7, 9])
    try writer.removeSegments(coveredThrough: 3)
    let startsAfter = writer.segmentStarts
    #expect(startsAfter == [3, 5, 7, 9])
    try writer.removeSegments(coveredThrough: 4)
    let startsLater = writer.segmentStarts
    #expect(startsLater == [5, 7, 9])
    try writer.removeSegments(coveredThrough: 1_000)
    let startsLast = writer.segmentStarts
    #expect(startsLast == [9])
    #expect(storage.files.keys.sorted() == ["journal-00000000000000000009.rcj"])
  }

  @Test("a missing segment in the middle or at the start is a refusal that says which records are missing")
  mutating func missingSegment() throws {
    let storage = VirtualStorage()
    var writer = try opened(storage)
    for _ in 0..<3 {
      _ = try writer.append(next: 2)
      try writer.rotate(segmentID: ids.next(), now: 0)
    }
    var files = storage.files
    files["journal-00000000000000000003.rcj"] = nil
    let error = RecoveryError.missingRecords(from: 1, before: "journal-00000000000000000005.rcj")
    #expect(throws: error) { try recovered(VirtualStorage(files)) }
    files = storage.files
    files["journal-00000000000000000001.rcj"] = nil
    let first = RecoveryError.missingRecords(from: 1, before: "journal-00000000000000000003.rcj")
    #expect(throws: first) { try recovered(VirtualStorage(files)) }
  }

  @Test("a segment of a newer format is refused and left as it is")
  func newerFormat() throws {
    let storage = VirtualStorage()
    _ = try opened(storage)
    let name = "journal-00000000000000000001.rcj"
    var bytes = try #require(storage.files[name])
    bytes[8] = 2
    bytes.replaceLittleEndian(at: 92, with: CRC32C.of(bytes.span.bytes.extracting(0..<92)))
    let newer = VirtualStorage([name: bytes])
    #expect(throws: RecoveryError.newerFormat(file: name, version: 2, supported: 1)) { try recovered(newer) }
    #expect(newer.operations == 0)
  }

  @Test("a payload that its consumer cannot read is named by file and offset")
  func unreadablePayload() throws {
    struct Picky: JournalConsumer {
      mutating func replay(_ record: RecordHeader, payload: RawSpan) throws(PayloadError) {
        if record.lsn == 2 { throw PayloadError("no") }
      }
    }
    let storage = VirtualStorage()
    var writer = try opened(storage)
    _ = try writer.append(next: 1)
    _ = try writer.append(next: 1)
    var reader = JournalReader(storage)
    var picky = Picky()
    let offset = UInt64(SegmentHeader.size + BatchHeader.size(.strict) + 27 + 2 + 1 + BatchHeader.size(.strict))
    #expect(
      throws: RecoveryError.unreadablePayload(
        file: "journal-00000000000000000001.rcj", offset: offset, reason: "no")
    ) { try reader.read(after: 0, into: &picky) }
  }

  @Test("a payload that looks like a batch does not deceive the search for one")
  func forgedBatch() throws {
    let storage = VirtualStorage()
    var writer = try opened(storage)
    _ = try writer.append(next: 1)
    let name = "journal-00000000000000000001.rcj"
    var forged = try #require(storage.files[name]).dropFirst(SegmentHeader.size)
    // Another segment's batch, whole: a client does not know the id of this one.
    forged[forged.startIndex] ^= 1
    _ = try writer.append([PendingRecord(session: "s", sequence: 0, kind: 0, payload: Array(forged))])
    var bytes = try #require(storage.files[name])
    bytes.removeLast()
    let (found, report) = try recovered(VirtualStorage([name: bytes]))
    #expect(found == items(1...1))
    #expect(report.tornTail?.file == name)
  }
}
