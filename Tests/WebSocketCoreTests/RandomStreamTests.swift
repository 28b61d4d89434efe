import Testing
import WebSocketCore

/// Streams out of nowhere and streams that were once right, from a fixed seed.
@Suite("random and mutated streams")
struct RandomStreamTests {
  private static let limits = WebSocketLimits(maximumMessageBytes: 300, maximumFramesPerMessage: 8)

  private func stream(_ generator: inout SeededGenerator) -> [UInt8] {
    if Int.random(in: 0..<10, using: &generator) == 0 {
      let count = Int.random(in: 0...40, using: &generator)
      return generator.bytes(count)
    }
    var bytes: [UInt8] = []
    var isInside = false
    for _ in 0..<Int.random(in: 1...6, using: &generator) {
      let size = Int.random(in: 0...(Bool.random(using: &generator) ? 6 : 160), using: &generator)
      let payload = Bool.random(using: &generator) ? generator.bytes(size) : [UInt8](repeating: 0x61, count: size)
      switch Int.random(in: 0..<8, using: &generator) {
      case 0: bytes += masked(.ping, [UInt8](payload.prefix(125)))
      case 1: bytes += masked(.close, closePayload(UInt16.random(in: 990...1020, using: &generator), "é"))
      case 2: bytes += masked(.binary, payload)
      default:
        let isFinal = Bool.random(using: &generator)
        let start: WebSocketOpcode = Bool.random(using: &generator) ? .text : .binary
        bytes += masked(isInside ? .continuation : start, payload, final: isFinal)
        isInside = !isFinal
      }
    }
    for _ in 0..<Int.random(in: 0...3, using: &generator) where !bytes.isEmpty {
      let index = Int.random(in: 0..<bytes.count, using: &generator)
      switch Int.random(in: 0..<3, using: &generator) {
      case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      case 1: bytes.remove(at: index)
      default: bytes.insert(UInt8.random(in: .min ... .max, using: &generator), at: index)
      }
    }
    return bytes
  }

  @Test("200,000 streams: no trap, bounded memory, and at most one end, the last event")
  func fuzz() {
    var generator = SeededGenerator(seed: 2_026)
    var mostCapacity = 0
    var eventsAfterEnd = 0
    var isLeftBehind = 0
    for _ in 0..<200_000 {
      var connection = WebSocketConnection(role: .server, limits: Self.limits)
      var hasEnded = false
      let bytes = stream(&generator)
      let most = Int.random(in: 1...200, using: &generator)
      for piece in chopped(bytes, using: &generator, most: most) {
        for event in connection.receive(piece) {
          if hasEnded { eventsAfterEnd += 1 }
          switch event {
          case .close, .failure: hasEnded = true
          default: break
          }
        }
        mostCapacity = max(mostCapacity, connection.assembledCapacity)
        if Int.random(in: 0..<64, using: &generator) == 0 { _ = connection.closeFrame(code: .goingAway) }
      }
      if connection.state == .closed || hasEnded, connection.assembledCapacity > 0 { isLeftBehind += 1 }
    }
    #expect(eventsAfterEnd == 0)
    #expect(isLeftBehind == 0)
    #expect(mostCapacity <= 2 * (300 + 125))
  }

  @Test("how a stream is cut never changes what is read from it")
  func chopping() {
    var generator = SeededGenerator(seed: 77)
    var differences = 0
    var events = 0
    for _ in 0..<20_000 {
      let bytes = stream(&generator)
      func read(_ pieces: [[UInt8]]) -> [Received] {
        var connection = WebSocketConnection(role: .server, limits: Self.limits)
        return connection.receive(pieces)
      }
      let whole = read([bytes])
      events += whole.count
      if read(chopped(bytes, everyByte: ())) != whole { differences += 1 }
      if read(chopped(bytes, using: &generator)) != whole { differences += 1 }
    }
    #expect(differences == 0)
    #expect(events > 20_000)
  }
}
