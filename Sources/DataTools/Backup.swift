import Classroom
import Glibc
import Persistence

/// Makes a copy of a data folder under another name.
public enum Backup {
  /// What the name of a copy that is not yet whole ends with.
  static let unfinishedSuffix = ".partial"

  /// Copies the data folder at `path`, also of a running server, to `target`, which must not exist. The copy gets that name
  /// when it is verified and on stable storage; before, and after a crash, it is called `target.partial`.
  public static func make(of path: String, at target: String, now: Timestamp) throws(BackupError) -> BackupSummary {
    let source = try open(path) { .source($0) }
    let target = trimmed(target)
    guard !exists(target) else { throw .targetExists(target) }
    let partial = target + unfinishedSuffix
    try makeFolder(partial)
    do throws(BackupError) {
      let summary = try fill(partial, from: source, path: path, now: now)
      guard rename(partial, target) == 0 else {
        throw .target(StorageError(.rename, file: partial, code: errno))
      }
      try sync(folderOf: target)
      return summary
    } catch {
      remove(partial)
      throw error
    }
  }

  private static func fill(
    _ partial: String, from source: FileStorage, path: String, now: Timestamp
  ) throws(BackupError) -> BackupSummary {
    let target = try open(partial) { .target($0) }
    try makeFolder("\(partial)/\(DataFolder.historyName)")
    let historyTarget = try open("\(partial)/\(DataFolder.historyName)") { .target($0) }
    var history: FileStorage?
    do throws(StorageError) {
      history = try FileStorage(path: "\(path)/\(DataFolder.historyName)")
    } catch {
      guard error.isNotFound else { throw .source(error) }
    }
    let summary = try FolderCopy.run(source, history: history, to: target, history: historyTarget, at: now)
    try copyPictures(from: path, to: partial)
    do throws(StorageError) {
      try historyTarget.syncDirectory()
      try target.syncDirectory()
    } catch {
      throw .target(error)
    }
    return summary
  }

  /// Copies the pictures of sessions, after the journal: the server keeps a picture before it writes down whose it is.
  private static func copyPictures(from path: String, to partial: String) throws(BackupError) {
    try makeFolder("\(partial)/\(DataFolder.picturesName)")
    let target = PictureStore(try open("\(partial)/\(DataFolder.picturesName)") { .target($0) })
    let source: FileStorage
    let names: [String]
    do throws(StorageError) {
      source = try FileStorage(path: "\(path)/\(DataFolder.picturesName)")
      names = try source.list()
    } catch {
      // Older versions keep none.
      guard error.isNotFound else { throw .source(error) }
      return
    }
    for name in names where PictureStore<FileStorage>.isName(name) {
      let content: [UInt8]?
      do throws(StorageError) {
        content = try PictureStore(source).read(name)
      } catch {
        throw .source(error)
      }
      guard let content else { continue }
      do throws(StorageError) {
        try target.write(content, as: name)
      } catch {
        throw .target(error)
      }
    }
  }

  // MARK: Folders

  private static func open(
    _ path: String, _ failure: (StorageError) -> BackupError
  ) throws(BackupError) -> FileStorage {
    do throws(StorageError) {
      return try FileStorage(path: path)
    } catch {
      throw failure(error)
    }
  }

  private static func exists(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0
  }

  private static func makeFolder(_ path: String) throws(BackupError) {
    guard mkdir(path, 0o700) != 0 else { return }
    throw errno == EEXIST ? .unfinished(path) : .target(StorageError(.open, file: path, code: errno))
  }

  private static func trimmed(_ path: String) -> String {
    var path = path
    while path.utf8.count > 1, path.hasSuffix("/") { path.removeLast() }
    return path
  }

  /// The name itself is durable when the folder that holds it is synced.
  private static func sync(folderOf path: String) throws(BackupError) {
    let parent = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    do throws(StorageError) {
      try FileStorage(path: parent).syncDirectory()
    } catch {
      throw .target(error)
    }
  }

  /// Removes a copy that was not finished, with what is in it, as far as possible.
  private static func remove(_ path: String) {
    for folder in ["\(path)/\(DataFolder.historyName)", "\(path)/\(DataFolder.picturesName)", path] {
      // What cannot be removed stays, without the name of a backup; why there is none is being told already.
      if let storage = try? FileStorage(path: folder), let names = try? storage.list() {
        for name in names { try? storage.remove(name) }
      }
      rmdir(folder)
    }
  }
}
