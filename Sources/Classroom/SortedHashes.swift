/// A set of 64-bit hashes in sorted blocks: many of them take 8 to 16 bytes each, and a change after a copy costs one block
/// and the list of blocks.
public struct SortedHashes: Sendable {
  static let blockCapacity = 512

  /// Ascending, none of them empty.
  private var blocks: [[UInt64]] = []
  public private(set) var count = 0

  init() {}

  public var isEmpty: Bool { count == 0 }

  /// All hashes, ascending.
  public var ascending: some Sequence<UInt64> { blocks.joined() }

  func contains(_ hash: UInt64) -> Bool {
    guard let block = block(of: hash) else { return false }
    let index = Self.firstIndex(in: blocks[block]) { $0 >= hash }
    return index < blocks[block].endIndex && blocks[block][index] == hash
  }

  /// Adds a hash; one that is in already changes nothing.
  mutating func insert(_ hash: UInt64) {
    guard let block = block(of: hash) else {
      blocks.append([hash])
      count = 1
      return
    }
    let index = Self.firstIndex(in: blocks[block]) { $0 >= hash }
    if index < blocks[block].endIndex, blocks[block][index] == hash { return }
    blocks[block].insert(hash, at: index)
    count += 1
    guard blocks[block].count > Self.blockCapacity else { return }
    let half = blocks[block].count / 2
    blocks.insert(Array(blocks[block][half...]), at: block + 1)
    blocks[block] = Array(blocks[block][..<half])
  }

  /// The block that a hash belongs to; nil while there is none.
  private func block(of hash: UInt64) -> Int? {
    guard !blocks.isEmpty else { return nil }
    return max(0, Self.firstIndex(in: blocks) { $0[0] > hash } - 1)
  }

  /// The first index whose element fulfils the predicate, in an array where all that do come last.
  private static func firstIndex<Element>(in array: [Element], where predicate: (Element) -> Bool) -> Int {
    var low = array.startIndex
    var high = array.endIndex
    while low < high {
      let middle = low + (high - low) / 2
      if predicate(array[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}

extension SortedHashes: Equatable {
  public static func == (left: SortedHashes, right: SortedHashes) -> Bool {
    left.count == right.count && left.ascending.elementsEqual(right.ascending)
  }
}
