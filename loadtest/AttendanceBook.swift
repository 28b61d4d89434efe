/// When somebody was in the session, as far as that can be known from outside: each bound lies between when something was
/// asked and when its answer had come. Milliseconds of the monotonic clock.
struct AttendanceBook {
  /// One stay.
  struct Segment: Equatable {
    /// When the wish was sent: attendance cannot have begun before.
    var beginEarliest: Int64
    /// When the answer had come: attendance must have begun by then.
    var beginLatest: Int64
    var endEarliest: Int64?
    var endLatest: Int64?
  }

  /// What a report must say of somebody.
  struct Expectation {
    var segmentCount: Int
    var isActive: Bool
    /// The bounds without any slack.
    var milliseconds: ClosedRange<Int64>
  }

  private(set) var segments: [String: [Segment]] = [:]
  /// Who was lost on the way: what becomes of their rows is not known.
  private(set) var lost: Set<String> = []

  /// Whether somebody is in.
  func isIn(_ user: String) -> Bool { segments[user]?.last.map { $0.endEarliest == nil } ?? false }

  /// Somebody has come in. Who is in already, comes back or has another tab, stays in.
  mutating func begin(_ user: String, asked: Int64, answered: Int64) {
    guard !isIn(user) else { return }
    segments[user, default: []].append(Segment(beginEarliest: asked, beginLatest: answered))
  }

  /// Somebody goes.
  mutating func leaves(_ user: String, at time: Int64) {
    guard isIn(user), var list = segments[user] else { return }
    list[list.count - 1].endEarliest = time
    segments[user] = list
  }

  /// Somebody has gone.
  mutating func left(_ user: String, at time: Int64) {
    guard var list = segments[user], let last = list.last, last.endEarliest != nil, last.endLatest == nil else {
      return
    }
    list[list.count - 1].endLatest = time
    segments[user] = list
  }

  /// Somebody was lost in a way that was not planned.
  mutating func lose(_ user: String) { lost.insert(user) }

  /// The session is over: everybody's stay has ended between these times.
  mutating func end(asked: Int64, answered: Int64) {
    for (user, list) in segments where list.last?.endEarliest == nil {
      var list = list
      list[list.count - 1].endEarliest = asked
      list[list.count - 1].endLatest = answered
      segments[user] = list
    }
  }

  /// What a report must say that was asked for and received at these times.
  func expectation(of user: String, requested: Int64, received: Int64) -> Expectation? {
    guard let list = segments[user] else { return nil }
    var least: Int64 = 0
    var most: Int64 = 0
    for segment in list {
      least += max(0, (segment.endEarliest ?? requested) - segment.beginLatest)
      most += max(0, (segment.endLatest ?? received) - segment.beginEarliest)
    }
    return Expectation(
      segmentCount: list.count, isActive: list.last?.endEarliest == nil, milliseconds: least...max(least, most))
  }
}
