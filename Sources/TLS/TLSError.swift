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
