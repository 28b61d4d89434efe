import Bytes
import Classroom
import EventLoop
import HTTPCore
import JSON
import RoomShard
import SignalingProtocol
import TLS
import WebSocketCore

// What a loop does with WebSocket connections.
extension ServerLoop {
  // MARK: Opening

  /// Judges an upgrade request and goes on as a WebSocket.
  /// - Returns: whether the connection is a WebSocket now.
  func upgrade(_ request: HTTPRequest, purpose: WebSocketState.Purpose, of id: SlotID) -> Bool {
    guard let connection = connections.pointer(to: id) else { return false }
    let upgrade = WebSocketUpgradeRequest(
      method: request.method, isHTTP11OrLater: request.versionMinor >= 1,
      fields: request.headers.map { (name: $0.name, value: $0.value) })
    let acceptance: WebSocketAcceptance
    do throws(WebSocketRejection) {
      acceptance = try WebSocketHandshake.accept(
        upgrade, subprotocols: purpose == .signaling ? ["rollcall.v1"] : [])
    } catch {
      refuse(error, request, of: id)
      return false
    }
    // What stands between the head and the first frame would be a body to one party and frames to another.
    guard request.body.isEmpty, request.headers.all("transfer-encoding").isEmpty else {
      respond(to: request, with: ProtocolError(.badRequest, "A WebSocket handshake has no body."), of: id)
      return false
    }
    guard attribute(request, of: id) else {
      respond(
        to: request,
        with: ProtocolError(.tooManyConnections, "This address has as many connections as one may have."),
        headers: [("Retry-After", "10")], of: id)
      return false
    }
    guard isOriginAllowed(request, isSecure: connection.pointee.tls != nil) else {
      respond(
        to: request, with: ProtocolError(.originNotAllowed, "WebSocket connections from this Origin are refused."),
        of: id)
      return false
    }
    let compression = agreeOnCompression(acceptance.extensionOffers, request, purpose: purpose)
    enqueue(acceptance.responseHead(extensions: compression.map { [$0.response] } ?? []), to: id)
    figures.count(.upgrades)
    let limits =
      purpose == .signaling
      ? self.limits.webSocket
      : WebSocketLimits(
        maximumMessageBytes: TransportLimits.echoMessageBytes, maximumFramesPerMessage: TransportLimits.echoFrames)
    connection.pointee.http = nil
    connection.pointee.webSocket = WebSocketState(
      machine: WebSocketConnection(role: .server, limits: limits, permitsCompression: compression != nil),
      purpose: purpose, deflateWindowBits: UInt8(compression?.agreement.serverMaxWindowBits ?? 0))
    switch purpose {
    case .signaling:
      connection.pointee.deadline = monotonicNow + patience.hello
      welcome.withUnsafeBytes { sendText($0, to: id) }
    case .echo:
      connection.pointee.webSocket?.echo = compression.map { EchoCompression($0.agreement) }
      connection.pointee.deadline = monotonicNow + silence
    }
    return true
  }

  /// The first message to everybody: it says nothing of whom it is for.
  static func makeWelcome(_ configuration: ServerConfiguration) -> [UInt8] {
    var announced = AnnouncedLimits()
    announced.messageBytes = configuration.limits.messageBytes
    announced.messagesPerSecond = configuration.limits.messageRate
    announced.messageBurst = configuration.limits.messageBurst
    announced.helloTimeoutMilliseconds = configuration.patience.hello
    announced.tokenWarningMilliseconds = configuration.tokenWarningMilliseconds
    var writer = JSONWriter(reserving: 1024)
    ServerMessage.welcome(
      server: "rollcall/\(RollcallVersion.current)", pingIntervalMilliseconds: configuration.patience.ping,
      graceMilliseconds: configuration.shard.graceMilliseconds, limits: announced, into: &writer)
    return writer.bytes
  }

  private func refuse(_ rejection: WebSocketRejection, _ request: HTTPRequest, of id: SlotID) {
    let code: ErrorCode =
      switch rejection.status {
      case 426: rejection == .notAnUpgrade ? .upgradeRequired : .unsupportedVersion
      default: rejection == .noCommonSubprotocol ? .unsupportedSubprotocol : .badRequest
      }
    respond(
      to: request, with: ProtocolError(code, rejection.reason), status: rejection.status,
      headers: rejection.fields, of: id)
  }

