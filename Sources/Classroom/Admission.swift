// Who gets in: the roster, and the waiting room.
extension Classroom {
  func decideOnRoster(_ command: Command, by actor: Actor, at now: Timestamp) throws(Refusal) -> [Event] {
    switch command {
    case .register:
      try require(.register, of: actor)
      switch roster[actor.user]?.state {
      case .invited, .approved: return []
      case .requested: return [.rosterChanged([entry(of: actor, .requested, at: now)])]
      // Who was turned down stays so until a host thinks again.
      case .rejected: throw .denied
      case .withdrawn, nil: break
      }
      try checkRoom(for: 1)
      return [.rosterChanged([entry(of: actor, details.admission == .approval ? .requested : .approved, at: now)])]

    case .unregister:
      try require(.unregister, of: actor)
      guard let known = roster[actor.user], known.state != .withdrawn, known.state != .rejected else { return [] }
      return [.rosterChanged([entry(of: actor, .withdrawn, at: now)])]

    case .invite(let people):
      try require(.invite, of: actor)
      try Roster.check(people)
      try checkRoom(for: people.count { roster[$0.user] == nil })
      guard !people.isEmpty else { return [] }
      return [
        .rosterChanged(
          people.map { Roster.Entry(user: $0.user, name: $0.name, email: $0.email, state: .invited, at: now) })
      ]

    case .approveRegistration(let user):
      try require(.approveRegistration, of: actor)
      return try changingRoster(of: user, to: .approved, at: now)

    case .rejectRegistration(let user):
      try require(.rejectRegistration, of: actor)
      return try changingRoster(of: user, to: .rejected, at: now)

    default: preconditionFailure("no command about the roster")
    }
  }

  private func entry(of actor: Actor, _ state: Roster.State, at now: Timestamp) -> Roster.Entry {
    Roster.Entry(user: actor.user, name: actor.name, state: state, at: now)
  }

  private func checkRoom(for count: Int) throws(Refusal) {
    if roster.count + count > Roster.Limits.entries { throw .rosterFull }
  }

  private func changingRoster(
    of user: String, to state: Roster.State, at now: Timestamp
  ) throws(Refusal) -> [Event] {
    guard var entry = roster[user] else { throw .unknownUser(user) }
    guard entry.state != state else { return [] }
    entry.state = state
    entry.at = now
    return [.rosterChanged([entry])]
  }

  func decideOnLobby(_ command: Command, by actor: Actor, at now: Timestamp) throws(Refusal) -> [Event] {
    switch command {
    case .wait(let isApproved):
      if lobby.hasDenied(actor.user), !actor.role.passesCapacity { throw .denied }
      if let known = lobby[actor.user], known.isApproved == isApproved { return [] }
      return [
        .knocked(
          Lobby.Waiter(
            user: actor.user, name: actor.name, role: actor.role, since: lobby[actor.user]?.since ?? now,
            isApproved: isApproved))
      ]

    case .stopWaiting(let at):
      return lobby[actor.user] == nil ? [] : [.waitingEnded(user: actor.user, at: min(at, now))]

    case .admit(let users):
      try require(.admitWaiting, of: actor)
      if users.count == 1, lobby[users[0]] == nil, !lobby.hasAdmitted(users[0]) { throw .unknownUser(users[0]) }
      let wanted = users.isEmpty ? lobby.waiting.map(\.user) : users
      let waiting = wanted.filter { lobby[$0] != nil && !lobby.hasAdmitted($0) }
      return waiting.isEmpty ? [] : [.admitted(users: waiting)]

    case .deny(let user):
      try require(.denyWaiting, of: actor)
      guard lobby[user] != nil else { throw .unknownUser(user) }
      return [.denied(user: user)]

    default: preconditionFailure("no command about the waiting room")
    }
  }

  /// Whether who comes waits to be let in: as hosts said in the class, else as the session was planned.
  public var hasWaitingRoom: Bool { conduct.policy.hasWaitingRoom ?? details.hasWaitingRoom }

  /// Whether somebody who may come in has to wait for a host although the class is live.
  public func mustWait(_ actor: Actor) -> Bool {
    hasWaitingRoom && !actor.role.passesCapacity && !lobby.hasAdmitted(actor.user)
      && !attendance.isActive(actor.user)
  }

  /// Whether somebody who may not come in may knock: ask in the waiting room to be let in.
  public func mayKnock(_ identity: Identity) -> Bool {
    guard hasWaitingRoom, identity.session == nil, !identity.isGuest, isListed else { return false }
    return roster[identity.user]?.state != .rejected && !conduct.isBanned(identity.user)
  }

  /// Whether everybody with an account may know that the session exists.
  var isListed: Bool {
    details.visibility == .listed && !isHidden && !isDeleted && status != .pendingApproval
  }

  /// Whether anybody may know that the session exists.
  public var isPublic: Bool { isListed }

  /// Puts who is expected on the roster of a new session: the invited, and who asked the host for it.
  public mutating func expect(
    _ invited: [Roster.Invitation], proposerName: String, by user: String, at now: Timestamp
  ) -> [RecordedEvent] {
    var entries = invited.map {
      Roster.Entry(user: $0.user, name: $0.name, email: $0.email, state: .invited, at: now)
    }
    if let proposer = details.proposer, !entries.contains(where: { $0.user == proposer }) {
      entries.append(Roster.Entry(user: proposer, name: proposerName, state: .approved, at: now))
    }
    guard !entries.isEmpty else { return [] }
    var recorded = record(.rosterChanged(entries), at: now)
    recorded.by = user
    return [recorded]
  }
}
