import TLS

/// One end of a connection in memory, with what it has received so far.
final class End {
  let wire: TLSWire
  var session: TLSSession
  private(set) var received: [UInt8] = []
  private(set) var condition = TLSReceipt.Condition.open

  init(server context: TLSServerContext, on wire: TLSWire = TLSWire()) throws {
    self.wire = wire
    guard let session = TLSSession(server: context, on: wire) else { throw NoSession() }
    self.session = session
  }

  init(client context: TLSClientContext, host: String = "localhost", resuming resumption: TLSResumption? = nil) throws {
    wire = TLSWire()
    guard let session = TLSSession(client: context, host: host, resuming: resumption, on: wire) else {
      throw NoSession()
    }
    self.session = session
  }

  struct NoSession: Error {}

  /// What is on the wire, taken off it.
  func takeOutput() -> [UInt8] {
    defer { wire.removeOutput() }
    return Array(wire.output)
  }

  func receive(_ bytes: [UInt8]) {
    let room = TLSSession.plaintextCapacity(forCiphertext: bytes.count)
    let plaintext = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 16)
    defer { plaintext.deallocate() }
    let receipt = bytes.withUnsafeBytes { session.receive($0, into: plaintext, on: wire) }
    received += plaintext[..<receipt.count]
    condition = receipt.condition
  }

  // What a test expects of something that cannot be copied has to be a value first.
  var isEstablished: Bool { session.isEstablished }
  var isResumed: Bool { session.isResumed }
  var version: String { session.version }
  var applicationProtocol: String? { session.applicationProtocol }
  var resumption: TLSResumption? { session.resumption }

  func close() -> Bool { session.close(on: wire) }

  func send(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { session.send($0, on: wire) } }
}

/// Moves what both have to say until neither has anything, in pieces of so many bytes.
func exchange(_ one: End, _ other: End, piece: Int = .max) {
  var isQuiet = false
  while !isQuiet {
    isQuiet = true
    for (sender, receiver) in [(one, other), (other, one)] {
      var rest = sender.takeOutput()[...]
      if !rest.isEmpty { isQuiet = false }
      while !rest.isEmpty {
        receiver.receive(Array(rest.prefix(piece)))
        rest = rest.dropFirst(piece)
      }
    }
  }
}

enum Samples {
  static let own = Result {
    try SelfSignedCertificate(
      hosts: ["localhost", "127.0.0.1", "::1", "class.example"], validFromUnixSeconds: 0, to: 4_000_000_000)
  }
  static let other = Result {
    try SelfSignedCertificate(hosts: ["localhost"], validFromUnixSeconds: 0, to: 4_000_000_000)
  }

  static func server() throws -> TLSServerContext {
    let own = try own.get()
    return try TLSServerContext(certificateChain: own.certificate, privateKey: own.privateKey)
  }

  static func client() throws -> TLSClientContext {
    try TLSClientContext(trust: .certificates(pem: own.get().certificate))
  }
}
