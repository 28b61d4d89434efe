import Testing
import WebSocketCore

@Suite("RFC 6455 5–7: one connection")
struct ConnectionTests {
  private func server(maximumMessageBytes: Int = 65_536, maximumFrames: Int = 1_024) -> WebSocketConnection {
    WebSocketConnection(
      role: .server,
      limits: WebSocketLimits(maximumMessageBytes: maximumMessageBytes, maximumFramesPerMessage: maximumFrames))
  }

  // MARK: Messages

  @Test("5.6: text and binary messages, several in one read, and empty ones")
  func messages() {
    var connection = server()
    let input = masked(.text, "Grüße") + masked(.binary, [0, 255]) + masked(.text, "") + masked(.binary, [])
    #expect(connection.receive(input) == [.text("Grüße"), .binary([0, 255]), .text(""), .binary([])])
    #expect(connection.assembledCapacity == 0)
  }

  @Test("a whole message is delivered where it lies, without a copy")
  func inPlace() {
    var connection = server()
    var input = masked(.text, "one") + masked(.binary, [1, 2])
    input.withUnsafeMutableBytes { buffer in
      var consumed = 0
      guard case .text(let text)? = connection.next(buffer, consumed: &consumed) else {
        Issue.record("no text")
        return
      }
      #expect(text.baseAddress == buffer.baseAddress.map { UnsafeRawPointer($0 + 6) })
      #expect(consumed == 9)
    }
    #expect(connection.assembledCapacity == 0)
  }

  @Test("5.4: fragments are put together, with control frames between them")
  func fragments() {
    var connection = server()
    let input =
      masked(.text, "Hel", final: false) + masked(.ping, "?") + masked(.continuation, "", final: false)
      + masked(.pong, "!") + masked(.continuation, "lo") + masked(.binary, [7])
    #expect(connection.receive(input) == [.ping([63]), .pong([33]), .text("Hello"), .binary([7])])
  }

  @Test("memory for a fragmented message is freed once it is delivered")
  func freed() {
    var connection = server()
    #expect(connection.receive(masked(.text, "Hel", final: false)) == [])
    #expect(connection.assembledCapacity >= 3)
    #expect(connection.receive(masked(.continuation, "lo")) == [.text("Hello")])
    #expect(connection.assembledCapacity == 0)
  }

  @Test("a copy made in the middle of a message goes on alone")
  func copies() {
    var first = server()
    #expect(first.receive(masked(.text, "Hel", final: false)) == [])
    var second = first
    #expect(first.receive(masked(.continuation, "lo")) == [.text("Hello")])
    #expect(second.receive(masked(.continuation, "p!")) == [.text("Help!")])
  }

  @Test("a connection is small, and holds no memory while idle")
  func size() {
    #expect(MemoryLayout<WebSocketConnection>.size <= 96)
  }

  // MARK: Rules

