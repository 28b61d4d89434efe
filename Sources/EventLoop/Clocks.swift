import Glibc

/// Time that only goes forward, from an arbitrary beginning: for deadlines and durations.
public enum MonotonicClock {
  /// Nanoseconds, never negative, at least as large as any value read before on any thread.
  public static func nanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
  }

  /// Whole milliseconds of the same clock.
  public static func milliseconds() -> Int64 { nanoseconds() / 1_000_000 }

  /// Lets the thread sleep so long; a signal may end it earlier.
  public static func sleep(nanoseconds: Int64) {
    guard nanoseconds > 0 else { return }
    var time = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nil)
  }
}

/// The time of day: for what people and other systems read. It may jump.
public enum WallClock {
  /// Milliseconds since 1970-01-01 00:00 UTC.
  public static func milliseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) &* 1000 &+ Int64(time.tv_nsec) / 1_000_000
  }
}
