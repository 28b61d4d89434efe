#if PLANTED_BUGS
  import PlantedBugs
#endif

/// Who was in the session, and when: for each user a union of intervals, kept as a list that never overlaps.
public struct Attendance: Sendable, Equatable {
  /// One interval in which a user was in the session.
  public struct Segment: Sendable, Equatable {
    public var from: Timestamp
    /// The end, or nil while the user is here.
    public var to: Timestamp?
    /// Whether the end was reconstructed after a crash.
    public var isEstimated: Bool
    /// Whether somebody vouches for it, a host or the code that was shown in the class, instead of a connection.
    public var isCheckedIn: Bool

    /// A segment with these bounds.
    public init(from: Timestamp, to: Timestamp?, isEstimated: Bool, isCheckedIn: Bool = false) {
      self.from = from
      self.to = to
      self.isEstimated = isEstimated
      self.isCheckedIn = isCheckedIn
    }

    /// The length, an open segment counting until `now`; never negative.
    public func milliseconds(until now: Timestamp) -> Int64 {
      max(0, (to ?? now).milliseconds(since: from))
    }
  }

  /// Since when somebody who counts as present has no connection.
  public struct Absence: Sendable, Equatable {
    /// When the person was last heard.
    public var since: Timestamp
    /// Whether that had to be reconstructed after a crash.
    public var isEstimated: Bool
    /// Whether nothing is lost: the person has no connection, and says now and then to be there.
    public var isBetweenHeartbeats: Bool

    /// An absence since then.
    public init(since: Timestamp, isEstimated: Bool, isBetweenHeartbeats: Bool = false) {
      self.since = since
      self.isEstimated = isEstimated
      self.isBetweenHeartbeats = isBetweenHeartbeats
    }

    /// When the person was last there, if the session ends at `time`: who only says now and then to be there was there to
    /// the end, who lost the connection until then.
    func departure(at time: Timestamp) -> Timestamp { isBetweenHeartbeats ? time : min(since, time) }
  }

  /// A time in which the session was live.
  public struct Span: Sendable, Equatable {
    public var from: Timestamp
    /// The end, or nil while it is live.
    public var to: Timestamp?

    /// A span with these bounds.
    public init(from: Timestamp, to: Timestamp?) {
      self.from = from
      self.to = to
    }
  }

  /// The attendance of one user.
  public struct Row: Sendable, Equatable {
    public var user: String
    public var name: String
    public var role: Role
    /// In order of time; only the last can be open.
    public var segments: [Segment]
    /// Set while the last segment is open and the connection is lost: that segment ends there if the user does not return.
    public var absence: Absence?
    /// The role in which the user first came.
    public var firstRole: Role
    /// The user's address, where a token told it.
    public var email: String?

    /// A row with these segments.
    public init(
      user: String, name: String, role: Role, segments: [Segment], absence: Absence? = nil, firstRole: Role? = nil,
      email: String? = nil
    ) {
      self.user = user
      self.name = name
      self.role = role
      self.segments = segments
      self.absence = absence
      self.firstRole = firstRole ?? role
      self.email = email
    }

    /// Whether the user is in the session now.
    public var isActive: Bool { segments.last.map { $0.to == nil } ?? false }
    /// Whether the user is in the session now, and needs no connection for it.
    public var isCheckedIn: Bool { segments.last.map { $0.to == nil && $0.isCheckedIn } ?? false }
    /// When the user first came.
    public var firstJoin: Timestamp? { segments.first?.from }
    /// When the user last left, or nil while here.
    public var lastLeave: Timestamp? { segments.last?.to }
    /// The length of the union of all segments. While the connection is lost the open one counts until the loss: so long it
    /// is certain, and the sum never falls back if the user does not return.
    public func milliseconds(until now: Timestamp) -> Int64 {
      let end = absence.map { min($0.since, now) } ?? now
      return segments.reduce(0) { $0 + $1.milliseconds(until: end) }
    }

    /// Takes over the segments of another row of the same person, both closed; in order of time, and without an overlap.
    fileprivate mutating func add(_ other: Row) {
      segments = Attendance.joined(segments, other.segments)
    }

