import Testing

@testable import loadtest

@Suite("One attendee's view of the numbered events")
struct StreamCheckerTests {
  private func checked(_ sequences: [UInt64], after included: UInt64 = 0) -> StreamChecker {
    var checker = StreamChecker(after: included)
    for sequence in sequences { checker.receive(sequence) }
    return checker
  }

  @Test("events once and in order are right, from the number on that the state includes")
  func right() {
    let checker = checked([8, 9, 10], after: 7)
    #expect(checker.delivered == 3)
    #expect(checker.lost(through: 10) == 0)
    #expect(checker.duplicates == 0)
    #expect(checker.reordered == 0)
  }

  @Test("an event that is left out is lost")
  func lost() {
    var checker = checked([1, 2])
    expect(checker.receive(5), is: .gap(2))
    #expect(checker.lost(through: 5) == 2)
  }

  @Test("the first event after the state can be lost too")
  func lostAtStart() { #expect(checked([9], after: 7).lost(through: 9) == 1) }

  @Test("events that never come at the end are lost")
  func lostAtEnd() {
    #expect(checked([1, 2]).lost(through: 4) == 2)
    #expect(checked([], after: 3).lost(through: 4) == 1)
  }

  @Test("an event that comes twice is a duplicate, and nothing else")
  func duplicated() {
    var checker = checked([1, 2, 3])
    expect(checker.receive(2), is: .duplicate)
    expect(checker.receive(3), is: .duplicate)
    #expect(checker.duplicates == 2)
    #expect(checker.reordered == 0)
    #expect(checker.lost(through: 3) == 0)
  }

  @Test("an event that the state already includes is a duplicate")
  func included() { #expect(checked([7], after: 7).duplicates == 1) }

  @Test("two events that change places are out of order, and not lost")
  func reordered() {
    var checker = checked([1, 3])
    expect(checker.receive(2), is: .late)
    expect(checker.receive(4), is: .inOrder)
    #expect(checker.reordered == 1)
    #expect(checker.lost(through: 4) == 0)
    expect(checker.receive(2), is: .duplicate)
  }

  @Test("a number out of all proportion is a gap of its size and fills no memory")
  func absurd() {
    var checker = checked([1])
    checker.receive(.max)
    #expect(checker.lost(through: .max) == UInt64.max - 2)
    expect(checker.receive(.max), is: .duplicate)
  }
}
