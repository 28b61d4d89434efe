#if PLANTED_BUGS
  import PlantedBugs
#endif

/// One session: its state, and the rules that change it.
///
/// Pure and deterministic: a command and the time go in, events come out, and the same events in the same order always make
/// the same classroom. Time, ids and randomness are arguments.
public struct Classroom: Sendable, Equatable {
  public internal(set) var details: SessionDetails {
    _read { yield sharedDetails.value }
    _modify { yield &sharedDetails.value }
  }
  var sharedDetails: Shared<SessionDetails>
  /// Names the history in which the stream numbers count; survives restarts.
  public private(set) var epoch: String
  public internal(set) var status = SessionStatus.scheduled
  /// Grows with each transition, from 1.
  public internal(set) var revision = 1
  /// The number of the last event of this session.
  public private(set) var sequence: UInt64
  public private(set) var keys = IdempotencyKeys()
  /// Whether only hosts and administrators see the session.
  public internal(set) var isHidden = false
  /// Whether the session does not exist any more.
  public internal(set) var isDeleted = false
  public internal(set) var reminders: ReminderState
  public internal(set) var roster = Roster()
  public internal(set) var notices = Notices()
  private var activity = Activity.none

  public internal(set) var startedAt: Timestamp? {
    _read { yield activity.value.startedAt }
    _modify { yield &activity.value.startedAt }
  }

  public internal(set) var endedAt: Timestamp? {
    _read { yield activity.value.endedAt }
    _modify { yield &activity.value.endedAt }
  }

  /// The user who started the session.
  public internal(set) var startedBy: String? {
    _read { yield activity.value.startedBy }
    _modify { yield &activity.value.startedBy }
  }

  /// What was said about the last transition, if anything.
  public internal(set) var reason: String? {
    _read { yield activity.value.reason }
    _modify { yield &activity.value.reason }
  }

  /// The newest numbered events.
  public internal(set) var stream: StreamTail {
    _read { yield activity.value.stream }
    _modify { yield &activity.value.stream }
  }

  public internal(set) var attendance: Attendance {
    _read { yield activity.value.attendance }
    _modify { yield &activity.value.attendance }
  }

  public internal(set) var chat: ChatLog {
    _read { yield activity.value.chat }
    _modify { yield &activity.value.chat }
  }

  public internal(set) var conduct: Conduct {
    _read { yield activity.value.conduct }
    _modify { yield &activity.value.conduct }
  }

  public internal(set) var lobby: Lobby {
    _read { yield activity.value.lobby }
    _modify { yield &activity.value.lobby }
  }

  /// The bounds of chat.
  public enum Limits {
    /// The bytes a chat message may have.
    public static let chatTextBytes = 1...4096
    /// The code points that the emoji of a reaction may have.
    public static let emojiScalars = 16
    /// The bytes of a user's id.
    public static let userBytes = 128
  }

  /// What a command led to.
  public struct Outcome: Sendable, Equatable {
    /// The facts it made, already applied; empty when the command changed nothing or had been done before.
    public var events: [RecordedEvent]
    public var answer: Answer
  }

  /// The event with which a session begins.
  /// - Parameter keyUse: the key of who asked for it, if one was given; see ``SessionDraft/keyUse(_:)``.
  public static func creation(
    _ details: SessionDetails, epoch: String, by user: String?, keyUse: RecordedEvent.KeyUse? = nil
  ) -> RecordedEvent {
    RecordedEvent(
      session: details.id, sequence: 1, at: details.createdAt, by: user, keyUse: keyUse,
      event: .created(details, epoch: epoch))
  }

  /// The classroom that begins with this event, or nil when it is not a creation.
  public init?(_ first: RecordedEvent) {
    guard case .created(let details, let epoch) = first.event else { return nil }
    sharedDetails = Shared(details)
    self.epoch = epoch
    status = details.proposer == nil ? .scheduled : .pendingApproval
    reminders = ReminderState(since: first.at)
    sequence = first.sequence
    if let use = first.keyUse, let user = first.by {
      keys.remember(user: user, key: use.key, use: IdempotencyKeys.Use(digest: use.digest, at: first.at, answer: .done))
    }
    takeNotice(of: first)
  }

