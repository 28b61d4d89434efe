/// Names one scheduled timer of a ``TimerQueue``.
public struct TimerID: Hashable, Sendable, BitwiseCopyable {
  let slot: UInt32
  let generation: UInt32
}

/// What is to happen when: a binary heap of deadlines, on whatever clock the caller counts.
///
/// Timers of one deadline expire in the order in which they were scheduled, so that a run repeats. A cancelled timer
/// leaves the heap when it comes to the top, or when more than half of the heap is cancelled.
public struct TimerQueue<Token>: ~Copyable {
  private struct Entry {
    let deadline: Int64
    let sequence: UInt64
    let id: TimerID
    let token: Token

    func isBefore(_ other: Entry) -> Bool {
      deadline != other.deadline ? deadline < other.deadline : sequence < other.sequence
    }
  }

  private var heap: [Entry] = []
  /// By slot: odd while a timer is scheduled there.
  private var generations: [UInt32] = []
  private var freeSlots: [UInt32] = []
  private var nextSequence: UInt64 = 0
  /// The timers that will expire.
  public private(set) var count = 0

  public init() {}

  public var isEmpty: Bool { count == 0 }

  /// Schedules `token` for `deadline`, in milliseconds; one in the past expires at the next `popExpired`.
  @discardableResult
  public mutating func schedule(deadline: Int64, token: Token) -> TimerID {
    let slot: UInt32
    if let free = freeSlots.popLast() {
      slot = free
    } else {
      slot = UInt32(generations.count)
      generations.append(0)
    }
    generations[Int(slot)] &+= 1
    let id = TimerID(slot: slot, generation: generations[Int(slot)])
    heap.append(Entry(deadline: deadline, sequence: nextSequence, id: id, token: token))
    nextSequence &+= 1
    count += 1
    siftUp(from: heap.count - 1)
    return id
  }

  /// Takes a timer back.
  ///
  /// - Returns: `false` when it has expired or was cancelled before.
  @discardableResult
  public mutating func cancel(_ id: TimerID) -> Bool {
    guard isScheduled(id) else { return false }
    vacate(id)
    if heap.count > 64, heap.count > 2 * count { removeCancelled() }
    return true
  }

  /// Whether the timer is still to expire.
  public func isScheduled(_ id: TimerID) -> Bool {
    Int(id.slot) < generations.count && generations[Int(id.slot)] == id.generation
  }

  /// The earliest deadline, in milliseconds; `nil` when nothing is scheduled.
  public mutating func nextDeadline() -> Int64? {
    dropCancelledTop()
    return heap.first?.deadline
  }

  /// How long a poller may wait: 0 when a timer has expired at `now`, -1 when none is scheduled.
  public mutating func timeoutMilliseconds(now: Int64) -> Int32 {
    guard let deadline = nextDeadline() else { return -1 }
    if deadline <= now { return 0 }
    let (remaining, overflow) = deadline.subtractingReportingOverflow(now)
    return overflow ? .max : Int32(clamping: remaining)
  }

  /// Takes the earliest timer off the queue if its deadline is not after `now`.
  public mutating func popExpired(now: Int64) -> Token? {
    dropCancelledTop()
    guard let first = heap.first, first.deadline <= now else { return nil }
    vacate(first.id)
    removeTop()
    return first.token
  }

  private mutating func vacate(_ id: TimerID) {
    generations[Int(id.slot)] &+= 1
    count -= 1
    // All generations used up: retired, because the next timer there would repeat the first one's id.
    if generations[Int(id.slot)] != 0 { freeSlots.append(id.slot) }
  }

  private mutating func dropCancelledTop() {
    while let first = heap.first, !isScheduled(first.id) { removeTop() }
  }

  private mutating func removeTop() {
    let last = heap.removeLast()
    if heap.isEmpty { return }
    heap[0] = last
    siftDown(from: 0)
  }

  private mutating func removeCancelled() {
    let live = heap.filter { isScheduled($0.id) }
    heap = live
    var index = heap.count / 2
    while index > 0 {
      index -= 1
      siftDown(from: index)
    }
  }

  private mutating func siftUp(from start: Int) {
    var index = start
    let entry = heap[index]
    while index > 0 {
      let parent = (index - 1) / 2
      guard entry.isBefore(heap[parent]) else { break }
      heap[index] = heap[parent]
      index = parent
    }
    heap[index] = entry
  }

  private mutating func siftDown(from start: Int) {
    var index = start
    let entry = heap[index]
    while true {
      var child = 2 * index + 1
      guard child < heap.count else { break }
      if child + 1 < heap.count, heap[child + 1].isBefore(heap[child]) { child += 1 }
      guard heap[child].isBefore(entry) else { break }
      heap[index] = heap[child]
      index = child
    }
    heap[index] = entry
  }
}
