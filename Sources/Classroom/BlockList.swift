/// A list in blocks, for copies that cost little: when two copies share their elements, appending to one of them, changing
/// an element or dropping the oldest copies the touched block and the list of blocks, never all elements.
public struct BlockList<Element> {
  /// Every block but the last is full.
  @usableFromInline private(set) var blocks: [[Element]] = []
  /// How many elements of the first block have been dropped; they go with their block.
  @usableFromInline private(set) var dropped = 0
  @usableFromInline private(set) var length = 0
  /// The binary logarithm of a block's size.
  @usableFromInline let shift: Int

  /// An empty list in blocks of so many elements, a power of two.
  init(blockSize: Int) {
    precondition(blockSize > 0 && blockSize & (blockSize - 1) == 0)
    shift = blockSize.trailingZeroBitCount
  }

  var blockSize: Int { 1 << shift }

  mutating func append(_ element: Element) {
    if (dropped + length) & (blockSize - 1) == 0 { blocks.append([]) }
    blocks[blocks.endIndex - 1].append(element)
    length += 1
  }

  /// Drops the oldest element. Memory is given back a block at a time.
  mutating func removeFirst() {
    precondition(length > 0)
    dropped += 1
    length -= 1
    if dropped == blockSize || length == 0 {
      blocks.removeFirst()
      dropped = 0
    }
  }

  /// Changes one element in place.
  mutating func update<Result>(_ index: Int, _ body: (inout Element) -> Result) -> Result {
    precondition(indices.contains(index))
    return body(&blocks[(dropped + index) >> shift][(dropped + index) & (blockSize - 1)])
  }

  /// Changes every element that is picked, dropped ones that are still in memory too; other blocks stay shared.
  mutating func updateAll(where isPicked: (Element) -> Bool, _ body: (inout Element) -> Void) {
    for block in blocks.indices where blocks[block].contains(where: isPicked) {
      for index in blocks[block].indices where isPicked(blocks[block][index]) { body(&blocks[block][index]) }
    }
  }
}

extension BlockList: RandomAccessCollection {
  @inlinable public var startIndex: Int { 0 }
  @inlinable public var endIndex: Int { length }

  @inlinable
  public subscript(index: Int) -> Element {
    precondition(index >= 0 && index < length)
    return blocks[(dropped + index) >> shift][(dropped + index) & (1 << shift - 1)]
  }
}

extension BlockList: Sendable where Element: Sendable {}

extension BlockList: Equatable where Element: Equatable {
  public static func == (left: BlockList, right: BlockList) -> Bool { left.elementsEqual(right) }
}
