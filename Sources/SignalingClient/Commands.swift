import JSON
import SignalingProtocol

// What a client asks of the server.
extension SignalingClient {
  // MARK: Coming in

  /// Says who this is and asks to come in at once: a client need not wait for `ready`.
  mutating func greet(using workspace: inout ClientWorkspace) {
    let id = pending.newID()
    let credential = guestToken.map(ClientMessage.Hello.token) ?? configuration.credential
    ClientCommand.hello(credential, id: id, into: &workspace.writer)
    sendWritten(using: &workspace)
    pending.append(PendingCommand(id: id, kind: .hello, message: nil, isSent: true))
    writeJoin(using: &workspace)
  }

  private mutating func writeJoin(using workspace: inout ClientWorkspace) {
    let id = pending.newID()
    askedToResume = canResume
    ClientCommand.join(
      configuration.session, presence: configuration.presence, resuming: memory, as: user, id: id,
      into: &workspace.writer)
    sendWritten(using: &workspace)
    pending.append(PendingCommand(id: id, kind: .join, message: nil, isSent: true))
  }

  mutating func sendJoin(at now: Int64, using workspace: inout ClientWorkspace) {
    guard state == .outside else { return }
    state = .joining
    openedAt = now
    writeJoin(using: &workspace)
  }

  /// Asks to come in again, after a refusal or after having left.
  public mutating func join(at now: Int64, using workspace: inout ClientWorkspace) {
    joinRetryAt = nil
    sendJoin(at: now, using: &workspace)
  }

  /// Sends what waits for this connection, and what is due to be sent again.
  mutating func resend(at now: Int64, using workspace: inout ClientWorkspace) {
    guard isIn else { return }
    for command in pending.entries {
      guard let message = command.message, !command.isSent || command.retryAt.map({ $0 <= now }) ?? false else {
        continue
      }
      send(message, using: &workspace)
      pending.update(command.id) { command in
        command.isSent = true
        command.retryAt = nil
      }
    }
  }

  // MARK: With a key: repeated until answered, over as many connections as it takes

  /// Says something. With a key it is sent as soon as the client is in, and again until it is answered; without, only when
  /// it is in now.
  ///
  /// A server remembers the newest 256 keys of a user for ten minutes: no more are to be without an answer.
  ///
  /// - Returns: nil when it could not be sent.
  public mutating func say(_ text: String, key: String?, using workspace: inout ClientWorkspace) -> CommandID? {
    command("chat.send", .chat(Digest.of(text.utf8)), key: key, using: &workspace) { $0.field("text", text) }
  }

  /// Starts the session; see ``say(_:key:using:)`` for the key.
  public mutating func start(key: String?, using workspace: inout ClientWorkspace) -> CommandID? {
    command("session.start", .start, key: key, using: &workspace) { _ in }
  }

  /// Ends the session; see ``say(_:key:using:)`` for the key.
  public mutating func end(key: String?, using workspace: inout ClientWorkspace) -> CommandID? {
    command("session.end", .end, key: key, using: &workspace) { _ in }
  }

  /// Calls the session off.
  public mutating func cancel(
    reason: String?, key: String?, using workspace: inout ClientWorkspace
  ) -> CommandID? {
    command("session.cancel", .life, key: key, using: &workspace) { writer in
      if let reason { writer.field("reason", reason) }
    }
  }

  /// Says that the class begins now.
  public mutating func announce(_ text: String?, key: String?, using workspace: inout ClientWorkspace) -> CommandID? {
    command("session.announce", .life, key: key, using: &workspace) { writer in
      if let text { writer.field("text", text) }
    }
  }

  /// Changes fields of the session, those that `fields` writes.
  public mutating func update(
    key: String?, using workspace: inout ClientWorkspace, fields: (inout JSONWriter) -> Void
  ) -> CommandID? {
    command("session.update", .life, key: key, using: &workspace, fields)
  }

