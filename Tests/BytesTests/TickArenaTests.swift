import Testing

@testable import Bytes

@Suite("The tick arena")
struct TickArenaTests {
  @Test("ranges keep their bytes while the arena grows and moves", arguments: [1 as UInt64, 2, 3])
  func rangesSurviveGrowth(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var arena = TickArena(initialCapacity: 64)
    for _ in 0..<20 {
      var written: [(ByteRange, [UInt8])] = []
      for _ in 0..<100 {
        let bytes = random.bytes(upTo: 300)
        if Bool.random(using: &random) {
          written.append((bytes.withUnsafeBytes { arena.append($0) }, bytes))
        } else {
          let start = arena.count
          let target = arena.extend(byCount: bytes.count)
          for (offset, byte) in bytes.enumerated() { target.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self) }
          written.append((arena.range(from: start), bytes))
        }
      }
      for (range, bytes) in written { verify(Array(arena[range]) == bytes) }
      verify(arena.count == written.reduce(0) { $0 + $1.1.count })
      arena.reset()
      verify(arena.count == 0)
    }
  }

  @Test("what is taken back is written over")
  func truncation() {
    var arena = TickArena(initialCapacity: 64)
    let kept = [1, 2, 3].withUnsafeBytes { arena.append($0) }
    let mark = arena.count
    _ = arena.extend(byCount: 5000)
    arena.truncate(toCount: mark)
    verify(arena.count == mark)
    let next = ([7, 8, 9] as [UInt8]).withUnsafeBytes { arena.append($0) }
    #expect(next.start == kept.end)
    verify(Array(arena[next]) == [7, 8, 9])
  }

  @Test("the memory of a burst is given back after enough quiet ticks, not before")
  func shrinks() {
    var arena = TickArena(initialCapacity: 64, retainedCapacity: 256, quietTicks: 3)
    _ = arena.extend(byCount: 1000)
    let burst = arena.capacity
    arena.reset()
    for _ in 0..<2 {
      _ = arena.extend(byCount: 100)
      arena.reset()
      verify(arena.capacity == burst)
    }
    _ = arena.extend(byCount: 300)
    arena.reset()
    for _ in 0..<2 {
      arena.reset()
      verify(arena.capacity == burst, "a busy tick begins the count anew")
    }
    arena.reset()
    verify(arena.capacity == 256)
    let range = [5].withUnsafeBytes { arena.append($0) }
    verify(arena[range].load(as: Int.self) == 5)
  }

  @Test("bytes taken back count as needed")
  func truncatedPeakCounts() {
    var arena = TickArena(initialCapacity: 64, retainedCapacity: 256, quietTicks: 1)
    for _ in 0..<5 {
      _ = arena.extend(byCount: 1000)
      arena.truncate(toCount: 10)
      arena.reset()
      verify(arena.capacity >= 1000)
    }
    arena.reset()
    verify(arena.capacity == 256)
  }
}

@Suite("The pending spans of a connection")
struct PendingSpansTests {
  @Test("are 16 bytes")
  func size() { #expect(MemoryLayout<PendingSpans>.size == 16) }

  @Test("name exactly the bytes that were added, in order, in at most two ranges", arguments: [4 as UInt64, 5, 6])
  func model(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var spans = PendingSpans()
    var model: [UInt32] = []
    var runs = 0
    var cursor: UInt32 = 0
    for _ in 0..<20_000 {
      if Int.random(in: 0..<8, using: &random) == 0 { cursor += UInt32.random(in: 1...9, using: &random) }
      let range = ByteRange(start: cursor, end: cursor + UInt32.random(in: 0...4, using: &random))
      cursor = range.end
      let continues = model.last.map { $0 + 1 == range.start } ?? false
      let fits = range.isEmpty || continues || runs < 2
      verify(spans.append(range) == fits)
      if fits {
        if !range.isEmpty, !continues { runs += 1 }
        model.append(contentsOf: range.start..<range.end)
      }
      #expect(Array(spans.first.start..<spans.first.end) + Array(spans.second.start..<spans.second.end) == model)
      #expect(spans.byteCount == model.count)
      #expect(spans.isEmpty == model.isEmpty)
      if !fits {
        spans.removeAll()
        model = []
        runs = 0
      }
    }
  }

  @Test("merge neighbours and refuse a third range")
  func merging() {
    var spans = PendingSpans()
    verify(spans.append(ByteRange(start: 0, end: 10)))
    verify(spans.append(ByteRange(start: 10, end: 20)))
    #expect(spans.first == ByteRange(start: 0, end: 20))
    #expect(spans.second.isEmpty)
    verify(spans.append(ByteRange(start: 30, end: 40)))
    verify(spans.append(ByteRange(start: 40, end: 50)))
    let before = spans
    verify(!spans.append(ByteRange(start: 60, end: 70)))
    #expect(spans == before)
    verify(spans.append(ByteRange(start: 99, end: 99)), "nothing to send needs no range")
  }
}
