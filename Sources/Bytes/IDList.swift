/// A growable list of small plain values (slot ids, member numbers), without reference counting or copy-on-write checks.
///
/// Indices are this program's own: they are checked in debug builds only.
public struct IDList<ID: BitwiseCopyable>: ~Copyable {
  @usableFromInline var base: UnsafeMutablePointer<ID>?
  @usableFromInline var used = 0
  @usableFromInline var allocated = 0

  /// An empty list; nothing is allocated before the first append unless `minimumCapacity` asks for it.
  public init(minimumCapacity: Int = 0) {
    guard minimumCapacity > 0 else { return }
    base = .allocate(capacity: minimumCapacity)
    allocated = minimumCapacity
  }

  deinit { base?.deallocate() }

  @inlinable public var count: Int { used }

  @inlinable public var isEmpty: Bool { used == 0 }

  @inlinable public var capacity: Int { allocated }

  @inlinable
  public subscript(index: Int) -> ID {
    get {
      assert(index >= 0 && index < used)
      return base.unsafelyUnwrapped[index]
    }
    set {
      assert(index >= 0 && index < used)
      base.unsafelyUnwrapped[index] = newValue
    }
  }

  @inlinable
  public mutating func append(_ id: ID) {
    if used == allocated { grow() }
    (base.unsafelyUnwrapped + used).initialize(to: id)
    used &+= 1
  }

  /// Removes the element at `index` by moving the last one into its place.
  ///
  /// - Returns: the element that stands at `index` now, whose owner must learn its new place; `nil` when the removed one
  ///   was the last.
  @inlinable @discardableResult
  public mutating func swapRemove(at index: Int) -> ID? {
    assert(index >= 0 && index < used)
    used &-= 1
    if index == used { return nil }
    let list = base.unsafelyUnwrapped
    list[index] = list[used]
    return list[index]
  }

  @inlinable
  public mutating func popLast() -> ID? {
    if used == 0 { return nil }
    used &-= 1
    return base.unsafelyUnwrapped[used]
  }

  /// Removes everything; the memory stays for the next use unless told otherwise.
  @inlinable
  public mutating func removeAll(keepingCapacity: Bool = true) {
    used = 0
    if keepingCapacity { return }
    base?.deallocate()
    base = nil
    allocated = 0
  }

  @usableFromInline @inline(never)
  mutating func grow() {
    let capacity = max(8, allocated * 2)
    let moved = UnsafeMutablePointer<ID>.allocate(capacity: capacity)
    if let base {
      moved.moveInitialize(from: base, count: used)
      base.deallocate()
    }
    base = moved
    allocated = capacity
  }
}
