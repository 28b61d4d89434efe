import EventLoop
import Synchronization

/// What all connections of one user may send together, whichever loops they are on.
final class UserRate: Sendable {
  let user: String
  private let bucket = Atomic<RateLimit.Bucket>(0)

  fileprivate init(user: String) { self.user = user }

  /// Takes one out of the bucket, from any thread.
  func charge(by limit: RateLimit, at now: Int64) -> RateLimit.Verdict {
    guard limit.isLimiting else { return .allowed }
    var seen = bucket.load(ordering: .relaxed)
    while true {
      var changed = seen
      let verdict = limit.charge(&changed, at: now)
      if changed == seen { return verdict }
      let (isExchanged, original) = bucket.compareExchange(expected: seen, desired: changed, ordering: .relaxed)
      if isExchanged { return verdict }
      seen = original
    }
  }

  fileprivate var isBusyUntil: RateLimit.Bucket { bucket.load(ordering: .relaxed) }
}

/// The rates of the users who are connected, and of those who left with their bucket not yet full again: to come back does
/// not fill it.
final class UserRates: Sendable {
  private struct Users {
    var connected: [String: (rate: UserRate, connections: Int)] = [:]
    /// Who left, in the order in which they did; those before `firstGone` have been looked at.
    var gone: [(until: RateLimit.Bucket, user: String)] = []
    var firstGone = 0
  }

  private let users = Locked(Users())

  /// A connection says who it is.
  func enter(_ user: String, at now: Int64) -> UserRate {
    users.withLock { users in
      Self.forget(&users, at: now)
      if let known = users.connected[user] {
        users.connected[user] = (known.rate, known.connections + 1)
        return known.rate
      }
      let rate = UserRate(user: user)
      users.connected[user] = (rate, 1)
      return rate
    }
  }

  /// A connection of that user is gone.
  func leave(_ rate: UserRate, at now: Int64) {
    users.withLock { users in
      if let known = users.connected[rate.user] {
        users.connected[rate.user] = (known.rate, known.connections - 1)
        if known.connections == 1 { users.gone.append((rate.isBusyUntil, rate.user)) }
      }
      Self.forget(&users, at: now)
    }
  }

  /// How many users are remembered.
  var count: Int { users.withLock { $0.connected.count } }

  private static func forget(_ users: inout Users, at now: Int64) {
    while users.firstGone < users.gone.count, users.gone[users.firstGone].until <= now {
      let user = users.gone[users.firstGone].user
      users.firstGone += 1
      if let known = users.connected[user], known.connections == 0, known.rate.isBusyUntil <= now {
        users.connected[user] = nil
      }
    }
    if users.firstGone * 2 >= users.gone.count {
      users.gone.removeFirst(users.firstGone)
      users.firstGone = 0
    }
  }
}
