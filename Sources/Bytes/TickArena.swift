/// The bytes that one tick of an event loop sends, written back to back and forgotten together.
///
/// A frame is written here once, however many connections get it; each keeps a ``ByteRange`` of it. The base may move
/// whenever the arena grows, so pointers from `extend(byCount:)` and the subscript hold only until the next write.
public struct TickArena: ~Copyable {
  /// The capacity that `reset()` falls back to, in bytes, when nothing else is asked for.
  public static let defaultRetainedCapacity = 1 << 20
  /// How many ticks in a row must fit in the retained capacity before `reset()` gives back what is beyond it.
  public static let defaultQuietTicks = 256
  /// The most bytes the arena can hold: what a `UInt32` offset reaches.
  public static let maximumCapacity = Int(UInt32.max)

  @usableFromInline var base: UnsafeMutableRawPointer
  @usableFromInline var used = 0
  @usableFromInline var allocated: Int
  /// The highest `used` of this tick where a truncation has hidden it.
  @usableFromInline var truncatedPeak = 0
  @usableFromInline let retainedCapacity: Int
  let quietTicksBeforeShrinking: Int
  var quietTicks = 0

  /// - Parameters:
  ///   - initialCapacity: bytes to allocate at once, at least 64.
  ///   - retainedCapacity: bytes the arena keeps through quiet times; at least `initialCapacity`.
  ///   - quietTicks: how many resets in a row must have needed no more than that before the rest is given back.
  public init(
    initialCapacity: Int = 64 * 1024, retainedCapacity: Int = TickArena.defaultRetainedCapacity,
    quietTicks: Int = TickArena.defaultQuietTicks
  ) {
    let capacity = max(initialCapacity, 64)
    precondition(capacity <= TickArena.maximumCapacity)
    allocated = capacity
    base = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 64)
    self.retainedCapacity = max(capacity, retainedCapacity)
    quietTicksBeforeShrinking = max(1, quietTicks)
  }

  deinit { base.deallocate() }

  /// The bytes written since the last reset.
  @inlinable public var count: Int { used }

  /// The bytes that fit before the arena must move.
  @inlinable public var capacity: Int { allocated }

  /// Makes `byteCount` more bytes part of the arena and returns where to write them (unaligned, uninitialized).
  ///
  /// The caller bounds a tick's output: to grow beyond ``maximumCapacity`` is a programming error and traps.
  @inlinable
  public mutating func extend(byCount byteCount: Int) -> UnsafeMutableRawPointer {
    assert(byteCount >= 0)
    if byteCount > allocated &- used { grow(byAtLeast: byteCount) }
    let start = base + used
    used &+= byteCount
    return start
  }

  /// Copies `bytes` to the end; they must not lie in the arena itself.
  ///
  /// - Returns: where they are now.
  @inlinable @discardableResult
  public mutating func append(_ bytes: UnsafeRawBufferPointer) -> ByteRange {
    let start = used
    guard let source = bytes.baseAddress else { return range(from: start) }
    assert(source + bytes.count <= UnsafeRawPointer(base) || source >= UnsafeRawPointer(base + allocated))
    extend(byCount: bytes.count).copyMemory(from: source, byteCount: bytes.count)
    return range(from: start)
  }

  /// The range from `start`, an earlier `count` of this tick, to the end.
  @inlinable
  public func range(from start: Int) -> ByteRange {
    assert(start >= 0 && start <= used)
    return ByteRange(start: UInt32(truncatingIfNeeded: start), end: UInt32(truncatingIfNeeded: used))
  }

  /// Takes back what was written after `count`, an earlier `count` of this tick.
  @inlinable
  public mutating func truncate(toCount count: Int) {
    assert(count >= 0 && count <= used)
    truncatedPeak = max(truncatedPeak, used)
    used = count
  }

  /// The bytes at `range`, valid until the next write or reset.
  @inlinable
  public subscript(range: ByteRange) -> UnsafeRawBufferPointer {
    assert(range.start <= range.end && Int(range.end) <= used)
    return UnsafeRawBufferPointer(start: base + Int(range.start), count: range.count)
  }

  /// Forgets everything written. After enough quiet ticks the memory of a burst is given back.
  @inlinable
  public mutating func reset() {
    if allocated > retainedCapacity { shrinkIfQuiet() }
    used = 0
    truncatedPeak = 0
  }

  @usableFromInline @inline(never)
  mutating func grow(byAtLeast byteCount: Int) {
    precondition(byteCount >= 0 && byteCount <= TickArena.maximumCapacity - used, "tick arena beyond 4 GiB")
    let capacity = min(max(allocated * 2, used + byteCount), TickArena.maximumCapacity)
    let moved = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 64)
    moved.copyMemory(from: base, byteCount: used)
    base.deallocate()
    base = moved
    allocated = capacity
    quietTicks = 0
  }

  @usableFromInline @inline(never)
  mutating func shrinkIfQuiet() {
    if max(used, truncatedPeak) > retainedCapacity {
      quietTicks = 0
      return
    }
    quietTicks += 1
    if quietTicks < quietTicksBeforeShrinking { return }
    base.deallocate()
    base = UnsafeMutableRawPointer.allocate(byteCount: retainedCapacity, alignment: 64)
    allocated = retainedCapacity
    quietTicks = 0
  }
}
