import TLS
import Testing

@Suite("Whom a client trusts")
struct TrustTests {
  private func meet(_ trust: TLSTrust, host: String) throws -> (server: End, client: End) {
    let server = try End(server: Samples.server())
    let client = try End(client: TLSClientContext(trust: trust), host: host)
    exchange(client, server)
    return (server, client)
  }

  @Test("the one certificate that it was given, by each of its names", arguments: ["localhost", "127.0.0.1", "::1"])
  func pinned(host: String) throws {
    let (_, client) = try meet(.certificates(pem: Samples.own.get().certificate), host: host)
    #expect(client.isEstablished)
  }

  @Test("not the certificate under another name or address", arguments: ["example.org", "127.0.0.2", "localhost.evil"])
  func wrongName(host: String) throws {
    let (server, client) = try meet(.certificates(pem: Samples.own.get().certificate), host: host)
    guard case .failed(.certificate(let reason)) = client.condition else {
      Issue.record("\(client.condition)")
      return
    }
    #expect(reason.contains("mismatch"))
    #expect(server.condition != .open, "the alert tells the server")
  }

  @Test("not another certificate of the same name")
  func otherCertificate() throws {
    let (_, client) = try meet(.certificates(pem: Samples.other.get().certificate), host: "localhost")
    guard case .failed(.certificate) = client.condition else {
      Issue.record("\(client.condition)")
      return
    }
  }

  @Test("not a certificate of its own making, when it trusts what the system trusts")
  func system() throws {
    let (_, client) = try meet(.system, host: "localhost")
    guard case .failed(.certificate) = client.condition else {
      Issue.record("\(client.condition)")
      return
    }
  }

  @Test("anybody, when told so")
  func anybody() throws {
    let (_, client) = try meet(.anybody, host: "example.org")
    #expect(client.isEstablished)
  }

  @Test("a file without a certificate is no trust")
  func noCertificate() {
    #expect(throws: TLSCredentialError.noCertificate) { try TLSClientContext(trust: .certificates(pem: [])) }
  }
}

@Suite("A session taken up again")
struct ResumptionTests {
  @Test("needs no certificate the second time")
  func resumes() throws {
    let context = try Samples.server()
    let client = try Samples.client()
    let first = (server: try End(server: context), client: try End(client: client))
    exchange(first.client, first.server)
    #expect(!first.client.isResumed)
    let resumption = try #require(first.client.resumption)
    let second = (server: try End(server: context), client: try End(client: client, resuming: resumption))
    exchange(second.client, second.server)
    #expect(second.client.isResumed && second.server.isResumed)
    #expect(second.client.send([1]))
    exchange(second.client, second.server)
    #expect(second.server.received == [1])
  }

  @Test("begins anew, and is none the worse, with a server that has other keys")
  func otherKeys() throws {
    let first = (server: try End(server: Samples.server()), client: try End(client: Samples.client()))
    exchange(first.client, first.server)
    let resumption = try #require(first.client.resumption)
    let server = try End(server: Samples.server())
    let client = try End(client: Samples.client(), resuming: resumption)
    exchange(client, server)
    #expect(client.isEstablished && !client.isResumed)
  }
}
