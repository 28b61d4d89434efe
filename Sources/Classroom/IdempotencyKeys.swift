import OrderedCollections

/// The answers to commands that carried a key, so that a repetition is answered again and nothing is done twice.
public struct IdempotencyKeys: Sendable, Equatable {
  /// The bounds of the memory.
  public enum Limits {
    /// The newest keys that are remembered for each user.
    public static let keysPerUser = 256
    /// How long a key is remembered.
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

  /// By user, then by key in the order of use.
  public private(set) var uses: OrderedDictionary<String, OrderedDictionary<String, Use>> = [:]

  init() {}

  /// The answer that was given to the same command with this key, or nil when the key is new.
  /// - Throws: ``Refusal/keyConflict`` when the key came with another command.
  func answer(user: String, key: String, digest: UInt64, at now: Timestamp) throws(Refusal) -> Answer? {
    guard let use = uses[user]?[key], now.milliseconds(since: use.at) <= Limits.lifetimeMilliseconds else { return nil }
    guard use.digest == digest else { throw .keyConflict }
    return use.answer
  }

  mutating func remember(user: String, key: String, use: Use) {
    var own = uses[user] ?? [:]
    // A key that is used anew after its lifetime is the newest again, not the next to go.
    own.removeValue(forKey: key)
    own[key] = use
    while own.count > Limits.keysPerUser
      || own.values.first.map({ use.at.milliseconds(since: $0.at) > Limits.lifetimeMilliseconds }) == true
    {
      own.removeFirst()
    }
    uses[user] = own
  }
}
