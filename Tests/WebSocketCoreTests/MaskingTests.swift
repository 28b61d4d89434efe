import Testing
import WebSocketCore

@Suite("RFC 6455 5.3: masking")
struct MaskingTests {
  private func byteByByte(_ bytes: [UInt8], _ octets: [UInt8], from offset: Int) -> [UInt8] {
    bytes.enumerated().map { $0.element ^ octets[($0.offset + offset) % 4] }
  }

  @Test("5.3: the word kernel is the byte rule, at every length, offset and alignment")
  func property() {
    var generator = SeededGenerator(seed: 1)
    for length in 0...70 {
      for offset in [0, 1, 2, 3, 4, 5, 7, 1_000_003] {
        for alignment in 0..<8 {
          let octets = generator.bytes(4)
          let key = WebSocketMaskingKey(octets[0], octets[1], octets[2], octets[3])
          let before = generator.bytes(alignment + length + 3)
          var after = before
          after.withUnsafeMutableBytes {
            key.advanced(by: offset).apply(to: .init(rebasing: $0[alignment..<alignment + length]))
          }
          let end = alignment + length
          #expect([UInt8](after[alignment..<end]) == byteByByte([UInt8](before[alignment..<end]), octets, from: offset))
          #expect(after[..<alignment] == before[..<alignment] && after[end...] == before[end...])
        }
      }
    }
  }

  @Test("5.3: masking twice gives the payload back, however it was cut")
  func involution() {
    var generator = SeededGenerator(seed: 2)
    let payload = generator.bytes(1_000)
    var frame = payload
    frame.withUnsafeMutableBytes { testKey.apply(to: $0) }
    var start = 0
    var key = testKey
    while start < frame.count {
      let count = min(frame.count - start, Int.random(in: 0...30, using: &generator))
      frame.withUnsafeMutableBytes { key.apply(to: .init(rebasing: $0[start..<start + count])) }
      key = key.advanced(by: count)
      start += count
    }
    #expect(frame == payload)
  }
}
