/// How far a client has seen the numbered events of a stream, and whether it saw each once and in order.
public struct StreamPosition: Sendable {
  /// What the arrival of one number means.
  public enum Verdict: Equatable, Sendable {
    case inOrder
    /// So many numbers before this one have not been seen.
    case gap(UInt64)
    /// This number was missing until now.
    case late
    case duplicate
  }

  /// The number that the state already included when this began, or the greatest seen since.
  public private(set) var last: UInt64
  private var missing: Set<UInt64> = []

  /// - Parameter included: the number that the state handed out at the start already includes.
  public init(after included: UInt64) { last = included }

  /// Takes in the next event.
  @discardableResult
  public mutating func receive(_ sequence: UInt64) -> Verdict {
    if sequence > last {
      let count = sequence - last - 1
      // A number out of all proportion must not fill the memory; that it is a gap is said all the same.
      if count > 0 {
        for number in (last + 1)..<min(sequence, last &+ 1 &+ Self.rememberedGap) { missing.insert(number) }
      }
      last = sequence
      return count == 0 ? .inOrder : .gap(count)
    }
    return missing.remove(sequence) == nil ? .duplicate : .late
  }

  private static let rememberedGap: UInt64 = 100_000
}
