#if PLANTED_BUGS
  import PlantedBugs
#endif

/// One chat message, as everybody saw it.
public struct ChatMessage: Sendable, Equatable {
  /// Its number in the stream `room`.
  public var streamSequence: UInt64
  /// The number of its event in the session; the message id is made of it.
  public var sequence: UInt64
  public var at: Timestamp
  public var user: String
  public var name: String
  public var role: Role
  /// Empty in an erased message only.
  public var text: String
  /// Whether author and text were erased; the message keeps its place and its numbers.
  public var isErased: Bool

  /// A message with these facts.
  public init(
    streamSequence: UInt64, sequence: UInt64, at: Timestamp, user: String, name: String, role: Role, text: String,
    isErased: Bool = false
  ) {
    self.streamSequence = streamSequence
    self.sequence = sequence
    self.at = at
    self.user = user
    self.name = name
    self.role = role
    self.text = text
    self.isErased = isErased
  }

  mutating func erase(as pseudonym: String) {
    user = pseudonym
    name = pseudonym
    text = ""
    isErased = true
  }
}

/// The chat of a session, in order.
public struct ChatLog: Sendable, Equatable {
  /// All messages, ascending by their number in the stream.
  public private(set) var messages = BlockList<ChatMessage>(blockSize: 1024)

  /// A page of messages in ascending order.
  public struct Page: Sendable {
    public var messages: Slice<BlockList<ChatMessage>>
    /// Whether older messages exist.
    public var hasMore: Bool
  }

  init() {}

  mutating func append(_ message: ChatMessage) {
    messages.append(message)
  }

  mutating func erase(_ user: String, as pseudonym: String) {
    messages.updateAll(where: { $0.user == user }) { $0.erase(as: pseudonym) }
  }

  /// The newest messages whose number is below `before`, or the newest of all: at most `limit`, and at most so many that
  /// their texts have `textBytes` bytes together, but always one if there is one.
  public func page(before: UInt64?, limit: Int, textBytes: Int) -> Page {
    #if PLANTED_BUGS
      let before = PlantedBugs.isActive(.pageSkipsOne) ? before.map { $0 - min($0, 1) } : before
    #endif
    let end = before.map { firstIndex(from: $0) } ?? messages.endIndex
    var start = end
    var bytes = 0
    while start > messages.startIndex, end - start < limit {
      bytes += messages[start - 1].text.utf8.count
      if bytes > textBytes, start < end { break }
      start -= 1
    }
    return Page(messages: messages[start..<end], hasMore: start > messages.startIndex)
  }

  private func firstIndex(from sequence: UInt64) -> Int {
    var low = messages.startIndex
    var high = messages.endIndex
    while low < high {
      let middle = low + (high - low) / 2
      if messages[middle].streamSequence < sequence { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
