#if PLANTED_BUGS
  import PlantedBugs
#endif

/// Who is seen in a room right now: participants, their peers (one for each tab) and what these send.
///
/// Presence is not journaled: it follows from attendance and from the connections that exist. It collects changes until
/// ``takeDifference()`` hands them out as one numbered delta.
public struct Presence: Sendable {
  /// What a peer sends.
  public struct Media: Sendable, Hashable {
    public var audio = false
    public var video = false
    public var screen = false

    /// Nothing is sent.
    public init() {}
  }

  /// One tab of a participant.
  public struct Peer: Sendable, Equatable {
    /// The address for signals.
    public var id: String
    public var media = Media()
    /// Whether a connection speaks for it; false while that is lost and may come back.
    public var isConnected = true
    /// Whether nobody looks at it.
    public var isAway = false
  }

  /// What the session knows of somebody, and presence shows.
  public struct Marks: Sendable, Hashable {
    /// The place of the hand that is up; nil while it is down.
    public var hand: UInt64?
    /// Whether this one person was muted.
    public var isMuted: Bool
    /// Whether the person was invited to the stage.
    public var isInvited: Bool

    /// Marks of these facts.
    public init(hand: UInt64? = nil, isMuted: Bool = false, isInvited: Bool = false) {
      self.hand = hand
      self.isMuted = isMuted
      self.isInvited = isInvited
    }
  }

  /// A person in the room.
  public struct Participant: Sendable, Equatable {
    public var user: String
    public var name: String
    public var role: Role
    public var joinedAt: Timestamp
    public var marks = Marks()
    /// Those whose connection is lost included, as long as it may come back.
    public var peers: [Peer] = []
    /// Grows with each participant who comes; a cursor for paging.
    public fileprivate(set) var ordinal: UInt64 = 0
    /// Whether the person needs no connection to be here: says so now and then, or is vouched for.
    public fileprivate(set) var isWithoutConnection = false

    /// Whether a connection of the person is up.
    public var hasConnection: Bool { peers.contains(where: \.isConnected) }
    /// Whether the person needs a connection and has none; it may come back.
    public var isReconnecting: Bool { !hasConnection && !isWithoutConnection }

    /// Whether the person looks at none of the tabs that are connected.
    public var isAway: Bool {
      var isAway = false
      for peer in peers where peer.isConnected {
        guard peer.isAway else { return false }
        isAway = true
      }
      return isAway
    }

    /// Whether the person may go on to send sound and pictures: hosts, who is invited, and who sends.
    public var isOnStage: Bool { role.isModerating || takesPlace }

    /// Whether the person takes one of the places of the stage.
    public var takesPlace: Bool { !role.isModerating && (marks.isInvited || media != Media()) }

    /// What the person sends with any of the tabs.
    public var media: Media {
      peers.reduce(into: Media()) { sum, peer in
        sum.audio = sum.audio || peer.media.audio
        sum.video = sum.video || peer.media.video
        sum.screen = sum.screen || peer.media.screen
      }
    }
  }

  /// What happened in one interval. Applying it to any older state makes the state at ``sequence``.
  public struct Difference: Sendable {
    /// The changes as somebody sees them who is shown some roles only.
    public struct Changes: Sendable {
      public var joined: [Participant] = []
      public var updated: [Participant] = []
      /// The users who are no longer shown.
      public var left: [String] = []
    }

    fileprivate struct Entry {
      var user: String
      var wasHere: Bool
      /// Every role that the user had within the interval.
      var roles: [Role]
      /// The user now, or nil when gone.
      var participant: Participant?
    }

    public let sequence: UInt64
    /// How many people are here after it.
    public let count: Int
    fileprivate var entries: [Entry] = []

    fileprivate init(sequence: UInt64, count: Int) {
      self.sequence = sequence
      self.count = count
    }

