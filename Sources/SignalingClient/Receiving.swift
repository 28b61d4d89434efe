import Classroom
import JSON
import SignalingProtocol

// What a client makes of a message, and what it holds the server to.
extension SignalingClient {
  mutating func receive(_ bytes: UnsafeRawBufferPointer, at now: Int64, using workspace: inout ClientWorkspace) {
    do throws(ProtocolViolation) {
      if state == .present, let difference = workspace.differences[bytes] { return try apply(difference) }
      let view: JSONView
      do throws(JSONError) {
        view = try workspace.reader.read(bytes)
      } catch {
        let text = String(decoding: bytes.prefix(300), as: UTF8.self)
        throw ProtocolViolation(.malformed, "a message is not JSON (\(error)): \(text)")
      }
      guard let type = view["type"], type.kind == .string else {
        let text = String(decoding: bytes.prefix(300), as: UTF8.self)
        throw ProtocolViolation(.malformed, "a message has no type: \(text)")
      }
      try dispatch(view, type, bytes, at: now, using: &workspace)
    } catch {
      report(error)
    }
  }

  private mutating func dispatch(
    _ view: JSONView, _ type: JSONView, _ bytes: UnsafeRawBufferPointer, at now: Int64,
    using workspace: inout ClientWorkspace
  ) throws(ProtocolViolation) {
    // RFC 6455 lets the server go on until it has seen our Close; nothing of it concerns us any more.
    if state == .closing { return }
    if !isWelcomed, !type.equals("welcome") { throw unexpected(type) }
    if type.equals("chat.message") {
      try takeChat(try MessageFields(view, "chat.message"), type)
    } else if type.equals("ok") {
      try takeOK(try MessageFields(view, "ok"), at: now, using: &workspace)
    } else if type.equals("presence.diff") {
      guard state == .present else { throw unexpected(type) }
      let difference = try PresenceDifference(try MessageFields(view, "presence.diff"))
      workspace.differences.remember(difference, of: bytes)
      try apply(difference)
    } else if type.equals("presence.count") {
      try takeCount(try MessageFields(view, "presence.count"), type)
    } else if type.equals("signal") {
      try takeSignal(try MessageFields(view, "signal"), type)
    } else if type.equals("session.joined") {
      try takeJoined(try MessageFields(view, "session.joined"), type, at: now, using: &workspace)
    } else if type.equals("session.status") {
      try takeStatus(try MessageFields(view, "session.status"), type)
    } else if type.equals("presence.state") {
      try takePresenceState(try MessageFields(view, "presence.state"), type, using: &workspace)
    } else if type.equals("waiting.count") {
      guard state == .waiting else { throw unexpected(type) }
      let fields = try MessageFields(view, "waiting.count")
      _ = try fields.time("at")
      guard try fields.value("session").equals(configuration.session) else { throw fields.wrong("session") }
      queue.append(.waiting(try checkedWaitingCount(fields)))
    } else if type.equals("attendance.summary") {
      guard state == .present else { throw unexpected(type) }
      let fields = try MessageFields(view, "attendance.summary")
      _ = try fields.time("at")
      guard try fields.value("session").equals(configuration.session) else { throw fields.wrong("session") }
      queue.append(.attendance(try AttendanceFigures(try fields.object("totals"))))
    } else if type.equals("notification") {
      queue.append(.notified(try NotificationEvent(try MessageFields(view, "notification"))))
    } else if try takeLifeMessage(view, type) {
      return
    } else if type.equals("error") {
      try takeError(try MessageFields(view, "error"), at: now, using: &workspace)
    } else if let kind = ConductEvent.Kind(type) {
      try takeConduct(kind, view, type)
    } else if type.equals("chat.typing") {
      try takeTyping(try MessageFields(view, "chat.typing"), type)
    } else if type.equals("ice_servers") {
      guard state == .present || state == .reading else { throw unexpected(type) }
      let fields = try MessageFields(view, "ice_servers")
      _ = try fields.time("at")
      queue.append(.iceServers(try ICEServers(fields)))
    } else if type.equals("pong") {
      let fields = try MessageFields(view, "pong")
      _ = try fields.time("at")
      let command = try answered(fields)
      guard case .ping = command.kind else { throw wrongAnswer(command, type) }
      queue.append(.answered(command.id, .done))
    } else if type.equals("welcome") {
      try takeWelcome(try MessageFields(view, "welcome"), type)
    } else if type.equals("ready") {
      try takeReady(try MessageFields(view, "ready"), type)
    } else if type.equals("server.draining") {
      let delay = try MessageFields(view, "server.draining").number("retry_after_ms")
      retryAfter = Int64(min(delay, 600_000))
      queue.append(.draining(retryAfterMilliseconds: retryAfter ?? 0))
    } else if type.equals("token.expiring") {
      let fields = try MessageFields(view, "token.expiring")
      _ = try fields.time("at")
      let expiry = try fields.date("expires_at")
      let delay = Int64(clamping: try fields.number("in_ms"))
      queue.append(.tokenExpiring(at: expiry, inMilliseconds: delay))
    } else {
      throw ProtocolViolation(.malformed, "a message is of the unknown type \(type.string ?? "")")
    }
  }

