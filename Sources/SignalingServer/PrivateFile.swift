import EventLoop
import Glibc

/// Small files that only their owner may read.
public enum PrivateFile {
  /// Reads a whole file.
  /// - Returns: nil when it holds more than `limit` bytes.
  public static func read(_ path: String, limit: Int) throws(SystemError) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemError(code: errno, call: "open") }
    let file = FileDescriptor(owning: descriptor)
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4096)
    while bytes.count <= limit {
      let count = Glibc.read(file.rawValue, &piece, piece.count)
      guard count >= 0 else { throw SystemError(code: errno, call: "read") }
      if count == 0 { return bytes }
      bytes += piece[..<count]
    }
    return nil
  }

  /// Puts these bytes, on disk, in the place of what the file held.
  static func replace(_ path: String, with bytes: [UInt8]) throws(SystemError) {
    let temporary = "\(path).\(Identifiers.random(bits: 40))"
    defer { unlink(temporary) }
    guard write(bytes, to: temporary), rename(temporary, path) == 0, syncFolder(of: path) else {
      throw SystemError(code: errno, call: "write")
    }
  }

  /// Makes a file that was not there before; `errno` tells why not.
  public static func write(_ bytes: [UInt8], to path: String, mode: UInt32 = 0o600) -> Bool {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return Glibc.write(descriptor, bytes, bytes.count) == bytes.count && fsync(descriptor) == 0
  }

  /// Puts the names in the folder of this path on disk; `errno` tells why not.
  static func syncFolder(of path: String) -> Bool {
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return fsync(descriptor) == 0
  }
}
