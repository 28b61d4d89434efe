import Testing
import WebSocketCore
import WebSocketDeflate

@Suite("A connection with permessage-deflate")
struct CompressedConnectionTests {
  /// What came, copied.
  enum Received: Equatable {
    case text([UInt8]), binary([UInt8]), ping([UInt8]), pong([UInt8])
    case close(UInt16?)
    case failure(WebSocketFailure)
  }

  static let key = WebSocketMaskingKey(0x12, 0x34, 0x56, 0x78)

  static func frame(
    _ opcode: WebSocketOpcode, _ payload: [UInt8], isFinal: Bool = true, isCompressed: Bool = false
  ) -> [UInt8] {
    WebSocketFrame.bytes(
      opcode, payload: payload, isFinal: isFinal, reservedBits: isCompressed ? .rsv1 : [], maskingKey: key)
  }

  static func deflated(_ message: [UInt8]) -> [UInt8] {
    var deflater = MessageDeflater(windowBits: 15, keepsContext: false, level: 9)
    return deflater.deflate(message)
  }

  /// Feeds a server the stream in pieces of this size.
  static func receive(
    _ stream: [UInt8], pieces: Int = .max, limit: Int = 65_536, permitsCompression: Bool = true
  ) -> [Received] {
    var connection = WebSocketConnection(
      role: .server, limits: WebSocketLimits(maximumMessageBytes: limit), permitsCompression: permitsCompression)
    var inflater = MessageInflater(keepsContext: false)
    var received: [Received] = []
    var start = 0
    while start < stream.count {
      var piece = Array(stream[start..<min(stream.count, start + min(pieces, stream.count))])
      start += piece.count
      var consumed = 0
      piece.withUnsafeMutableBytes { input in
        while let event = connection.next(input, consumed: &consumed, inflater: &inflater) {
          switch event {
          case .text(let payload): received.append(.text([UInt8](payload)))
          case .binary(let payload): received.append(.binary([UInt8](payload)))
          case .ping(let payload): received.append(.ping([UInt8](payload)))
          case .pong(let payload): received.append(.pong([UInt8](payload)))
          case .close(let code, _): received.append(.close(code?.rawValue))
          case .failure(let failure): received.append(.failure(failure))
          }
        }
      }
    }
    return received
  }