  // MARK: Answers

  func unexpected(_ type: JSONView) -> ProtocolViolation {
    ProtocolViolation(.unexpected, "\(type.string ?? "") came while the client was \(state.rawValue)")
  }

  func wrongAnswer(_ command: PendingCommand, _ type: JSONView) -> ProtocolViolation {
    ProtocolViolation(
      .unexpected, "command \(command.id.rawValue) (\(command.kind)) is answered with \(type.string ?? "")")
  }

  /// The command that a message answers, which is then no longer pending.
  private mutating func answered(_ fields: MessageFields) throws(ProtocolViolation) -> PendingCommand {
    guard let id = fields.view["id"]?.integer else { throw fields.wrong("id") }
    guard let command = pending.first(id), command.isSent else {
      throw ProtocolViolation(.unexpected, "\(fields.name) answers command \(id), which has no answer to get")
    }
    pending.remove(command.id)
    return command
  }

  private mutating func takeOK(
    _ fields: MessageFields, at now: Int64, using workspace: inout ClientWorkspace
  ) throws(ProtocolViolation) {
    let command = try answered(fields)
    switch command.kind {
    case .hello, .join, .ping:
      throw ProtocolViolation(.unexpected, "command \(command.id.rawValue) (\(command.kind)) is answered with ok")
    case .media, .signal, .conduct:
      queue.append(.answered(command.id, .done))
    case .leave:
      state = .outside
      memory = nil
      presence = nil
      // Nothing that was asked of the session before gets an answer behind this one.
      queue.append(.answered(command.id, .done))
    case .subscribe:
      // protocol/README.md, 6: "while waiting, or after the end, `ok`".
      guard state != .present else {
        throw ProtocolViolation(.unexpected, "presence.subscribe is answered with ok while present")
      }
      queue.append(.answered(command.id, .done))
    case .start, .end:
      let change = try checkedSession(try fields.object("session"))
      guard (command.kind == .start) == (change.status == .ongoing) else {
        throw ProtocolViolation(.contradiction, "\(command.kind) is answered with a session that is \(change.status)")
      }
      queue.append(.answered(command.id, .status(change.status)))
    case .chat(let digest):
      _ = try fields.time("at")
      let sequence = try fields.number("seq")
      let messageID = try fields.string("message_id", bytes: 2...20)
      queue.append(.answered(command.id, .said(sequence: sequence, messageID: messageID)))
      let position = memory?.stream.last ?? 0
      try memory?.messages.answer(sequence, messageID: messageID, textDigest: digest, position: position)
    case .life:
      let rest = fields.has("session") ? try checkedSession(try fields.object("session")).status : nil
      queue.append(.answered(command.id, rest.map { .status($0) } ?? .done))
    case .page:
      let page = try PresencePage(fields, mode: presence?.mode ?? .full)
      // A list that came meanwhile has taken the place of the one that this page belongs to.
      guard state == .present, currentPage == command.id else { return }
      presence?.add(page)
      queue.append(.presenceChanged)
      askForNextPage(using: &workspace)
    case .privateChat:
      _ = try fields.time("at")
      let sequence = try fields.number("seq")
      queue.append(
        .answered(command.id, .said(sequence: sequence, messageID: try fields.string("message_id", bytes: 2...20))))
    case .privateHistory(let limit):
      queue.append(.answered(command.id, .history(try ChatPage(fields, below: nil, limit: limit))))
    case .history(let before, let limit):
      let page = try ChatPage(fields, below: before, limit: limit)
      queue.append(.answered(command.id, .history(page)))
    case .renew(let token):
      _ = try fields.date("expires_at")
      if guestToken != nil {
        guestToken = try fields.string("guest_token", bytes: 1...ProtocolLimits.tokenBytes)
      } else {
        configuration.credential = .token(token)
      }
      queue.append(.answered(command.id, .done))
    case .attendance:
      queue.append(.answered(command.id, .attendance(try AttendancePage(fields))))
    case .plain:
      queue.append(.answered(command.id, .done))
    }
  }

