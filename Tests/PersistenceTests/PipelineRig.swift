import Classroom
import JSON

@testable import Persistence

/// Loops, snapshots and a virtual disk around a pipeline: what a server does with it, in one thread and by the test's clock.
final class PipelineRig {
  /// What became of a message that somebody sent.
  enum Fate {
    case pending
    case acknowledged
    case rejected
    case unknown
  }

  /// The part of a loop that the journal knows.
  struct Loop {
    var rooms: [String: Classroom] = [:]
    var incarnation: UInt64 = 0
    var position: UInt64 = 0
    var hasFailed = false
    /// The messages in records that are not synced, with their positions and sessions.
    var unsynced: [(position: UInt64, session: String, text: String)] = []
  }

  let storage: VirtualStorage
  let history: VirtualStorage
  private(set) var pipeline: JournalPipeline<VirtualStorage>
  private var job: SnapshotJob<VirtualStorage>?
  private(set) var loops: [Loop]
  private(set) var fates: [String: Fate] = [:]
  private(set) var now = Timestamp(milliseconds: 1_767_225_600_000)
  private(set) var failures = 0
  private(set) var healings = 0
  private(set) var snapshots = 0
  private(set) var reports: [String] = []
  private var messages = 0

  /// Whether a loop still waits for the disk.
  var hasFailed: Bool { loops.contains(where: \.hasFailed) }

  private let host = Actor(user: "host", name: "Host", role: .host)

  init(
    _ storage: VirtualStorage = VirtualStorage(), history: VirtualStorage = VirtualStorage(), loops count: Int = 2,
    seed: UInt64 = 1, mode: JournalMode = JournalMode(), configure: (inout JournalSettings) -> Void = { _ in }
  ) throws {
    (self.storage, self.history) = (storage, history)
    let store = HistoryStore(history)
    var state = RecoveredState(history: store)
    var ids = SeededGenerator(seed)
    let opened = try Recovery.open(
      storage, segmentID: SegmentID(using: &ids), now: 0, clock: { 0 }, mode: mode, into: &state)
    var settings = JournalSettings(loops: count)
    configure(&settings)
    pipeline = JournalPipeline(
      opened.takeWriter(), storage: storage, history: store, settings: settings, random: ids, clock: { 0 }, at: now)
    loops = (0..<count).map { _ in Loop() }
    for (session, classroom) in state.classrooms { loops[Self.loop(of: session, count)].rooms[session] = classroom }
    try pipeline.begin(at: now, lastAlive: state.lastAlive)
  }

  private static func loop(of session: String, _ count: Int) -> Int { Int(session.utf8.last ?? 0) % count }

  private func record(_ events: [RecordedEvent]) -> [PendingRecord] {
    events.map { event in
      var writer = JSONWriter(reserving: 128)
      let kind = EventCodec.encode(event, into: &writer)
      return PendingRecord(
        session: event.session, sequence: event.sequence, kind: kind.rawValue, payload: writer.bytes)
    }
  }

  /// A loop appends what happened in a session.
  private func append(_ events: [RecordedEvent], of session: String, text: String) {
    let index = Self.loop(of: session, loops.count)
    loops[index].position += UInt64(events.count)
    loops[index].unsynced.append((loops[index].position, session, text))
    fates[text] = .pending
    pipeline.append(
      loop: index, incarnation: loops[index].incarnation, through: loops[index].position, records: record(events))
  }

  /// Makes a session and starts it.
  func create(_ session: String) throws {
    let details = try SessionDraft(title: "T").validated(id: session, roomName: "r", host: "host", at: now)
    let creation = Classroom.creation(details, epoch: "e", by: "host")
    guard var room = Classroom(creation) else { return }
    let outcome = try room.handle(.start, by: host, at: now)
    let index = Self.loop(of: session, loops.count)
    guard !loops[index].hasFailed, loops[index].rooms[session] == nil else { return }
    loops[index].rooms[session] = room
    append([creation] + outcome.events, of: session, text: "created \(session)")
  }

  /// Somebody says something new.
  func say(in session: String, bytes: Int = 0) throws {
    let index = Self.loop(of: session, loops.count)
    guard !loops[index].hasFailed, loops[index].rooms[session] != nil else { return }
    messages += 1
    let text = "m\(messages)" + String(repeating: "x", count: bytes)
    guard let outcome = try loops[index].rooms[session]?.handle(.sendChat(text: text), by: host, at: now) else {
      return
    }
    append(outcome.events, of: session, text: text)
  }

  /// Time goes by, and the journal works.
  func work(after milliseconds: Int64 = 1, hasPeople: Bool = false) {
    now = now.advanced(byMilliseconds: milliseconds)
    pipeline.work(at: now, hasPeople: hasPeople)
    passNotices()
  }

