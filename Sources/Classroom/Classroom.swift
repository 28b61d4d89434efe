#if PLANTED_BUGS
  import PlantedBugs
#endif

/// One session: its state, and the rules that change it.
///
/// Pure and deterministic: a command and the time go in, events come out, and the same events in the same order always make
/// the same classroom. Time, ids and randomness are arguments.
public struct Classroom: Sendable, Equatable {
  public private(set) var details: SessionDetails
  /// Names the history in which the stream numbers count; survives restarts.
  public private(set) var epoch: String
  public private(set) var status = SessionStatus.scheduled
  /// Grows with each transition, from 1.
  public private(set) var revision = 1
  public private(set) var startedAt: Timestamp?
  public private(set) var endedAt: Timestamp?
  /// The user who started the session.
  public private(set) var startedBy: String?
  /// The number of the last event of this session.
  public private(set) var sequence: UInt64
  /// The newest numbered events.
  public private(set) var stream = StreamTail()
  public private(set) var attendance = Attendance()
  public private(set) var chat = ChatLog()
  public private(set) var keys = IdempotencyKeys()

  /// The bounds of chat.
  public enum Limits {
    /// The bytes a chat message may have.
    public static let chatTextBytes = 1...4096
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
    self.details = details
    self.epoch = epoch
    sequence = first.sequence
    if let use = first.keyUse, let user = first.by {
      keys.remember(user: user, key: use.key, use: IdempotencyKeys.Use(digest: use.digest, at: first.at, answer: .done))
    }
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
  /// - Parameter key: the client's idempotency key, if it gave one.
  /// - Throws: a ``Refusal``; then nothing has changed.
  public mutating func handle(
    _ command: Command, by actor: Actor, key: String? = nil, at now: Timestamp
  ) throws(Refusal) -> Outcome {
    let digest = command.digest
    if let key, let answer = try keys.answer(user: actor.user, key: key, digest: digest, at: now) {
      return Outcome(events: [], answer: answer)
    }
    let facts = try decide(command, by: actor, at: now)
    // The answer, and with it the key, belongs to the fact that everybody gets to see.
    let principal = facts.firstIndex(where: \.isNumbered) ?? facts.startIndex
    var events: [RecordedEvent] = []
    events.reserveCapacity(facts.count)
    for (index, fact) in facts.enumerated() {
      let keyUse = index == principal ? key.map { RecordedEvent.KeyUse(key: $0, digest: digest) } : nil
      let event = RecordedEvent(
        session: id, sequence: sequence + 1, at: now, by: actor.user, keyUse: keyUse, event: fact)
      apply(event)
      events.append(event)
    }
    return Outcome(events: events, answer: events.isEmpty ? .done : answer(to: events[principal]))
  }

