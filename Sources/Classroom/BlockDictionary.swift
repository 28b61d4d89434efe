import HashTreeCollections

/// Values by a text, in the order in which they came, for copies that cost little: a change after a copy copies a block of
/// values and a path in a tree.
public struct BlockDictionary<Value> {
  /// All values in the order in which they came.
  public private(set) var values: BlockList<Value>
  private var places = TreeDictionary<String, Int>()

  /// Nothing yet, in blocks of so many values, a power of two.
  init(blockSize: Int) {
    values = BlockList(blockSize: blockSize)
  }

  public var count: Int { values.count }

  public subscript(key: String) -> Value? { places[key].map { values[$0] } }

  /// Changes the value of a key in place.
  /// - Returns: what the body returns, or nil when there is no such key.
  mutating func update<Result>(_ key: String, _ body: (inout Value) -> Result) -> Result? {
    places[key].map { values.update($0, body) }
  }

  /// Changes the value of a key in place; a key that is not there gets the default first.
  mutating func update<Result>(
    _ key: String, default value: @autoclosure () -> Value, _ body: (inout Value) -> Result
  ) -> Result {
    if let place = places[key] { return values.update(place, body) }
    places[key] = values.count
    values.append(value())
    return values.update(values.count - 1, body)
  }

  /// Another dictionary of the values that the body makes of these, in their order; nil leaves a value out. The key of each
  /// is asked for anew, and values with the same key are joined.
  mutating func rebuild(
    key: (Value) -> String, joining: (inout Value, Value) -> Void, _ body: (Value) -> Value?
  ) {
    var rebuilt = BlockDictionary(blockSize: values.blockSize)
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
    values.updateAll(where: isPicked, body)
  }
}

extension BlockDictionary: Sendable where Value: Sendable {}

/// Of values that know their key: it is not compared.
extension BlockDictionary: Equatable where Value: Equatable {
  public static func == (left: BlockDictionary, right: BlockDictionary) -> Bool { left.values == right.values }
}
