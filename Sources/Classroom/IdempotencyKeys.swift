import OrderedCollections

#if PLANTED_BUGS
  import PlantedBugs
#endif

/// The answers to commands that carried a key, so that a repetition is answered again and nothing is done twice.
///
/// Of a key whose answer has been forgotten a hash stays, as long as the session: such a command is refused, not done anew.
public struct IdempotencyKeys: Sendable, Equatable {
  /// The bounds of the memory.
  public enum Limits {
    /// The newest keys of each user whose answers are remembered.
    public static let keysPerUser = 256
    /// How long an answer is remembered.
    public static let lifetimeMilliseconds: Int64 = 10 * 60_000
  }

  /// One use of a key.
  public struct Use: Sendable, Equatable {
    /// A digest of the command it came with.
    public var digest: UInt64
    public var at: Timestamp
    public var answer: Answer

    /// A use with these facts.
    public init(digest: UInt64, at: Timestamp, answer: Answer) {
      self.digest = digest
      self.at = at
      self.answer = answer
    }
  }

  /// The keys of one user.
  public struct User: Sendable, Equatable {
    public let user: String
    /// By key, in the order of use.
    public fileprivate(set) var uses: OrderedDictionary<String, Use> = [:]
    /// Hashes of the keys whose answers are forgotten.
    public fileprivate(set) var forgotten = SortedHashes()

    fileprivate init(user: String) {
      self.user = user
    }
  }

  /// In the order in which users first used a key.
  public private(set) var users = BlockDictionary<128, User>()

  init() {}

  /// The keys of a user.
  public subscript(user: String) -> User? { users[user] }

  /// The answer that was given to the same command with this key, or nil when the key is new.
  /// - Throws: ``Refusal/keyConflict`` when the key came with another command, ``Refusal/keyExpired`` when it came too long
  ///   ago to tell.
  func answer(user: String, key: String, digest: UInt64, at now: Timestamp) throws(Refusal) -> Answer? {
    #if PLANTED_BUGS
      if PlantedBugs.isActive(.duplicateKeyExecuted) { return nil }
    #endif
    guard let keys = self[user] else { return nil }
    guard let use = keys.uses[key] else {
      if keys.forgotten.contains(Self.hash(key, of: user)) { throw .keyExpired }
      return nil
    }
    // Answers are dropped when the next key comes; their time may be over before.
    guard now.milliseconds(since: use.at) <= Limits.lifetimeMilliseconds else { throw .keyExpired }
    guard use.digest == digest else { throw .keyConflict }
    return use.answer
  }

  mutating func remember(user: String, key: String, use: Use) {
    change(user) { keys in
      // Journals of version 0.1 use a key anew after its lifetime; then it is the newest again, not the next to go.
      keys.uses.removeValue(forKey: key)
      keys.uses[key] = use
      while let (oldest, oldUse) = keys.uses.elements.first,
        keys.uses.count > Limits.keysPerUser || use.at.milliseconds(since: oldUse.at) > Limits.lifetimeMilliseconds
      {
        keys.uses.removeFirst()
        keys.forgotten.insert(Self.hash(oldest, of: user))
      }
    }
  }

  /// Puts back a use as a snapshot kept it; in the order of use.
  mutating func restore(user: String, key: String, use: Use) {
    change(user) { $0.uses[key] = use }
  }

  /// Puts back the hash of a forgotten key.
  mutating func restore(forgotten hash: UInt64, of user: String) {
    change(user) { $0.forgotten.insert(hash) }
  }

  /// Forgets a user altogether.
  mutating func erase(_ user: String) {
    guard users[user] != nil else { return }
    users.rebuild(key: \.user, joining: { _, _ in }, { $0.user == user ? nil : $0 })
  }

  private mutating func change(_ user: String, _ body: (inout User) -> Void) {
    users.update(user, default: User(user: user), body)
  }

  private static func hash(_ key: String, of user: String) -> UInt64 {
    var digest = StableDigest()
    digest.mix(field: user)
    digest.mix(field: key)
    return digest.value
  }
}
