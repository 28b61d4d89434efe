import Classroom
import JSON
import Testing

@testable import Persistence

@Suite("Recovery with two threads")
struct ConcurrentRecoveryTests {
  private func read(
    _ storage: VirtualStorage, concurrently: Bool
  ) throws(RecoveryError) -> (RecoveredState<VirtualStorage>, RecoveryReport) {
    var state = RecoveredState<VirtualStorage>()
    let opened =
      concurrently
      ? try Recovery.openConcurrently(
        storage.afterKill(), segmentID: SegmentID(8, 8), now: 0, clock: { 0 }, into: &state)
      : try Recovery.open(storage.afterKill(), segmentID: SegmentID(8, 8), now: 0, clock: { 0 }, into: &state)
    let report = opened.report
    return (state, report)
  }

  @Test("finds what one thread finds, with and without a snapshot", arguments: [200, 1_000_000])
  func same(snapshotBytes: Int) throws {
    let storage = VirtualStorage()
    let rig = try PipelineRig(storage) { $0.snapshotBytes = snapshotBytes }
    for session in ["a", "b", "c"] { try rig.create(session) }
    for round in 0..<40 {
      for _ in 0..<20 { for session in ["a", "b", "c"] { try rig.say(in: session) } }
      rig.work(after: 1100, hasPeople: round % 2 == 0)
    }
    #expect(rig.snapshots > 0 || snapshotBytes > 200)
    let (one, oneReport) = try read(storage, concurrently: false)
    let (two, twoReport) = try read(storage, concurrently: true)
    #expect(one.classrooms == two.classrooms && one.classrooms.count == 3)
    #expect(one.lastTime == two.lastTime && one.lastAlive == two.lastAlive && one.endedCleanly == two.endedCleanly)
    #expect(oneReport.recordsRead == twoReport.recordsRead && oneReport.snapshot == twoReport.snapshot)
    let (texts, chat) = (
      rig.fates.keys.filter { $0.hasPrefix("m") }.count, two.classrooms.values.map(PipelineRig.chat).joined()
    )
    #expect(chat.count == texts)
  }

  @Test("what cannot be read is named with its place, and nothing is written", arguments: [0, 1, 700, 2000])
  func unreadable(position: Int) throws {
    let storage = VirtualStorage()
    var collector = Collector()
    var writer = try open(storage, into: &collector).takeWriter()
    let good = AliveRecord.make(at: Timestamp(milliseconds: 1), isGoodbye: false)
    // It decodes, and does not follow in its session.
    let event = RecordedEvent(
      session: "a", sequence: 7, at: Timestamp(milliseconds: 1), by: nil, keyUse: nil, event: .returned(user: "u"))
    var json = JSONWriter(reserving: 64)
    let kind = EventCodec.encode(event, into: &json)
    let bad = PendingRecord(session: "a", sequence: 7, kind: kind.rawValue, payload: json.bytes)
    var records = [PendingRecord](repeating: good, count: 2001)
    records[position] = bad
    _ = try writer.append(records)
    var places: [RecoveryError] = []
    for concurrently in [false, true] {
      do throws(RecoveryError) { _ = try read(storage, concurrently: concurrently) } catch { places.append(error) }
    }
    #expect(places.count == 2 && places.first == places.last)
    guard case .unreadablePayload(_, let offset, _) = places.first else {
      Issue.record("\(places)")
      return
    }
    let size = good.encodedSize
    #expect(offset == UInt64(SegmentHeader.size + BatchHeader.size(.strict) + position * size))
  }

  @Test("a folder that is damaged is refused as by one thread")
  func damaged() throws {
    let storage = VirtualStorage()
    let rig = try PipelineRig(storage)
    try rig.create("a")
    for _ in 0..<5 {
      try rig.say(in: "a")
      rig.work()
    }
    var files = storage.files
    let segment = try #require(files.keys.first { $0.hasPrefix("journal") })
    files[segment]?[SegmentHeader.size + 50] ^= 1
    let damaged = VirtualStorage(files)
    var errors: [RecoveryError] = []
    for concurrently in [false, true] {
      do throws(RecoveryError) { _ = try read(damaged, concurrently: concurrently) } catch { errors.append(error) }
    }
    #expect(errors.count == 2 && errors.first == errors.last)
  }
}
