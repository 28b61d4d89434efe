/// Something that a person does, or that befalls them, at a time.
enum Act: Equatable, Sendable {
  /// Comes, for the first time or again.
  case arrive
  /// Presses "leave" and closes the tab.
  case leave
  /// Closes the tab without leaving: the seat is kept for the grace.
  case closeTab
  /// The connection breaks; the client comes back by itself, after so many seconds without a network.
  case lose(Breakage, seconds: Double)
  /// Stops reading for so many seconds.
  case stopReading(seconds: Double)
  case readAgain
  /// Switches the microphone on or off.
  case toggleMicrophone
  case speak
  /// The host starts the session.
  case start
  /// Everybody loses the connection at once.
  case loseEverybody
}

/// How the tester breaks a connection.
enum Breakage: String, CaseIterable, Sendable {
  case reset
  case cut
  case halfOpen = "half-open"
}

/// What is to happen when: a binary heap by time, and of the same time in the order in which it was noted.
struct Agenda {
  struct Entry {
    /// Nanoseconds of the monotonic clock.
    var time: Int64
    var act: Act
    /// The number of the person.
    var person: Int
    fileprivate var order: UInt64
  }

  private var heap: [Entry] = []
  private var count: UInt64 = 0

  var isEmpty: Bool { heap.isEmpty }
  /// When the next entry is due.
  var next: Int64 { heap.first?.time ?? .max }

  mutating func note(_ act: Act, by person: Int, at time: Int64) {
    heap.append(Entry(time: time, act: act, person: person, order: count))
    count += 1
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard isEarlier(child, parent) else { break }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  /// The next entry when it is due, which is then no longer in the agenda.
  mutating func takeDue(_ now: Int64) -> Entry? {
    guard let first = heap.first, first.time <= now, let last = heap.popLast() else { return nil }
    guard !heap.isEmpty else { return first }
    heap[0] = last
    var parent = 0
    while true {
      var earliest = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && isEarlier(child, earliest) {
        earliest = child
      }
      guard earliest != parent else { break }
      heap.swapAt(parent, earliest)
      parent = earliest
    }
    return first
  }

  mutating func removeAll() { heap.removeAll() }

  private func isEarlier(_ first: Int, _ second: Int) -> Bool {
    (heap[first].time, heap[first].order) < (heap[second].time, heap[second].order)
  }
}
