import SignalingClient

/// Whether what somebody knows of the presence is what is so: everybody who is simulated is in, and nobody else.
struct PresenceTruth {
  let count: Int
  private let everybody: UInt64
  private let hosts: Int
  private let hostDigest: UInt64

  /// - Parameters:
  ///   - users: everybody who is in.
  ///   - host: the host, when in.
  init(users: [String], host: String?) {
    count = users.count
    everybody = PresenceView.digest(ofUsers: users)
    hosts = host == nil ? 0 : 1
    hostDigest = PresenceView.digest(ofUsers: host.map { [$0] } ?? [])
  }

  /// What is so in a session: who has come and has not gone, by what was asked and answered.
  init(of session: ClassSession) {
    let users = session.people.compactMap { attendee in
      attendee.client.user.flatMap { session.attendance.isIn($0) ? $0 : nil }
    }
    let host = session.host.client.user.flatMap { session.attendance.isIn($0) ? $0 : nil }
    self.init(users: users, host: host)
  }

  /// What is wrong with whose view, in words to be read behind the name.
  static func faults(in session: ClassSession) -> [(attendee: Attendee, fault: String)] {
    // Somebody whose connection was lost is shown until the grace is over; that is told as a lost connection, not here.
    guard session.people.allSatisfy({ !$0.isGone }) else { return [] }
    let truth = PresenceTruth(of: session)
    return session.people.compactMap { attendee in
      guard attendee.isPresent else { return nil }
      guard let presence = attendee.client.presence else { return (attendee, "knows nothing of presence") }
      return truth.fault(of: presence).map { (attendee, $0) }
    }
  }

  func fault(of presence: PresenceView) -> String? {
    if presence.mode != .none, presence.announcedCount != count {
      return "is told of \(presence.announcedCount) people instead of \(count)"
    }
    let known = presence.participants.count
    switch presence.mode {
    case .none, .count: return nil
    case .hosts:
      return known == hosts && presence.userDigest == hostDigest
        ? nil : "knows \(known) hosts instead of the \(hosts) there"
    case .full:
      return known == count && presence.userDigest == everybody
        ? nil : "knows \(known) people who are not the \(count) who are there"
    }
  }
}

/// Whether all who have seen the same difference know the same people: the set at each number of the presence is one set.
struct PresenceLedger {
  private struct Seen {
    var count: Int
    var digest: UInt64?
  }

  private var seen: [UInt64: Seen] = [:]
  /// How many views were compared with others.
  private(set) var compared = 0

  /// Somebody knows these people after the difference of that number.
  /// - Parameter digest: of all users; nil when only the count is known.
  /// - Returns: whether others with the same number know the same.
  mutating func see(_ sequence: UInt64, count: Int, digest: UInt64?) -> Bool {
    guard var known = seen[sequence] else {
      seen[sequence] = Seen(count: count, digest: digest)
      return true
    }
    compared += 1
    guard known.count == count else { return false }
    guard let digest else { return true }
    guard let other = known.digest else {
      known.digest = digest
      seen[sequence] = known
      return true
    }
    return other == digest
  }

  /// The server is gone: the next one counts its differences from the beginning.
  mutating func beginAnew() { seen = [:] }
}
