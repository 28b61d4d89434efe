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
    if let wait = error.retryAfterMilliseconds { answer.headers.append("Retry-After", "\((wait + 999) / 1000)") }
    return answer
  }

  /// What a room refused, as the route shows it.
  static func refusal(_ refusal: Refusal, to pending: PendingRequest) -> HTTPAnswer {
    switch pending.shape {
    case .liveStatus: liveStatus(of: nil, mayJoin: false)
    default: error(ProtocolError(refusal))
    }
  }

  /// What a room answered, as the route shows it.
  static func room(
    _ answer: RoomAnswer, to pending: PendingRequest, in context: LoopContext, at now: Timestamp
  ) -> HTTPAnswer {
    if case .attendance(let shape) = pending.shape { return attendance(answer, as: shape, in: context, at: now) }
    switch answer {
    case .session(let view, let mayJoin): return session(view, mayJoin: mayJoin, as: pending.shape, in: context)
    case .performed(let result, let view, let participants):
      return performed(result, view, participants: participants, to: pending, in: context)
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
      let ticket = context.tickets.issue(identity, at: now)
      return self.ticket(ticket, session: session, participants: participants, url: pending.socketURL)
    case .attendance(let report):
      return watching(report, by: pending.identity)
    case .checkInCode: return error(ProtocolError(.internalError, "The server has mistaken itself."))
    case .participants(let page): return participants(page)
    case .chat(let page): return chat(page)
    case .registrations(let entries, _): return registrations(entries, as: pending.shape)
    }
  }

  private static func session(
    _ view: SessionView, mayJoin: Bool, as shape: AnswerShape, in context: LoopContext
  ) -> HTTPAnswer {
    let meetings = context.configuration.meetingTemplate
    switch shape {
    case .liveStatus: return liveStatus(of: view, mayJoin: mayJoin)
    case .liveRoom: return liveRoom(view, mayJoin: mayJoin)
    case .liveSession(let status): return liveSession(view, status: status)
    case .session(let status):
      return HTTPAnswer(status: status) {
        ServerMessage.writeSession(view, includingRoomName: mayJoin, meetings: meetings, into: &$0)
      }
    default:
      return HTTPAnswer(status: 200) {
        ServerMessage.writeSession(view, includingRoomName: mayJoin, meetings: meetings, into: &$0)
      }
    }
  }

  private static func performed(
    _ answer: Answer, _ view: SessionView, participants: Int, to pending: PendingRequest, in context: LoopContext
  ) -> HTTPAnswer {
    switch pending.shape {
    case .transition(let sentence):
      if case .status(let change) = answer { return transition(sentence, view.inState(change)) }
      return transition(sentence, view)
    case .done(let sentence): return done(sentence)
    case .registration(let sentence):
      guard case .registration(let state) = answer else { return done(sentence) }
      return registration(sentence, of: pending.user ?? pending.identity?.user ?? "", state)
    default: return session(view, mayJoin: true, as: pending.shape, in: context)
    }
  }

  private static func transition(
    _ sentence: StaticString, _ change: StatusChange, _ session: String, _ rest: (inout JSONWriter) -> Void
  ) -> HTTPAnswer {
    HTTPAnswer(status: 200) { writer in
      writer.object { writer in
        writer.field("message", sentence)
        writer.key("session")
        writer.object { writer in
          writer.field("id", session)
          writer.field("status", change.status.rawValue)
          rest(&writer)
        }
      }
    }
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
