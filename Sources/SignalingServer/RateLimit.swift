/// So many of something in a second, with a burst: a token bucket in the form of the generic cell rate algorithm (ITU-T I.371),
/// whose whole state is one time.
struct RateLimit: Sendable {
  enum Verdict: Equatable {
    case allowed
    /// One too many; one more is allowed after so many milliseconds of silence.
    case refused(retryAfterMilliseconds: Int64)
    /// Another burst was refused already: whoever this is does not listen.
    case exhausted
  }

  /// Until when the bucket is in use, in microseconds of the monotonic clock. A full bucket is any time that is past.
  typealias Bucket = Int64

  /// Microseconds between two; 0 for no limit.
  private let interval: Int64
  /// How far a bucket's time may be ahead when one more comes.
  private let tolerance: Int64

  /// - Parameters:
  ///   - perSecond: at most a million; 0 for no limit.
  ///   - burst: how many may come at once, at least 1.
  init(perSecond: Int, burst: Int) {
    interval = perSecond > 0 ? max(1, 1_000_000 / Int64(min(perSecond, 1_000_000))) : 0
    tolerance = interval * Int64(min(max(burst, 1), 1_000_000) - 1)
  }

  /// Whether there is a limit.
  var isLimiting: Bool { interval > 0 }

  /// Takes one out of the bucket. What is refused is taken out too: to go on all the same only makes the wait longer.
  func charge(_ bucket: inout Bucket, at now: Int64) -> Verdict {
    guard interval > 0 else { return .allowed }
    let start = max(bucket, now)
    let excess = start - now - tolerance
    if excess > tolerance + interval { return .exhausted }
    bucket = start + interval
    return excess <= 0 ? .allowed : .refused(retryAfterMilliseconds: (excess + interval + 999) / 1000)
  }
}
