import COpenSSL
import OpenSSLSupport

/// What a session made of the ciphertext it received.
public struct TLSReceipt: Equatable, Sendable {
  /// How it is with the session now.
  public enum Condition: Equatable, Sendable {
    case open
    /// The other side sends nothing more, and has said so (`close_notify`; RFC 8446, 6.1).
    case endOfStream
    case failed(TLSFailure)
  }

  /// How many bytes were decrypted, before whatever `condition` tells.
  public var count: Int
  public var condition: Condition
}

/// What a client keeps of a session to resume it later with less work on both sides.
///
/// `@unchecked Sendable`: OpenSSL counts references to an `SSL_SESSION` atomically, and sessions that are to be resumed are
/// only read.
public final class TLSResumption: @unchecked Sendable {
  let session: OpaquePointer

  init(owning session: OpaquePointer) { self.session = session }

  deinit { SSL_SESSION_free(session) }
}

/// One end of a TLS connection, bytes in and bytes out: it knows nothing of sockets and never waits.
///
/// Each call is given the ``TLSWire`` of its thread; what is to be sent to the other side, handshake and alerts included,
/// is on it afterwards.
///
/// `@unchecked Sendable`: an `SSL` may be used by any thread, one at a time, and it has one owner. Between two threads'
/// wires it is to be moved with ``detach()`` and ``attach(to:)``.
public struct TLSSession: ~Copyable, @unchecked Sendable {
  private let session: OpaquePointer

  /// The most plaintext that a session holds back until the rest of a record has come (RFC 8446, 5.1).
  public static let maximumRecordBytes = 16384

  /// A session that waits for a client's hello.
  ///
  /// - Returns: nil when there is no memory for it.
  public init?(server context: TLSServerContext, on wire: TLSWire) {
    guard let session = SSL_new(context.context) else { return nil }
    self.session = session
    attach(to: wire)
    SSL_set_accept_state(session)
  }

  /// A session whose hello is on the wire when this returns.
  ///
  /// - Parameters:
  ///   - host: the name or numeric address that the server's certificate must be for, unless anybody is trusted.
  ///   - resumption: of an earlier session with the same server.
  /// - Returns: nil when there is no memory for it, or no such host can be.
  public init?(
    client context: TLSClientContext, host: String, resuming resumption: TLSResumption? = nil, on wire: TLSWire
  ) {
    guard let session = Self.makeClient(context, host, resumption) else { return nil }
    self.session = session
    attach(to: wire)
    SSL_set_connect_state(session)
    _ = wire.withInput(UnsafeRawBufferPointer(start: nil, count: 0)) {
      OpenSSLErrors.clear()
      return SSL_do_handshake(session)
    }
  }

