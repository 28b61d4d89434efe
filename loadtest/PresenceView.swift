import SignalingProtocol

/// A participant list as it came over the wire: the numbers of the people in it.
struct PresenceState {
  var sequence: UInt64
  var count: Int
  var members: [Int]
  /// The cursor of the page that follows.
  var next: UInt64?
}

/// A `presence.diff` with people by their numbers.
struct PresenceDelta: Equatable {
  var sequence: UInt64
  var count: Int
  /// Who came or changed.
  var present: [Int]
  var left: [Int]
}

/// Who is in a session as one attendee knows it, by the rules of the protocol: a state, then differences upon it.
struct PresenceView {
  let mode: PresenceMode
  /// How many people the server says are there.
  private(set) var announcedCount: Int
  private(set) var memberCount = 0
  /// The cursor of the page that has not come yet.
  private(set) var nextPage: UInt64?
  private var sequence: UInt64
  private var words: [UInt64] = []

  init(mode: PresenceMode, state: PresenceState) {
    self.mode = mode
    announcedCount = state.count
    sequence = state.sequence
    nextPage = state.next
    for member in state.members { insert(member) }
  }

  /// Whether the set has as many members as the server says; not to be known in modes without a list, nor before all
  /// pages have come.
  var isConsistent: Bool { mode != .full || nextPage != nil || memberCount == announcedCount }

  /// Takes in a page of the list.
  mutating func add(page members: [Int], next: UInt64?) {
    for member in members { insert(member) }
    nextPage = next
  }

  mutating func apply(_ delta: PresenceDelta) {
    // The protocol: a number that is not above the known one can be skipped.
    guard delta.sequence > sequence else { return }
    sequence = delta.sequence
    announcedCount = delta.count
    for member in delta.present { insert(member) }
    for member in delta.left { remove(member) }
  }

  mutating func apply(count: Int, sequence: UInt64) {
    guard sequence > self.sequence else { return }
    self.sequence = sequence
    announcedCount = count
  }

  /// Whether the set is exactly the people numbered 0 to `count - 1`.
  func holdsExactly(firstOf count: Int) -> Bool {
    guard memberCount == count else { return false }
    // So many, and none of them beyond: then it is all of these.
    return words.indices.allSatisfy { index in
      let inside = min(max(count - 64 * index, 0), 64)
      return inside == 64 || words[index] >> UInt64(inside) == 0
    }
  }

  func contains(_ member: Int) -> Bool {
    member >= 0 && member / 64 < words.count && words[member / 64] & (1 << UInt64(member % 64)) != 0
  }

  private mutating func insert(_ member: Int) {
    while words.count <= member / 64 { words.append(0) }
    guard !contains(member) else { return }
    words[member / 64] |= 1 << UInt64(member % 64)
    memberCount += 1
  }

  private mutating func remove(_ member: Int) {
    guard contains(member) else { return }
    words[member / 64] &= ~(1 << UInt64(member % 64))
    memberCount -= 1
  }
}
