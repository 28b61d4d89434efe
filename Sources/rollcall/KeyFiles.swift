import EventLoop
import Glibc
import SignalingServer

/// Files with keys as a command needs them.
enum KeyFiles {
  private static let maximumBytes = 64 * 1024

  static func read(_ path: String) throws(CommandFailure) -> [UInt8] {
    do throws(SystemError) {
      if let bytes = try PrivateFile.read(path, limit: maximumBytes) { return bytes }
    } catch {
      throw CommandFailure(sentence: "the key file \(path) cannot be read: \(SystemError.message(for: error.code))")
    }
    throw CommandFailure(sentence: "the key file \(path) is too long for a key")
  }

  /// Makes a file that was not there before.
  static func write(_ bytes: [UInt8], to path: String, isSecret: Bool) throws(CommandFailure) {
    guard PrivateFile.write(bytes, to: path, mode: isSecret ? 0o600 : 0o644) else {
      throw CommandFailure(sentence: "the file \(path) cannot be made: \(SystemError.message(for: errno))")
    }
  }
}
