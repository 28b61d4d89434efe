/// A half-open range of byte offsets into a ``TickArena``. Offsets, not pointers, because the arena may move when it
/// grows.
public struct ByteRange: Equatable, Sendable, BitwiseCopyable {
  /// Offset of the first byte.
  public var start: UInt32
  /// Offset just past the last byte; never below `start`.
  public var end: UInt32

  @inlinable
  public init(start: UInt32, end: UInt32) {
    assert(start <= end)
    self.start = start
    self.end = end
  }

  /// The length in bytes.
  @inlinable public var count: Int { Int(end &- start) }

  @inlinable public var isEmpty: Bool { start == end }
}
