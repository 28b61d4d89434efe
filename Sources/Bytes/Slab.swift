/// Slots for elements that are named by ``SlotID`` instead of by reference. Addresses never move: storage is a list of
/// chunks.
///
/// An element is destroyed the moment it is removed, and its id is stale at once; its slot is used again only after
/// `recycle()`, which a loop calls at the end of a tick. So no event of a tick that names the old element can meet a new
/// one, whatever the order of events.
public struct Slab<Element: ~Copyable>: ~Copyable {
  /// Elements per chunk.
  @inlinable public static var chunkCapacity: Int { 1024 }

  @usableFromInline
  struct SlotState: BitwiseCopyable {
    /// Odd while occupied.
    @usableFromInline var generation: UInt32
    /// The next slot of the list this free slot is on.
    @usableFromInline var next: UInt32

    @inlinable
    init(generation: UInt32, next: UInt32) {
      self.generation = generation
      self.next = next
    }
  }

  @usableFromInline static var none: UInt32 { .max }

  @usableFromInline var chunks: IDList<UnsafeMutablePointer<Element>>
  @usableFromInline var states: IDList<SlotState>
  @usableFromInline var liveCount = 0
  @usableFromInline var firstFree = Self.none
  @usableFromInline var firstRemoved = Self.none
  @usableFromInline var lastRemoved = Self.none

  public init() {
    chunks = IDList()
    states = IDList()
  }

  deinit {
    for index in 0..<states.count where states[index].generation & 1 == 1 {
      address(of: UInt32(truncatingIfNeeded: index)).deinitialize(count: 1)
    }
    for index in 0..<chunks.count { chunks[index].deallocate() }
  }

  /// The elements in the slab.
  @inlinable public var count: Int { liveCount }

  @inlinable public var isEmpty: Bool { liveCount == 0 }

  /// The slots ever used: every index is below it. For iteration that may remove elements or add them on the way:
  /// `for index in 0..<slab.slotCount { guard let id = slab.id(at: index) … }`.
  @inlinable public var slotCount: Int { states.count }

  /// Puts `element` in a free slot.
  @inlinable
  public mutating func insert(_ element: consuming Element) -> SlotID {
    let index: UInt32
    if firstFree != Self.none {
      index = firstFree
      firstFree = states[Int(index)].next
    } else {
      index = addSlot()
    }
    let generation = states[Int(index)].generation &+ 1
    states[Int(index)] = SlotState(generation: generation, next: Self.none)
    address(of: index).initialize(to: element)
    liveCount &+= 1
    return SlotID(index: index, generation: generation)
  }

  /// Destroys the element, now. Its slot waits for `recycle()`.
  ///
  /// - Returns: `false` when `id` is stale.
  @inlinable @discardableResult
  public mutating func remove(_ id: SlotID) -> Bool {
    guard let element = pointer(to: id) else { return false }
    // Vacated first: a deinit that finds its way back here must meet a stale id.
    vacate(id)
    element.deinitialize(count: 1)
    return true
  }

  /// Moves the element out, to live elsewhere. Its slot waits for `recycle()`.
  ///
  /// - Returns: `nil` when `id` is stale.
  @inlinable
  public mutating func take(_ id: SlotID) -> Element? {
    guard let element = pointer(to: id) else { return nil }
    vacate(id)
    return element.move()
  }

  /// Where the element is, for as long as it is in the slab; `nil` when `id` is stale or was never one of this slab.
  @inlinable
  public func pointer(to id: SlotID) -> UnsafeMutablePointer<Element>? {
    guard Int(id.index) < states.count, id.generation & 1 == 1,
      states[Int(id.index)].generation == id.generation
    else { return nil }
    return address(of: id.index)
  }

  /// The id of the element in slot `index`, `nil` when it is free or out of range.
  @inlinable
  public func id(at index: Int) -> SlotID? {
    guard index >= 0, index < states.count else { return nil }
    let generation = states[index].generation
    guard generation & 1 == 1 else { return nil }
    return SlotID(index: UInt32(truncatingIfNeeded: index), generation: generation)
  }

  /// Calls `body` for every element in the order of the slots.
  @inlinable
  public func forEach<Failure: Error>(
    _ body: (SlotID, UnsafeMutablePointer<Element>) throws(Failure) -> Void
  ) throws(Failure) {
    for index in 0..<states.count {
      guard let id = id(at: index) else { continue }
      try body(id, address(of: id.index))
    }
  }

  /// Lets the slots removed since the last call be used again. To be called when no event that may name them is left.
  @inlinable
  public mutating func recycle() {
    if firstRemoved == Self.none { return }
    states[Int(lastRemoved)].next = firstFree
    firstFree = firstRemoved
    firstRemoved = Self.none
    lastRemoved = Self.none
  }

  @inlinable
  mutating func vacate(_ id: SlotID) {
    liveCount &-= 1
    let generation = id.generation &+ 1
    states[Int(id.index)] = SlotState(generation: generation, next: firstRemoved)
    // All generations used up: retired, because the next occupancy would repeat the first one's id.
    if generation == 0 { return }
    if firstRemoved == Self.none { lastRemoved = id.index }
    firstRemoved = id.index
  }

  @usableFromInline @inline(never)
  mutating func addSlot() -> UInt32 {
    let index = states.count
    precondition(index < Int(UInt32.max), "slab beyond 2^32 slots")
    if index % Self.chunkCapacity == 0 { chunks.append(.allocate(capacity: Self.chunkCapacity)) }
    states.append(SlotState(generation: 0, next: Self.none))
    return UInt32(index)
  }

  @inlinable
  func address(of index: UInt32) -> UnsafeMutablePointer<Element> {
    chunks[Int(index) / Self.chunkCapacity] + Int(index) % Self.chunkCapacity
  }
}