  /// Whether this session was made by the same user with the same key of the same draft.
  /// - Throws: ``Refusal/keyConflict`` when the key came with something else, ``Refusal/keyExpired`` when it came too long
  ///   ago to tell.
  public func isCreated(
    by user: String, with keyUse: RecordedEvent.KeyUse, at now: Timestamp
  ) throws(Refusal) -> Bool {
    try keys.answer(user: user, key: keyUse.key, digest: keyUse.digest, at: now) != nil
  }

  public var id: String { details.id }
  /// The number of the last event in the stream `room`, 0 before the first.
  public var streamSequence: UInt64 { stream.last }

  // MARK: Commands

  /// Decides on a command and applies what follows from it.
  /// - Parameters:
  ///   - key: the client's idempotency key, if it gave one.
  ///   - rules: bounds that the server's settings decide.
  /// - Throws: a ``Refusal``; then nothing has changed.
  public mutating func handle(
    _ command: Command, by actor: Actor, key: String? = nil, under rules: SessionRules = SessionRules(),
    at now: Timestamp
  ) throws(Refusal) -> Outcome {
    let digest = command.digest
    if let key, let answer = try keys.answer(user: actor.user, key: key, digest: digest, at: now) {
      return Outcome(events: [], answer: answer)
    }
    let facts = try decide(command, by: actor, under: rules, at: now)
    // The answer, and with it the key, belongs to the fact that everybody gets to see.
    let principal = facts.lastIndex(where: \.isNumbered) ?? facts.startIndex
    var events: [RecordedEvent] = []
    events.reserveCapacity(facts.count)
    for (index, fact) in facts.enumerated() {
      let keyUse = index == principal ? key.map { RecordedEvent.KeyUse(key: $0, digest: digest) } : nil
      let event = RecordedEvent(
        session: id, sequence: sequence + 1, at: now, by: actor.user, keyUse: keyUse, event: fact)
      apply(event)
      events.append(event)
    }
    return Outcome(events: events, answer: events.isEmpty ? unchanged(command) : answer(to: events[principal]))
  }

  private func decide(
    _ command: Command, by actor: Actor, under rules: SessionRules, at now: Timestamp
  ) throws(Refusal) -> [Event] {
    switch command {
    case .start:
      try require(.start, of: actor)
      guard let next = LifeCycle.status(after: .start, from: status), mayBegin(under: rules.times, at: now) else {
        throw .wrongState(status)
      }
      let begins: Event = startedAt == nil ? .statusChanged(next) : .transitioned(Move(.start, from: status, to: next))
      // Starting makes the host the first participant; an administrator only opens the door.
      guard actor.role == .host else { return [begins] }
      let entry = Event.joined(user: actor.user, name: actor.name, role: actor.role)
      // Where there is no call, nobody needs a connection to be in class.
      return [begins, entry] + (details.kind == .inPerson ? [.checkedIn(user: actor.user)] : [])

    case .end:
      try require(.end, of: actor)
      guard let next = LifeCycle.status(after: .end, from: status) else { throw .wrongState(status) }
      // Who is not back by now was here until last heard.
      let departures = attendance.rows.values.compactMap { row in
        row.absence.map { Event.left(user: row.user, at: $0.departure(at: now), isEstimated: $0.isEstimated) }
      }
      return departures + [.statusChanged(next)]

    case .join:
      guard status.isLive else { throw .wrongState(status) }
      if !lobby.isEmpty, lobby.hasDenied(actor.user), !actor.role.passesCapacity { throw .denied }
      guard actor.role.isVisible else { return [] }
      #if PLANTED_BUGS
        if PlantedBugs.isActive(.secondTabCounted) {
          return [.joined(user: actor.user, name: actor.name, role: actor.role)]
        }
      #endif
      if let row = attendance[actor.user], row.isActive {
        return row.absence == nil ? [] : [.returned(user: actor.user)]
      }
      if isLockedOut(actor) { throw .locked }
      if let capacity = details.capacity, attendance.activeCount >= capacity, !actor.role.passesCapacity {
        throw .sessionFull
      }
      return [.joined(user: actor.user, name: actor.name, role: actor.role)] + emailFact(of: actor)

    case .lose(let since, let isEstimated):
      guard let row = attendance[actor.user], row.isActive, !row.isCheckedIn else { return [] }
      return [.lost(user: actor.user, since: min(since, now), isEstimated: isEstimated)]

    case .leave(let at, let isEstimated):
      guard attendance.isActive(actor.user) else { return [] }
      return [.left(user: actor.user, at: min(at, now), isEstimated: isEstimated)]

    case .sendChat, .editChat, .deleteChat, .reactToChat, .pinChat:
      return try decideOnChat(command, by: actor, at: now, rules: rules.conduct)

    case .raiseHand, .lowerHand, .mute, .muteAll, .askToUnmute, .remove, .ban, .promote, .demote, .spotlight,
      .setPolicy:
      return try decideOnConduct(command, by: actor, at: now, rules: rules.conduct)

    case .setStage, .inviteToStage, .removeFromStage, .leaveStage:
      return try decideOnStage(command, by: actor, rules: rules.conduct)

    case .heartbeat: return try decideHeartbeat(by: actor)
    case .checkIn: return try decideCheckIn(by: actor)
    case .markPresent(let user, let name): return try decideMarkPresent(user, name: name, by: actor)
    case .markGone(let user): return try decideMarkGone(user, by: actor, at: now)

    case .approve, .decline, .withdraw, .reschedule, .cancel, .announce, .update, .delete, .purge:
      return try decideOnLife(command, by: actor, under: rules, at: now)

    case .register, .unregister, .invite, .approveRegistration, .rejectRegistration:
      return try decideOnRoster(command, by: actor, at: now)

    case .wait, .stopWaiting, .admit, .deny:
      return try decideOnLobby(command, by: actor, at: now)

    case .readNotices(let numbers):
      return try readingNotices(numbers, by: actor.user)
    }
  }

