import Classroom
import JSON
import SignalingProtocol

// What people are told of what a command led to, wherever the command came from.
extension RoomShard {
  /// Does what somebody asks in a room, and tells everybody what follows from it.
  func carryOut(
    _ command: Command, by actor: Actor, key: String?, in room: Room, at now: Timestamp
  ) throws(Refusal) -> Answer {
    let told = room.classroom.streamSequence
    let outcome = try decide(command, by: actor, key: key, in: room, at: now)
    tell(outcome.events, after: told, in: room, at: now)
    return outcome.answer
  }

  /// Does what a connection asks, answers it, and then tells everybody.
  func carryOut(
    _ command: Command, key: String?, id: Int64?, from connection: ConnectionID, _ member: Member, at now: Timestamp
  ) throws(ProtocolError) {
    let room = member.room
    let told = room.classroom.streamSequence
    do throws(Refusal) {
      let outcome = try decide(command, by: member.actor, key: key, in: room, at: now)
      if let id {
        send(to: connection, from: room, as: .answer(id: id)) { writer in
          ServerMessage.answer(outcome.answer, id: id, session: room.classroom.view, into: &writer)
        }
      }
      tell(outcome.events, after: told, in: room, at: now)
    } catch {
      throw ProtocolError(error)
    }
  }

  /// Tells everybody what happened, and does what that brings with it: the one place from which events go out.
  /// - Parameter told: the number of the last event of the stream before them.
  func tell(_ events: [RecordedEvent], after told: UInt64, in room: Room, at now: Timestamp) {
    guard !events.isEmpty else { return }
    for event in room.classroom.stream.events(after: told, limit: .max, textBytes: .max) {
      broadcast(to: .everyone, of: room) {
        ServerMessage.streamEvent(event, session: room.classroom.id, into: &$0)
      }
      switch event.content {
      case .status(let change):
        tellWaiting(change, by: event.by, in: room, at: event.at)
        outbox.append(
          .notify(.status(change, by: event.by, at: event.at), room.classroom.view), restingOn: room.position)
      case .updated, .starting:
        for group in [Audience.Group.waiting, .knocking] {
          broadcast(to: group, of: room) {
            ServerMessage.streamEvent(event, session: room.classroom.id, isNumbered: false, into: &$0)
          }
        }
      default: break
      }
    }
    tellSome(events, in: room)
    for event in events { follow(event, in: room, at: now) }
    didConduct(events, in: room, at: now)
    didChangeStatus(events, in: room, at: now)
    followAttendance(events, in: room, at: now)
  }

  /// Tells who waits that the session went on.
  func tellWaiting(_ change: StatusChange, by user: String?, in room: Room, at time: Timestamp) {
    for group in [Audience.Group.waiting, .knocking] {
      broadcast(to: group, of: room) {
        ServerMessage.sessionStatus(
          change, session: room.classroom.id, by: user, sequence: nil, at: time, into: &$0)
      }
    }
  }

  /// Does what an event brings with it, other than what the stream says.
  private func follow(_ event: RecordedEvent, in room: Room, at now: Timestamp) {
    switch event.event {
    case .updated:
      publish(room)
      // Without the waiting room, or with another admission, some may come in now.
      admitWaiting(in: room, isStart: false, at: now)
    case .announced(let text):
      publish(room)
      outbox.append(
        .notify(.starting(text: text, by: event.by, at: event.at), room.classroom.view), restingOn: room.position)
    case .reminded(let minutes, let isLate):
      guard !isLate else { return }
      publish(room)
      for group in [Audience.Group.waiting, .knocking] {
        broadcast(to: group, of: room) {
          ServerMessage.reminder(minutes: minutes, of: room.classroom.view, at: event.at, into: &$0)
        }
      }
      outbox.append(
        .notify(.reminder(minutes: minutes, at: event.at), room.classroom.view), restingOn: room.position)
    case .rosterChanged(let entries):
      publish(room)
      didChangeRoster(entries, in: room, at: now)
    case .admitted(let users): didAdmit(users, in: room, at: now)
    case .denied(let user): didDeny(user, in: room, at: now)
    case .deleted:
      dismissEveryone(from: room, at: now)
      outbox.append(.retract(room.classroom.id), restingOn: room.position)
    case .hidden:
      dismissEveryone(from: room, at: now)
      publish(room)
    default: break
    }
  }
}
