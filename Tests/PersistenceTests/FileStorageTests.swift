import Glibc
import Testing

@testable import Persistence

/// A folder of the machine that goes away with this object.
final class TemporaryFolder {
  let path: String

  init() {
    var template = Array("/tmp/rollcall-test-XXXXXX".utf8CString)
    path = template.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.flatMap(mkdtemp).map { String(cString: $0) } ?? ""
    }
  }

  deinit {
    for name in (try? FileStorage(path: path).list()) ?? [] { unlink(path + "/" + name) }
    rmdir(path)
  }
}

@Suite("Files of the machine")
struct FileStorageTests {
  let folder = TemporaryFolder()

  @Test("a journal with a snapshot is written to files and read back")
  func roundTrip() throws {
    let storage = try DataFolder(path: folder.path).storage
    var ids = SegmentIDs()
    var collector = Collector()
    var writer = try open(storage, into: &collector).takeWriter()
    _ = try writer.append(next: 500)
    try writer.rotate(segmentID: ids.next(), now: 0)
    _ = try writer.append(next: 3)
    var snapshot = try SnapshotWriter(storage, lsn: 500, now: 0)
    let payload: [UInt8] = [1]
    try snapshot.append(RecordHeader(lsn: 500, session: "s", sequence: 1, kind: 1), payload: payload.span.bytes)
    try snapshot.finish()
    var again = Collector()
    let report = try open(storage, into: &again).report
    #expect(again.records == items(501...503))
    #expect(again.entries.map(\.payload) == [[1]])
    #expect(report.recordsSkipped == 500)
  }

  @Test("reads stop at the end of the file, writes extend it, truncation cuts it")
  func operations() throws {
    let storage = try FileStorage(path: folder.path)
    let file = try storage.open("a", .replace)
    let bytes = Array("hello".utf8)
    try storage.write(bytes.span.bytes, to: file, at: 3)
    try storage.sync(file)
    #expect(try storage.size(of: file) == 8)
    try storage.truncate(file, to: 6)
    var buffer = [UInt8](repeating: 9, count: 10)
    var span = buffer.mutableSpan
    var raw = span.mutableBytes
    let count = try storage.read(file, at: 0, into: &raw)
    #expect(count == 6)
    #expect(buffer == [0, 0, 0] + Array("hel".utf8) + [9, 9, 9, 9])
    try storage.rename("a", to: "b")
    try storage.syncDirectory()
    #expect(try storage.list() == ["b"])
    try storage.remove("b")
    #expect(try storage.list().isEmpty)
  }

  @Test("an error carries the operation, the file and the error number")
  func errors() throws {
    let storage = try FileStorage(path: folder.path)
    #expect(throws: StorageError(.open, file: "absent", code: ENOENT)) { try storage.open("absent", .read) }
    #expect(throws: StorageError(.remove, file: "absent", code: ENOENT)) { try storage.remove("absent") }
    #expect(throws: StorageError(.rename, file: "absent", code: ENOENT)) { try storage.rename("absent", to: "b") }
    let devices = try FileStorage(path: "/dev")
    let full = try devices.open("full", .update)
    let bytes: [UInt8] = [1]
    #expect(throws: StorageError(.write, file: "full", code: ENOSPC)) {
      try devices.write(bytes.span.bytes, to: full, at: 0)
    }
  }

  @Test("a link is not followed out of the folder")
  func links() throws {
    symlink("/etc/passwd", folder.path + "/link")
    let storage = try FileStorage(path: folder.path)
    #expect(throws: StorageError(.open, file: "link", code: ELOOP)) { try storage.open("link", .read) }
  }
}

@Suite("Data folder")
struct DataFolderTests {
  let parent = TemporaryFolder()

  @Test("a new folder is the owner's alone and states its format")
  func creation() throws {
    let path = parent.path + "/data"
    let folder = try DataFolder(path: path)
    var status = stat()
    #expect(stat(path, &status) == 0)
    #expect(status.st_mode & 0o777 == 0o700)
    #expect(try folder.storage.list().sorted() == ["format", "history", "lock", "thumbnails"])
    #expect(try FolderFormat.read(folder.storage) == FolderFormat.currentVersion)
    for name in ["format", "lock"] { try folder.storage.remove(name) }
    rmdir(path)
  }

  @Test("a second server is refused as long as the first one lives")
  func lock() throws {
    do {
      let first = try DataFolder(path: parent.path)
      #expect(throws: DataFolderError.inUse(path: parent.path)) { try DataFolder(path: parent.path) }
      withExtendedLifetime(first) {}
    }
    _ = try DataFolder(path: parent.path)
  }

  @Test("a folder of a newer format is refused and left as it is")
  func newerFormat() throws {
    let storage = try FileStorage(path: parent.path)
    let line = Array("rollcall-data 4\n".utf8)
    _ = try storage.install(line.span.bytes, as: "format")
    #expect(throws: DataFolderError.newerFormat(path: parent.path, version: 4, supported: 3)) {
      try DataFolder(path: parent.path)
    }
    #expect(try storage.list() == ["format"])
  }

  @Test(
    "a damaged format file, or data without one, is refused", arguments: ["", "rollcall-data", "rollcall-data 0\n"])
  func unrecognised(_ content: String) throws {
    let storage = try FileStorage(path: parent.path)
    let line = Array(content.utf8)
    _ = try storage.install(line.span.bytes, as: "format")
    #expect(throws: DataFolderError.unrecognised(path: parent.path)) { try DataFolder(path: parent.path) }
    try storage.remove("format")
    _ = try storage.open("journal-00000000000000000001.rcj", .replace)
    #expect(throws: DataFolderError.unrecognised(path: parent.path)) { try DataFolder(path: parent.path) }
  }

  @Test("a path that is a file, or has no parent, is refused")
  func unusable() throws {
    let storage = try FileStorage(path: parent.path)
    _ = try storage.open("file", .replace)
    let file = parent.path + "/file"
    #expect(throws: DataFolderError.notADirectory(path: file)) { try DataFolder(path: file) }
    let orphan = parent.path + "/no/data"
    #expect(throws: DataFolderError.notUsable(path: orphan, code: ENOENT)) { try DataFolder(path: orphan) }
    #expect("\(DataFolderError.notUsable(path: "d", code: EACCES))".contains("permission denied"))
  }
}
