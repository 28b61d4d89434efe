/// A point in time, in milliseconds since 1970-01-01T00:00:00Z.
///
/// The domain never reads a clock: whoever calls it passes the time. In the server that time is a wall-clock anchor taken
/// at start plus the monotonic clock, so differences of two timestamps are exact durations.
public struct Timestamp: Hashable, Comparable, Sendable {
  /// Milliseconds since 1970-01-01T00:00:00Z.
  public var milliseconds: Int64

  /// A timestamp of so many milliseconds since 1970.
  public init(milliseconds: Int64) {
    self.milliseconds = milliseconds
  }

  public static func < (left: Timestamp, right: Timestamp) -> Bool {
    left.milliseconds < right.milliseconds
  }

  /// The timestamp so many milliseconds later; clamped instead of overflowing.
  public func advanced(byMilliseconds milliseconds: Int64) -> Timestamp {
    let (sum, overflow) = self.milliseconds.addingReportingOverflow(milliseconds)
    if overflow { return Timestamp(milliseconds: milliseconds > 0 ? .max : .min) }
    return Timestamp(milliseconds: sum)
  }

  /// The milliseconds from another timestamp to this one; clamped instead of overflowing.
  public func milliseconds(since other: Timestamp) -> Int64 {
    let (difference, overflow) = milliseconds.subtractingReportingOverflow(other.milliseconds)
    if overflow { return milliseconds > other.milliseconds ? .max : .min }
    return difference
  }
}
