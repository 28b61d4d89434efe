import Classroom
import Testing

@testable import Persistence

@Suite("The journal while the disk fails")
struct PipelineTests {
  /// A life with batches of both loops, a snapshot after each few, and removals.
  private func live(_ rig: PipelineRig, rounds: Int = 8) throws {
    for session in ["a", "b", "c"] { try rig.create(session) }
    rig.work()
    for round in 0..<rounds {
      try rig.say(in: "a")
      if round % 2 == 0 { try rig.say(in: "b") }
      rig.work(after: 20)
      try rig.say(in: "c")
      try rig.say(in: "a")
      rig.work(after: 20)
    }
  }

  private func rig(_ storage: VirtualStorage, mode: JournalMode = JournalMode()) throws -> PipelineRig {
    try PipelineRig(storage, mode: mode) {
      $0.snapshotBytes = 1500
      $0.snapshotIntervalMilliseconds = 1_000_000
    }
  }

  /// How many operations the undisturbed life has.
  private func operations() throws -> (first: Int, end: Int) {
    let storage = VirtualStorage()
    let rig = try rig(storage)
    let first = storage.operations
    try live(rig)
    #expect(rig.snapshots >= 3)
    return (first, storage.operations)
  }

  /// Lets operations fail whose number is in this range.
  private func fail(_ range: Range<Int>, of storage: VirtualStorage, code: Int32) {
    storage.fault = { [unowned storage] operation, _ in
      switch operation {
      case .list, .size, .read: nil
      default: range.contains(storage.operations - 1) ? code : nil
      }
    }
  }

  @Test("undisturbed, everything is acknowledged, and a good-bye ends it")
  func undisturbed() throws {
    let rig = try rig(VirtualStorage())
    try live(rig)
    #expect(rig.fates.values.allSatisfy { $0 == .acknowledged } && rig.failures == 0)
    let isSafe = rig.end()
    #expect(isSafe)
    #expect(try rig.contradiction(on: rig.storage.afterKill()) == nil)
    var state = RecoveredState<VirtualStorage>()
    _ = try Recovery.open(rig.storage, segmentID: SegmentID(1, 1), now: 0, clock: { 0 }, into: &state)
    #expect(state.endedCleanly)
  }

  @Test(
    "whichever operation fails once: it heals, what was acknowledged is there, what was rejected never",
    arguments: [5, 28])
  func oneFailure(code: Int32) throws {
    let (first, end) = try operations()
    for operation in first..<end {
      let storage = VirtualStorage()
      storage.tornShare = operation * 37 % 257
      let rig = try rig(storage)
      fail(operation..<operation + 1, of: storage, code: code)
      try live(rig)
      rig.workUntilHealed()
      #expect(!rig.hasFailed, "operation \(operation)")
      #expect(rig.failures == rig.healings)
      try live(rig, rounds: 2)
      var generator = SeededGenerator(UInt64(operation))
      for disk in [storage.afterKill(), storage.afterPowerLoss(using: &generator)] {
        let contradiction = try rig.contradiction(on: disk)
        #expect(contradiction == nil, "operation \(operation)")
      }
      #expect(try rig.memoryEqualsDisk(), "operation \(operation)")
    }
  }

  @Test("a failure of a single write or sync is told as certain, and is over at once")
  func certain() throws {
    for failing in [StorageError.Operation.write, .sync] {
      let storage = VirtualStorage()
      let rig = try PipelineRig(storage)
      try rig.create("a")
      rig.work()
      var left = 1
      storage.fault = { operation, file in
        guard operation == failing, file.hasPrefix("journal"), left > 0 else { return nil }
        left -= 1
        return 5
      }
      try rig.say(in: "a")
      rig.work()
      #expect(rig.fates["m1"] == .rejected)
      rig.work()
      #expect(rig.healings == 2 && !rig.hasFailed)
      try rig.say(in: "a")
      rig.work()
      #expect(rig.fates["m2"] == .acknowledged)
      #expect(try rig.contradiction(on: storage.afterKill()) == nil)
      #expect(try rig.memoryEqualsDisk())
    }
  }

  @Test("a disk that fails for a while is tried again with growing pauses, and heals")
  func outage() throws {
    let (first, end) = try operations()
    for operation in stride(from: first, to: end, by: 3) {
      for length in [3, 20] {
        let storage = VirtualStorage()
        storage.tornShare = operation * 31 % 257
        let rig = try rig(storage)
        fail(operation..<operation + length, of: storage, code: 5)
        try live(rig)
        rig.workUntilHealed()
        #expect(!rig.hasFailed, "operation \(operation), \(length) times")
        try live(rig, rounds: 1)
        var generator = SeededGenerator(UInt64(operation))
        for disk in [storage.afterKill(), storage.afterPowerLoss(using: &generator)] {
          let contradiction = try rig.contradiction(on: disk)
          #expect(contradiction == nil, "operation \(operation), \(length) times")
        }
        #expect(try rig.memoryEqualsDisk(), "operation \(operation), \(length) times")
      }
    }
  }