  /// RFC 6455, 10.2: browsers say where a page comes from; pages of others must not speak with a user's rights.
  private func isOriginAllowed(_ request: HTTPRequest, isSecure: Bool) -> Bool {
    let origins = request.headers.all("origin")
    guard let origin = origins.first else { return true }
    guard origins.count == 1, let host = request.headers.first("host") else { return false }
    let value = origin.lowercased()
    // A page that came without TLS may be anybody's on the way. Without TLS here, a proxy may have it.
    return !isSecure && value == "http://\(host.lowercased())" || value == "https://\(host.lowercased())"
      || value == context.configuration.publicAddress?.origin.rawValue
      || self.origins.contains { $0.rawValue == value }
  }

  // MARK: Receiving

  /// Gives bytes to the frame machine, message by message, as long as it is the connection's turn.
  func takeInFrames(_ input: UnsafeMutableRawBufferPointer, from id: SlotID) {
    var consumed = 0
    var turns = 0
    while let connection = connections.pointer(to: id),
      let isLeaving = connection.pointee.webSocket?.isLeaving()
    {
      // A burst waits while the connection does not read its answers, or while it changes to another loop.
      let isBehind = !connection.pointee.backlog.isEmpty
      if consumed < input.count, isLeaving || isBehind || turns == TransportLimits.messagesPerTurn || isTickFull {
        let rest = UnsafeMutableRawBufferPointer(rebasing: input[consumed...])
        postpone(rest, of: id, takesTurn: !isLeaving && !isBehind)
        return
      }
      guard let event = nextEvent(input, consumed: &consumed, of: connection) else { return }
      turns += 1
      handle(event, from: id)
    }
  }

  private func nextEvent(
    _ input: UnsafeMutableRawBufferPointer, consumed: inout Int, of connection: UnsafeMutablePointer<Connection>
  ) -> WebSocketEvent? {
    guard connection.pointee.webSocket?.agreedWindowBits() ?? 0 > 0 else {
      return connection.pointee.webSocket?.machine.next(input, consumed: &consumed)
    }
    if let echo = connection.pointee.webSocket?.echo {
      return connection.pointee.webSocket?.machine.next(input, consumed: &consumed, inflater: &echo.inflater)
    }
    return connection.pointee.webSocket?.machine.next(input, consumed: &consumed, inflater: &compression.inflater)
  }

  private func handle(_ event: WebSocketEvent, from id: SlotID) {
    guard let purpose = connections.pointer(to: id)?.pointee.webSocket?.standing().purpose else { return }
    switch event {
    case .text(let payload):
      figures.count(.messagesIn)
      switch purpose {
      case .signaling: take(payload, from: id)
      case .echo: echo(.text, payload, to: id)
      }
    case .binary(let payload):
      figures.count(.messagesIn)
      switch purpose {
      case .signaling: close(id, for: .unsupportedData)
      case .echo: echo(.binary, payload, to: id)
      }
    case .ping(let payload): if chargeControlFrame(of: id) { sendFrame(.pong, payload, to: id) }
    case .pong: _ = chargeControlFrame(of: id)
    case .close(let code, _):
      // RFC 6455, 7.4.1: the purpose is fulfilled, or the page is left.
      if code == .normalClosure || code == .goingAway {
        connections.pointer(to: id)?.pointee.webSocket?.hasSaidGoodbye = true
      }
      sendClose(code: code, reason: "", to: id)
    case .failure(let failure):
      note(failure)
      sendClose(code: failure.closeCode, reason: failure.reason, to: id)
    }
  }

