import HashTreeCollections

/// Whose hands are up, in the order in which they went up.
///
/// A hand has a place for as long as it is up: a number that only grows from one hand to the next. So a hand that goes down
/// changes nothing for the others.
public struct HandQueue: Sendable, Equatable {
  private var places = TreeDictionary<String, UInt64>()

  init() {}

  public var count: Int { places.count }

  /// The place of a user's hand; nil while it is down.
  public subscript(user: String) -> UInt64? { places[user] }

  /// Whose hands are up, the longest first.
  public var users: [String] { places.sorted { $0.value < $1.value }.map(\.key) }

  mutating func add(_ user: String, place: UInt64) {
    if places[user] == nil { places[user] = place }
  }

  mutating func remove(_ user: String) { places[user] = nil }
}
