import EventLoop

/// The named limits of routes: how often one user, and how often one address, may ask for what they bound. At once ten
/// seconds' worth may come.
enum RequestLimit: String, Sendable, CaseIterable {
  /// What only reads.
  case reading
  /// What changes a session, or what is known of it.
  case changing
  /// What makes a session.
  case creating
  /// What brings people in and keeps them in.
  case joining

  /// How many seconds' worth of requests may come at once.
  private static let burstSeconds = 10

  /// What one user may do.
  func perUser(in settings: LimitSettings) -> RateLimit {
    let perSecond =
      switch self {
      case .reading: settings.readingRate
      case .changing: settings.changingRate
      case .creating: settings.creatingRate
      case .joining: settings.joiningRate
      }
    return Self.limit(perSecond: perSecond)
  }

  /// What all who have the same address may do.
  func perAddress(in settings: LimitSettings) -> RateLimit {
    let perSecond =
      switch self {
      case .reading: settings.readingAddressRate
      case .changing: settings.changingAddressRate
      case .creating: settings.creatingAddressRate
      case .joining: settings.joiningAddressRate
      }
    return Self.limit(perSecond: perSecond)
  }

  private static func limit(perSecond: Int) -> RateLimit {
    RateLimit(perSecond: perSecond, burst: min(perSecond, 100_000) * burstSeconds)
  }
}

/// How much of their limits users and addresses have used, on whichever loop they asked.
final class RequestRates: Sendable {
  enum Asker: Hashable, Sendable {
    case user(String)
    case network(ClientNetwork)
  }

  private struct Key: Hashable {
    var limit: RequestLimit
    var asker: Asker
  }

  /// The askers that are remembered. Beyond that all new ones share what one may do: memory stays bounded.
  static let maximumCount = 65_536

  private struct State {
    var buckets: [Key: RateLimit.Bucket] = [:]
    var others: [RequestLimit: RateLimit.Bucket] = [:]
    /// When there are so many, those whose buckets are full again are forgotten.
    var nextSweep = 1024
  }

  private let state = Locked(State())

  /// Takes one request out of what somebody may do.
  /// - Returns: nil when it is allowed, or after how many milliseconds one is.
  func charge(_ asker: Asker, for limit: RequestLimit, rate: RateLimit, at now: Int64) -> Int64? {
    guard rate.isLimiting else { return nil }
    return state.withLock { state in
      let key = Key(limit: limit, asker: asker)
      if state.buckets[key] == nil, state.buckets.count >= state.nextSweep {
        state.buckets = state.buckets.filter { $0.value > now }
        state.nextSweep = min(max(1024, state.buckets.count * 2), Self.maximumCount)
      }
      let isKnown = state.buckets[key] != nil || state.buckets.count < Self.maximumCount
      var bucket = (isKnown ? state.buckets[key] : state.others[limit]) ?? 0
      let verdict = rate.charge(&bucket, at: now)
      if isKnown { state.buckets[key] = bucket } else { state.others[limit] = bucket }
      switch verdict {
      case .allowed: return nil
      case .refused(let wait): return wait
      case .exhausted: return max(1, (bucket - now) / 2000)
      }
    }
  }

  /// How many askers are remembered.
  var count: Int { state.withLock { $0.buckets.count } }
}
