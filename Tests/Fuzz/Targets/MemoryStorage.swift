import Persistence

/// A folder in memory, for one thread, that never fails.
final class MemoryStorage: Storage, @unchecked Sendable {  // one input is run by one thread
  final class File: @unchecked Sendable {  // as above
    var bytes: [UInt8] = []
  }

  private(set) var files: [String: File] = [:]

  init() {}

  init(_ contents: [String: [UInt8]]) {
    for (name, bytes) in contents { opened(name).bytes = bytes }
  }

  private func opened(_ name: String) -> File {
    let file = files[name] ?? File()
    files[name] = file
    return file
  }

  func list() throws(StorageError) -> [String] { Array(files.keys) }

  func open(_ name: String, _ mode: OpenMode) throws(StorageError) -> File {
    if mode == .replace {
      files[name] = File()
      return opened(name)
    }
    guard let file = files[name] else { throw StorageError(.open, file: name, code: 2) }
    return file
  }

  func size(of file: File) throws(StorageError) -> UInt64 { UInt64(file.bytes.count) }

  func read(_ file: File, at offset: UInt64, into buffer: inout MutableRawSpan) throws(StorageError) -> Int {
    let start = min(Int(clamping: offset), file.bytes.count)
    let count = min(buffer.byteCount, file.bytes.count - start)
    for index in 0..<count { buffer.storeBytes(of: file.bytes[start + index], toByteOffset: index, as: UInt8.self) }
    return count
  }

  func write(_ bytes: RawSpan, to file: File, at offset: UInt64) throws(StorageError) {
    let end = Int(offset) + bytes.byteCount
    if file.bytes.count < end { file.bytes += Array(repeating: 0, count: end - file.bytes.count) }
    bytes.withUnsafeBytes { file.bytes.replaceSubrange(Int(offset)..<end, with: $0) }
  }

  func sync(_ file: File) throws(StorageError) {}

  func truncate(_ file: File, to size: UInt64) throws(StorageError) {
    let size = Int(size)
    if file.bytes.count > size { file.bytes.removeLast(file.bytes.count - size) }
    file.bytes += Array(repeating: 0, count: size - file.bytes.count)
  }

  func rename(_ old: String, to new: String) throws(StorageError) { files[new] = files.removeValue(forKey: old) }

  func remove(_ name: String) throws(StorageError) { files[name] = nil }

  func syncDirectory() throws(StorageError) {}
}
