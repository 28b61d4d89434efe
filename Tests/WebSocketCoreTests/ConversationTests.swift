import Testing
import WebSocketCore

/// The server's machine and the client's, joined by a link that cuts the stream.
private struct Conversation {
  var client = WebSocketConnection(role: .client)
  var server = WebSocketConnection(role: .server)
  var toServer: [UInt8] = []
  var toClient: [UInt8] = []
  var serverSaw: [Received] = []
  var clientSaw: [Received] = []
  var generator: SeededGenerator
  let mostBytes: Int

  mutating func key() -> WebSocketMaskingKey {
    WebSocketMaskingKey(random: UInt32.random(in: .min ... .max, using: &generator))
  }

  mutating func send(_ opcode: WebSocketOpcode, _ payload: [UInt8], final isFinal: Bool = true) {
    toServer += WebSocketFrame.bytes(opcode, payload: payload, isFinal: isFinal, maskingKey: key())
  }

  /// Carries pieces both ways until nothing is under way. The server echoes.
  mutating func run() {
    while !toServer.isEmpty || !toClient.isEmpty {
      let forServer = takePiece(from: \.toServer)
      for event in server.receive(forServer) {
        serverSaw.append(event)
        switch event {
        case .text(let text): toClient += WebSocketFrame.bytes(.text, payload: [UInt8](text.utf8))
        case .binary(let bytes): toClient += WebSocketFrame.bytes(.binary, payload: bytes)
        case .ping(let bytes): toClient += WebSocketFrame.bytes(.pong, payload: bytes)
        case .pong: break
        case .close(let code, _): toClient += server.closeFrame(code: code.map { .init(rawValue: $0) }) ?? []
        case .failure(let failure): toClient += server.closeFrame(for: failure) ?? []
        }
      }
      let forClient = takePiece(from: \.toClient)
      for event in client.receive(forClient) {
        clientSaw.append(event)
        switch event {
        case .close(let code, _):
          let maskingKey = key()
          toServer += client.closeFrame(code: code.map { .init(rawValue: $0) }, maskingKey: maskingKey) ?? []
        case .failure(let failure): Issue.record("the client saw \(failure)")
        default: break
        }
      }
    }
  }

  private mutating func takePiece(from stream: WritableKeyPath<Conversation, [UInt8]>) -> [UInt8] {
    let count = min(self[keyPath: stream].count, Int.random(in: 1...mostBytes, using: &generator))
    let piece = [UInt8](self[keyPath: stream].prefix(count))
    self[keyPath: stream].removeFirst(count)
    return piece
  }
}

@Suite("client and server over a link that cuts the stream")
struct ConversationTests {
  @Test("a whole conversation, from the opening handshake to the close", arguments: [1, 2, 3, 5, 17, 200, 100_000])
  func whole(mostBytes: Int) throws {
    for seed in 0..<(mostBytes == 1 ? 1 : 8) as Range<UInt64> {
      var link = Conversation(generator: SeededGenerator(seed: seed), mostBytes: mostBytes)
      let opening = try open(&link)
      #expect(opening == "rollcall.v1")

      let long = link.generator.bytes(3_000)
      link.send(.text, [UInt8]("héllo".utf8))
      link.send(.binary, [UInt8](long[..<1_000]), final: false)
      link.send(.ping, [1, 2, 3])
      link.send(.continuation, [UInt8](long[1_000..<1_100]), final: false)
      link.send(.continuation, [UInt8](long[1_100...]))
      link.send(.pong, [])
      link.send(.text, [])
      link.run()
      #expect(
        link.serverSaw == [.text("héllo"), .ping([1, 2, 3]), .binary(long), .pong([]), .text("")])
      #expect(link.clientSaw == [.text("héllo"), .pong([1, 2, 3]), .binary(long), .text("")])

      let key = link.key()
      link.toServer += link.client.closeFrame(code: .normalClosure, reason: "done", maskingKey: key) ?? []
      link.run()
      #expect(link.serverSaw.last == .close(1000, "done"))
      #expect(link.clientSaw.last == .close(1000, ""))
      #expect(link.server.transportAction == .close && link.client.transportAction == .awaitPeer)
    }
  }

  @Test("7.1.3: both sides close at once, and both end closed", arguments: [1, 4, 1_000])
  func simultaneousClose(mostBytes: Int) {
    var link = Conversation(generator: SeededGenerator(seed: 9), mostBytes: mostBytes)
    let key = link.key()
    link.toServer += link.client.closeFrame(code: .normalClosure, maskingKey: key) ?? []
    link.toClient += link.server.closeFrame(code: .goingAway) ?? []
    link.run()
    #expect(link.serverSaw == [.close(1000, "")] && link.clientSaw == [.close(1001, "")])
    #expect(link.server.state == .closed && link.client.state == .closed)
  }

  @Test("a failure is told to the peer with its code")
  func failure() {
    var link = Conversation(generator: SeededGenerator(seed: 3), mostBytes: 3)
    link.send(.text, [0x61])
    link.send(.text, [0xFF])
    link.send(.text, [0x62])
    link.run()
    #expect(link.serverSaw == [.text("a"), .failure(.invalidUTF8)])
    #expect(link.clientSaw == [.text("a"), .close(1007, "invalid UTF-8")])
    #expect(link.server.state == .closed && link.client.state == .closed)
  }

  /// The opening handshake; the subprotocol the client was told.
  private func open(_ link: inout Conversation) throws -> String? {
    var handshake = try WebSocketClientHandshake(
      host: "example.org", path: "/ws", key: link.generator.bytes(16), subprotocols: ["rollcall.v1"])
    let lines = String(decoding: handshake.request, as: UTF8.self).split(separator: "\r\n")
    let fields = lines.dropFirst().map { line in
      let parts = line.split(separator: ":", maxSplits: 1)
      return (name: String(parts[0]), value: String(parts[1]))
    }
    let acceptance = try WebSocketHandshake.accept(
      WebSocketUpgradeRequest(method: "GET", isHTTP11OrLater: true, fields: fields),
      subprotocols: ["other", "rollcall.v1"])
    var told: String?
    for piece in chopped(acceptance.responseHead(), using: &link.generator, most: link.mostBytes) {
      var consumed = 0
      if case .accepted(let subprotocol) = try piece.withUnsafeBytes({ try handshake.receive($0, consumed: &consumed) })
      {
        told = subprotocol
      }
      #expect(consumed == piece.count)
    }
    return told
  }
}
