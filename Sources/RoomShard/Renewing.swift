import Classroom
import SignalingProtocol

// How those who are connected show a new token.
extension RoomShard {
  /// A connection has a new token of its user. What it gives in the session is judged as for a join; who has another role
  /// there than before is sent away to come back with it.
  ///
  /// - Parameters:
  ///   - identity: what the token says, checked.
  ///   - guestToken: what a guest is to come back with.
  /// - Returns: whether the token counts from now on; if not, the connection is told why.
  public func renew(_ identity: Identity, id: Int64?, guestToken: String?, from connection: ConnectionID) -> Bool {
    guard !closing.contains(connection) else { return false }
    let member = members[connection]
    let position = member?.room.position ?? 0
    var role = member?.actor.role
    if let member, !member.room.isFrozen {
      do throws(Refusal) {
        role = try member.room.classroom.role(of: identity)
      } catch {
        refuse(ProtocolError(error), id: id, to: connection, restingOn: position)
        return false
      }
    }
    if let id {
      let message = compose {
        ServerMessage.renewed(id: id, until: identity.expiresAt, guestToken: guestToken, into: &$0)
      }
      outbox.append(.send(connection, message, .liveAnswer(id: id)), restingOn: position)
    }
    if role != member?.actor.role { end(connection, for: .roleChanged, restingOn: position) }
    return true
  }
}
