import Bytes
import Classroom
import HTTPCore
import RoomShard
import SignalingProtocol

// What a loop does with HTTP connections.
extension ServerLoop {
  /// Gives bytes to the request parser, request by request. One is in flight at a time; later ones stay unparsed.
  func takeInRequests(_ input: UnsafeMutableRawBufferPointer, from id: SlotID) {
    var consumed = 0
    var turns = 0
    while let connection = connections.pointer(to: id), let state = connection.pointee.http {
      let isHeld =
        state.pending != nil || connection.pointee.closesAfterFlush || !connection.pointee.backlog.isEmpty
      // A short request can have a long answer: who sends many gets no more of them made than it reads.
      if isHeld || turns == TransportLimits.messagesPerTurn || isTickFull {
        if consumed < input.count {
          postpone(UnsafeMutableRawBufferPointer(rebasing: input[consumed...]), of: id, takesTurn: !isHeld)
        }
        return
      }
      var taken = 0
      let step = state.parser.next(UnsafeRawBufferPointer(rebasing: input[consumed...]), consumed: &taken)
      consumed += taken
      switch step {
      case .needsMore:
        if state.parser.takePendingContinue() { enqueue(HTTPResponse.continueBytes, to: id) }
        if state.isKeptAlive, !state.parser.isIdle {
          state.isKeptAlive = false
          connection.pointee.deadline = monotonicNow + patience.request
        }
        return
      case .failure(let failure):
        refuse(failure, of: id)
        return
      case .request(let request):
        turns += 1
        figures.count(.requests)
        state.isKeptAlive = true
        connection.pointee.deadline = monotonicNow + patience.idle
        route(request, of: id)
      }
    }
    // An upgrade took place: what follows are frames.
    if consumed < input.count, connections.pointer(to: id)?.pointee.webSocket != nil {
      takeInFrames(UnsafeMutableRawBufferPointer(rebasing: input[consumed...]), from: id)
    }
  }

  private func refuse(_ failure: HTTPParseFailure, of id: SlotID) {
    note(failure)
    let code: ErrorCode =
      switch failure.status {
      case 413: .payloadTooLarge
      case 414: .uriTooLong
      case 431: .headerTooLarge
      case 501: .notImplemented
      case 505: .versionNotSupported
      default: .badRequest
      }
    write(
      HTTPAnswer.error(ProtocolError(code, "The request is malformed: \(failure.code)."), status: failure.status),
      keepsAlive: false, isHead: false, to: id)
  }

  /// A request did not come in in time, or the connection was idle for long.
  func expireRequest(of id: SlotID) {
    guard let connection = connections.pointer(to: id) else { return }
    if connection.pointee.isLingering || connection.pointee.closesAfterFlush {
      close(id)
      return
    }
    if connection.pointee.http?.pending != nil {
      // The room answers when the disk has; the client's patience is its own.
      connection.pointee.deadline = monotonicNow + patience.idle
      return
    }
    figures.count(connection.pointee.http?.isKeptAlive == true ? .idleTime : .handshakeTime)
    close(id)
  }

  // MARK: Routes

  private func route(_ request: HTTPRequest, of id: SlotID) {
    let method = request.method == "HEAD" ? "GET" : request.method
    let path = request.path
    if connections.pointer(to: id)?.pointee.isOperator == true, !["/metrics", "/health", "/ready"].contains(path) {
      respond(to: request, with: ProtocolError(.notFound, "There are only figures here."), of: id)
      return
    }
    switch path {
    case "/ws":
      _ = upgrade(request, purpose: .signaling, of: id)
      return
    case "/echo" where context.configuration.servesEcho:
      _ = upgrade(request, purpose: .echo, of: id)
      return
    case "/health", "/ready":
      guard method == "GET" else { return refuseMethod(request, allowed: "GET, HEAD", of: id) }
      let reason = path == "/ready" ? context.state.reason(journal: context.journal, atMonotonic: monotonicNow) : nil
      respond(to: request, with: .condition(reason), of: id)
      return
    case "/metrics":
      guard method == "GET" else { return refuseMethod(request, allowed: "GET, HEAD", of: id) }
      respondWithMetrics(to: request, of: id)
      return
    default: break
    }
    let segments = request.target.segments
    if segments.first == "api" {
      routeAPI(method, Array(segments.dropFirst()), request, of: id)
    } else if let file = StaticFiles.file(at: path) {
      guard method == "GET" else { return refuseMethod(request, allowed: "GET, HEAD", of: id) }
      respond(to: request, with: file, of: id)
    } else {
      respond(to: request, with: ProtocolError(.notFound, "There is nothing here."), of: id)
    }
  }

