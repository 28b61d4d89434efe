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

    /// A segment with these bounds.
    public init(from: Timestamp, to: Timestamp?, isEstimated: Bool) {
      self.from = from
      self.to = to
      self.isEstimated = isEstimated
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

    /// An absence since then.
    public init(since: Timestamp, isEstimated: Bool) {
      self.since = since
      self.isEstimated = isEstimated
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

    /// A row with these segments.
    public init(user: String, name: String, role: Role, segments: [Segment], absence: Absence? = nil) {
      self.user = user
      self.name = name
      self.role = role
      self.segments = segments
      self.absence = absence
    }

    /// Whether the user is in the session now.
    public var isActive: Bool { segments.last.map { $0.to == nil } ?? false }
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
      var end: Timestamp?
      segments = (segments + other.segments).sorted { $0.from < $1.from }.map { segment in
        var segment = segment
        if let end { segment.from = max(segment.from, end) }
        segment.to = segment.to.map { max($0, segment.from) }
        end = segment.to
        return segment
      }
    }

    fileprivate mutating func close(at time: Timestamp, isEstimated: Bool) {
      guard var last = segments.popLast() else { return }
      last.to = max(time, last.from)
      last.isEstimated = isEstimated
      segments.append(last)
      absence = nil
    }
  }

  /// Everybody who was ever in, by user, in the order in which they first came.
  public private(set) var rows = BlockDictionary<Row>(blockSize: 256)
  /// How many are in now.
  public private(set) var activeCount = 0

  init() {}

  /// The row of a user.
  public subscript(user: String) -> Row? { rows[user] }

  /// Whether the user is in the session now.
  public func isActive(_ user: String) -> Bool { rows[user]?.isActive ?? false }

  /// Opens a segment. One that is open stays as it is: a second tab does not count twice.
  mutating func open(user: String, name: String, role: Role, at time: Timestamp) {
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
      // A clamped clock after a restart must not make two segments overlap.
      let from = max(time, row.segments.last?.to ?? time)
      row.segments.append(Segment(from: from, to: nil, isEstimated: false))
      return true
    }
    if isNew { activeCount += 1 }
  }

  /// Notes, or forgets, that a user with an open segment has no connection.
  mutating func setAbsence(_ absence: Absence?, of user: String) {
    guard isActive(user) else { return }
    _ = rows.update(user) { $0.absence = absence }
  }

  /// Closes the open segment of a user, if there is one.
  mutating func close(user: String, at time: Timestamp, isEstimated: Bool) {
    guard isActive(user) else { return }
    _ = rows.update(user) { $0.close(at: time, isEstimated: isEstimated) }
    activeCount -= 1
  }

  /// Closes every open segment: of who is away at the loss of the connection, since a return can no longer come.
  mutating func closeAll(at time: Timestamp) {
    rows.updateAll(where: \.isActive) { row in
      row.close(at: row.absence.map { min($0.since, time) } ?? time, isEstimated: row.absence?.isEstimated ?? false)
    }
    activeCount = 0
  }

  /// Puts the row of a user under a pseudonym; who is here is gone since `time`.
  mutating func erase(_ user: String, as pseudonym: String, at time: Timestamp) {
    guard let row = rows[user] else { return }
    close(
      user: user, at: row.absence.map { min($0.since, time) } ?? time, isEstimated: row.absence?.isEstimated ?? false)
    close(user: pseudonym, at: time, isEstimated: false)
    rows.rebuild(key: \.user, joining: { $0.add($1) }) { row in
      guard row.user == user else { return row }
      return Row(user: pseudonym, name: pseudonym, role: row.role, segments: row.segments)
    }
  }

  /// Puts a row back as a snapshot kept it.
  mutating func restore(_ row: Row) {
    let wasActive = isActive(row.user)
    rows.update(row.user, default: row) { $0 = row }
    activeCount += (row.isActive ? 1 : 0) - (wasActive ? 1 : 0)
  }
}
