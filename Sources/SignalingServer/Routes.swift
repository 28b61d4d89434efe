import Classroom
import HTTPCore
import RoomShard
import SignalingProtocol

/// Everything that can be asked over HTTP, as data: method, path, who may ask, the limit that it counts for, what it does.
/// `/ws` and the files of the page stand beside it.
enum Routes {
  static let all =
    server + sessions + lifeCycle + people + moderation + attendance + live + liveSessions + notifications
  static let table = RouteTable(all)

  private static let server: [Route] = [
    Route(
      .get, "/health", .anybody, .reading,
      .loop { loop, call in loop.respond(to: call.request, with: .condition(nil), of: call.connection) }),
    Route(
      .get, "/ready", .anybody, .reading,
      .loop { loop, call in loop.respondWithReadiness(to: call.request, of: call.connection) }),
    Route(
      .get, "/.well-known/rollcall-report-keys.json", .anybody, .reading,
      .loop { loop, call in
        loop.respond(
          to: call.request, with: .reportKeys(loop.context.reportKey.publicKey), of: call.connection)
      }),
    Route(
      .get, "/client", .anybody, .reading,
      .loop { loop, call in loop.respondWithClient(to: call.request, of: call.connection) }),
    Route(
      .get, "/metrics", .anybody, .reading,
      .loop { loop, call in loop.respondWithMetrics(to: call.request, of: call.connection) }),
  ]

  private static let sessions: [Route] = [
    Route(
      .get, "/api/sessions", .user, .reading,
      .loop { loop, call throws(ProtocolError) in try loop.list(call) }),
    Route(
      .post, "/api/sessions", .user, .creating, takesForm: true,
      .loop { loop, call throws(ProtocolError) in try loop.create(call) }),
    Route(
      .get, "/api/sessions/upcoming", .user, .reading,
      .loop { loop, call throws(ProtocolError) in try loop.listUpcoming(call) }),
    Route(.get, "/api/sessions/{session}", .user, .reading, .room(.session(status: 200)) { _ in .read }),
    Route(
      .put, "/api/sessions/{session}", .user, .changing,
      .loop { loop, call throws(ProtocolError) in try loop.update(call, isWhole: true) }),
    Route(
      .patch, "/api/sessions/{session}", .user, .changing,
      .loop { loop, call throws(ProtocolError) in try loop.update(call, isWhole: false) }),
    Route(
      .delete, "/api/sessions/{session}", .user, .changing,
      .command(.done("The session is deleted.")) { _, call throws(ProtocolError) in
        try call.flag("purge") ? .purge : .delete
      }),
    Route(
      .get, "/api/thumbnails/{name}", .anybody, .reading,
      .loop { loop, call throws(ProtocolError) in try loop.sendPicture(call) }),
  ]

  private static let lifeCycle: [Route] = [
    Route(
      .post, "/api/sessions/{session}/approve", .user, .changing,
      .command(.transition("The session is approved.")) { _, _ in .approve }),
    Route(
      .post, "/api/sessions/{session}/decline", .user, .changing,
      .command(.transition("The session is declined.")) { fields, _ throws(ProtocolError) in
        .decline(reason: try fields.string("reason"))
      }),
    Route(
      .post, "/api/sessions/{session}/withdraw", .user, .changing,
      .command(.transition("The request is withdrawn.")) { fields, _ throws(ProtocolError) in
        .withdraw(reason: try fields.string("reason"))
      }),
    Route(
      .post, "/api/sessions/{session}/reschedule", .user, .changing,
      .command(.transition("The session has another time.")) { fields, _ throws(ProtocolError) in
        .reschedule(try ScheduleChange(reading: fields.view), reason: try fields.string("reason"))
      }),
    Route(
      .post, "/api/sessions/{session}/start", .user, .changing,
      .room(.started) { call throws(ProtocolError) in .start(key: try call.key()) }),
    Route(
      .post, "/api/sessions/{session}/end", .user, .changing,
      .room(.ended) { call throws(ProtocolError) in .end(key: try call.key()) }),
    Route(
      .post, "/api/sessions/{session}/cancel", .user, .changing,
      .command(.transition("The session is cancelled.")) { fields, _ throws(ProtocolError) in
        .cancel(reason: try fields.string("reason"))
      }),
    Route(
      .post, "/api/sessions/{session}/announce", .user, .changing,
      .command(.done("It is announced.")) { fields, _ throws(ProtocolError) in
        .announce(text: try fields.string("text"))
      }),
  ]

