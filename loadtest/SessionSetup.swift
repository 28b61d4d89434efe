import EventLoop
import JSON
import SignalingClient
import SignalingProtocol
import WebSocketDeflate

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
      try create(session)
      addPeople(to: session, firstNumber: UInt32(index), expiry: expiry)
      sessions.append(session)
    }
    return sessions
  }

  private func create(_ session: ClassSession) throws(LoadRunFailure) {
    var body = JSONWriter()
    body.object { body in
      body.field("id", session.id)
      body.field("title", "Load test: \(plan.scenario.title)")
      body.field("admission", "open")
      body.field("visibility", "listed")
      if case .hostToken = plan.credentials { body.field("guests", true) }
    }
    _ = try request("POST", "/api/sessions/", token: session.hostToken, body: body.bytes, expected: 201)
  }

  private func addPeople(to session: ClassSession, firstNumber: UInt32, expiry: Int64) {
    add(to: session, place: 0, number: firstNumber, .token(session.hostToken), presence: plan.hostPresence)
    for place in 1..<(plan.attendees + 1) {
      let name = "Attendee \(place)"
      let credential: ClientMessage.Hello
      switch plan.credentials {
      case .secret(let signer):
        credential = .token(
          signer.token(user: "\(session.id)-\(place)", name: name, role: "participant", expiry: expiry))
      case .hostToken: credential = .guest(name: name)
      }
      let number = firstNumber + UInt32(place * plan.sessions)
      add(to: session, place: place, number: number, credential, presence: plan.attendeePresence.mode(at: place))
    }
  }

  private func add(
    to session: ClassSession, place: Int, number: UInt32, _ credential: ClientMessage.Hello, presence: PresenceMode
  ) {
    var configuration = SignalingClientConfiguration(
      host: plan.target.authority, credential: credential, session: session.id, presence: presence)
    configuration.path = plan.target.path
    if plan.compresses {
      configuration.compressionOffer =
        DeflateClientOffer(serverNoContextTakeover: true, clientNoContextTakeover: true).element
    }
    configuration.reconnects = plan.breaksConnections
    // Without a herd, a join that is stuck is the run's to notice.
    if case .none = plan.herd { configuration.openingTimeoutMilliseconds = Int64(plan.graceSeconds * 1000) + 1000 }
    session.people.append(
      Attendee(
        session: session, place: place, number: number, configuration: configuration, security: plan.security))
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