  private static func makeClient(
    _ context: TLSClientContext, _ host: String, _ resumption: TLSResumption?
  ) -> OpaquePointer? {
    guard let session = SSL_new(context.context) else { return nil }
    OpenSSLErrors.clear()
    // RFC 6066, 3: an address is no server name.
    let isAddress = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host) == 1
    guard
      isAddress
        || copenssl_set_server_name(session, host) == 1 && (!context.checksName || SSL_set1_host(session, host) == 1),
      resumption.map({ SSL_set_session(session, $0.session) == 1 }) ?? true
    else {
      SSL_free(session)
      return nil
    }
    return session
  }

  deinit { SSL_free(session) }

  // MARK: Moving

  /// Lets the wire go, before the session goes to another thread. Nothing is lost: part of a record that has come stays in
  /// the session.
  public mutating func detach() {
    SSL_set0_rbio(session, nil)
    SSL_set0_wbio(session, nil)
  }

  /// Goes on with the wire of this thread.
  public mutating func attach(to wire: TLSWire) {
    // Each of the two takes a reference over.
    BIO_up_ref(wire.bio)
    SSL_set0_rbio(session, wire.bio)
    BIO_up_ref(wire.bio)
    SSL_set0_wbio(session, wire.bio)
  }

  // MARK: Condition

  /// Whether the handshake is done, so that something can be sent.
  public var isEstablished: Bool { SSL_is_init_finished(session) == 1 }

  /// Whether the handshake took up an earlier session.
  public var isResumed: Bool { SSL_session_reused(session) == 1 }

  /// For example `TLSv1.3`.
  public var version: String { SSL_get_version(session).map { String(cString: $0) } ?? "" }

  /// For example `TLS_AES_128_GCM_SHA256`; empty before one is agreed.
  public var cipher: String {
    SSL_CIPHER_get_name(SSL_get_current_cipher(session)).map { String(cString: $0) } ?? ""
  }

  /// What was agreed by ALPN, for example `http/1.1`; nil when nothing was.
  public var applicationProtocol: String? {
    var name: UnsafePointer<UInt8>?
    var count: UInt32 = 0
    SSL_get0_alpn_selected(session, &name, &count)
    guard let name, count > 0 else { return nil }
    return String(decoding: UnsafeBufferPointer(start: name, count: Int(count)), as: UTF8.self)
  }

  /// Whether the other side has said that it sends nothing more.
  public var hasOtherSideEnded: Bool { SSL_get_shutdown(session) & SSL_RECEIVED_SHUTDOWN != 0 }

  /// What a client needs to resume this session later; with TLS 1.3 it is there only when the server's ticket has come.
  public var resumption: TLSResumption? {
    guard let earlier = SSL_get1_session(session) else { return nil }
    guard SSL_SESSION_is_resumable(earlier) == 1 else {
      SSL_SESSION_free(earlier)
      return nil
    }
    return TLSResumption(owning: earlier)
  }

  // MARK: Bytes

  /// The room that the plaintext of so much ciphertext may need.
  public static func plaintextCapacity(forCiphertext count: Int) -> Int { count + maximumRecordBytes }

  /// Whether a connection that begins with this byte is HTTP that someone sends without TLS: a method's first letter, where
  /// TLS has the type of a handshake record.
  public static func isPlainHTTP(firstByte: UInt8) -> Bool {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(firstByte)
  }

  /// Takes in bytes of the other side: all of them, whatever they are.
  ///
  /// - Parameter plaintext: where to decrypt to; room for ``plaintextCapacity(forCiphertext:)``.
  public mutating func receive(
    _ ciphertext: UnsafeRawBufferPointer, into plaintext: UnsafeMutableRawBufferPointer, on wire: TLSWire
  ) -> TLSReceipt {
    precondition(plaintext.count >= Self.plaintextCapacity(forCiphertext: ciphertext.count))
    return wire.withInput(ciphertext) { [session] in
      var count = 0
      while true {
        OpenSSLErrors.clear()
        var decrypted = 0
        let result = SSL_read_ex(
          session, plaintext.baseAddress.map { $0 + count }, plaintext.count - count, &decrypted)
        if result == 1 {
          count += decrypted
          continue
        }
        switch SSL_get_error(session, result) {
        case SSL_ERROR_WANT_READ: return TLSReceipt(count: count, condition: .open)
        case SSL_ERROR_ZERO_RETURN: return TLSReceipt(count: count, condition: .endOfStream)
        default: return TLSReceipt(count: count, condition: .failed(Self.failure(of: session)))
        }
      }
    }
  }

  /// Encrypts bytes of ours onto the wire.
  ///
  /// - Returns: whether that was possible; not before the handshake is done, after a failure or our own `close()`.
  public mutating func send(_ plaintext: UnsafeRawBufferPointer, on wire: TLSWire) -> Bool {
    guard !plaintext.isEmpty else { return true }
    guard isEstablished else { return false }
    OpenSSLErrors.clear()
    var written = 0
    return SSL_write_ex(session, plaintext.baseAddress, plaintext.count, &written) == 1
  }

  /// Says that nothing more comes from us (`close_notify`). What the other side sends can still be received.
  ///
  /// - Returns: whether that was put on the wire; not a second time, and not by a session that is not established.
  public mutating func close(on wire: TLSWire) -> Bool {
    guard isEstablished, SSL_get_shutdown(session) & SSL_SENT_SHUTDOWN == 0 else { return false }
    OpenSSLErrors.clear()
    return SSL_shutdown(session) >= 0
  }

  private static func failure(of session: OpaquePointer) -> TLSFailure {
    let code = ERR_peek_error()
    if copenssl_error_library(code) == ERR_LIB_SSL {
      switch copenssl_error_reason(code) {
      case SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST:
        OpenSSLErrors.clear()
        return .plainHTTP
      case SSL_R_CERTIFICATE_VERIFY_FAILED:
        OpenSSLErrors.clear()
        let reason = X509_verify_cert_error_string(SSL_get_verify_result(session))
        return .certificate(reason.map { String(cString: $0) } ?? "unknown reason")
      default: break
      }
    }
    return .handshakeOrRecord(OpenSSLErrors.takeReason())
  }
}