    fileprivate mutating func close(at time: Timestamp, isEstimated: Bool) {
      guard var last = segments.popLast() else { return }
      last.to = max(time, last.from)
      last.isEstimated = isEstimated
      segments.append(last)
      absence = nil
    }
  }

  /// When a user waited to be let in. That is not attendance.
  public struct Waits: Sendable, Equatable {
    public var user: String
    /// In order of time; only the last can be open.
    public var segments: [Segment]

    /// Waits of these times.
    public init(user: String, segments: [Segment]) {
      self.user = user
      self.segments = segments
    }

    /// Whether the user waits now.
    public var isOpen: Bool { segments.last.map { $0.to == nil } ?? false }
  }

  /// The segments of two lists in order of time, without an overlap.
  private static func joined(_ segments: [Segment], _ others: [Segment]) -> [Segment] {
    var end: Timestamp?
    return (segments + others).sorted { $0.from < $1.from }.map { segment in
      var segment = segment
      if let end { segment.from = max(segment.from, end) }
      segment.to = segment.to.map { max($0, segment.from) }
      end = segment.to
      return segment
    }
  }

  /// Everybody who was ever in, by user, in the order in which they first came.
  public private(set) var rows = BlockDictionary<256, Row>()
  /// How many are in now.
  public private(set) var activeCount = 0
  /// When people waited to be let in, by user, in the order in which they first did.
  public private(set) var waits = BlockDictionary<256, Waits>()
  /// When the session was live, in order of time; only the last can be open.
  public private(set) var spans: [Span] = []

  init() {}

  /// The row of a user.
  public subscript(user: String) -> Row? { rows[user] }

  /// Whether the user is in the session now.
  public func isActive(_ user: String) -> Bool { rows[user]?.isActive ?? false }

  /// Opens a segment. One that is open stays as it is: a second tab does not count twice.
  mutating func open(user: String, name: String, role: Role, at time: Timestamp) {
    endWaiting(user, at: time)
    let isNew = rows.update(user, default: Row(user: user, name: name, role: role, segments: [])) { row in
      row.name = name
      row.role = role
      row.absence = nil
      #if PLANTED_BUGS
        if PlantedBugs.isActive(.secondTabCounted), row.isActive {
          row.segments.append(Segment(from: time, to: nil, isEstimated: false))
        }
      #endif
      guard !row.isActive else { return false }
      if row.segments.isEmpty { row.firstRole = role }
      // A clamped clock after a restart must not make two segments overlap.
      let from = max(time, row.segments.last?.to ?? time)
      row.segments.append(Segment(from: from, to: nil, isEstimated: false))
      #if PLANTED_BUGS
        if PlantedBugs.isActive(.waitingCounted), let wait = waits[user]?.segments.last {
          row.segments[row.segments.count - 1].from = min(from, wait.from)
        }
      #endif
      return true
    }
    if isNew { activeCount += 1 }
  }

  /// Notes, or forgets, that a user with an open segment has no connection.
  mutating func setAbsence(_ absence: Absence?, of user: String) {
    guard isActive(user) else { return }
    _ = rows.update(user) { $0.absence = absence }
  }

  /// Gives a user who was ever in another role.
  mutating func setRole(_ role: Role, of user: String) {
    _ = rows.update(user) { $0.role = role }
  }

  /// Closes the open segment of a user, if there is one.
  mutating func close(user: String, at time: Timestamp, isEstimated: Bool) {
    guard isActive(user) else { return }
    _ = rows.update(user) { $0.close(at: time, isEstimated: isEstimated) }
    activeCount -= 1
  }

  /// The session is live from now on.
  mutating func beginSpan(at time: Timestamp) {
    guard spans.last.map({ $0.to != nil }) ?? true else { return }
    spans.append(Span(from: max(time, spans.last?.to ?? time), to: nil))
  }

  /// The session is live no longer.
  ///
  /// Every open segment closes: of who is away at the loss of the connection, since a return can no longer come.
  mutating func endSpan(at time: Timestamp) {
    rows.updateAll(where: \.isActive) { row in
      row.close(at: row.absence?.departure(at: time) ?? time, isEstimated: row.absence?.isEstimated ?? false)
    }
    activeCount = 0
    guard let last = spans.last, last.to == nil else { return }
    spans[spans.count - 1].to = max(time, last.from)
  }

