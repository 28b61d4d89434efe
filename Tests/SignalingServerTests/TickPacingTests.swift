import Testing

@testable import SignalingServer

@Suite("Rounds of sends to many")
struct TickPacingTests {
  private var pacing = TickPacing()
  private static let start: Int64 = 1_000_000_000_000

  /// One round that begins `after` so many nanoseconds, and takes no time.
  private mutating func round(after nanoseconds: Int64) {
    pacing.roundBegins(at: Self.start + nanoseconds)
    pacing.roundEnds(at: Self.start + nanoseconds)
  }

  @Test("a single round is followed by no rest, and keeps nothing back")
  mutating func single() {
    round(after: 0)
    let first = pacing.takeRest()
    #expect(first == 0)
    let second = pacing.gathers(isSyncing: true, at: Self.start + 1)
    #expect(!second)
    round(after: TickPacing.gapNanoseconds)
    let third = pacing.takeRest()
    #expect(third == 0)
  }

  @Test("a round that follows another at once is followed by one rest")
  mutating func row() {
    round(after: 0)
    round(after: TickPacing.gapNanoseconds - 1)
    let first = pacing.takeRest()
    #expect(first == TickPacing.restNanoseconds)
    let second = pacing.takeRest()
    #expect(second == 0)
  }

  @Test("a tick that tells nobody anything is no round")
  mutating func quiet() {
    round(after: 0)
    pacing.roundEnds(at: Self.start + 1)
    let first = pacing.takeRest()
    #expect(first == 0)
  }

  @Test("in a row, what is safe waits for what is being synced, and no longer than to its limit")
  mutating func gathering() {
    round(after: 0)
    round(after: 1)
    let end = Self.start + 1 + TickPacing.gatherNanoseconds
    let first = pacing.gathers(isSyncing: true, at: end - 1)
    #expect(first)
    #expect(pacing.patience(at: end - 1) == 1)
    #expect(pacing.patience(at: end - 1_500_000) == 2)
    #expect(pacing.patience(at: end + 1) == 0)
    let second = pacing.gathers(isSyncing: true, at: end)
    #expect(!second)
    #expect(pacing.patience(at: end) == nil)
  }

  @Test("nothing waits when nothing is being synced")
  mutating func synced() {
    round(after: 0)
    round(after: 1)
    let first = pacing.gathers(isSyncing: true, at: Self.start + 2)
    #expect(first)
    let second = pacing.gathers(isSyncing: false, at: Self.start + 2)
    #expect(!second)
    #expect(pacing.patience(at: Self.start + 2) == nil)
  }

  @Test("a round that waited to the limit counts as one that follows at once")
  mutating func afterWaiting() {
    round(after: 0)
    round(after: 1)
    round(after: 1 + TickPacing.gatherNanoseconds)
    let first = pacing.takeRest()
    #expect(first > 0)
  }
}
