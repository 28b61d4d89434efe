import Bytes
import Classroom
import EventLoop
import Glibc
import RoomShard

// How a loop's sockets are accepted, watched, read and ended.
extension ServerLoop {
  func acceptAll() {
    while isListening {
      var peer: SocketAddress?
      switch context.listener.accept(from: &peer) {
      case .accepted(let socket):
        admit(socket, from: peer)
      case .wouldBlock:
        return
      case .outOfDescriptors:
        // The reserve descriptor takes the connection and closes it, so that the queue does not keep the loop awake.
        switch reserve.shed(context.listener) {
        case .shed:
          shedConnections += 1
          figures.count(.descriptors)
        case .nobodyWaiting: return
        case .unable:
          figures.count(.descriptors)
          pauseListening()
          return
        }
      case .failed(let error):
        context.logger.error("no connection can be accepted: \(error)")
        pauseListening()
        return
      }
    }
  }

  /// Leaves who knocks waiting until the next sweep, instead of trying without end.
  func pauseListening() {
    watchListener(false)
    isPaused = true
  }

  func watchListener(_ watches: Bool) {
    do throws(SystemError) {
      if watches {
        try poller.add(context.listener.descriptor, .readable, token: Self.listenerToken)
        if let listener = context.operatorListener {
          try poller.add(listener.descriptor, .readable, token: Self.operatorToken)
        }
      } else {
        try poller.remove(context.listener.descriptor)
        if let listener = context.operatorListener { try poller.remove(listener.descriptor) }
      }
    } catch {
      context.logger.error("the listener cannot be watched or left alone: \(error)")
    }
  }

  func serve(_ event: Readiness) {
    let id = SlotID(rawValue: event.token)
    if event.isWritable { drainBacklog(id) }
    if event.isReadable {
      receive(id)
    } else if event.isHungUp || event.hasError {
      close(id)
    }
  }

  private func receive(_ id: SlotID) {
    guard let connection = connections.pointer(to: id) else { return }
    switch StreamSocket.receive(connection.pointee.socket.rawValue, into: readBuffer) {
    case .bytes(let count):
      figures.count(.bytesIn, count)
      if connection.pointee.isLingering { return }
      connection.pointee.lastHeard = monotonicNow
      connection.pointee.isPinged = false
      let bytes = UnsafeMutableRawBufferPointer(rebasing: readBuffer[..<count])
      if connection.pointee.tls != nil || connection.pointee.awaitsTLS {
        decrypt(UnsafeRawBufferPointer(bytes), from: id)
      } else {
        takeIn(bytes, from: id)
      }
    case .wouldBlock: break
    case .endOfStream: noteEndOfStream(id)
    case .failed(ECONNRESET): noteEndOfStream(id, isReset: true)
    case .failed: close(id)
    }
  }

  /// The other side sends nothing more: by its own word, so it was there until now.
  func noteEndOfStream(_ id: SlotID, isReset: Bool = false) {
    guard let connection = connections.pointer(to: id) else { return }
    if !connection.pointee.isLingering { connection.pointee.lastHeard = monotonicNow }
    guard connection.pointee.owesAnswer, !isReset else {
      close(id)
      return
    }
    // A client may close its half after its last request (RFC 9112, 9.6): the answer is still due, and is the last.
    if connection.pointee.http?.pending != nil {
      connection.pointee.http?.pending?.keepsAlive = false
    } else {
      connection.pointee.closesAfterFlush = true
    }
    setInterest(connection.pointee.interest.subtracting(.readable), of: id)
  }

  /// Gives bytes to the machine of the connection.
  func takeIn(_ input: UnsafeMutableRawBufferPointer, from id: SlotID) {
    guard let connection = connections.pointer(to: id) else { return }
    if connection.pointee.webSocket != nil {
      takeInFrames(input, from: id)
    } else {
      takeInRequests(input, from: id)
    }
  }

  /// Keeps bytes for the connection's next turn. Until then nothing more is read, so that a sender feels it.
  func postpone(_ rest: UnsafeMutableRawBufferPointer, of id: SlotID, takesTurn: Bool) {
    guard let connection = connections.pointer(to: id) else { return }
    connection.pointee.input.append(contentsOf: rest)
    setInterest(connection.pointee.interest.subtracting(.readable), of: id)
    if takesTurn { giveTurn(to: id) }
  }

