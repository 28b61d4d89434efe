import TLS

/// A client's end of a TLS connection, for a blocking socket.
final class TestTLS {
  private let wire = TLSWire()
  private var session: TLSSession
  private var hasEnded = false

  init(_ context: TLSClientContext, host: String = "127.0.0.1", resuming resumption: TLSResumption? = nil) throws {
    guard let session = TLSSession(client: context, host: host, resuming: resumption, on: wire) else {
      throw VectorFailure("no TLS session")
    }
    self.session = session
  }

  var isEstablished: Bool { session.isEstablished }
  var isResumed: Bool { session.isResumed }
  var version: String { session.version }
  var resumption: TLSResumption? { session.resumption }

  /// What is to be sent now.
  func takeOutput() -> [UInt8] {
    defer { wire.removeOutput() }
    return Array(wire.output)
  }

  func encrypt(_ bytes: [UInt8]) throws -> [UInt8] {
    guard bytes.withUnsafeBytes({ session.send($0, on: wire) }) else { throw VectorFailure("cannot encrypt") }
    return takeOutput()
  }

  func closeNotify() -> [UInt8] {
    _ = session.close(on: wire)
    return takeOutput()
  }

  /// - Returns: what was said, maybe nothing; nil when the server has said that nothing follows.
  func decrypt(_ bytes: [UInt8]) throws -> [UInt8]? {
    if hasEnded { return nil }
    let plaintext = UnsafeMutableRawBufferPointer.allocate(
      byteCount: TLSSession.plaintextCapacity(forCiphertext: bytes.count), alignment: 16)
    defer { plaintext.deallocate() }
    let receipt = bytes.withUnsafeBytes { session.receive($0, into: plaintext, on: wire) }
    if case .failed(let failure) = receipt.condition { throw VectorFailure("TLS: \(failure)") }
    hasEnded = receipt.condition == .endOfStream
    return hasEnded && receipt.count == 0 ? nil : Array(plaintext[..<receipt.count])
  }
}
