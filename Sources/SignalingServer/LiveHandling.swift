import Classroom
import HTTPCore
import RoomShard
import SignalingProtocol

// The routes that some front ends know: `live/…` and `live-sessions/…`.
extension ServerLoop {
  // MARK: live/

  /// Always answered, for ids that cannot exist too.
  func askLiveStatus(_ call: RouteCall) {
    ask(.read, session: call.parameter("session"), .liveStatus, call)
  }

  /// Starts a session. Who is its host by the token makes it, when there is none.
  func startLive(_ call: RouteCall) throws(ProtocolError) {
    let identity = try call.user()
    let session = try call.session()
    let start = RoomRequest.perform(.start, key: try call.key())
    let isGranted = identity.session == session && identity.role == .host && !identity.isGuest
    let starting = NextStep(session: session, request: start)
    let making = NextStep(session: session, request: Self.creation(SessionDraft(title: session), id: session, key: nil))
    { result in
      switch result {
      case .success, .failure(.sessionExists): starting
      case .failure: nil
      }
    }
    ask(start, session: session, .liveRoom, call) { result in
      if isGranted, case .failure(.notFound) = result { making } else { nil }
    }
  }

  // MARK: live-sessions/

  /// Those that are live come first, then the others.
  func listLiveSessions(_ call: RouteCall) throws(ProtocolError) {
    let identity = try call.user()
    let query = try SessionListQuery(
      call.request, name: "live-sessions", for: identity, cursors: context.cursors)
    var filter = query.filter
    var found: [SessionView] = []
    if !query.isBehindLive {
      var live = filter
      live.statuses = filter.statuses.intersection(.ongoing)
      let page = context.catalog.page(live, for: identity)
      found = page.sessions
      if let next = page.next {
        return respond(
          to: call.request, with: .liveSessions(found, next: query.seal(next, context.cursors)), of: call.connection)
      }
      filter.after = nil
    }
    filter.statuses = filter.statuses.subtracting(.ongoing)
    filter.limit -= found.count
    guard filter.limit > 0 else {
      filter.limit = 1
      let goesOn = !context.catalog.page(filter, for: identity).sessions.isEmpty
      let next = goesOn ? query.sealBehindLive(.newest, context.cursors) : nil
      return respond(to: call.request, with: .liveSessions(found, next: next), of: call.connection)
    }
    let page = context.catalog.page(filter, for: identity)
    found += page.sessions
    respond(
      to: call.request, with: .liveSessions(found, next: page.next.map { query.sealBehindLive($0, context.cursors) }),
      of: call.connection)
  }

  /// Lets somebody watch: attendance opens, as far as it has not.
  func watchLiveSession(_ call: RouteCall) throws(ProtocolError) {
    let session = try call.body { fields throws(ProtocolError) in
      guard let session = try fields.string("sessionId") else { throw fields.missing("sessionId") }
      return session
    }
    guard SessionID.isValid(session) else { throw ProtocolError(Refusal.notFound) }
    let record = NextStep(session: session, request: .attendanceOf(user: try call.user().user))
    ask(.joinLive, session: session, .watching, call) { result in
      switch result {
      case .success(.joined), .failure(.alreadyIn): record
      default: nil
      }
    }
  }

  func createLiveSession(_ call: RouteCall) throws(ProtocolError) {
    let identity = try call.user()
    let key = try call.key()
    let (draft, isLive) = try BodyFields.read(call.request.body) { fields throws(ProtocolError) in
      (try SessionDraft(liveSession: fields), try fields.boolean("isLive") ?? false)
    }
    guard identity.mayCreateSessions else { throw ProtocolError(Refusal.forbidden) }
    let session =
      key.map { context.authority.sessionID(user: identity.user, key: $0) } ?? Identifiers.random(bits: 128)
    let start = NextStep(
      session: session, request: .perform(.start, key: "\(key ?? Identifiers.random(bits: 80)):live"))
    ask(Self.creation(draft, id: session, key: key), session: session, .liveSession(status: 201), call) { result in
      if case .success(.session(let view, _)) = result, isLive, view.status != .completed { start } else { nil }
    }
  }

  func updateLiveSession(_ call: RouteCall) throws(ProtocolError) {
    let session = try call.session()
    let key = try call.key()
    let (patch, isLive) = try call.body { fields throws(ProtocolError) in
      (try SessionPatch(liveSession: fields), try fields.boolean("isLive"))
    }
    let transition = isLive.map { isLive in
      NextStep(session: session, request: .perform(isLive ? .start : .end, key: key.map { $0 + ":live" })) { result in
        // To be what it already is is what was asked for.
        if case .failure(.wrongState(let status)) = result, status.isLive == isLive {
          NextStep(session: session, request: .read)
        } else {
          nil
        }
      }
    }
    ask(.perform(.update(patch), key: key), session: session, .liveSession(status: 200), call) { result in
      if case .success = result { transition } else { nil }
    }
  }
}

extension SessionDraft {
  /// Reads a body under the names of `live-sessions`. There is no registering in those front ends: who sees it may come.
  fileprivate init(liveSession fields: BodyFields) throws(ProtocolError) {
    guard let title = try fields.string("title") else { throw fields.missing("title") }
    self.init(title: title)
    description = try fields.string("description") ?? description
    instructor = try fields.string("instructor") ?? instructor
    videoURL = try fields.string("videoUrl")
    thumbnailURL = try fields.string("thumbnail")
    start = try fields.start("startTime")
    admission = .open
  }
}

extension SessionPatch {
  fileprivate init(liveSession fields: BodyFields) throws(ProtocolError) {
    self.init()
    title = try fields.string("title")
    description = try fields.string("description")
    instructor = try fields.string("instructor")
    if let address = try fields.string("videoUrl") { videoURL = .set(address) }
    if let address = try fields.string("thumbnail") { thumbnailURL = .set(address) }
    start = try fields.start("startTime")
  }
}