  @Test("messages come inflated, however the stream is cut", arguments: [1, 2, 3, 7, 64, 1_000, .max])
  func chopped(pieces: Int) {
    var random = RandomBytes(state: 1)
    let long = random.message(count: 30_000, isNoise: false)
    let payload = Self.deflated(long)
    let stream =
      Self.frame(.text, Self.deflated(Array("Grüße".utf8)), isCompressed: true)
      + Self.frame(.text, Array("plain".utf8))
      + Self.frame(.binary, Array(payload[..<100]), isFinal: false, isCompressed: true)
      + Self.frame(.ping, Array("between".utf8))
      + Self.frame(.continuation, [], isFinal: false)
      + Self.frame(.continuation, Array(payload[100...]))
      + Self.frame(.text, [0], isCompressed: true)
      + Self.frame(.binary, [1, 2, 3])
    #expect(
      Self.receive(stream, pieces: pieces) == [
        .text(Array("Grüße".utf8)), .text(Array("plain".utf8)), .ping(Array("between".utf8)), .binary(long), .text([]),
        .binary([1, 2, 3]),
      ])
  }

  @Test("RSV1 is refused where compression was not agreed on")
  func notAgreed() {
    let stream = Self.frame(.text, Self.deflated([0x61]), isCompressed: true)
    #expect(Self.receive(stream, permitsCompression: false) == [.failure(.reservedBitSet)])
  }

  @Test("RSV1 has no place on continuations and control frames (RFC 7692, 6)")
  func outOfPlace() {
    let opening = Self.frame(.text, [], isFinal: false, isCompressed: true)
    #expect(
      Self.receive(opening + Self.frame(.continuation, [0], isCompressed: true)) == [.failure(.reservedBitSet)])
    for opcode in [WebSocketOpcode.close, .ping, .pong] {
      #expect(Self.receive(Self.frame(opcode, [], isCompressed: true)) == [.failure(.reservedBitSet)])
      // With the first byte, not when the frame is whole.
      #expect(Self.receive([0xC0 | opcode.rawValue]) == [.failure(.reservedBitSet)])
    }
  }

  @Test("RSV2 and RSV3 still have no meaning", arguments: [0x20, 0x30, 0x60, 0x50] as [UInt8])
  func otherBits(bits: UInt8) {
    #expect(Self.receive([0x81 | bits]) == [.failure(.reservedBitSet)])
  }

  @Test("a text is UTF-8 after inflation, whatever the frames were cut into")
  func utf8() {
    #expect(
      Self.receive(Self.frame(.text, Self.deflated([0xC3, 0x28]), isCompressed: true)) == [.failure(.invalidUTF8)])
    #expect(Self.receive(Self.frame(.text, Self.deflated([0xC3]), isCompressed: true)) == [.failure(.invalidUTF8)])
    #expect(Self.receive(Self.frame(.binary, Self.deflated([0xC3]), isCompressed: true)) == [.binary([0xC3])])
  }

  @Test("data that is not DEFLATE fails the connection, and nothing after it is read")
  func garbage() {
    let stream = Self.frame(.text, [0xFF, 0xFF], isCompressed: true) + Self.frame(.text, Array("after".utf8))
    #expect(Self.receive(stream) == [.failure(.invalidCompressedData)])
    #expect(WebSocketFailure.invalidCompressedData.closeCode == .invalidPayloadData)
  }

  @Test("a bomb fails the connection with 1009, in one frame or in many")
  func bomb() {
    let payload = Self.deflated([UInt8](repeating: 0x61, count: 10 << 20))
    #expect(Self.receive(Self.frame(.text, payload, isCompressed: true)) == [.failure(.inflatedMessageTooBig)])
    var stream = Self.frame(.text, [], isFinal: false, isCompressed: true)
    for start in stride(from: 0, to: payload.count, by: 100) {
      stream += Self.frame(.continuation, Array(payload[start..<min(payload.count, start + 100)]), isFinal: false)
    }
    #expect(Self.receive(stream + Self.frame(.continuation, [])) == [.failure(.inflatedMessageTooBig)])
    #expect(WebSocketFailure.inflatedMessageTooBig.closeCode == .messageTooBig)
  }

  @Test("the limit is that of the message, and exact")
  func limit() {
    // Noise, so that the compressed form is longer than the message.
    var random = RandomBytes(state: 2)
    for count in [125, 1_000, 65_536] {
      let message = random.message(count: count, isNoise: true)
      var deflater = MessageDeflater(windowBits: 9, keepsContext: false)
      let stream = Self.frame(.binary, deflater.deflate(message), isCompressed: true)
      #expect(Self.receive(stream, limit: count) == [.binary(message)])
      #expect(Self.receive(stream, limit: count - 1) == [.failure(.inflatedMessageTooBig)])
    }
  }

  @Test("what cannot come of a message within the limit is refused with its length")
  func compressedLimit() {
    let limits = WebSocketLimits(maximumMessageBytes: 800)
    #expect(limits.maximumCompressedMessageBytes == 964)
    var header = Self.frame(.binary, [UInt8](repeating: 0, count: 965), isCompressed: true)
    header.removeSubrange(8...)
    #expect(Self.receive(header, limit: 800) == [.failure(.messageTooBig)])
    #expect(WebSocketLimits(maximumMessageBytes: .max).maximumCompressedMessageBytes == .max)
  }

  @Test("a compressed message that comes after our Close is dropped as it is")
  func afterClose() {
    var connection = WebSocketConnection(role: .server, permitsCompression: true)
    var inflater = MessageInflater(keepsContext: false)
    #expect(connection.closeFrame(code: .normalClosure) != nil)
    var stream =
      Self.frame(.text, [0xFF, 0xFF], isCompressed: true)
      + Self.frame(.close, [0x03, 0xE8])
    var consumed = 0
    stream.withUnsafeMutableBytes { input in
      guard case .close(.normalClosure?, _)? = connection.next(input, consumed: &consumed, inflater: &inflater) else {
        Issue.record("no Close")
        return
      }
    }
  }
}
