/// What one tick of an event loop sends, in lanes: the frames that many connections get, back to back, one lane for each form
/// in which they are wanted, and apart from them what only one connection gets.
///
/// Kept apart, an answer to one connection does not come between two frames that the whole room gets: these stay one
/// range, and leave in one send however many there are.
public struct TickOutput: ~Copyable {
  /// How many lanes there are.
  public static let laneCount = 9
  /// What one connection gets.
  public static let ownLane = 0
  /// The most bytes of a lane.
  public static let maximumLaneCount = 1 << laneShift

  /// The offsets of a lane's bytes begin with its number.
  @usableFromInline static let laneShift = 28
  @usableFromInline static let offsetMask: UInt32 = 1 << 28 - 1

  @usableFromInline var lanes: InlineArray<9, TickArena>
  /// The bytes written since the last reset, in all lanes.
  public private(set) var count = 0

  public init() {
    lanes = InlineArray { TickArena(initialCapacity: $0 < 2 ? 64 * 1024 : 64) }
  }

  /// Where the next bytes of a lane will be.
  @inlinable
  public func end(ofLane lane: Int) -> UInt32 {
    UInt32(truncatingIfNeeded: lane << Self.laneShift | lanes[lane].count)
  }

  /// Appends `byteCount` bytes that `body` writes (unaligned, uninitialized at first) to a lane.
  ///
  /// The caller bounds a tick's output: to write more than ``maximumLaneCount`` is a programming error and traps.
  ///
  /// - Returns: where they are now.
  @inlinable
  public mutating func append(
    byCount byteCount: Int, toLane lane: Int, _ body: (UnsafeMutableRawPointer) -> Void
  ) -> ByteRange {
    precondition(lanes[lane].count + byteCount < Self.maximumLaneCount)
    let start = end(ofLane: lane)
    body(lanes[lane].extend(byCount: byteCount))
    note(byteCount)
    return ByteRange(start: start, end: end(ofLane: lane))
  }

  /// Copies `bytes`, which must not lie in this lane, to a lane.
  ///
  /// - Returns: where they are now.
  @inlinable
  public mutating func append(_ bytes: UnsafeRawBufferPointer, toLane lane: Int) -> ByteRange {
    append(byCount: bytes.count, toLane: lane) { target in
      if let source = bytes.baseAddress { target.copyMemory(from: source, byteCount: bytes.count) }
    }
  }

  @usableFromInline
  mutating func note(_ byteCount: Int) { count &+= byteCount }

  /// The bytes at `range`, valid until the next write to their lane and until the reset.
  @inlinable
  public subscript(range: ByteRange) -> UnsafeRawBufferPointer {
    let offset = range.start & Self.offsetMask
    return lanes[Int(range.start >> UInt32(Self.laneShift))][
      ByteRange(start: offset, end: offset &+ (range.end &- range.start))]
  }

  /// Forgets everything written.
  public mutating func reset() {
    guard count > 0 else { return }
    count = 0
    for lane in 0..<Self.laneCount { lanes[lane].reset() }
  }
}
