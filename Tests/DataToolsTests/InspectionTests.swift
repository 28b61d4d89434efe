import Classroom
import Persistence
import Testing

@testable import DataTools

@Suite("Inspecting a data folder")
struct InspectionTests {
  /// Two sessions, two snapshots, and records after them.
  private func school() throws -> (storage: VirtualStorage, classrooms: [String: Classroom]) {
    let storage = VirtualStorage()
    var school = try School(storage, history: VirtualStorage())
    try school.open("algebra")
    try school.say("algebra", "ada", "hello\u{1B}[2J", key: "k1")
    try school.snapshot()
    try school.say("algebra", "ben", "hi")
    try school.open("music", title: "Music \u{202E}", host: "clara")
    try school.snapshot()
    try school.say("algebra", "ada", "bye")
    try school.tell(
      "algebra", .leave(at: .after(5000), isEstimated: true), Actor(user: "ada", name: "Ada", role: .participant))
    try school.tell("music", .end, Actor(user: "clara", name: "Clara", role: .host))
    return (storage, school.classrooms)
  }

  private func inspect(_ storage: VirtualStorage, isInUse: Bool = false) throws -> FolderInspection {
    try FolderInspection(storage, history: nil, isInUse: isInUse)
  }

  @Test("it finds the state that a server would start with, and changes nothing")
  func state() throws {
    let (storage, classrooms) = try school()
    let (files, operations) = (storage.files, storage.operations)
    let inspection = try inspect(storage)
    #expect(inspection.classrooms == classrooms)
    #expect(inspection.problems.isEmpty && inspection.failure == nil && !inspection.isMoving)
    #expect(storage.files == files && storage.operations == operations)
  }

  @Test("a history folder that cannot be listed is a problem, not an empty one")
  func unreadableHistory() throws {
    let (storage, _) = try school()
    let history = VirtualStorage()
    history.fault = { operation, _ in operation == .list ? 5 : nil }
    let inspection = try FolderInspection(storage, history: history, isInUse: false)
    #expect(inspection.historyProblems == [.storage(StorageError(.list, file: "", code: 5))])
    #expect(!inspection.problems.isEmpty)
  }

  @Test("segments and snapshots are described as they are")
  func files() throws {
    let (storage, _) = try school()
    let inspection = try inspect(storage)
    let segments = try inspection.segments.map { try $0.survey.get() }
    #expect(inspection.snapshots.count == 2)
    for (segment, next) in zip(segments, segments.dropFirst()) {
      #expect(next.firstLSN == segment.lastLSN + 1)
      #expect(segment.end == segment.bytes && segment.batches > 1 && segment.records >= UInt64(segment.batches))
    }
    #expect(segments.last?.lastLSN == inspection.contents?.lastLSN)
    let total = storage.files.filter { FolderFile($0.key) != .format }.reduce(0) { $0 + UInt64($1.value.count) }
    #expect(inspection.bytes == total)
  }

  @Test("the summary names every session with its figures, and escapes what users wrote")
  func summary() throws {
    let (storage, _) = try school()
    let text = InspectionText.summary(try inspect(storage), path: "/data").joined(separator: "\n")
    #expect(text.contains("algebra  ongoing         3        2"))
    #expect(text.contains("music    completed       1        0"))
    #expect(text.contains("Music \\u{202E}"))
    #expect(text.contains("free: no server runs on this folder"))
    #expect(!text.unicodeScalars.contains { $0.value == 0x1B || $0.value == 0x202E })
  }

  @Test("the history of a session is the same before and after a snapshot has taken its records")
  func timeline() throws {
    let storage = VirtualStorage()
    var school = try School(storage, history: VirtualStorage())
    try school.open("algebra")
    try school.say("algebra", "ada", "one\u{7}")
    try school.say("algebra", "ben", "two")
    let before = try #require(try inspect(storage).classrooms["algebra"])
    try school.snapshot()
    try school.snapshot()
    try school.say("algebra", "ben", "three")
    let after = try #require(try inspect(storage).classrooms["algebra"])
    let lines = InspectionText.history(of: before, now: .after(9000)).prefix { !$0.hasPrefix("attendance") }
    #expect(lines.contains("2026-01-01T00:00:00.000Z  created"))
    #expect(lines.contains("2026-01-01T00:00:01.000Z  started by emmy"))
    #expect(lines.contains("2026-01-01T00:00:01.000Z  Emmy (emmy) joined as host"))
    #expect(lines.contains("2026-01-01T00:00:03.000Z  Ada (ada): \"one\\u{7}\""))
    let moments = Timeline(of: before).moments
    #expect(Array(Timeline(of: after).moments.prefix(moments.count)) == moments)
    #expect(Timeline(of: after).moments.count == moments.count + 1)
  }

  @Test("records are listed in order, within the range, as far as the journal has them")
  func records() throws {
    let (storage, _) = try school()
    func list(_ range: ClosedRange<UInt64>, asJSON: Bool = false) throws -> [String] {
      var lines: [String] = []
      try RecordListing.list(storage, in: range, asJSON: asJSON) { lines.append($0) }
      return lines
    }
    let all = try list(1...UInt64.max)
    let first = try #require(try inspect(storage).segments.first?.survey.get().firstLSN)
    #expect(first > 1, "the first segment has gone")
    #expect(all.map { $0.prefix { $0 != " " } } == (first..<first + UInt64(all.count)).map { "\($0)" })
    #expect(try list(first + 2...first + 3) == Array(all[2...3]))
    #expect(all.last?.contains("music#") == true && all.last?.contains("statusChanged") == true)
    let json = try list(first...first, asJSON: true)
    #expect(json.count == 1 && json[0].hasPrefix("{\"type\":\"record\",\"lsn\":\(first),\"session\":\"algebra\""))
    #expect(!all.joined().unicodeScalars.contains { $0.value == 0x1B })
  }

