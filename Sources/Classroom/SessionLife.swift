// How a session comes to be, changes and ends: what commands about that lead to, and what its events do.
extension Classroom {
  /// Whether the class may begin now: a completed one only for a while after its end.
  func mayBegin(under times: SessionTimes, at now: Timestamp) -> Bool {
    guard status == .completed, let endedAt else { return true }
    return !isHidden && now.milliseconds(since: endedAt) <= times.reopenWithinMilliseconds
  }

  func decideOnLife(
    _ command: Command, by actor: Actor, under rules: SessionRules, at now: Timestamp
  ) throws(Refusal) -> [Event] {
    switch command {
    case .approve:
      try require(.approve, of: actor)
      let isAhead =
        details.isTimeFixed
        && details.scheduledAt >= now.advanced(byMilliseconds: -SessionDraft.Limits.pastToleranceMilliseconds)
      let moves = try isAhead ? [move(.approve), move(.schedule, from: .approved)] : [move(.approve)]
      return moves.map { .transitioned($0) }

    case .decline(let reason):
      try require(.decline, of: actor)
      return [.transitioned(try move(.decline, reason: Self.checked(reason)))]

    case .withdraw(let reason):
      try requireProposer(.withdraw, actor)
      return [.transitioned(try move(.withdraw, reason: Self.checked(reason)))]

    case .reschedule(let change, let reason):
      return [.transitioned(try rescheduling(change, reason: reason, by: actor, under: rules, at: now))]

    case .cancel(let reason):
      try require(.cancel, of: actor)
      return [.transitioned(try move(.cancel, reason: Self.checked(reason)))]

    case .announce(let text):
      try require(.announce, of: actor)
      return [.announced(text: try Self.checked(text, field: "text"))]

    case .update(let patch):
      return try updating(patch, by: actor, under: rules, at: now)

    case .delete:
      try require(.delete, of: actor)
      if startedAt == nil { return [.deleted] }
      return isHidden ? [] : [.hidden]

    case .purge:
      try require(.purge, of: actor)
      return [.deleted]

    default: preconditionFailure("no command about the life of a session")
    }
  }

  /// The transition from here, or from a state that another one leads to.
  private func move(
    _ transition: Transition, from: SessionStatus? = nil, reason: String? = nil, schedule: Schedule? = nil
  ) throws(Refusal) -> Move {
    let from = from ?? status
    guard let next = LifeCycle.status(after: transition, from: from) else { throw .wrongState(status) }
    return Move(transition, from: from, to: next, reason: reason, schedule: schedule)
  }

  /// - Throws: also ``Refusal/forbidden`` for who has not asked for the session.
  private func requireProposer(_ action: Action, _ actor: Actor) throws(Refusal) {
    guard details.proposer == actor.user || Permissions.rule(for: action).roles.contains(actor.role) == false else {
      throw .forbidden
    }
    try require(action, of: actor)
  }

  private func rescheduling(
    _ change: ScheduleChange, reason: String?, by actor: Actor, under rules: SessionRules, at now: Timestamp
  ) throws(Refusal) -> Move {
    let isHost = RoleSet.owners.contains(actor.role)
    if isHost { try require(.reschedule, of: actor) } else { try requireProposer(.reschedule, actor) }
    let schedule = try change.applied(to: details, in: rules.zones, at: now)
    let reason = try Self.checked(reason)
    let transition: Transition = isHost || status == .pendingApproval ? .reschedule : .repropose
    return try move(transition, reason: reason, schedule: schedule)
  }

