/// What holds for everybody in a room, decided by who leads the class.
public struct RoomPolicy: Sendable, Hashable {
  /// Who may write in the chat.
  public enum Chat: String, Sendable, CaseIterable {
    /// Everybody who is seen.
    case open
    /// Hosts, cohosts and administrators; others still reach them with private messages.
    case hosts
    /// Nobody.
    case off
  }

  /// Whether everybody but those who lead the class is muted.
  public var isMuted = false
  /// Whether those whom ``isMuted`` is about may turn their microphones on again themselves.
  public var isUnmuteAllowed = false
  /// Whether nobody new gets in.
  public var isLocked = false
  public var chat = Chat.open
  /// How long a participant waits from one message to the next, 0 to 600 seconds; 0 for no wait.
  public var slowModeSeconds = 0
  /// Whether who comes waits to be let in; nil when that is as the session was planned.
  public var hasWaitingRoom: Bool?

  /// The policy of a new room.
  public init() {}

  /// The bounds of ``slowModeSeconds``.
  public static let slowModeRange = 0...600
}

/// A wish to change some of a ``RoomPolicy``; nil leaves a part as it is.
public struct PolicyChange: Sendable, Hashable {
  public var isUnmuteAllowed: Bool?
  public var isLocked: Bool?
  public var chat: RoomPolicy.Chat?
  public var slowModeSeconds: Int?
  public var hasWaitingRoom: Bool?

  /// A change of nothing.
  public init() {}

  var digestFields: [String] {
    let flags = [isUnmuteAllowed, isLocked, hasWaitingRoom].map { $0.map { "\($0)" } ?? "" }
    return flags + [chat?.rawValue ?? "", slowModeSeconds.map { "\($0)" } ?? ""]
  }

  /// The policy with this change.
  func applied(to policy: RoomPolicy) -> RoomPolicy {
    var policy = policy
    policy.isUnmuteAllowed = isUnmuteAllowed ?? policy.isUnmuteAllowed
    policy.isLocked = isLocked ?? policy.isLocked
    policy.chat = chat ?? policy.chat
    policy.slowModeSeconds = slowModeSeconds ?? policy.slowModeSeconds
    policy.hasWaitingRoom = hasWaitingRoom ?? policy.hasWaitingRoom
    return policy
  }
}

/// The bounds of how people behave, which a server's settings decide.
public struct ConductRules: Sendable {
  /// How long after it was said a message may be changed by its author.
  public var editMilliseconds: Int64 = 10 * 60_000
  /// How many kinds of reaction a message may have.
  public var reactionKinds = 20
  /// How many messages may be pinned at once.
  public var pins = 5
  /// How many people beside the hosts may send sound or pictures at once, where the session does not say.
  public var stagePlaces = 8
  /// How many people may be banned from one session.
  public var bans = 10_000

  /// The defaults.
  public init() {}
}

/// A stream of numbered events within a session.
public enum StreamName: Sendable, Hashable {
  /// What everybody gets.
  case room
  /// What hosts, cohosts and administrators get.
  case hosts
  /// What one user gets.
  case user(String)

  /// Its name on the wire.
  public var text: String {
    switch self {
    case .room: "room"
    case .hosts: "hosts"
    case .user(let user): "user:\(user)"
    }
  }
}

/// How people behave in one session: the room's policy, who was promoted, muted or banned, whose hand is up, and what was
/// said to some people only.
///
/// A copy costs little, and so does a change after it: live code keeps the state before what is not safe on disk.
public struct Conduct: Sendable, Equatable {
  /// What one user was told or is not allowed.
  public struct Person: Sendable, Equatable {
    public let user: String
    /// The role that a host has given, in the place of the one that the user came with.
    public var role: Role?
    /// Whether this one person may not turn the microphone on.
    public var isMuted = false
    /// The number of the event in which the person was asked to speak, 0 before the first.
    public var askedAt: UInt64 = 0
    public var ban: Ban?
    /// The number of the stream `hosts` from which on it is that of somebody who was promoted.
    public var hostsFrom: UInt64 = 0
    /// When the person wrote last, as far as slow mode wants to know.
    public var lastSaid: Timestamp?
    /// The stream of this user.
    public var stream: StreamTail

