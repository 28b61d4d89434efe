/// The virtual clock, and what is to happen when. Things at the same time happen in the order in which they were scheduled.
final class Scheduler {
  private struct Item {
    var time: Int64
    var order: UInt64
    var action: () -> Void
  }

  /// Microseconds since the beginning.
  private(set) var now: Int64 = 0
  private var heap: [Item] = []
  private var lastOrder: UInt64 = 0
  /// How many things have happened.
  private(set) var steps = 0

  /// The monotonic clock as a server reads it.
  var milliseconds: Int64 { now / 1000 }

  func after(_ microseconds: Int64, _ action: @escaping () -> Void) { at(now + max(0, microseconds), action) }

  func at(_ time: Int64, _ action: @escaping () -> Void) {
    lastOrder += 1
    heap.append(Item(time: max(time, now), order: lastOrder, action: action))
    var index = heap.count - 1
    while index > 0 {
      let parent = (index - 1) / 2
      guard precedes(index, parent) else { break }
      heap.swapAt(index, parent)
      index = parent
    }
  }

  /// Does the next thing, unless it is due after `limit`.
  func step(until limit: Int64) -> Bool {
    guard let first = heap.first, first.time <= limit else { return false }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      sink()
    }
    now = first.time
    steps += 1
    first.action()
    return true
  }

  /// Lets the time pass up to `limit`, when nothing is left to do until then.
  func advance(to limit: Int64) { now = max(now, limit) }

  /// Forgets everything, so that nothing is kept alive in a circle.
  func removeAll() { heap = [] }

  private func precedes(_ left: Int, _ right: Int) -> Bool {
    (heap[left].time, heap[left].order) < (heap[right].time, heap[right].order)
  }

  private func sink() {
    var index = 0
    while true {
      var smallest = index
      let left = 2 * index + 1
      if left < heap.count, precedes(left, smallest) { smallest = left }
      if left + 1 < heap.count, precedes(left + 1, smallest) { smallest = left + 1 }
      guard smallest != index else { return }
      heap.swapAt(index, smallest)
      index = smallest
    }
  }
}