  // MARK: Without a connection

  /// A host, or the code that is shown in the class, vouches for a user who is in: no loss of a connection ends that.
  mutating func checkIn(_ user: String) {
    guard isActive(user) else { return }
    _ = rows.update(user) { row in
      row.absence = nil
      guard var last = row.segments.popLast() else { return }
      last.isCheckedIn = true
      row.segments.append(last)
    }
  }

  /// Somebody vouches that the user was there from then till then, after the fact. What was measured stays as it is, and what
  /// lies between is filled.
  mutating func mark(user: String, name: String, role: Role, from: Timestamp, to: Timestamp) {
    guard from < to, !isActive(user) else { return }
    rows.update(user, default: Row(user: user, name: name, role: role, segments: [])) { row in
      var filled: [Segment] = []
      var time = from
      for segment in row.segments {
        guard let end = segment.to else { continue }
        if segment.from > time, time < to {
          filled.append(Segment(from: time, to: min(segment.from, to), isEstimated: false, isCheckedIn: true))
        }
        time = max(time, end)
        filled.append(segment)
      }
      if time < to { filled.append(Segment(from: time, to: to, isEstimated: false, isCheckedIn: true)) }
      row.segments = filled
    }
  }

  /// The address of a user who came in is known.
  mutating func setEmail(_ email: String, of user: String) { _ = rows.update(user) { $0.email = email } }

  // MARK: Waiting

  /// Somebody waits to be let in.
  mutating func beginWaiting(_ user: String, at time: Timestamp) {
    guard !isActive(user) else { return }
    let gone = rows[user]?.segments.last?.to ?? time
    waits.update(user, default: Waits(user: user, segments: [])) { waits in
      guard !waits.isOpen else { return }
      let from = max(time, gone, waits.segments.last?.to ?? time)
      waits.segments.append(Segment(from: from, to: nil, isEstimated: false))
    }
  }

  /// Somebody waits no longer: is in, or has gone.
  mutating func endWaiting(_ user: String, at time: Timestamp) {
    guard waits.count > 0 else { return }
    _ = waits.update(user) { Self.end(&$0, at: time) }
  }

  /// Nobody waits any longer.
  mutating func endAllWaiting(at time: Timestamp) {
    waits.updateAll(where: \.isOpen) { Self.end(&$0, at: time) }
  }

  private static func end(_ waits: inout Waits, at time: Timestamp) {
    guard waits.isOpen, var last = waits.segments.popLast() else { return }
    last.to = max(time, last.from)
    waits.segments.append(last)
  }

  /// Puts the row of a user under a pseudonym; who is here is gone since `time`.
  mutating func erase(_ user: String, as pseudonym: String, at time: Timestamp) {
    if waits[user] != nil {
      endWaiting(user, at: time)
      endWaiting(pseudonym, at: time)
      waits.rebuild(key: \.user, joining: { $0.segments = Self.joined($0.segments, $1.segments) }) { waits in
        waits.user == user ? Waits(user: pseudonym, segments: waits.segments) : waits
      }
    }
    guard let row = rows[user] else { return }
    close(
      user: user, at: row.absence.map { min($0.since, time) } ?? time, isEstimated: row.absence?.isEstimated ?? false)
    close(user: pseudonym, at: time, isEstimated: false)
    rows.rebuild(key: \.user, joining: { $0.add($1) }) { row in
      guard row.user == user else { return row }
      var row = row
      row.user = pseudonym
      row.name = pseudonym
      row.email = nil
      return row
    }
  }

  /// Puts the spans back as a snapshot kept them.
  mutating func restore(_ spans: [Span]) { self.spans = spans }

  /// Puts back when somebody waited, as a snapshot kept it.
  mutating func restore(_ waits: Waits) { self.waits.update(waits.user, default: waits) { $0 = waits } }

  /// Puts a row back as a snapshot kept it.
  mutating func restore(_ row: Row) {
    let wasActive = isActive(row.user)
    rows.update(row.user, default: row) { $0 = row }
    activeCount += (row.isActive ? 1 : 0) - (wasActive ? 1 : 0)
  }
}