  private mutating func takeError(
    _ fields: MessageFields, at now: Int64, using workspace: inout ClientWorkspace
  ) throws(ProtocolViolation) {
    let refusal = try ServerRefusal(fields)
    guard fields.has("id") else {
      // Without an id only a command that had none is refused, or the place of somebody who waits.
      if unnumberedCommands > 0 {
        unnumberedCommands -= 1
      } else if !(state == .waiting && [.sessionFull, .locked].contains(refusal.code)) {
        report(ProtocolViolation(.unexpected, "\(refusal) refuses nothing that was asked"))
      }
      queue.append(.refused(refusal))
      return
    }
    var command = try answered(fields)
    switch command.kind {
    case .hello:
      isRefusedEntry = true
      queue.append(.refused(refusal))
    case .join:
      didRefuseJoin(refusal, at: now, using: &workspace)
    case .page:
      if state == .present, currentPage == command.id {
        report(ProtocolViolation(.unexpected, "a page of presence is refused: \(refusal)"))
      }
    default:
      // What the server may be able to do later is asked again where a key makes that safe.
      guard command.message != nil, refusal.code.isRetryable, refusal.code != .sessionFull else {
        queue.append(.answered(command.id, .refused(refusal)))
        return
      }
      command.retryAt =
        now + 1 + configuration.delay.milliseconds(afterFailures: command.failures, random: workspace.random())
      command.failures += 1
      pending.append(command)
      queue.append(.delayed(command.id, refusal))
    }
  }

  private mutating func didRefuseJoin(
    _ refusal: ServerRefusal, at now: Int64, using workspace: inout ClientWorkspace
  ) {
    // Behind a refused hello nothing else can be expected.
    guard !isRefusedEntry else { return }
    state = .outside
    if refusal.code.isRetryable, refusal.code != .sessionFull, configuration.reconnects {
      joinRetryAt = now + 1 + configuration.delay.milliseconds(afterFailures: failures, random: workspace.random())
      failures += 1
    } else {
      memory = nil
    }
    queue.append(.joinRefused(refusal, nextAttempt: joinRetryAt))
  }

  // MARK: Opening

  private mutating func takeWelcome(_ fields: MessageFields, _ type: JSONView) throws(ProtocolViolation) {
    guard !isWelcomed else { throw unexpected(type) }
    isWelcomed = true
    guard try fields.value("version").equals("rollcall.v1") else { throw fields.wrong("version") }
    _ = try fields.text("server", bytes: 1...200)
    _ = try fields.array("features")
    let limits = try fields.object("limits")
    _ = try limits.number("message_bytes")
    _ = try limits.number("chat_text_bytes")
    _ = try fields.number("hello_timeout_ms")
    let interval = try fields.number("ping_interval_ms")
    guard interval > 0, interval < 86_400_000 else { throw fields.wrong("ping_interval_ms") }
    pingInterval = Int64(interval)
  }

