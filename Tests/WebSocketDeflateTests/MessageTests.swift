import Testing
import WebSocketCore
import WebSocketDeflate

@Suite("Messages are compressed and inflated as RFC 7692, 7.2 says")
struct MessageTests {
  private static let hello = Array("Hello".utf8)

  @Test(
    "the examples of RFC 7692, 7.2.3 are read",
    arguments: [
      [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00],
      [0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x00],
      [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00],
      [0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00],
    ] as [[UInt8]])
  func examples(payload: [UInt8]) throws {
    var inflater = MessageInflater(keepsContext: false)
    #expect(try inflater.inflate(payload) == Self.hello)
    // Once more, with the same inflater.
    #expect(try inflater.inflate(payload) == Self.hello)
  }

  @Test("a second message may refer to the first where the context is kept, and only there")
  func context() throws {
    let (first, second): ([UInt8], [UInt8]) = (
      [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00], [0xF2, 0x00, 0x11, 0x00, 0x00]
    )
    var keeping = MessageInflater(keepsContext: true)
    #expect(try keeping.inflate(first) == Self.hello)
    #expect(try keeping.inflate(second) == Self.hello)
    var forgetting = MessageInflater(keepsContext: false)
    #expect(try forgetting.inflate(first) == Self.hello)
    #expect(throws: WebSocketFailure.invalidCompressedData) { try forgetting.inflate(second) }
    // What one connection broke does not reach the next one.
    #expect(try forgetting.inflate(first) == Self.hello)
  }

  @Test("the context outlives a final block")
  func contextAcrossFinalBlock() throws {
    var inflater = MessageInflater(keepsContext: true)
    #expect(try inflater.inflate([0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00]) == Self.hello)
    #expect(try inflater.inflate([0xF2, 0x00, 0x11, 0x00, 0x00]) == Self.hello)
  }

  @Test("an empty message is one byte, and is read as such")
  func empty() throws {
    for keepsContext in [false, true] {
      var deflater = MessageDeflater(windowBits: 15, keepsContext: keepsContext)
      var inflater = MessageInflater(keepsContext: keepsContext)
      #expect(deflater.deflate([]) == [0])
      #expect(try inflater.inflate([0]) == [])
      #expect(try inflater.inflate(deflater.deflate(Self.hello)) == Self.hello)
      #expect(deflater.deflate([]) == [0])
      #expect(try inflater.inflate([0]) == [])
      #expect(try inflater.inflate([0x02, 0x00]) == [])
      #expect(try inflater.inflate(deflater.deflate(Self.hello)) == Self.hello)
    }
  }

  @Test(
    "whatever is compressed comes back, with every window, with and without context", arguments: 9...15, [false, true])
  func roundTrip(windowBits: Int, keepsContext: Bool) throws {
    var random = RandomBytes(state: UInt64(windowBits) * 2 + (keepsContext ? 1 : 0))
    for level in [1, 6, 9] {
      var deflater = MessageDeflater(windowBits: windowBits, keepsContext: keepsContext, level: level)
      var inflater = MessageInflater(keepsContext: keepsContext)
      for round in 0..<60 {
        let count = Int.random(in: 0...(round % 10 == 9 ? 300_000 : 3_000), using: &random)
        let message = random.message(count: count, isNoise: round % 3 == 0)
        #expect(try inflater.inflate(deflater.deflate(message)) == message)
      }
    }
  }

  @Test("a message without context is the same bytes for every receiver")
  func sameBytes() {
    var random = RandomBytes(state: 7)
    let message = random.message(count: 2_000, isNoise: false)
    var one = MessageDeflater(windowBits: 12, keepsContext: false)
    var other = MessageDeflater(windowBits: 12, keepsContext: false)
    _ = other.deflate(random.message(count: 5_000, isNoise: false))
    #expect(one.deflate(message) == other.deflate(message))
  }

  @Test("a smaller window is stayed in", arguments: 9...15)
  func window(bits: Int) throws {
    // Two halves that are the same, too far apart for all windows but those that hold both.
    var random = RandomBytes(state: 3)
    let half = random.message(count: 4_096, isNoise: true)
    var deflater = MessageDeflater(windowBits: bits, keepsContext: false, level: 9)
    let payload = deflater.deflate(half + half)
    #expect((payload.count < 6_000) == (bits >= 13))
  }