  /// What a command is answered with that changes nothing.
  private func unchanged(_ command: Command) -> Answer {
    switch command {
    case .register: .registration(.approved)
    case .unregister: .registration(.withdrawn)
    case .approveRegistration: .registration(.approved)
    case .rejectRegistration: .registration(.rejected)
    case .invite, .admit: .count(0)
    case .update, .reschedule: .status(statusChange)
    default: .done
    }
  }

  /// Gives the history of the stream's numbers another name, when clients may have seen what this server does not know.
  public mutating func changeEpoch(to epoch: String, at now: Timestamp) -> RecordedEvent {
    record(.epochChanged(epoch), at: now)
  }

  /// Forgets who a user was: name, id, messages and keys. The minutes stay, under the pseudonym.
  /// - Returns: nothing when the session knows nothing of that user.
  public mutating func erase(_ user: String, as pseudonym: String, at now: Timestamp) -> RecordedEvent? {
    guard names(user) else { return nil }
    return record(.erased(user: user, pseudonym: pseudonym), at: now)
  }

  /// Whether anything that is kept here tells of that user.
  public func names(_ user: String) -> Bool {
    details.host == user || startedBy == user || attendance[user] != nil || attendance.waits[user] != nil
      || keys[user] != nil
      || details.proposer == user || roster[user] != nil || lobby.names(user)
      || notices.names(user) || stream.events.contains { $0.names(user) } || chat.names(user) || conduct.names(user)
  }

  mutating func record(_ event: Event, at now: Timestamp) -> RecordedEvent {
    let recorded = RecordedEvent(
      session: id, sequence: sequence + 1, at: now, by: nil, keyUse: nil, event: event)
    apply(recorded)
    return recorded
  }

  private func answer(to event: RecordedEvent) -> Answer {
    switch event.event {
    case .statusChanged: .status(statusChange)
    case .chatSent: .chat(streamSequence: streamSequence, sequence: event.sequence, at: event.at)
    case .privateChatSent: .chat(streamSequence: privateSequence(event), sequence: event.sequence, at: event.at)
    case .transitioned(let move):
      .status(
        StatusChange(
          status: move.to, revision: revision, startedAt: startedAt, endedAt: endedAt, reason: move.reason,
          schedule: move.schedule))
    case .updated: .status(statusChange)
    case .rosterChanged(let entries):
      entries.count == 1 && event.by == entries[0].user || entries.first?.state != .invited
        ? .registration(entries.first?.state ?? .withdrawn) : .count(entries.count)
    case .admitted(let users): .count(users.count)
    default: .done
    }
  }

