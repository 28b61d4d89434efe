import Classroom
import SignalingProtocol

// How signals get from one peer to another: beside the barrier where both are known, and kept for who is away.
extension RoomShard {
  func relay(
    _ kind: SignalKind, to target: String, negotiation: String?, payload: UnsafeRawBufferPointer, id: Int64?,
    from connection: ConnectionID, _ member: Member, at now: Timestamp
  ) throws(ProtocolError) {
    let room = member.room
    let sender = try peer(of: member)
    guard target != sender.id, let receiver = room.peers[target], isKnown(receiver) else {
      throw ProtocolError(.peerUnavailable, "Nobody is at this address any more.", peer: target)
    }
    writer.removeAll()
    // Any rule would do that gives the two sides opposite answers, and the same ones for the whole call.
    ServerMessage.beginSignal(
      from: sender.id, isReaderPolite: target > sender.id, kind: kind, negotiation: negotiation, payload: payload,
      into: &writer)
    let isBeside = isKnown(sender) && outbox.takenCount >= sender.lastHeldSignal
    if isBeside {
      writer.field("signal_seq", receiver.signals.last + 1)
      writer.endObject()
      writer.withUnsafeBytes { signal in
        if let connection = keep(signal, for: receiver, in: room, at: now) {
          outbox.sendBeside(signal, to: connection)
        }
      }
    } else {
      // Nobody may hear of a peer before its join is safe, and no later signal may overtake one that waits for that.
      outbox.append(.signal(receiver, room, outbox.store(writer.bytes), at: now), restingOn: room.position)
      sender.lastHeldSignal = outbox.appendedCount
    }
    let purpose: Outbox.Purpose = isBeside ? .liveAnswer(id: id) : .answer(id: id)
    if let id { send(to: connection, from: room, as: purpose) { ServerMessage.ok(id: id, into: &$0) } }
  }

  /// Whether others may know the address: it has been told, or could have been.
  private func isKnown(_ peer: Peer) -> Bool { outbox.takenCount >= peer.announcement }

  /// Gives a signal that had to wait its number, and keeps it.
  /// - Returns: the signal, and to whom it goes now.
  func number(
    _ beginning: [UInt8], for receiver: Peer, in room: Room, at now: Timestamp
  ) -> (signal: [UInt8], connection: ConnectionID)? {
    let signal = beginning + ServerMessage.signalEnd(sequence: receiver.signals.last + 1)
    let connection = signal.withUnsafeBytes { keep($0, for: receiver, in: room, at: now) }
    return connection.map { (signal, $0) }
  }

  /// Keeps a signal that has its number.
  /// - Returns: the connection of a receiver who is there. Who is on the way back gets it after the events that were missed.
  private func keep(
    _ signal: UnsafeRawBufferPointer, for receiver: Peer, in room: Room, at now: Timestamp
  ) -> ConnectionID? {
    receiver.signals.append(signal, at: now, lifetimeMilliseconds: configuration.signalLifetimeMilliseconds)
    guard let connection = receiver.connection, room.audience.hasEntered(connection) else { return nil }
    receiver.delivered = receiver.signals.last
    return connection
  }
}