    /// The changes for somebody who is shown the roles that `isIncluded` lets through, in the order in which they began.
    public func changes(where isIncluded: (Role) -> Bool) -> Changes {
      var changes = Changes()
      for entry in entries {
        if let participant = entry.participant, isIncluded(participant.role) {
          if entry.wasHere { changes.updated.append(participant) } else { changes.joined.append(participant) }
        } else if entry.roles.contains(where: isIncluded) {
          // Also who came and went within the interval: somebody's snapshot may have shown them.
          changes.left.append(entry.user)
        }
      }
      return changes
    }
  }

  /// A page of the participants in the order in which they came.
  public struct Page: Sendable {
    public var participants: [Participant]
    /// The cursor for the next page, or nil on the last.
    public var next: UInt64?

    /// Nobody.
    public static let empty = Page(participants: [], next: nil)
  }

  private struct Change {
    var wasHere: Bool
    /// Every role that the user had since the last difference.
    var roles: [Role]
  }

  /// The number of the last difference.
  public private(set) var sequence: UInt64 = 0
  private var participants: [String: Participant] = [:]
  /// Ordinals ascending; entries of people who left are dropped when they are the majority.
  private var order: [(ordinal: UInt64, user: String)] = []
  private var lastOrdinal: UInt64 = 0
  private var changes: [String: Change] = [:]
  private var changeOrder: [String] = []
  /// Whose microphones are on.
  private var speaking: Set<String> = []
  /// Whose hands are shown to be up.
  private var raising: Set<String> = []
  /// Who takes a place of the stage.
  private var placed: Set<String> = []

  /// An empty room.
  public init() {}

  /// How many people are here.
  public var count: Int { participants.count }
  /// Whether there is something to tell.
  public var hasChanges: Bool { !changes.isEmpty }
  /// The participant of that user.
  public subscript(user: String) -> Participant? { participants[user] }

  /// Somebody is here from now on; who is here already stays, with the name and role given.
  public mutating func enter(user: String, name: String, role: Role, at time: Timestamp) {
    noteChange(user, role: role)
    if var participant = participants[user] {
      participant.name = name
      participant.role = role
      participants[user] = participant
      notePlace(of: participant)
      return
    }
    lastOrdinal += 1
    var participant = Participant(user: user, name: name, role: role, joinedAt: time)
    participant.ordinal = lastOrdinal
    participants[user] = participant
    order.append((lastOrdinal, user))
  }

  /// Somebody is no longer here.
  public mutating func leave(user: String) {
    #if PLANTED_BUGS
      if PlantedBugs.isActive(.departureUntold) {
        participants[user] = nil
        return
      }
    #endif
    guard let participant = participants[user] else { return }
    noteChange(user, role: participant.role)
    participants[user] = nil
    speaking.remove(user)
    raising.remove(user)
    placed.remove(user)
    if order.count > 32, order.count > 2 * participants.count {
      order.removeAll { entry in participants[entry.user]?.ordinal != entry.ordinal }
    }
  }

  /// A tab of a participant opens.
  public mutating func addPeer(_ peer: String, of user: String) {
    change(user) { $0.peers.append(Peer(id: peer)) }
  }

  /// A tab of a participant is gone.
  /// - Returns: how many tabs are left.
  @discardableResult
  public mutating func removePeer(_ peer: String, of user: String) -> Int {
    change(user) { participant in participant.peers.removeAll { $0.id == peer } }
    return participants[user]?.peers.count ?? 0
  }

  /// A tab of a participant has lost its connection, or has one again.
  public mutating func setConnected(_ isConnected: Bool, peer: String, of user: String) {
    guard let known = participants[user]?.peers.first(where: { $0.id == peer }), known.isConnected != isConnected else {
      return
    }
    change(user) { participant in
      if let index = participant.peers.firstIndex(where: { $0.id == peer }) {
        participant.peers[index].isConnected = isConnected
      }
    }
  }

