extension Conduct {
  /// The parts of a conduct that are not lists; with people, hands, messages to the hosts and the newest events of the other
  /// streams they are what a snapshot keeps.
  public struct Core: Sendable, Equatable {
    public var policy: RoomPolicy
    public var mutedAllAt: UInt64
    public var spotlight: String?
    public var hostsSequence: UInt64
    /// The pinned messages of the chat.
    public var pins: [UInt64]

    /// A core with these facts.
    public init(
      policy: RoomPolicy, mutedAllAt: UInt64, spotlight: String?, hostsSequence: UInt64, pins: [UInt64]
    ) {
      self.policy = policy
      self.mutedAllAt = mutedAllAt
      self.spotlight = spotlight
      self.hostsSequence = hostsSequence
      self.pins = pins
    }
  }

  /// Whether nothing has ever happened.
  public var isEmpty: Bool { self == Conduct() }
}

extension Classroom {
  /// The parts of the conduct that are not lists; nil when nothing of all of it has ever happened.
  public var conductCore: Conduct.Core? {
    if conduct.isEmpty, chat.pins.isEmpty { return nil }
    return Conduct.Core(
      policy: conduct.policy, mutedAllAt: conduct.mutedAllAt, spotlight: conduct.spotlight,
      hostsSequence: conduct.hosts.last, pins: chat.pins)
  }

  /// Puts back the parts of the conduct that are not lists; behind the chat, before its lists.
  public mutating func restore(_ core: Conduct.Core) {
    conduct.policy = core.policy
    conduct.mutedAllAt = core.mutedAllAt
    conduct.spotlight = core.spotlight
    conduct.hosts = StreamTail(last: core.hostsSequence)
    for pin in core.pins { chat.pin(pin, isOn: true) }
  }

  /// Puts back what is known of a user, without the events of the user's stream; in the order in which the snapshot has them.
  public mutating func restore(_ person: Conduct.Person) {
    conduct.update(person.user) { $0 = person }
  }

  /// Puts back a hand that is up.
  public mutating func restore(handOf user: String, place: UInt64) {
    conduct.hands.add(user, place: place)
  }

  /// Puts back a message to the hosts; in ascending order.
  public mutating func restore(privateMessage message: ChatMessage) {
    conduct.privateChat.append(message)
  }

  /// Puts back one of the newest events of a stream; in ascending order.
  /// - Returns: false, and nothing has changed, when it does not follow the one before it.
  public mutating func restore(_ event: StreamEvent, in name: StreamName) -> Bool {
    switch name {
    case .room: return restore(event)
    case .hosts: return conduct.hosts.restore(event)
    case .user(let user):
      guard conduct[user] != nil else { return false }
      var isRestored = false
      conduct.update(user) { isRestored = $0.stream.restore(event) }
      return isRestored
    }
  }
}
