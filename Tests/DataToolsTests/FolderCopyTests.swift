import Classroom
import Persistence
import Testing

@testable import DataTools

@Suite("Copying a data folder")
struct FolderCopyTests {
  typealias Watched = WatchedStorage<VirtualStorage>

  private struct Copy {
    var files: VirtualStorage
    var history: VirtualStorage
    var summary: BackupSummary

    /// What a server finds in the copy.
    func classrooms() throws -> [String: Classroom] {
      let inspection = try FolderInspection(files, history: history, isInUse: false)
      #expect(inspection.problems.isEmpty && inspection.tornBytes == 0)
      return inspection.classrooms
    }
  }

  private func copy(_ source: Watched, history: Watched) throws -> Copy {
    let (files, targetHistory) = (VirtualStorage(), VirtualStorage())
    let summary = try FolderCopy.run(source, history: history, to: files, history: targetHistory, at: .after(0))
    return Copy(files: files, history: targetHistory, summary: summary)
  }

  /// Three sessions, one of them over and archived, two snapshots, and records after them.
  private func fill(_ school: inout School<Watched>) throws {
    try school.open("algebra")
    try school.open("over")
    try school.say("over", "ada", "goodbye")
    try school.tell("over", .end, Actor(user: "emmy", name: "Emmy", role: .host))
    try school.snapshot()
    try school.archive("over")
    try school.say("algebra", "ada", "hello")
    try school.snapshot()
    try school.open("music")
    try school.say("algebra", "ben", "hi")
  }

  @Test("the copy of a folder at rest holds the same sessions, and says what it holds")
  func atRest() throws {
    let (source, history) = (Watched(VirtualStorage()), Watched(VirtualStorage()))
    var school = try School(source, history: history)
    try fill(&school)
    let copy = try copy(source, history: history)
    #expect(try copy.classrooms() == school.classrooms)
    #expect(copy.summary.lastLSN == school.writer.nextLSN - 1)
    #expect(copy.summary.sessions == 3 && copy.summary.archived == 1)
    #expect(copy.summary.until == .after(school.now))
    #expect(copy.summary.files == copy.files.files.count, "one in the history, and the marker is not counted")
    let inspection = try FolderInspection(copy.files, history: copy.history, isInUse: false)
    #expect(inspection.markers == [.backupRestored])
    #expect(InspectionText.summary(inspection, path: "").contains { $0.contains("this is a backup") })
  }

  @Test(
    "whatever the server does in the middle of each step, the copy is the folder at one moment after the beginning",
    arguments: Durability.allCases)
  func everyInterruption(_ durability: Durability) throws {
    let actions: [(String, (inout School<Watched>) throws -> Void)] = [
      ("talk", { try $0.say("algebra", "ada", "in between") }),
      (
        "snapshot",
        { school in
          try school.say("algebra", "ada", "before")
          try school.snapshot()
          try school.say("music", "ben", "after")
        }
      ),
      (
        "two snapshots",
        { school in
          try school.snapshot()
          try school.say("algebra", "ada", "between")
          try school.snapshot()
          try school.say("algebra", "ada", "after")
        }
      ),
      (
        "archive",
        { school in
          try school.tell("music", .end, Actor(user: "emmy", name: "Emmy", role: .host))
          try school.archive("music")
          try school.snapshot()
          try school.snapshot()
        }
      ),
    ]
    for (name, action) in actions {
      var isThrough = false
      for step in 0..<200 where !isThrough {
        let (source, history) = (Watched(VirtualStorage()), Watched(VirtualStorage()))
        var school = try School(source, history: history, durability: durability)
        try fill(&school)
        let before = school.writer.nextLSN - 1
        let box = Box(school)
        var operations = 0
        var failure: (any Error)?
        let interrupt = { (_: StorageError.Operation, _: String) in
          operations += 1
          guard operations == step + 1 else { return }
          do { try action(&box.value) } catch { failure = error }
        }
        source.before = interrupt
        history.before = interrupt
        let copy = try copy(source, history: history)
        source.before = nil
        history.before = nil
        #expect(failure == nil, "\(name) at \(step)")
        isThrough = operations <= step
        #expect(copy.summary.lastLSN >= before, "\(name) at \(step): something acknowledged is missing")
        let state = box.value.states[copy.summary.lastLSN]
        #expect(try copy.classrooms() == state, "\(name) at \(step): not one moment")
      }
      #expect(isThrough)
    }
  }

  @Test("a batch that was just being written is cut off, and whatever was cut, no byte of it stays")
  func tornTail() throws {
    let (source, history) = (Watched(VirtualStorage()), Watched(VirtualStorage()))
    var school = try School(source, history: history)
    try fill(&school)
    let before = school.classrooms
    let whole = source.base.files
    try school.say("algebra", "ben", "unfinished")
    let last = try #require(whole.keys.filter { $0.hasPrefix("journal") }.max())
    let (start, end) = (whole[last]?.count ?? 0, source.base.files[last]?.count ?? 0)
    for cut in start..<end {
      var files = whole
      files[last] = source.base.files[last].map { Array($0.prefix(cut)) }
      let copy = try copy(Watched(VirtualStorage(files)), history: history)
      #expect(try copy.classrooms() == before)
      #expect(copy.files.files[last]?.count == start)
    }
  }

  @Test("a folder that a server would refuse is not copied, and neither is one with a damaged history file")
  func refused() throws {
    let (source, history) = (Watched(VirtualStorage()), Watched(VirtualStorage()))
    var school = try School(source, history: history)
    try fill(&school)
    var files = source.base.files
    let first = try #require(files.keys.filter { $0.hasPrefix("journal") }.min())
    files[first]?[120] ^= 1
    let damaged = Watched(VirtualStorage(files))
    let refusal = RecoveryError.damaged(file: first, offset: 96, .batch)
    #expect(throws: BackupError.refused(refusal)) { try copy(damaged, history: history) }
    var historyFiles = history.base.files
    let name = try #require(historyFiles.keys.first)
    historyFiles[name]?[60] ^= 1
    #expect(throws: BackupError.history(.unreadable(session: "over", .damaged(file: name, offset: 48, .entry)))) {
      try copy(source, history: Watched(VirtualStorage(historyFiles)))
    }
    #expect(throws: BackupError.notADataFolder("it has no format file")) {
      try copy(Watched(VirtualStorage()), history: history)
    }
  }

  @Test("a history file that the source has no longer does not prevent the copy, and is said to be missing")
  func missingHistory() throws {
    let (source, history) = (Watched(VirtualStorage()), Watched(VirtualStorage()))
    var school = try School(source, history: history)
    try fill(&school)
    let copy = try copy(source, history: Watched(VirtualStorage()))
    #expect(copy.summary.missing == ["over"] && copy.summary.archived == 1)
    #expect(Set(try copy.classrooms().keys) == ["algebra", "music"])
  }

  @Test("a full target is said to be the target's fault")
  func fullTarget() throws {
    let (source, history) = (Watched(VirtualStorage()), Watched(VirtualStorage()))
    var school = try School(source, history: history)
    try fill(&school)
    let target = VirtualStorage()
    target.capacity = 300
    do {
      _ = try FolderCopy.run(source, history: history, to: Watched(target), history: Watched(target), at: .after(0))
      Issue.record("a full disk took everything")
    } catch {
      guard case .target(let error) = error else { throw error }
      #expect(error.isOutOfSpace)
    }
  }
}
