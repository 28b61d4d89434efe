import EventLoop
import Glibc
import Tokens

/// The file with the secret that signs tokens.
public enum SecretFile {
  /// Why there is no secret.
  public enum Failure: Error, CustomStringConvertible {
    case unreadable(path: String, reason: String)
    case tooShort(path: String, minimum: Int)
    /// The secret of the environment.
    case tooShortInEnvironment
    case tooLong(path: String)
    /// A key pair or a certificate: whoever has the public half of it could sign.
    case isPEM(path: String)
    case unwritable(path: String, reason: String)

    public var description: String {
      switch self {
      case .unreadable(let path, let reason): "the secret file \(path) cannot be read: \(reason)"
      case .tooShort(let path, let minimum): "the secret file \(path) holds less than \(minimum) bytes"
      case .tooShortInEnvironment: "the secret of the environment has less than \(TokenKey.minimumBytes) bytes"
      case .tooLong(let path): "the secret file \(path) holds more than \(SecretFile.maximumBytes) bytes"
      case .isPEM(let path): "the secret file \(path) holds a key or a certificate in PEM, which is no secret"
      case .unwritable(let path, let reason): "the secret file \(path) cannot be written: \(reason)"
      }
    }
  }

  /// The most that a file may hold; what issues the tokens uses all of it, so nothing is left out.
  static let maximumBytes = 4096

  /// Reads a secret; white space at the end does not belong to it.
  public static func read(_ path: String) throws(Failure) -> [UInt8] {
    try read(path, minimumBytes: TokenKey.minimumBytes)
  }

  /// Reads a secret of at least so many bytes; white space at the end does not belong to it.
  public static func read(_ path: String, minimumBytes: Int) throws(Failure) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unreadable(path: path, reason: SystemError.message(for: errno)) }
    let file = FileDescriptor(owning: descriptor)
    var secret = [UInt8](repeating: 0, count: maximumBytes + 1)
    let count = Glibc.read(file.rawValue, &secret, secret.count)
    guard count >= 0 else { throw .unreadable(path: path, reason: SystemError.message(for: errno)) }
    guard count <= maximumBytes else { throw .tooLong(path: path) }
    secret.removeLast(secret.count - count)
    while let last = secret.last, [0x0A, 0x0D, 0x20, 0x09].contains(last) { secret.removeLast() }
    guard secret.count >= minimumBytes else { throw .tooShort(path: path, minimum: minimumBytes) }
    guard !secret.starts(with: "-----BEGIN".utf8) else { throw .isPEM(path: path) }
    return secret
  }

  /// The secret of the environment.
  public static func check(_ secret: String) throws(Failure) -> [UInt8] {
    guard secret.utf8.count >= TokenKey.minimumBytes else { throw .tooShortInEnvironment }
    return Array(secret.utf8)
  }

  /// Reads the secret, or makes one that only its owner can read when there is no such file.
  public static func readOrCreate(_ path: String) throws(Failure) -> [UInt8] {
    if access(path, F_OK) == 0 { return try read(path) }
    let secret = Array(Identifiers.random(bits: 320).utf8)
    let temporary = "\(path).\(Identifiers.random(bits: 40))"
    defer { unlink(temporary) }
    // A token must not outlive the secret that signed it: on disk first, under its name after. Of two servers that begin
    // at once, one gives the file its name, and both go by that file.
    guard PrivateFile.write(secret, to: temporary), link(temporary, path) == 0 || errno == EEXIST,
      PrivateFile.syncFolder(of: path)
    else {
      throw .unwritable(path: path, reason: SystemError.message(for: errno))
    }
    return try read(path)
  }
}
