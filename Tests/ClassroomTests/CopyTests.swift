import Testing

@testable import Classroom

@Suite("Copies of a classroom")
struct CopyTests {
  /// More of everything than fits in one block.
  private static func large() throws -> Classroom {
    var classroom = try Classroom.sample(in: .ongoing)
    for number in 0..<600 {
      let actor = Actor.named("u\(number)")
      _ = try classroom.handle(.join, by: actor, at: .after(2000))
      for key in 0..<3 {
        _ = try classroom.handle(.sendChat(text: "m\(key)"), by: actor, key: "k\(key)", at: .after(2000))
      }
    }
    return classroom
  }

  @Test("what happens to one copy does not happen to the other")
  func independence() throws {
    var classroom = try Self.large()
    let copy = classroom
    let twin = try Self.large()
    _ = try classroom.handle(.leave(at: .after(3000), isEstimated: false), by: .named("u3"), at: .after(3000))
    _ = try classroom.handle(.lose(since: .after(3000), isEstimated: false), by: .named("u400"), at: .after(3000))
    _ = try classroom.handle(.join, by: .named("new"), at: .after(3000))
    for number in 0..<300 {
      _ = try classroom.handle(.sendChat(text: "x"), by: .named("u5"), key: "n\(number)", at: .after(3000))
    }
    _ = try classroom.handle(.end, by: .host, at: .after(4000))
    #expect(copy == twin)
    #expect(copy.attendance.activeCount == 601 && copy.attendance["new"] == nil)
    #expect(classroom.attendance.activeCount == 0 && classroom.attendance["new"] != nil)
    #expect(copy.chat.messages.count == 1800 && classroom.chat.messages.count == 2100)
  }

  @Test("a list in blocks is a list, whatever is appended, changed and dropped", arguments: 0..<20)
  func blockList(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var list = BlockList<Int>(blockSize: 4)
    var model: [Int] = []
    var copies: [(BlockList<Int>, [Int])] = []
    for step in 0..<300 {
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<5:
        list.append(step)
        model.append(step)
      case 5..<8 where !model.isEmpty:
        list.removeFirst()
        model.removeFirst()
      case 8 where !model.isEmpty:
        let index = Int.random(in: model.indices, using: &random)
        list.update(index) { $0 += 1000 }
        model[index] += 1000
      default:
        list.updateAll(where: { $0 % 3 == 0 }) { $0 += 1 }
        model = model.map { $0 % 3 == 0 ? $0 + 1 : $0 }
      }
      #expect(Array(list) == model && list.first == model.first && list.last == model.last)
      if step % 20 == 0 { copies.append((list, model)) }
    }
    for (list, model) in copies { #expect(Array(list) == model) }
  }

  @Test("a set of hashes has what was put in, in order, however it grew")
  func sortedHashes() {
    var random = SeededGenerator(seed: 5)
    var set = SortedHashes()
    var model: Set<UInt64> = []
    let halfway = (0..<20_000).map { _ in random.next() >> 40 }
    for hash in halfway {
      set.insert(hash)
      model.insert(hash)
    }
    let copy = set
    for hash in UInt64(0)..<3000 { set.insert(.max - hash) }
    #expect(Array(copy.ascending) == model.sorted() && copy.count == model.count)
    #expect(set.count == model.count + 3000)
    for hash in halfway { #expect(set.contains(hash) && set.contains(.max - hash % 3000)) }
    for hash in UInt64(0)..<5000 { #expect(copy.contains(hash) == model.contains(hash)) }
    var other = SortedHashes()
    for hash in model.sorted() { other.insert(hash) }
    #expect(other == copy, "however the blocks were cut")
    #expect(!SortedHashes().contains(0))
  }
}
