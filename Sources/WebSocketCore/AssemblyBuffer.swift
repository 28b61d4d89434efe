/// The bytes of a message, or of a control frame, that did not come in one piece. Holds no memory while empty.
///
/// Unchecked: the storage is shared by copies but only written by a holder that is alone with it.
struct AssemblyBuffer: @unchecked Sendable {
  /// The header is the capacity in bytes.
  private var storage: ManagedBuffer<Int, UInt8>?

  init() {}

  /// The bytes allocated.
  var capacity: Int { storage?.header ?? 0 }

  /// Puts `bytes` at `offset`; everything before it is kept, everything behind it is lost.
  ///
  /// Grows by doubling what has come in, never to what a peer only announced.
  mutating func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
    guard !bytes.isEmpty else { return }
    precondition(offset >= 0 && offset <= capacity)
    let needed = offset + bytes.count
    if needed > capacity || !isKnownUniquelyReferenced(&storage) {
      let grown = needed > capacity ? max(needed, capacity * 2) : capacity
      let larger = ManagedBuffer<Int, UInt8>.create(minimumCapacity: grown) { _ in grown }
      if offset > 0, let old = storage {
        old.withUnsafeMutablePointerToElements { source in
          larger.withUnsafeMutablePointerToElements { $0.update(from: source, count: offset) }
        }
      }
      storage = larger
    }
    storage?.withUnsafeMutablePointerToElements { elements in
      UnsafeMutableRawBufferPointer(start: elements + offset, count: bytes.count).copyMemory(from: bytes)
    }
  }

  /// The bytes in `range`, all of them written before; valid until the next change.
  func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
    precondition(range.lowerBound >= 0 && range.upperBound <= capacity)
    guard let storage else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return storage.withUnsafeMutablePointerToElements {
      UnsafeRawBufferPointer(start: $0 + range.lowerBound, count: range.count)
    }
  }

  mutating func release() {
    storage = nil
  }
}
