import Classroom
import Foundation
import Testing

@testable import Persistence

/// The folders that released versions have written stay readable: one of each format is committed in `FormatFolders`.
@Suite("Folders of every format")
struct FormatFolderTests {
  private static let folders = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("FormatFolders")
  private static let variable = "ROLLCALL_WRITE_FORMAT_FOLDER"

  /// A copy that a test may open, and what it is expected to hold.
  private func copy(_ version: Int) throws -> (path: String, expected: String) {
    let source = Self.folders.appendingPathComponent("\(version)")
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("rollcall-\(UUID().uuidString)").path
    try FileManager.default.copyItem(atPath: source.appendingPathComponent("data").path, toPath: path)
    return (path, try String(contentsOf: source.appendingPathComponent("expected.json"), encoding: .utf8))
  }

  private func open(_ path: String) throws -> RecoveredState<FileStorage> {
    let folder = try DataFolder(path: path)
    var state = RecoveredState(history: HistoryStore(folder.history))
    var ids = SegmentIDs()
    _ = try Recovery.open(folder.storage, segmentID: ids.next(), now: 0, clock: { 0 }, into: &state).report
    return state
  }

  @Test("a folder of this format holds what it was written with, before and after it was opened once")
  func current() throws {
    let (path, expected) = try copy(3)
    defer { try? FileManager.default.removeItem(atPath: path) }  // what remains of a test is not worth a second failure
    for _ in 0..<2 {
      let state = try open(path)
      #expect(state.archived.keys.sorted() == ["drawing"] && state.endedCleanly)
      let history = HistoryStore(try DataFolder(path: path).history)
      let drawing = try history.read("drawing")
      #expect(state.archived["drawing"]?.view == drawing.archiveView)
      let isAsExpected = ClassroomDump.json(state.classrooms.values + [drawing], format: 3) == expected
      #expect(isAsExpected)
    }
  }

  @Test("a folder of format 2 is read whole and is of this format from then on")
  func version2() throws {
    let (path, expected) = try copy(2)
    defer { try? FileManager.default.removeItem(atPath: path) }  // what remains of a test is not worth a second failure
    for _ in 0..<2 {
      let state = try open(path)
      #expect(state.archived.keys.sorted() == ["drawing"] && state.endedCleanly)
      let history = HistoryStore(try DataFolder(path: path).history)
      let drawing = try history.read("drawing")
      // When the folder was written, nothing was kept of who was in.
      var view = drawing.archiveView
      (view.attendees, view.joinedCount) = ([], 0)
      #expect(state.archived["drawing"]?.view == view)
      #expect(try FolderFormat.read(FileStorage(path: path)) == FolderFormat.currentVersion)
      let isAsExpected = ClassroomDump.json(state.classrooms.values + [drawing], format: 2) == expected
      #expect(isAsExpected)
    }
  }

  @Test("a folder of format 1, as version 0.1 wrote it, is read whole and is of this format from then on")
  func version1() throws {
    let (path, expected) = try copy(1)
    defer { try? FileManager.default.removeItem(atPath: path) }  // what remains of a test is not worth a second failure
    #expect(try FolderFormat.read(FileStorage(path: path)) == 1)
    for _ in 0..<2 {
      let state = try open(path)
      #expect(state.archived.isEmpty && state.endedCleanly)
      let isAsExpected = ClassroomDump.json(Array(state.classrooms.values), format: 1) == expected
      #expect(isAsExpected)
      // It kept no newest events in its snapshot: those before it are not there, those after it are.
      let stream = try #require(state.classrooms["algebra"]?.stream)
      #expect(stream.last == 6 && stream.covers(after: 4) && !stream.covers(after: 3))
      #expect(try FolderFormat.read(FileStorage(path: path)) == FolderFormat.currentVersion)
    }
  }

  @Test("the committed folder has every kind of record and entry, and this build makes the same history")
  func sample() throws {
    let storage = VirtualStorage()
    let history = VirtualStorage()
    let sample = try FolderSample.write(to: storage, history: history)
    let (path, expected) = try copy(3)
    defer { try? FileManager.default.removeItem(atPath: path) }  // what remains of a test is not worth a second failure
    let isTheSame = ClassroomDump.json(sample.kept, format: 3) == expected
    #expect(isTheSame)
    let files = try FileStorage(path: path)
    var entries = Collector()
    var reader = SnapshotReader(files, file: try #require(try files.list().first { $0.hasSuffix(".rcs") }))
    _ = try reader.read(into: &entries)
    var records = Collector()
    var journal = JournalReader(files)
    _ = try journal.read(after: 0, coveredLSN: 0, into: &records)
    let kinds = RecordKind.allCases.filter { $0 != .alive }
    let (kept, events) = (kinds.filter(\.isSnapshotEntry), kinds.filter { !$0.isSnapshotEntry })
    #expect(
      Set(entries.entries.map(\.header.kind))
        == Set([RecordKind.alive.rawValue, ArchiveCodec.kind] + kept.map(\.rawValue)))
    #expect(Set(records.records.map(\.header.kind)) == Set([RecordKind.alive.rawValue] + events.map(\.rawValue)))
  }

  @Test(
    "writes the folder of this format where the environment says",
    .enabled(if: ProcessInfo.processInfo.environment[variable] != nil))
  func write() throws {
    let path = try #require(ProcessInfo.processInfo.environment[Self.variable])
    try FileManager.default.createDirectory(atPath: path + "/data/history", withIntermediateDirectories: true)
    let sample = try FolderSample.write(
      to: try FileStorage(path: path + "/data"), history: try FileStorage(path: path + "/data/history"))
    let expected = ClassroomDump.json(sample.kept, format: 3)
    try expected.write(toFile: path + "/expected.json", atomically: true, encoding: .utf8)
  }
}
