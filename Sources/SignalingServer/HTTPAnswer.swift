import Classroom
import HTTPCore
import JSON
import RoomShard
import SignalingProtocol

/// What an HTTP request is answered with.
struct HTTPAnswer {
  var status: Int
  var headers: HTTPHeaders
  var body: [UInt8]

  init(status: Int, headers: HTTPHeaders, body: [UInt8]) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// A JSON answer; `write` writes one value.
  init(status: Int, write: (inout JSONWriter) -> Void) {
    var writer = JSONWriter(reserving: 512)
    write(&writer)
    self.init(
      status: status, headers: ["Content-Type": "application/json", "Cache-Control": "no-store"], body: writer.bytes)
  }

  /// The error body, with the sentence repeated at the top for front ends that look there.
  static func error(_ error: ProtocolError, status: Int? = nil) -> HTTPAnswer {
    var answer = HTTPAnswer(status: status ?? error.code.httpStatus) { writer in
      writer.beginObject()
      writer.key("error")
      writer.beginObject()
      ServerMessage.writeFields(of: error, into: &writer)
      writer.endObject()
      writer.field("message", error.message)
      writer.endObject()
    }
    // RFC 9110, 11.6.1: a 401 says what it wants.
    if answer.status == 401 { answer.headers.append("WWW-Authenticate", "Bearer") }
    // RFC 9110, 10.2.3: in whole seconds.
    if let delay = error.retryAfterMilliseconds { answer.headers.append("Retry-After", "\((delay + 999) / 1000)") }
    return answer
  }

  /// A page of the list.
  static func list(_ page: Catalog.Page) -> HTTPAnswer {
    HTTPAnswer(status: 200) { writer in
      writer.beginObject()
      writer.key("sessions")
      writer.beginArray()
      for view in page.sessions { ServerMessage.writeSession(view, includingRoomName: false, into: &writer) }
      writer.endArray()
      writer.field("next", page.next?.text)
      writer.endObject()
    }
  }

  /// What a room refused, as the route shows it.
  static func refusal(_ refusal: Refusal, to pending: PendingRequest) -> HTTPAnswer {
    switch pending.kind {
    case .liveStatus: liveStatus(of: nil, mayJoin: false)
    default: error(ProtocolError(refusal))
    }
  }

  /// What a room answered, as the route shows it.
  static func room(
    _ answer: RoomAnswer, to pending: PendingRequest, tickets: TicketOffice, at now: Timestamp
  ) -> HTTPAnswer {
    switch answer {
    case .session(let view, let mayJoin):
      if case .liveStatus = pending.kind { return liveStatus(of: view, mayJoin: mayJoin) }
      var status = 200
      if case .create = pending.kind { status = 201 }
      return HTTPAnswer(status: status) {
        ServerMessage.writeSession(view, includingRoomName: mayJoin, into: &$0)
      }
    case .started(let change, let session, let participants):
      return transition("The session has started.", change, session) { writer in
        writer.field("started_at", change.startedAt.map(RFC3339.format))
        writer.field("participants", participants)
      }
    case .ended(let change, let session):
      return transition("The session has ended.", change, session) { writer in
        writer.field("ended_at", change.endedAt.map(RFC3339.format))
      }
    case .joined(let session, let role, let participants):
      guard var identity = pending.identity else { return error(ProtocolError(Refusal.notFound)) }
      identity.session = session
      identity.role = role
      let ticket = tickets.issue(identity, at: now)
      return HTTPAnswer(status: 200) { writer in
        writer.beginObject()
        writer.field("message", "You may join.")
        writer.key("session")
        writer.beginObject()
        writer.field("id", session)
        writer.field("participants", participants)
        writer.endObject()
        writer.field("ticket", ticket)
        writer.field("url", "\(pending.isSecure ? "wss" : "ws")://\(pending.host)/ws")
        writer.endObject()
      }
    case .attendance(let report):
      return attendance(report)
    }
  }

  private static func transition(
    _ sentence: StaticString, _ change: StatusChange, _ session: String, _ rest: (inout JSONWriter) -> Void
  ) -> HTTPAnswer {
    HTTPAnswer(status: 200) { writer in
      writer.beginObject()
      writer.field("message", sentence)
      writer.key("session")
      writer.beginObject()
      writer.field("id", session)
      writer.field("status", change.status.rawValue)
      rest(&writer)
      writer.endObject()
      writer.endObject()
    }
  }

  private static func liveStatus(of view: SessionView?, mayJoin: Bool) -> HTTPAnswer {
    HTTPAnswer(status: 200) { writer in
      writer.beginObject()
      writer.field("is_active", view?.status.isLive ?? false)
      writer.field("status", view?.status.rawValue)
      writer.field("room_name", mayJoin ? view?.details.roomName : nil)
      writer.endObject()
    }
  }

  private static func attendance(_ report: AttendanceReport) -> HTTPAnswer {
    HTTPAnswer(status: 200) { writer in
      writer.beginObject()
      writer.field("session", report.view.details.id)
      writer.field("status", report.view.status.rawValue)
      writer.field("started_at", report.view.startedAt.map(RFC3339.format))
      writer.field("ended_at", report.view.endedAt.map(RFC3339.format))
      writer.field("attended", report.rows.count)
      writer.key("participants")
      writer.beginArray()
      for row in report.rows { write(row, at: report.at, into: &writer) }
      writer.endArray()
      writer.endObject()
    }
  }

  private static func write(_ row: Attendance.Row, at now: Timestamp, into writer: inout JSONWriter) {
    let milliseconds = row.milliseconds(until: now)
    writer.beginObject()
    writer.field("user", row.user)
    writer.field("name", row.name)
    writer.field("role", row.role.rawValue)
    writer.field("first_join", row.firstJoin.map(RFC3339.format))
    writer.field("last_leave", row.lastLeave.map(RFC3339.format))
    writer.field("minutes", (milliseconds + 30_000) / 60_000)
    writer.field("milliseconds", milliseconds)
    writer.field("is_active", row.isActive)
    writer.key("segments")
    writer.beginArray()
    for segment in row.segments {
      writer.beginObject()
      writer.field("from", RFC3339.format(segment.from))
      writer.field("to", segment.to.map(RFC3339.format))
      writer.field("estimated", segment.isEstimated)
      writer.endObject()
    }
    writer.endArray()
    writer.endObject()
  }
}

/// The headers that every answer carries.
enum SecurityHeaders {
  static let all: [HTTPHeaders.Field] = [
    HTTPHeaders.Field(name: "X-Content-Type-Options", value: "nosniff"),
    HTTPHeaders.Field(name: "Referrer-Policy", value: "no-referrer"),
  ]

  /// What the page may do: its own scripts, styles and socket, nothing from elsewhere, in nobody's frame.
  static let page: [HTTPHeaders.Field] = [
    HTTPHeaders.Field(
      name: "Content-Security-Policy",
      value: [
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data: blob:",
        "media-src 'self' blob:", "connect-src 'self'", "font-src 'self'", "base-uri 'none'", "form-action 'none'",
        "frame-ancestors 'none'",
      ].joined(separator: "; ")),
    HTTPHeaders.Field(
      name: "Permissions-Policy", value: "camera=(self), microphone=(self), display-capture=(self), geolocation=()"),
    HTTPHeaders.Field(name: "Cross-Origin-Opener-Policy", value: "same-origin"),
  ]
}
