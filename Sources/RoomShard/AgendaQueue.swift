import Classroom

/// Times at which the server has to look after rooms, the next first: a binary heap. An entry whose time is no longer the one
/// that its room goes by is passed over by who takes it.
struct AgendaQueue {
  struct Entry {
    var due: Timestamp
    var room: Room
  }

  private var heap: [Entry] = []

  var count: Int { heap.count }
  /// The next time.
  var first: Timestamp? { heap.first?.due }

  private static func isBefore(_ left: Entry, _ right: Entry) -> Bool {
    left.due != right.due ? left.due < right.due : left.room.classroom.id < right.room.classroom.id
  }

  mutating func insert(_ room: Room, at due: Timestamp) {
    heap.append(Entry(due: due, room: room))
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard Self.isBefore(heap[child], heap[parent]) else { return }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  /// Takes out the next entry if it is due.
  mutating func take(through now: Timestamp) -> Entry? {
    guard let next = heap.first, next.due <= now else { return nil }
    let last = heap.removeLast()
    guard !heap.isEmpty else { return next }
    heap[0] = last
    var parent = 0
    while true {
      let left = parent * 2 + 1
      guard left < heap.count else { break }
      let right = left + 1
      let child = right < heap.count && Self.isBefore(heap[right], heap[left]) ? right : left
      guard Self.isBefore(heap[child], heap[parent]) else { break }
      heap.swapAt(child, parent)
      parent = child
    }
    return next
  }
}