  private func routeAPI(_ method: String, _ path: [String], _ request: HTTPRequest, of id: SlotID) {
    do throws(ProtocolError) {
      switch (path.first, path.count) {
      case ("sessions", 1):
        switch method {
        case "GET": try list(request, of: id)
        case "POST": try create(request, of: id)
        default: refuseMethod(request, allowed: "GET, HEAD, POST", of: id)
        }
      case ("sessions", 2):
        guard method == "GET" else { return refuseMethod(request, allowed: "GET, HEAD", of: id) }
        try ask(.read, .read, session: path[1], request, of: id)
      case ("sessions", 3):
        try routeSession(method, path[1], action: path[2], request, of: id)
      case ("live", 3) where path[1] == "status":
        guard method == "GET" else { return refuseMethod(request, allowed: "GET, HEAD", of: id) }
        askLiveStatus(of: path[2], request, of: id)
      default:
        throw ProtocolError(.notFound, "There is nothing here.")
      }
    } catch {
      respond(to: request, with: error, of: id)
    }
  }

  private func routeSession(
    _ method: String, _ session: String, action: String, _ request: HTTPRequest, of id: SlotID
  ) throws(ProtocolError) {
    let key = try idempotencyKey(of: request)
    let (roomRequest, kind, expected): (RoomRequest, PendingRequest.Kind, String)
    switch action {
    case "start": (roomRequest, kind, expected) = (.start(key: key), .start, "POST")
    case "end": (roomRequest, kind, expected) = (.end(key: key), .end, "POST")
    case "join": (roomRequest, kind, expected) = (.join, .join, "POST")
    case "attendance": (roomRequest, kind, expected) = (.attendance, .attendance, "GET")
    default: throw ProtocolError(.notFound, "There is nothing here.")
    }
    guard method == expected else {
      return refuseMethod(request, allowed: expected == "GET" ? "GET, HEAD" : expected, of: id)
    }
    try ask(roomRequest, kind, session: session, request, of: id)
  }

  private func refuseMethod(_ request: HTTPRequest, allowed: String, of id: SlotID) {
    // RFC 9110, 15.5.6: a 405 names the methods that there are.
    respond(
      to: request, with: ProtocolError(.methodNotAllowed, "This path has no such method."),
      headers: [("Allow", allowed)], of: id)
  }

  // MARK: Questions

  /// The identity of the bearer.
  /// - Throws: when there is no token, or one that is not valid.
  func identity(of request: HTTPRequest) throws(ProtocolError) -> Identity {
    guard let identity = try optionalIdentity(of: request) else {
      throw ProtocolError(.badToken, "This needs a token: Authorization: Bearer …")
    }
    return identity
  }

  private func optionalIdentity(of request: HTTPRequest) throws(ProtocolError) -> Identity? {
    let values = request.headers.all("authorization")
    guard let value = values.first else { return nil }
    // RFC 6750, 2.1; the scheme's name in any case (RFC 9110, 11.1).
    let parts = value.split(separator: " ", maxSplits: 1)
    guard values.count == 1, parts.count == 2, parts[0].lowercased() == "bearer" else {
      throw ProtocolError(.badToken, "The Authorization is not a bearer token.")
    }
    return try verify(parts[1].trimmingSpaces())
  }

  private func idempotencyKey(of request: HTTPRequest) throws(ProtocolError) -> String? {
    guard let key = request.headers.first("idempotency-key") else { return nil }
    guard (1...ProtocolLimits.keyBytes).contains(key.utf8.count) else {
      throw ProtocolError(.invalidField, "An Idempotency-Key has 1 to 128 bytes.", field: "Idempotency-Key")
    }
    return key
  }

  private func ask(
    _ roomRequest: RoomRequest, _ kind: PendingRequest.Kind, session: String, _ request: HTTPRequest, of id: SlotID
  ) throws(ProtocolError) {
    let identity = try identity(of: request)
    guard SessionID.isValid(session) else { throw ProtocolError(Refusal.notFound) }
    ask(roomRequest, kind, session: session, identity: identity, request, of: id)
  }

  private func askLiveStatus(of session: String, _ request: HTTPRequest, of id: SlotID) {
    // Always 200: who shows a token that is not valid any more is nobody.
    let identity = try? optionalIdentity(of: request)
    // An id that cannot exist is as unknown as any other: no session has it.
    ask(.read, .liveStatus, session: session, identity: identity, request, of: id)
  }