  private static let people: [Route] = [
    Route(
      .post, "/api/sessions/{session}/register", .user, .joining,
      .command(.registration("You are registered.")) { _, _ in .register }),
    Route(
      .delete, "/api/sessions/{session}/register", .user, .joining,
      .command(.registration("You are not registered any more.")) { _, _ in .unregister }),
    Route(
      .get, "/api/sessions/{session}/registrations", .user, .reading,
      .loop { loop, call throws(ProtocolError) in
        let shape = AnswerShape.registrations(
          from: try call.offset(), limit: try call.limit(defaultLimit: 100, maximum: 1000))
        loop.ask(.registrations, session: try call.session(), shape, call)
      }),
    Route(
      .post, "/api/sessions/{session}/registrations", .user, .changing,
      .command(.done("They are invited.")) { fields, _ throws(ProtocolError) in
        guard let people = try fields.invitations("invited") else { throw fields.missing("invited") }
        return .invite(people)
      }),
    Route(
      .post, "/api/sessions/{session}/registrations/{user}/approve", .user, .changing,
      .command(.registration("The registration is approved.")) { _, call in
        .approveRegistration(user: call.parameter("user"))
      }),
    Route(
      .post, "/api/sessions/{session}/registrations/{user}/reject", .user, .changing,
      .command(.registration("The registration is rejected.")) { _, call in
        .rejectRegistration(user: call.parameter("user"))
      }),
    Route(
      .post, "/api/sessions/{session}/waiting/admit", .user, .changing,
      .command(.done("They are let in.")) { fields, _ throws(ProtocolError) in
        // Nobody in particular means all.
        if try fields.boolean("all") == true { return .admit(users: []) }
        guard let user = try fields.string("user") else { throw fields.missing("user") }
        return .admit(users: [user])
      }),
    Route(
      .post, "/api/sessions/{session}/waiting/deny", .user, .changing,
      .command(.done("The person is turned away.")) { fields, _ throws(ProtocolError) in
        guard let user = try fields.string("user") else { throw fields.missing("user") }
        return .deny(user: user)
      }),
    Route(.post, "/api/sessions/{session}/join", .user, .joining, .room(.ticket) { _ in .join }),
    Route(
      .get, "/api/sessions/{session}/live_participants", .user, .reading,
      .room(.participants) { call throws(ProtocolError) in
        .participants(
          after: try call.number("cursor"), limit: try call.limit(defaultLimit: 1000, maximum: 1000))
      }),
    Route(
      .get, "/api/sessions/{session}/chat", .user, .reading,
      .room(.chat) { call throws(ProtocolError) in
        .chat(
          before: try call.number("before"),
          limit: try call.limit(defaultLimit: ProtocolLimits.historyDefault, maximum: ProtocolLimits.historyPage))
      }),
  ]

  /// What those who lead a class do, from a backend.
  private static let moderation: [Route] = [
    Route(
      .post, "/api/sessions/{session}/participants/{user}/mute", .user, .changing,
      .command(.done("It is done.")) { fields, call throws(ProtocolError) in
        .mute(user: call.parameter("user"), isOn: try fields.boolean("on") ?? true)
      }),
    Route(
      .post, "/api/sessions/{session}/participants/{user}/ask_unmute", .user, .changing,
      .command(.done("The person is asked.")) { _, call in .askToUnmute(user: call.parameter("user")) }),
    Route(
      .post, "/api/sessions/{session}/participants/{user}/remove", .user, .changing,
      .command(.done("The person is out.")) { _, call in .remove(user: call.parameter("user")) }),
    Route(
      .post, "/api/sessions/{session}/participants/{user}/ban", .user, .changing,
      .command(.done("It is done.")) { fields, call throws(ProtocolError) in
        .ban(user: call.parameter("user"), isOn: try fields.boolean("on") ?? true)
      }),
    Route(
      .post, "/api/sessions/{session}/participants/{user}/promote", .user, .changing,
      .command(.done("The person is a cohost.")) { _, call in .promote(user: call.parameter("user")) }),
    Route(
      .post, "/api/sessions/{session}/participants/{user}/demote", .user, .changing,
      .command(.done("The person is a participant.")) { _, call in .demote(user: call.parameter("user")) }),
    Route(
      .post, "/api/sessions/{session}/mute_all", .user, .changing,
      .command(.done("It is done.")) { fields, _ throws(ProtocolError) in
        .muteAll(
          isOn: try fields.boolean("on") ?? true, isUnmuteAllowed: try fields.boolean("unmute_allowed") ?? false)
      }),
  ]

