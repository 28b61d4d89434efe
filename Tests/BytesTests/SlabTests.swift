import Testing

@testable import Bytes

/// Counts the elements that are alive.
private final class Census {
  var alive = 0
}

private struct Tracked: ~Copyable {
  var value: Int
  let census: Census

  init(_ value: Int, _ census: Census) {
    self.value = value
    self.census = census
    census.alive += 1
  }

  deinit { census.alive -= 1 }
}

@Suite("The slab")
struct SlabTests {
  @Test(
    "does what a dictionary does; stale ids name nothing; no slot is reused before recycle",
    arguments: [
      14 as UInt64, 15, 16,
    ])
  func model(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let census = Census()
    do {
      var slab = Slab<Tracked>()
      var model: [SlotID: Int] = [:]
      var addresses: [SlotID: UnsafeMutablePointer<Tracked>] = [:]
      var order: [SlotID] = []
      var stale: [SlotID] = []
      var everUsed: Set<SlotID> = []
      var removedSinceRecycle: Set<UInt32> = []
      for step in 0..<20_000 {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<3:
          slab.recycle()
          removedSinceRecycle.removeAll()
        case 3..<40 where !order.isEmpty:
          let at = Int.random(in: 0..<order.count, using: &random)
          let id = order[at]
          order.swapAt(at, order.count - 1)
          order.removeLast()
          if Bool.random(using: &random) {
            verify(slab.remove(id))
          } else {
            let taken = slab.take(id)
            if let taken { #expect(taken.value == model[id]) } else { Issue.record("a live element was not there") }
          }
          model[id] = nil
          addresses[id] = nil
          stale.append(id)
          removedSinceRecycle.insert(id.index)
        case 40..<45:
          if let id = stale.randomElement(using: &random) {
            verify(slab.pointer(to: id) == nil)
            verify(!slab.remove(id))
            let taken = slab.take(id)
            verify(taken == nil)
          }
        default:
          let id = slab.insert(Tracked(step, census))
          verify(everUsed.insert(id).inserted, "an id is given out once")
          #expect(!removedSinceRecycle.contains(id.index))
          model[id] = step
          addresses[id] = slab.pointer(to: id)
          order.append(id)
        }
        verify(slab.count == model.count)
        verify(census.alive == model.count)
        if let id = order.randomElement(using: &random) {
          verify(slab.pointer(to: id)?.pointee.value == model[id])
          verify(slab.pointer(to: id) == addresses[id], "elements never move")
          verify(slab.pointer(to: SlotID(rawValue: id.rawValue)) == addresses[id])
        }
      }
      var seen: [SlotID] = []
      slab.forEach { id, element in
        seen.append(id)
        #expect(element.pointee.value == model[id])
      }
      #expect(Set(seen) == Set(model.keys))
      #expect(seen.map(\.index) == seen.map(\.index).sorted())
      verify((0..<slab.slotCount).compactMap { slab.id(at: $0) } == seen)
    }
    verify(census.alive == 0, "the slab destroys what is left in it")
  }

  @Test("a removed element is destroyed at once, its slot used again after recycle with another generation")
  func recycleRule() {
    let census = Census()
    var slab = Slab<Tracked>()
    let first = slab.insert(Tracked(1, census))
    slab.remove(first)
    verify(census.alive == 0)
    let second = slab.insert(Tracked(2, census))
    #expect(second.index != first.index)
    slab.recycle()
    let third = slab.insert(Tracked(3, census))
    #expect(third.index == first.index)
    #expect(third.generation != first.generation)
    verify(slab.pointer(to: first) == nil)
    verify(slab.pointer(to: third)?.pointee.value == 3)
  }

  @Test("invented ids name nothing")
  func inventedIDs() {
    var slab = Slab<Int>()
    verify(slab.pointer(to: SlotID(rawValue: 0)) == nil)
    let id = slab.insert(5)
    slab.remove(id)
    for raw in [0, 1, UInt64(UInt32.max), 1 << 32 | 77, .max, id.rawValue, id.rawValue + 1 << 32] {
      verify(slab.pointer(to: SlotID(rawValue: raw)) == nil)
      verify(!slab.remove(SlotID(rawValue: raw)))
    }
    verify(slab.count == 0)
    verify(slab.id(at: -1) == nil)
    verify(slab.id(at: 1) == nil)
  }

  @Test("raw values below 2^32 are free for other tokens")
  func tokensApart() {
    var slab = Slab<Int>()
    for value in 0..<3000 { verify(slab.insert(value).rawValue > UInt64(UInt32.max)) }
  }

  @Test("a slot whose generations are used up is retired")
  func retirement() {
    var slab = Slab<Int>()
    let id = slab.insert(1)
    slab.states[0].generation = .max
    verify(slab.remove(SlotID(index: id.index, generation: .max)))
    slab.recycle()
    verify(slab.insert(2).index == 1)
    verify(slab.pointer(to: id) == nil)
  }
}
