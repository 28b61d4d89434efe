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
    switch try judge(kind, negotiation, from: sender, to: receiver, at: now) {
    case .relay: break
    case .hold:
      try hold(kind, negotiation ?? "", payload, from: sender, to: receiver, at: now)
      if let id { send(to: connection, from: room, as: .liveAnswer(id: id)) { ServerMessage.ok(id: id, into: &$0) } }
      return
    case .drop:
      signalFigures.stale += 1
      throw ProtocolError(.staleNegotiation, "This negotiation is over.", peer: target)
    }
    let isBeside = pass(
      kind, negotiation: negotiation, payload: payload, from: sender, to: receiver, in: room, at: now)
    let purpose: Outbox.Purpose = isBeside ? .liveAnswer(id: id) : .answer(id: id)
    if let id { send(to: connection, from: room, as: purpose) { ServerMessage.ok(id: id, into: &$0) } }
    if kind == .offer, let negotiation { release(negotiation, between: sender, receiver, in: room, at: now) }
  }

  /// Passes a signal on.
  /// - Returns: whether it went beside the barrier.
  private func pass(
    _ kind: SignalKind, negotiation: String?, payload: UnsafeRawBufferPointer, from sender: Peer, to receiver: Peer,
    in room: Room, at now: Timestamp
  ) -> Bool {
    writer.removeAll()
    ServerMessage.beginSignal(
      from: sender.id, isReaderPolite: receiver.isPolite(to: sender), kind: kind, negotiation: negotiation,
      payload: payload, into: &writer)
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
    return isBeside
  }

  // MARK: Negotiations

  /// Says what becomes of a signal, and notes what it changes between the two.
  private func judge(
    _ kind: SignalKind, _ id: String?, from sender: Peer, to receiver: Peer, at now: Timestamp
  ) throws(ProtocolError) -> Negotiation.Verdict {
    switch kind {
    case .offer:
      try negotiation(between: sender, receiver)
        .offer(id, from: sender.id, isPolite: sender.isPolite(to: receiver), at: now)
      return .relay
    case .answer:
      guard let pair = sender.negotiations[receiver.id] else { return id == nil ? .relay : .drop }
      return pair.answer(id, from: sender.id)
    case .candidate, .endOfCandidates:
      guard let pair = sender.negotiations[receiver.id] else { return id == nil ? .relay : .hold }
      return pair.candidate(id)
    case .bye:
      sender.forgetNegotiation(with: receiver)
      signalFigures.abandoned += UInt64(sender.held.drop(for: receiver.id) + receiver.held.drop(for: sender.id))
      return .relay
    }
  }

  /// What goes on between two peers, from the first offer on.
  private func negotiation(between sender: Peer, _ receiver: Peer) throws(ProtocolError) -> Negotiation {
    if let pair = sender.negotiations[receiver.id] { return pair }
    guard sender.openedNegotiations < ProtocolLimits.negotiationsOpened else {
      throw ProtocolError(.rateLimited, "This is more calls than one tab may begin.", peer: receiver.id)
    }
    let pair = Negotiation(opener: sender.id)
    sender.openedNegotiations += 1
    sender.negotiations[receiver.id] = pair
    receiver.negotiations[sender.id] = pair
    return pair
  }

  private func hold(
    _ kind: SignalKind, _ negotiation: String, _ payload: UnsafeRawBufferPointer, from sender: Peer, to receiver: Peer,
    at now: Timestamp
  ) throws(ProtocolError) {
    signalFigures.abandoned += UInt64(sender.held.expire(at: now))
    let signal = HeldSignal(
      target: receiver.id, kind: kind, negotiation: negotiation, payload: Array(payload), at: now)
    guard sender.held.hold(signal) else {
      signalFigures.stale += 1
      throw ProtocolError(
        .staleNegotiation, "No offer has come for this, and too much waits for one.", peer: receiver.id)
    }
    signalFigures.held += 1
  }

  /// Passes on what came before the offer of this negotiation.
  private func release(
    _ negotiation: String, between sender: Peer, _ receiver: Peer, in room: Room, at now: Timestamp
  ) {
    guard !sender.held.isEmpty else { return }
    signalFigures.abandoned += UInt64(sender.held.expire(at: now))
    // An offer that lost to one that it crossed takes its candidates with it.
    let isOver = sender.negotiations[receiver.id]?.candidate(negotiation) == .drop
    for signal in sender.held.take(for: receiver.id, negotiation: negotiation) {
      if isOver {
        signalFigures.stale += 1
      } else {
        signal.payload.withUnsafeBytes {
          _ = pass(
            signal.kind, negotiation: negotiation, payload: $0, from: sender, to: receiver, in: room, at: now)
        }
      }
    }
  }

  /// A peer is gone for good, and what it negotiated with it.
  func forgetNegotiations(of peer: Peer, in room: Room) {
    for other in peer.negotiations.keys.sorted() {
      if let other = room.peers[other] { peer.forgetNegotiation(with: other) }
    }
    peer.negotiations = [:]
    signalFigures.abandoned += UInt64(peer.held.count)
    peer.held = HeldSignals()
  }

  // MARK: Keeping

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
