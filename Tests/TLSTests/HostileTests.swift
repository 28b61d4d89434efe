import TLS
import Testing

@Suite("A server that is sent what is no TLS, or what is broken")
struct HostileTests {
  @Test("fails on rubbish, whatever it begins with, and gives nothing to read")
  func rubbish() throws {
    let context = try Samples.server()
    for first in UInt8.min...UInt8.max {
      let server = try End(server: context)
      server.receive([first] + (0..<400).map { UInt8(truncatingIfNeeded: $0 &* 17 &+ Int(first)) })
      #expect(server.received.isEmpty)
      #expect(!server.isEstablished)
    }
  }

  @Test(
    "recognises HTTP that someone sends without TLS", arguments: ["GET / HTTP/1.1\r\n\r\n", "POST /api/ HTTP/1.1\r\n"])
  func plainHTTP(request: String) throws {
    let server = try End(server: Samples.server())
    server.receive(Array(request.utf8))
    #expect(server.condition == .failed(.plainHTTP))
    #expect(TLSSession.isPlainHTTP(firstByte: try #require(request.utf8.first)))
    #expect(!TLSSession.isPlainHTTP(firstByte: 0x16))
  }

  @Test("fails on a hello with any one byte of its beginning changed, or goes on, and never anything else")
  func changedHello() throws {
    let hello = try End(client: Samples.client()).takeOutput()
    let context = try Samples.server()
    for index in hello.indices {
      var changed = hello
      changed[index] ^= 0xFF
      let server = try End(server: context)
      server.receive(changed)
      #expect(!server.isEstablished && server.received.isEmpty)
    }
  }

  @Test("waits for the rest of a hello that was cut anywhere")
  func cutHello() throws {
    let hello = try End(client: Samples.client()).takeOutput()
    let context = try Samples.server()
    for count in hello.indices {
      let server = try End(server: context)
      server.receive(Array(hello[..<count]))
      #expect(server.condition == .open)
      #expect(server.takeOutput().isEmpty)
    }
  }

  @Test("fails on a record with a changed byte, after what came whole before it")
  func changedRecord() throws {
    let (server, client) = try established()
    #expect(client.send([1, 2, 3]))
    let whole = client.takeOutput()
    #expect(client.send([4, 5, 6]))
    var broken = client.takeOutput()
    broken[broken.count - 1] ^= 1
    server.receive(whole + broken)
    #expect(server.received == [1, 2, 3])
    guard case .failed(.handshakeOrRecord(let reason)) = server.condition else {
      Issue.record("\(server.condition)")
      return
    }
    #expect(reason.contains("mac"))
    client.receive(server.takeOutput())
    #expect(client.condition != .open, "the alert tells the other side")
    #expect(!server.send([7]) && !server.close())
  }

  @Test("fails on a record repeated")
  func replay() throws {
    let (server, client) = try established()
    #expect(client.send([1, 2, 3]))
    let record = client.takeOutput()
    server.receive(record + record)
    #expect(server.received == [1, 2, 3])
    #expect(server.condition != .open)
  }

  @Test("fails on a record longer than any may be")
  func longRecord() throws {
    let (server, _) = try established()
    server.receive([0x17, 0x03, 0x03, 0xFF, 0xFF] + [UInt8](repeating: 0, count: 65_535))
    #expect(server.received.isEmpty)
    #expect(server.condition != .open)
  }
}