  /// Goes on with what was postponed, and reads again.
  func resumeInput(of id: SlotID) {
    guard let connection = connections.pointer(to: id) else { return }
    setInterest(connection.pointee.interest.union(.readable), of: id)
    guard !connection.pointee.input.isEmpty else { return }
    var input: [UInt8] = []
    swap(&input, &connection.pointee.input)
    input.withUnsafeMutableBytes { takeIn($0, from: id) }
    endIfOtherSideHas(id)
  }

  /// Lets a connection go on with what was postponed, in the next tick.
  func giveTurn(to id: SlotID) {
    guard let connection = connections.pointer(to: id), !connection.pointee.isDeferred else { return }
    connection.pointee.isDeferred = true
    deferred.append(id)
  }

  /// Whether so much is to be said in this tick that whoever asks for more has to wait for the next.
  var isTickFull: Bool { arena.count + shard.heldByteCount >= TransportLimits.tickBytes }

  func takeTurns() {
    guard !deferred.isEmpty, !isTickFull else { return }
    let turns = deferred
    deferred.removeAll(keepingCapacity: true)
    for id in turns {
      guard let connection = connections.pointer(to: id) else { continue }
      connection.pointee.isDeferred = false
      // Who does not read what is there is asked for nothing more: the turn comes when the backlog is gone.
      if connection.pointee.backlog.isEmpty { resumeInput(of: id) }
    }
  }

  func setInterest(_ interest: Interest, of id: SlotID) {
    guard let connection = connections.pointer(to: id), connection.pointee.interest != interest else { return }
    connection.pointee.interest = interest
    do throws(SystemError) {
      try poller.modify(connection.pointee.socket.rawValue, interest, token: id.rawValue)
    } catch {
      context.logger.error("a connection cannot be watched: \(error)")
      fail(id)
    }
  }

  /// Ends a connection at once. Its slot is used again only after the tick.
  func close(_ id: SlotID) {
    noteDeparture(of: id)
    connections.remove(id)
  }

  /// Ends a connection with the tick: its socket has failed.
  func fail(_ id: SlotID) {
    guard let connection = connections.pointer(to: id), !connection.pointee.hasFailed else { return }
    connection.pointee.hasFailed = true
    failed.append(id)
  }

  /// Ends a connection to which everything has been sent: ours is the first half to close, and what still comes in is read
  /// and dropped for a while, since closing over unread bytes would reset the connection and take our last words with it.
  func linger(_ id: SlotID) {
    noteDeparture(of: id)
    guard let connection = connections.pointer(to: id), !connection.pointee.isLingering else { return }
    if !sendCloseNotify(to: id) {
      connection.pointee.closesAfterFlush = true
      return
    }
    connection.pointee.isLingering = true
    connection.pointee.input = []
    connection.pointee.deadline = monotonicNow + patience.linger
    StreamSocket.shutdownWrite(connection.pointee.socket.rawValue)
    setInterest(.readable, of: id)
  }

  private func noteDeparture(of id: SlotID) {
    guard let connection = connections.pointer(to: id), !connection.pointee.hasDeparted else { return }
    connection.pointee.hasDeparted = true
    guard let state = connection.pointee.webSocket else { return }
    // RFC 6455, 7.1.5: without a Close the connection was "closed abnormally", 1006.
    figures.countClose(state.closeCode == 0 ? 1006 : state.closeCode)
    if let userRate = state.userRate { context.userRates.leave(userRate, at: microsecondsNow) }
    guard state.purpose == .signaling else { return }
    endWatching(id)
    let lastHeard = context.clock.timestamp(atMonotonic: connection.pointee.lastHeard)
    departed.append(
      (ConnectionID(rawValue: id.rawValue), lastHeard, connection.pointee.webSocket?.hasSaidGoodbye == true))
  }

  /// Takes a WebSocket out of this loop without closing its socket.
  /// - Returns: nil when it is gone, or about to end.
  func takeOut(_ id: SlotID) -> Connection? {
    // What it has to send goes first: the spans end with this tick's arena.
    send(id)
    guard let connection = connections.pointer(to: id), connection.pointee.webSocket?.machine.isOpen == true,
      !connection.pointee.hasFailed
    else { return nil }
    do throws(SystemError) {
      try poller.remove(connection.pointee.socket.rawValue)
    } catch {
      context.logger.error("a connection cannot be handed over: \(error)")
      close(id)
      return nil
    }
    return connections.take(id)
  }
}
