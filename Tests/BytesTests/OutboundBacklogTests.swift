import Testing

@testable import Bytes

@Suite("The outbound backlog")
struct OutboundBacklogTests {
  @Test("costs at most 24 bytes while it is empty")
  func size() {
    #expect(MemoryLayout<OutboundBacklog>.stride <= 24)
    let backlog = OutboundBacklog()
    verify(backlog.front.baseAddress == nil)
  }

  @Test("gives back the bytes that went in, in order", arguments: [7 as UInt64, 8, 9, 10])
  func model(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var backlog = OutboundBacklog()
    var model: [UInt8] = []
    for step in 0..<5_000 {
      // Phases that mostly fill and phases that mostly drain.
      if Int.random(in: 0..<10, using: &random) < (step / 500 % 2 == 0 ? 7 : 3) {
        let bytes = random.bytes(upTo: 700)
        let accepted = bytes.withUnsafeBytes { backlog.append($0) }
        #expect(accepted)
        model.append(contentsOf: bytes)
      } else {
        let taken = Int.random(in: 0...model.count, using: &random)
        backlog.consume(taken)
        model.removeFirst(taken)
      }
      verify(backlog.count == model.count)
      verify(backlog.isEmpty == model.isEmpty)
      if step % 16 == 0 { verify(Array(backlog.front) == model) }
      if model.isEmpty { verify(backlog.front.baseAddress == nil, "an empty backlog keeps no memory") }
    }
    verify(Array(backlog.front) == model)
  }

  @Test("refuses what would exceed the limit and stays as it was")
  func limit() {
    var backlog = OutboundBacklog()
    let accepted = ([1, 2, 3] as [UInt8]).withUnsafeBytes { backlog.append($0, limit: 4) }
    #expect(accepted)
    let refused = ([4, 5] as [UInt8]).withUnsafeBytes { backlog.append($0, limit: 4) }
    #expect(!refused)
    verify(Array(backlog.front) == [1, 2, 3])
    let exact = ([6] as [UInt8]).withUnsafeBytes { backlog.append($0, limit: 4) }
    #expect(exact)
    verify(Array(backlog.front) == [1, 2, 3, 6])
  }

  @Test("a stream that is never quite drained does not grow")
  func steadyStateIsBounded() {
    var backlog = OutboundBacklog()
    let chunk = [UInt8](repeating: 1, count: 100)
    func append() { let accepted = chunk.withUnsafeBytes { backlog.append($0) }; #expect(accepted) }
    append()
    var addresses: Set<UnsafeRawPointer?> = []
    for step in 0..<10_000 {
      append()
      backlog.consume(100)
      if step >= 100 { addresses.insert(backlog.front.baseAddress) }
    }
    verify(backlog.count == 100)
    #expect(addresses.count <= 8, "the same few places are used over and over")
  }
}
