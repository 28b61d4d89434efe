import HashTreeCollections

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
  /// The message that this one answers: the number of its event.
  public var replyTo: UInt64?
  /// When the author last changed the text.
  public var editedAt: Timestamp?
  /// Whether the text was taken back, by the author or somebody who leads the class; the message keeps its place.
  public var isDeleted = false
  /// In the order in which each kind came up first.
  public var reactions: [Reaction] = []
  /// Of a message to the hosts: its number in the stream of its author, 0 for one who leads the class; nil for a public one.
  public var ownSequence: UInt64?

  /// Those who reacted to a message with one emoji.
  public struct Reaction: Sendable, Equatable {
    public var emoji: String
    /// Never empty.
    public var users: TreeSet<String>

    /// A reaction of these users.
    public init(emoji: String, users: TreeSet<String>) {
      self.emoji = emoji
      self.users = users
    }
  }

  /// Whether it is for the hosts alone.
  public var isPrivate: Bool { ownSequence != nil }

  /// A message with these facts.
  public init(
    streamSequence: UInt64, sequence: UInt64, at: Timestamp, user: String, name: String, role: Role, text: String,
    isErased: Bool = false, replyTo: UInt64? = nil
  ) {
    self.streamSequence = streamSequence
    self.sequence = sequence
    self.at = at
    self.user = user
    self.name = name
    self.role = role
    self.text = text
    self.isErased = isErased
    self.replyTo = replyTo
  }

  /// Whether a user said it or reacted to it.
  func names(_ user: String) -> Bool {
    self.user == user || reactions.contains { $0.users.contains(user) }
  }

  mutating func erase(_ user: String, as pseudonym: String) {
    if self.user == user {
      self.user = pseudonym
      name = pseudonym
      text = ""
      isErased = true
    }
    for index in reactions.indices where reactions[index].users.remove(user) != nil {
      reactions[index].users.insert(pseudonym)
    }
  }

  mutating func delete() {
    text = ""
    isDeleted = true
    reactions = []
  }

  /// Puts a reaction to the message, or takes it back.
  /// - Returns: how many have reacted with this emoji then.
  mutating func react(_ user: String, emoji: String, isOn: Bool) -> Int {
    guard let index = reactions.firstIndex(where: { $0.emoji == emoji }) else {
      if isOn { reactions.append(Reaction(emoji: emoji, users: [user])) }
      return isOn ? 1 : 0
    }
    if isOn { reactions[index].users.insert(user) } else { reactions[index].users.remove(user) }
    let count = reactions[index].users.count
    if count == 0 { reactions.remove(at: index) }
    return count
  }

  /// Whether a user has reacted with an emoji.
  func hasReaction(_ emoji: String, of user: String) -> Bool {
    reactions.contains { $0.emoji == emoji && $0.users.contains(user) }
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

  /// The pinned messages, by the numbers of their events, in the order in which they were pinned.
  public private(set) var pins: [UInt64] = []

  mutating func erase(_ user: String, as pseudonym: String) {
    messages.updateAll(where: { $0.names(user) }) { $0.erase(user, as: pseudonym) }
  }

  func names(_ user: String) -> Bool { messages.contains { $0.names(user) } }

  /// The message whose event has that number.
  public func message(_ sequence: UInt64) -> ChatMessage? { index(of: sequence).map { messages[$0] } }

  /// Changes a message in place.
  mutating func update<Result>(_ sequence: UInt64, _ body: (inout ChatMessage) -> Result) -> Result? {
    index(of: sequence).map { messages.update($0, body) }
  }

  /// Pins a message, or takes that back.
  mutating func pin(_ sequence: UInt64, isOn: Bool) {
    pins.removeAll { $0 == sequence }
    if isOn { pins.append(sequence) }
  }

  /// The newest messages to the hosts of one author whose number in the author's own stream is below `before`.
  public func page(
    of user: String, before: UInt64?, limit: Int, textBytes: Int
  ) -> (messages: [ChatMessage], hasMore: Bool) {
    var page: [ChatMessage] = []
    var bytes = 0
    for message in messages.reversed() where message.user == user {
      guard let number = message.ownSequence, number > 0, number < before ?? .max else { continue }
      bytes += message.text.utf8.count
      if page.count == limit || bytes > textBytes && !page.isEmpty { return (page.reversed(), true) }
      page.append(message)
    }
    return (page.reversed(), false)
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

  /// Messages ascend by the numbers of their events, too.
  private func index(of sequence: UInt64) -> Int? {
    let index = firstIndex { $0.sequence >= sequence }
    return index < messages.endIndex && messages[index].sequence == sequence ? index : nil
  }

  private func firstIndex(from sequence: UInt64) -> Int { firstIndex { $0.streamSequence >= sequence } }

  /// The first message that fulfils the predicate, in a log in which all that do come last.
  private func firstIndex(where predicate: (ChatMessage) -> Bool) -> Int {
    var low = messages.startIndex
    var high = messages.endIndex
    while low < high {
      let middle = low + (high - low) / 2
      if predicate(messages[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
