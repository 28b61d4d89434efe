/// A storage operation that the operating system refused.
public struct StorageError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What was being done.
  public enum Operation: String, Sendable, CaseIterable {
    case list, open, size, read, write, sync, truncate, rename, remove, syncDirectory
  }

  /// What was being done.
  public var operation: Operation
  /// The name of the file inside the data folder; empty for the folder itself.
  public var file: String
  /// The error number of errno(3), as Linux numbers it.
  public var code: Int32
  /// Of a write: how many of its bytes were taken before it failed. 0 for everything else.
  public var written: Int

  /// An error of `operation` on `file`.
  public init(_ operation: Operation, file: String, code: Int32, written: Int = 0) {
    self.operation = operation
    self.file = file
    self.code = code
    self.written = written
  }

  /// Whether the disk or the quota is full (ENOSPC, EDQUOT), which an operator can mend while the server runs.
  public var isOutOfSpace: Bool { code == 28 || code == 122 }

  /// Whether the file does not exist (ENOENT).
  public var isNotFound: Bool { code == 2 }

  /// What an errno(3) of a disk says, in words.
  static func reason(for code: Int32) -> String {
    switch code {
    case 1: "operation not permitted"
    case 2: "no such file"
    case 5: "input/output error"
    case 13: "permission denied"
    case 17: "file exists"
    case 24: "too many open files"
    case 27: "file too large"
    case 28: "no space left on the device"
    case 30: "read-only file system"
    case 122: "disk quota exceeded"
    default: "error"
    }
  }

  public var description: String {
    let name = file.isEmpty ? "the data folder" : file
    return "\(operation.rawValue) of \(name) failed: \(Self.reason(for: code)) (errno \(code))"
  }
}
