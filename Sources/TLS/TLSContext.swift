import COpenSSL
import OpenSSLSupport

/// What all sessions have in common: TLS 1.2 and 1.3 as Mozilla's "intermediate" has them, HTTP/1.1 as the only application
/// protocol (RFC 7301), buffers given back while they hold nothing.
enum TLSProfile {
  /// TLS 1.2; forward secrecy and authenticated encryption alone.
  static let ciphers = """
    ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:\
    ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305
    """
  /// TLS 1.3.
  static let cipherSuites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
  static let groups = "X25519:P-256:P-384"
  static let applicationProtocol: [UInt8] = Array("http/1.1".utf8)
  /// How long a session can be resumed, in seconds.
  static let sessionSeconds = 7200

  static func apply(to context: OpaquePointer) {
    copenssl_set_protocols(context, TLS1_2_VERSION, TLS1_3_VERSION)
    copenssl_set_mode(context, Int(SSL_MODE_RELEASE_BUFFERS))
    // No cache on our side: what resumes a session is in the client's ticket (RFC 5077; RFC 8446, 4.6.1).
    copenssl_set_session_cache_mode(context, Int(SSL_SESS_CACHE_OFF))
    SSL_CTX_set_timeout(context, sessionSeconds)
    let isKnown =
      SSL_CTX_set_cipher_list(context, ciphers) == 1 && SSL_CTX_set_ciphersuites(context, cipherSuites) == 1
      && copenssl_set_groups(context, groups) == 1
    precondition(isKnown, "OpenSSL 3 has these ciphers and groups")
  }
}

/// A server's certificate and key with everything that its sessions share.
///
/// `@unchecked Sendable`: OpenSSL counts references to an `SSL_CTX` atomically and locks what sessions of several threads
/// share in it, and after `init` nothing here changes it.
public final class TLSServerContext: @unchecked Sendable {
  let context: OpaquePointer

  /// Reads certificate and key.
  ///
  /// - Parameters:
  ///   - certificateChain: PEM, the server's own certificate first.
  ///   - privateKey: PEM, not encrypted.
  public init(certificateChain: [UInt8], privateKey: [UInt8]) throws(TLSCredentialError) {
    guard let context = SSL_CTX_new(TLS_server_method()) else { throw .refused(OpenSSLErrors.takeReason()) }
    TLSProfile.apply(to: context)
    // A renegotiation (TLS 1.2) would change keys and identities in the middle, and costs us more than the client.
    SSL_CTX_set_options(context, copenssl_server_options())
    SSL_CTX_set_alpn_select_cb(context, Self.selectProtocol, nil)
    do throws(TLSCredentialError) {
      try Self.use(certificateChain, privateKey, in: context)
    } catch {
      SSL_CTX_free(context)
      throw error
    }
    self.context = context
  }

  deinit { SSL_CTX_free(context) }

  private static func use(_ chain: [UInt8], _ key: [UInt8], in context: OpaquePointer) throws(TLSCredentialError) {
    let certificates = try PEM.certificates(chain)
    // Those that the context takes over are counted once more there.
    defer { for certificate in certificates { X509_free(certificate) } }
    let privateKey: OpaquePointer
    do throws(PEM.PrivateKeyFailure) {
      privateKey = try PEM.privateKey(key)
    } catch {
      throw TLSCredentialError(error)
    }
    defer { EVP_PKEY_free(privateKey) }
    OpenSSLErrors.clear()
    guard SSL_CTX_use_certificate(context, certificates[0]) == 1 else { throw .refused(OpenSSLErrors.takeReason()) }
    for certificate in certificates.dropFirst() {
      X509_up_ref(certificate)
      guard copenssl_add_chain_certificate(context, certificate) == 1 else {
        X509_free(certificate)
        throw .refused(OpenSSLErrors.takeReason())
      }
    }
    guard X509_check_private_key(certificates[0], privateKey) == 1 else {
      OpenSSLErrors.clear()
      throw .mismatch
    }
    guard SSL_CTX_use_PrivateKey(context, privateKey) == 1 else { throw .refused(OpenSSLErrors.takeReason()) }
  }

  /// RFC 7301, 3.2: HTTP/1.1 or a fatal `no_application_protocol`. A client that offers nothing gets HTTP/1.1 all the same.
  private static let selectProtocol: SSL_CTX_alpn_select_cb_func = { _, selected, selectedCount, offered, count, _ in
    let list = UnsafeBufferPointer(start: offered, count: Int(count))
    let wanted = TLSProfile.applicationProtocol
    var index = 0
    while index < list.count {
      let end = index + 1 + Int(list[index])
      guard end <= list.count else { break }
      if list[(index + 1)..<end].elementsEqual(wanted), let offered {
        selected?.pointee = offered + index + 1
        selectedCount?.pointee = UInt8(wanted.count)
        return SSL_TLSEXT_ERR_OK
      }
      index = end
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
  }
}

/// Whom a client trusts.
public enum TLSTrust: Equatable, Sendable {
  /// The authorities that the system trusts.
  case system
  /// These certificates alone, in PEM: authorities, or a server's own certificate. The server's name is checked too.
  case certificates(pem: [UInt8])
  /// Anybody: the connection is secret, but with whom is not known.
  case anybody
}

/// A client's trust with everything that its sessions share.
///
/// `@unchecked Sendable` as ``TLSServerContext``.
public final class TLSClientContext: @unchecked Sendable {
  let context: OpaquePointer
  let checksName: Bool

  /// Reads the certificates to trust.
  public init(trust: TLSTrust) throws(TLSCredentialError) {
    guard let context = SSL_CTX_new(TLS_client_method()) else { throw .refused(OpenSSLErrors.takeReason()) }
    TLSProfile.apply(to: context)
    checksName = trust != .anybody
    let wanted = [UInt8(TLSProfile.applicationProtocol.count)] + TLSProfile.applicationProtocol
    // Alone among these calls this one returns 0 for success.
    _ = SSL_CTX_set_alpn_protos(context, wanted, UInt32(wanted.count))
    SSL_CTX_set_verify(context, trust == .anybody ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nil)
    do throws(TLSCredentialError) {
      switch trust {
      case .system: SSL_CTX_set_default_verify_paths(context)
      case .certificates(let pem): try Self.trust(pem, in: context)
      case .anybody: break
      }
    } catch {
      SSL_CTX_free(context)
      throw error
    }
    self.context = context
  }

  deinit { SSL_CTX_free(context) }

  private static func trust(_ pem: [UInt8], in context: OpaquePointer) throws(TLSCredentialError) {
    let certificates = try PEM.certificates(pem)
    defer { for certificate in certificates { X509_free(certificate) } }
    guard let store = SSL_CTX_get_cert_store(context) else { throw .refused(OpenSSLErrors.takeReason()) }
    for certificate in certificates {
      guard X509_STORE_add_cert(store, certificate) == 1 else { throw .refused(OpenSSLErrors.takeReason()) }
    }
    // So that a server's own certificate, which is no authority, can be trusted by itself.
    X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
  }
}
