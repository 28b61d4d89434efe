import HashTreeCollections

/// Values by a text, in the order in which they came, for copies that cost little: a change after a copy copies a block of
/// values and a path in a tree. A block has so many values, a power of two.
public struct BlockDictionary<let blockSize: Int, Value> {
  private final class Storage {
    var values: BlockList<Value>
    var places: TreeDictionary<String, Int>

    init(_ values: BlockList<Value>, _ places: TreeDictionary<String, Int>) {
      self.values = values
      self.places = places
    }
  }

  /// Nil as long as there is nothing: most sessions have nothing for a long time.
  private var storage: Storage?

  /// All values in the order in which they came.
  public var values: BlockList<Value> { storage?.values ?? BlockList(blockSize: blockSize) }

  /// Nothing yet.
  init() {}

  public var count: Int { storage?.values.count ?? 0 }

  public subscript(key: String) -> Value? {
    guard let storage else { return nil }
    return storage.places[key].map { storage.values[$0] }
  }

  /// The storage, not shared with any copy.
  private mutating func owned() -> Storage {
    if storage != nil, isKnownUniquelyReferenced(&storage), let storage { return storage }
    let own = Storage(values, storage?.places ?? [:])
    storage = own
    return own
  }

  /// Changes the value of a key in place.
  /// - Returns: what the body returns, or nil when there is no such key.
  mutating func update<Result>(_ key: String, _ body: (inout Value) -> Result) -> Result? {
    guard let place = storage?.places[key] else { return nil }
    return owned().values.update(place, body)
  }

  /// Changes the value of a key in place; a key that is not there gets the default first.
  mutating func update<Result>(
    _ key: String, default value: @autoclosure () -> Value, _ body: (inout Value) -> Result
  ) -> Result {
    let own = owned()
    if let place = own.places[key] { return own.values.update(place, body) }
    own.places[key] = own.values.count
    own.values.append(value())
    return own.values.update(own.values.count - 1, body)
  }

  /// Another dictionary of the values that the body makes of these, in their order; nil leaves a value out. The key of each
  /// is asked for anew, and values with the same key are joined.
  mutating func rebuild(
    key: (Value) -> String, joining: (inout Value, Value) -> Void, _ body: (Value) -> Value?
  ) {
    var rebuilt = BlockDictionary()
    for value in values {
      guard let value = body(value) else { continue }
      if rebuilt.update(key(value), { joining(&$0, value) }) == nil {
        rebuilt.update(key(value), default: value) { _ in }
      }
    }
    self = rebuilt
  }

  /// Changes every value that is picked; other blocks stay shared.
  mutating func updateAll(where isPicked: (Value) -> Bool, _ body: (inout Value) -> Void) {
    if storage != nil { owned().values.updateAll(where: isPicked, body) }
  }
}

// `@unchecked`: what a storage holds changes only as long as no other copy has it.
extension BlockDictionary: @unchecked Sendable where Value: Sendable {}

/// Of values that know their key: it is not compared.
extension BlockDictionary: Equatable where Value: Equatable {
  public static func == (left: BlockDictionary, right: BlockDictionary) -> Bool { left.values == right.values }
}
