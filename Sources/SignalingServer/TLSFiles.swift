import EventLoop
import TLS

/// Where a server's certificate and key come from.
public enum TLSSource: Equatable, Sendable {
  /// From these files, in PEM; the certificate file may hold a chain, the server's own certificate first.
  case files(certificate: String, key: String)
  /// Made by the server itself and kept in its data folder.
  case selfSigned
}

/// Why there is no certificate; the description is a sentence for the operator.
public enum TLSFileError: Error, Equatable, CustomStringConvertible {
  case unreadable(path: String, reason: String)
  case tooLong(path: String)
  case unwritable(path: String, reason: String)
  case unusable(TLSCredentialError, certificate: String, key: String)

  public var description: String {
    switch self {
    case .unreadable(let path, let reason): "the file \(path) cannot be read: \(reason)"
    case .tooLong(let path): "the file \(path) is too long for a certificate or a key"
    case .unwritable(let path, let reason): "the file \(path) cannot be written: \(reason)"
    case .unusable(.noCertificate, let certificate, _): "the file \(certificate) holds no certificate in PEM"
    case .unusable(.noPrivateKey, _, let key): "the file \(key) holds no private key in PEM"
    case .unusable(.encryptedPrivateKey, _, let key):
      "the private key in \(key) is encrypted; `openssl pkey -in \(key) -out …` writes it without its password"
    case .unusable(.mismatch, let certificate, let key):
      "the private key in \(key) is not that of the certificate in \(certificate)"
    case .unusable(.refused(let reason), let certificate, let key):
      "the certificate in \(certificate) cannot be used with \(key): \(reason)"
    }
  }
}

/// Whether a certificate and a key can be used, for who only looks.
public enum TLSFileCheck {
  /// Reads both.
  /// - Returns: whether the certificate holds now.
  public static func load(certificate: String, key: String, atUnixSeconds now: Int64) throws(TLSFileError) -> Bool {
    let files = TLSFiles(source: .files(certificate: certificate, key: key), dataFolder: "", host: "")
    return try files.load(atUnixSeconds: now).isValidNow
  }
}

/// Reads certificates and keys, and makes those that the server signs itself.
struct TLSFiles {
  let source: TLSSource
  let dataFolder: String
  /// What the server was told to listen on.
  let host: String

  /// What a file of certificates may hold: a chain has a few KiB.
  static let maximumBytes = 1 << 20
  /// How long a certificate of our own holds. Longer ones are refused by some, even when told to trust them.
  private static let validSeconds: Int64 = 365 * 86_400
  /// Before its end, or for clocks that are behind: a day.
  private static let marginSeconds: Int64 = 86_400

  /// Reads what there is, or makes it.
  ///
  /// - Parameter now: in seconds since 1970.
  /// - Returns: everything for new sessions, and whether the certificate holds now.
  func load(atUnixSeconds now: Int64) throws(TLSFileError) -> (context: TLSServerContext, isValidNow: Bool) {
    switch source {
    case .files(let certificate, let key):
      let pair = try (certificate: read(certificate), key: read(key))
      return try load(pair, names: (certificate, key), now)
    case .selfSigned:
      let names = (certificate: "\(dataFolder)/self-signed.crt", key: "\(dataFolder)/self-signed.key")
      let wanted = hosts()
      // One that is missing or no good is made anew.
      if let pair = try? (certificate: read(names.certificate), key: read(names.key)),
        isGood(pair.certificate, wanted, now),
        let loaded = try? load(pair, names: names, now)
      {
        return loaded
      }
      let made: SelfSignedCertificate
      do throws(TLSCredentialError) {
        made = try SelfSignedCertificate(
          hosts: wanted, validFromUnixSeconds: now - Self.marginSeconds,
          to: now - Self.marginSeconds + Self.validSeconds)
      } catch {
        throw .unusable(error, certificate: names.certificate, key: names.key)
      }
      // A crash between the two leaves a pair that does not match, which is made anew.
      try write(made.privateKey, to: names.key)
      try write(made.certificate, to: names.certificate)
      return try load((made.certificate, made.privateKey), names: names, now)
    }
  }

  private func load(
    _ pair: (certificate: [UInt8], key: [UInt8]), names: (certificate: String, key: String), _ now: Int64
  ) throws(TLSFileError) -> (context: TLSServerContext, isValidNow: Bool) {
    do throws(TLSCredentialError) {
      let context = try TLSServerContext(certificateChain: pair.certificate, privateKey: pair.key)
      let isValid = try TLSCertificate(pem: pair.certificate).isValid(atUnixSeconds: now)
      return (context, isValid)
    } catch {
      throw .unusable(error, certificate: names.certificate, key: names.key)
    }
  }

  /// Whether a certificate of ours holds for another while and for every name that this machine has now.
  private func isGood(_ pem: [UInt8], _ hosts: [String], _ now: Int64) -> Bool {
    guard let certificate = try? TLSCertificate(pem: pem) else { return false }
    return certificate.isValid(atUnixSeconds: now) && certificate.isValid(atUnixSeconds: now + Self.marginSeconds)
      && hosts.allSatisfy { certificate.covers($0) }
  }

  /// What a certificate of ours is for: what the server listens on, and how else the machine is reached.
  private func hosts() -> [String] {
    let named = [host, HostNames.ownName() ?? "", "localhost", "127.0.0.1", "::1"]
    var hosts: [String] = []
    for host in named + HostNames.ownAddresses().map(\.host) {
      let isWildcard = host == "0.0.0.0" || host == "::"
      if SelfSignedCertificate.canName(host), !isWildcard, !hosts.contains(host) { hosts.append(host) }
    }
    return hosts
  }

  private func read(_ path: String) throws(TLSFileError) -> [UInt8] {
    let bytes: [UInt8]?
    do throws(SystemError) {
      bytes = try PrivateFile.read(path, limit: Self.maximumBytes)
    } catch {
      throw .unreadable(path: path, reason: SystemError.message(for: error.code))
    }
    guard let bytes else { throw .tooLong(path: path) }
    return bytes
  }

  private func write(_ bytes: [UInt8], to path: String) throws(TLSFileError) {
    do throws(SystemError) {
      try PrivateFile.replace(path, with: bytes)
    } catch {
      throw .unwritable(path: path, reason: SystemError.message(for: error.code))
    }
  }
}