  private func take(_ payload: UnsafeRawBufferPointer, from id: SlotID) {
    let verdict = chargeMessage(of: id)
    if verdict == .exhausted {
      close(id, for: .rateLimited)
      return
    }
    let view: JSONView
    do throws(JSONError) {
      view = try reader.read(payload, maximumDepth: ProtocolLimits.jsonDepth)
    } catch {
      say(to: id) {
        ServerMessage.error(ProtocolError(.malformedJSON, "This is not a JSON object."), id: nil, into: &$0)
      }
      return
    }
    let envelope = ClientEnvelope(view)
    if case .refused(let delay) = verdict {
      var error = ProtocolError(.rateLimited, "This is more than one may send: wait a little.")
      error.retryAfterMilliseconds = delay
      complain(error, id: envelope.id, to: id)
      return
    }
    switch envelope.message {
    case .failure(let error): complain(error, id: envelope.id, to: id)
    case .success(let message): handle(message, id: envelope.id, from: id)
    }
  }

  func complain(_ error: ProtocolError, id commandID: Int64?, to id: SlotID) {
    say(to: id) { ServerMessage.error(error, id: commandID, into: &$0) }
  }

  private func handle(_ message: ClientMessage, id commandID: Int64?, from id: SlotID) {
    guard let connection = connections.pointer(to: id) else { return }
    let isGreeted = connection.pointee.webSocket?.standing().isGreeted == true
    switch message {
    case .ping:
      say(to: id) { ServerMessage.pong(id: commandID, at: now, into: &$0) }
    case .hello(let hello):
      if !isGreeted {
        greet(hello, id: commandID, from: id)
      } else {
        complain(ProtocolError(.alreadyGreeted, "This connection has said hello."), id: commandID, to: id)
      }
    case .sessionJoin(let session, let presence, let resume):
      guard let identity = connection.pointee.webSocket?.identity else {
        complain(ProtocolError(.helloExpected, "Say hello first."), id: commandID, to: id)
        return
      }
      endWatching(id)
      join(identity, session: session, presence: presence, resume: resume, id: commandID, from: id)
    case .tokenRenew(let token):
      if isGreeted {
        renew(token, id: commandID, from: id)
      } else {
        complain(ProtocolError(.helloExpected, "Say hello first."), id: commandID, to: id)
      }
    case .sessionsWatch(let isOn):
      guard let identity = connection.pointee.webSocket?.identity else {
        complain(ProtocolError(.helloExpected, "Say hello first."), id: commandID, to: id)
        return
      }
      guard !shard.isMember(ConnectionID(rawValue: id.rawValue)) else {
        complain(
          ProtocolError(.alreadyJoined, "This connection is in a session; leave it first."), id: commandID, to: id)
        return
      }
      watchSessions(isOn, as: identity, id: commandID, from: id)
    default:
      if !isGreeted {
        complain(ProtocolError(.helloExpected, "Say hello first."), id: commandID, to: id)
      } else {
        shard.handle(message, id: commandID, from: ConnectionID(rawValue: id.rawValue), at: now)
      }
    }
  }

  // MARK: Joining

  private func join(
    _ identity: Identity, session: String, presence: PresenceMode, resume: ClientMessage.Resume?,
    id commandID: Int64?, from id: SlotID
  ) {
    let loop = RoomPlacement.loop(of: session, count: context.mailboxes.count)
    let name = ConnectionID(rawValue: id.rawValue)
    if loop == context.index || shard.isMember(name) {
      shard.join(
        identity, session: session, presence: presence, resume: resume, id: commandID, connection: name, at: now)
    } else {
      connections.pointer(to: id)?.pointee.webSocket?.departure = WebSocketState.Departure(
        session: session, presence: presence, resume: resume, commandID: commandID)
      shard.handOver(name)
    }
  }

  /// Sends a connection to the loop of the room that it asked to join.
  func handOver(_ id: SlotID) {
    guard let departure = connections.pointer(to: id)?.pointee.webSocket?.departure else { return }
    let loop = RoomPlacement.loop(of: departure.session, count: context.mailboxes.count)
    guard var connection = takeOut(id), let state = connection.webSocket, let identity = state.identity else {
      // It stays here, to end here: what it says in reply to our Close is listened to again.
      connections.pointer(to: id)?.pointee.webSocket?.departure = nil
      giveTurn(to: id)
      return
    }
    var tls: Handoff<TLSSession>?
    if var session = connection.tls.take() {
      session.detach()
      tls = Handoff(session)
    }
    let handover = Handover(
      descriptor: connection.socket.take().release(), tls: tls, machine: state.machine,
      deflateWindowBits: state.deflateWindowBits, identity: identity, session: departure.session,
      presence: departure.presence, resume: departure.resume,
      commandID: departure.commandID,
      input: connection.input, backlog: Array(connection.backlog.front), lastHeard: connection.lastHeard,
      network: connection.admission.take()?.release(), messageBucket: state.messageBucket,
      controlFrameBucket: state.controlFrameBucket, userRate: state.userRate, isTokenWarned: state.isTokenWarned)
    if !context.mailboxes[loop].post(.adopt(handover)) { handover.discard(context, at: microsecondsNow) }
  }