    /// A person of whom nothing is known, whose stream has come to this number.
    public init(user: String, streamSequence: UInt64 = 0) {
      self.user = user
      stream = StreamTail(last: streamSequence, capacity: .person)
    }
  }

  /// That somebody may not come in.
  public struct Ban: Sendable, Equatable {
    /// The name under which the person was known, empty for one who never came.
    public var name: String
    public var at: Timestamp

    /// A ban of these facts.
    public init(name: String, at: Timestamp) {
      self.name = name
      self.at = at
    }
  }

  public internal(set) var policy = RoomPolicy()
  /// The number of the event in which everybody was muted last, 0 before the first.
  public internal(set) var mutedAllAt: UInt64 = 0
  /// The user whom everybody sees large.
  public internal(set) var spotlight: String?
  public internal(set) var hands = HandQueue()
  /// Who may send sound and pictures.
  public internal(set) var stage = Stage()
  /// Those of whom something is known, in the order in which that began.
  public internal(set) var people = BlockDictionary<64, Person>()
  public internal(set) var banCount = 0
  /// The stream `hosts`.
  public internal(set) var hosts = StreamTail()
  /// What was said to the hosts.
  public internal(set) var privateChat = ChatLog()

  init() {}

  /// What is known of a user.
  public subscript(user: String) -> Person? { people[user] }

  /// The role of a user who would have the other one without what hosts decided.
  public func role(of user: String, granted: Role) -> Role {
    guard granted == .participant || granted == .cohost else { return granted }
    return people[user]?.role ?? granted
  }

  /// The users who were promoted to cohost here, in the order in which something became known of them.
  public var cohosts: [String] { people.values.filter { $0.role == .cohost }.map(\.user) }

  /// Some of those who are banned, in the order in which something became known of them.
  /// - Parameter after: what the page before said comes next, 0 for the first.
  /// - Returns: at most so many, and what the next page is to be asked for after; nil for the last.
  public func banned(after: Int, limit: Int) -> (people: [Person], next: Int?) {
    var page: [Person] = []
    guard banCount > 0 else { return (page, nil) }
    let values = people.values
    for index in min(max(0, after), values.count)..<values.count {
      let person = values[index]
      guard person.ban != nil else { continue }
      if page.count == limit { return (page, index) }
      page.append(person)
    }
    return (page, nil)
  }

  /// Whether somebody may not come in.
  public func isBanned(_ user: String) -> Bool { banCount > 0 && people[user]?.ban != nil }

  /// Whether this one person was muted.
  public func isMuted(_ user: String) -> Bool { people[user]?.isMuted ?? false }

  /// Whether somebody may turn the microphone on.
  public func maySpeak(_ user: String, role: Role) -> Bool {
    let person = people[user]
    if person?.isMuted == true { return false }
    guard policy.isMuted, !policy.isUnmuteAllowed, !role.isModerating else { return true }
    return (person?.askedAt ?? 0) > mutedAllAt
  }

  /// Whether the policy lets a role write: for everybody, or for the hosts alone.
  public func mayWrite(_ role: Role, isPrivate: Bool = false) -> Bool {
    switch policy.chat {
    case .open: true
    case .hosts: isPrivate || role.isModerating
    case .off: false
    }
  }

  /// The newest events of a stream other than `room`.
  public func stream(_ name: StreamName) -> StreamTail {
    switch name {
    case .room, .hosts: hosts
    case .user(let user): people[user]?.stream ?? StreamTail(capacity: .person)
    }
  }

