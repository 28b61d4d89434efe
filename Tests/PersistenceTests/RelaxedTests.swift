import Classroom
import Testing

@testable import Persistence

@Suite("Relaxed durability")
struct RelaxedTests {
  private let mode = JournalMode(.relaxed, boot: 1)
  private let nextBoot = JournalMode(.relaxed, boot: 2)

  private func reopened(
    _ disk: VirtualStorage, _ mode: JournalMode
  ) throws -> (report: RecoveryReport, state: RecoveredState<VirtualStorage>) {
    var state = RecoveredState<VirtualStorage>()
    let opened = try Recovery.open(disk, segmentID: SegmentID(3, 3), now: 0, clock: { 0 }, mode: mode, into: &state)
    let report = opened.report
    _ = opened.takeWriter()
    return (report, state)
  }

  @Test("what is written is acknowledged before it is synced, and synced 200 ms later at most")
  func acknowledgement() throws {
    let storage = VirtualStorage()
    let rig = try PipelineRig(storage, mode: mode)
    try rig.create("a")
    rig.work()
    let before = storage.log.filter { $0.hasPrefix("sync") }.count
    try rig.say(in: "a")
    rig.work(after: 10)
    #expect(rig.fates["m1"] == .acknowledged)
    #expect(storage.log.filter { $0.hasPrefix("sync") }.count == before)
    let wait = rig.pipeline.nextDeadline.milliseconds(since: rig.now)
    #expect(wait <= 190)
    rig.work(after: wait)
    #expect(storage.log.filter { $0.hasPrefix("sync") }.count == before + 1)
    var generator = SeededGenerator(1)
    #expect(try rig.contradiction(on: storage.afterPowerLoss(using: &generator)) == nil)
  }

  @Test("a killed server has lost nothing, and nobody begins anew")
  func kill() throws {
    let storage = VirtualStorage()
    let rig = try PipelineRig(storage, mode: mode)
    for session in ["a", "b"] { try rig.create(session) }
    for _ in 0..<20 {
      try rig.say(in: "a")
      try rig.say(in: "b")
      rig.work(after: 30)
      let killed = storage.afterKill()
      #expect(try rig.contradiction(on: killed) == nil)
      #expect(try !reopened(killed.afterKill(), mode).report.mayHaveLostEnd)
    }
  }

