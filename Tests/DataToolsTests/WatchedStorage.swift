import Persistence

/// A storage in whose operations something else may happen first. For one thread.
final class WatchedStorage<Base: Storage>: Storage, @unchecked Sendable {
  struct File: Sendable {
    var base: Base.File
    var name: String
  }

  let base: Base
  /// Called before each operation with the name of its file.
  var before: ((StorageError.Operation, String) -> Void)?

  init(_ base: Base) { self.base = base }

  func list() throws(StorageError) -> [String] {
    before?(.list, "")
    return try base.list()
  }

  func open(_ name: String, _ mode: OpenMode) throws(StorageError) -> File {
    before?(.open, name)
    return File(base: try base.open(name, mode), name: name)
  }

  func size(of file: File) throws(StorageError) -> UInt64 {
    before?(.size, file.name)
    return try base.size(of: file.base)
  }

  func read(_ file: File, at offset: UInt64, into buffer: inout MutableRawSpan) throws(StorageError) -> Int {
    before?(.read, file.name)
    return try base.read(file.base, at: offset, into: &buffer)
  }

  func write(_ bytes: RawSpan, to file: File, at offset: UInt64) throws(StorageError) {
    before?(.write, file.name)
    try base.write(bytes, to: file.base, at: offset)
  }

  func sync(_ file: File) throws(StorageError) {
    before?(.sync, file.name)
    try base.sync(file.base)
  }

  func truncate(_ file: File, to size: UInt64) throws(StorageError) {
    before?(.truncate, file.name)
    try base.truncate(file.base, to: size)
  }

  func rename(_ old: String, to new: String) throws(StorageError) {
    before?(.rename, old)
    try base.rename(old, to: new)
  }

  func remove(_ name: String) throws(StorageError) {
    before?(.remove, name)
    try base.remove(name)
  }

  func syncDirectory() throws(StorageError) {
    before?(.syncDirectory, "")
    try base.syncDirectory()
  }
}

/// Shares a value that cannot be copied with a closure.
final class Box<Value: ~Copyable> {
  var value: Value

  init(_ value: consuming Value) { self.value = value }
}