  private mutating func takeReady(_ fields: MessageFields, _ type: JSONView) throws(ProtocolViolation) {
    guard state == .greeting, !isRefusedEntry else { throw unexpected(type) }
    let command = try answered(fields)
    guard case .hello = command.kind else { throw wrongAnswer(command, type) }
    let person = try fields.object("user")
    let name = try person.string("id", bytes: 1...ProtocolLimits.userBytes)
    _ = try person.string("name", bytes: 0...ProtocolLimits.nameBytes)
    _ = try person.choice("role", Role.self)
    let isGuest = try person.boolean("guest")
    _ = try fields.text("connection_id", bytes: 1...64)
    _ = try fields.date("expires_at")
    _ = try fields.time("at")
    if isGuest { guestToken = try fields.string("guest_token", bytes: 1...ProtocolLimits.tokenBytes) }
    if let user, user != name {
      report(ProtocolViolation(.contradiction, "\(user) came back and is called \(name)"))
    }
    user = name
    state = .joining
    queue.append(.ready(user: name, isGuest: isGuest))
  }

  /// A session object must be the session's, and what it says about its state must agree.
  func checkedSession(_ fields: MessageFields) throws(ProtocolViolation) -> StatusChange {
    guard try fields.value("id").equals(configuration.session) else { throw fields.wrong("id") }
    _ = try fields.text("title", bytes: 0...65_536)
    _ = try fields.text("host", bytes: 1...ProtocolLimits.userBytes)
    _ = try fields.dateOrNull("scheduled_at")
    _ = try fields.date("created_at")
    _ = try fields.choice("kind", SessionDetails.Kind.self)
    _ = try fields.choice("admission", SessionDetails.Admission.self)
    _ = try fields.choice("visibility", SessionDetails.Visibility.self)
    _ = try fields.boolean("guests")
    _ = try fields.numberOrNull("capacity")
    return try StatusChange(fields)
  }

  private func checkedWaitingCount(_ fields: MessageFields) throws(ProtocolViolation) -> Int {
    let count = try fields.count("count")
    // protocol/README.md, 4: how many people wait, the reader included.
    if count == 0, role?.isVisible ?? false {
      throw ProtocolViolation(.contradiction, "nobody waits, says the server to somebody who waits")
    }
    return count
  }

  private mutating func takeJoined(
    _ fields: MessageFields, _ type: JSONView, at now: Int64, using workspace: inout ClientWorkspace
  ) throws(ProtocolViolation) {
    let isAnswer = fields.has("id")
    if isAnswer {
      let command = try answered(fields)
      guard case .join = command.kind, state == .joining else { throw wrongAnswer(command, type) }
    } else {
      // protocol/README.md, 4: who waits comes in, or is told that it may; who reads comes in when the class goes on.
      guard state == .waiting || state == .reading else { throw unexpected(type) }
    }
    let entry = try Entry(
      fields, isAnswer: isAnswer, asked: askedToResume && isAnswer, configuration,
      isSubscribing: pending.isSubscribing)
    role = entry.event.role
    let change = try checkedSession(try fields.object("session"))
    if let known = user, entry.user != known {
      report(ProtocolViolation(.contradiction, "\(known) joined and is called \(entry.user)"))
    }
    enter(entry, change)
    failures = 0
    joinRetryAt = nil
    queue.append(.joined(entry.event))
    if entry.event.place == .waiting {
      let waiting = try fields.object("waiting")
      isKnocking = waiting.has("approved") ? try !waiting.boolean("approved") : false
      // Who leads the class is told the list that is written down: nobody comes to it while the disk cannot be written.
      let leads = entry.event.role.passesCapacity
      if !isKnocking { queue.append(.waiting(try leads ? waiting.count("count") : checkedWaitingCount(waiting))) }
    }
    if let presence = entry.presence { try begin(presence, using: &workspace) }
    resend(at: now, using: &workspace)
  }

