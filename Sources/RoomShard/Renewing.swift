import Classroom
import SignalingProtocol

// How those who are connected show a new token.
extension RoomShard {
  /// A connection has a new token of its user. What it gives in the session is judged as for a join; who has another role
  /// there than before, or need not knock any more, is sent away to come back with it.
  ///
  /// - Parameters:
  ///   - identity: what the token says, checked.
  ///   - guestToken: what a guest is to come back with.
  /// - Returns: whether the token counts from now on; if not, the connection is told why.
  public func renew(_ identity: Identity, id: Int64?, guestToken: String?, from connection: ConnectionID) -> Bool {
    guard !closing.contains(connection) else { return false }
    let member = members[connection]
    let position = member?.room.position ?? 0
    var comesAnew = false
    if let member, !member.room.isFrozen {
      do throws(Refusal) {
        let arrival = try arrival(of: identity, in: member.room.classroom)
        // Who is in does not go out to knock by a token alone.
        guard member.isKnocking || !arrival.isKnocking else { throw .forbidden }
        members[connection]?.granted = arrival.granted
        comesAnew = arrival.actor.role != member.actor.role || arrival.isKnocking != member.isKnocking
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
    if comesAnew { end(connection, for: .roleChanged, restingOn: position) }
    return true
  }
}
