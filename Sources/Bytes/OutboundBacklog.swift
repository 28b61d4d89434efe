/// The bytes a socket did not take yet, in order. Costs 24 bytes inline and no memory beyond while it is empty.
///
/// Appending and consuming are amortised O(1) per byte: the bytes are moved to the front only when at least as many
/// were consumed before them.
public struct OutboundBacklog: ~Copyable {
  /// The most bytes one backlog can hold; a policy of the caller sets a limit far below.
  public static let maximumCount = Int(UInt32.max) / 2

  private var storage: UnsafeMutableRawPointer?
  private var start: UInt32 = 0
  private var end: UInt32 = 0
  private var capacity: UInt32 = 0

  public init() {}

  deinit { storage?.deallocate() }

  /// The bytes waiting.
  public var count: Int { Int(end &- start) }

  public var isEmpty: Bool { start == end }

  /// The bytes waiting, all in one piece, valid until the next change.
  public var front: UnsafeRawBufferPointer {
    guard let storage else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return UnsafeRawBufferPointer(start: storage + Int(start), count: count)
  }

  /// Adds a copy of `bytes` at the end; they must not lie in this backlog.
  ///
  /// - Parameter limit: the most bytes that may wait here, at most ``maximumCount``.
  /// - Returns: `false`, with nothing changed, when more than `limit` would wait.
  public mutating func append(
    _ bytes: UnsafeRawBufferPointer, limit: Int = OutboundBacklog.maximumCount
  ) -> Bool {
    guard let source = bytes.baseAddress, !bytes.isEmpty else { return true }
    guard bytes.count <= min(limit, OutboundBacklog.maximumCount) - count else { return false }
    let target = makeRoom(forCount: bytes.count)
    target.copyMemory(from: source, byteCount: bytes.count)
    end += UInt32(bytes.count)
    return true
  }

  /// Drops the first `byteCount` bytes, which the socket has taken.
  ///
  /// The memory is given back when nothing is left.
  public mutating func consume(_ byteCount: Int) {
    precondition(byteCount >= 0 && byteCount <= count)
    start += UInt32(byteCount)
    if start == end { removeAll() }
  }

  /// Drops everything and gives the memory back.
  public mutating func removeAll() {
    storage?.deallocate()
    storage = nil
    start = 0
    end = 0
    capacity = 0
  }

  /// Returns the place just past the last byte, with room for `byteCount` more.
  private mutating func makeRoom(forCount byteCount: Int) -> UnsafeMutableRawPointer {
    let live = count
    if let storage {
      if byteCount <= Int(capacity - end) { return storage + Int(end) }
      if live + byteCount <= Int(capacity), Int(start) >= live {
        storage.copyMemory(from: storage + Int(start), byteCount: live)
        start = 0
        end = UInt32(live)
        return storage + live
      }
    }
    let grown = max(256, live + byteCount, min(live * 2, OutboundBacklog.maximumCount))
    let moved = UnsafeMutableRawPointer.allocate(byteCount: grown, alignment: 16)
    if let storage {
      moved.copyMemory(from: storage + Int(start), byteCount: live)
      storage.deallocate()
    }
    storage = moved
    start = 0
    end = UInt32(live)
    capacity = UInt32(grown)
    return moved + live
  }
}
