import TLS
import Testing

@Suite("A client and a server in memory")
struct SessionTests {
  @Test("greet each other, whatever the pieces are in which the bytes come", arguments: [1, 2, 7, 1000, Int.max])
  func handshake(piece: Int) throws {
    let server = try End(server: Samples.server())
    let client = try End(client: Samples.client())
    #expect(!server.isEstablished && !client.isEstablished)
    exchange(client, server, piece: piece)
    #expect(server.isEstablished && client.isEstablished)
    #expect(server.version == "TLSv1.3")
    #expect(server.applicationProtocol == "http/1.1")
    #expect(client.applicationProtocol == "http/1.1")
  }

  @Test("say long things in both directions, cut at every place", arguments: [1, 13, 16_384, 20_000, Int.max])
  func longMessages(piece: Int) throws {
    let (server, client) = try established()
    let long = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    #expect(client.send(long))
    #expect(server.send(long.reversed()))
    exchange(client, server, piece: piece)
    #expect(server.received == long)
    #expect(client.received == long.reversed())
    #expect(server.condition == .open && client.condition == .open)
  }

  @Test("bytes that come together are received together: the client's last of the handshake and its first of its own")
  func earlyBytes() throws {
    let server = try End(server: Samples.server())
    let client = try End(client: Samples.client())
    server.receive(client.takeOutput())
    client.receive(server.takeOutput())
    #expect(client.send(Array("GET".utf8)))
    server.receive(client.takeOutput())
    #expect(server.isEstablished)
    #expect(server.received == Array("GET".utf8))
  }

  @Test("nothing can be sent before the handshake, and nothing is put on the wire by trying")
  func tooEarly() throws {
    let server = try End(server: Samples.server())
    #expect(!server.send([1, 2, 3]))
    #expect(server.takeOutput().isEmpty)
  }

  @Test("a close_notify ends one direction and not the other")
  func closing() throws {
    let (server, client) = try established()
    #expect(client.send([1, 2, 3]))
    #expect(client.close())
    #expect(!client.close())
    #expect(!client.send([4]))
    server.receive(client.takeOutput())
    #expect(server.received == [1, 2, 3])
    #expect(server.condition == .endOfStream)
    #expect(server.send([5]))
    client.receive(server.takeOutput())
    #expect(client.received == [5])
    #expect(server.close())
    client.receive(server.takeOutput())
    #expect(client.condition == .endOfStream)
  }

  @Test("what comes after a close_notify is not received")
  func afterClosing() throws {
    let (server, client) = try established()
    #expect(client.close())
    let last = client.takeOutput()
    let (_, other) = try established()
    #expect(other.send([9]))
    server.receive(last + other.takeOutput())
    #expect(server.received.isEmpty)
    #expect(server.condition == .endOfStream)
  }

  @Test("a session moves to another wire in the middle of a record, and loses nothing")
  func moving() throws {
    let (server, client) = try established()
    let text = [UInt8](repeating: 7, count: 40_000)
    #expect(client.send(text))
    let bytes = client.takeOutput()
    server.receive(Array(bytes[..<20_001]))
    server.session.detach()
    let wire = TLSWire()
    server.session.attach(to: wire)
    let rest = Array(bytes[20_001...])
    let plaintext = UnsafeMutableRawBufferPointer.allocate(
      byteCount: TLSSession.plaintextCapacity(forCiphertext: rest.count), alignment: 16)
    defer { plaintext.deallocate() }
    let receipt = rest.withUnsafeBytes { server.session.receive($0, into: plaintext, on: wire) }
    #expect(server.received + plaintext[..<receipt.count] == text)
    let isSent = text.withUnsafeBytes { server.session.send($0, on: wire) }
    #expect(isSent)
    #expect(server.takeOutput().isEmpty, "nothing goes to the old wire")
    client.receive(Array(wire.output))
    #expect(client.received == text)
  }

  @Test("sessions of one wire do not disturb each other, though all else is shared")
  func sharedWire() throws {
    let context = try Samples.server()
    let wire = TLSWire()
    let clients = try (0..<3).map { _ in try End(client: Samples.client()) }
    let hellos = clients.map { $0.takeOutput() }
    let servers = try (0..<3).map { _ in try End(server: context, on: wire) }
    func give(_ bytes: [UInt8], to server: Int) -> [UInt8] {
      servers[server].receive(bytes)
      return servers[server].takeOutput()
    }
    // The second gets rubbish; its alert and its error belong to it alone.
    let alert = give([0x16, 0x03, 0x01, 0x00, 0x5F] + [UInt8](repeating: 0x16, count: 95), to: 1)
    #expect(!alert.isEmpty)
    for index in [0, 2] { clients[index].receive(give(hellos[index], to: index)) }
    for index in [0, 2] { _ = give(clients[index].takeOutput(), to: index) }
    #expect(servers.map(\.isEstablished) == [true, false, true])
    #expect(servers[0].condition == .open && servers[1].condition != .open)
  }
}

/// Two that have greeted each other.
func established() throws -> (server: End, client: End) {
  let server = try End(server: Samples.server())
  let client = try End(client: Samples.client())
  exchange(client, server)
  #expect(server.isEstablished && client.isEstablished)
  return (server, client)
}
