/// Finds a key that an object names twice, without quadratic work on hostile input: small objects are compared pair by
/// pair, larger ones by a heap sort in memory that is kept (no hash table, so there is nothing to flood).
struct JSONDuplicateKeys: ~Copyable {
  /// Up to this many members pairs are compared.
  static let pairwiseLimit = 16
  private static let retainedCapacity = 4_096

  private var keys: UnsafeMutablePointer<UInt32>
  private var capacity: Int

  init() {
    capacity = 64
    keys = .allocate(capacity: 64)
  }

  deinit { keys.deallocate() }

  /// The offset of a key of the object at `object` that stands there twice, nil when all differ.
  mutating func offsetOfDuplicate(object: Int, tape: borrowing JSONTape, base: UnsafeRawPointer) -> Int? {
    let count = tape[object].count
    guard count > 1 else { return nil }
    let tokens = tape.tokens
    if count <= Self.pairwiseLimit {
      var key = object &+ 1
      for index in 1..<count {
        key = Int(tokens[key &+ 1].next)
        var earlier = object &+ 1
        for _ in 0..<index {
          if areSameKey(earlier, key, tokens: tokens, base: base) { return Int(tokens[key].start) }
          earlier = Int(tokens[earlier &+ 1].next)
        }
      }
      return nil
    }
    reserve(count)
    var key = object &+ 1
    for index in 0..<count {
      keys[index] = UInt32(truncatingIfNeeded: key)
      key = Int(tokens[key &+ 1].next)
    }
    sort(count: count, tokens: tokens, base: base)
    for index in 1..<count
    where areSameKey(Int(keys[index &- 1]), Int(keys[index]), tokens: tokens, base: base) {
      return max(Int(tokens[Int(keys[index &- 1])].start), Int(tokens[Int(keys[index])].start))
    }
    return nil
  }

  private mutating func reserve(_ count: Int) {
    let wanted = max(64, count)
    guard wanted > capacity || (capacity > Self.retainedCapacity && wanted <= Self.retainedCapacity) else { return }
    keys.deallocate()
    keys = .allocate(capacity: wanted)
    capacity = wanted
  }

  @inline(__always)
  private func areSameKey(
    _ left: Int, _ right: Int, tokens: UnsafeMutablePointer<JSONToken>, base: UnsafeRawPointer
  ) -> Bool {
    // The digest stands in the link field of a key.
    guard tokens[left].next == tokens[right].next else { return false }
    return JSONStringContent(tokens[left], base: base).compare(JSONStringContent(tokens[right], base: base)) == 0
  }

  private func precedes(
    _ left: UInt32, _ right: UInt32, tokens: UnsafeMutablePointer<JSONToken>, base: UnsafeRawPointer
  ) -> Bool {
    let leftToken = tokens[Int(left)]
    let rightToken = tokens[Int(right)]
    if leftToken.next != rightToken.next { return leftToken.next < rightToken.next }
    return JSONStringContent(leftToken, base: base).compare(JSONStringContent(rightToken, base: base)) < 0
  }

  private func sort(count: Int, tokens: UnsafeMutablePointer<JSONToken>, base: UnsafeRawPointer) {
    for root in stride(from: count / 2 &- 1, through: 0, by: -1) {
      sift(root: root, count: count, tokens: tokens, base: base)
    }
    for last in stride(from: count &- 1, to: 0, by: -1) {
      (keys[0], keys[last]) = (keys[last], keys[0])
      sift(root: 0, count: last, tokens: tokens, base: base)
    }
  }

  private func sift(root: Int, count: Int, tokens: UnsafeMutablePointer<JSONToken>, base: UnsafeRawPointer) {
    var root = root
    let moved = keys[root]
    while true {
      var child = 2 &* root &+ 1
      guard child < count else { break }
      if child &+ 1 < count, precedes(keys[child], keys[child &+ 1], tokens: tokens, base: base) { child &+= 1 }
      guard precedes(moved, keys[child], tokens: tokens, base: base) else { break }
      keys[root] = keys[child]
      root = child
    }
    keys[root] = moved
  }
}
