import Classroom
import SignalingProtocol

// What is read of a room from outside it.
extension RoomShard {
  /// Notes what somebody has read of what the session had people told. Who was told may not be among its people any more.
  func readNotices(
    _ numbers: [UInt64], in room: Room, by identity: Identity?, at now: Timestamp
  ) throws(Refusal) -> RoomAnswer {
    guard let identity, !identity.isGuest, identity.session == nil || identity.session == room.classroom.id else {
      throw .notFound
    }
    let actor = Actor(user: identity.user, name: identity.name, role: .participant)
    room.hasVisitors = true
    let outcome = try decide(.readNotices(numbers), by: actor, in: room, at: now)
    if !outcome.events.isEmpty { publish(room) }
    return .performed(outcome.answer, room.classroom.view, participants: room.classroom.attendance.activeCount)
  }

  /// Answers a question about who is here and what was said.
  func answerReading(_ request: RoomRequest, about room: Room, by actor: Actor) throws(Refusal) -> RoomAnswer {
    switch request {
    case .participants(let cursor, let limit):
      return .participants(room.presence.page(after: cursor ?? 0, limit: limit))
    case .chat(let before, let limit):
      return .chat(
        room.classroom.chat.page(before: before, limit: limit, textBytes: ProtocolLimits.historyTextBytes))
    default:
      preconditionFailure("answered elsewhere")
    }
  }
}
