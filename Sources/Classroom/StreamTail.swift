/// A numbered event of a stream, as everybody saw it who gets the stream.
public struct StreamEvent: Sendable, Equatable {
  /// What happened.
  public enum Content: Sendable, Equatable {
    case status(StatusChange)
    case chat(ChatMessage)

    /// The session as it was after a change of its fields.
    case updated(SessionView)
    /// The host said that the class begins.
    case starting(text: String?)

    /// What holds for everybody is another.
    case policy(RoomPolicy)
    /// Everybody sees this user large, or nobody.
    case spotlight(String?)
    /// The message says something else.
    case edited(message: UInt64, text: String)
    case deleted(message: UInt64)
    /// Somebody reacted to the message, or took that back; so many have done so with this emoji.
    case reaction(message: UInt64, emoji: String, count: Int, user: String, isOn: Bool)
    case pinned(message: UInt64, isOn: Bool)
    /// The owner of the stream may not speak, or may again.
    case muted(Bool)
    /// The owner of the stream is asked to speak.
    case askedToUnmute
    /// The hand of the stream's owner was lowered by somebody else.
    case handLowered
    /// Every hand is down.
    case handsLowered
    /// A user has another role; to the user with the number of the stream `hosts` from which on it is theirs.
    case role(user: String, Role, hosts: UInt64?)
    case removed(user: String, name: String)
    case banned(user: String, name: String, isBanned: Bool)

    /// Who may send sound and pictures is another.
    case stage(Stage)
    /// The owner of the stream has to stop sending.
    case takenOffStage
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
    case .status, .starting, .policy, .edited, .deleted, .pinned, .muted, .askedToUnmute, .handLowered, .handsLowered:
      return false
    case .chat(let message): return message.names(user)
    case .updated(let view): return view.names(user)
    case .spotlight(let shown): return shown == user
    case .reaction(_, _, _, let reactor, _): return reactor == user
    case .role(let subject, _, _), .removed(let subject, _), .banned(let subject, _, _): return subject == user
    case .stage(let stage): return stage.names(user)
    case .takenOffStage: return false
    }
  }

  mutating func erase(_ user: String, as pseudonym: String) {
    let isOwn = by == user
    if isOwn { by = pseudonym }
    switch content {
    case .chat(var message) where message.names(user):
      message.erase(user, as: pseudonym)
      content = .chat(message)
    case .edited(let message, _) where isOwn: content = .edited(message: message, text: "")
    case .spotlight(user): content = .spotlight(pseudonym)
    case .reaction(let message, let emoji, let count, user, let isOn):
      content = .reaction(message: message, emoji: emoji, count: count, user: pseudonym, isOn: isOn)
    case .role(user, let role, let hosts): content = .role(user: pseudonym, role, hosts: hosts)
    case .removed(user, _): content = .removed(user: pseudonym, name: pseudonym)
    case .banned(user, _, let isBanned): content = .banned(user: pseudonym, name: pseudonym, isBanned: isBanned)
    case .updated(var view) where view.names(user):
      view.erase(user, as: pseudonym)
      content = .updated(view)
    case .stage(var stage):
      stage.erase(user, as: pseudonym)
      content = .stage(stage)
    default: break
    }
  }

  /// The bytes of text that people wrote into it.
  var textBytes: Int {
    switch content {
    case .chat(let message): message.text.utf8.count
    case .updated(let view): view.details.textBytes
    case .starting(let text): text?.utf8.count ?? 0
    case .edited(_, let text): text.utf8.count
    case .stage(let stage): stage.textBytes
    case .takenOffStage: 0
    case .status, .policy, .spotlight, .deleted, .reaction, .pinned, .muted, .askedToUnmute, .handLowered,
      .handsLowered, .role, .removed, .banned:
      0
    }
  }
}

/// The newest numbered events of a stream, for clients that come back after a gap.
public struct StreamTail: Sendable, Equatable {
  /// The bounds of what is kept.
  public enum Limits {
    /// The newest events that are kept.
    public static let events = 4096
    /// The bytes that their texts have together.
    public static let textBytes = 1 << 20
    /// The newest events that are kept for one user.
    public static let personEvents = 256
    /// The bytes that their texts have together.
    public static let personTextBytes = 1 << 16
  }

  /// How much of a stream is kept.
  public enum Capacity: Sendable {
    /// What many get: ``Limits/events`` and ``Limits/textBytes``.
    case group
    /// What one user gets: ``Limits/personEvents`` and ``Limits/personTextBytes``.
    case person

    var events: Int { self == .group ? Limits.events : Limits.personEvents }
    var textBytes: Int { self == .group ? Limits.textBytes : Limits.personTextBytes }
  }

  /// What is kept, ascending and without a gap.
  public private(set) var events: BlockList<StreamEvent>
  /// The number of the last event of the stream, 0 before the first.
  public private(set) var last: UInt64
  /// The bytes that the texts of ``events`` have together.
  public private(set) var textBytes = 0
  private let capacity: Capacity

  /// A tail of a stream of which nothing is kept up to `last`.
  init(last: UInt64 = 0, capacity: Capacity = .group) {
    self.last = last
    self.capacity = capacity
    events = BlockList(blockSize: capacity == .group ? 256 : 32)
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

  /// Changes what is kept of the event of that number.
  mutating func update(_ sequence: UInt64, _ body: (inout StreamEvent.Content) -> Void) {
    guard let first = events.first, sequence >= first.sequence, sequence <= last else { return }
    let index = Int(sequence - first.sequence)
    textBytes -= events[index].textBytes
    events.update(index) { body(&$0.content) }
    textBytes += events[index].textBytes
  }

  /// Forgets what a message was changed to after the event of that number.
  mutating func forgetEdits(of message: UInt64, after sequence: UInt64) {
    guard let first = events.first else { return }
    let start = sequence < first.sequence ? 0 : Int(clamping: sequence - first.sequence + 1)
    for index in start..<max(start, events.count) {
      guard case .edited(message, let text) = events[index].content else { continue }
      textBytes -= text.utf8.count
      events.update(index) { $0.content = .edited(message: message, text: "") }
    }
  }

  private mutating func keep(_ event: StreamEvent) {
    events.append(event)
    textBytes += event.textBytes
    while events.count > capacity.events || textBytes > capacity.textBytes, let first = events.first {
      textBytes -= first.textBytes
      events.removeFirst()
    }
  }
}
