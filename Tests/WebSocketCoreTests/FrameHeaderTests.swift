import Testing
import WebSocketCore

@Suite("RFC 6455 5.2: frame headers")
struct FrameHeaderTests {
  private func decode(
    _ bytes: [UInt8], by role: WebSocketRole = .client, permitting bits: WebSocketReservedBits = []
  ) throws -> WebSocketFrameHeader? {
    try bytes.withUnsafeBytes { buffer in
      try WebSocketFrameHeader.decode(buffer, receivedBy: role, permittedReservedBits: bits)
    }
  }

  @Test("RFC 6455 5.7: the examples of single frames come out byte for byte")
  func examples() {
    let hello = [UInt8]("Hello".utf8)
    #expect(WebSocketFrame.bytes(.text, payload: hello) == [0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F])
    #expect(
      WebSocketFrame.bytes(.text, payload: hello, maskingKey: testKey)
        == [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58])
    #expect(
      WebSocketFrame.bytes(.text, payload: [0x48, 0x65, 0x6C], isFinal: false) == [0x01, 0x03, 0x48, 0x65, 0x6C])
    #expect(
      WebSocketFrame.bytes(.binary, payload: [UInt8](repeating: 0, count: 256)).prefix(4) == [0x82, 0x7E, 0x01, 0x00])
    #expect(
      WebSocketFrame.bytes(.binary, payload: [UInt8](repeating: 0, count: 65_536)).prefix(10)
        == [0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0])
  }

  @Test(
    "5.2: what is written is read back, and every shorter piece asks for more",
    arguments: [0, 1, 125, 126, 127, 65_535, 65_536, 1 << 40, Int.max])
  func roundTrip(payloadCount: Int) throws {
    for key in [nil, testKey] {
      let header = WebSocketFrameHeader(opcode: .binary, payloadCount: payloadCount, isFinal: false, maskingKey: key)
      var bytes = [UInt8](repeating: 0xAA, count: 15)
      let written = bytes.withUnsafeMutableBytes { buffer in buffer.baseAddress.map { header.write(to: $0) } ?? 0 }
      #expect(written == header.length)
      #expect(written == WebSocketFrameHeader.headerLength(payloadCount: payloadCount, masked: key != nil))
      #expect(bytes[written...].allSatisfy { $0 == 0xAA })
      let role: WebSocketRole = key == nil ? .client : .server
      #expect(try decode(bytes, by: role) == header)
      for count in 0..<written {
        #expect(try decode([UInt8](bytes[..<count]), by: role) == nil)
      }
    }
  }

  @Test("5.2: a length in more bytes than it needs is refused", arguments: [0, 1, 125])
  func twoByteLengthNotMinimal(length: UInt8) {
    #expect(throws: WebSocketFailure.lengthNotMinimal) { try decode([0x82, 126, 0, length]) }
  }

  @Test("5.2: an eight-byte length that fits in two is refused", arguments: [0, 125, 126, 0xFFFF] as [UInt16])
  func eightByteLengthNotMinimal(length: UInt16) {
    #expect(throws: WebSocketFailure.lengthNotMinimal) {
      try decode([0x82, 127, 0, 0, 0, 0, 0, 0, UInt8(length >> 8), UInt8(length & 0xFF)])
    }
  }

  @Test("5.2: the top bit of a 64-bit length is refused, not trapped on")
  func topBit() throws {
    #expect(throws: WebSocketFailure.lengthOutOfRange) { try decode([0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0]) }
    #expect(throws: WebSocketFailure.lengthOutOfRange) { try decode([0x82, 127] + [UInt8](repeating: 0xFF, count: 8)) }
    #expect(try decode([0x82, 127, 0x7F] + [UInt8](repeating: 0xFF, count: 7))?.payloadCount == Int.max)
  }

  @Test(
    "5.2: reserved opcodes are refused at the first byte", arguments: [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] as [UInt8])
  func reservedOpcodes(opcode: UInt8) {
    #expect(throws: WebSocketFailure.reservedOpcode) { try decode([0x80 | opcode]) }
  }

  @Test("5.2: reserved bits are refused at the first byte", arguments: [0x10, 0x20, 0x40, 0x70] as [UInt8])
  func reservedBits(bits: UInt8) {
    #expect(throws: WebSocketFailure.reservedBitSet) { try decode([0x82 | bits]) }
  }

  @Test("9: an extension can give RSV1 a meaning, and no other bit with it")
  func negotiatedBit() throws {
    #expect(try decode([0xC1, 0], permitting: .rsv1)?.reservedBits == .rsv1)
    #expect(throws: WebSocketFailure.reservedBitSet) { try decode([0xE1, 0], permitting: .rsv1) }
  }

  @Test("5.1: the server demands a mask and the client refuses one")
  func masks() {
    #expect(throws: WebSocketFailure.unmaskedFrame) { try decode([0x81, 0x05], by: .server) }
    #expect(throws: WebSocketFailure.maskedFrame) { try decode([0x81, 0x85], by: .client) }
  }

  @Test("5.5: a control frame has at most 125 bytes and is not fragmented", arguments: [8, 9, 10] as [UInt8])
  func controlFrames(opcode: UInt8) throws {
    #expect(throws: WebSocketFailure.fragmentedControlFrame) { try decode([opcode, 0]) }
    #expect(throws: WebSocketFailure.controlFrameTooLong) { try decode([0x80 | opcode, 126]) }
    #expect(throws: WebSocketFailure.controlFrameTooLong) { try decode([0x80 | opcode, 127]) }
    #expect(try decode([0x80 | opcode, 125])?.payloadCount == 125)
  }
}
