/// A list in blocks, for copies that cost little: when two copies share their elements, appending to one of them, changing
/// an element or dropping the oldest copies the touched block and the list of blocks, never all elements.
public struct BlockList<Element> {
  /// Every block but the last is full.
  private var blocks: [[Element]] = []
  /// How many elements of the first block have been dropped; they go with their block.
  private var dropped = 0
  public private(set) var count = 0
  private let blockSize: Int

  /// An empty list in blocks of so many elements.
  init(blockSize: Int) {
    precondition(blockSize > 0)
    self.blockSize = blockSize
  }

  mutating func append(_ element: Element) {
    if blocks.isEmpty || blocks[blocks.endIndex - 1].count == blockSize { blocks.append([]) }
    blocks[blocks.endIndex - 1].append(element)
    count += 1
  }

  /// Drops the oldest element. Memory is given back a block at a time.
  mutating func removeFirst() {
    precondition(count > 0)
    dropped += 1
    count -= 1
    if dropped == blocks[0].count {
      blocks.removeFirst()
      dropped = 0
    }
  }

  /// Changes one element in place.
  mutating func update<Result>(_ index: Int, _ body: (inout Element) -> Result) -> Result {
    precondition(indices.contains(index))
    return body(&blocks[(dropped + index) / blockSize][(dropped + index) % blockSize])
  }

  /// Changes every element that is picked, dropped ones that are still in memory too; other blocks stay shared.
  mutating func updateAll(where isPicked: (Element) -> Bool, _ body: (inout Element) -> Void) {
    for block in blocks.indices where blocks[block].contains(where: isPicked) {
      for index in blocks[block].indices where isPicked(blocks[block][index]) { body(&blocks[block][index]) }
    }
  }
}

extension BlockList: RandomAccessCollection {
  public var startIndex: Int { 0 }
  public var endIndex: Int { count }

  public subscript(index: Int) -> Element {
    precondition(indices.contains(index))
    return blocks[(dropped + index) / blockSize][(dropped + index) % blockSize]
  }
}

extension BlockList: Sendable where Element: Sendable {}

extension BlockList: Equatable where Element: Equatable {
  public static func == (left: BlockList, right: BlockList) -> Bool { left.elementsEqual(right) }
}
