#if PLANTED_BUGS
  import PlantedBugs
#endif

/// How a file is opened.
public enum OpenMode: Sendable, Equatable {
  /// For reading; the file must exist.
  case read
  /// For reading and writing; the file must exist.
  case update
  /// For reading and writing; created when absent, emptied when present.
  case replace
}

/// One flat folder of files: everything that persistence needs of an operating system.
///
/// All calls block. Nothing is durable before a `sync` of the file has returned, and no name (creation, rename,
/// removal) before `syncDirectory` has. A simulator may lose, tear and reorder whatever was not synced.
public protocol Storage: Sendable {
  /// An open file, closed when the last reference to it goes.
  associatedtype File: Sendable

  /// The names in the folder, in no particular order, without `.` and `..`.
  func list() throws(StorageError) -> [String]

  /// Opens the file called `name`.
  func open(_ name: String, _ mode: OpenMode) throws(StorageError) -> File

  /// The length of the file in bytes.
  func size(of file: File) throws(StorageError) -> UInt64

  /// Fills `buffer` from byte `offset` on, over as many reads as that takes.
  /// - Returns: the number of bytes read, less than `buffer.byteCount` only at the end of the file.
  func read(_ file: File, at offset: UInt64, into buffer: inout MutableRawSpan) throws(StorageError) -> Int

  /// Writes all of `bytes` at byte `offset`, continuing after short writes. A failure after a part was taken says
  /// how much in ``StorageError/written``.
  func write(_ bytes: RawSpan, to file: File, at offset: UInt64) throws(StorageError)

  /// Returns when the content and the length of the file are on stable storage. After a failure nothing written
  /// since the last success may be believed, not even if a later call succeeds.
  func sync(_ file: File) throws(StorageError)

  /// Cuts or extends the file to `size` bytes.
  func truncate(_ file: File, to size: UInt64) throws(StorageError)

  /// Renames `old` to `new` atomically, replacing a file of that name.
  func rename(_ old: String, to new: String) throws(StorageError)

  /// Removes the file called `name`.
  func remove(_ name: String) throws(StorageError)

  /// Returns when the folder's names are on stable storage.
  func syncDirectory() throws(StorageError)
}

extension Storage {
  /// Puts `bytes` in the folder under `name` so that a crash leaves the old file, no file, or the whole new one.
  /// - Returns: the open file.
  func install(_ bytes: RawSpan, as name: String) throws(StorageError) -> File {
    let temporary = name + FileName.temporarySuffix
    let file = try open(temporary, .replace)
    try write(bytes, to: file, at: 0)
    try sync(file)
    try rename(temporary, to: name)
    #if PLANTED_BUGS
      if PlantedBugs.isActive(.directorySyncSkipped) { return file }
    #endif
    try syncDirectory()
    return file
  }
}
