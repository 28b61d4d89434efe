import EventLoop
import Glibc
import HTTPClient
import Tokens

/// Where public keys come from that check tokens.
public struct KeySource: Sendable, Equatable {
  /// What there is at that place.
  public enum Form: Sendable, Equatable {
    /// A file in PEM. The keys of a file without an algorithm are for the usual one of their kind, and those without an id
    /// are tried for every token of their algorithm.
    case pem(path: String, algorithm: TokenAlgorithm?, id: String?)
    /// A file with a JWK set.
    case set(path: String)
    /// An https address of a JWK set.
    case address(String)
  }

  public var form: Form
  /// Whose keys these are: they check no token of another issuer. Nil when that is not told.
  public var issuer: String?

  /// A source of keys.
  public init(_ form: Form, issuer: String? = nil) {
    self.form = form
    self.issuer = issuer
  }

  /// The file, unless it is an address.
  var path: String? {
    switch form {
    case .pem(let path, _, _), .set(let path): path
    case .address: nil
    }
  }

  /// What the operator calls it.
  var name: String {
    switch form {
    case .pem(let path, _, _), .set(let path), .address(let path): path
    }
  }
}

/// Why a source has no keys; the description is a sentence for the operator.
public enum KeySourceFailure: Error, Equatable, Sendable, CustomStringConvertible {
  case unreadable(String, reason: String)
  case tooLong(String)
  case key(String, KeyFailure)
  case set(String, JSONWebKeySet.Failure)
  case download(String, HTTPDownload.Failure)

  public var description: String {
    switch self {
    case .unreadable(let name, let reason): "the keys in \(name) cannot be read: \(reason)"
    case .tooLong(let name): "the file \(name) is too long for keys"
    case .key(let name, let failure): "the file \(name) \(failure)"
    case .set(let name, let failure): "\(name) \(failure)"
    case .download(let name, let failure): "the keys at \(name) cannot be fetched: \(failure)"
    }
  }
}

/// How keys are fetched.
struct KeyFetching: Sendable {
  /// A file with the certificates of the authorities that are trusted for https; nil for the system's.
  var authorityFile: String?
  /// Whether `http` to this machine itself will do.
  var permitsPlainLoopback = false

  /// What a source holds now, and what of it cannot be used.
  func load(
    _ source: KeySource, isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws(KeySourceFailure) -> (keys: [VerificationKey], skipped: [String]) {
    switch source.form {
    case .pem(let path, let algorithm, let id):
      let text = try read(path)
      do throws(KeyFailure) {
        return (try VerificationKey.keys(pem: text, algorithm: algorithm, id: id, issuer: source.issuer), [])
      } catch {
        throw .key(path, error)
      }
    case .set(let path): return try set(try read(path), of: source)
    case .address(let address): return try set(try fetch(address, isCancelled: isCancelled), of: source)
    }
  }

  /// Whether an address is one that keys are fetched from.
  func check(_ address: String) throws(KeySourceFailure) { _ = try download(address) }

  private func set(
    _ text: [UInt8], of source: KeySource
  ) throws(KeySourceFailure) -> (keys: [VerificationKey], skipped: [String]) {
    do throws(JSONWebKeySet.Failure) {
      let set = try JSONWebKeySet(text, issuer: source.issuer)
      return (set.keys, set.skipped)
    } catch {
      throw .set(source.name, error)
    }
  }

  private func read(_ path: String) throws(KeySourceFailure) -> [UInt8] {
    let bytes: [UInt8]?
    do throws(SystemError) {
      bytes = try PrivateFile.read(path, limit: JSONWebKeySet.maximumBytes)
    } catch {
      throw .unreadable(path, reason: SystemError.message(for: error.code))
    }
    guard let bytes else { throw .tooLong(path) }
    return bytes
  }

  private func download(_ address: String) throws(KeySourceFailure) -> HTTPDownload {
    do throws(HTTPDownload.Failure) {
      var download = try HTTPDownload(address: address, permitsPlainLoopback: permitsPlainLoopback)
      download.maximumBytes = JSONWebKeySet.maximumBytes
      download.authorityFile = authorityFile
      return download
    } catch {
      throw .download(address, error)
    }
  }

  private func fetch(
    _ address: String, isCancelled: @escaping @Sendable () -> Bool
  ) throws(KeySourceFailure) -> [UInt8] {
    let download = try download(address)
    do throws(HTTPDownload.Failure) {
      return try download.body(isCancelled: isCancelled)
    } catch {
      throw .download(address, error)
    }
  }
}

/// What tells that a file is another one than before, without reading it.
struct FileStamp: Equatable {
  private let numbers: [Int64]

  /// The stamp of a file; all files that cannot be looked at have the same.
  init(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else {
      numbers = []
      return
    }
    numbers = [
      Int64(bitPattern: UInt64(status.st_ino)), Int64(status.st_size), Int64(status.st_mtim.tv_sec),
      Int64(status.st_mtim.tv_nsec),
    ]
  }
}