  /// Takes over the state that the server let the client in with, and holds it against what is known.
  private mutating func enter(_ entry: Entry, _ change: StatusChange) {
    let event = entry.event
    let place = event.place
    switch place {
    case .waiting: state = .waiting
    case .present: state = .present
    case .ended: state = .reading
    }
    let fits =
      switch place {
      case .waiting: !change.status.isOver
      case .present: change.status == .ongoing
      case .ended: change.status == .completed
      }
    if !fits { report(ProtocolViolation(.contradiction, "a session that is \(change.status) is joined as \(place)")) }
    if place == .present, (entry.peer != nil) != event.role.isVisible {
      report(ProtocolViolation(.contradiction, "\(event.role) has \(entry.peer ?? "no address") as the address"))
    }

    if entry.peer != memory?.peer, entry.signalSequence != 0 {
      report(ProtocolViolation(.signals, "a new address begins with signal \(entry.signalSequence)"))
    }
    guard var known = memory else {
      memory = SessionMemory(
        epoch: entry.epoch, resumeToken: entry.resumeToken, stream: StreamPosition(after: event.position),
        status: change.status, revision: change.revision, peer: entry.peer, signalSequence: entry.signalSequence)
      memory?.messages.begin(after: event.position)
      memory?.entered = change.revision
      takeStreams(of: entry)
      return
    }
    compare(entry, with: known)
    if change.revision < known.revision {
      report(ProtocolViolation(.contradiction, "revision \(change.revision) comes after \(known.revision)"))
    }
    if entry.peer == nil || entry.peer != known.peer { known.politeness = [:] }
    known.signalSequence = entry.signalSequence
    if !event.isRecovered {
      known.stream = StreamPosition(after: event.position)
      known.status = change.status
      known.revision = change.revision
      known.messages.begin(after: event.position)
    } else if place == .waiting {
      // Who waits is told the events it missed, with their numbers, when it is let in.
      known.status = change.status
      known.revision = change.revision
      known.toldWhileWaiting = change.revision
    }
    known.entered = change.revision
    known.epoch = entry.epoch
    known.resumeToken = entry.resumeToken
    known.peer = entry.peer
    memory = known
    takeStreams(of: entry)
  }

  /// Takes over the places in the streams that not everybody has, and the policy.
  private mutating func takeStreams(of entry: Entry) {
    guard let known = memory else { return }
    if entry.event.isRecovered {
      if entry.own != known.own.last {
        report(
          ProtocolViolation(.contradiction, "recovered at \(entry.own) of the own stream, was at \(known.own.last)"))
      }
      if let hosts = known.hosts, let given = entry.hosts, given < hosts.last {
        report(ProtocolViolation(.contradiction, "recovered at \(given) of the hosts' stream, was at \(hosts.last)"))
      }
    }
    if (entry.hosts != nil) != entry.event.role.isModerating {
      report(
        ProtocolViolation(.contradiction, "\(entry.event.role) has \(entry.hosts == nil ? "no" : "the") hosts' stream"))
    }
    if entry.hosts != known.hosts?.last { memory?.hosts = entry.hosts.map { StreamPosition(after: $0) } }
    if entry.own != known.own.last { memory?.own = StreamPosition(after: entry.own) }
    if let policy = entry.policy { memory?.policy = policy }
  }

  private mutating func compare(_ entry: Entry, with known: SessionMemory) {
    let event = entry.event
    let position = known.stream.last
    // Said exactly when the address was kept.
    let keepsPeer = entry.peer != nil && entry.peer == known.peer
    if event.isResume, keepsPeer != (event.areSignalsRecovered != nil) {
      report(
        ProtocolViolation(
          .contradiction,
          "the address \(keepsPeer ? "was" : "was not") kept, and what is said of its signals does not fit"))
    }
    if event.areSignalsRecovered == true, entry.signalSequence != known.signalSequence {
      report(
        ProtocolViolation(
          .signals, "signals are recovered at \(entry.signalSequence), coming from \(known.signalSequence)"))
    }
    if event.isRecovered {
      if entry.epoch != known.epoch {
        report(ProtocolViolation(.contradiction, "recovered into epoch \(entry.epoch), coming from \(known.epoch)"))
      }
      if event.position != position {
        report(ProtocolViolation(.contradiction, "recovered at \(event.position), coming from \(position)"))
      }
      return
    }
    if event.notRecovered == .epochChanged, entry.epoch == known.epoch {
      report(ProtocolViolation(.contradiction, "the epoch is said to have changed and is the same"))
    }
    // protocol/README.md, 2: what was shown is safe; within an epoch numbers never go back. Who waits is told of none.
    let shown = max(position, known.messages.lastExpected)
    if event.place == .waiting, event.position == 0, event.notRecovered != .ahead { return }
    if entry.epoch == known.epoch, event.position < shown || event.notRecovered == .ahead {
      report(
        ProtocolViolation(
          .contradiction, "the stream is at \(event.position), and this client was told of \(shown) in the same epoch"))
    }
  }
}

