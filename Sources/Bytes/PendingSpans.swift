/// What one connection has to send of the arena this tick: up to two ranges, in order.
///
/// Two are enough for the usual tick (an own reply, then what the whole room gets) and go out in one `writev`; a
/// connection that would need a third sends what it has and begins anew.
public struct PendingSpans: Equatable, Sendable, BitwiseCopyable {
  @usableFromInline var head: ByteRange
  @usableFromInline var tail: ByteRange

  @inlinable
  public init() {
    head = ByteRange(start: 0, end: 0)
    tail = ByteRange(start: 0, end: 0)
  }

  /// The range to send first; empty when there is nothing to send.
  @inlinable public var first: ByteRange { head }

  /// The range to send after `first`; empty when one range holds everything.
  @inlinable public var second: ByteRange { tail }

  @inlinable public var isEmpty: Bool { head.isEmpty }

  /// The bytes of both ranges together.
  @inlinable public var byteCount: Int { head.count &+ tail.count }

  /// Adds `range` after what is there already; a range that continues the last one is merged with it, and an empty one
  /// changes nothing.
  ///
  /// - Returns: `false`, with nothing changed, when a third range would be needed: send these first.
  @inlinable
  public mutating func append(_ range: ByteRange) -> Bool {
    if range.isEmpty { return true }
    if head.isEmpty {
      head = range
    } else if tail.isEmpty {
      if head.end == range.start { head.end = range.end } else { tail = range }
    } else if tail.end == range.start {
      tail.end = range.end
    } else {
      return false
    }
    return true
  }

  /// Drops the first `byteCount` bytes, which the socket has taken.
  @inlinable
  public mutating func removeFirst(_ byteCount: Int) {
    assert(byteCount >= 0 && byteCount <= self.byteCount)
    if byteCount < head.count {
      head.start &+= UInt32(truncatingIfNeeded: byteCount)
    } else {
      let rest = UInt32(truncatingIfNeeded: byteCount &- head.count)
      head = ByteRange(start: tail.start &+ rest, end: tail.end)
      tail = ByteRange(start: 0, end: 0)
    }
  }

  @inlinable
  public mutating func removeAll() { self = PendingSpans() }
}
