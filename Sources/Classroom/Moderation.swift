// What those who lead a class decide about people and the room, and the hands that people raise.
extension Classroom {
  /// Decides on a command about people or the room.
  func decideOnConduct(
    _ command: Command, by actor: Actor, at now: Timestamp, rules: ConductRules
  ) throws(Refusal) -> [Event] {
    switch command {
    case .raiseHand:
      try require(.raiseHand, of: actor)
      guard attendance.isActive(actor.user) else { throw .notPresent }
      return conduct.hands[actor.user] == nil ? [.handRaised(user: actor.user)] : []

    case .lowerHand(.own), .lowerHand(.user(actor.user)):
      try require(.lowerHand, of: actor)
      return conduct.hands[actor.user] == nil ? [] : [.handLowered(user: actor.user)]

    case .lowerHand(.user(let user)):
      try require(.lowerHands, of: actor)
      guard attendance.isActive(user) else { throw .noSuchParticipant }
      return conduct.hands[user] == nil ? [] : [.handLowered(user: user)]

    case .lowerHand(.all):
      try require(.lowerHands, of: actor)
      return conduct.hands.count == 0 ? [] : [.handLowered(user: nil)]

    case .mute(let user, let isOn):
      try require(.muteParticipant, of: actor)
      try checkIsPresentAndBelow(actor, user)
      return conduct.isMuted(user) == isOn ? [] : [.muted(user: user, isMuted: isOn)]

    case .askToUnmute(let user):
      try require(.askToUnmute, of: actor)
      try checkIsPresentAndBelow(actor, user)
      return [.askedToUnmute(user: user)]

    case .remove(let user):
      try require(.removeParticipant, of: actor)
      try checkIsPresentAndBelow(actor, user)
      return departure(of: user, at: now) + [.removed(user: user, name: attendance[user]?.name ?? "")]

    case .ban(let user, let isOn):
      try require(isOn ? .banParticipant : .unbanParticipant, of: actor)
      try checkIsUser(user)
      guard conduct.isBanned(user) != isOn else { return [] }
      let name = attendance[user]?.name ?? conduct[user]?.ban?.name ?? ""
      guard isOn else { return [.banned(user: user, name: name, isBanned: false)] }
      try checkIsBelow(actor, user)
      guard conduct.banCount < rules.bans else {
        throw .limitReached("At most \(rules.bans) people can be banned from a session.")
      }
      return departure(of: user, at: now) + [.banned(user: user, name: name, isBanned: true)]

    case .promote(let user):
      try require(.promoteParticipant, of: actor)
      try checkIsUser(user)
      try checkIsBelow(actor, user)
      guard !conduct.isBanned(user) else { throw .banned }
      return roleNow(of: user) == .cohost ? [] : [.roleChanged(user: user, role: .cohost)]

    case .demote(let user):
      try require(.demoteParticipant, of: actor)
      try checkIsUser(user)
      try checkIsBelow(actor, user)
      return roleNow(of: user) == .cohost ? [.roleChanged(user: user, role: .participant)] : []

    case .spotlight(let user):
      try require(.spotlight, of: actor)
      if let user, !attendance.isActive(user) { throw .noSuchParticipant }
      return conduct.spotlight == user ? [] : [.spotlit(user: user)]

    case .muteAll(let isOn, let isUnmuteAllowed):
      try require(.muteAll, of: actor)
      var policy = conduct.policy
      policy.isMuted = isOn
      policy.isUnmuteAllowed = isOn && isUnmuteAllowed
      // Said again it mutes those again who were asked to speak, or have unmuted themselves.
      return isOn || policy != conduct.policy ? [.policyChanged(policy, mutesAll: isOn)] : []

    case .setPolicy(let change):
      try require(change.isOnlyLock ? .lock : .setPolicy, of: actor)
      if let seconds = change.slowModeSeconds, !RoomPolicy.slowModeRange.contains(seconds) {
        throw .invalidField("slow_mode_seconds", "Slow mode waits 0 to \(RoomPolicy.slowModeRange.upperBound) seconds.")
      }
      let policy = change.applied(to: conduct.policy)
      guard policy != conduct.policy else { return [] }
      // Who has unmuted himself and may no longer is muted again.
      let mutesAll = policy.isMuted && conduct.policy.isUnmuteAllowed && !policy.isUnmuteAllowed
      return [.policyChanged(policy, mutesAll: mutesAll)]

    default: preconditionFailure("the other commands are not about conduct")
    }
  }

  /// The role that somebody has now, as far as the session knows.
  private func roleNow(of user: String) -> Role {
    if user == details.host { return .host }
    let known = attendance[user]?.role ?? .participant
    return conduct.role(of: user, granted: known)
  }

