import TLS

/// What all connections of a run share of TLS, on their one thread.
final class TransportSecurity {
  let context: TLSClientContext
  /// The name or address that the server's certificate must be for.
  let host: String
  let wire = TLSWire()
  /// What was received and is not decrypted.
  let ciphertext: UnsafeMutableRawBufferPointer

  /// - Parameter context: whom to trust.
  init(context: TLSClientContext, host: String) {
    self.context = context
    self.host = host
    ciphertext = .allocate(byteCount: 128 * 1024, alignment: 64)
  }

  deinit { ciphertext.deallocate() }
}
