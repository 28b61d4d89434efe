import Classroom
import HTTPCore
import RoomShard
import SignalingProtocol

// What a loop does itself about sessions, beside passing questions to their rooms.
extension ServerLoop {
  /// Ids that are paths of their own.
  private static let reservedIDs: Set = ["upcoming"]

  // MARK: Lists

  func list(_ call: RouteCall) throws(ProtocolError) {
    try list(call, name: "sessions", SessionFilter())
  }

  func listUpcoming(_ call: RouteCall) throws(ProtocolError) {
    var filter = SessionFilter()
    filter.statuses = [.pendingApproval, .approved, .scheduled, .ongoing]
    filter.order = .soonestFirst
    try list(call, name: "upcoming", filter)
  }

  private func list(_ call: RouteCall, name: String, _ defaults: SessionFilter) throws(ProtocolError) {
    let identity = try call.user()
    let query = try SessionListQuery(
      call.request, defaults: defaults, name: name, for: identity, cursors: context.cursors)
    let page = context.catalog.page(query.filter, for: identity)
    let next = page.next.map { query.seal($0, context.cursors) }
    respond(to: call.request, with: .list(page.sessions, next: next), of: call.connection)
  }

  // MARK: Creation

  func create(_ call: RouteCall) throws(ProtocolError) {
    let identity = try call.user()
    let key = try call.key()
    let form = try FormBody(call.request)
    var draft = try BodyFields.read(form?.json ?? call.request.body) { fields throws(ProtocolError) in
      try SessionDraft(reading: fields.view)
    }
    try checkMayCreate(draft, identity)
    // The same id for the same key: the repetition finds the room that the first request made.
    let session =
      draft.id ?? key.map { context.authority.sessionID(user: identity.user, key: $0) } ?? Identifiers.random(bits: 128)
    guard SessionID.isValid(session), !Self.reservedIDs.contains(session) else {
      throw ProtocolError(
        .invalidField, "An id has 1 to 64 letters, digits, underscores or hyphens, and is no word of a path.",
        field: "id")
    }
    guard let picture = form?.thumbnail else {
      ask(Self.creation(draft, id: session, key: key), session: session, .session(status: 201), call)
      return
    }
    let name = try nameOfPicture(picture)
    draft.thumbnailURL = Self.picturePath + name
    let pending = pending(.session(status: 201), session: session, call)
    keep(picture, as: name, then: Self.creation(draft, id: session, key: key), pending, of: call.connection)
  }

  /// The question that makes a session.
  static func creation(_ draft: SessionDraft, id: String, key: String?) -> RoomRequest {
    .create(
      draft, id: id, roomName: "\(id)_\(Identifiers.random(bits: 128))", epoch: Identifiers.epoch(), key: key)
  }

  /// Who makes a session for somebody else asks that person for it.
  private func checkMayCreate(_ draft: SessionDraft, _ identity: Identity) throws(ProtocolError) {
    let isProposal = identity.session == nil && !identity.isGuest && draft.host != nil && draft.host != identity.user
    guard identity.mayCreateSessions || isProposal else { throw ProtocolError(Refusal.forbidden) }
  }

  // MARK: Change

  /// - Parameter isWhole: whether the body is to have what every session has; what it leaves out stays as it is all the same.
  func update(_ call: RouteCall, isWhole: Bool) throws(ProtocolError) {
    let session = try call.session()
    let key = try call.key()
    let (patch, invited) = try call.body { fields throws(ProtocolError) in
      if isWhole, try fields.string("title") == nil { throw fields.missing("title") }
      return (try SessionPatch(reading: fields.view), try fields.invitations("invited") ?? [])
    }
    let invitation = NextStep(
      session: session, request: .perform(.invite(invited), key: key.map { $0 + ":invited" }),
      then: Self.reading(session))
    ask(.perform(.update(patch), key: key), session: session, .session(status: 200), call) { result in
      if case .success = result, !invited.isEmpty { invitation } else { nil }
    }
  }

  /// After a success, shows the session.
  private static func reading(_ session: String) -> NextStep.Choice {
    { result in
      if case .success = result { NextStep(session: session, request: .read) } else { nil }
    }
  }
}
