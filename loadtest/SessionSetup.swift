import EventLoop
import JSON

/// What is done over HTTP: sessions are made before the load, and the attendance report is read after it.
struct SessionSetup {
  let plan: LoadPlan
  let client: HTTPClient

  /// Makes the sessions and their people.
  func makeSessions() throws(LoadRunFailure) -> [ClassSession] {
    let run = SecureRandom.bytes(count: 4).reduce("") { $0 + String($1 >> 4, radix: 16) + String($1 & 15, radix: 16) }
    // A day, so that no clock and no long run matters.
    let expiry = WallClock.milliseconds() / 1000 + 86_400
    var sessions: [ClassSession] = []
    for index in 0..<plan.sessions {
      let id = "\(plan.sessionPrefix)-\(run)-\(index + 1)"
      let host = "\(id)-host"
      let hostToken: String
      switch plan.credentials {
      case .secret(let signer): hostToken = signer.token(user: host, name: "Host", role: "host", expiry: expiry)
      case .hostToken(let token): hostToken = token
      }
      let session = ClassSession(id: id, hostToken: hostToken)
      let hostUser = try create(session)
      addPeople(to: session, host: hostUser, firstToken: UInt64(index), expiry: expiry)
      sessions.append(session)
    }
    return sessions
  }

  /// - Returns: the user whom the server takes for the host.
  private func create(_ session: ClassSession) throws(LoadRunFailure) -> String {
    var body = JSONWriter()
    body.object { body in
      body.field("id", session.id)
      body.field("title", "Load test")
      body.field("admission", "open")
      body.field("visibility", "listed")
      if case .hostToken = plan.credentials { body.field("guests", true) }
    }
    let response = try request("POST", "/api/sessions/", token: session.hostToken, body: body.bytes, expected: 201)
    var reader = JSONReader()
    let host = try reader.read(response, failure: { Self.unreadable("the new session", $0) }) {
      (view) throws(LoadRunFailure) in view["host"]?.string
    }
    guard let host else { throw LoadRunFailure(sentence: "the new session \(session.id) has no host") }
    return host
  }

  private func addPeople(to session: ClassSession, host: String, firstToken: UInt64, expiry: Int64) {
    session.roster = Roster()
    _ = session.roster.number(of: host)
    session.people.append(
      Attendee(
        session: session, place: 0, token: firstToken, hello: ClientMessages.hello(token: session.hostToken),
        user: host,
        presenceMode: plan.hostPresence))
    for place in 1..<(plan.attendees + 1) {
      let token = firstToken + UInt64(place * plan.sessions)
      let name = "Attendee \(place)"
      switch plan.credentials {
      case .secret(let signer):
        let user = "\(session.id)-\(place)"
        _ = session.roster.number(of: user)
        let hello = ClientMessages.hello(
          token: signer.token(user: user, name: name, role: "participant", expiry: expiry))
        session.people.append(
          Attendee(
            session: session, place: place, token: token, hello: hello, user: user, presenceMode: plan.attendeePresence)
        )
      case .hostToken:
        session.people.append(
          Attendee(
            session: session, place: place, token: token, hello: ClientMessages.hello(guest: name), user: nil,
            presenceMode: plan.attendeePresence))
      }
    }
  }

  /// The rows of the attendance report.
  func attendance(of session: ClassSession) throws(LoadRunFailure) -> [AttendanceRow] {
    let response = try request(
      "GET", "/api/sessions/\(session.id)/attendance/", token: session.hostToken, expected: 200)
    var reader = JSONReader()
    return try reader.read(response, failure: { Self.unreadable("the attendance report", $0) }) {
      (view) throws(LoadRunFailure) in
      guard let participants = view["participants"], participants.kind == .array else {
        throw LoadRunFailure(sentence: "the attendance report has no participants")
      }
      var rows: [AttendanceRow] = []
      for row in participants.elements {
        guard let user = row["user"]?.string, let milliseconds = row["milliseconds"]?.integer,
          let isActive = row["is_active"]?.boolean, let segments = row["segments"]
        else { throw LoadRunFailure(sentence: "a row of the attendance report lacks a field") }
        rows.append(
          AttendanceRow(user: user, milliseconds: milliseconds, isActive: isActive, segmentCount: segments.count))
      }
      return rows
    }
  }

  private static func unreadable(_ what: String, _ error: JSONError) -> LoadRunFailure {
    LoadRunFailure(sentence: "\(what) is not JSON: \(error)")
  }

  private func request(
    _ method: String, _ path: String, token: String, body: [UInt8] = [], expected: Int
  ) throws(LoadRunFailure) -> [UInt8] {
    let response: HTTPClientResponse
    do throws(HTTPClientFailure) {
      response = try client.request(method, path, token: token, body: body)
    } catch {
      throw LoadRunFailure(sentence: "\(error)")
    }
    guard response.status == expected else {
      let answer = String(decoding: response.body.prefix(300), as: UTF8.self)
      throw LoadRunFailure(sentence: "\(method) \(path) is answered with \(response.status): \(answer)")
    }
    return response.body
  }
}
