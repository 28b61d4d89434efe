// Who is in class without a connection: who says so now and then, and who somebody vouches for.
extension Classroom {
  /// The bounds of what a host may say of somebody.
  public enum PersonLimits {
    /// The bytes of a user's id.
    public static let userBytes = 1...128
    /// The bytes of a name.
    public static let nameBytes = 1...120
  }

  /// - Throws: ``Refusal/notPresent`` when attendance is not open: who was not heard of for too long comes in anew.
  func decideHeartbeat(by actor: Actor) throws(Refusal) -> [Event] {
    try require(.heartbeat, of: actor)
    guard let row = attendance[actor.user], row.isActive else { throw .notPresent }
    return row.isCheckedIn ? [] : [.heartbeat(user: actor.user)]
  }

  func decideCheckIn(by actor: Actor) throws(Refusal) -> [Event] {
    try require(.checkIn, of: actor)
    if isLockedOut(actor) { throw .locked }
    return try entry(of: actor)
  }

  func decideMarkPresent(_ user: String, name: String?, by actor: Actor) throws(Refusal) -> [Event] {
    try require(.markPresent, of: actor)
    guard PersonLimits.userBytes.contains(user.utf8.count) else {
      throw .invalidField("user", "The id of a user has 1 to \(PersonLimits.userBytes.upperBound) bytes.")
    }
    if let name, !PersonLimits.nameBytes.contains(name.utf8.count) || name.allSatisfy(\.isWhitespace) {
      throw .invalidField("name", "A name has 1 to \(PersonLimits.nameBytes.upperBound) bytes and is not empty.")
    }
    let person = self.person(user, name: name)
    if conduct.isBanned(user) { throw .banned }
    if status.isLive { return try entry(of: person) }
    // After the class: there all the time, as far as nothing else was measured.
    guard let span = attendance.spans.last, let end = span.to, span.from < end else { return [] }
    let isThereAlready = attendance[user]?.segments.contains { $0.from <= span.from && end <= $0.to ?? end } ?? false
    if isThereAlready { return [] }
    return [.marked(user: user, name: person.name, role: person.role, from: span.from, to: end)]
  }

  func decideMarkGone(_ user: String, by actor: Actor, at now: Timestamp) throws(Refusal) -> [Event] {
    try require(.markPresent, of: actor)
    guard status.isLive else { throw .wrongState(status) }
    guard attendance.isActive(user) else { return [] }
    return [.left(user: user, at: now, isEstimated: false)]
  }

  /// That the address of who comes in is known, if it is new.
  func emailFact(of actor: Actor) -> [Event] {
    guard let email = actor.email, attendance[actor.user]?.email != email else { return [] }
    return [.emailKnown(user: actor.user, email: email)]
  }

  /// What makes somebody be in without a connection.
  private func entry(of person: Actor) throws(Refusal) -> [Event] {
    guard let row = attendance[person.user], row.isActive else {
      if let capacity = details.capacity, attendance.activeCount >= capacity, !person.role.passesCapacity {
        throw .sessionFull
      }
      return [
        .joined(user: person.user, name: person.name, role: person.role), .checkedIn(user: person.user),
      ] + emailFact(of: person)
    }
    return row.isCheckedIn ? [] : [.checkedIn(user: person.user)]
  }

  /// Somebody of whom another speaks, as far as the session knows who that is.
  private func person(_ user: String, name: String?) -> Actor {
    let known = attendance[user]
    let expected = self.expected(user)
    return Actor(
      user: user, name: known?.name ?? expected?.name ?? name ?? user,
      role: user == details.host ? .host : conduct.role(of: user, granted: known?.role ?? .participant))
  }
}
