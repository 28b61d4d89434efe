import Classroom

/// Something of each session, by slot, in blocks: one array would take up to twice the memory, and three times while it
/// grows.
struct SlotTable<Value> {
  private static var blockSize: Int { 1024 }

  private var blocks: [[Value]] = []
  private(set) var count = 0

  mutating func append(_ value: Value) {
    if count % Self.blockSize == 0 {
      blocks.append([])
      // The first may be the only one, and stay small.
      if count > 0 { blocks[blocks.count - 1].reserveCapacity(Self.blockSize) }
    }
    blocks[blocks.count - 1].append(value)
    count += 1
  }

  subscript(slot: Int32) -> Value {
    _read { yield blocks[Int(slot) / Self.blockSize][Int(slot) % Self.blockSize] }
    _modify { yield &blocks[Int(slot) / Self.blockSize][Int(slot) % Self.blockSize] }
  }
}

/// Where sessions stand in the lists: by start, and among equal starts by id.
struct SlotOrder {
  /// The starts, in milliseconds since 1970.
  fileprivate var times = SlotTable<Int64>()
  fileprivate var ids = SlotTable<String>()

  /// Gives a slot its place. To be called only while no list holds the slot.
  mutating func set(_ slot: Int32, time: Int64, id: String) {
    if Int(slot) == times.count {
      times.append(time)
      ids.append(id)
    } else {
      times[slot] = time
      ids[slot] = id
    }
  }

  func time(of slot: Int32) -> Int64 { times[slot] }
  func id(of slot: Int32) -> String { ids[slot] }

  func position(of slot: Int32) -> SlotPosition { SlotPosition(time: time(of: slot), id: id(of: slot)) }

  /// Whether a slot comes before a position. Read backwards, equal starts are in the order of their ids.
  fileprivate func isBefore(_ slot: Int32, _ position: SlotPosition) -> Bool {
    let time = times[slot]
    return time != position.time ? time < position.time : ids[slot] > position.id
  }
}

/// A place in the lists, whether a session is there or not.
struct SlotPosition: Hashable, Sendable {
  var time: Int64
  var id: String

  init(time: Int64, id: String) {
    self.time = time
    self.id = id
  }

  /// Behind every session.
  static let newest = SlotPosition(time: .max, id: "")
}

/// Some sessions, by their slots, the earliest start first: new ones mostly go to the end, where that costs least.
struct OrderedSlots {
  private(set) var slots: [Int32] = []

  var count: Int { slots.count }
  var isEmpty: Bool { slots.isEmpty }

  init() {}

  /// Sorts slots that are in no order.
  init(sorting slots: [Int32], in order: SlotOrder) {
    self.slots = slots.sorted { order.isBefore($0, order.position(of: $1)) }
  }

  /// The first index whose slot is at or behind the position.
  func firstIndex(from position: SlotPosition, in order: SlotOrder) -> Int {
    var low = 0
    var high = slots.count
    while low < high {
      let middle = low + (high - low) / 2
      if order.isBefore(slots[middle], position) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The first index whose slot starts at or after that time.
  func firstIndex(startingFrom time: Int64, in order: SlotOrder) -> Int {
    var low = 0
    var high = slots.count
    while low < high {
      let middle = low + (high - low) / 2
      if order.time(of: slots[middle]) < time { low = middle + 1 } else { high = middle }
    }
    return low
  }

  mutating func insert(_ slot: Int32, in order: SlotOrder) {
    let index = firstIndex(from: order.position(of: slot), in: order)
    if index < slots.count, slots[index] == slot { return }
    slots.insert(slot, at: index)
  }

  mutating func remove(_ slot: Int32, in order: SlotOrder) {
    let index = firstIndex(from: order.position(of: slot), in: order)
    guard index < slots.count, slots[index] == slot else { return }
    slots.remove(at: index)
  }
}

/// Lists by a name: of a host, a course, a tag, a person.
struct SlotLists {
  private var lists: [String: OrderedSlots] = [:]

  subscript(name: String) -> OrderedSlots? { lists[name] }

  mutating func insert(_ slot: Int32, under name: String, in order: SlotOrder) {
    lists[name, default: OrderedSlots()].insert(slot, in: order)
  }

  mutating func remove(_ slot: Int32, under name: String, in order: SlotOrder) {
    guard let index = lists.index(forKey: name) else { return }
    lists.values[index].remove(slot, in: order)
    if lists.values[index].isEmpty { lists.remove(at: index) }
  }
}

/// A set of slots, for questions of many.
struct SlotSet {
  private var words: [UInt64]

  init(capacity: Int) { words = [UInt64](repeating: 0, count: (capacity + 63) / 64) }

  init(_ slots: some Sequence<Int32>, capacity: Int) {
    self.init(capacity: capacity)
    for slot in slots { insert(slot) }
  }

  mutating func insert(_ slot: Int32) { words[Int(slot) / 64] |= 1 << UInt64(slot & 63) }

  func contains(_ slot: Int32) -> Bool {
    let index = Int(slot) / 64
    return index < words.count && words[index] & 1 << UInt64(slot & 63) != 0
  }

  mutating func formIntersection(_ other: SlotSet) {
    for index in words.indices { words[index] &= other.words[index] }
  }

  var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

  /// All of them, ascending.
  var slots: [Int32] {
    var slots: [Int32] = []
    for (index, word) in words.enumerated() {
      var rest = word
      while rest != 0 {
        slots.append(Int32(index * 64 + rest.trailingZeroBitCount))
        rest &= rest - 1
      }
    }
    return slots
  }
}