  private func checkIsUser(_ user: String) throws(Refusal) {
    guard (1...Limits.userBytes).contains(user.utf8.count) else {
      throw .invalidField("user", "The id of a user has 1 to \(Limits.userBytes) bytes.")
    }
  }

  /// Nobody decides about who owns the session, and cohosts not about each other.
  private func checkIsBelow(_ actor: Actor, _ user: String) throws(Refusal) {
    switch roleNow(of: user) {
    case .host, .admin: throw .forbidden
    case .cohost: if actor.role == .cohost { throw .forbidden }
    case .participant, .observer: break
    }
  }

  private func checkIsPresentAndBelow(_ actor: Actor, _ user: String) throws(Refusal) {
    guard attendance.isActive(user) else { throw .noSuchParticipant }
    try checkIsBelow(actor, user)
  }

  /// The end of the attendance, or of the waiting, of somebody who is sent out; of one whose connection is lost, then.
  private func departure(of user: String, at now: Timestamp) -> [Event] {
    guard let row = attendance[user], row.isActive else {
      return lobby[user] == nil ? [] : [.waitingEnded(user: user, at: now)]
    }
    let at = row.absence?.departure(at: now) ?? now
    let left = Event.left(user: user, at: at, isEstimated: row.absence?.isEstimated ?? false)
    return conduct.spotlight == user ? [left, .spotlit(user: nil)] : [left]
  }

  /// Whether the room's lock keeps somebody out.
  func isLockedOut(_ actor: Actor) -> Bool {
    conduct.policy.isLocked && !actor.role.isModerating && !attendance.isActive(actor.user)
  }

  /// Takes in an event about people or the room.
  mutating func applyConduct(_ recorded: RecordedEvent) {
    let (at, by) = (recorded.at, recorded.by)
    func content(_ content: StreamEvent.Content) -> StreamEvent {
      StreamEvent(sequence: stream.last + 1, at: at, by: by, content: content)
    }
    switch recorded.event {
    case .policyChanged(let policy, let mutesAll):
      if policy.slowModeSeconds == 0, conduct.policy.slowModeSeconds > 0 { conduct.forgetWhoSpoke() }
      conduct.policy = policy
      if mutesAll { conduct.mutedAllAt = recorded.sequence }
      stream.append(content(.policy(policy)))
    case .muted(let user, let isMuted):
      conduct.update(user) { $0.isMuted = isMuted }
      conduct.append(.muted(isMuted), to: .user(user), at: at, by: by)
    case .askedToUnmute(let user):
      conduct.update(user) { person in
        person.isMuted = false
        person.askedAt = recorded.sequence
      }
      conduct.append(.askedToUnmute, to: .user(user), at: at, by: by)
    case .removed(let user, let name):
      conduct.append(.removed(user: user, name: name), to: .hosts, at: at, by: by)
    case .banned(let user, let name, let isBanned):
      conduct.update(user) { person in
        person.ban = isBanned ? Conduct.Ban(name: name, at: at) : nil
        // Who is let back in is a participant like others.
        if isBanned { person.role = nil }
      }
      conduct.append(.banned(user: user, name: name, isBanned: isBanned), to: .hosts, at: at, by: by)
    case .roleChanged(let user, let role):
      attendance.setRole(role, of: user)
      conduct.append(.role(user: user, role, hosts: nil), to: .hosts, at: at, by: by)
      let hosts = role == .cohost ? conduct.hosts.last : nil
      conduct.update(user) { person in
        person.role = role
        person.hostsFrom = hosts ?? 0
      }
      conduct.append(.role(user: user, role, hosts: hosts), to: .user(user), at: at, by: by)
    case .spotlit(let user):
      conduct.spotlight = user
      stream.append(content(.spotlight(user)))
    case .handRaised(let user):
      conduct.hands.add(user, place: recorded.sequence)
    case .handLowered(let user?):
      conduct.hands.remove(user)
      if user != by { conduct.append(.handLowered, to: .user(user), at: at, by: by) }
    case .handLowered(nil):
      // That every hand is down everybody sees: no stream of a single user needs to say so.
      conduct.hands = HandQueue()
      stream.append(content(.handsLowered))
    default: preconditionFailure("the other events are not about conduct")
    }
  }
}

extension PolicyChange {
  /// Whether it is about the lock and nothing else.
  var isOnlyLock: Bool {
    var lock = PolicyChange()
    lock.isLocked = isLocked
    return isLocked != nil && self == lock
  }
}

extension Conduct {
  /// Slow mode is over: when somebody wrote last is of no interest.
  mutating func forgetWhoSpoke() {
    people.updateAll(where: { $0.lastSaid != nil }) { $0.lastSaid = nil }
  }
}