/// A `session.joined` as it came over the wire.
private struct Entry {
  var event: JoinedEvent
  var user: String
  var epoch: String
  var resumeToken: String
  var peer: String?
  /// The number of the last signal for that address.
  var signalSequence: UInt64 = 0
  var presence: PresenceState?
  /// The places in the streams that not everybody has.
  var hosts: UInt64?
  var own: UInt64 = 0
  var policy: RoomPolicy?

  init(
    _ fields: MessageFields, isAnswer: Bool, asked: Bool, _ configuration: SignalingClientConfiguration,
    isSubscribing: Bool
  ) throws(ProtocolViolation) {
    _ = try fields.time("at")
    let place: JoinedEvent.Place = try fields.choice("state", JoinedEvent.Place.self)
    let person = try fields.object("you")
    user = try person.string("user", bytes: 1...ProtocolLimits.userBytes)
    _ = try person.string("name", bytes: 0...ProtocolLimits.nameBytes)
    let role = try person.choice("role", Role.self)
    epoch = try fields.string("epoch", bytes: 1...64)
    let isRecovered = try fields.boolean("recovered")
    if isRecovered, !asked { throw fields.wrong("recovered") }
    var notRecovered: JoinedEvent.NotRecovered?
    if asked, !isRecovered {
      notRecovered = try fields.choice("not_recovered", JoinedEvent.NotRecovered.self)
    } else {
      try fields.forbid("not_recovered")
    }
    if !asked { try fields.forbid("signals_recovered") }
    let areSignalsRecovered = fields.has("signals_recovered") ? try fields.boolean("signals_recovered") : nil

    resumeToken = try fields.string("resume_token", bytes: 1...ProtocolLimits.resumeTokenBytes)
    let streams = try fields.object("streams")
    let position = try streams.number("room")
    hosts = streams.has("hosts") ? try streams.number("hosts") : nil
    guard let number = streams.view[StreamName.user(user).text]?.integer, number >= 0 else {
      throw fields.wrong("streams")
    }
    own = UInt64(number)
    peer = try fields.optionalString("peer", bytes: 1...ProtocolLimits.userBytes)
    if peer != nil { signalSequence = try fields.number("signal_seq") } else { try fields.forbid("signal_seq") }
    var chat: ChatPage?
    if place == .waiting {
      try fields.forbid("chat")
      try fields.forbid("ice_servers")
    } else {
      _ = try ICEServers(fields)
      _ = try Stage(try fields.object("stage"))
      if !role.passesCapacity { try fields.forbid("waiting") }
      policy = try RoomPolicy(try fields.object("policy"))
      if isRecovered {
        try fields.forbid("chat")
      } else {
        chat = try ChatPage(
          try fields.object("chat"), below: position &+ 1, limit: ProtocolLimits.historyDefault)
      }
    }
    if place == .present {
      let state = try PresenceState(try fields.object("presence"))
      // Who waits can be let in before the server has read of another mode.
      guard state.mode == configuration.presence || isSubscribing else { throw fields.wrong("presence") }
      presence = state
    } else {
      try fields.forbid("presence")
      try fields.forbid("peer")
    }
    event = JoinedEvent(
      place: place, role: role, status: .scheduled, isResume: asked, isRecovered: isRecovered,
      notRecovered: notRecovered, areSignalsRecovered: areSignalsRecovered, position: position, chat: chat)
  }
}

extension ServerRefusal {
  init(_ fields: MessageFields) throws(ProtocolViolation) {
    code = try fields.choice("code", ErrorCode.self)
    message = try fields.string("message", bytes: 1...4096)
    guard try fields.boolean("retryable") == code.isRetryable else { throw fields.wrong("retryable") }
    outcome = try fields.object("details").optionalString("outcome", bytes: 1...64)
  }
}
