import EventLoop

/// Lets a busy room's messages gather, so that one send for each member takes more of them along.
///
/// A send costs as much as a hundred messages. When one round of sends to many follows the other at once, the loop rests
/// after each for a moment: what comes in meanwhile leaves together. A single message is never kept back, and a loop
/// that says little to few never rests.
struct TickPacing {
  /// How many members make a round of a room worth waiting for.
  static let manyMembers = 64
  /// How long the loop rests after a round, in nanoseconds.
  private static let restNanoseconds: Int64 = 2_000_000
  /// Rounds with less between them, in nanoseconds, follow each other at once: a rest, and the sync of a journal.
  private static let gapNanoseconds: Int64 = 5_000_000

  private var lastEnd: Int64 = .min / 2
  private var isInRound = false
  private var isBusy = false
  private var needsRest = false

  /// Many connections are being told something in this tick.
  mutating func roundBegins() {
    if isInRound { return }
    isInRound = true
    isBusy = MonotonicClock.nanoseconds() - lastEnd < Self.gapNanoseconds
  }

  /// Everything is sent.
  mutating func roundEnds() {
    guard isInRound else { return }
    isInRound = false
    lastEnd = MonotonicClock.nanoseconds()
    needsRest = isBusy
  }

  /// Waits, if the last tick was one of a row of rounds.
  mutating func rest() {
    guard needsRest else { return }
    needsRest = false
    MonotonicClock.sleep(nanoseconds: Self.restNanoseconds)
  }
}