  @Test("5.4: a continuation needs a message, and a message must end before the next")
  func sequence() {
    var connection = server()
    #expect(connection.receive(masked(.continuation, "x")) == [.failure(.unexpectedContinuation)])
    connection = server()
    #expect(
      connection.receive(masked(.text, "a", final: false) + masked(.text, "b")) == [.failure(.unfinishedMessage)])
    connection = server()
    #expect(
      connection.receive(masked(.text, "a") + masked(.continuation, "b")) == [
        .text("a"), .failure(.unexpectedContinuation),
      ])
  }

  @Test("5.1: an unmasked frame fails a server, a masked one a client")
  func masks() {
    var connection = server()
    #expect(connection.receive(WebSocketFrame.bytes(.text, payload: [65])) == [.failure(.unmaskedFrame)])
    var client = WebSocketConnection(role: .client)
    #expect(client.receive(masked(.text, "A")) == [.failure(.maskedFrame)])
  }

  @Test("5.2: without an extension every reserved bit fails the connection")
  func reservedBits() {
    for bit in [WebSocketReservedBits.rsv1, .rsv2, .rsv3] {
      var connection = server()
      #expect(connection.receive(masked(.text, [], bits: bit)) == [.failure(.reservedBitSet)])
    }
  }

  @Test("8.1: broken UTF-8 fails with 1007, also across fragments, and at the end of the message")
  func utf8() {
    for pieces in [
      [masked(.text, [0xC3])], [masked(.text, [0xC3, 0x28])], [masked(.text, [0xED, 0xA0, 0x80])],
      [masked(.text, [0xE2, 0x82], final: false), masked(.continuation, [0x28])],
      [masked(.text, [0xE2], final: false), masked(.continuation, [])],
    ] {
      var connection = server()
      #expect(connection.receive(pieces) == [.failure(.invalidUTF8)])
    }
    #expect(WebSocketFailure.invalidUTF8.closeCode == .invalidPayloadData)
    var connection = server()
    let split = [masked(.text, [0xE2, 0x82], final: false), masked(.ping, []), masked(.continuation, [0xAC])]
    #expect(connection.receive(split) == [.ping([]), .text("€")])
    #expect(connection.receive(masked(.binary, [0xC3])) == [.binary([0xC3])])
  }

  @Test("8.1: a fault is told at the chunk it comes in, before the frame is whole")
  func utf8AtOnce() {
    let frame = masked(.text, [UInt8]("abc".utf8) + [0xF4, 0x90] + [UInt8](repeating: 0x80, count: 100))
    var connection = server()
    #expect(connection.receive([UInt8](frame[..<10])) == [])
    #expect(connection.receive([frame[10]]) == [.failure(.invalidUTF8)])
  }

  @Test("10.4: a message over the limit fails with 1009 on its header, and nothing is allocated")
  func messageTooBig() {
    for size in [101, 65_536, 1 << 40, Int.max] {
      var connection = server(maximumMessageBytes: 100)
      let header = WebSocketFrameHeader(opcode: .binary, payloadCount: size, maskingKey: testKey)
      var bytes = [UInt8](repeating: 0, count: header.length)
      bytes.withUnsafeMutableBytes { buffer in _ = buffer.baseAddress.map { header.write(to: $0) } }
      #expect(connection.receive(bytes) == [.failure(.messageTooBig)])
      #expect(connection.assembledCapacity == 0)
    }
    #expect(WebSocketFailure.messageTooBig.closeCode == .messageTooBig)
  }

  @Test("10.4: the limit is on the message, all fragments together, and exact")
  func messageLimit() {
    let part = [UInt8](repeating: 1, count: 60)
    var connection = server(maximumMessageBytes: 100)
    #expect(
      connection.receive(masked(.binary, part, final: false) + masked(.continuation, [UInt8](part[..<40])))
        == [.binary([UInt8](repeating: 1, count: 100))])
    #expect(
      connection.receive(masked(.binary, part, final: false) + masked(.continuation, [UInt8](part[..<41])))
        == [.failure(.messageTooBig)])
  }

  @Test("10.4: a message of endless empty fragments fails with 1008")
  func tooManyFrames() {
    var connection = server(maximumFrames: 3)
    let empty = masked(.continuation, [], final: false)
    #expect(
      connection.receive(masked(.binary, [], final: false) + empty + masked(.continuation, [])) == [.binary([])])
    #expect(connection.receive(masked(.binary, [], final: false) + empty + empty) == [])
    #expect(connection.receive(empty) == [.failure(.tooManyFrames)])
    #expect(WebSocketFailure.tooManyFrames.closeCode == .policyViolation)
  }

  @Test("memory follows what has come in, not what was announced")
  func announced() {
    var connection = server(maximumMessageBytes: 1 << 24)
    let frame = masked(.binary, [UInt8](repeating: 0, count: 1 << 20))
    #expect(connection.receive([UInt8](frame[..<1_014])) == [])
    #expect(connection.assembledCapacity <= 2_000)
  }

  // MARK: Closing

  @Test(
    "5.5.1, 7.4: the codes that may travel",
    arguments: [
      1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
    ] as [UInt16])
  func validCodes(code: UInt16) {
    var connection = server()
    #expect(connection.receive(masked(.close, closePayload(code, "bye"))) == [.close(code, "bye")])
    #expect(
      connection.closeFrame(code: WebSocketCloseCode(rawValue: code))
        == WebSocketFrame.bytes(.close, payload: closePayload(code)))
  }

  @Test(
    "5.5.1, 7.4: the codes that may not",
    arguments: [
      0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535,
    ] as [UInt16])
  func invalidCodes(code: UInt16) {
    var connection = server()
    #expect(connection.receive(masked(.close, closePayload(code))) == [.failure(.invalidCloseCode)])
    #expect(WebSocketFailure.invalidCloseCode.closeCode == .protocolError)
  }

  @Test("5.5.1: an empty Close, half a code, a reason that is not UTF-8")
  func closePayloads() {
    var connection = server()
    #expect(connection.receive(masked(.close, [])) == [.close(nil, "")])
    #expect(connection.closeFrame(code: nil) == [0x88, 0])
    connection = server()
    #expect(connection.receive(masked(.close, [3])) == [.failure(.truncatedCloseCode)])
    connection = server()
    #expect(connection.receive(masked(.close, closePayload(1000) + [0xC3])) == [.failure(.invalidUTF8)])
  }

  @Test("5.5.1: a Close between fragments is a Close, answered with its own code")
  func closeBetweenFragments() {
    var connection = server()
    let input = masked(.text, "a", final: false) + masked(.close, closePayload(1001)) + masked(.continuation, "b")
    #expect(connection.receive(input) == [.close(1001, "")])
    #expect(connection.state == .closeReceived)
    #expect(connection.closeFrame(code: .goingAway) == [0x88, 2, 0x03, 0xE9])
    #expect(connection.state == .closed)
    #expect(connection.assembledCapacity == 0)
  }

  @Test("1.4: nothing after a Close or a failure is looked at, and one Close is sent")
  func afterTheEnd() {
    for last in [masked(.close, closePayload(1000)), [0xFF]] {
      var connection = server()
      #expect(connection.receive(last + masked(.text, "x")).count == 1)
      #expect(connection.receive(masked(.text, "x") + [0xFF, 0xFF]) == [])
      #expect(connection.closeFrame(code: .normalClosure) != nil)
      #expect(connection.closeFrame(code: .normalClosure) == nil)
      #expect(connection.receive(masked(.close, [])) == [])
    }
  }

  @Test("messages before a failure are delivered before it")
  func orderBeforeFailure() {
    var connection = server()
    #expect(
      connection.receive(masked(.text, "a") + masked(.ping, "b") + [0x83, 0x80]) == [
        .text("a"), .ping([98]), .failure(.reservedOpcode),
      ])
    #expect(connection.state == .failed)
    let frame = connection.closeFrame(for: .reservedOpcode)
    #expect(frame?.dropFirst(2).starts(with: [0x03, 0xEA]) == true)
    #expect(connection.state == .closed)
  }

  @Test("7.1.3: after our Close data is dropped and the peer's Close still ends it")
  func afterOurClose() {
    var connection = server()
    #expect(connection.receive(masked(.text, "half", final: false)) == [])
    #expect(connection.closeFrame(code: .goingAway, reason: "restart") != nil)
    #expect(connection.assembledCapacity == 0)
    #expect(connection.isOpen == false)
    let pieces = [
      masked(.continuation, [0xFF]), masked(.text, "x"), masked(.ping, "p"), masked(.pong, "q"), masked(.binary, [1]),
    ]
    for piece in pieces.flatMap({ chopped($0, everyByte: ()) }) { #expect(connection.receive(piece) == []) }
    #expect(connection.state == .closing)
    #expect(connection.receive(masked(.close, closePayload(1001)) + masked(.text, "y")) == [.close(1001, "")])
    #expect(connection.state == .closed)
    #expect(connection.closeFrame(code: .goingAway) == nil)
    #expect(connection.assembledCapacity == 0)
  }

  @Test("our Close at every byte of a stream never disturbs the reading of it")
  func closeAtEveryByte() {
    let stream =
      masked(.text, "ab", final: false) + masked(.ping, "0123456789") + masked(.continuation, "cd", final: false)
      + masked(.ping, "xyz") + masked(.continuation, "ef") + masked(.binary, [1, 2])
      + masked(.close, closePayload(3000, "end"))
    for at in 0..<stream.count {
      for step in [1, 2, 3, 7, stream.count] {
        var connection = server()
        _ = connection.receive([UInt8](stream[..<at]))
        #expect(connection.closeFrame(code: .goingAway) != nil)
        var events: [Received] = []
        for start in stride(from: at, to: stream.count, by: step) {
          events += connection.receive([UInt8](stream[start..<min(start + step, stream.count)]))
        }
        #expect(events == [.close(3000, "end")])
        #expect(connection.state == .closed)
        _ = connection.receive([UInt8]())
        #expect(connection.assembledCapacity == 0)
      }
    }
  }

  @Test("our Close while an event is handled leaves its payload readable, and its memory is freed after it")
  func closeWhileHandling() {
    for stream in [
      [masked(.text, "Hel", final: false), masked(.continuation, "lo")],
      [
        masked(.binary, "half", final: false), [UInt8](masked(.ping, "Hello")[..<7]),
        [UInt8](masked(.ping, "Hello")[7...]),
      ],
    ] {
      var connection = server()
      #expect(connection.receive([[UInt8]](stream.dropLast())) == [])
      var last = stream.last ?? []
      last.withUnsafeMutableBytes { input in
        var consumed = 0
        switch connection.next(input, consumed: &consumed) {
        case .text(let payload)?, .ping(let payload)?:
          #expect(connection.closeFrame(code: .policyViolation) != nil)
          #expect(connection.assembledCapacity > 0)
          #expect(payload.elementsEqual("Hello".utf8))
        default: Issue.record("neither text nor ping")
        }
        #expect(connection.next(input, consumed: &consumed).map(Received.init) == nil)
      }
      #expect(connection.assembledCapacity == 0)
      #expect(connection.receive(masked(.close, closePayload(1008))) == [.close(1008, "")])
    }
  }

  @Test("a protocol error after our Close ends the connection without a second Close")
  func failureWhileClosing() {
    var connection = server()
    #expect(connection.closeFrame(code: .goingAway) != nil)
    #expect(connection.receive([0xFF]) == [.failure(.reservedBitSet)])
    #expect(connection.state == .closed)
    #expect(connection.closeFrame(for: .reservedBitSet) == nil)
  }

  @Test("5.5: the reason of a Close is cut to 123 bytes at the end of a character")
  func reasonIsCut() {
    for (reason, expected) in [
      (String(repeating: "a", count: 123), 123), (String(repeating: "a", count: 124), 123),
      (String(repeating: "é", count: 70), 122), (String(repeating: "€", count: 70), 123),
      (String(repeating: "😀", count: 70), 120), ("", 0),
    ] {
      var connection = server()
      let frame = connection.closeFrame(code: .goingAway, reason: reason) ?? []
      #expect(frame.count == 4 + expected)
      #expect(String(validating: frame.dropFirst(4), as: UTF8.self).map { reason.hasPrefix($0) } == true)
    }
  }

  @Test("7.1.1: the server closes TCP first, the client waits for it")
  func transport() {
    var connection = server()
    #expect(connection.transportAction == .keepOpen)
    _ = connection.closeFrame(code: .normalClosure)
    #expect(connection.transportAction == .keepOpen)
    _ = connection.receive(masked(.close, closePayload(1000)))
    #expect(connection.transportAction == .close)
    var client = WebSocketConnection(role: .client)
    _ = client.receive(WebSocketFrame.bytes(.close, payload: []))
    #expect(client.transportAction == .keepOpen)
    #expect(client.closeFrame(code: nil, maskingKey: testKey) == [0x88, 0x80, 0x37, 0xFA, 0x21, 0x3D])
    #expect(client.transportAction == .awaitPeer)
  }
}
