import Classroom
import Persistence
import Testing

@testable import DataTools

@Suite("Erasing a person")
struct ErasureTests {
  typealias Watched = WatchedStorage<VirtualStorage>

  /// What must be found nowhere afterwards: id, name, texts, and what the keys were.
  fileprivate static let needles = ["ada-77", "Ada-77", "her own words", "her-key"]

  /// A folder with everything that can hold something of a person.
  private struct Folder {
    var data = VirtualStorage()
    var history = VirtualStorage()
    var classrooms: [String: Classroom] = [:]

    init(_ durability: Durability = .strict) throws {
      var school = try School(data, history: history, durability: durability)
      // Her own class, one that she was in and that rests in the history, one that is live, and one without her.
      try school.open("own", host: "ada-77")
      try school.open("over")
      try school.say("over", "ada-77", "her own words, once", key: "her-key")
      try school.say("over", "ben", "words of others about \"ada\"")
      try school.tell("over", .end, Actor(user: "emmy", name: "Emmy", role: .host))
      try school.open("elsewhere")
      try school.say("elsewhere", "clara", "words of others")
      try school.tell("elsewhere", .end, Actor(user: "emmy", name: "Emmy", role: .host))
      try school.snapshot()
      try school.archive("over")
      try school.archive("elsewhere")
      try school.snapshot()
      try school.open("live")
      try school.say("live", "ada-77", "her own words, live", key: "her-key")
      try school.say("live", "ben", "hello")
      try school.tell(
        "live", .lose(since: .after(school.now), isEstimated: false),
        Actor(user: "ada-77", name: "Ada-77", role: .participant))
      try school.snapshot()
      try school.say("live", "ben", "after the snapshot")
      try school.say("own", "ada-77", "her own words in her own class")
      classrooms = school.classrooms
    }

    init(data: VirtualStorage, history: VirtualStorage) {
      self.data = data
      self.history = history
    }

    var inspection: FolderInspection {
      get throws { try FolderInspection(data, history: history, isInUse: false) }
    }

    /// The needles that are in any file.
    var found: [String] {
      let files = Array(data.files.values) + Array(history.files.values)
      return ErasureTests.needles.filter { needle in
        let bytes = Array(needle.utf8)
        return files.contains { file in
          file.count >= bytes.count
            && (0...file.count - bytes.count).contains { file[$0..<$0 + bytes.count].elementsEqual(bytes) }
        }
      }
    }

    func erase(_ user: String = "ada-77", seed: UInt64 = 5) throws -> ErasureFindings {
      var generator = SeededGenerator(seed)
      return try Erasure(of: user, from: data, history: history).run(at: .after(900_000), using: &generator)
    }
  }

  private struct Figures: Equatable {
    var people: [String: Int]
    var milliseconds: [String: Int64]
    var messages: [String: Int]

    init(_ classrooms: [String: Classroom], at now: Timestamp) {
      people = classrooms.mapValues { $0.attendance.rows.count }
      milliseconds = classrooms.mapValues { $0.attendance.rows.values.reduce(0) { $0 + $1.milliseconds(until: now) } }
      messages = classrooms.mapValues { $0.chat.messages.count }
    }
  }

  @Test("nothing of the person is left in any file, and everything else is", arguments: Durability.allCases)
  func everywhere(_ durability: Durability) throws {
    let folder = try Folder(durability)
    #expect(folder.found == Self.needles)
    let before = try folder.inspection
    let findings = try folder.erase()
    #expect(findings.sessions.map(\.id) == ["live", "over", "own"])
    #expect(findings.sessions.map(\.isHost) == [false, false, true])
    #expect(findings.sessions.map(\.messages) == [1, 1, 1])
    #expect(folder.found.isEmpty)
    let after = try folder.inspection
    #expect(after.problems.isEmpty && after.missingHistory.isEmpty)
    #expect(Figures(after.classrooms, at: after.lastAlive) == Figures(before.classrooms, at: before.lastAlive))
    #expect(after.lastAlive == before.lastAlive && after.endedCleanly == before.endedCleanly)
    #expect(after.classrooms["elsewhere"] == before.classrooms["elsewhere"])
    #expect(after.archived == ["elsewhere"] && after.historyFiles == ["elsewhere"])
    for (id, classroom) in after.classrooms where id != "elsewhere" {
      #expect(classroom.epoch != before.classrooms[id]?.epoch)
      #expect(classroom.attendance.rows.values.count { $0.user.hasPrefix("erased-") } == 1)
    }
    let others = { (inspection: FolderInspection) in
      inspection.classrooms["live"]?.chat.messages.filter { $0.user == "ben" }.map(\.text)
    }
    #expect(others(after) == others(before))
    #expect(others(after)?.isEmpty == false)
    let live = try #require(after.classrooms["live"])
    #expect(InspectionText.history(of: live, now: after.lastAlive).contains { $0.hasSuffix(": (erased)") })
  }

