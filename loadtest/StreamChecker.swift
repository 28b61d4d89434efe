/// Whether one attendee sees every numbered event of a stream once and in order.
struct StreamChecker {
  /// What the arrival of one number means.
  enum Verdict: Equatable {
    case inOrder
    /// So many numbers before this one have not been seen.
    case gap(UInt64)
    /// This number was missing until now.
    case late
    case duplicate
  }

  private(set) var delivered = 0
  private(set) var duplicates = 0
  /// Numbers that came after a greater one.
  private(set) var reordered = 0
  /// The number that the state already included when this began, or the greatest seen since.
  private(set) var last: UInt64
  private var missing: Set<UInt64> = []

  /// - Parameter included: the number that the state handed out at the start already includes.
  init(after included: UInt64) { last = included }

  /// Takes in the next event.
  @discardableResult
  mutating func receive(_ sequence: UInt64) -> Verdict {
    delivered += 1
    if sequence == last &+ 1 {
      last = sequence
      return .inOrder
    }
    if sequence > last {
      let count = sequence - last - 1
      // A number out of all proportion must not fill the memory; that it is a gap is said all the same.
      for number in (last + 1)..<min(sequence, last + 1 + Self.rememberedGap) { missing.insert(number) }
      unremembered += count - min(count, Self.rememberedGap)
      last = sequence
      return .gap(count)
    }
    if missing.remove(sequence) != nil {
      reordered += 1
      return .late
    }
    duplicates += 1
    return .duplicate
  }

  /// How many events up to `final`, the last of the stream, were never seen.
  func lost(through final: UInt64) -> UInt64 {
    UInt64(missing.count) + unremembered + (final > last ? final - last : 0)
  }

  private static let rememberedGap: UInt64 = 100_000
  private var unremembered: UInt64 = 0
}
