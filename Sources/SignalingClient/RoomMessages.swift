import Classroom
import JSON
import SignalingProtocol

// What a client hears in a room.
extension SignalingClient {
  // MARK: Numbered events

  /// Holds the number of an event against those before.
  /// - Returns: whether it is new.
  mutating func takeNumber(_ sequence: UInt64) -> Bool {
    guard let last = memory?.stream.last, let verdict = memory?.stream.receive(sequence) else { return false }
    return judge(verdict, sequence, after: last, "event")
  }

  mutating func judge(
    _ verdict: StreamPosition.Verdict, _ sequence: UInt64, after last: UInt64, _ what: String
  ) -> Bool {
    switch verdict {
    case .inOrder: return true
    case .gap(let count):
      report(ProtocolViolation(.missingEvents, count: count, "\(what) \(sequence) came after \(last)"))
      return true
    case .late:
      report(ProtocolViolation(.lateEvent, "\(what) \(sequence) came after \(last), too late"))
      return true
    case .duplicate:
      report(ProtocolViolation(.repeatedEvent, "\(what) \(sequence) came again, after \(last)"))
      return false
    }
  }

  mutating func takeChat(_ fields: MessageFields, _ type: JSONView) throws(ProtocolViolation) {
    guard state == .present || state == .reading else { throw unexpected(type) }
    let event = try ChatEvent(fields)
    if event.isPrivate {
      guard try takeNumber(event.sequence, try stream(fields)) else { return }
      queue.append(.chat(event))
      return
    }
    guard try fields.value("stream").equals("room") else { throw fields.wrong("stream") }
    guard takeNumber(event.sequence) else { return }
    queue.append(.chat(event))
    // Of a session that has not started, or is over, by what the numbered events say.
    if memory?.status != .ongoing {
      report(ProtocolViolation(.contradiction, "event \(event.sequence) was said while the session was not live"))
    }
    if event.isErased || event.isDeleted {
      memory?.messages.forget(event.sequence)
    } else if let user, event.isBy(user) {
      try memory?.messages.see(event)
    } else {
      try memory?.messages.pass(event.sequence)
    }
  }

  mutating func takeStatus(_ fields: MessageFields, _ type: JSONView) throws(ProtocolViolation) {
    let event = try StatusEvent(fields, session: configuration.session)
    switch state {
    case .waiting:
      // protocol/README.md, 4: who waits gets it without `stream` and `seq`.
      try fields.forbid("stream")
      try fields.forbid("seq")
    case .present, .reading:
      guard let sequence = event.sequence, try fields.value("stream").equals("room") else { throw fields.wrong("seq") }
      guard takeNumber(sequence) else { return }
      try memory?.messages.pass(sequence)
    default: throw unexpected(type)
    }
    queue.append(.status(event))
    if let known = memory {
      let isNext = LifeCycle.steps.contains { $0.from.contains(known.status) && $0.to == event.change.status }
      let isToldAgain = event.sequence != nil && event.change.revision <= known.toldWhileWaiting ?? 0
      if !isToldAgain, !isNext || event.change.revision <= known.revision {
        report(
          ProtocolViolation(
            .contradiction,
            "the session went from \(known.status), revision \(known.revision), to \(event.change.status), "
              + "revision \(event.change.revision)"))
      }
      memory?.status = event.change.status
      memory?.revision = event.change.revision
      if state == .waiting { memory?.toldWhileWaiting = event.change.revision }
    }
    if state == .waiting, !event.change.status.isAhead, !event.change.status.isLive, event.change.status != .completed {
      // protocol/README.md, 4: nobody waits for a session that is called off.
      dismiss(.status(event.change.status))
    }
    if event.change.status == .completed, state == .waiting, isKnocking { dismiss(.status(.completed)) }
    // protocol/README.md, 5: an end that was missed, and after which the class went on, is over.
    if event.change.status == .completed, state == .present, event.change.revision > memory?.entered ?? 0 {
      // protocol/README.md, 4: "At the end … presence is empty (no diff says so), peers are gone".
      state = .reading
      presence?.removeAll()
      memory?.peer = nil
      currentPage = nil
      queue.append(.presenceChanged)
    }
  }

  // MARK: Presence

