import Classroom
import JSON

@testable import Persistence

/// A small data folder with every kind of record in its journal and every kind of entry in its snapshot.
struct FolderSample {
  private(set) var classrooms: [String: Classroom] = [:]
  /// Without those that were deleted.
  var kept: [Classroom] { classrooms.values.filter { !$0.isDeleted } }
  private(set) var records: [PendingRecord] = []
  private(set) var now = FolderSample.time(0)

  static let beginning: Int64 = 1_767_225_600_000
  private static func time(_ seconds: Int64) -> Timestamp { Timestamp(milliseconds: beginning + seconds * 1000) }

  private static let emmy = Actor(user: "emmy", name: "Emmy \"N.\"", role: .host)
  private static let ada = Actor(user: "ada", name: "Ada", role: .participant)
  private static let bo = Actor(user: "bo", name: "Bo", role: .cohost)
  private static let cy = Actor(user: "cy", name: "Cy", role: .participant)

  private mutating func pass(_ seconds: Int64) { now = now.advanced(byMilliseconds: seconds * 1000) }

  private mutating func record(_ events: [RecordedEvent]) {
    for event in events {
      var writer = JSONWriter()
      let kind = EventCodec.encode(event, into: &writer)
      records.append(
        PendingRecord(
          session: event.session, sequence: event.sequence, kind: kind.rawValue, payload: writer.bytes))
    }
  }

  private mutating func create(_ id: String, key: String?, _ change: (inout SessionDraft) -> Void) throws {
    var draft = SessionDraft(title: "Lesson of \(id)")
    draft.timeZone = "Europe/Berlin"
    change(&draft)
    let details = try draft.validated(id: id, roomName: "\(id)_room", host: "emmy", at: now)
    let creation = Classroom.creation(details, epoch: "e-\(id)", by: "emmy", keyUse: key.map(draft.keyUse))
    classrooms[id] = Classroom(creation)
    record([creation])
  }

  private mutating func run(_ session: String, _ command: Command, by actor: Actor, key: String? = nil) throws {
    pass(7)
    let time = now
    guard let outcome = try classrooms[session]?.handle(command, by: actor, key: key, at: time) else { return }
    record(outcome.events)
  }

  private mutating func changeEpoch(of session: String) {
    let time = now
    if let event = classrooms[session]?.changeEpoch(to: "e-\(session)-2", at: time) { record([event]) }
  }

  private mutating func erase(_ user: String, in session: String) {
    let time = now
    if let event = classrooms[session]?.erase(user, as: "erased-\(user.count)", at: time) ?? nil { record([event]) }
  }

  /// What happens before the snapshot.
  mutating func first() throws {
    try create("drawing", key: nil) { $0.kind = .inPerson }
    try run("drawing", .start, by: Self.emmy)
    try run("drawing", .sendChat(text: "Only this"), by: Self.emmy)
    try run("drawing", .end, by: Self.emmy)
    try create("algebra", key: "create-1") { draft in
      draft.description = "Groups, \u{1D53D}ields\nand \u{0} more"
      draft.instructor = "Emmy \"N.\""
      draft.admission = .open
      draft.allowsGuests = true
    }
    try create("biology", key: nil) { draft in
      draft.kind = .audio
      draft.capacity = 3
      draft.admission = .registered
      draft.visibility = .members
      draft.durationMinutes = 1440
    }
    let tomorrow = now.advanced(byMilliseconds: 86_400_000)
    try create("chemistry", key: nil) { $0.scheduledAt = tomorrow }
    try run("algebra", .start, by: Self.emmy, key: "start-1")
    try run("biology", .start, by: Self.emmy)
    for actor in [Self.ada, Self.bo, Self.cy] { try run("algebra", .join, by: actor) }
    try run("biology", .join, by: Self.bo)
    try run("biology", .lose(since: now, isEstimated: true), by: Self.bo)
    try run(
      "algebra", .sendChat(text: "Is this right? \"yes\" \u{1F9D1}\u{200D}\u{1F3EB}\r\n"), by: Self.ada, key: "k1")
    try run("algebra", .sendChat(text: "Mine"), by: Self.cy, key: "c1")
    pass(11 * 60)
    try run("algebra", .sendChat(text: "Later"), by: Self.ada, key: "k2")
    try run("algebra", .lose(since: now, isEstimated: false), by: Self.bo)
    try run("algebra", .join, by: Self.bo)
    changeEpoch(of: "algebra")
    erase("cy", in: "algebra")
    try everything()
    records.append(AliveRecord.make(at: now, isGoodbye: false))
  }

  /// Sessions in which everything happens that format 3 has records for.
  private mutating func everything() throws {
    let lesson = try EveryKindTests.lesson(id: "everything")
    let busy = try EveryKindTests.lesson(id: "busy")
    let forgotten = try EveryKindTests.forgotten()
    var lives = [(lesson.events, lesson.final), (busy.events.filter { $0.sequence <= busy.busy.sequence }, busy.busy)]
    lives.append(forgotten)
    lives += try EveryKindTests.bookings().map { ($0.events, $0.final) }
    for (events, final) in lives {
      record(events)
      classrooms[final.id] = final
    }
    try create("lobby", key: nil) { $0.hasWaitingRoom = true }
    try run("lobby", .wait(isApproved: true), by: Self.ada)
    now = max(now, lives.flatMap { $0.0.map(\.at) }.max() ?? now)
  }

  /// What happens after it.
  mutating func second() throws {
    records = []
    try run("algebra", .sendChat(text: "After the snapshot"), by: Self.emmy, key: "e1")
    try run("algebra", .leave(at: now, isEstimated: true), by: Self.ada)
    try run("algebra", .join, by: Self.ada)
    changeEpoch(of: "biology")
    try run("biology", .join, by: Self.ada)
    try run("biology", .sendChat(text: "To be forgotten"), by: Self.ada, key: "b1")
    erase("ada", in: "biology")
    try run("algebra", .end, by: Self.emmy, key: "end-1")
    try create("dancing", key: nil) { _ in }
    records.append(AliveRecord.make(at: now, isGoodbye: true))
  }

  /// Writes the folder as a server would: its journal, a snapshot within it, and the history.
  static func write<S: Storage>(to storage: S, history: S) throws -> FolderSample {
    var sample = FolderSample()
    var ids = SegmentIDs(2)
    var nobody = Collector()
    try FolderFormat.ensure(storage)
    var writer = try Recovery.open(
      storage, segmentID: ids.next(), now: beginning, clock: { 0 }, into: &nobody
    ).takeWriter()
    try sample.first()
    let covered = try writer.append(sample.records).upperBound
    try writer.rotate(segmentID: ids.next(), now: sample.now.milliseconds)
    var job = try SnapshotJob(storage, coveredLSN: covered, at: sample.now)
    for classroom in sample.classrooms.values.sorted(by: { $0.id < $1.id }) {
      guard classroom.id == "drawing" else {
        try job.add(.classroom(classroom))
        continue
      }
      try HistoryStore(history).write(classroom, at: sample.now)
      try job.add(.archived(ArchivedSession(view: classroom.archiveView, sequence: classroom.sequence)))
    }
    _ = try job.finish()
    try sample.second()
    for record in sample.records { _ = try writer.append([record]) }
    return sample
  }
}
