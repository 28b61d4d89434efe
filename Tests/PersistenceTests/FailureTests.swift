import Testing

@testable import Persistence

@Suite("Failing disk")
struct FailureTests {
  var ids = SegmentIDs()
  let segment = "journal-00000000000000000001.rcj"

  private func opened(_ storage: VirtualStorage) throws -> JournalWriter<VirtualStorage> {
    var collector = Collector()
    return try open(storage, into: &collector).takeWriter()
  }

  @Test(
    "after a failed write the writer refuses everything until the file is cut back", arguments: [0, 1, 128, 255, 256])
  mutating func failedWrite(tornShare: Int) throws {
    let storage = VirtualStorage()
    var writer = try opened(storage)
    _ = try writer.append(next: 2)
    storage.tornShare = tornShare
    storage.fault = { operation, _ in operation == .write ? 5 : nil }
    var failed: JournalError?
    do throws(JournalError) { _ = try writer.append(next: 3) } catch { failed = error }
    guard case .storage(let error)? = failed else { throw Unexpected() }
    #expect(error.operation == .write && error.code == 5 && error.file == segment)
    storage.fault = nil
    #expect(throws: JournalError.failed) { try writer.append(next: 1) }
    #expect(throws: JournalError.failed) { try writer.rotate(segmentID: SegmentID(1, 1), now: 0) }
    try writer.recoverAfterFailure(segmentID: ids.next(), now: 0)
    let starts = writer.segmentStarts
    #expect(starts == [1])
    let lsns = try writer.append(next: 1)
    #expect(lsns == 3...3)
    #expect(try recovered(storage.afterKill()).items == items(1...3))
  }

  private struct Unexpected: Error {}

  @Test("a failed sync is not believed: a new segment says where the old one ends, though the bytes are there")
  mutating func failedSync() throws {
    let storage = VirtualStorage()
    var writer = try opened(storage)
    _ = try writer.append(next: 2)
    storage.fault = { operation, _ in operation == .sync ? 5 : nil }
    #expect(throws: JournalError.self) { try writer.append(next: 3) }
    storage.fault = nil
    try writer.recoverAfterFailure(segmentID: ids.next(), now: 0)
    let starts = writer.segmentStarts
    #expect(starts == [1, 3])
    #expect(try recovered(storage.afterKill()).items == items(1...2), "the rejected records returned")
    let other = PendingRecord(session: "other", sequence: 1, kind: 9, payload: [1])
    let lsns = try writer.append([other])
    #expect(lsns == 3...3)
    let found = try recovered(storage.afterKill()).items
    #expect(found.map(\.header.session) == ["s1", "s2", "other"])
  }

  @Test("records rejected in the old segment stay away even when the new segment's file is cut short")
  mutating func cutAfterRejection() throws {
    let storage = VirtualStorage()
    var writer = try opened(storage)
    _ = try writer.append(next: 2)
    storage.fault = { operation, _ in operation == .sync ? 5 : nil }
    #expect(throws: JournalError.self) { try writer.append(next: 3) }
    storage.fault = nil
    try writer.recoverAfterFailure(segmentID: ids.next(), now: 0)
    for length in 0..<SegmentHeader.size {
      var files = storage.files
      files["journal-00000000000000000003.rcj"]?.removeLast(SegmentHeader.size - length)
      let cut = VirtualStorage(files)
      #expect(try recovered(cut).items == items(1...2))
      #expect(try recovered(cut).items == items(1...2), "after the tail was cut off")
    }
  }

  @Test("a rejection in a segment without records replaces the segment")
  mutating func rejectionAtTheStart() throws {
    let storage = VirtualStorage()
    var writer = try opened(storage)
    _ = try writer.append(next: 2)
    try writer.rotate(segmentID: ids.next(), now: 0)
    storage.fault = { operation, _ in operation == .sync ? 5 : nil }
    #expect(throws: JournalError.self) { try writer.append(next: 3) }
    storage.fault = nil
    try writer.recoverAfterFailure(segmentID: ids.next(), now: 0)
    #expect(try recovered(storage.afterKill()).items == items(1...2))
    _ = try writer.append(next: 1)
    #expect(try recovered(storage.afterKill()).items == items(1...3))
  }

  @Test("when the file cannot be cut back, a new segment begins", arguments: [StorageError.Operation.truncate, .sync])
  mutating func failedTruncation(_ second: StorageError.Operation) throws {
    let storage = VirtualStorage()
    var writer = try opened(storage)
    _ = try writer.append(next: 2)
    storage.tornShare = 256
    storage.fault = { operation, file in
      operation == .write || (operation == second && !file.hasSuffix(".tmp")) ? 5 : nil
    }
    #expect(throws: JournalError.self) { try writer.append(next: 3) }
    storage.fault = { operation, file in operation == second && !file.hasSuffix(".tmp") ? 5 : nil }
    try writer.recoverAfterFailure(segmentID: ids.next(), now: 0)
    storage.fault = nil
    let starts = writer.segmentStarts
    #expect(starts == [1, 3])
    _ = try writer.append(next: 1)
    #expect(try recovered(storage.afterKill()).items == items(1...3))
  }

