/// Who is expected in a session: invited, registered, approved or turned down.
public struct Roster: Sendable, Equatable {
  /// Where somebody stands.
  public enum State: String, Sendable, CaseIterable {
    /// The host has put the person on the list.
    case invited
    /// The person has asked, and the host has not answered.
    case requested
    /// May come.
    case approved
    /// Must not come.
    case rejected
    /// Has taken the request back, or was taken off the list.
    case withdrawn

    /// Whether the person may come in.
    public var isIn: Bool { self == .invited || self == .approved }
  }

  /// One person.
  public struct Entry: Sendable, Equatable {
    public var user: String
    public var name: String
    /// Shown to hosts only.
    public var email: String?
    public var state: State
    /// When it became that.
    public var at: Timestamp

    /// An entry with these facts.
    public init(user: String, name: String, email: String? = nil, state: State, at: Timestamp) {
      self.user = user
      self.name = name
      self.email = email
      self.state = state
      self.at = at
    }
  }

  /// Somebody whom a host puts on the list.
  public struct Invitation: Sendable, Hashable {
    public var user: String
    public var name: String
    public var email: String?

    /// An invitation of that person.
    public init(user: String, name: String, email: String? = nil) {
      self.user = user
      self.name = name
      self.email = email
    }
  }

  /// The bounds of the list.
  public enum Limits {
    /// How many people the list of a session may have.
    public static let entries = 10_000
    /// How many may be put on it at once.
    public static let invitations = 5_000
  }

  /// By user, in the order in which they came onto the list.
  public private(set) var entries = BlockDictionary<64, Entry>()
  /// Of a list that is kept in outline only: the users whom it lets in, ascending.
  private var outline: [String] = []

  init() {}

  /// A list of which only those are known whom it lets in.
  public init(members: [String]) {
    outline = members.sorted()
  }

  /// The users whom the list lets in, ascending.
  public var members: [String] {
    outline.isEmpty ? entries.values.lazy.filter(\.state.isIn).map(\.user).sorted() : outline
  }

  public subscript(user: String) -> Entry? { entries[user] }
  public var count: Int { entries.count }

  /// Whether the list lets somebody in.
  public func admits(_ user: String) -> Bool {
    if let entry = entries[user] { return entry.state.isIn }
    guard !outline.isEmpty else { return false }
    var low = 0
    var high = outline.count
    while low < high {
      let middle = low + (high - low) / 2
      if outline[middle] < user { low = middle + 1 } else { high = middle }
    }
    return low < outline.count && outline[low] == user
  }

  mutating func set(_ entry: Entry) {
    entries.update(entry.user, default: entry) { known in
      var entry = entry
      if entry.name.isEmpty { entry.name = known.name }
      entry.email = entry.email ?? known.email
      known = entry
    }
  }

  /// Puts an entry back as it was kept.
  mutating func restore(_ entry: Entry) {
    entries.update(entry.user, default: entry) { $0 = entry }
  }

  mutating func erase(_ user: String, as pseudonym: String) {
    if outline.contains(user) { outline = (outline.filter { $0 != user } + [pseudonym]).sorted() }
    guard entries[user] != nil else { return }
    entries.rebuild(key: \.user, joining: { _, _ in }) { entry in
      guard entry.user == user else { return entry }
      return Entry(user: pseudonym, name: pseudonym, state: entry.state, at: entry.at)
    }
  }

  /// Checks every person of a list.
  static func check(_ invitations: [Invitation]) throws(Refusal) {
    guard invitations.count <= Limits.invitations else {
      throw .invalidField("invited", "At most \(Limits.invitations) people can be invited at once.")
    }
    for person in invitations {
      let isEmail =
        person.email.map { SessionDraft.Limits.emailBytes.contains($0.utf8.count) && $0.contains("@") } ?? true
      guard SessionDraft.Limits.userBytes.contains(person.user.utf8.count),
        SessionDraft.Limits.nameBytes.contains(person.name.utf8.count), isEmail
      else {
        throw .invalidField(
          "invited", "Each has a user of 1 to 128 bytes, a name of at most 120, and if any an email of at most 254.")
      }
    }
  }
}