  private func updating(
    _ patch: SessionPatch, by actor: Actor, under rules: SessionRules, at now: Timestamp
  ) throws(Refusal) -> [Event] {
    try require(.update, of: actor)
    var facts: [Event] = []
    var after = details
    if patch.changesSchedule {
      let change = ScheduleChange(
        start: patch.start ?? .instant(details.scheduledAt), timeZone: patch.timeZone,
        durationMinutes: patch.durationMinutes)
      let schedule =
        try patch.start == nil
        ? unmoved(change, in: rules.zones) : change.applied(to: details, in: rules.zones, at: now)
      if schedule != details.schedule || !details.isTimeFixed {
        // What has begun does not move.
        guard SessionStatusSet.ahead.contains(status) else { throw .wrongState(status) }
        facts.append(.transitioned(try move(.reschedule, schedule: schedule)))
        after.take(schedule)
      }
    }
    let updated = try patch.applied(to: after, in: rules.zones)
    if updated.hasWaitingRoom != after.hasWaitingRoom, conduct.policy.hasWaitingRoom != nil {
      // What was said last counts.
      var policy = conduct.policy
      policy.hasWaitingRoom = nil
      facts.append(.policyChanged(policy, mutesAll: false))
    }
    if updated != after { facts.append(.updated(updated)) }
    return facts
  }

  /// The schedule with another zone or duration, and the same start, which may have been long ago.
  private func unmoved(_ change: ScheduleChange, in zones: any TimeZones) throws(Refusal) -> Schedule {
    if let zone = change.timeZone { try SessionDetails.checkTimeZone(zone, in: zones) }
    let minutes = change.durationMinutes ?? details.durationMinutes
    guard SessionDraft.Limits.durationMinutes.contains(minutes) else {
      throw .invalidField("duration_minutes", "A session lasts 1 to 1440 minutes.")
    }
    return Schedule(
      scheduledAt: details.scheduledAt, timeZone: change.timeZone ?? details.timeZone, durationMinutes: minutes)
  }

  private static func checked(_ text: String?, field: String = "reason") throws(Refusal) -> String? {
    guard let text, !text.allSatisfy(\.isWhitespace) else { return nil }
    guard SessionDraft.Limits.reasonCharacters.contains(text.unicodeScalars.count) else {
      throw .invalidField(field, "At most 500 characters.")
    }
    return text
  }

  // MARK: Events

  /// The session is in another state from here on.
  mutating func enter(_ next: SessionStatus, by user: String?, at time: Timestamp) {
    status = next
    revision += 1
    reason = nil
    switch next {
    case .pendingApproval, .approved, .scheduled: break
    case .ongoing:
      // A session that goes on began when it first did.
      startedAt = startedAt ?? time
      startedBy = startedBy ?? user
      endedAt = nil
      attendance.beginSpan(at: time)
    case .completed:
      endedAt = time
      attendance.endSpan(at: time)
      attendance.endAllWaiting(at: time)
      lobby.removeAll()
      conduct.endClass()
    case .cancelled, .expired:
      attendance.endAllWaiting(at: time)
      lobby.removeAll()
      conduct.endClass()
    }
  }

  mutating func applyToLife(_ recorded: RecordedEvent) {
    let number = stream.last + 1
    func append(_ content: StreamEvent.Content, to stream: inout StreamTail) {
      stream.append(StreamEvent(sequence: number, at: recorded.at, by: recorded.by, content: content))
    }
    switch recorded.event {
    case .transitioned(let move):
      enter(move.to, by: recorded.by, at: recorded.at)
      reason = move.reason
      if let schedule = move.schedule {
        details.take(schedule)
        reminders = ReminderState(since: recorded.at)
      }
      var change = statusChange
      change.schedule = move.schedule
      append(.status(change), to: &stream)
    case .updated(let updated):
      if updated.reminders != details.reminders { reminders = ReminderState(since: recorded.at) }
      details = updated
      revision += 1
      append(.updated(outline), to: &stream)
    case .announced(let text):
      append(.starting(text: text), to: &stream)
    case .reminded(let minutes, _): reminders.sent.append(minutes)
    case .deleted: isDeleted = true
    case .hidden: isHidden = true
    default: preconditionFailure("no event of the life of a session")
    }
  }
}
