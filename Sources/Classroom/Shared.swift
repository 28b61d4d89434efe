/// A value in memory of its own that copies share until one of them changes it: for what is large and seldom changes.
struct Shared<Value: Sendable & Hashable>: Sendable, Hashable {
  private final class Storage: Sendable {
    let value: Value

    init(_ value: Value) { self.value = value }
  }

  private var storage: Storage

  init(_ value: Value) { storage = Storage(value) }

  var value: Value {
    _read { yield storage.value }
    _modify {
      var copy = storage.value
      defer { storage = Storage(copy) }
      yield &copy
    }
  }

  static func == (left: Shared, right: Shared) -> Bool {
    left.storage === right.storage || left.value == right.value
  }

  func hash(into hasher: inout Hasher) { hasher.combine(value) }
}
