import EventLoop

/// The keys that check tokens now, shared by all threads. Each source of keys has a place of its own.
public final class KeyRing: Sendable {
  private let places: Locked<[[VerificationKey]]>

  /// A ring with these keys at its first place, which nothing changes, and `sources` empty places behind it.
  public init(_ keys: [VerificationKey], sources: Int = 0) {
    places = Locked([keys] + Array(repeating: [], count: sources))
  }

  /// Puts keys in the place of those that a source had: from now on the others count no more.
  ///
  /// - Parameter source: from 0.
  public func replace(_ keys: [VerificationKey], of source: Int) {
    places.withLock { $0[source + 1] = keys }
  }

  /// How many keys there are.
  public var count: Int { places.withLock { $0.reduce(0) { $0 + $1.count } } }

  /// The keys that may have signed a token with this header, at most ``maximumCandidates``.
  ///
  /// - Parameter id: the header's `kid`: then keys with another name are not asked.
  func candidates(_ algorithm: TokenAlgorithm, id: String?) -> [VerificationKey] {
    let places = places.withLock { $0 }
    var found: [VerificationKey] = []
    for keys in places {
      for key in keys where key.algorithm == algorithm && (id == nil || key.id == nil || key.id == id) {
        found.append(key)
        if found.count == Self.maximumCandidates { return found }
      }
    }
    return found
  }

  /// How many keys are tried for one token: each costs a check.
  static let maximumCandidates = 8
}
