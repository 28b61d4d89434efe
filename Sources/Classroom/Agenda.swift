/// The rules of time that a server sets for all its sessions.
public struct SessionTimes: Sendable, Equatable {
  /// How long after its planned end a session that was never live expires.
  public var expireAfterMilliseconds: Int64 = 24 * 3_600_000
  /// How long after it was asked for a session without a time expires.
  public var expireUntimedAfterMilliseconds: Int64 = 30 * 24 * 3_600_000
  /// How long nobody may be in a live session before the server ends it.
  public var completeAfterMilliseconds: Int64 = 15 * 60_000
  /// How long after its end a session may be started again.
  public var reopenWithinMilliseconds: Int64 = 60 * 60_000

  /// The defaults.
  public init() {}
}

/// What a server decides for all its sessions.
public struct SessionRules: Sendable {
  public var times = SessionTimes()
  /// The time zones that there are.
  public var zones: any TimeZones = AnyTimeZone()
  /// The bounds of how people behave.
  public var conduct = ConductRules()

  /// The defaults.
  public init() {}
}

/// What the server itself does with a session when it is time.
public enum Occurrence: Sendable, Hashable {
  /// Its time passed without a start.
  case expire
  /// Nobody has been in for a while.
  case complete
  /// So many minutes are left until the start.
  case remind(minutes: Int)
}

/// Which reminders have gone out.
public struct ReminderState: Sendable, Equatable {
  /// Since when the start is what it is: reminders that were due before are not sent.
  public var since: Timestamp
  /// The lead times in minutes of those that were sent since.
  public var sent: [Int] = []

  /// No reminder since then.
  public init(since: Timestamp, sent: [Int] = []) {
    self.since = since
    self.sent = sent
  }
}

extension Classroom {
  /// The next thing that the server has to do with the session by itself, and when; nil when nothing comes by itself.
  /// - Parameter emptySince: since when nobody is in, if the session is live and nobody is.
  public func nextOccurrence(_ times: SessionTimes, emptySince: Timestamp?) -> (at: Timestamp, Occurrence)? {
    switch status {
    case .pendingApproval, .approved, .scheduled:
      let expiry = (at: expiry(times), Occurrence.expire)
      guard status == .scheduled, let minutes = nextReminder() else { return expiry }
      return (reminderTime(minutes), .remind(minutes: minutes))
    case .ongoing:
      return emptySince.map { ($0.advanced(byMilliseconds: times.completeAfterMilliseconds), .complete) }
    case .completed, .cancelled, .expired: return nil
    }
  }

  private func expiry(_ times: SessionTimes) -> Timestamp {
    guard details.isTimeFixed else {
      return details.createdAt.advanced(byMilliseconds: times.expireUntimedAfterMilliseconds)
    }
    return plannedEnd.advanced(byMilliseconds: times.expireAfterMilliseconds)
  }

  /// When the session is to end.
  public var plannedEnd: Timestamp {
    details.scheduledAt.advanced(byMilliseconds: Int64(details.durationMinutes) * 60_000)
  }

  private func reminderTime(_ minutes: Int) -> Timestamp {
    details.scheduledAt.advanced(byMilliseconds: Int64(minutes) * -60_000)
  }

  /// The lead time of the reminder that comes next: they are in descending order.
  private func nextReminder() -> Int? {
    details.reminders.first { minutes in
      reminderTime(minutes) > reminders.since && !reminders.sent.contains(minutes)
    }
  }

  /// Does what the server itself has to do, if it is time; else nothing.
  /// - Parameter emptySince: as for ``nextOccurrence(_:emptySince:)``.
  public mutating func advance(to now: Timestamp, _ times: SessionTimes, emptySince: Timestamp?) -> [RecordedEvent] {
    var events: [RecordedEvent] = []
    while let (time, occurrence) = nextOccurrence(times, emptySince: emptySince), time <= now {
      switch occurrence {
      case .expire: events.append(record(.transitioned(Move(.expire, from: status, to: .expired)), at: now))
      case .complete: events.append(record(.transitioned(Move(.complete, from: status, to: .completed)), at: now))
      case .remind(let minutes):
        // When the server was down: of several that are due the last one tells, and after the start none.
        let isLate =
          now >= details.scheduledAt || details.reminders.contains { $0 < minutes && reminderTime($0) <= now }
        events.append(record(.reminded(minutes: minutes, isLate: isLate), at: now))
      }
    }
    return events
  }
}