  /// Asks for another time, written as RFC 3339 says.
  public mutating func reschedule(
    to start: String, key: String?, using workspace: inout ClientWorkspace
  ) -> CommandID? {
    command("session.reschedule", .life, key: key, using: &workspace) { $0.field("scheduled_at", start) }
  }

  /// Lets in somebody who waits; nil lets in everybody.
  public mutating func admit(_ user: String?, key: String?, using workspace: inout ClientWorkspace) -> CommandID? {
    command("waiting.admit", .life, key: key, using: &workspace) { writer in
      if let user { writer.field("user", user) } else { writer.field("all", true) }
    }
  }

  /// Turns away somebody who waits.
  public mutating func deny(_ user: String, key: String?, using workspace: inout ClientWorkspace) -> CommandID? {
    command("waiting.deny", .life, key: key, using: &workspace) { $0.field("user", user) }
  }

  /// Asks for what the domain knows by itself: to raise a hand, to mute somebody, to react to a message. See
  /// ``say(_:key:using:)`` for the key.
  public mutating func perform(
    _ request: ConductRequest, key: String? = nil, using workspace: inout ClientWorkspace
  ) -> CommandID? {
    command(request.type, request.isPrivateChat ? .privateChat : .conduct, key: key, using: &workspace, request.write)
  }

  // MARK: Without a key: nil when the client is not in the session now

  /// Leaves the session; the connection stays.
  public mutating func leave(using workspace: inout ClientWorkspace) -> CommandID? {
    command("session.leave", .leave, key: nil, using: &workspace) { _ in }
  }

  /// Changes how much of presence is shown, now and from now on.
  public mutating func subscribe(_ mode: PresenceMode, using workspace: inout ClientWorkspace) -> CommandID? {
    let id = command("presence.subscribe", .subscribe(mode), key: nil, using: &workspace) {
      $0.field("mode", mode.rawValue)
    }
    if id != nil { configuration.presence = mode }
    return id
  }

  /// Says what this client sends; nil leaves it as it is.
  public mutating func setMedia(
    audio: Bool? = nil, video: Bool? = nil, screen: Bool? = nil, using workspace: inout ClientWorkspace
  ) -> CommandID? {
    command("media.set", .media, key: nil, using: &workspace) { writer in
      if let audio { writer.field("audio", audio) }
      if let video { writer.field("video", video) }
      if let screen { writer.field("screen", screen) }
    }
  }

  /// Asks for older messages: those below a number, or the newest.
  public mutating func history(
    before: UInt64?, limit: Int, using workspace: inout ClientWorkspace
  ) -> CommandID? {
    command("chat.history", .history(before: before, limit: limit), key: nil, using: &workspace) { writer in
      if let before { writer.field("before", before) }
      writer.field("limit", limit)
    }
  }

  /// Asks for a page of the attendance report, of which who does not lead the class sees the own row.
  /// - Parameter after: `next` of the page before.
  public mutating func attendance(
    after: UInt64 = 0, limit: Int = ProtocolLimits.attendancePage, using workspace: inout ClientWorkspace
  ) -> CommandID? {
    command("attendance.get", .attendance, key: nil, using: &workspace) { writer in
      writer.field("after", after)
      writer.field("limit", limit)
    }
  }

  /// Says of somebody to be in the place where the class is held; see ``say(_:key:using:)`` for the key.
  public mutating func checkIn(
    _ user: String, name: String? = nil, key: String?, using workspace: inout ClientWorkspace
  ) -> CommandID? {
    command("participant.check_in", .plain, key: key, using: &workspace) { writer in
      writer.field("user", user)
      if let name { writer.field("name", name) }
    }
  }

  /// Says of somebody to have gone; see ``say(_:key:using:)`` for the key.
  public mutating func checkOut(_ user: String, key: String?, using workspace: inout ClientWorkspace) -> CommandID? {
    command("participant.check_out", .plain, key: key, using: &workspace) { $0.field("user", user) }
  }