  /// Whether a participant needs no connection to be here.
  public mutating func setWithoutConnection(_ isWithoutConnection: Bool, user: String) {
    guard let participant = participants[user], participant.isWithoutConnection != isWithoutConnection else { return }
    change(user) { $0.isWithoutConnection = isWithoutConnection }
  }

  /// What a tab sends has changed.
  public mutating func setMedia(_ media: Media, of peer: String, user: String) {
    change(user) { participant in
      if let index = participant.peers.firstIndex(where: { $0.id == peer }) { participant.peers[index].media = media }
    }
  }

  /// Whether somebody looks at a tab has changed.
  public mutating func setAway(_ isAway: Bool, peer: String, of user: String) {
    guard let known = participants[user]?.peers.first(where: { $0.id == peer }), known.isAway != isAway else { return }
    change(user) { participant in
      if let index = participant.peers.firstIndex(where: { $0.id == peer }) { participant.peers[index].isAway = isAway }
    }
  }

  /// What the session knows of somebody has changed.
  public mutating func setMarks(_ marks: Marks, of user: String) {
    if let known = participants[user], known.marks != marks { change(user) { $0.marks = marks } }
  }

  /// Whose microphones are on, sorted.
  public var speakers: [String] { speaking.sorted() }

  /// How many places of the stage are taken.
  public var placesTaken: Int { placed.count }

  /// Who takes a place of the stage, sorted.
  public var placeHolders: [String] { placed.sorted() }

  private mutating func notePlace(of participant: Participant) {
    if participant.takesPlace { placed.insert(participant.user) } else { placed.remove(participant.user) }
  }

  /// Whose hands are shown to be up, sorted.
  public var raisedHands: [String] { raising.sorted() }

  private mutating func change(_ user: String, _ body: (inout Participant) -> Void) {
    guard var participant = participants[user] else { return }
    noteChange(user, role: participant.role)
    body(&participant)
    participants[user] = participant
    if participant.peers.contains(where: \.media.audio) { speaking.insert(user) } else { speaking.remove(user) }
    notePlace(of: participant)
    if participant.marks.hand != nil { raising.insert(user) } else { raising.remove(user) }
  }

  private mutating func noteChange(_ user: String, role: Role) {
    if changes[user] == nil {
      let participant = participants[user]
      changes[user] = Change(wasHere: participant != nil, roles: participant.map { [$0.role] } ?? [])
      changeOrder.append(user)
    }
    if changes[user]?.roles.contains(role) == false { changes[user]?.roles.append(role) }
  }

  /// The changes since the last difference as one; nil when there are none.
  public mutating func takeDifference() -> Difference? {
    guard hasChanges else { return nil }
    sequence += 1
    var difference = Difference(sequence: sequence, count: count)
    difference.entries = changeOrder.compactMap { user in
      changes[user].map { change in
        Difference.Entry(
          user: user, wasHere: change.wasHere, roles: change.roles, participant: participants[user])
      }
    }
    changes.removeAll(keepingCapacity: true)
    changeOrder.removeAll(keepingCapacity: true)
    return difference
  }

  /// A page of the participants whom `isIncluded` lets through, after the cursor.
  public func page(
    after cursor: UInt64 = 0, limit: Int, where isIncluded: (Participant) -> Bool = { _ in true }
  ) -> Page {
    var page = Page(participants: [], next: nil)
    var index = order.partitioningIndex { $0.ordinal > cursor }
    while index < order.endIndex {
      let entry = order[index]
      index += 1
      guard let participant = participants[entry.user], participant.ordinal == entry.ordinal, isIncluded(participant)
      else { continue }
      if page.participants.count == limit {
        page.next = page.participants.last?.ordinal
        break
      }
      page.participants.append(participant)
    }
    return page
  }
}

extension Array {
  /// The first index whose element fulfils the predicate, in an array where all that do come last.
  fileprivate func partitioningIndex(where predicate: (Element) -> Bool) -> Int {
    var low = startIndex
    var high = endIndex
    while low < high {
      let middle = low + (high - low) / 2
      if predicate(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
