import COpenSSL

/// Reading and writing PEM texts (RFC 7468).
public enum PEM {
  /// Why a text gives no private key.
  public enum PrivateKeyFailure: Error, Equatable, Sendable {
    /// The text holds no private key that can be read.
    case none
    /// The private key is protected by a password.
    case encrypted
  }

  /// The first private key of a text; the caller frees it.
  public static func privateKey(_ pem: [UInt8]) throws(PrivateKeyFailure) -> OpaquePointer {
    OpenSSLErrors.clear()
    defer { OpenSSLErrors.clear() }
    guard let bio = BIO_new_mem_buf(pem, Int32(clamping: pem.count)) else { throw .none }
    defer { BIO_free(bio) }
    var isAsked = false
    // Without a callback OpenSSL would ask at the terminal.
    let key = PEM_read_bio_PrivateKey(
      bio, nil,
      { _, _, _, asked in
        asked?.assumingMemoryBound(to: Bool.self).pointee = true
        return -1
      }, &isAsked)
    guard let key else { throw isAsked ? .encrypted : .none }
    return key
  }

  /// What `write` writes to a BIO; nil when it fails.
  public static func text(_ write: (OpaquePointer) -> Int32) -> [UInt8]? {
    guard let bio = BIO_new(BIO_s_mem()) else { return nil }
    defer { BIO_free(bio) }
    guard write(bio) == 1 else { return nil }
    var start: UnsafeMutablePointer<CChar>?
    let count = copenssl_memory_contents(bio, &start)
    return Array(UnsafeRawBufferPointer(start: start, count: count))
  }
}
