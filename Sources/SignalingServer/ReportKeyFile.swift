import EventLoop
import Glibc

/// The file with the key that signs attendance reports.
public enum ReportKeyFile {
  /// The file's name in a data folder.
  public static let name = "report-key.pem"

  /// Why there is no key.
  public enum Failure: Error, CustomStringConvertible {
    case unreadable(path: String, reason: String)
    case noKey(path: String)
    case unwritable(path: String, reason: String)

    public var description: String {
      switch self {
      case .unreadable(let path, let reason): "the report key \(path) cannot be read: \(reason)"
      case .noKey(let path): "the file \(path) holds no Ed25519 key in PEM without a password"
      case .unwritable(let path, let reason): "the report key \(path) cannot be written: \(reason)"
      }
    }
  }

  private static let maximumBytes = 65_536

  /// Reads a private key in PEM.
  public static func read(_ path: String) throws(Failure) -> ReportKey {
    let bytes: [UInt8]?
    do throws(SystemError) {
      bytes = try PrivateFile.read(path, limit: maximumBytes)
    } catch {
      throw .unreadable(path: path, reason: SystemError.message(for: error.code))
    }
    guard let bytes, let key = ReportKey(pem: bytes) else { throw .noKey(path: path) }
    return key
  }

  /// Reads the key; nil when there is no such file.
  static func readIfPresent(_ path: String) throws(Failure) -> ReportKey? {
    if access(path, F_OK) == 0 { return try read(path) }
    return nil
  }

  /// Makes a key that only its owner can read. The folder must be locked: nobody else may make one there at the same time.
  static func create(_ path: String) throws(Failure) -> ReportKey {
    guard let key = ReportKey.generate() else {
      throw .unwritable(path: path, reason: "no key can be made")
    }
    // A report must not outlive the key that signed it: on disk first, under its name after. What a crash leaves behind
    // is written over.
    let temporary = path + ".tmp"
    unlink(temporary)
    guard PrivateFile.write(key.pem, to: temporary), rename(temporary, path) == 0, PrivateFile.syncFolder(of: path)
    else {
      throw .unwritable(path: path, reason: SystemError.message(for: errno))
    }
    return key
  }
}

/// Files that the commands about reports read.
public enum ReportInput {
  /// Reads a whole file.
  /// - Returns: nil when it holds more than `limit` bytes.
  public static func read(_ path: String, limit: Int) throws(SystemError) -> [UInt8]? {
    try PrivateFile.read(path, limit: limit)
  }
}
