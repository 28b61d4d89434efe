import HashTreeCollections

/// Something about a session that people are told of, whether they are there or not. It follows from an event.
public struct Notice: Sendable, Equatable {
  /// What happened.
  public enum Kind: String, Sendable, CaseIterable {
    /// Somebody asks for a session, or to be let in to one.
    case requested
    /// The host agrees.
    case approved
    /// The host does not agree.
    case declined
    case rescheduled
    case cancelled
    /// It begins soon.
    case reminder
    /// The host says that it begins now.
    case starting
    /// It has begun.
    case live
    case ended
    case recordingReady = "recording_ready"
    case review
  }

  /// Whom it is for.
  public enum Audience: Sendable, Equatable {
    /// The host, who asked for the session, and who is expected in it.
    case everybody
    case host
    case user(String)
  }

  /// The number of the event in its session; with the session it names the notice.
  public var number: UInt64
  public var kind: Kind
  public var at: Timestamp
  /// Whose doing it was, and who is thus not told; nil for the server's own.
  public var by: String?
  public var audience: Audience
  /// What was said about it, if anything.
  public var reason: String?
  /// How many minutes were left until the start; of a reminder only.
  public var minutes: Int?

  /// A notice with these facts.
  public init(
    number: UInt64, kind: Kind, at: Timestamp, by: String?, audience: Audience, reason: String? = nil,
    minutes: Int? = nil
  ) {
    self.number = number
    self.kind = kind
    self.at = at
    self.by = by
    self.audience = audience
    self.reason = reason
    self.minutes = minutes
  }
}

/// The notices of a session, and who has read which.
public struct Notices: Sendable, Equatable {
  /// The bounds of what is kept.
  public enum Limits {
    /// The newest notices of a session.
    public static let count = 200
  }

  /// Ascending.
  public private(set) var list: [Notice] = []
  /// The numbers of the notices that are kept and that a user has read, ascending.
  private var reads = TreeDictionary<String, [UInt64]>()

  /// None.
  public init() {}

  public var isEmpty: Bool { list.isEmpty }

  /// Whether a user has read the notice of that number.
  public func isRead(_ number: UInt64, by user: String) -> Bool { reads[user]?.contains(number) ?? false }

  /// Who has read something that is kept, sorted, with its numbers.
  public var allReads: [(user: String, numbers: [UInt64])] {
    reads.map { (user: $0.key, numbers: $0.value) }.sorted { $0.user < $1.user }
  }

  mutating func append(_ notice: Notice) {
    list.append(notice)
    guard list.count > Limits.count else { return }
    let dropped = list.removeFirst().number
    // Several can have the number of one event.
    guard list.first?.number != dropped else { return }
    for (user, numbers) in reads where numbers.first == dropped {
      reads[user] = numbers.count > 1 ? Array(numbers.dropFirst()) : nil
    }
  }

  /// Puts back a notice as it was kept; in ascending order.
  public mutating func restore(_ notice: Notice) { list.append(notice) }

  /// Puts back what somebody has read.
  public mutating func restore(read numbers: [UInt64], by user: String) { reads[user] = numbers }

  mutating func restore(_ part: Notices) {
    list += part.list
    for (user, numbers) in part.reads { reads[user] = numbers }
  }

  mutating func noteRead(_ numbers: [UInt64], by user: String) {
    reads[user] = Set((reads[user] ?? []) + numbers).sorted()
  }

  func names(_ user: String) -> Bool {
    reads[user] != nil || list.contains { $0.by == user || $0.audience == .user(user) }
  }

  mutating func erase(_ user: String, as pseudonym: String) {
    reads[user] = nil
    for index in list.indices {
      if list[index].by == user { list[index].by = pseudonym }
      if list[index].audience == .user(user) { list[index].audience = .user(pseudonym) }
    }
  }
}

extension Classroom {
  /// Takes note of what an event, which has been applied, has people told.
  mutating func takeNotice(of recorded: RecordedEvent) {
    func add(
      _ kind: Notice.Kind, to audience: Notice.Audience = .everybody, reason: String? = nil, minutes: Int? = nil
    ) {
      notices.append(
        Notice(
          number: recorded.sequence, kind: kind, at: recorded.at, by: recorded.by, audience: audience, reason: reason,
          minutes: minutes))
    }
    switch recorded.event {
    case .created(let details, _):
      if details.proposer != nil { add(.requested, to: .host) }
    case .statusChanged(.ongoing): add(.live)
    case .statusChanged(.completed): add(.ended)
    case .transitioned(let move):
      if let kind = move.transition.noticeKind { add(kind, reason: move.reason) }
    case .announced(let text): add(.starting, reason: text)
    case .reminded(let minutes, let isLate):
      if !isLate { add(.reminder, minutes: minutes) }
    case .rosterChanged(let entries):
      for entry in entries {
        switch entry.state {
        case .requested: add(.requested, to: .host)
        case .approved where recorded.by != entry.user && details.proposer != entry.user:
          add(.approved, to: .user(entry.user))
        case .rejected: add(.declined, to: .user(entry.user))
        case .approved, .invited, .withdrawn: break
        }
      }
    default: break
    }
  }

  /// - Throws: ``Refusal/notFound`` when none of the numbers is that of a notice for the user.
  func readingNotices(_ numbers: [UInt64], by user: String) throws(Refusal) -> [Event] {
    let outline = view
    let own = notices.list.filter { numbers.contains($0.number) && outline.isAddressed($0, to: user) }.map(\.number)
    guard !own.isEmpty else { throw .notFound }
    let unread = Set(own).filter { !notices.isRead($0, by: user) }.sorted()
    return unread.isEmpty ? [] : [.noticesRead(user: user, numbers: unread)]
  }
}

extension Transition {
  /// What people are told of it; nil for nothing.
  fileprivate var noticeKind: Notice.Kind? {
    switch self {
    case .approve: .approved
    case .decline: .declined
    case .reschedule, .repropose: .rescheduled
    case .withdraw, .cancel: .cancelled
    case .start: .live
    case .end, .complete: .ended
    case .propose, .create, .schedule, .expire: nil
    }
  }
}

extension SessionView {
  /// Whether a notice is for somebody.
  public func isAddressed(_ notice: Notice, to user: String) -> Bool {
    guard notice.by != user, !isHidden || user == details.host else { return false }
    switch notice.audience {
    case .user(let receiver): return receiver == user
    case .host: return user == details.host
    case .everybody:
      if user == details.host || user == details.proposer { return true }
      // Who came onto the list later was not told.
      guard let entry = roster[user] else { return false }
      return entry.state.isIn && entry.at <= notice.at
    }
  }
}
