import Testing

@testable import Persistence

/// The machine stops in each operation of a life with batches, rotations, snapshots and removals.
@Suite("Crash at every operation")
struct CrashTests {
  /// Restores the list of LSNs that happened: a snapshot's payload says how many.
  struct Ledger: RecoveryConsumer {
    var lsns: [UInt64] = []
    var isRight = true

    mutating func restore(_ entry: RecordHeader, payload: RawSpan) {
      lsns = Array(1..<entry.lsn + 1)
      isRight = isRight && payload.byteCount == Int(entry.lsn)
    }

    mutating func replay(_ record: RecordHeader, payload: RawSpan) {
      let expected = item(record.lsn)
      isRight = isRight && record == expected.header && payload.withUnsafeBytes { $0.elementsEqual(expected.payload) }
      if record.lsn > lsns.last ?? 0 { lsns.append(record.lsn) }
    }
  }

  /// What was promised before the crash.
  struct Promises {
    var acknowledged: UInt64 = 0
    var attempted: UInt64 = 0
  }

  /// Opens the folder and works on it until the end or the crash.
  private func live(_ storage: VirtualStorage, seed: UInt64, _ promises: inout Promises) throws {
    var ids = SegmentIDs(seed)
    try FolderFormat.ensure(storage)
    var ledger = Ledger()
    let opened = try Recovery.open(storage, segmentID: ids.next(), now: 0, clock: { 0 }, into: &ledger)
    var writer = opened.takeWriter()
    for round: UInt64 in 0..<3 {
      for count: UInt64 in [1, 3] {
        promises.attempted = writer.nextLSN + count - 1
        promises.acknowledged = try writer.append(next: count).upperBound
      }
      let covered = promises.acknowledged
      if round != 1 { try writer.rotate(segmentID: ids.next(), now: 0) }
      promises.attempted = writer.nextLSN
      promises.acknowledged = try writer.append(next: 1).upperBound
      var snapshot = try SnapshotWriter(storage, lsn: covered, now: 0)
      let payload = [UInt8](repeating: 0, count: Int(covered))
      try snapshot.append(RecordHeader(lsn: covered, session: "s", sequence: 0, kind: 0), payload: payload.span.bytes)
      try snapshot.finish()
      if let needless = try SnapshotStore(storage).prune() {
        try writer.removeSegments(coveredThrough: needless)
      }
    }
  }

  private func check(_ storage: VirtualStorage, _ promises: Promises, _ comment: String) throws -> UInt64 {
    var ids = SegmentIDs(99)
    var ledger = Ledger()
    let opened = try Recovery.open(storage, segmentID: ids.next(), now: 0, clock: { 0 }, into: &ledger)
    var writer = opened.takeWriter()
    let count = UInt64(ledger.lsns.count)
    try #require(ledger.isRight && ledger.lsns == Array(1..<count + 1), "\(comment): wrong records")
    try #require(count == promises.acknowledged || count == promises.attempted, "\(comment): lost or half a batch")
    let next = writer.nextLSN
    try #require(next == count + 1, "\(comment): wrong next LSN")
    _ = try writer.append(next: 2)
    return count + 2
  }

  /// The disks that may be found after the crash.
  private func disks(_ storage: VirtualStorage, _ seed: UInt64) -> [VirtualStorage] {
    var generator = SeededGenerator(seed)
    return [storage.afterKill()] + (0..<6).map { _ in storage.afterPowerLoss(using: &generator) }
  }

  @Test("acknowledged records survive, the last batch is whole or absent, and the journal goes on")
  func everyOperation() throws {
    var reachedTheEnd = false
    for stop in 0..<1_000 {
      let storage = VirtualStorage()
      storage.stopsAt = stop
      storage.tornShare = stop * 37 % 257
      var promises = Promises()
      try? live(storage, seed: 1, &promises)
      reachedTheEnd = !storage.hasStopped
      for (index, disk) in disks(storage, UInt64(stop)).enumerated() {
        let count = try check(disk, promises, "stop \(stop), disk \(index)")
        // What was acknowledged after the recovery survives a power failure too.
        var generator = SeededGenerator(UInt64(stop * 100 + index))
        let later = Promises(acknowledged: count, attempted: count)
        _ = try check(disk.afterPowerLoss(using: &generator), later, "stop \(stop), disk \(index), again")
      }
      if reachedTheEnd { break }
    }
    #expect(reachedTheEnd)
  }

  @Test("a crash during the recovery from a crash changes nothing")
  func crashDuringRecovery() throws {
    for stop in stride(from: 0, to: 130, by: 3) {
      let storage = VirtualStorage()
      storage.stopsAt = stop
      var promises = Promises()
      try? live(storage, seed: 1, &promises)
      for second in 0..<12 {
        for (index, disk) in disks(storage, UInt64(stop)).enumerated() {
          disk.stopsAt = second
          var ledger = Ledger()
          let opened = try? Recovery.open(disk, segmentID: SegmentID(5, 5), now: 0, clock: { 0 }, into: &ledger)
          if opened != nil { continue }
          for (third, again) in disks(disk, UInt64(second)).enumerated() {
            _ = try check(again, promises, "stop \(stop), then \(second), disks \(index) and \(third)")
          }
        }
      }
    }
  }

  @Test("a crash while several segments are removed never leaves a gap between those that stay")
  func removalOfSeveral() throws {
    for stop in 0..<200 {
      let storage = VirtualStorage()
      var ids = SegmentIDs()
      var collector = Collector()
      var writer = try open(storage, into: &collector).takeWriter()
      for _ in 0..<5 {
        _ = try writer.append(next: 2)
        try writer.rotate(segmentID: ids.next(), now: 0)
      }
      storage.stopsAt = storage.operations + stop
      try? writer.removeSegments(coveredThrough: 8)
      for disk in disks(storage, UInt64(stop)) {
        var rest = Collector()
        var reader = JournalReader(disk)
        _ = try reader.read(after: 8, into: &rest)
        #expect(rest.records == items(9...10), "stop \(stop)")
      }
      if !storage.hasStopped { break }
    }
  }

  @Test("a batch whose sync failed before the process died is durable once a recovery has shown it")
  func recoveredBatchIsSyncedAnew() throws {
    let storage = VirtualStorage()
    var collector = Collector()
    var writer = try open(storage, into: &collector).takeWriter()
    _ = try writer.append(next: 2)
    storage.fault = { operation, _ in operation == .sync ? 5 : nil }
    #expect(throws: JournalError.self) { try writer.append(next: 2) }
    let restarted = storage.afterKill()
    #expect(try recovered(restarted).items == items(1...4))
    for seed: UInt64 in 0..<20 {
      var generator = SeededGenerator(seed)
      #expect(try recovered(restarted.afterPowerLoss(using: &generator)).items == items(1...4))
    }
  }
}
