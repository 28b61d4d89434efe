/// A file read front to back in large chunks, of which any stretch can be looked at in place.
struct WindowedReader<S: Storage> {
  private static var chunk: Int { 1 << 20 }

  let storage: S
  let file: S.File
  let size: UInt64
  private var start: UInt64 = 0
  private var count = 0
  private(set) var buffer: [UInt8] = []

  init(_ storage: S, _ name: String) throws(RecoveryError) {
    self.storage = storage
    do throws(StorageError) {
      file = try storage.open(name, .read)
      size = try storage.size(of: file)
    } catch {
      throw .storage(error)
    }
  }

  /// Makes `length` bytes from `offset` on available in ``buffer``.
  /// - Returns: their range in it, shorter than `length` only when the file ends before.
  mutating func load(_ offset: UInt64, _ length: Int) throws(RecoveryError) -> Range<Int> {
    if offset < start || offset &+ UInt64(length) > start &+ UInt64(count) {
      let wanted = Int(clamping: min(UInt64(max(length, Self.chunk)), size > offset ? size - offset : 0))
      if buffer.count < wanted { buffer = [UInt8](repeating: 0, count: wanted) }
      count = 0
      count = try Self.fill(&buffer, wanted, storage, file, at: offset)
      start = offset
    }
    let first = Int(clamping: offset - start)
    return first..<first + min(length, count - first)
  }

  private static func fill(
    _ buffer: inout [UInt8], _ wanted: Int, _ storage: S, _ file: S.File, at offset: UInt64
  ) throws(RecoveryError) -> Int {
    var span = buffer.mutableSpan
    var raw = span.mutableBytes
    var part = raw._mutatingExtracting(0..<wanted)
    do throws(StorageError) {
      return try storage.read(file, at: offset, into: &part)
    } catch {
      throw .storage(error)
    }
  }

  /// Up to which byte the segment was synced, as far as anything from `offset` on shows: 0 when nothing does.
  ///
  /// A batch of a strict segment is written when the one before it is synced. One of a relaxed segment says how far the
  /// segment was synced when it was written.
  mutating func syncedEnd(of segment: SegmentHeader, from offset: UInt64) throws(RecoveryError) -> UInt64 {
    var offset = offset
    var syncedEnd: UInt64 = 0
    let headerSize = BatchHeader.size(segment.durability)
    let first = UInt8(truncatingIfNeeded: segment.id.high)
    while offset < size {
      let range = try load(offset, Self.chunk)
      guard range.count >= 16 else { break }
      let bytes = buffer.span.bytes
      for index in range.lowerBound...range.upperBound - 16
      where bytes.littleEndian(UInt8.self, at: index) == first && SegmentID(bytes, at: index) == segment.id {
        guard segment.durability == .relaxed else { return .max }
        // One that the end of the file cuts off was not synced, and nothing is known from it.
        guard index + headerSize <= range.upperBound,
          let header = BatchHeader.decode(bytes, at: index, of: segment)
        else { continue }
        syncedEnd = max(syncedEnd, header.syncedEnd ?? 0)
      }
      guard offset + UInt64(range.count) < size else { break }
      offset += UInt64(range.count - headerSize + 1)
    }
    return syncedEnd
  }
}
