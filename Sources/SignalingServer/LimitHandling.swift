import Bytes
import EventLoop
import HTTPCore
import SignalingProtocol
import WebSocketCore

// Who is let in, and how much may be sent.
extension ServerLoop {
  // MARK: Connections

  /// Gives a connection that came in its place, or turns it away.
  func admit(_ socket: consuming FileDescriptor, from peer: SocketAddress?) {
    figures.count(.accepted)
    let hostBytes = peer?.hostBytes ?? []
    // Behind a proxy are many, who are told apart when they ask for a WebSocket.
    let network = isTrustedProxy(hostBytes) ? nil : ClientNetwork(hostBytes: hostBytes)
    switch context.census.admit(network) {
    case .admitted:
      let admission = Admission(network, in: context.census)
      guard let id = insert(socket) else { return }
      connections.pointer(to: id)?.pointee.admission = consume admission
    case .full:
      figures.count(.connections)
      turnAway(socket, ProtocolError(.serverFull, "The server has as many connections as it takes."))
    case .tooManyOfNetwork:
      figures.count(.connectionsPerAddress)
      turnAway(socket, ProtocolError(.tooManyConnections, "This address has as many connections as one may have."))
    }
  }

  /// - Returns: nil when it cannot be watched, and is closed.
  private func insert(_ socket: consuming FileDescriptor, isOperator: Bool = false) -> SlotID? {
    let descriptor = socket.rawValue
    var connection = Connection(
      socket: socket, now: monotonicNow, deadline: monotonicNow + patience.request, http: HTTPState(limits.http))
    connection.isOperator = isOperator
    connection.awaitsTLS = secure != nil && !isOperator
    let id = connections.insert(connection)
    do throws(SystemError) {
      try poller.add(descriptor, .readable, token: id.rawValue)
      return id
    } catch {
      context.logger.error("a connection cannot be watched: \(error)")
      connections.remove(id)
      return nil
    }
  }

  /// Says why, as long as that does not itself become a burden.
  private func turnAway(_ socket: consuming FileDescriptor, _ error: ProtocolError) {
    // Over TLS it could be said only after a handshake, which costs more than all that is refused.
    guard secure == nil, answeredRefusals < TransportLimits.refusalsPerSweep else { return }
    answeredRefusals += 1
    if let id = insert(socket) { refuse(error, of: id) }
  }

  /// Answers without having read a request.
  private func refuse(_ error: ProtocolError, of id: SlotID) {
    var answer = HTTPAnswer.error(error)
    answer.headers.append("Retry-After", "10")
    write(answer, keepsAlive: false, isHead: false, to: id)
  }

  /// Accepts who wants the figures. They are not among the connections that are counted: what is full can be seen to be.
  func acceptOperators() {
    guard let listener = context.operatorListener else { return }
    while isListening {
      switch listener.accept() {
      case .accepted(let socket):
        var count = 0
        connections.forEach { _, connection in if connection.pointee.isOperator { count += 1 } }
        if count < TransportLimits.operatorConnections { _ = insert(socket, isOperator: true) }
      case .wouldBlock: return
      case .outOfDescriptors:
        guard reserve.shed(listener) == .shed else {
          pauseListening()
          return
        }
        figures.count(.descriptors)
      case .failed(let error):
        context.logger.error("no connection can be accepted: \(error)")
        pauseListening()
        return
      }
    }
  }

  // MARK: Proxies

  func isTrustedProxy(_ hostBytes: [UInt8]) -> Bool {
    trustedProxies.contains { $0.contains(hostBytes) }
  }

  /// Counts the connection for the client that a trusted proxy made it for.
  /// - Returns: whether that client may have one more.
  func attribute(_ request: HTTPRequest, of id: SlotID) -> Bool {
    guard let connection = connections.pointer(to: id), connection.pointee.admission?.network == nil,
      let network = forwardedNetwork(of: request)
    else { return true }
    guard connection.pointee.admission?.attribute(to: network) == .tooManyOfNetwork else { return true }
    figures.count(.connectionsPerAddress)
    return false
  }

  /// Where a request comes from; nil when a proxy that is trusted does not say.
  func clientNetwork(of request: HTTPRequest, _ id: SlotID) -> ClientNetwork? {
    connections.pointer(to: id)?.pointee.admission?.network ?? forwardedNetwork(of: request)
  }

  /// The last address in `X-Forwarded-For` that is not itself a trusted proxy: what stands before it is hearsay.
  private func forwardedNetwork(of request: HTTPRequest) -> ClientNetwork? {
    for entry in request.headers.list("x-forwarded-for").reversed() {
      guard let hostBytes = SocketAddress.numericHostBytes(String(entry)) else { return nil }
      if !isTrustedProxy(hostBytes) { return ClientNetwork(hostBytes: hostBytes) }
    }
    return nil
  }

  // MARK: Rates

  /// Takes a message out of what the connection and its user may send.
  /// - Returns: whether it is to be acted upon; if not, `answer` says so to the client once it is known under which id.
  func chargeMessage(of id: SlotID) -> RateLimit.Verdict {
    guard let connection = connections.pointer(to: id), connection.pointee.webSocket != nil else { return .allowed }
    var bucket = connection.pointee.webSocket?.messageBucket ?? 0
    let verdict = messageLimit.charge(&bucket, at: microsecondsNow)
    connection.pointee.webSocket?.messageBucket = bucket
    guard verdict == .allowed else {
      figures.count(.messageRate)
      return verdict
    }
    guard let user = connection.pointee.webSocket?.userRate else { return .allowed }
    let verdictOfUser = user.charge(by: userMessageLimit, at: microsecondsNow)
    if verdictOfUser != .allowed { figures.count(.userMessageRate) }
    return verdictOfUser
  }

  /// Takes a ping or pong out of what the connection may send.
  /// - Returns: false when it was one too many, and the connection is being closed.
  func chargeControlFrame(of id: SlotID) -> Bool {
    guard let connection = connections.pointer(to: id), connection.pointee.webSocket?.purpose == .signaling else {
      return true
    }
    var bucket = connection.pointee.webSocket?.controlFrameBucket ?? 0
    let verdict = controlFrameLimit.charge(&bucket, at: microsecondsNow)
    connection.pointee.webSocket?.controlFrameBucket = bucket
    if verdict == .allowed { return true }
    figures.count(.controlFrameRate)
    close(id, for: .rateLimited)
    return false
  }

  // MARK: Counting

  /// Which limit, if any, a client has gone beyond with its frames.
  func note(_ failure: WebSocketFailure) {
    switch failure {
    case .messageTooBig: figures.count(.messageBytes)
    case .inflatedMessageTooBig: figures.count(.inflatedBytes)
    case .tooManyFrames: figures.count(.messageFragments)
    default: break
    }
  }

  /// Which limit, if any, a client has gone beyond with its request.
  func note(_ failure: HTTPParseFailure) {
    switch failure.code {
    case "request_line_too_long": figures.count(.requestLineBytes)
    case "headers_too_large": figures.count(.headerBytes)
    case "too_many_headers": figures.count(.headerCount)
    case "body_too_large": figures.count(.bodyBytes)
    default: break
    }
  }
}