  private static let attendance: [Route] = [
    Route(
      .get, "/api/sessions/{session}/attendance", .user, .reading, .room(.attendance(.report)) { _ in .attendance }),
    Route(
      .get, "/api/sessions/{session}/attendance.csv", .user, .reading, .room(.attendance(.table)) { _ in .attendance }),
    Route(
      .get, "/api/sessions/{session}/attendance/{user}", .user, .reading,
      .room(.attendance(.report)) { call in .attendanceOf(user: call.parameter("user")) }),
    Route(.post, "/api/sessions/{session}/join_live", .user, .joining, .room(.ticket) { _ in .joinLive }),
    Route(.post, "/api/sessions/{session}/leave", .user, .joining, .room(.attendance(.departure)) { _ in .leave }),
    Route(.post, "/api/sessions/{session}/leave_live", .user, .joining, .room(.attendance(.departure)) { _ in .leave }),
    Route(
      .post, "/api/sessions/{session}/heartbeat", .user, .joining, .room(.attendance(.heartbeat)) { _ in .heartbeat }),
    Route(
      .get, "/api/sessions/{session}/check_in_code", .user, .reading,
      .room(.attendance(.code)) { _ in .checkInCode }),
    Route(
      .post, "/api/sessions/{session}/check_in", .user, .joining,
      .loop { loop, call throws(ProtocolError) in try loop.checkIn(call) }),
    Route(
      .post, "/api/sessions/{session}/participants/{user}/check_in", .user, .changing,
      .command(.attendance(.checkIn)) { fields, call throws(ProtocolError) in
        .markPresent(user: call.parameter("user"), name: try fields.string("name"))
      }),
    Route(
      .post, "/api/sessions/{session}/participants/{user}/check_out", .user, .changing,
      .command(.attendance(.checkIn)) { _, call in .markGone(user: call.parameter("user")) }),
  ]

  private static let live: [Route] = [
    Route(
      .get, "/api/live/status/{session}", .anybodyOrUser, .reading, .loop { loop, call in loop.askLiveStatus(call) }),
    Route(.get, "/api/live/join/{session}", .user, .joining, .room(.liveRoom) { _ in .read }),
    Route(
      .post, "/api/live/start/{session}", .user, .changing,
      .loop { loop, call throws(ProtocolError) in try loop.startLive(call) }),
  ]

  private static let liveSessions: [Route] = [
    Route(
      .get, "/api/live-sessions", .user, .reading,
      .loop { loop, call throws(ProtocolError) in try loop.listLiveSessions(call) }),
    Route(
      .post, "/api/live-sessions/join", .user, .joining,
      .loop { loop, call throws(ProtocolError) in try loop.watchLiveSession(call) }),
    Route(
      .get, "/api/live-sessions/{session}", .user, .reading, .room(.liveSession(status: 200)) { _ in .read }),
    Route(
      .post, "/api/admin/live-sessions", .user, .creating,
      .loop { loop, call throws(ProtocolError) in try loop.createLiveSession(call) }),
    Route(
      .put, "/api/admin/live-sessions/{session}", .user, .changing,
      .loop { loop, call throws(ProtocolError) in try loop.updateLiveSession(call) }),
    Route(
      .delete, "/api/admin/live-sessions/{session}", .user, .changing,
      .command(.done("The session is deleted.")) { _, _ in .delete }),
  ]

  private static let notifications: [Route] = [
    Route(
      .get, "/api/notifications", .user, .reading,
      .loop { loop, call throws(ProtocolError) in try loop.listNotifications(call) }),
    Route(
      .get, "/api/notifications/unread_count", .user, .reading,
      .loop { loop, call throws(ProtocolError) in try loop.countUnread(call) }),
    Route(
      .post, "/api/notifications/read_all", .user, .changing,
      .loop { loop, call throws(ProtocolError) in try loop.readAllNotifications(call) }),
    Route(
      .post, "/api/notifications/{notification}/read", .user, .changing,
      .loop { loop, call throws(ProtocolError) in try loop.readNotification(call) }),
  ]
}

extension Route.Action {
  /// A command to the room of the session that the path names, made of the body and the path.
  static func command(
    _ shape: AnswerShape, _ make: @escaping @Sendable (BodyFields, RouteCall) throws(ProtocolError) -> Command
  ) -> Route.Action {
    .room(shape) { call throws(ProtocolError) in
      let key = try call.key()
      return .perform(
        try call.body { fields throws(ProtocolError) in try make(fields, call) }, key: key)
    }
  }
}