  @Test("records are listed on when the server removes a segment meanwhile")
  func recordsMoving() throws {
    let storage = VirtualStorage()
    let watched = WatchedStorage(storage)
    var school = try School(storage, history: VirtualStorage())
    try school.open("algebra")
    try school.snapshot()
    try school.say("algebra", "ada", "one")
    try school.snapshot()
    try school.say("algebra", "ada", "two")
    let box = Box(school)
    var isDue = true
    watched.before = { operation, name in
      guard isDue, operation == .open, name.hasPrefix("journal") else { return }
      isDue = false
      for _ in 1...2 {
        try? box.value.say("algebra", "ada", "more")
        try? box.value.snapshot()
      }
    }
    var lines: [String] = []
    try RecordListing.list(watched, in: 1...UInt64.max, asJSON: false) { lines.append($0) }
    let numbers = lines.compactMap { UInt64($0.prefix { $0 != " " }) }
    #expect(!isDue && numbers.last == box.value.writer.nextLSN - 1)
    #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 + 1 == $1 })
  }

  @Test("damage anywhere is found, with its file, and a healthy folder has none")
  func damage() throws {
    let (storage, _) = try school()
    for (name, bytes) in storage.files where ![.format, .lock].contains(FolderFile(name)) {
      let isLast = name == storage.files.keys.filter { $0.hasPrefix("journal") }.max()
      for index in stride(from: 0, to: bytes.count, by: 7) {
        var files = storage.files
        files[name]?[index] ^= 0x10
        let inspection = try inspect(VirtualStorage(files))
        // In the last batch of all it looks like a crash, which nobody can tell apart.
        let isTorn = isLast && inspection.tornBytes > 0
        let file = inspection.problems.first?.place?.file
        #expect(
          isTorn || file == name || inspection.problems.contains { "\($0)".contains(name) }, "\(name) at \(index)")
      }
    }
  }

  @Test("the unfinished end of a segment is called torn when nobody writes, and unfinished when a server does")
  func tornTail() throws {
    let (storage, classrooms) = try school()
    var files = storage.files
    let last = try #require(files.keys.filter { $0.hasPrefix("journal") }.max())
    files[last]?.append(contentsOf: [1, 2, 3])
    let torn = try inspect(VirtualStorage(files))
    #expect(torn.problems.isEmpty && torn.tornBytes == 3 && torn.classrooms == classrooms)
    #expect(InspectionText.summary(torn, path: "").contains { $0.hasPrefix("torn tail     3 B at the end of \(last)") })
    let growing = try inspect(VirtualStorage(files), isInUse: true)
    #expect(InspectionText.summary(growing, path: "").contains { $0.hasPrefix("unfinished    3 B at the end of") })
  }

  @Test("a folder that a server changes meanwhile is read again until it holds still")
  func moving() throws {
    let storage = VirtualStorage()
    var school = try School(storage, history: VirtualStorage())
    try school.open("algebra")
    try school.say("algebra", "ada", "one")
    try school.snapshot()
    try school.say("algebra", "ada", "two")
    let watched = WatchedStorage(storage)
    // In the middle of each of the first readings the server takes a snapshot and removes what it does not need.
    let box = Box(school)
    var snapshots = 0
    watched.before = { operation, name in
      guard operation == .read, name.hasPrefix("journal"), snapshots < 2 else { return }
      snapshots += 1
      try? box.value.say("algebra", "ada", "more")
      try? box.value.snapshot()
    }
    let inspection = try FolderInspection(watched, history: nil, isInUse: true)
    #expect(snapshots == 2)
    #expect(inspection.problems.isEmpty && !inspection.isMoving)
    #expect(inspection.classrooms == box.value.classrooms)
  }

  @Test("a session in the history is found like any other, and its file is missed when it is gone")
  func history() throws {
    let (storage, history) = (VirtualStorage(), VirtualStorage())
    var school = try School(storage, history: history)
    try school.open("algebra")
    try school.say("algebra", "ada", "hello")
    try school.tell("algebra", .end, Actor(user: "emmy", name: "Emmy", role: .host))
    try school.archive("algebra")
    for _ in 1...2 { try school.snapshot() }
    let inspection = try FolderInspection(storage, history: history, isInUse: false)
    #expect(inspection.classrooms == school.classrooms && inspection.archived == ["algebra"])
    #expect(inspection.problems.isEmpty && inspection.historyFiles == ["algebra"])
    let missing = try FolderInspection(storage, history: VirtualStorage(), isInUse: false)
    #expect(missing.missingHistory == ["algebra"] && missing.classrooms.isEmpty)
    #expect(InspectionText.verdict(missing).contains { $0.hasPrefix("session algebra has no history file") })
    let name = try #require(history.files.keys.first)
    for index in stride(from: 0, to: history.files[name]?.count ?? 0, by: 11) {
      var files = history.files
      files[name]?[index] ^= 1
      let damaged = try FolderInspection(storage, history: VirtualStorage(files), isInUse: false)
      #expect(damaged.problems.first?.place?.file == name, "at \(index)")
    }
  }

  @Test("a folder of a newer format is refused, and so is one without its format file")
  func format() throws {
    #expect(throws: FolderFormat.Failure.newer(version: 9, supported: FolderFormat.currentVersion)) {
      try inspect(VirtualStorage(["format": Array("rollcall-data 9\n".utf8)]))
    }
    var files = try school().storage.files
    files["format"] = nil
    #expect(throws: FolderFormat.Failure.missing) { try inspect(VirtualStorage(files)) }
    #expect(try inspect(VirtualStorage()).format == nil)
  }
}
