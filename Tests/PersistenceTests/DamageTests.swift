import Testing

@testable import Persistence

/// A journal of three segments and several batches, with every bit and every length tried.
@Suite("Damaged journal")
struct DamageTests {
  let files: [String: [UInt8]]
  let last: String
  /// For each batch of the last segment: the byte after it, and the LSN of its last record.
  let boundaries: [(end: Int, lsn: UInt64)]

  init() throws {
    let storage = VirtualStorage()
    var ids = SegmentIDs()
    var collector = Collector()
    var writer = try open(storage, into: &collector).takeWriter()
    _ = try writer.append(next: 2)
    _ = try writer.append(next: 1)
    try writer.rotate(segmentID: ids.next(), now: 1)
    _ = try writer.append(next: 3)
    try writer.rotate(segmentID: ids.next(), now: 2)
    var boundaries: [(Int, UInt64)] = [(writer.bytesSinceRotation, 6)]
    for count: UInt64 in [2, 1, 3] {
      let lsns = try writer.append(next: count)
      boundaries.append((writer.bytesSinceRotation, lsns.upperBound))
    }
    files = storage.files
    last = "journal-00000000000000000007.rcj"
    self.boundaries = boundaries
  }

  /// Opens the files; after a refusal nothing may have been written, after a success the journal must go on.
  private func outcome(_ files: [String: [UInt8]]) throws -> (UInt64, RecoveryReport)? {
    let storage = VirtualStorage(files)
    var collector = Collector()
    guard let opened = try? open(storage, into: &collector) else {
      try #require(storage.operations == 0 && storage.files == files, "a refusal wrote something")
      return nil
    }
    let report = opened.report
    var writer = opened.takeWriter()
    let count = UInt64(collector.records.count)
    try #require(collector.records == items(first: count), "something that was never written")
    _ = try writer.append(next: 1)
    let again = try recovered(storage).items
    try #require(again == items(first: count + 1), "the journal does not go on")
    return (count, report)
  }

  @Test("cut at any byte of the last segment: all batches before the cut, none after, never a part")
  func everyCutOfTheLastSegment() throws {
    let whole = try #require(files[last])
    for length in 0..<whole.count {
      var cut = files
      cut[last] = Array(whole.prefix(length))
      let expected = boundaries.last { $0.end <= length } ?? (0, 6)
      let (count, report) = try #require(try outcome(cut), "cut at \(length)")
      #expect(count == expected.lsn, "cut at \(length)")
      #expect(report.tornTail?.bytes ?? 0 == UInt64(length - expected.end), "cut at \(length)")
    }
  }

  @Test("cut at any byte of an earlier segment: a refusal")
  func everyCutOfEarlierSegments() throws {
    for (name, whole) in files where name != last {
      for length in 0..<whole.count {
        var cut = files
        cut[name] = Array(whole.prefix(length))
        #expect(try outcome(cut) == nil, "\(name) cut at \(length)")
      }
    }
  }

  @Test("any bit flipped: a torn tail in the last batch, else a refusal, never a wrong record")
  func everyBit() throws {
    for (name, whole) in files {
      for bit in 0..<whole.count * 8 {
        var flipped = files
        flipped[name]?[bit / 8] ^= 1 << UInt8(bit % 8)
        let found = try outcome(flipped)
        if name == last && bit / 8 >= boundaries[2].end {
          #expect(found?.0 == boundaries[2].lsn, "bit \(bit)")
        } else {
          #expect(found == nil, "\(name), bit \(bit)")
        }
      }
    }
  }

  @Test("a refusal names the file and the offset of the damaged batch")
  func offset() throws {
    var damaged = files
    damaged[last]?[boundaries[1].end + 40] ^= 1
    let error = RecoveryError.damaged(file: last, offset: UInt64(boundaries[1].end), .batch)
    #expect(throws: error) { try recovered(VirtualStorage(damaged)) }
  }

  @Test("a header that does not agree with the segment before it is a refusal, though both are whole")
  func disagreement() throws {
    let whole = try #require(files[last])
    let bytes = whole.span.bytes.extracting(0..<SegmentHeader.size)
    guard case .whole(let header) = SegmentHeader.decode(bytes), let previous = header.previous else {
      Issue.record("the header does not decode")
      return
    }
    for (end, lsn) in [(previous.end, previous.lastLSN - 1), (UInt64(SegmentHeader.size), previous.lastLSN)] {
      var changed = header
      changed.previous?.end = end
      changed.previous?.lastLSN = lsn
      var disagreeing = files
      disagreeing[last] = changed.encoded() + whole.dropFirst(SegmentHeader.size)
      #expect(try outcome(disagreeing) == nil)
    }
  }

  @Test("garbage and zeros after the last batch are cut off", arguments: [0, 0xFF] as [UInt8])
  func trailing(_ byte: UInt8) throws {
    var longer = files
    longer[last]?.append(contentsOf: repeatElement(byte, count: 5_000))
    let (count, report) = try #require(try outcome(longer))
    #expect(count == 12)
    #expect(report.tornTail?.offset == UInt64(boundaries[3].end))
    #expect(report.tornTail?.bytes == 5_000)
  }

  @Test("random damage of many bytes never yields a wrong record")
  func randomDamage() throws {
    var generator = SeededGenerator(3)
    for _ in 0..<2_000 {
      var damaged = files
      for _ in 0..<Int.random(in: 1...20, using: &generator) {
        guard let (name, whole) = files.sorted(by: { $0.key < $1.key }).randomElement(using: &generator) else { break }
        let offset = Int.random(in: 0..<whole.count, using: &generator)
        damaged[name]?[offset] = UInt8.random(in: 0...255, using: &generator)
      }
      _ = try outcome(damaged)
    }
  }
}