  /// Takes over a connection from another loop, and goes on where that one stopped.
  func adopt(_ handover: Handover) {
    var connection = Connection(
      socket: FileDescriptor(owning: handover.descriptor), now: monotonicNow, deadline: monotonicNow + silence,
      http: nil)
    connection.admission = Admission(handover.network, in: context.census)
    connection.lastHeard = handover.lastHeard
    connection.tls = handover.tls?.take()
    if let secure { connection.tls?.attach(to: secure.wire) }
    var state = WebSocketState(
      machine: handover.machine, purpose: .signaling, deflateWindowBits: handover.deflateWindowBits,
      identity: handover.identity)
    state.messageBucket = handover.messageBucket
    state.controlFrameBucket = handover.controlFrameBucket
    state.userRate = handover.userRate
    state.isTokenWarned = handover.isTokenWarned
    connection.webSocket = state
    let isKept = handover.backlog.withUnsafeBytes { connection.backlog.append($0) }
    connection.interest = handover.backlog.isEmpty ? .readable : [.readable, .writable]
    let (descriptor, interest) = (connection.socket.rawValue, connection.interest)
    let id = connections.insert(connection)
    do throws(SystemError) {
      try poller.add(descriptor, interest, token: id.rawValue)
    } catch {
      context.logger.error("a connection cannot be watched: \(error)")
      close(id)
      return
    }
    guard isKept else {
      close(id)
      return
    }
    if isDraining {
      sayGoodbye(to: id)
      return
    }
    watchToken(of: id)
    shard.join(
      handover.identity, session: handover.session, presence: handover.presence, resume: handover.resume,
      id: handover.commandID, connection: ConnectionID(rawValue: id.rawValue), at: now)
    var input = handover.input
    input.withUnsafeMutableBytes { takeIn($0, from: id) }
    endIfOtherSideHas(id)
  }

  // MARK: Sending

  /// Writes a message of the connection's own and sends it at the end of the tick.
  func say(to id: SlotID, _ body: (inout JSONWriter) -> Void) {
    writer.removeAll()
    body(&writer)
    writer.withUnsafeBytes { sendText($0, to: id) }
  }

  /// Sends a text message to one connection.
  func sendText(_ message: UnsafeRawBufferPointer, to id: SlotID) {
    sendFrame(.text, message, to: id)
  }

  private func sendFrame(_ opcode: WebSocketOpcode, _ payload: UnsafeRawBufferPointer, to id: SlotID) {
    // RFC 6455, 5.5.1: nothing after a Close.
    guard connections.pointer(to: id)?.pointee.webSocket?.isOpen() == true else { return }
    if opcode == .text || opcode == .binary { figures.count(.messagesOut) }
    enqueue(makeFrame(opcode, payload), to: id)
  }

  func makeFrame(
    _ opcode: WebSocketOpcode, _ payload: UnsafeRawBufferPointer, reservedBits: WebSocketReservedBits = [],
    lane: Int = TickOutput.ownLane
  ) -> ByteRange {
    arena.append(byCount: WebSocketFrame.length(payloadCount: payload.count, masked: false), toLane: lane) {
      WebSocketFrame.write(opcode, payload: payload, reservedBits: reservedBits, to: $0)
    }
  }

  // MARK: Closing

  /// Closes for a reason of ours.
  func close(_ id: SlotID, for reason: CloseReason) {
    sendClose(code: WebSocketCloseCode(rawValue: reason.rawValue), reason: reason.text, to: id)
  }

