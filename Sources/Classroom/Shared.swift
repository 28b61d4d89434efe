/// A value in memory of its own that copies share until one of them changes it: for what is large, and is seldom changed or
/// seldom there at all.
struct Shared<Value: Sendable & Equatable>: Equatable {
  /// The value lies behind the object's head and not in a property of it: so a part of it is read where it lies, without a
  /// copy of the whole.
  private final class Storage: ManagedBuffer<Void, Value> {
    static func holding(_ value: Value) -> Storage {
      let storage = unsafeDowncast(Storage.create(minimumCapacity: 1) { _ in }, to: Storage.self)
      storage.address.initialize(to: value)
      return storage
    }

    var address: UnsafeMutablePointer<Value> { withUnsafeMutablePointerToElements { $0 } }

    deinit { withUnsafeMutablePointerToElements { _ = $0.deinitialize(count: 1) } }
  }

  private var storage: Storage

  init(_ value: Value) { storage = Storage.holding(value) }

  var value: Value {
    unsafeAddress { UnsafePointer(storage.address) }
    unsafeMutableAddress {
      if !isKnownUniquelyReferenced(&storage) { storage = Storage.holding(storage.address.pointee) }
      return storage.address
    }
  }

  static func == (left: Shared, right: Shared) -> Bool {
    left.storage === right.storage || left.value == right.value
  }
}

// `@unchecked`: what a storage holds changes only as long as no other copy has it.
extension Shared: @unchecked Sendable {}

extension Shared: Hashable where Value: Hashable {
  func hash(into hasher: inout Hasher) { hasher.combine(value) }
}

/// Dumps and failed expectations show the value, which reflection does not find behind the head.
extension Shared: CustomReflectable {
  var customMirror: Mirror { Mirror(self, children: ["value": value]) }
}