  /// Asks for what was said to the hosts, as far as it is for this client: what is below a number, or the newest.
  public mutating func privateHistory(
    before: UInt64?, limit: Int, using workspace: inout ClientWorkspace
  ) -> CommandID? {
    command("chat.history", .privateHistory(limit: limit), key: nil, using: &workspace) { writer in
      writer.field("private", true)
      if let before { writer.field("before", before) }
      writer.field("limit", limit)
    }
  }

  /// Sends a signal to another peer.
  ///
  /// - Parameter payload: writes one JSON value.
  /// - Returns: nil when it could not be sent.
  public mutating func signal(
    to peer: String, _ kind: SignalKind, negotiation: String?, using workspace: inout ClientWorkspace,
    payload: (inout JSONWriter) -> Void
  ) -> CommandID? {
    command("signal", .signal, key: nil, using: &workspace) { writer in
      Self.write(peer, kind, negotiation, payload, into: &writer)
    }
  }

  /// Sends a signal without a number, so that only a refusal is answered.
  /// - Returns: false when it could not be sent.
  public mutating func signalUnanswered(
    to peer: String, _ kind: SignalKind, negotiation: String?, using workspace: inout ClientWorkspace,
    payload: (inout JSONWriter) -> Void
  ) -> Bool {
    guard isIn else { return false }
    ClientCommand.begin("signal", id: nil, into: &workspace.writer)
    Self.write(peer, kind, negotiation, payload, into: &workspace.writer)
    workspace.writer.endObject()
    sendWritten(using: &workspace)
    unnumberedCommands += 1
    return true
  }

  private static func write(
    _ peer: String, _ kind: SignalKind, _ negotiation: String?, _ payload: (inout JSONWriter) -> Void,
    into writer: inout JSONWriter
  ) {
    writer.field("to", peer)
    writer.field("kind", kind.rawValue)
    if let negotiation { writer.field("negotiation", negotiation) }
    writer.key("payload")
    payload(&writer)
  }

  /// Asks whether the server is there.
  public mutating func ping(using workspace: inout ClientWorkspace) -> CommandID? {
    command("ping", .ping, key: nil, using: &workspace) { _ in }
  }

  /// Brings a new token of the same user. Once it is taken, later connections come with it too.
  /// - Returns: nil when there is no connection that was greeted.
  public mutating func renew(_ token: String, using workspace: inout ClientWorkspace) -> CommandID? {
    guard isIn || state == .outside || state == .joining else { return nil }
    let id = pending.newID()
    ClientCommand.begin("token.renew", id: id, into: &workspace.writer)
    workspace.writer.field("token", token)
    workspace.writer.endObject()
    sendWritten(using: &workspace)
    pending.append(PendingCommand(id: id, kind: .renew(token), message: nil, isSent: true))
    return id
  }

  /// Brings the token that a guest was given: the server gives another for it.
  /// - Returns: nil for who is no guest, and when there is no connection that was greeted.
  public mutating func renewAsGuest(using workspace: inout ClientWorkspace) -> CommandID? {
    guestToken.flatMap { renew($0, using: &workspace) }
  }

  mutating func askForPage(after cursor: UInt64, using workspace: inout ClientWorkspace) {
    _ = command("presence.page", .page, key: nil, using: &workspace) { $0.field("after", cursor) }
  }

  private mutating func command(
    _ type: StaticString, _ kind: PendingCommand.Kind, key: String?, using workspace: inout ClientWorkspace,
    _ body: (inout JSONWriter) -> Void
  ) -> CommandID? {
    let canSend = isIn || kind == .ping && state == .outside
    guard canSend || key != nil else { return nil }
    let id = pending.newID()
    ClientCommand.begin(type, id: id, into: &workspace.writer)
    body(&workspace.writer)
    if let key { writer(&workspace, key) }
    workspace.writer.endObject()
    if canSend { sendWritten(using: &workspace) }
    pending.append(
      PendingCommand(id: id, kind: kind, message: key == nil ? nil : workspace.writer.bytes, isSent: canSend))
    return id
  }

  private func writer(_ workspace: inout ClientWorkspace, _ key: String) { workspace.writer.field("key", key) }
}
