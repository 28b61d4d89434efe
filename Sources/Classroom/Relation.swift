/// What somebody has to do with a session, beside hosting it: what the list of sessions knows of people.
public struct Relation: OptionSet, Hashable, Sendable {
  public let rawValue: UInt8

  /// The relations of these bits.
  public init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// May come, or asks to be let in.
  public static let registered = Relation(rawValue: 1)
  /// Has been in it.
  public static let attended = Relation(rawValue: 2)
  /// Is, or was, on its roster.
  public static let concerned = Relation(rawValue: 4)

  /// That of who stands so on the roster.
  public init(_ state: Roster.State) {
    switch state {
    case .invited, .requested, .approved: self = [.registered, .concerned]
    case .rejected, .withdrawn: self = .concerned
    }
  }
}

extension Classroom {
  /// What a user has to do with the session, beside hosting it.
  public func relation(of user: String) -> Relation {
    var relation = roster[user].map { Relation($0.state) } ?? []
    if user == details.proposer { relation.formUnion([.registered, .concerned]) }
    if attendance[user] != nil { relation.insert(.attended) }
    return relation
  }

  /// The users whose part in the session an event, which has been applied, changed.
  public func people(whosePartChangedWith event: Event) -> [String] {
    switch event {
    case .joined(let user, _, _): attendance[user]?.segments.count == 1 ? [user] : []
    case .rosterChanged(let entries): entries.map(\.user)
    case .erased(let user, let pseudonym): [user, pseudonym]
    default: []
    }
  }
}
