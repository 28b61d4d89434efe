import Classroom
import RoomShard
import SignalingProtocol

/// How a route shows what a room answers.
enum AnswerShape: Sendable {
  /// The session object, with this status.
  case session(status: Int)
  /// The same under the names that some front ends use.
  case liveSession(status: Int)
  case started
  case ended
  /// The state after another transition, and what is said of it.
  case transition(StaticString)
  /// Only what is said.
  case done(StaticString)
  case ticket
  case liveStatus
  /// `room_name` and `is_active`, of a session that is live.
  case liveRoom
  /// Where there is something to watch, and since when who asks has watched.
  case watching
  case attendance(AttendanceShape)
  case participants
  case chat
  /// Who is expected: so many, from that one on.
  case registrations(from: Int, limit: Int)
  /// Where the registration stands of the user whom the path names, or of who asks.
  case registration(StaticString)
  case picture
}

/// What is needed to answer a request when its room has spoken.
struct PendingRequest {
  var shape: AnswerShape
  var session: String
  var identity: Identity?
  /// The user whom the path names, if it names one.
  var user: String?
  var keepsAlive: Bool
  var isHead: Bool
  /// The address of the WebSocket, for answers that name it.
  var socketURL: String
  /// What is asked next, given what came of it; nil when that was the last step.
  var then: NextStep.Choice?
}

/// One more question of a request that takes several.
struct NextStep: Sendable {
  /// Decides what comes after an answer or a refusal; nil lets it stand.
  typealias Choice = @Sendable (Result<RoomAnswer, Refusal>) -> NextStep?

  var session: String
  var request: RoomRequest
  var then: Choice?
}