  private func sendClose(code: WebSocketCloseCode?, reason: String, to id: SlotID) {
    guard let connection = connections.pointer(to: id) else { return }
    noteClose(code, of: connection)
    if let frame = connection.pointee.webSocket?.machine.closeFrame(code: code, reason: reason) {
      enqueue(frame, to: id)
    }
    connection.pointee.deadline = monotonicNow + patience.close
    switch connection.pointee.webSocket?.machine.transportAction {
    case .close:
      // Both have said good-bye; the flush at the end of the tick ends it, also when nothing is left to send.
      connection.pointee.closesAfterFlush = true
      enqueue([], to: id)
    case .keepOpen, .awaitPeer, nil: break
    }
  }

  /// Remembers the code of the first Close.
  private func noteClose(_ code: WebSocketCloseCode?, of connection: UnsafeMutablePointer<Connection>) {
    guard connection.pointee.webSocket?.closeCode == 0 else { return }
    connection.pointee.webSocket?.closeCode = code?.rawValue ?? 1005
  }

  /// The client does not read what it is sent.
  func closeAsSlow(_ id: SlotID) {
    figures.count(.outboundBytes)
    guard let connection = connections.pointer(to: id),
      let frame = connection.pointee.webSocket?.machine.closeFrame(
        code: WebSocketCloseCode(rawValue: CloseReason.slowConsumer.rawValue), reason: CloseReason.slowConsumer.text)
    else {
      fail(id)
      return
    }
    noteClose(WebSocketCloseCode(rawValue: CloseReason.slowConsumer.rawValue), of: connection)
    // It goes behind what is queued; who does not take it within the time for closing is cut.
    connection.pointee.closesAfterFlush = true
    connection.pointee.deadline = monotonicNow + patience.close
    frame.withUnsafeBytes { frame in
      if connection.pointee.tls != nil {
        sendEncrypted(frame, UnsafeRawBufferPointer(start: nil, count: 0), to: id)
      } else if !connection.pointee.backlog.append(frame) {
        fail(id)
      }
    }
  }

  /// Over how long everybody is asked to spread when the server ends, so that they do not all come back at once.
  private var comebackMilliseconds: Int64 {
    min(max(2000, Int64(context.census.total) * 1000 / TransportLimits.comebacksPerSecond), 30_000)
  }

  /// The server ends.
  func sayGoodbye(to id: SlotID) {
    guard let connection = connections.pointer(to: id) else { return }
    guard connection.pointee.webSocket != nil else {
      // A request that is under way is answered, and that answer ends the connection.
      if connection.pointee.http?.pending != nil { return }
      connection.pointee.closesAfterFlush = true
      enqueue([], to: id)
      return
    }
    let delay = Int64.random(in: 500...(500 + comebackMilliseconds))
    if connection.pointee.webSocket?.purpose == .signaling {
      say(to: id) { ServerMessage.draining(retryAfterMilliseconds: delay, into: &$0) }
    }
    close(id, for: .serviceRestart)
  }

  // MARK: Time

  /// A connection's deadline has come.
  func expire(_ id: SlotID) {
    guard let connection = connections.pointer(to: id) else { return }
    guard let state = connection.pointee.webSocket else {
      expireRequest(of: id)
      return
    }
    guard state.machine.isOpen, !connection.pointee.isLingering else {
      close(id)
      return
    }
    if state.purpose == .signaling, state.identity == nil {
      figures.count(.helloTime)
      close(id, for: .helloTimeout)
      return
    }
    let due = connection.pointee.lastHeard + silence
    if !connection.pointee.isPinged, due > monotonicNow {
      connection.pointee.deadline = due
    } else if !connection.pointee.isPinged {
      connection.pointee.isPinged = true
      connection.pointee.deadline = monotonicNow + patience.ping
      sendFrame(.ping, UnsafeRawBufferPointer(start: nil, count: 0), to: id)
    } else {
      figures.count(.silence)
      // Half open: the Close frame will hardly arrive, and the person was last here when last heard.
      close(id, for: .noPong)
      connection.pointee.closesAfterFlush = true
    }
  }
  /// How long a client may be silent before it is pinged: not the same for all, so that those who came together are not
  /// pinged together for ever.
  var silence: Int64 { patience.ping - Int64.random(in: 0...max(0, patience.ping / 4)) }
}
