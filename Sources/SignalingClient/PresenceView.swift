import Classroom
import JSON
import SignalingProtocol

/// A person in the room, as the server shows them.
public struct ShownParticipant: Sendable, Equatable {
  public var user: String
  public var name: String
  public var role: Role
  public var joinedAt: Timestamp
  public var media: Presence.Media
  /// The addresses for signals.
  public var peers: [String]
  /// Whether the person is counted as here but no connection of theirs is up.
  public var isReconnecting: Bool
  /// The place of the hand that is up, and whether the person was muted.
  public var marks = Presence.Marks()
  public var isAway = false
  /// Digest of ``user``.
  let digest: UInt64
}

/// Who is in a session as one client knows it, by the rules of the protocol: a state, then differences upon it.
public struct PresenceView: Sendable {
  public private(set) var mode: PresenceMode
  /// The number of the last difference.
  public private(set) var sequence: UInt64
  /// How many people the server says are there.
  public private(set) var announcedCount: Int
  /// Everybody who is shown in this mode, by user.
  public private(set) var participants: [String: ShownParticipant] = [:]
  /// The cursor of the page that has not come yet.
  public private(set) var nextPage: UInt64?
  /// A digest of the users that does not depend on their order; see ``digest(ofUsers:)``.
  public private(set) var userDigest: UInt64 = 0

  init(_ state: PresenceState) {
    mode = state.mode
    sequence = state.sequence
    announcedCount = state.count
    nextPage = state.page.next
    participants.reserveCapacity(state.page.participants.count)
    for participant in state.page.participants { insert(participant) }
  }

  /// The digest that the view has when it holds exactly these users.
  public static func digest(ofUsers users: some Sequence<String>) -> UInt64 {
    users.reduce(0) { $0 &+ Digest.of($1.utf8) }
  }

  /// Whether the set has as many members as the server says; not to be known in modes without a list, nor before all
  /// pages have come.
  public var isConsistent: Bool {
    switch mode {
    case .full: nextPage != nil || participants.count == announcedCount
    case .hosts: nextPage != nil || participants.count <= announcedCount
    case .count, .none: participants.isEmpty
    }
  }

  mutating func add(_ page: PresencePage) {
    for participant in page.participants { insert(participant) }
    nextPage = page.next
  }

  /// - Returns: false for a difference that is not above the known number, which is to be skipped.
  mutating func apply(_ difference: PresenceDifference) -> Bool {
    guard difference.sequence > sequence else { return false }
    sequence = difference.sequence
    announcedCount = difference.count
    for participant in difference.present { insert(participant) }
    for user in difference.left { remove(user) }
    return true
  }

  /// - Returns: false for a number that is not above the known one, which is to be skipped.
  mutating func apply(count: Int, sequence: UInt64) -> Bool {
    guard sequence > self.sequence else { return false }
    self.sequence = sequence
    announcedCount = count
    return true
  }

  /// The session is over: nobody is there.
  mutating func removeAll() {
    participants = [:]
    userDigest = 0
    announcedCount = 0
    nextPage = nil
  }

  private mutating func insert(_ participant: ShownParticipant) {
    if participants.updateValue(participant, forKey: participant.user) == nil { userDigest &+= participant.digest }
  }

  private mutating func remove(_ user: String) {
    if let participant = participants.removeValue(forKey: user) { userDigest &-= participant.digest }
  }
}

/// FNV-1a of 64 bits: to know bytes again, not to protect them.
enum Digest {
  static func of(_ bytes: some Sequence<UInt8>) -> UInt64 {
    var digest: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in bytes { digest = (digest ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return digest
  }
}
