import Glibc

/// The process's standard streams and its end.
enum StandardStreams {
  /// Writes a line to standard output.
  static func say(_ line: String) { _ = write(Array((line + "\n").utf8), to: STDOUT_FILENO) }

  /// Writes a line to standard error.
  static func tell(_ line: String) { _ = write(Array((line + "\n").utf8), to: STDERR_FILENO) }

  static func exit(_ code: Int32) -> Never { Glibc.exit(code) }

  /// Writes everything.
  /// - Returns: false when that was not possible; `errno` says why.
  static func write(_ content: [UInt8], to descriptor: Int32) -> Bool {
    var rest = content[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      if count <= 0 { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }
}
