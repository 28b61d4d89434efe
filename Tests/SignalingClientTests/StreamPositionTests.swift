import Testing

@testable import SignalingClient

@Suite("How far the numbered events were seen")
struct StreamPositionTests {
  private func verdicts(_ sequences: [UInt64], after included: UInt64 = 0) -> [StreamPosition.Verdict] {
    var position = StreamPosition(after: included)
    return sequences.map { position.receive($0) }
  }

  @Test("events once and in order are right, from the number on that the state includes")
  func right() { #expect(verdicts([8, 9, 10], after: 7) == [.inOrder, .inOrder, .inOrder]) }

  @Test("events that are left out are counted, the first after the state too")
  func gaps() {
    #expect(verdicts([1, 2, 5]) == [.inOrder, .inOrder, .gap(2)])
    #expect(verdicts([9], after: 7) == [.gap(1)])
  }

  @Test("an event that comes twice is a duplicate, and so is one that the state includes")
  func duplicates() {
    #expect(verdicts([1, 2, 2, 1]) == [.inOrder, .inOrder, .duplicate, .duplicate])
    #expect(verdicts([7], after: 7) == [.duplicate])
  }

  @Test("two events that change places: one is late, and only once")
  func late() { #expect(verdicts([1, 3, 2, 4, 2]) == [.inOrder, .gap(1), .late, .inOrder, .duplicate]) }

  @Test("a number out of all proportion is a gap of its size and fills no memory")
  func absurd() {
    #expect(verdicts([1, .max, .max]) == [.inOrder, .gap(.max - 2), .duplicate])
    #expect(verdicts([.max], after: .max - 1) == [.inOrder])
  }
}
