/// What was said in one session: who sent what when, which number the server gave it, and whether all agree about that.
struct ChatLedger {
  struct Entry {
    /// The sender's place in the roster of the session.
    let sender: Int
    /// When the message was due, in nanoseconds of the monotonic clock.
    let due: Int64
    /// The number in the answer to the sender.
    fileprivate(set) var acknowledged: UInt64?
    /// The number on the event.
    fileprivate(set) var seen: UInt64?
  }

  /// What the sight of a message means.
  enum Sight: Equatable {
    case consistent
    /// The same message under another number, or another message under the same number, or one that nobody sent.
    case contradiction
  }

  private var entries: [Entry] = []
  private var messages: [UInt64: Int] = [:]
  /// The numbers of events that are no messages.
  private var others: Set<UInt64> = []
  private(set) var acknowledgedCount = 0
  /// The greatest number anybody heard of.
  private(set) var lastSequence: UInt64 = 0

  /// How many messages were sent; they are numbered from 1.
  var sentCount: Int { entries.count }
  /// How many messages have no answer.
  var unacknowledgedCount: Int { entries.count - acknowledgedCount }

  /// Notes that somebody sends a message now.
  /// - Returns: its number.
  mutating func send(by sender: Int, due: Int64) -> Int {
    entries.append(Entry(sender: sender, due: due))
    return entries.count
  }

  /// The message of this number.
  subscript(message: Int) -> Entry? {
    message >= 1 && message <= entries.count ? entries[message - 1] : nil
  }

  /// The sender is told that the message has this number in the stream.
  mutating func acknowledge(_ message: Int, as sequence: UInt64) -> Sight {
    guard let entry = self[message] else { return .contradiction }
    note(sequence)
    guard entry.acknowledged == nil else { return .contradiction }
    acknowledgedCount += 1
    entries[message - 1].acknowledged = sequence
    return entry.seen == nil || entry.seen == sequence ? .consistent : .contradiction
  }

  /// Somebody sees the message under this number.
  mutating func see(_ message: Int, as sequence: UInt64) -> Sight {
    guard let entry = self[message] else { return .contradiction }
    if entry.seen == sequence { return .consistent }
    note(sequence)
    guard entry.seen == nil, !others.contains(sequence), messages.updateValue(message, forKey: sequence) == nil
    else { return .contradiction }
    entries[message - 1].seen = sequence
    return entry.acknowledged == nil || entry.acknowledged == sequence ? .consistent : .contradiction
  }

  /// Somebody sees an event of the stream with this number that is no message.
  mutating func seeOther(_ sequence: UInt64) -> Sight {
    note(sequence)
    others.insert(sequence)
    return messages[sequence] == nil ? .consistent : .contradiction
  }

  /// The stream has come to this number.
  mutating func note(_ sequence: UInt64) { lastSequence = max(lastSequence, sequence) }
}
