import SignalingProtocol

/// Whether what somebody knows of the presence is what is so: everybody who is simulated is in, and nobody else.
enum PresenceTruth {
  /// What is wrong, to be read behind a name; nil when nothing is.
  static func fault(of attendee: Attendee) -> String? {
    guard let presence = attendee.presence else { return "knows nothing of presence" }
    let count = attendee.session.people.count { $0.state == .present }
    // Somebody who is gone is shown until the grace is over; that is told as a lost connection and not again here.
    guard count == attendee.session.people.count else { return nil }
    return fault(of: presence, count: count)
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
