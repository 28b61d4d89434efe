import Classroom
import EventLoop

/// The server's time: a wall-clock anchor taken at start plus the monotonic clock, never before the last record on disk.
///
/// So a step of the wall clock while the server runs changes no duration.
struct ServerClock: Sendable {
  private let offset: Int64

  /// A clock that shows at least `earliest`.
  init(notBefore earliest: Timestamp) {
    offset = max(WallClock.milliseconds(), earliest.milliseconds) - MonotonicClock.milliseconds()
  }

  /// The time.
  var now: Timestamp { timestamp(atMonotonic: MonotonicClock.milliseconds()) }

  /// The time that it was or will be when the monotonic clock shows this.
  func timestamp(atMonotonic milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: milliseconds + offset) }
}
