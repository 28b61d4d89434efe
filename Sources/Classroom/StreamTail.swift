/// A numbered event of the stream `room`, as everybody saw it.
public struct StreamEvent: Sendable, Equatable {
  /// What happened.
  public enum Content: Sendable, Equatable {
    case status(StatusChange)
    case chat(ChatMessage)
  }

  /// The number in the stream.
  public var sequence: UInt64
  public var at: Timestamp
  /// The user whose command it was, or nil for the server's own.
  public var by: String?
  public var content: Content

  /// An event with these facts.
  public init(sequence: UInt64, at: Timestamp, by: String?, content: Content) {
    self.sequence = sequence
    self.at = at
    self.by = by
    self.content = content
  }

  /// Whether a user did it or speaks in it.
  func names(_ user: String) -> Bool {
    if by == user { return true }
    switch content {
    case .status: return false
    case .chat(let message): return message.user == user
    }
  }

  mutating func erase(_ user: String, as pseudonym: String) {
    if by == user { by = pseudonym }
    if case .chat(var message) = content, message.user == user {
      message.erase(as: pseudonym)
      content = .chat(message)
    }
  }

  /// The bytes of text that people wrote into it.
  var textBytes: Int {
    switch content {
    case .status: 0
    case .chat(let message): message.text.utf8.count
    }
  }
}

/// The newest numbered events of a session, for clients that come back after a gap.
public struct StreamTail: Sendable, Equatable {
  /// The bounds of what is kept.
  public enum Limits {
    /// The newest events that are kept.
    public static let events = 4096
    /// The bytes that their texts have together.
    public static let textBytes = 1 << 20
  }

  /// What is kept, ascending and without a gap.
  public private(set) var events = BlockList<StreamEvent>(blockSize: 256)
  /// The number of the last event of the stream, 0 before the first.
  public private(set) var last: UInt64
  /// The bytes that the texts of ``events`` have together.
  public private(set) var textBytes = 0

  /// A tail of a stream of which nothing is kept up to `last`.
  init(last: UInt64 = 0) {
    self.last = last
  }

  /// Whether every event after that number is kept; of the last one, that is so.
  public func covers(after sequence: UInt64) -> Bool {
    if sequence == last { return true }
    guard let first = events.first, events.last?.sequence == last, sequence < last else { return false }
    return first.sequence - 1 <= sequence
  }

  /// The events after that number in ascending order: at most `limit`, and at most so many that their texts have
  /// `textBytes` bytes together, but always one if there is one. Those that are no longer kept are skipped:
  /// ``covers(after:)`` tells.
  public func events(after sequence: UInt64, limit: Int, textBytes: Int) -> [StreamEvent] {
    guard let first = events.first, sequence < last else { return [] }
    var index = sequence < first.sequence ? 0 : Int(clamping: sequence - first.sequence + 1)
    var page: [StreamEvent] = []
    var bytes = 0
    while index < events.endIndex, page.count < limit {
      bytes += events[index].textBytes
      if bytes > textBytes, !page.isEmpty { break }
      page.append(events[index])
      index += 1
    }
    return page
  }

  /// Takes in the next event, and lets go of the oldest ones that are too many.
  mutating func append(_ event: StreamEvent) {
    precondition(event.sequence == last + 1, "the stream has no gap")
    last = event.sequence
    keep(event)
  }

  /// Puts an event back as a snapshot kept it.
  /// - Returns: false, and nothing has changed, when it does not follow the one before it.
  mutating func restore(_ event: StreamEvent) -> Bool {
    guard event.sequence > 0, event.sequence <= last, events.last.map({ $0.sequence + 1 == event.sequence }) ?? true
    else { return false }
    keep(event)
    return true
  }

  mutating func erase(_ user: String, as pseudonym: String) {
    events.updateAll(where: { $0.names(user) }) { $0.erase(user, as: pseudonym) }
    textBytes = events.reduce(0) { $0 + $1.textBytes }
  }

  private mutating func keep(_ event: StreamEvent) {
    events.append(event)
    textBytes += event.textBytes
    while events.count > Limits.events || textBytes > Limits.textBytes, let first = events.first {
      textBytes -= first.textBytes
      events.removeFirst()
    }
  }
}