  private func ask(
    _ roomRequest: RoomRequest, _ kind: PendingRequest.Kind, session: String, identity: Identity?,
    _ request: HTTPRequest, of id: SlotID
  ) {
    guard let connection = connections.pointer(to: id), let state = connection.pointee.http else { return }
    state.pending = PendingRequest(
      kind: kind, identity: identity, keepsAlive: request.keepAlive, isHead: request.method == "HEAD",
      host: request.headers.first("host") ?? "", isSecure: connection.pointee.tls != nil)
    call(roomRequest, session: session, identity: identity, from: id)
  }

  private func create(_ request: HTTPRequest, of id: SlotID) throws(ProtocolError) {
    let identity = try identity(of: request)
    guard identity.mayCreateSessions else { throw ProtocolError(Refusal.forbidden) }
    let key = try idempotencyKey(of: request)
    let draft = try SessionDraft(json: request.body)
    // The same id for the same key: the repetition finds the room that the first request made.
    let session =
      draft.id ?? key.map { context.authority.sessionID(user: identity.user, key: $0) } ?? Identifiers.random(bits: 128)
    guard SessionID.isValid(session) else {
      throw ProtocolError(
        .invalidField, "An id has 1 to 64 letters, digits, underscores or hyphens.", field: "id")
    }
    let creation = RoomRequest.create(
      draft, id: session, roomName: "\(session)_\(Identifiers.random(bits: 128))",
      epoch: "e\(Identifiers.random(bits: 80))", key: key)
    ask(creation, .create, session: session, identity: identity, request, of: id)
  }

  private func list(_ request: HTTPRequest, of id: SlotID) throws(ProtocolError) {
    let identity = try identity(of: request)
    let query = try SessionListQuery(request)
    let page = context.catalog.page(
      for: identity, status: query.status, after: query.cursor, limit: query.limit)
    respond(to: request, with: .list(page), of: id)
  }

  // MARK: Answers

  /// A room has answered the request of this connection.
  func answer(_ id: SlotID, with result: Result<RoomAnswer, Refusal>) {
    guard let connection = connections.pointer(to: id), let state = connection.pointee.http,
      let pending = state.pending
    else { return }
    state.pending = nil
    connection.pointee.deadline = monotonicNow + patience.idle
    let answer: HTTPAnswer
    switch result {
    case .success(let success): answer = HTTPAnswer.room(success, to: pending, tickets: context.tickets, at: now)
    case .failure(let refusal): answer = HTTPAnswer.refusal(refusal, to: pending)
    }
    write(answer, keepsAlive: pending.keepsAlive, isHead: pending.isHead, to: id)
    guard let connection = connections.pointer(to: id), !connection.pointee.input.isEmpty else { return }
    // Not here: the shard is speaking. The next request gets its turn in the next tick.
    giveTurn(to: id)
  }

  func respond(
    to request: HTTPRequest, with error: ProtocolError, status: Int? = nil,
    headers: [(name: String, value: String)] = [], of id: SlotID
  ) {
    var answer = HTTPAnswer.error(error, status: status ?? error.code.httpStatus)
    for header in headers { answer.headers.append(header.name, header.value) }
    respond(to: request, with: answer, of: id)
  }

  func respond(to request: HTTPRequest, with answer: HTTPAnswer, of id: SlotID) {
    write(answer, keepsAlive: request.keepAlive, isHead: request.method == "HEAD", to: id)
  }

  func write(_ answer: HTTPAnswer, keepsAlive: Bool, isHead: Bool, to id: SlotID) {
    guard let connection = connections.pointer(to: id) else { return }
    let keepsAlive = keepsAlive && !isDraining
    var response = HTTPResponse(status: answer.status, headers: answer.headers, body: answer.body)
    for field in SecurityHeaders.all { response.headers.append(field.name, field.value) }
    // RFC 6797, 7.2: never without TLS.
    if connection.pointee.tls != nil, let value = context.configuration.strictTransportSecurity {
      response.headers.append("Strict-Transport-Security", value)
    }
    let date = HTTPDate.format(unixSeconds: now.milliseconds / 1000)
    enqueue(response.serialized(date: date, keepAlive: keepsAlive, isHead: isHead), to: id)
    guard !keepsAlive, connections.pointer(to: id) != nil else { return }
    connection.pointee.closesAfterFlush = true
    connection.pointee.deadline = monotonicNow + patience.close
  }
}

extension Substring {
  /// The text without spaces around it.
  fileprivate func trimmingSpaces() -> String {
    var text = self
    while text.first == " " { text.removeFirst() }
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
