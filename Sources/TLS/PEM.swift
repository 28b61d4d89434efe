import COpenSSL

/// Reading and writing PEM texts (RFC 7468).
enum PEM {
  /// The certificates of a text, in order; the caller frees them.
  static func certificates(_ pem: [UInt8]) throws(TLSCredentialError) -> [OpaquePointer] {
    ErrorQueue.clear()
    guard let bio = BIO_new_mem_buf(pem, Int32(clamping: pem.count)) else { throw .noCertificate }
    defer { BIO_free(bio) }
    var found: [OpaquePointer] = []
    while let certificate = PEM_read_bio_X509(bio, nil, { _, _, _, _ in -1 }, nil) { found.append(certificate) }
    // The text's end is told like a text without a certificate; anything else is a certificate that cannot be read.
    guard ErrorQueue.lastIsNoPEM else {
      for certificate in found { X509_free(certificate) }
      throw .refused(ErrorQueue.takeReason())
    }
    ErrorQueue.clear()
    guard !found.isEmpty else { throw .noCertificate }
    return found
  }

  /// The first private key of a text; the caller frees it.
  static func privateKey(_ pem: [UInt8]) throws(TLSCredentialError) -> OpaquePointer {
    ErrorQueue.clear()
    guard let bio = BIO_new_mem_buf(pem, Int32(clamping: pem.count)) else { throw .noPrivateKey }
    defer { BIO_free(bio) }
    var isAsked = false
    // Without a callback OpenSSL would ask at the terminal.
    let key = PEM_read_bio_PrivateKey(
      bio, nil,
      { _, _, _, asked in
        asked?.assumingMemoryBound(to: Bool.self).pointee = true
        return -1
      }, &isAsked)
    if let key { return key }
    defer { ErrorQueue.clear() }
    if isAsked { throw .encryptedPrivateKey }
    throw .noPrivateKey
  }

  /// What `write` writes to a BIO; nil when it fails.
  static func text(_ write: (OpaquePointer) -> Int32) -> [UInt8]? {
    guard let bio = BIO_new(BIO_s_mem()) else { return nil }
    defer { BIO_free(bio) }
    guard write(bio) == 1 else { return nil }
    var start: UnsafeMutablePointer<CChar>?
    let count = copenssl_memory_contents(bio, &start)
    return Array(UnsafeRawBufferPointer(start: start, count: count))
  }
}