  @Test("after a power failure a prefix is there, and it is known that the rest may be missing")
  func powerFailure() throws {
    var losses = 0
    for seed: UInt64 in 0..<200 {
      let storage = VirtualStorage()
      let rig = try PipelineRig(storage, seed: seed + 1, mode: mode)
      try rig.create("a")
      rig.work()
      rig.work(after: 250)
      for step in 0..<Int(seed % 12) + 2 {
        try rig.say(in: "a", bytes: step * 7)
        rig.work(after: 25)
      }
      var generator = SeededGenerator(seed)
      let disk = storage.afterPowerLoss(using: &generator)
      let (report, state) = try reopened(disk, nextBoot)
      #expect(report.mayHaveLostEnd && !state.endedCleanly, "seed \(seed)")
      let chat = try PipelineRig.chat(of: #require(state.classrooms["a"]))
      let said = rig.fates.keys.filter { $0.hasPrefix("m") }.count
      #expect(chat.map { $0.prefix { $0 != "x" } } == (0..<chat.count).map { "m\($0 + 1)" }, "seed \(seed)")
      if chat.count < said { losses += 1 }
      #expect(try rig.contradiction(on: disk, mayLose: true) == nil)
    }
    #expect(losses > 20, "the disk forgets")
  }

  @Test("a start in another run of the machine says so only when the last one did not say good-bye")
  func goodbye() throws {
    let storage = VirtualStorage()
    let rig = try PipelineRig(storage, mode: mode)
    try rig.create("a")
    try rig.say(in: "a")
    let isSafe = rig.end()
    #expect(isSafe)
    var generator = SeededGenerator(5)
    let disk = storage.afterPowerLoss(using: &generator)
    #expect(try rig.contradiction(on: disk.afterKill()) == nil)
    let (report, state) = try reopened(disk.afterKill(), nextBoot)
    #expect(report.mayHaveLostEnd && state.endedCleanly)
    // A run after the good-bye that loses all that it wrote is still seen.
    let second = try PipelineRig(disk, seed: 9, mode: nextBoot)
    try second.say(in: "a")
    second.work()
    let lost = try reopened(disk.afterPowerLoss(using: &generator), JournalMode(.relaxed, boot: 3))
    #expect(lost.report.mayHaveLostEnd && !lost.state.endedCleanly)
  }

  @Test("a cut tail in the same run leaves a marker, until the epochs are changed")
  func cutTail() throws {
    let storage = VirtualStorage()
    let rig = try PipelineRig(storage, mode: mode)
    try rig.create("a")
    rig.work(after: 250)
    try rig.say(in: "a", bytes: 100)
    rig.work()
    var files = storage.files
    let segment = try #require(files.keys.filter { $0.hasPrefix("journal") }.max())
    files[segment]?.removeLast(10)
    let cut = VirtualStorage(files)
    var (report, state) = try reopened(cut, mode)
    #expect(report.mayHaveLostEnd && report.tornTail != nil)
    #expect(try FolderMarker.present(in: cut) == [.endLost])
    let epoch = state.classrooms["a"]?.epoch
    var next = 0
    let records = state.changeEpochs(at: rig.now) {
      next += 1
      return "new\(next)"
    }
    #expect(records.count == 1 && state.classrooms["a"]?.epoch == "new1" && epoch == "e")
    // A crash before that is journaled: the marker is still there, though nothing is torn any more.
    let again = try reopened(cut.afterKill(), mode)
    #expect(again.report.tornTail == nil)
    #expect(try FolderMarker.present(in: cut.afterKill()) == [.endLost])
  }

  @Test("damage before what is known to be synced is refused")
  func damageInTheMiddle() throws {
    let storage = VirtualStorage()
    let rig = try PipelineRig(storage, mode: mode)
    try rig.create("a")
    var ends: [Int] = []
    let segment = try #require(storage.files.keys.filter { $0.hasPrefix("journal") }.max())
    for step in 0..<6 {
      try rig.say(in: "a")
      // Synced after the fourth, and that the last two know.
      rig.work(after: step == 3 ? 250 : 1)
      ends.append(storage.files[segment]?.count ?? 0)
    }
    for byte in SegmentHeader.size..<ends[5] {
      var files = storage.files
      files[segment]?[byte] ^= 0x40
      let damaged = VirtualStorage(files)
      if byte < ends[2] {
        let error = #expect(throws: RecoveryError.self) { try reopened(damaged, mode) }
        guard case .damaged(segment, _, .batch) = error else {
          Issue.record("byte \(byte): \(String(describing: error))")
          continue
        }
      } else if byte >= ends[3] {
        #expect(try reopened(damaged, mode).report.tornTail != nil, "byte \(byte)")
      }
    }
  }

  @Test("a sync that fails is repaired without a word: what was shown is written again")
  func failedSync() throws {
    for length in [1, 4, 30] {
      let storage = VirtualStorage()
      let rig = try PipelineRig(storage, mode: mode)
      try rig.create("a")
      rig.work(after: 250)
      try rig.say(in: "a")
      try rig.say(in: "a")
      rig.work()
      var left = length
      storage.fault = { operation, _ in
        guard [.sync, .syncDirectory, .rename].contains(operation), left > 0 else { return nil }
        left -= 1
        return 5
      }
      rig.work(after: 250)
      rig.workUntilHealed()
      for _ in 0..<3 {
        try rig.say(in: "a")
        rig.work()
      }
      rig.work(after: 250)
      #expect(rig.failures == (length == 1 ? 0 : 2), "\(length) failures")
      #expect(rig.fates.values.allSatisfy { $0 == .acknowledged })
      var generator = SeededGenerator(UInt64(length))
      #expect(try rig.contradiction(on: storage.afterPowerLoss(using: &generator)) == nil)
      #expect(try rig.contradiction(on: storage.afterKill()) == nil)
    }
  }

  @Test("whatever fails, what was acknowledged is there after a kill, and what was rejected never")
  func randomFaults() throws {
    for seed: UInt64 in 0..<150 {
      let storage = VirtualStorage()
      var faults = SeededGenerator(seed &+ 1_000_000)
      let rig = try PipelineRig(storage, seed: seed + 1, mode: mode) { $0.snapshotBytes = 1200 }
      storage.tornShare = Int(seed * 37 % 257)
      storage.fault = { operation, _ in
        [.list, .size, .read].contains(operation) || Int.random(in: 0..<9, using: &faults) != 0 ? nil : 5
      }
      for session in ["a", "b", "c"] { try rig.create(session) }
      for step in 0..<60 {
        for session in ["a", "b", "c"] { try rig.say(in: session) }
        rig.work(after: Int64(step % 7) * 30)
      }
      let contradiction = try rig.contradiction(on: storage.afterKill())
      #expect(contradiction == nil, "seed \(seed)")
      storage.fault = nil
      rig.workUntilHealed()
      rig.work(after: 300)
      var generator = SeededGenerator(seed)
      #expect(try rig.contradiction(on: storage.afterPowerLoss(using: &generator)) == nil, "seed \(seed)")
      #expect(try rig.memoryEqualsDisk(), "seed \(seed)")
    }
  }

  @Test("a journal can go from strict to relaxed and back")
  func changes() throws {
    let storage = VirtualStorage()
    var seed: UInt64 = 1
    var said = 0
    for mode in [JournalMode(), mode, mode, JournalMode(), JournalMode(), nextBoot] {
      seed += 1
      let rig = try PipelineRig(storage, seed: seed, mode: mode)
      if said == 0 { try rig.create("a") }
      let before = try PipelineRig.chat(of: #require(rig.loops.compactMap { $0.rooms["a"] }.first)).count
      #expect(before == said)
      try rig.say(in: "a")
      rig.work()
      said += 1
    }
    #expect(
      try reopened(storage.afterKill(), JournalMode()).state.classrooms["a"]?.chat.page(
        before: nil, limit: .max, textBytes: .max
      ).messages.count == said)
  }
}