  @Test("a crash at every operation after a failure: what was rejected does not return")
  func crashAfterFailure() throws {
    let (first, end) = try operations()
    for operation in stride(from: first, to: end, by: 4) {
      for later in 1..<16 {
        let storage = VirtualStorage()
        storage.tornShare = (operation + later) * 41 % 257
        let rig = try rig(storage)
        fail(operation..<operation + 1 + later % 4, of: storage, code: 5)
        storage.stopsAt = operation + later
        try? live(rig)
        rig.workUntilHealed(limit: 20)
        var generator = SeededGenerator(UInt64(operation * 100 + later))
        for disk in [storage.afterKill()] + (0..<3).map({ _ in storage.afterPowerLoss(using: &generator) }) {
          let contradiction = try rig.contradiction(on: disk)
          #expect(contradiction == nil, "operation \(operation), crash \(later) later")
        }
      }
    }
  }

  @Test("a full disk: refused until there is room for more than a record")
  func fullDisk() throws {
    let storage = VirtualStorage()
    let rig = try PipelineRig(storage)
    try rig.create("a")
    rig.work()
    let used = storage.files.values.reduce(0) { $0 + $1.count }
    storage.capacity = used + 300
    try rig.say(in: "a", bytes: 1000)
    rig.work()
    #expect(rig.fates.values.contains(.rejected) && rig.failures == 2)
    for _ in 0..<20 { rig.work(after: 1000) }
    #expect(rig.healings == 0, "a probe of a few bytes would have fitted")
    let attempts = storage.log.filter { $0 == "open probe.tmp" }.count
    #expect((3...12).contains(attempts))
    storage.capacity = .max
    rig.workUntilHealed()
    #expect(rig.healings == 2)
    try rig.say(in: "a", bytes: 1000)
    rig.work()
    #expect(try rig.contradiction(on: storage.afterKill()) == nil)
    #expect(storage.files["probe.tmp"] == nil)
  }

  @Test("a read-only disk: nothing is certain, and nothing is lost")
  func readOnly() throws {
    let storage = VirtualStorage()
    storage.tornShare = 0
    let rig = try PipelineRig(storage)
    try rig.create("a")
    rig.work()
    storage.fault = { operation, _ in [.list, .size, .read].contains(operation) ? nil : 30 }
    try rig.say(in: "a")
    rig.work()
    for _ in 0..<10 { rig.work(after: 2000) }
    #expect(rig.pipeline.failedSince != nil && rig.healings == 0)
    storage.fault = nil
    rig.workUntilHealed()
    #expect(rig.healings == 2)
    try rig.say(in: "a")
    rig.work()
    #expect(rig.fates["m2"] == .acknowledged)
    #expect(try rig.contradiction(on: storage.afterKill()) == nil)
  }

  @Test("records that were on their way when the disk failed are void")
  func olderIncarnation() throws {
    let storage = VirtualStorage()
    var collector = Collector()
    var pipeline = JournalPipeline(
      try open(storage, into: &collector).takeWriter(), storage: storage, history: nil,
      settings: JournalSettings(loops: 1), random: SeededGenerator(1), clock: { 0 }, at: Timestamp(milliseconds: 0))
    pipeline.append(loop: 0, incarnation: 7, through: 1, records: [record(1)])
    pipeline.work(at: Timestamp(milliseconds: 1), hasPeople: false)
    let (records, isSilent) = (pipeline.counters.records, pipeline.takeNotices().isEmpty)
    #expect(records == 0 && isSilent)
    #expect(try recovered(storage).items.isEmpty)
  }

  @Test("a segment that cannot be begun is tried again after a pause, not with every batch")
  func rotationPause() throws {
    let storage = VirtualStorage()
    let rig = try PipelineRig(storage) {
      $0.snapshotBytes = 100
      $0.snapshotIntervalMilliseconds = 300_000
    }
    storage.fault = { operation, file in operation == .open && file.hasPrefix("journal") ? 24 : nil }
    try rig.create("a")
    for _ in 0..<100 {
      try rig.say(in: "a")
      rig.work(after: 100)
    }
    // 10 s: after 1, 2 and 4 s.
    let attempts = storage.log.filter { $0.hasPrefix("open journal") }.count
    #expect((3...5).contains(attempts))
    #expect(rig.fates.values.allSatisfy { $0 == .acknowledged })
    storage.fault = nil
    rig.work(after: 8000)
    rig.work()
    #expect(rig.snapshots == 1)
  }

  @Test("a snapshot that waits for sessions when the disk fails is given up, and comes later")
  func snapshotGivenUp() throws {
    let storage = VirtualStorage()
    let rig = try PipelineRig(storage) { $0.snapshotBytes = 100 }
    try rig.create("a")
    rig.work()
    // The round has begun; its parts come with the next batch, which fails.
    var left = 1
    storage.fault = { operation, file in
      guard operation == .sync, file.hasPrefix("journal"), left > 0 else { return nil }
      left -= 1
      return 5
    }
    try rig.say(in: "a")
    rig.work()
    #expect(rig.snapshots == 0 && !storage.files.keys.contains { $0.hasPrefix("snapshot") })
    rig.workUntilHealed()
    rig.work(after: 2000)
    rig.work(after: 2000)
    #expect(rig.snapshots >= 1)
    #expect(try rig.contradiction(on: storage.afterKill()) == nil)
  }
}
