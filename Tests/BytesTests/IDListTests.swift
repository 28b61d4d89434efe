import Testing

@testable import Bytes

@Suite("The id list")
struct IDListTests {
  @Test("does what an array does", arguments: [11 as UInt64, 12, 13])
  func model(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var list = IDList<UInt64>()
    var model: [UInt64] = []
    verify(list.capacity == 0)
    for _ in 0..<10_000 {
      switch Int.random(in: 0..<100, using: &random) {
      case 0:
        let capacity = list.capacity
        list.removeAll()
        model.removeAll()
        verify(list.capacity == capacity)
      case 1..<40 where !model.isEmpty:
        let index = Int.random(in: 0..<model.count, using: &random)
        let last = model.removeLast()
        if index < model.count { model[index] = last }
        verify(list.swapRemove(at: index) == (index < model.count ? last : nil))
      case 40..<45: verify(list.popLast() == model.popLast())
      case 45..<50 where !model.isEmpty:
        let index = Int.random(in: 0..<model.count, using: &random)
        model[index] = 5
        list[index] = 5
      default:
        let id = UInt64.random(in: .min ... .max, using: &random)
        model.append(id)
        list.append(id)
      }
      verify(list.count == model.count)
      verify(list.isEmpty == model.isEmpty)
    }
    for index in model.indices { verify(list[index] == model[index]) }
    list.removeAll(keepingCapacity: false)
    verify(list.capacity == 0)
    list.append(3)
    verify(list[0] == 3)
  }

  @Test("holds slot ids")
  func slotIDs() {
    var list = IDList<SlotID>(minimumCapacity: 4)
    list.append(SlotID(index: 1, generation: 3))
    verify(list[0] == SlotID(index: 1, generation: 3))
  }
}
