import Glibc

/// An open file descriptor, closed with its last reference.
public final class OpenFile: Sendable {
  let descriptor: CInt
  /// The name it was opened under, for messages.
  let name: String

  init(descriptor: CInt, name: String) {
    self.descriptor = descriptor
    self.name = name
  }

  deinit { _ = close(descriptor) }
}

/// Calls `body` again as long as a signal interrupts it; nil means that it failed and `errno` says why.
@inline(__always)
func retryingOnInterrupt<Value: SignedInteger>(_ body: () -> Value) -> Value? {
  while true {
    let value = body()
    if value >= 0 { return value }
    if errno != EINTR { return nil }
  }
}

/// The files of one folder of the machine, by POSIX calls relative to its descriptor, so that renaming or
/// replacing a parent folder while the server runs cannot redirect a write.
public struct FileStorage: Storage {
  public typealias File = OpenFile

  private let directory: OpenFile

  /// The most that Linux takes in one read or write is 0x7ffff000 bytes; this stays well below.
  private static let largestTransfer = 1 << 30

  /// Opens the folder at `path`, which must exist.
  public init(path: String) throws(StorageError) {
    guard let descriptor = retryingOnInterrupt({ Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }) else {
      throw StorageError(.open, file: path, code: errno)
    }
    directory = OpenFile(descriptor: descriptor, name: "")
  }

  public func list() throws(StorageError) -> [String] {
    // fdopendir takes over its descriptor and its position, so it gets one of its own.
    guard
      let descriptor = retryingOnInterrupt({
        openat(directory.descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      })
    else { throw StorageError(.list, file: "", code: errno) }
    guard let stream = fdopendir(descriptor) else {
      let code = errno
      _ = close(descriptor)
      throw StorageError(.list, file: "", code: code)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = readdir(stream) else {
        let code = errno
        guard code == 0 else { throw StorageError(.list, file: "", code: code) }
        return names
      }
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
  }

  public func open(_ name: String, _ mode: OpenMode) throws(StorageError) -> OpenFile {
    let flags =
      switch mode {
      case .read: O_RDONLY
      case .update: O_RDWR
      case .replace: O_RDWR | O_CREAT | O_TRUNC
      }
    guard
      let descriptor = retryingOnInterrupt({
        openat(directory.descriptor, name, flags | O_CLOEXEC | O_NOFOLLOW, mode_t(0o600))
      })
    else { throw StorageError(.open, file: name, code: errno) }
    return OpenFile(descriptor: descriptor, name: name)
  }

  public func size(of file: OpenFile) throws(StorageError) -> UInt64 {
    var status = stat()
    guard fstat(file.descriptor, &status) == 0 else { throw StorageError(.size, file: file.name, code: errno) }
    return UInt64(clamping: status.st_size)
  }

  public func read(_ file: OpenFile, at offset: UInt64, into buffer: inout MutableRawSpan) throws(StorageError) -> Int {
    try buffer.withUnsafeMutableBytes { (bytes: UnsafeMutableRawBufferPointer) throws(StorageError) -> Int in
      var done = 0
      while done < bytes.count, let base = bytes.baseAddress {
        let position = off_t(clamping: offset &+ UInt64(done))
        let wanted = min(bytes.count - done, Self.largestTransfer)
        guard let count = retryingOnInterrupt({ pread(file.descriptor, base + done, wanted, position) }) else {
          throw StorageError(.read, file: file.name, code: errno)
        }
        if count == 0 { break }
        done += count
      }
      return done
    }
  }

  public func write(_ bytes: RawSpan, to file: OpenFile, at offset: UInt64) throws(StorageError) {
    try bytes.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) throws(StorageError) in
      var done = 0
      while done < bytes.count, let base = bytes.baseAddress {
        let position = off_t(clamping: offset &+ UInt64(done))
        let wanted = min(bytes.count - done, Self.largestTransfer)
        guard let count = retryingOnInterrupt({ pwrite(file.descriptor, base + done, wanted, position) }) else {
          throw StorageError(.write, file: file.name, code: errno, written: done)
        }
        // A write that takes nothing and gives no reason would loop for ever.
        guard count > 0 else { throw StorageError(.write, file: file.name, code: EIO, written: done) }
        done += count
      }
    }
  }

  public func sync(_ file: OpenFile) throws(StorageError) {
    guard retryingOnInterrupt({ fdatasync(file.descriptor) }) != nil else {
      throw StorageError(.sync, file: file.name, code: errno)
    }
  }

  public func truncate(_ file: OpenFile, to size: UInt64) throws(StorageError) {
    guard retryingOnInterrupt({ ftruncate(file.descriptor, off_t(clamping: size)) }) != nil else {
      throw StorageError(.truncate, file: file.name, code: errno)
    }
  }

  public func rename(_ old: String, to new: String) throws(StorageError) {
    guard renameat(directory.descriptor, old, directory.descriptor, new) == 0 else {
      throw StorageError(.rename, file: old, code: errno)
    }
  }

  public func remove(_ name: String) throws(StorageError) {
    guard unlinkat(directory.descriptor, name, 0) == 0 else { throw StorageError(.remove, file: name, code: errno) }
  }

  public func syncDirectory() throws(StorageError) {
    guard retryingOnInterrupt({ fsync(directory.descriptor) }) != nil else {
      throw StorageError(.syncDirectory, file: "", code: errno)
    }
  }
}