  /// The number after which somebody gets the stream `hosts` who has it up to the known one, or has not had it yet: from the
  /// promotion on, or from now on.
  public func hostsCursor(of user: String, known: UInt64?) -> UInt64 {
    guard let person = people[user], person.role == .cohost else { return known ?? hosts.last }
    return max(known ?? 0, person.hostsFrom)
  }

  /// Changes what is known of a user.
  mutating func update(_ user: String, _ body: (inout Person) -> Void) {
    people.update(user, default: Person(user: user)) { person in
      let wasBanned = person.ban != nil
      body(&person)
      if wasBanned != (person.ban != nil) { banCount += wasBanned ? -1 : 1 }
    }
  }

  /// Adds an event to a stream other than `room`, under its next number.
  mutating func append(_ content: StreamEvent.Content, to name: StreamName, at time: Timestamp, by user: String?) {
    func append(to tail: inout StreamTail) {
      tail.append(StreamEvent(sequence: tail.last + 1, at: time, by: user, content: content))
    }
    switch name {
    case .room: preconditionFailure("the classroom keeps the stream of the room")
    case .hosts: append(to: &hosts)
    case .user(let owner): update(owner) { append(to: &$0.stream) }
    }
  }

  /// The class is over: who was muted is not any more, and no hand is up.
  mutating func endClass() {
    hands = HandQueue()
    spotlight = nil
    people.updateAll(where: { $0.isMuted || $0.lastSaid != nil }) { person in
      person.isMuted = false
      person.lastSaid = nil
    }
  }

  /// Whether something that is kept here tells of a user.
  func names(_ user: String) -> Bool {
    people[user] != nil || spotlight == user || hands[user] != nil || stage.names(user)
      || hosts.events.contains { $0.names(user) } || privateChat.names(user)
      || people.values.contains { $0.stream.events.contains { $0.names(user) } }
  }

  mutating func erase(_ user: String, as pseudonym: String) {
    if spotlight == user { spotlight = nil }
    hands.remove(user)
    stage.erase(user, as: pseudonym)
    hosts.erase(user, as: pseudonym)
    privateChat.erase(user, as: pseudonym)
    if isBanned(user) { banCount -= 1 }
    people.rebuild(key: \.user, joining: { _, _ in }) { person in
      guard person.user != user else { return nil }
      var person = person
      person.stream.erase(user, as: pseudonym)
      return person
    }
  }
}

extension Role {
  /// Whether this role leads the class: it moderates, and gets the stream `hosts`.
  public var isModerating: Bool { self == .host || self == .cohost || self == .admin }
}

extension Conduct {
  /// What presence shows of a user.
  public func marks(of user: String) -> Presence.Marks {
    Presence.Marks(hand: hands[user], isMuted: isMuted(user), isInvited: stage.invited.contains(user))
  }
}

extension Command {
  /// Whether it can change how people behave in a session, or what streams other than `room` hold.
  public func changesConduct(of classroom: Classroom) -> Bool {
    switch self {
    case .join, .lose, .wait, .stopWaiting, .heartbeat, .checkIn, .markPresent, .readNotices, .announce: false
    case .register, .unregister, .invite, .approveRegistration, .rejectRegistration, .admit, .deny: false
    case .leave, .markGone: classroom.conduct.hands.count > 0
    case .sendChat(_, _, let isPrivate): isPrivate || classroom.conduct.policy.slowModeSeconds > 0
    default: true
    }
  }
}

extension RecordedEvent {
  /// The streams other than `room` in which it has a number, once for each number.
  public var streamsOfSome: [StreamName] {
    switch event {
    case .muted(let user, _), .askedToUnmute(let user): [.user(user)]
    case .handLowered(let user?): user == by ? [] : [.user(user)]
    case .takenOffStage(let user): [.user(user)]
    case .removed, .banned: [.hosts]
    case .roleChanged(let user, _): [.hosts, .user(user)]
    case .privateChatSent(let user, _, let role, _, _): role.isModerating ? [.hosts] : [.hosts, .user(user)]
    default: []
    }
  }
}
