import Glibc

/// Why a data folder cannot be used.
public enum DataFolderError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Another server holds the lock.
  case inUse(path: String)
  /// The path names something that is not a folder.
  case notADirectory(path: String)
  /// The folder cannot be created, opened or written; `code` is errno(3).
  case notUsable(path: String, code: Int32)
  /// A newer build wrote the folder.
  case newerFormat(path: String, version: UInt32, supported: UInt32)
  /// The `format` file is damaged, or missing beside data.
  case unrecognised(path: String)
  /// Reading or writing the `format` file failed.
  case storage(path: String, StorageError)

  public var description: String {
    switch self {
    case .inUse(let path): "the data folder \(path) is in use by another server"
    case .notADirectory(let path): "\(path) is not a folder"
    case .notUsable(let path, let code):
      "the data folder \(path) cannot be created or written: \(StorageError.reason(for: code)) (errno \(code))"
    case .newerFormat(let path, let version, let supported):
      "the data folder \(path) has format \(version), this build reads up to \(supported)"
    case .unrecognised(let path): "the format file of the data folder \(path) is missing or damaged"
    case .storage(let path, let error): "the data folder \(path): \(error)"
    }
  }
}

/// The folder that holds everything a server keeps, locked against a second server as long as this object lives.
public final class DataFolder: Sendable {
  /// Where the folder is.
  public let path: String
  /// The files in it.
  public let storage: FileStorage
  /// The files of the folder `history` in it.
  public let history: FileStorage
  /// The name of that folder.
  public static let historyName = "history"
  /// The files of the folder `thumbnails` in it.
  public let pictures: FileStorage
  /// The name of that folder.
  public static let picturesName = "thumbnails"
  private let lock: OpenFile
  static let lockName = "lock"

  /// Creates the folder when absent (mode 0700; its parent must exist), locks it and checks its format.
  ///
  /// A folder of a newer format is refused before anything is written to it.
  public init(path: String) throws(DataFolderError) {
    self.path = path
    let created = try Self.createIfAbsent(path)
    do throws(StorageError) {
      storage = try FileStorage(path: path)
    } catch {
      throw error.code == ENOTDIR ? .notADirectory(path: path) : .notUsable(path: path, code: error.code)
    }
    // Read before the lock file is created, so that a newer folder is left as it is.
    let version: UInt32?
    do throws(FolderFormat.Failure) {
      version = try FolderFormat.read(storage)
    } catch {
      throw Self.refusal(error, path)
    }
    // Without a format file the folder is new, or a crash came before its name was durable.
    if version == nil { try Self.syncParent(path, mustSucceed: created) }
    lock = try Self.lock(path)
    do throws(FolderFormat.Failure) {
      try FolderFormat.ensure(storage)
    } catch {
      throw Self.refusal(error, path)
    }
    let historyPath = path + "/" + Self.historyName
    let picturesPath = path + "/" + Self.picturesName
    let hasHistory = try !Self.createIfAbsent(historyPath)
    let hasPictures = try !Self.createIfAbsent(picturesPath)
    do throws(StorageError) {
      if !hasHistory || !hasPictures { try storage.syncDirectory() }
      history = try FileStorage(path: historyPath)
      pictures = try FileStorage(path: picturesPath)
    } catch {
      throw .storage(path: path, error)
    }
  }

  private static func refusal(_ failure: FolderFormat.Failure, _ path: String) -> DataFolderError {
    switch failure {
    case .newer(let version, let supported): .newerFormat(path: path, version: version, supported: supported)
    case .unreadable, .missing: .unrecognised(path: path)
    case .storage(let error) where [EACCES, EPERM, EROFS].contains(error.code):
      .notUsable(path: path, code: error.code)
    case .storage(let error): .storage(path: path, error)
    }
  }

  /// - Returns: whether it was absent.
  private static func createIfAbsent(_ path: String) throws(DataFolderError) -> Bool {
    if mkdir(path, mode_t(0o700)) == 0 { return true }
    if errno == EEXIST { return false }
    throw errno == ENOTDIR ? .notADirectory(path: path) : .notUsable(path: path, code: errno)
  }

  /// A new folder's own name lives in its parent. A folder that somebody made for us may lie where we cannot read.
  private static func syncParent(_ path: String, mustSucceed: Bool) throws(DataFolderError) {
    do throws(StorageError) {
      try FileStorage(path: path + "/..").syncDirectory()
    } catch {
      if mustSucceed || error.code != EACCES { throw .storage(path: path, error) }
    }
  }

  private static func lock(_ path: String) throws(DataFolderError) -> OpenFile {
    guard
      let descriptor = retryingOnInterrupt({
        Glibc.open(path + "/" + lockName, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode_t(0o600))
      })
    else { throw .notUsable(path: path, code: errno) }
    let file = OpenFile(descriptor: descriptor, name: lockName)
    guard retryingOnInterrupt({ flock(descriptor, LOCK_EX | LOCK_NB) }) != nil else {
      throw errno == EWOULDBLOCK ? .inUse(path: path) : .notUsable(path: path, code: errno)
    }
    return file
  }

  /// Whether a server holds the lock of the folder at `path`; nil when that cannot be found out. Leaves nothing locked, and
  /// creates nothing.
  public static func isInUse(path: String) -> Bool? {
    guard
      let descriptor = retryingOnInterrupt({
        Glibc.open(path + "/" + lockName, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
      })
    else { return errno == ENOENT ? false : nil }
    defer { _ = close(descriptor) }
    // Shared, and given back at once by the close: a server that starts at this very moment tries again.
    if retryingOnInterrupt({ flock(descriptor, LOCK_SH | LOCK_NB) }) != nil { return false }
    return errno == EWOULDBLOCK ? true : nil
  }
}