  private func decide(_ command: Command, by actor: Actor, at now: Timestamp) throws(Refusal) -> [Event] {
    switch command {
    case .start:
      guard actor.role.mayStartAndEnd else { throw .forbidden }
      guard let next = status.after(.start) else { throw .wrongState(status) }
      // Starting makes the host the first participant; an administrator only opens the door.
      guard actor.role == .host else { return [.statusChanged(next)] }
      return [.statusChanged(next), .joined(user: actor.user, name: actor.name, role: actor.role)]

    case .end:
      guard actor.role.mayStartAndEnd else { throw .forbidden }
      guard let next = status.after(.end) else { throw .wrongState(status) }
      // Who is not back by now was here until last heard.
      let departures = attendance.rows.values.compactMap { row in
        row.absence.map { Event.left(user: row.user, at: min($0.since, now), isEstimated: $0.isEstimated) }
      }
      return departures + [.statusChanged(next)]

    case .join:
      guard status.isLive else { throw .wrongState(status) }
      guard actor.role.isVisible else { return [] }
      #if PLANTED_BUGS
        if PlantedBugs.isActive(.secondTabCounted) {
          return [.joined(user: actor.user, name: actor.name, role: actor.role)]
        }
      #endif
      if let row = attendance[actor.user], row.isActive {
        return row.absence == nil ? [] : [.returned(user: actor.user)]
      }
      if let capacity = details.capacity, attendance.activeCount >= capacity, !actor.role.passesCapacity {
        throw .sessionFull
      }
      return [.joined(user: actor.user, name: actor.name, role: actor.role)]

    case .lose(let since, let isEstimated):
      guard attendance.isActive(actor.user) else { return [] }
      return [.lost(user: actor.user, since: min(since, now), isEstimated: isEstimated)]

    case .leave(let at, let isEstimated):
      guard attendance.isActive(actor.user) else { return [] }
      return [.left(user: actor.user, at: min(at, now), isEstimated: isEstimated)]

    case .sendChat(let text):
      guard actor.role.isVisible else { throw .forbidden }
      guard status.isLive else { throw .wrongState(status) }
      guard attendance.isActive(actor.user) else { throw .notPresent }
      guard Limits.chatTextBytes.contains(text.utf8.count), !text.allSatisfy(\.isWhitespace) else {
        throw .invalidField("text", "A message has 1 to \(Limits.chatTextBytes.upperBound) bytes and is not empty.")
      }
      return [.chatSent(user: actor.user, name: actor.name, role: actor.role, text: text)]
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
    details.host == user || startedBy == user || attendance[user] != nil || keys[user] != nil
      || stream.events.contains { $0.names(user) } || chat.messages.contains { $0.user == user }
  }

  private mutating func record(_ event: Event, at now: Timestamp) -> RecordedEvent {
    let recorded = RecordedEvent(
      session: id, sequence: sequence + 1, at: now, by: nil, keyUse: nil, event: event)
    apply(recorded)
    return recorded
  }

  private func answer(to event: RecordedEvent) -> Answer {
    switch event.event {
    case .statusChanged: .status(statusChange)
    case .chatSent: .chat(streamSequence: streamSequence, sequence: event.sequence, at: event.at)
    case .created, .joined, .lost, .returned, .left, .epochChanged, .erased: .done
    }
  }

  /// The state as a transition reports it.
  public var statusChange: StatusChange {
    StatusChange(status: status, revision: revision, startedAt: startedAt, endedAt: endedAt)
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
      status = next
      revision += 1
      switch next {
      case .scheduled: break
      case .ongoing:
        startedAt = recorded.at
        startedBy = recorded.by
      case .completed:
        endedAt = recorded.at
        attendance.closeAll(at: recorded.at)
      }
      stream.append(
        StreamEvent(sequence: streamSequence, at: recorded.at, by: recorded.by, content: .status(statusChange)))
    case .joined(let user, let name, let role):
      attendance.open(user: user, name: name, role: role, at: recorded.at)
    case .lost(let user, let since, let isEstimated):
      attendance.setAbsence(Attendance.Absence(since: since, isEstimated: isEstimated), of: user)
    case .returned(let user):
      attendance.setAbsence(nil, of: user)
    case .left(let user, let at, let isEstimated):
      attendance.close(user: user, at: at, isEstimated: isEstimated)
    case .chatSent(let user, let name, let role, let text):
      let message = ChatMessage(
        streamSequence: streamSequence, sequence: recorded.sequence, at: recorded.at, user: user, name: name,
        role: role, text: text)
      chat.append(message)
      stream.append(
        StreamEvent(sequence: streamSequence, at: recorded.at, by: recorded.by, content: .chat(message)))
    case .epochChanged(let epoch):
      self.epoch = epoch
    case .erased(let user, let pseudonym):
      eraseAll(of: user, as: pseudonym, at: recorded.at)
    }
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
    if startedBy == user { startedBy = pseudonym }
    attendance.erase(user, as: pseudonym, at: time)
    chat.erase(user, as: pseudonym)
    stream.erase(user, as: pseudonym)
    keys.erase(user)
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
    Core(
      details: details, epoch: epoch, statusChange: statusChange, startedBy: startedBy, sequence: sequence,
      streamSequence: streamSequence)
  }

  /// A classroom as a snapshot kept it; the lists follow by the `restore` functions.
  public init(restoring core: Core) {
    details = core.details
    epoch = core.epoch
    status = core.statusChange.status
    revision = core.statusChange.revision
    startedAt = core.statusChange.startedAt
    endedAt = core.statusChange.endedAt
    startedBy = core.startedBy
    sequence = core.sequence
    stream = StreamTail(last: core.streamSequence)
  }

  /// Puts back one row of the attendance; in the order in which the snapshot has them.
  public mutating func restore(_ row: Attendance.Row) { attendance.restore(row) }
  /// Puts back one chat message; in ascending order.
  public mutating func restore(_ message: ChatMessage) { chat.append(message) }
  /// Puts back one of the newest numbered events; in ascending order.
  /// - Returns: false, and nothing has changed, when it does not follow the one before it.
  public mutating func restore(_ event: StreamEvent) -> Bool { stream.restore(event) }
  /// Puts back one use of an idempotency key; in the order of use.
  public mutating func restore(_ use: IdempotencyKeys.Use, key: String, user: String) {
    keys.restore(user: user, key: key, use: use)
  }
  /// Puts back the hash of a key whose answer is forgotten.
  public mutating func restore(forgottenKey hash: UInt64, of user: String) {
    keys.restore(forgotten: hash, of: user)
  }
}
