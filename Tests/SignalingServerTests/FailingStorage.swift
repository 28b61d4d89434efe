import EventLoop

@testable import Persistence

/// Says which operations on the disk of a test fail; for any thread.
final class DiskFaults: Sendable {
  typealias Fault = @Sendable (StorageError.Operation, String) -> Int32?

  private let fault = Locked<Fault?>(nil)

  /// From here on operations fail with the error number that this gives for them.
  func set(_ new: Fault?) { fault.withLock { $0 = new } }

  /// Writes and syncs of the journal and of everything else fail.
  func failWrites(_ code: Int32 = 5) {
    set { operation, _ in [.write, .sync, .truncate, .rename, .syncDirectory].contains(operation) ? code : nil }
  }

  /// The disk works.
  func heal() { set(nil) }

  func check(_ operation: StorageError.Operation, _ file: String) throws(StorageError) {
    let code = fault.withLock { $0 }.flatMap { $0(operation, file) }
    if let code { throw StorageError(operation, file: file, code: code) }
  }
}

/// A real folder whose operations can be made to fail.
struct FailingStorage: Storage {
  let base: FileStorage
  let faults: DiskFaults

  func list() throws(StorageError) -> [String] {
    try faults.check(.list, "")
    return try base.list()
  }

  func open(_ name: String, _ mode: OpenMode) throws(StorageError) -> OpenFile {
    try faults.check(.open, name)
    return try base.open(name, mode)
  }

  func size(of file: OpenFile) throws(StorageError) -> UInt64 {
    try faults.check(.size, file.name)
    return try base.size(of: file)
  }

  func read(_ file: OpenFile, at offset: UInt64, into buffer: inout MutableRawSpan) throws(StorageError) -> Int {
    try faults.check(.read, file.name)
    return try base.read(file, at: offset, into: &buffer)
  }

  func write(_ bytes: RawSpan, to file: OpenFile, at offset: UInt64) throws(StorageError) {
    try faults.check(.write, file.name)
    try base.write(bytes, to: file, at: offset)
  }

  func sync(_ file: OpenFile) throws(StorageError) {
    try faults.check(.sync, file.name)
    try base.sync(file)
  }

  func truncate(_ file: OpenFile, to size: UInt64) throws(StorageError) {
    try faults.check(.truncate, file.name)
    try base.truncate(file, to: size)
  }

  func rename(_ old: String, to new: String) throws(StorageError) {
    try faults.check(.rename, old)
    try base.rename(old, to: new)
  }

  func remove(_ name: String) throws(StorageError) {
    try faults.check(.remove, name)
    try base.remove(name)
  }

  func syncDirectory() throws(StorageError) {
    try faults.check(.syncDirectory, "")
    try base.syncDirectory()
  }
}
