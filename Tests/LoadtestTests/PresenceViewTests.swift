import SignalingProtocol
import Testing

@testable import loadtest

@Suite("One attendee's view of who is there")
struct PresenceViewTests {
  private func view(
    _ members: [Int], count: Int? = nil, sequence: UInt64 = 4, next: UInt64? = nil, mode: PresenceMode = .full
  ) -> PresenceView {
    PresenceView(
      mode: mode,
      state: PresenceState(sequence: sequence, count: count ?? members.count, members: members, next: next))
  }

  private func delta(_ sequence: UInt64, count: Int, present: [Int] = [], left: [Int] = []) -> PresenceDelta {
    PresenceDelta(sequence: sequence, count: count, present: present, left: left)
  }

  @Test("a state and differences upon it make the set")
  func differences() {
    var view = view([0, 1])
    view.apply(delta(5, count: 3, present: [2, 1]))
    #expect(view.isConsistent)
    view.apply(delta(6, count: 3, present: [100], left: [1]))
    #expect(view.isConsistent)
    #expect([0, 2, 100].allSatisfy(view.contains))
    #expect(!view.contains(1))
  }

  @Test("a difference that is not above the known number is skipped")
  func old() {
    var view = view([0, 1])
    view.apply(delta(4, count: 9, present: [7]))
    #expect(view.memberCount == 2)
    #expect(view.announcedCount == 2)
  }

  @Test("a difference that was lost shows in the count of the next")
  func lostDifference() {
    var view = view([0, 1])
    view.apply(delta(6, count: 4, present: [3]))
    #expect(!view.isConsistent)
  }

  @Test("who is left out of a state, or stays after leaving, shows in the count")
  func wrongState() {
    #expect(!view([0, 1], count: 3).isConsistent)
    var view = view([0, 1, 2])
    view.apply(delta(5, count: 2))
    #expect(!view.isConsistent)
  }

  @Test("leaving without having been there, and coming twice, change nothing")
  func repeated() {
    var view = view([0, 1])
    view.apply(delta(5, count: 2, present: [1, 1], left: [9]))
    #expect(view.isConsistent)
    #expect(view.memberCount == 2)
  }

  @Test("a list in pages is held against the count when its last page is there")
  func pages() {
    var view = view([0, 1], count: 5, next: 2)
    #expect(view.isConsistent)
    view.add(page: [2, 3], next: 4)
    #expect(view.isConsistent)
    view.add(page: [], next: nil)
    #expect(!view.isConsistent)
    view.add(page: [4], next: nil)
    #expect(view.isConsistent)
  }

  @Test("the truth at the end: everybody, and nobody else")
  func truth() {
    #expect(PresenceTruth.fault(of: view([0, 1, 2]), count: 3) == nil)
    #expect(PresenceTruth.fault(of: view([0, 1]), count: 3) != nil)
    #expect(PresenceTruth.fault(of: view([0, 1, 3]), count: 3) != nil)
    #expect(PresenceTruth.fault(of: view([0, 1, 2, 3]), count: 3) != nil)
  }

  @Test("the truth in the other modes: the count, and of the people the hosts only")
  func truthOfModes() {
    #expect(PresenceTruth.fault(of: view([], count: 3, mode: .count), count: 3) == nil)
    #expect(PresenceTruth.fault(of: view([], count: 2, mode: .count), count: 3) != nil)
    #expect(PresenceTruth.fault(of: view([0], count: 3, mode: .hosts), count: 3) == nil)
    #expect(PresenceTruth.fault(of: view([1], count: 3, mode: .hosts), count: 3) != nil)
    #expect(PresenceTruth.fault(of: view([], count: 0, mode: .none), count: 3) == nil)
  }
}
