import Classroom
import JSON
import SignalingProtocol

extension BodyFields {
  /// A time, with an offset or as the clocks of the session's time zone show it.
  func start(_ name: StaticString) throws(ProtocolError) -> ScheduledTime? {
    guard let text = try string(name) else { return nil }
    guard let time = ScheduledTime(text) else {
      throw invalid(name, "a time such as 2026-01-01T09:00:00Z, or 2026-01-01T10:00 in the time zone of the session")
    }
    return time
  }

  /// People to put on a roster.
  func invitations(_ name: StaticString) throws(ProtocolError) -> [Roster.Invitation]? {
    try Roster.Invitation.list(reading: view, field: name)
  }
}
