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
        judgeForm(of: id)
        return
      case .failure(let failure):
        refuse(failure, of: id)
        return
      case .request(let request):
        turns += 1
        figures.count(.requests)
        state.isKeptAlive = true
        state.hasForm = false
        connection.pointee.deadline = monotonicNow + patience.idle
        route(request, of: id)
      }
    }
    // An upgrade took place: what follows are frames.
    if consumed < input.count, connections.pointer(to: id)?.pointee.webSocket != nil {
      takeInFrames(UnsafeMutableRawBufferPointer(rebasing: input[consumed...]), from: id)
    }
  }

  /// A form may take its time, and memory, when it goes where forms are taken and comes from somebody who is known.
  private func judgeForm(of id: SlotID) {
    guard let connection = connections.pointer(to: id), let state = connection.pointee.http, !state.hasForm,
      let head = state.parser.requestInProgress, FormBody.isForm(head.headers.first("content-type") ?? "")
    else { return }
    state.hasForm = true
    let routes = Routes.table.routes(at: head.target.segments)
    guard routes.contains(where: { $0.method.rawValue == head.method && $0.takesForm }) else { return }
    do throws(ProtocolError) {
      guard try identity(of: head) != nil else { return }
      var forms = 0
      connections.forEach { _, other in if other.pointee.http?.hasForm == true { forms += 1 } }
      guard forms <= TransportLimits.forms else {
        throw ProtocolError(.serverFull, "The server takes in as many forms as it can.")
      }
      connection.pointee.deadline = monotonicNow + patience.form
    } catch {
      write(.error(error), keepsAlive: false, isHead: false, to: id)
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

  // MARK: Answers

  /// A room has answered the request of this connection.
  func answer(_ id: SlotID, with result: Result<RoomAnswer, Refusal>) {
    guard let connection = connections.pointer(to: id), let state = connection.pointee.http,
      let pending = state.pending
    else { return }
    state.pending = nil
    connection.pointee.deadline = monotonicNow + patience.idle
    if let next = pending.then?(result) {
      var pending = pending
      (pending.session, pending.then) = (next.session, next.then)
      state.pending = pending
      call(next.request, session: next.session, identity: pending.identity, from: id)
      return
    }
    let answer: HTTPAnswer
    switch result {
    case .success(let success): answer = HTTPAnswer.room(success, to: pending, in: context, at: now)
    case .failure(let refusal): answer = HTTPAnswer.refusal(refusal, to: pending)
    }
    finish(pending, with: answer, to: id)
  }

  /// Answers a request that has waited, and goes on with the next.
  func finish(_ pending: PendingRequest, with answer: HTTPAnswer, to id: SlotID) {
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
    connection.pointee.http?.crossOrigin?.addFields(to: &response.headers)
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
