/// Lets a busy room's messages gather, so that one send for each member takes more of them along.
///
/// A send costs as much as a hundred messages. When one round of sends to many follows the other at once, the loop rests
/// after each for a moment: what comes in meanwhile leaves together, and so does what was being synced when the rest was
/// over. A single message is never kept back, and a loop that says little to few never rests.
///
/// Time is an argument, in nanoseconds of the monotonic clock.
struct TickPacing {
  /// How many members make a round of a room worth waiting for.
  static let manyMembers = 64
  /// How long the loop rests after a round.
  static let restNanoseconds: Int64 = 2_000_000
  /// Rounds with less between them follow each other at once: a rest, and the sync of a journal.
  static let gapNanoseconds: Int64 = 5_000_000
  /// How long after a round what is safe waits for what is being synced: less than the gap, so that the next round follows
  /// at once too.
  static let gatherNanoseconds: Int64 = 4_000_000

  private var lastEnd: Int64 = .min / 2
  private var isInRound = false
  private var isBusy = false
  private var needsRest = false
  /// When the next round begins at the latest, while it waits.
  private var gatherEnd: Int64?

  /// Many connections are being told something in this tick.
  mutating func roundBegins(at now: @autoclosure () -> Int64) {
    if isInRound { return }
    isInRound = true
    isBusy = now() - lastEnd < Self.gapNanoseconds
  }

  /// Everything is sent.
  mutating func roundEnds(at now: @autoclosure () -> Int64) {
    guard isInRound else { return }
    isInRound = false
    lastEnd = now()
    needsRest = isBusy
  }

  /// Whether the next round waits for a sync that is under way, so that it takes along what that makes safe. Without this,
  /// messages that came in two portions would stay two forever: one is sent while the other is synced.
  mutating func gathers(isSyncing: Bool, at now: @autoclosure () -> Int64) -> Bool {
    gatherEnd = nil
    guard isSyncing, isBusy else { return false }
    let end = lastEnd + Self.gatherNanoseconds
    guard now() < end else { return false }
    gatherEnd = end
    return true
  }

  /// How long the loop may sleep at most, in milliseconds; nil when no round waits.
  func patience(at now: @autoclosure () -> Int64) -> Int64? {
    guard let gatherEnd else { return nil }
    return max(0, gatherEnd - now() + 999_999) / 1_000_000
  }

  /// How long the loop is to rest before it looks for more: not at all, unless the last round was one of a row.
  mutating func takeRest() -> Int64 {
    defer { needsRest = false }
    return needsRest ? Self.restNanoseconds : 0
  }
}
