import COpenSSL

/// Why a TLS session failed. It can send nothing more but the alert that is on the wire already.
public enum TLSFailure: Error, Equatable, Sendable, CustomStringConvertible {
  /// The client speaks HTTP without TLS; nothing was answered.
  case plainHTTP
  /// The other side's certificate is not trusted, or not for this name, in OpenSSL's words.
  case certificate(String)
  /// The other side broke the protocol, or nothing was agreed; OpenSSL's words for it.
  case handshakeOrRecord(String)

  public var description: String {
    switch self {
    case .plainHTTP: "HTTP without TLS"
    case .certificate(let reason): "the certificate is refused: \(reason)"
    case .handshakeOrRecord(let reason): reason
    }
  }
}

/// Why a certificate or a key cannot be used.
public enum TLSCredentialError: Error, Equatable, Sendable {
  /// The text holds no certificate in PEM.
  case noCertificate
  /// The text holds no private key in PEM.
  case noPrivateKey
  /// The private key is protected by a password.
  case encryptedPrivateKey
  /// The private key is not that of the (first) certificate.
  case mismatch
  /// OpenSSL refuses it, in its words: a key that is too short, for example.
  case refused(String)
}

/// OpenSSL's queue of errors, which belongs to the thread: emptied before each call, and read right after one that failed.
enum ErrorQueue {
  static func clear() { ERR_clear_error() }

  /// The first error in words, without the place in OpenSSL's sources; the queue is empty afterwards.
  static func takeReason() -> String {
    let code = ERR_get_error()
    defer { clear() }
    guard code != 0, let reason = ERR_reason_error_string(code) else { return "unknown error" }
    return String(cString: reason)
  }

  /// Whether the last error is that a PEM text has no such part.
  static var lastIsNoPEM: Bool {
    let code = ERR_peek_last_error()
    return copenssl_error_library(code) == ERR_LIB_PEM && copenssl_error_reason(code) == PEM_R_NO_START_LINE
  }
}