  @Test("a message as long as permitted is taken, one byte more is not", arguments: [0, 1, 5, 1_000, 65_536, 300_000])
  func limit(count: Int) throws {
    let message = [UInt8](repeating: 0x61, count: count)
    var deflater = MessageDeflater(windowBits: 15, keepsContext: false, level: 9)
    let payload = deflater.deflate(message)
    var inflater = MessageInflater(keepsContext: false)
    #expect(try inflater.inflate(payload, maximumBytes: count) == message)
    if count > 0 {
      #expect(throws: WebSocketFailure.messageTooBig) { try inflater.inflate(payload, maximumBytes: count - 1) }
    }
  }

  @Test("a bomb is stopped before more is allocated than one message may have")
  func bomb() {
    let limit = 65_536
    var deflater = MessageDeflater(windowBits: 15, keepsContext: false, level: 9)
    let payload = deflater.deflate([UInt8](repeating: 0, count: 64 << 20))
    #expect(payload.count < 70_000)
    var inflater = MessageInflater(keepsContext: false)
    #expect(throws: WebSocketFailure.messageTooBig) { try inflater.inflate(payload, maximumBytes: limit) }
    #expect(inflater.outputCapacity <= limit + 1)
  }

  @Test("what a large message needed is given back")
  func shrinking() throws {
    var deflater = MessageDeflater(windowBits: 15, keepsContext: false)
    var inflater = MessageInflater(keepsContext: false)
    let large = deflater.deflate([UInt8](repeating: 1, count: 4 << 20))
    _ = try inflater.inflate(large)
    #expect(inflater.outputCapacity >= 4 << 20)
    _ = try inflater.inflate([0])
    #expect(inflater.outputCapacity <= 64 << 10)
  }

  @Test("a message that breaks off in the middle of a block is refused", arguments: [false, true])
  func truncated(keepsContext: Bool) {
    var random = RandomBytes(state: 11)
    let message = random.message(count: 200, isNoise: false)
    var deflater = MessageDeflater(windowBits: 15, keepsContext: false)
    let payload = deflater.deflate(message)
    for count in 0..<payload.count {
      var inflater = MessageInflater(keepsContext: keepsContext)
      // A cut at the end of a block leaves a shorter message; any other must not pass for one.
      guard let read = try? inflater.inflate(Array(payload[..<count])) else { continue }
      #expect(message.starts(with: read) && count >= payload.count - 1)
    }
    // A stored block that has its last four bytes cut off must not be filled up with the end of the block.
    var inflater = MessageInflater(keepsContext: keepsContext)
    #expect(throws: WebSocketFailure.invalidCompressedData) {
      try inflater.inflate([0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48])
    }
    var another = MessageInflater(keepsContext: keepsContext)
    #expect(throws: WebSocketFailure.invalidCompressedData) { try another.inflate([]) }
  }

  @Test("a hundred thousand damaged messages trap nothing and stay within the limit")
  func mutations() {
    var random = RandomBytes(state: 5)
    var shared = MessageInflater(keepsContext: false)
    let valid = (0..<20).map { round in
      var deflater = MessageDeflater(windowBits: 9 + round % 7, keepsContext: false, level: 1 + round % 9)
      return deflater.deflate(random.message(count: 20 + 40 * round, isNoise: round % 4 == 0))
    }
    for round in 0..<100_000 {
      var payload = valid[round % valid.count]
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 0..<payload.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: payload[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: payload.remove(at: place)
        default: payload.insert(.random(in: 0...255, using: &random), at: place)
        }
        if payload.isEmpty { payload = [0] }
      }
      if let read = try? shared.inflate(payload, maximumBytes: 1_000) { #expect(read.count <= 1_000) }
    }
    #expect(shared.outputCapacity <= 1_001 + 64 * 1024)
  }

  @Test("final blocks without end cost no more than their bytes")
  func finalBlocks() throws {
    var inflater = MessageInflater(keepsContext: false)
    let payload =
      [UInt8](repeating: 0, count: 0) + Array(repeatElement([0x03, 0x00] as [UInt8], count: 30_000).joined())
    #expect(try inflater.inflate(payload + [0x00]) == [])
  }
}