  /// The state as a transition reports it.
  public var statusChange: StatusChange {
    StatusChange(status: status, revision: revision, startedAt: startedAt, endedAt: endedAt, reason: reason)
  }

  // MARK: Events

  /// Takes in the next event of this session.
  /// - Precondition: the number follows the last one; a replay must not skip or repeat.
  public mutating func apply(_ recorded: RecordedEvent) {
    precondition(recorded.session == id && recorded.sequence == sequence + 1, "events of a session come in order")
    sequence = recorded.sequence
    let streamSequence = stream.last + 1
    switch recorded.event {
    case .created:
      preconditionFailure("a session is created once")
    case .statusChanged(let next):
      enter(next, by: recorded.by, at: recorded.at)
      stream.append(
        StreamEvent(sequence: streamSequence, at: recorded.at, by: recorded.by, content: .status(statusChange)))
    case .joined(let user, let name, let role):
      if !lobby.isEmpty { lobby.remove(user) }
      attendance.open(user: user, name: name, role: role, at: recorded.at)
    case .lost(let user, let since, let isEstimated):
      attendance.setAbsence(Attendance.Absence(since: since, isEstimated: isEstimated), of: user)
    case .returned(let user):
      attendance.setAbsence(nil, of: user)
    case .left(let user, let at, let isEstimated):
      attendance.close(user: user, at: at, isEstimated: isEstimated)
      if conduct.hands.count > 0 { conduct.hands.remove(user) }
    case .epochChanged(let epoch):
      self.epoch = epoch
    case .erased(let user, let pseudonym):
      eraseAll(of: user, as: pseudonym, at: recorded.at)

    case .heartbeat(let user):
      attendance.setAbsence(
        Attendance.Absence(since: recorded.at, isEstimated: false, isBetweenHeartbeats: true), of: user)
    case .checkedIn(let user):
      attendance.checkIn(user)
    case .marked(let user, let name, let role, let from, let to):
      attendance.mark(user: user, name: name, role: role, from: from, to: to)
    case .emailKnown(let user, let email):
      attendance.setEmail(email, of: user)
    case .transitioned, .updated, .announced, .reminded, .deleted, .hidden: applyToLife(recorded)
    case .rosterChanged(let entries): for entry in entries { roster.set(entry) }
    case .knocked(let waiter):
      lobby.add(waiter)
      attendance.beginWaiting(waiter.user, at: waiter.since)
    case .waitingEnded(let user, let at):
      lobby.remove(user)
      attendance.endWaiting(user, at: at)
    case .admitted(let users): for user in users { lobby.admit(user) }
    case .denied(let user):
      lobby.deny(user)
      attendance.endWaiting(user, at: recorded.at)

    case .noticesRead(let user, let numbers): notices.noteRead(numbers, by: user)

    case .chatSent, .privateChatSent, .chatEdited, .chatDeleted, .chatReacted, .chatPinned:
      applyChat(recorded)
    case .policyChanged, .muted, .askedToUnmute, .removed, .banned, .roleChanged, .spotlit, .handRaised, .handLowered:
      applyConduct(recorded)
    case .stageChanged, .takenOffStage:
      applyStage(recorded)
    }
    takeNotice(of: recorded)
    if let use = recorded.keyUse, let user = recorded.by {
      keys.remember(
        user: user, key: use.key,
        use: IdempotencyKeys.Use(digest: use.digest, at: recorded.at, answer: answer(to: recorded)))
    }
  }

  private mutating func eraseAll(of user: String, as pseudonym: String, at time: Timestamp) {
    // Who teaches is a free text; it is this user when it says what the user was called.
    let isInstructor =
      details.instructor == attendance[user]?.name
      || chat.messages.contains { $0.user == user && $0.name == details.instructor }
    if isInstructor { details.instructor = "" }
    if details.host == user { details.host = pseudonym }
    if details.proposer == user { details.proposer = pseudonym }
    if startedBy == user { startedBy = pseudonym }
    roster.erase(user, as: pseudonym)
    lobby.erase(user)
    notices.erase(user, as: pseudonym)
    attendance.erase(user, as: pseudonym, at: time)
    chat.erase(user, as: pseudonym)
    stream.erase(user, as: pseudonym)
    keys.erase(user)
    conduct.erase(user, as: pseudonym)
  }

