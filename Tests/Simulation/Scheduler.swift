/// The virtual clock, and what is to happen when. Things at the same time happen in the order in which they were scheduled.
final class Scheduler {
  /// Where something stands in time; what it is stays in its place, so that sorting moves only numbers.
  private struct Item {
    var time: Int64
    var order: UInt64
    var place: Int

    func precedes(_ other: Item) -> Bool { time == other.time ? order < other.order : time < other.time }
  }

  /// Microseconds since the beginning.
  private(set) var now: Int64 = 0
  private var heap: [Item] = []
  private var actions: [(() -> Void)?] = []
  private var freePlaces: [Int] = []
  private var lastOrder: UInt64 = 0
  /// How many things have happened.
  private(set) var steps = 0

  /// The monotonic clock as a server reads it.
  var milliseconds: Int64 { now / 1000 }

  func after(_ microseconds: Int64, _ action: @escaping () -> Void) { at(now + max(0, microseconds), action) }

  func at(_ time: Int64, _ action: @escaping () -> Void) {
    lastOrder += 1
    let place: Int
    if let free = freePlaces.popLast() {
      place = free
      actions[free] = action
    } else {
      place = actions.count
      actions.append(action)
    }
    let item = Item(time: max(time, now), order: lastOrder, place: place)
    var index = heap.count
    heap.append(item)
    while index > 0 {
      let parent = (index - 1) / 2
      guard item.precedes(heap[parent]) else { break }
      heap[index] = heap[parent]
      index = parent
    }
    heap[index] = item
  }

  /// Does the next thing, unless it is due after `limit`.
  func step(until limit: Int64) -> Bool {
    guard let first = heap.first, first.time <= limit else { return false }
    let last = heap.removeLast()
    if !heap.isEmpty { sink(last) }
    now = first.time
    steps += 1
    let action = actions[first.place]
    actions[first.place] = nil
    freePlaces.append(first.place)
    action?()
    return true
  }

  /// Lets the time pass up to `limit`, when nothing is left to do until then.
  func advance(to limit: Int64) { now = max(now, limit) }

  /// Forgets everything, so that nothing is kept alive in a circle.
  func removeAll() {
    heap = []
    actions = []
    freePlaces = []
  }

  /// Finds the place of an item from the top on, where one is missing.
  private func sink(_ item: Item) {
    var index = 0
    while true {
      var child = 2 * index + 1
      guard child < heap.count else { break }
      if child + 1 < heap.count, heap[child + 1].precedes(heap[child]) { child += 1 }
      guard heap[child].precedes(item) else { break }
      heap[index] = heap[child]
      index = child
    }
    heap[index] = item
  }
}