  @Test("recovery from a failure may itself fail and be tried again")
  mutating func failedRecovery() throws {
    let storage = VirtualStorage()
    var writer = try opened(storage)
    _ = try writer.append(next: 2)
    storage.fault = { operation, _ in operation == .sync ? 5 : nil }
    #expect(throws: JournalError.self) { try writer.append(next: 3) }
    for operation in [StorageError.Operation.open, .write, .sync, .rename, .syncDirectory] {
      storage.fault = { $0 == operation && $1 != "journal" ? 5 : nil }
      let id = ids.next()
      #expect(throws: JournalError.self) { try writer.recoverAfterFailure(segmentID: id, now: 0) }
      let hasFailed = writer.hasFailed
      #expect(hasFailed)
    }
    storage.fault = nil
    try writer.recoverAfterFailure(segmentID: ids.next(), now: 0)
    _ = try writer.append(next: 1)
    #expect(try recovered(storage.afterKill()).items == items(1...3))
  }

  @Test("a rotation that fails before the rename leaves the old segment in use; after it, nothing is risked")
  mutating func failedRotation() throws {
    for operation in [StorageError.Operation.open, .write, .sync, .rename, .syncDirectory] {
      let storage = VirtualStorage()
      var writer = try opened(storage)
      _ = try writer.append(next: 2)
      storage.fault = { failing, _ in failing == operation ? 28 : nil }
      let id = ids.next()
      #expect(throws: JournalError.self) { try writer.rotate(segmentID: id, now: 0) }
      storage.fault = nil
      let hasFailed = writer.hasFailed
      #expect(hasFailed == (operation == .rename || operation == .syncDirectory))
      try writer.recoverAfterFailure(segmentID: ids.next(), now: 0)
      let lsns = try writer.append(next: 1)
      #expect(lsns == 3...3)
      #expect(try recovered(storage.afterKill()).items == items(1...3))
    }
  }

  @Test("a full disk is an explicit error, and the journal heals when there is room again")
  mutating func fullDisk() throws {
    let storage = VirtualStorage()
    var writer = try opened(storage)
    _ = try writer.append(next: 2)
    for room in [0, 1, 20, 60] {
      storage.capacity = storage.files.values.reduce(0) { $0 + $1.count } + room
      var failed: JournalError?
      do throws(JournalError) { _ = try writer.append(next: 3) } catch { failed = error }
      guard case .storage(let error)? = failed else { throw Unexpected() }
      #expect(error.isOutOfSpace && error.written == room)
      try writer.recoverAfterFailure(segmentID: ids.next(), now: 0)
    }
    storage.capacity = .max
    _ = try writer.append(next: 3)
    #expect(try recovered(storage.afterKill()).items == items(1...5))
  }

  @Test("whatever operations fail at random, acknowledged records are there once and rejected ones never")
  func randomFaults() throws {
    for seed: UInt64 in 0..<300 {
      var generator = SeededGenerator(seed)
      var ids = SegmentIDs(seed)
      let storage = VirtualStorage()
      var collector = Collector()
      var writer = try open(storage, into: &collector).takeWriter()
      var expected: [Item] = []
      var faults = SeededGenerator(seed &+ 1_000_000)
      storage.tornShare = Int.random(in: 0...256, using: &generator)
      storage.fault = { operation, _ in
        operation != .read && operation != .list && Int.random(in: 0..<8, using: &faults) == 0 ? 5 : nil
      }
      for step: UInt64 in 0..<30 {
        if writer.hasFailed {
          try? writer.recoverAfterFailure(segmentID: ids.next(), now: 0)
        } else if Int.random(in: 0..<6, using: &generator) == 0 {
          try? writer.rotate(segmentID: ids.next(), now: 0)
        } else {
          let batch = (0..<Int.random(in: 1...3, using: &generator)).map { index in
            PendingRecord(session: "r", sequence: step, kind: UInt8(index), payload: [UInt8(step)])
          }
          if let lsns = try? writer.append(batch) {
            for (record, lsn) in zip(batch, lsns) {
              let header = RecordHeader(lsn: lsn, session: "r", sequence: record.sequence, kind: record.kind)
              expected.append(Item(header: header, payload: record.payload))
            }
          }
        }
      }
      let failed = writer.hasFailed
      let after = [storage.afterKill(), storage.afterPowerLoss(using: &generator)]
      for disk in after {
        let found = try recovered(disk).items
        // Only a batch that is not rejected yet may be there besides, whole.
        #expect(found.starts(with: expected) && (failed || found == expected), "seed \(seed)")
        #expect(found.count <= expected.count + 3, "seed \(seed)")
      }
    }
  }
}