  // MARK: Snapshot

  /// The parts of a classroom that are not lists; with the rows, messages, key uses and newest
  /// numbered events they make a snapshot.
  public struct Core: Sendable, Equatable {
    public var details: SessionDetails
    public var epoch: String
    public var statusChange: StatusChange
    public var startedBy: String?
    public var sequence: UInt64
    public var streamSequence: UInt64
    public var isHidden = false
    public var isDeleted = false
    /// Nil in snapshots of versions without reminders: none that was due before is sent then.
    public var reminders: ReminderState?

    /// A core with these facts.
    public init(
      details: SessionDetails, epoch: String, statusChange: StatusChange, startedBy: String?, sequence: UInt64,
      streamSequence: UInt64
    ) {
      self.details = details
      self.epoch = epoch
      self.statusChange = statusChange
      self.startedBy = startedBy
      self.sequence = sequence
      self.streamSequence = streamSequence
    }
  }

  /// The parts that are not lists.
  public var core: Core {
    var core = Core(
      details: details, epoch: epoch, statusChange: statusChange, startedBy: startedBy, sequence: sequence,
      streamSequence: streamSequence)
    core.isHidden = isHidden
    core.isDeleted = isDeleted
    core.reminders = reminders
    return core
  }

  /// A classroom as a snapshot kept it; the lists follow by the `restore` functions.
  public init(restoring core: Core) {
    sharedDetails = Shared(core.details)
    epoch = core.epoch
    status = core.statusChange.status
    revision = core.statusChange.revision
    isHidden = core.isHidden
    isDeleted = core.isDeleted
    reminders = core.reminders ?? ReminderState(since: core.details.createdAt)
    sequence = core.sequence
    // What is as in the beginning needs no memory.
    if let startedAt = core.statusChange.startedAt { self.startedAt = startedAt }
    if let endedAt = core.statusChange.endedAt { self.endedAt = endedAt }
    if let reason = core.statusChange.reason { self.reason = reason }
    if let startedBy = core.startedBy { self.startedBy = startedBy }
    if core.streamSequence > 0 { stream = StreamTail(last: core.streamSequence) }
    if let startedAt {
      attendance.restore([Attendance.Span(from: startedAt, to: status.isLive ? nil : endedAt)])
    }
  }

  /// Puts back when somebody waited; in the order in which the snapshot has them.
  public mutating func restore(_ waits: Attendance.Waits) { attendance.restore(waits) }
  /// Puts back when the session was live, if that was more than once.
  public mutating func restore(_ spans: [Attendance.Span]) { attendance.restore(spans) }

  /// Puts back one row of the attendance; in the order in which the snapshot has them.
  public mutating func restore(_ row: Attendance.Row) { attendance.restore(row) }
  /// Puts back one chat message; in ascending order.
  public mutating func restore(_ message: ChatMessage) { chat.append(message) }
  /// Puts back one of the newest numbered events; in ascending order.
  /// - Returns: false, and nothing has changed, when it does not follow the one before it.
  public mutating func restore(_ event: StreamEvent) -> Bool { stream.restore(event) }
  /// Puts back some of the notices, or some of those who have read them.
  public mutating func restore(_ part: Notices) { notices.restore(part) }
  /// Puts back one person of the roster; in the order in which the snapshot has them.
  public mutating func restore(_ entry: Roster.Entry) { roster.restore(entry) }
  /// Puts back somebody who waits.
  public mutating func restore(_ waiter: Lobby.Waiter) { lobby.add(waiter) }
  /// Puts back whom hosts have let in and turned away.
  public mutating func restore(admitted: [String], denied: [String]) {
    for user in admitted { lobby.admit(user) }
    for user in denied { lobby.deny(user) }
  }
  /// Puts back one use of an idempotency key; in the order of use.
  public mutating func restore(_ use: IdempotencyKeys.Use, key: String, user: String) {
    keys.restore(user: user, key: key, use: use)
  }
  /// Puts back the hash of a key whose answer is forgotten.
  public mutating func restore(forgottenKey hash: UInt64, of user: String) {
    keys.restore(forgotten: hash, of: user)
  }
}
