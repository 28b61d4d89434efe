import Glibc

/// The process's standard streams and its end.
enum StandardStreams {
  /// Writes a line to standard output at once, also into a pipe.
  static func say(_ line: String) { write(line, to: STDOUT_FILENO) }

  /// Writes a line to standard error.
  static func complain(_ line: String) { write(line, to: STDERR_FILENO) }

  static func exit(_ code: Int32) -> Never { Glibc.exit(code) }

  private static func write(_ line: String, to descriptor: Int32) {
    var bytes = Array((line + "\n").utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      // Nobody reads it any more: there is nobody to tell.
      if count <= 0 { return }
      bytes = bytes.dropFirst(count)
    }
  }
}