  /// Works until nothing has failed any more.
  func workUntilHealed(limit: Int = 200) {
    var rounds = 0
    while hasFailed, rounds < limit {
      rounds += 1
      work(after: max(1, pipeline.nextDeadline.milliseconds(since: now)))
    }
  }

  private func passNotices() {
    var notices = pipeline.takeNotices()
    while !notices.isEmpty {
      for notice in notices { pass(notice) }
      notices = pipeline.takeNotices()
    }
  }

  private func pass(_ notice: JournalNotice) {
    switch notice {
    case .synced(let loop, let position):
      for entry in loops[loop].unsynced where entry.position <= position { fates[entry.text] = .acknowledged }
      loops[loop].unsynced.removeAll { $0.position <= position }
    case .failed(let loop, let incarnation, let isCertain):
      failures += 1
      for entry in loops[loop].unsynced { fates[entry.text] = isCertain ? .rejected : .unknown }
      loops[loop].hasFailed = true
      loops[loop].incarnation = incarnation
      let frozen = Set(loops[loop].unsynced.map(\.session)).sorted()
      loops[loop].unsynced = []
      pipeline.freeze(loop: loop, incarnation: incarnation, sessions: frozen)
      for session in frozen { loops[loop].rooms[session] = nil }
    case .healed(let loop, let incarnation, let classrooms):
      healings += 1
      precondition(incarnation == loops[loop].incarnation, "an answer to another failure")
      loops[loop].hasFailed = false
      loops[loop].rooms.merge(classrooms) { $1 }
    case .beginSnapshot(let round, let coveredLSN, let time):
      job = try? SnapshotJob(storage, coveredLSN: coveredLSN, at: time)
      guard job != nil else { return pipeline.snapshotFinished(succeeded: false, removable: nil, at: now) }
      for loop in loops {
        pipeline.addSnapshotPart(
          incarnation: loop.incarnation, round: round,
          rooms: loop.rooms.values.sorted { $0.id < $1.id }.map(SnapshotRoom.classroom), isLast: true)
      }
    case .addToSnapshot(let rooms):
      do {
        for room in rooms { try job?.add(room) }
      } catch {
        job.take()?.discard()
      }
    case .finishSnapshot:
      var removable: UInt64?
      var succeeded = false
      if let job = job.take() {
        do {
          removable = try job.finish()
          succeeded = true
          snapshots += 1
        } catch {}
      }
      pipeline.snapshotFinished(succeeded: succeeded, removable: removable, at: now)
    case .abandonSnapshot:
      job.take()?.discard()
      pipeline.snapshotFinished(succeeded: false, removable: nil, at: now)
    case .report(_, let sentence): reports.append(sentence)
    }
  }

  /// Says good-bye.
  func end() -> Bool {
    let isSafe = pipeline.end(at: now)
    passNotices()
    return isSafe
  }

  /// What contradicts the promises on this disk; nil when nothing does.
  func contradiction(on disk: VirtualStorage, mayLose: Bool = false) throws -> String? {
    var state = RecoveredState(history: HistoryStore(history))
    var ids = SeededGenerator(4711)
    _ = try Recovery.open(disk, segmentID: SegmentID(using: &ids), now: 0, clock: { 0 }, into: &state)
    var seen: [String: Int] = [:]
    for classroom in state.classrooms.values {
      seen["created \(classroom.id)"] = 1
      for message in Self.chat(of: classroom) { seen[message, default: 0] += 1 }
    }
    for (text, fate) in fates.sorted(by: { $0.key < $1.key }) {
      let count = seen[text] ?? 0
      switch fate {
      case .acknowledged where count != 1 && !(mayLose && count == 0):
        return "\(text) was acknowledged, and is there \(count) times"
      case .rejected where count != 0: return "\(text) was rejected, and is there"
      default: if count > 1 { return "\(text) is there \(count) times" }
      }
    }
    return nil
  }

  /// Whether every room in memory is what the disk has.
  func memoryEqualsDisk() throws -> Bool {
    var state = RecoveredState(history: HistoryStore(history))
    var ids = SeededGenerator(4711)
    _ = try Recovery.open(storage.afterKill(), segmentID: SegmentID(using: &ids), now: 0, clock: { 0 }, into: &state)
    let memory = loops.reduce(into: [String: Classroom]()) { $0.merge($1.rooms) { $1 } }
    return memory == state.classrooms
  }

  /// The texts of a session's chat.
  static func chat(of classroom: Classroom) -> [String] {
    classroom.chat.page(before: nil, limit: .max, textBytes: .max).messages.map(\.text)
  }
}
