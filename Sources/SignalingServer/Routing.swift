import Bytes
import Classroom
import HTTPCore
import RoomShard
import SignalingProtocol

// How a request finds its route, and what stands before every route: origins, rates, and who asks.
extension ServerLoop {
  func route(_ request: HTTPRequest, of id: SlotID) {
    guard let state = connections.pointer(to: id)?.pointee.http else { return }
    state.crossOrigin = nil
    if connections.pointer(to: id)?.pointee.isOperator == true, !Self.operatorPaths.contains(request.path) {
      respond(to: request, with: ProtocolError(.notFound, "There are only figures here."), of: id)
      return
    }
    switch request.path {
    case "/ws":
      _ = upgrade(request, purpose: .signaling, of: id)
      return
    case "/echo" where context.configuration.servesEcho:
      _ = upgrade(request, purpose: .echo, of: id)
      return
    default: break
    }
    // The trailing slash is optional below /api and nowhere else.
    let isBelowAPI = request.target.segments.first == "api"
    let routes =
      isBelowAPI || !request.target.hasTrailingSlash ? Routes.table.routes(at: request.target.segments) : []
    guard !routes.isEmpty else { return routeToFile(request, of: id) }
    if isBelowAPI { state.crossOrigin = crossOriginAnswer(to: request, routes) }
    if request.method == "OPTIONS" {
      let answer = HTTPAnswer(status: 204, headers: ["Allow": RouteTable.allowed(routes)], body: [])
      respond(to: request, with: answer, of: id)
      return
    }
    let method = request.method == "HEAD" ? "GET" : request.method
    guard let route = routes.first(where: { $0.method.rawValue == method }) else {
      return refuseMethod(request, allowed: RouteTable.allowed(routes), of: id)
    }
    do throws(ProtocolError) {
      try take(route, request, of: id)
    } catch {
      respond(to: request, with: error, of: id)
    }
  }

  private static let operatorPaths: Set = ["/metrics", "/health", "/ready"]

  private func routeToFile(_ request: HTTPRequest, of id: SlotID) {
    guard let file = StaticFiles.file(at: request.path) else {
      respond(to: request, with: ProtocolError(.notFound, "There is nothing here."), of: id)
      return
    }
    guard request.method == "GET" || request.method == "HEAD" else {
      return refuseMethod(request, allowed: "GET, HEAD", of: id)
    }
    respond(to: request, with: file, of: id)
  }

  private func refuseMethod(_ request: HTTPRequest, allowed: String, of id: SlotID) {
    // RFC 9110, 15.5.6: a 405 names the methods that there are.
    respond(
      to: request, with: ProtocolError(.methodNotAllowed, "This path has no such method."),
      headers: [("Allow", allowed)], of: id)
  }

  private func take(_ route: Route, _ request: HTTPRequest, of id: SlotID) throws(ProtocolError) {
    let isLimited = connections.pointer(to: id)?.pointee.isOperator != true && route.access != .anybody
    // Before the token is looked at, which costs more than all that comes before.
    if isLimited, let network = clientNetwork(of: request, id) { try charge(.network(network), for: route.limit) }
    let identity: Identity? =
      switch route.access {
      case .anybody: nil
      // Who shows a token that is not valid any more is nobody.
      case .anybodyOrUser: (try? self.identity(of: request)) ?? nil
      case .user: try self.identity(of: request)
      }
    let call = RouteCall(route: route, request: request, connection: id, identity: identity)
    if route.access == .user {
      let user = try call.user()
      try charge(.user(user.user), for: route.limit)
    }
    switch route.action {
    case .loop(let handle): try handle(self, call)
    case .room(let shape, let question):
      // Read before the session is looked for: what is wrong with a request is wrong with it everywhere.
      let roomRequest = try question(call)
      ask(roomRequest, session: try call.session(), shape, call)
    }
  }

  // MARK: Who asks

  /// The identity of the bearer; nil without a token.
  /// - Throws: when the token is not valid.
  func identity(of request: HTTPRequest) throws(ProtocolError) -> Identity? {
    let values = request.headers.all("authorization")
    guard let value = values.first else { return nil }
    // RFC 6750, 2.1; the scheme's name in any case (RFC 9110, 11.1).
    let parts = value.split(separator: " ", maxSplits: 1)
    guard values.count == 1, parts.count == 2, parts[0].lowercased() == "bearer" else {
      throw ProtocolError(.badToken, "The Authorization is not a bearer token.")
    }
    return try verify(parts[1].trimmingSpaces())
  }

  private func charge(_ asker: RequestRates.Asker, for limit: RequestLimit) throws(ProtocolError) {
    let rate: RateLimit
    let counted: Limit
    switch asker {
    case .user: (rate, counted) = (limit.perUser(in: limits), .requestRate)
    case .network: (rate, counted) = (limit.perAddress(in: limits), .addressRequestRate)
    }
    guard let wait = context.requestRates.charge(asker, for: limit, rate: rate, at: microsecondsNow) else { return }
    figures.count(counted)
    var error = ProtocolError(.rateLimited, "Too many requests; wait a moment.")
    error.retryAfterMilliseconds = wait
    throw error
  }

  // MARK: Where from

  private func crossOriginAnswer(to request: HTTPRequest, _ routes: [Route]) -> CrossOriginAnswer {
    var answer = CrossOriginAnswer()
    let origins = request.headers.all("origin")
    if origins.count == 1, self.origins.contains(where: { $0.rawValue == origins[0].lowercased() }) {
      answer.origin = origins[0]
    }
    if request.method == "OPTIONS", request.headers.first("access-control-request-method") != nil {
      answer.preflight = RouteTable.allowed(routes)
    }
    return answer
  }

  /// The address of the WebSocket, as whoever sent this request reaches it.
  func socketURL(for request: HTTPRequest, of id: SlotID) -> String {
    if let address = context.configuration.publicAddress { return address.socketURL }
    guard let connection = connections.pointer(to: id) else { return "" }
    let isSecure = connection.pointee.tls != nil
    return "\(isSecure ? "wss" : "ws")://\(request.authority ?? "")/ws"
  }

  // MARK: Questions

  /// Asks a room; its answer becomes that of the request.
  func ask(
    _ question: RoomRequest, session: String, _ shape: AnswerShape, _ call: RouteCall,
    then: NextStep.Choice? = nil
  ) {
    guard let state = connections.pointer(to: call.connection)?.pointee.http else { return }
    var pending = pending(shape, session: session, call)
    pending.then = then
    state.pending = pending
    self.call(question, session: session, identity: call.identity, from: call.connection)
  }

  /// What is needed to answer a call when somebody else has spoken.
  func pending(_ shape: AnswerShape, session: String, _ call: RouteCall) -> PendingRequest {
    PendingRequest(
      shape: shape, session: session, identity: call.identity, user: call.optionalParameter("user"),
      keepsAlive: call.request.keepAlive,
      isHead: call.request.method == "HEAD", socketURL: socketURL(for: call.request, of: call.connection))
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
