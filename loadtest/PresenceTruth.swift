import SignalingClient

/// Whether what somebody knows of the presence is what is so: everybody who is simulated is in, and nobody else.
struct PresenceTruth {
  let count: Int
  private let everybody: UInt64
  private let host: UInt64

  /// - Parameter users: everybody who is in, the host first.
  init(users: [String]) {
    count = users.count
    everybody = PresenceView.digest(ofUsers: users)
    host = PresenceView.digest(ofUsers: users.prefix(1))
  }

  /// What is wrong with whose view, in words to be read behind the name.
  static func faults(in session: ClassSession) -> [(attendee: Attendee, fault: String)] {
    // Somebody whose connection was lost is shown until the grace is over; that is told as a lost connection, not here.
    guard let truth = session.truth, session.people.allSatisfy(\.isPresent) else { return [] }
    return session.people.compactMap { attendee in
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
    case .hosts: return known == 1 && presence.userDigest == host ? nil : "knows \(known) hosts instead of the one"
    case .full:
      return known == count && presence.userDigest == everybody
        ? nil : "knows \(known) people who are not the \(count) who are there"
    }
  }
}
