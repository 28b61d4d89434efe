import EventLoop
import Glibc

/// Files that are read or written at once.
enum SmallFile {
  /// The content of a file, up to `maximumBytes`.
  static func read(_ path: String, maximumBytes: Int = 1 << 16) throws(SystemError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemError(code: errno, call: "open \(path)") }
    let file = FileDescriptor(owning: descriptor)
    var content = [UInt8](repeating: 0, count: maximumBytes)
    var filled = 0
    while filled < maximumBytes {
      let count = content.withUnsafeMutableBytes {
        Glibc.read(file.rawValue, $0.baseAddress?.advanced(by: filled), maximumBytes - filled)
      }
      if count == 0 { break }
      if count > 0 {
        filled += count
      } else if errno != EINTR {
        throw SystemError(code: errno, call: "read \(path)")
      }
    }
    return Array(content[..<filled])
  }

  /// The content of a file without the white space at its end.
  static func readTrimmed(_ path: String) throws(SystemError) -> [UInt8] {
    var content = try read(path)
    while let last = content.last, [0x0A, 0x0D, 0x20, 0x09].contains(last) { content.removeLast() }
    return content
  }

  /// Makes or replaces a file.
  static func write(_ content: [UInt8], to path: String) throws(SystemError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw SystemError(code: errno, call: "open \(path)") }
    let file = FileDescriptor(owning: descriptor)
    guard StandardStreams.write(content, to: file.rawValue) else {
      throw SystemError(code: errno, call: "write \(path)")
    }
  }
}
