import HashTreeCollections

/// The waiting room of a session: who waits, who was let in for good, and who was turned away.
public struct Lobby: Sendable, Equatable {
  /// Somebody who waits.
  public struct Waiter: Sendable, Equatable {
    public var user: String
    public var name: String
    public var role: Role
    /// Since when.
    public var since: Timestamp
    /// Whether the person may come as soon as the session lets people in; false for who only knocks.
    public var isApproved: Bool

    /// A waiter with these facts.
    public init(user: String, name: String, role: Role, since: Timestamp, isApproved: Bool) {
      self.user = user
      self.name = name
      self.role = role
      self.since = since
      self.isApproved = isApproved
    }
  }

  /// By user.
  private var waiters = TreeDictionary<String, Waiter>()
  /// The users whom a host has let in.
  private var admitted = TreeSet<String>()
  /// The users whom a host has turned away.
  private var denied = TreeSet<String>()

  init() {}

  /// Whether nothing is known of anybody.
  public var isEmpty: Bool { waiters.isEmpty && admitted.isEmpty && denied.isEmpty }
  /// How many people wait.
  public var count: Int { waiters.count }
  /// The people who wait, the longest first.
  public var waiting: [Waiter] { waiters.values.sorted { ($0.since, $0.user) < ($1.since, $1.user) } }
  /// The users whom a host has let in, sorted.
  public var admittedUsers: [String] { admitted.sorted() }
  /// The users whom a host has turned away, sorted.
  public var deniedUsers: [String] { denied.sorted() }

  /// The waiter of that user.
  public subscript(user: String) -> Waiter? { waiters[user] }
  /// Whether a host has let somebody in.
  public func hasAdmitted(_ user: String) -> Bool { admitted.contains(user) }
  /// Whether a host has turned somebody away.
  public func hasDenied(_ user: String) -> Bool { denied.contains(user) }

  mutating func add(_ waiter: Waiter) { waiters[waiter.user] = waiter }

  mutating func remove(_ user: String) { waiters[user] = nil }

  mutating func removeAll() { waiters = [:] }

  /// The host lets somebody in, now and whenever the person comes again.
  mutating func admit(_ user: String) {
    admitted.insert(user)
    denied.remove(user)
  }

  /// The host turns somebody away, now and whenever the person comes again.
  mutating func deny(_ user: String) {
    denied.insert(user)
    admitted.remove(user)
    waiters[user] = nil
  }

  func names(_ user: String) -> Bool { waiters[user] != nil || admitted.contains(user) || denied.contains(user) }

  mutating func erase(_ user: String) {
    waiters[user] = nil
    admitted.remove(user)
    denied.remove(user)
  }
}