  /// From here on this is the list.
  mutating func begin(_ state: PresenceState, using workspace: inout ClientWorkspace) throws(ProtocolViolation) {
    let presence = PresenceView(state)
    self.presence = presence
    currentPage = nil
    queue.append(.presenceChanged)
    askForNextPage(using: &workspace)
    guard presence.participants.count == state.page.participants.count else {
      throw ProtocolViolation(.presence, "a list of participants has somebody twice")
    }
    try checkPresence()
  }

  mutating func askForNextPage(using workspace: inout ClientWorkspace) {
    currentPage = nil
    guard let cursor = presence?.nextPage else { return }
    askForPage(after: cursor, using: &workspace)
    currentPage = pending.entries.last?.id
  }

  /// After a list or a difference the set is the server's at that number (protocol/README.md, 6).
  private func checkPresence() throws(ProtocolViolation) {
    guard let presence else { return }
    guard presence.isConsistent else {
      throw ProtocolViolation(
        .presence,
        "\(presence.participants.count) people are known and \(presence.announcedCount) announced with number \(presence.sequence)"
      )
    }
    guard let user, let role, let peer = memory?.peer, presence.nextPage == nil,
      presence.mode == .full || presence.mode == .hosts && role.isHosting
    else { return }
    guard let own = presence.participants[user] else {
      throw ProtocolViolation(.presence, "the client itself is not among the participants at \(presence.sequence)")
    }
    guard own.role == role, own.peers.contains(peer), !own.isReconnecting else {
      throw ProtocolViolation(.presence, "the client itself is shown as \(own)")
    }
  }

  mutating func apply(_ difference: PresenceDifference) throws(ProtocolViolation) {
    guard let mode = presence?.mode, mode == .full || mode == .hosts else {
      throw ProtocolViolation(
        .unexpected, "presence.diff came in the mode \(presence?.mode.rawValue ?? "without presence")")
    }
    guard presence?.apply(difference) ?? false else { return }
    queue.append(.presenceChanged)
    try checkPresence()
  }

  mutating func takeCount(_ fields: MessageFields, _ type: JSONView) throws(ProtocolViolation) {
    guard state == .present, presence?.mode == .count else { throw unexpected(type) }
    _ = try fields.time("at")
    if presence?.apply(count: try fields.count("count"), sequence: try fields.number("presence_seq")) ?? false {
      queue.append(.presenceChanged)
    }
  }

  mutating func takePresenceState(
    _ fields: MessageFields, _ type: JSONView, using workspace: inout ClientWorkspace
  ) throws(ProtocolViolation) {
    guard state == .present else { throw unexpected(type) }
    let received = try PresenceState(fields)
    var expected = presence?.mode
    if let id = fields.view["id"]?.integer {
      guard let command = pending.first(id), case .subscribe(let mode) = command.kind else {
        throw ProtocolViolation(.unexpected, "presence.state answers command \(id), which has no answer to get")
      }
      pending.remove(command.id)
      queue.append(.answered(command.id, .done))
      expected = mode
    } else {
      try fields.forbid("id")
    }
    guard received.mode == expected else { throw fields.wrong("mode") }
    try begin(received, using: &workspace)
  }

  // MARK: Signals

  mutating func takeSignal(_ fields: MessageFields, _ type: JSONView) throws(ProtocolViolation) {
    guard state == .present, let peer = memory?.peer else { throw unexpected(type) }
    let event = SignalEvent(
      from: try fields.string("from", bytes: 1...ProtocolLimits.userBytes), isPolite: try fields.boolean("polite"),
      kind: try fields.choice("kind", SignalKind.self),
      negotiation: try fields.optionalString("negotiation", bytes: 1...ProtocolLimits.negotiationBytes),
      sequence: try fields.number("signal_seq"),
      payload: try fields.value("payload"))
    queue.append(.signal(event))
    if event.from == peer { throw ProtocolViolation(.signals, "a signal came from the client itself") }
    let last = memory?.signalSequence ?? 0
    memory?.signalSequence = event.sequence
    if event.sequence != last &+ 1 {
      throw ProtocolViolation(
        .signals, count: event.sequence > last ? event.sequence - last - 1 : 1,
        "signal \(event.sequence) came after \(last)")
    }
    // protocol/README.md, 8: "the answer is the same for every signal of the pair".
    if let before = memory?.politeness[event.from], before != event.isPolite {
      throw ProtocolViolation(.signals, "towards \(event.from) the client is sometimes polite and sometimes not")
    }
    memory?.politeness[event.from] = event.isPolite
  }
}
