import SignalingProtocol

/// Whether what somebody knows of the presence is what is so: everybody who is simulated is in, and nobody else.
enum PresenceTruth {
  /// What is wrong with whose view, in words to be read behind the name.
  static func faults(in session: ClassSession) -> [(attendee: Attendee, fault: String)] {
    // Somebody whose connection was lost is shown until the grace is over; that is told as a lost connection, not here.
    guard session.people.allSatisfy({ $0.state == .present }) else { return [] }
    return session.people.compactMap { attendee in
      guard let presence = attendee.presence else { return (attendee, "knows nothing of presence") }
      return fault(of: presence, count: session.people.count).map { (attendee, $0) }
    }
  }

  /// - Parameter count: how many people are in; their roster numbers are below it, the host's is 0.
  static func fault(of presence: PresenceView, count: Int) -> String? {
    if presence.mode != .none, presence.announcedCount != count {
      return "is told of \(presence.announcedCount) people instead of \(count)"
    }
    switch presence.mode {
    case .none, .count: return nil
    case .hosts:
      return presence.holdsExactly(firstOf: 1) ? nil : "knows \(presence.memberCount) hosts instead of the one"
    case .full:
      return presence.holdsExactly(firstOf: count)
        ? nil : "knows \(presence.memberCount) people who are not the \(count) who are there"
    }
  }
}
