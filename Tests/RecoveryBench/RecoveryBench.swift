import Classroom
import Glibc
import JSON
import Persistence

/// How long a server takes to read its data folder at the start: `recovery-bench FOLDER [RECORDS [PEOPLE [SNAPSHOT]]]`; and to
/// make the attendance report of one class: `recovery-bench report [PEOPLE]`.
///
/// Makes the folder when it is not there: one class with so many people who come, speak, go and come back, in the journal of
/// a server that had no time for a snapshot, or that took one after so many records. Then it reads the folder as a start does, and prints the times.
@main
struct RecoveryBench {
  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count > 1 else {
      print("recovery-bench FOLDER [RECORDS [PEOPLE [SNAPSHOT]]]\nrecovery-bench report [PEOPLE]")
      exit(2)
    }
    if arguments[1] == "report" {
      return try ReportBench.run(people: arguments.count > 2 ? Int(arguments[2]) ?? 5000 : 5000)
    }
    let path = arguments[1]
    let records = arguments.count > 2 ? Int(arguments[2]) ?? 1_000_000 : 1_000_000
    let people = arguments.count > 3 ? Int(arguments[3]) ?? 10_000 : 10_000
    if access(path + "/format", F_OK) != 0 {
      let snapshot = arguments.count > 4 ? Int(arguments[4]) ?? .max : .max
      try generate(DataFolder(path: path), records: records, people: people, snapshotAfter: snapshot)
    }
    for round in 1...3 { try measure(path, round: round) }
  }

  private static func nanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  private static func measure(_ path: String, round: Int) throws {
    let start = nanoseconds()
    let folder = try DataFolder(path: path)
    let history = HistoryStore(folder.history)
    var state = RecoveredState(history: history)
    let opened = try Recovery.openConcurrently(
      folder.storage, segmentID: SegmentID(1, UInt64(round)), now: 0, clock: nanoseconds, into: &state)
    let report = opened.report
    let taken = nanoseconds() - start
    let rows = state.classrooms.values.reduce(0) { $0 + $1.attendance.rows.count }
    print(
      """
      read \(report.recordsRead) records, snapshot of \(report.snapshot?.entries ?? 0) entries: \
      \(taken / 1_000_000) ms, \(state.classrooms.count) sessions, \(rows) people
      """)
  }

  private static func generate(_ folder: DataFolder, records: Int, people: Int, snapshotAfter: Int) throws {
    var generator = Numbers(state: 42)
    var state = RecoveredState<FileStorage>()
    var writer = try Recovery.open(
      folder.storage, segmentID: SegmentID(using: &generator), now: 0, clock: nanoseconds, into: &state
    ).takeWriter()
    var now = Timestamp(milliseconds: 1_767_225_600_000)
    let host = Actor(user: "teacher-1", name: "Ada Teacher", role: .host)
    let details = try SessionDraft(title: "Algebra").validated(id: "algebra", roomName: "r", host: host.user, at: now)
    let creation = Classroom.creation(details, epoch: "e1", by: host.user)
    guard var room = Classroom(creation) else { return }
    var events = [creation] + (try room.handle(.start, by: host, at: now)).events
    var written = 0
    var json = JSONWriter(reserving: 512)
    let actors = (0..<people).map { number in
      Actor(user: "student-\(number)", name: "Student Number \(number)", role: .participant)
    }
    for actor in actors { events += try room.handle(.join, by: actor, at: now).events }
    let words = ["so", "the", "answer", "is", "x", "squared", "minus", "two", "because", "of", "symmetry", "right?"]
    while written < records {
      while events.count < 4096 {
        now = now.advanced(byMilliseconds: 3)
        let actor = actors[Int.random(in: 0..<people, using: &generator)]
        switch Int.random(in: 0..<10, using: &generator) {
        case 0: events += try room.handle(.lose(since: now, isEstimated: false), by: actor, at: now).events
        case 1: events += try room.handle(.leave(at: now, isEstimated: false), by: actor, at: now).events
        case 2, 3: events += try room.handle(.join, by: actor, at: now).events
        default:
          guard room.attendance[actor.user]?.isActive == true else { continue }
          let text = (0..<8).map { _ in words[Int.random(in: 0..<words.count, using: &generator)] }
          events += try room.handle(
            .sendChat(text: text.joined(separator: " ")), by: actor, key: "k\(written + events.count)", at: now
          )
          .events
        }
      }
      let batch = events.prefix(records - written).map { event in
        json.removeAll()
        let kind = EventCodec.encode(event, into: &json)
        return PendingRecord(session: event.session, sequence: event.sequence, kind: kind.rawValue, payload: json.bytes)
      }
      _ = try writer.append(batch)
      if written < snapshotAfter, written + batch.count >= snapshotAfter {
        var job = try SnapshotJob(folder.storage, coveredLSN: writer.durableLSN, at: now)
        try job.add(.classroom(room))
        _ = try job.finish()
      }
      written += batch.count
      events.removeAll()
    }
    print("made \(written) records")
  }

  /// A generator with a seed, so that every folder is the same.
  private struct Numbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state ^ state >> 29
    }
  }
}
