/// Names one occupancy of one slot of a ``Slab``.
///
/// The generation of an occupied slot is odd, that of a free one even. So a raw value below 2^32 (generation 0) never
/// names a slot: an event loop may use those as tokens for what is not in the slab (listeners, mailboxes, signals).
public struct SlotID: Hashable, Sendable, BitwiseCopyable {
  /// The place in the slab, from 0.
  public let index: UInt32
  /// Counts the occupancies of that place, so that an id kept too long is noticed.
  public let generation: UInt32

  @inlinable
  public init(index: UInt32, generation: UInt32) {
    self.index = index
    self.generation = generation
  }

  /// The id that `rawValue` was read from. Any value may be given: the slab checks.
  @inlinable
  public init(rawValue: UInt64) {
    index = UInt32(truncatingIfNeeded: rawValue)
    generation = UInt32(truncatingIfNeeded: rawValue >> 32)
  }

  /// Both parts in one word, the generation above the index, for an epoll event's data.
  @inlinable public var rawValue: UInt64 { UInt64(generation) << 32 | UInt64(index) }
}
