import COpenSSL
import OpenSSLSupport

extension PEM {
  /// The certificates of a text, in order; the caller frees them.
  static func certificates(_ pem: [UInt8]) throws(TLSCredentialError) -> [OpaquePointer] {
    OpenSSLErrors.clear()
    guard let bio = BIO_new_mem_buf(pem, Int32(clamping: pem.count)) else { throw .noCertificate }
    defer { BIO_free(bio) }
    var found: [OpaquePointer] = []
    while let certificate = PEM_read_bio_X509(bio, nil, { _, _, _, _ in -1 }, nil) { found.append(certificate) }
    // The text's end is told like a text without a certificate; anything else is a certificate that cannot be read.
    guard OpenSSLErrors.lastIsNoPEM else {
      for certificate in found { X509_free(certificate) }
      throw .refused(OpenSSLErrors.takeReason())
    }
    OpenSSLErrors.clear()
    guard !found.isEmpty else { throw .noCertificate }
    return found
  }
}

extension TLSCredentialError {
  /// Why a text gives no private key.
  init(_ failure: PEM.PrivateKeyFailure) {
    switch failure {
    case .none: self = .noPrivateKey
    case .encrypted: self = .encryptedPrivateKey
    }
  }
}