  @Test("a class goes on after it, and erasing again finds nothing")
  func goesOn() throws {
    let folder = try Folder()
    _ = try folder.erase()
    #expect(try folder.erase().isEmpty)
    let files = (folder.data.files, folder.history.files)
    var school = try School(folder.data, history: folder.history)
    #expect(files.1 == folder.history.files)
    try school.say("live", "ben", "still here")
    try school.snapshot()
    let inspection = try folder.inspection
    #expect(inspection.problems.isEmpty)
    #expect(inspection.classrooms["live"] == school.classrooms["live"])
  }

  @Test("a user who occurs nowhere leaves the folder as it is, also one that looks like a field or a name")
  func nobody() throws {
    for user in ["nobody", "host", "participant", "Ben", "ada", "ongoing", "hello"] {
      let folder = try Folder()
      let before = folder.data.files
      #expect(try folder.erase(user).isEmpty, "\(user)")
      #expect(folder.data.files == before)
    }
  }

  @Test("a dry run finds the same and changes nothing")
  func dryRun() throws {
    let folder = try Folder()
    let files = (folder.data.files, folder.history.files)
    let findings = try Erasure(of: "ada-77", from: folder.data, history: folder.history).findings()
    #expect((folder.data.files, folder.history.files) == files)
    #expect(try folder.erase() == findings)
  }

  @Test("a history file of somebody else is kept, a damaged one that names the person stops the erasure")
  func damagedHistory() throws {
    let folder = try Folder()
    for (session, isNamed) in [("elsewhere", false), ("over", true)] {
      let name = try #require(folder.history.files.keys.first { $0.hasPrefix(session) })
      var files = folder.history.files
      files[name]?[50] ^= 1
      let damaged = Folder(data: VirtualStorage(folder.data.files), history: VirtualStorage(files))
      if isNamed {
        let before = damaged.data.files
        #expect(throws: ErasureError.self) { try damaged.erase() }
        #expect(
          damaged.data.files.filter { $0.key.hasPrefix("snapshot") } == before.filter { $0.key.hasPrefix("snapshot") })
      } else {
        #expect(try damaged.erase().sessions.count == 3)
        #expect(damaged.history.files[name] == files[name] && damaged.found.isEmpty)
      }
    }
  }

  @Test(
    "after a crash at any operation the person is there as before or gone from every session, and a second run ends it")
  func everyCrash() throws {
    let original = try Folder()
    let before = try original.inspection
    let figures = Figures(before.classrooms, at: before.lastAlive)
    var reachedTheEnd = false
    for stop in 0..<200 where !reachedTheEnd {
      let data = VirtualStorage(original.data.files)
      let history = VirtualStorage(original.history.files)
      let (watchedData, watchedHistory) = (Watched(data), Watched(history))
      var operations = 0
      let count = { (operation: StorageError.Operation, _: String) in
        guard ![.list, .size, .read].contains(operation) else { return }
        operations += 1
        guard operations == stop + 1 else { return }
        data.stopsAt = data.operations
        history.stopsAt = history.operations
      }
      watchedData.before = count
      watchedHistory.before = count
      var generator = SeededGenerator(1)
      let erasure = Erasure(of: "ada-77", from: watchedData, history: watchedHistory)
      if (try? erasure.run(at: .after(900_000), using: &generator)) != nil { reachedTheEnd = true }
      var disks = [Folder(data: data.afterKill(), history: history.afterKill())]
      for _ in 0..<2 {
        disks.append(
          Folder(data: data.afterPowerLoss(using: &generator), history: history.afterPowerLoss(using: &generator)))
      }
      for (index, disk) in disks.enumerated() {
        let state = try disk.inspection
        let comment = "stopped at \(stop), disk \(index)"
        #expect(state.failure == nil && state.missingHistory.isEmpty, "\(comment)")
        let named = state.classrooms.values.filter { $0.names("ada-77") }.map(\.id).sorted()
        #expect(named.isEmpty || state.classrooms == before.classrooms, "\(comment): \(named)")
        #expect(Figures(state.classrooms, at: state.lastAlive) == figures, "\(comment)")
        _ = try disk.erase(seed: UInt64(stop))
        #expect(disk.found.isEmpty, "\(comment): \(disk.found)")
        let end = try disk.inspection
        #expect(end.problems.isEmpty && end.missingHistory.isEmpty, "\(comment)")
        #expect(Figures(end.classrooms, at: end.lastAlive) == figures, "\(comment)")
      }
    }
    #expect(reachedTheEnd)
  }
}
