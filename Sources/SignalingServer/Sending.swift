import Bytes
import EventLoop
import RoomShard

// How what a tick has to say reaches the sockets: spans of the arena, one send for each connection, the rest kept.
extension ServerLoop {
  /// Appends bytes to what the connection gets at the end of the tick.
  func enqueue(_ range: ByteRange, to id: SlotID) {
    guard let connection = connections.pointer(to: id) else { return }
    if !connection.pointee.isDirty {
      connection.pointee.isDirty = true
      dirty.append(id)
    }
    if connection.pointee.spans.append(range) { return }
    send(id)
    // The send may have ended the connection; nothing follows a Close (RFC 6455, 5.5.1).
    guard let connection = connections.pointer(to: id), !connection.pointee.closesAfterFlush else { return }
    _ = connection.pointee.spans.append(range)
  }

  func enqueue(_ bytes: [UInt8], to id: SlotID) {
    let range = bytes.withUnsafeBytes { arena.append($0, toLane: TickOutput.ownLane) }
    enqueue(range, to: id)
  }

  func flush() {
    var index = 0
    // Closing one connection may dirty others (a call's other side), so the list can grow while it is walked.
    while index < dirty.count {
      let end = dirty.count
      figures.count(.bytesOut, Self.sendAll(dirty, index..<end, connections, arena, &unfinished))
      index = end
      for place in 0..<unfinished.count { send(unfinished[place]) }
      unfinished.removeAll()
    }
    dirty.removeAll()
    pacing.roundEnds(at: MonotonicClock.nanoseconds())
    for id in failed { close(id) }
    failed.removeAll(keepingCapacity: true)
  }

  /// Sends what the tick has for these connections, as long as that is one simple call each.
  /// - Parameter unfinished: gets those with which there is more to be done.
  /// - Returns: how many bytes the sockets took.
  private static func sendAll(
    _ dirty: borrowing IDList<SlotID>, _ indices: Range<Int>, _ connections: borrowing Slab<Connection>,
    _ arena: borrowing TickOutput, _ unfinished: inout IDList<SlotID>
  ) -> Int {
    var sent = 0
    for index in indices {
      let id = dirty[index]
      guard let connection = connections.pointer(to: id) else { continue }
      connection.pointee.isDirty = false
      let spans = connection.pointee.spans
      guard !spans.isEmpty, connection.pointee.backlog.isEmpty, !connection.pointee.hasFailed,
        connection.pointee.tls == nil
      else {
        unfinished.append(id)
        continue
      }
      let result = send(arena[spans.first], arena[spans.second], to: connection.pointee.socket.rawValue)
      if case .bytes(let count) = result {
        connection.pointee.spans.removeFirst(count)
        sent &+= count
      }
      if !connection.pointee.spans.isEmpty || connection.pointee.closesAfterFlush { unfinished.append(id) }
    }
    return sent
  }

  private static func send(
    _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer, to descriptor: Int32
  ) -> SendResult {
    second.isEmpty ? StreamSocket.send(descriptor, first) : StreamSocket.send(descriptor, first, second)
  }

  func send(_ id: SlotID) {
    guard let connection = connections.pointer(to: id) else { return }
    if connection.pointee.hasFailed {
      connection.pointee.spans.removeAll()
      return
    }
    let spans = connection.pointee.spans
    guard !spans.isEmpty else {
      finishIfDrained(id)
      return
    }
    if !connection.pointee.backlog.isEmpty, isTooSlow(connection, for: spans.byteCount) {
      // What waits ends with a whole frame: the Close goes behind it, in place of what is too much.
      connection.pointee.spans.removeAll()
      closeAsSlow(id)
    } else if connection.pointee.tls != nil {
      connection.pointee.spans.removeAll()
      sendEncrypted(arena[spans.first], arena[spans.second], to: id)
      if connections.pointer(to: id)?.pointee.backlog.isEmpty == true { finishIfDrained(id) }
    } else if connection.pointee.backlog.isEmpty {
      finishSending(
        Self.send(arena[spans.first], arena[spans.second], to: connection.pointee.socket.rawValue), to: id)
    } else {
      finishSending(.wouldBlock, to: id)
    }
  }

  /// Keeps what the socket has not taken of what the tick has for a connection.
  private func finishSending(_ result: SendResult, to id: SlotID) {
    guard let connection = connections.pointer(to: id) else { return }
    let spans = connection.pointee.spans
    connection.pointee.spans.removeAll()
    var sent = 0
    switch result {
    case .bytes(let count):
      sent = count
      figures.count(.bytesOut, count)
    case .wouldBlock: break
    case .failed:
      fail(id)
      return
    }
    keepUnsent(arena[spans.first], skipping: sent, of: id)
    keepUnsent(arena[spans.second], skipping: max(0, sent - spans.first.count), of: id)
    if connection.pointee.backlog.isEmpty {
      finishIfDrained(id)
    } else {
      setInterest(connection.pointee.interest.union(.writable), of: id)
    }
  }

  private func keepUnsent(_ bytes: UnsafeRawBufferPointer, skipping count: Int, of id: SlotID) {
    guard count < bytes.count, let connection = connections.pointer(to: id) else { return }
    if !connection.pointee.backlog.append(UnsafeRawBufferPointer(rebasing: bytes[count...])) { fail(id) }
  }

  func drainBacklog(_ id: SlotID) {
    guard let connection = connections.pointer(to: id), !connection.pointee.backlog.isEmpty else { return }
    switch StreamSocket.send(connection.pointee.socket.rawValue, connection.pointee.backlog.front) {
    case .bytes(let count):
      figures.count(.bytesOut, count)
      connection.pointee.backlog.consume(count)
    case .wouldBlock: return
    case .failed:
      close(id)
      return
    }
    guard connection.pointee.backlog.isEmpty else { return }
    setInterest(connection.pointee.interest.subtracting(.writable), of: id)
    finishIfDrained(id)
    tellLatest(to: id)
    guard let connection = connections.pointer(to: id), !connection.pointee.input.isEmpty,
      connection.pointee.http?.pending == nil
    else { return }
    resumeInput(of: id)
  }

  /// Whether more would wait for a WebSocket than may. What one tick says to somebody who has taken everything before is
  /// never too much: an answer can be larger than what waits for who does not read.
  private func isTooSlow(_ connection: UnsafeMutablePointer<Connection>, for count: Int) -> Bool {
    guard !connection.pointee.closesAfterFlush, connection.pointee.webSocket?.purpose == .signaling else {
      return false
    }
    return connection.pointee.backlog.count + count > limits.outboundBytes
  }

  /// Tells a connection that has taken everything what was left out for it meanwhile.
  private func tellLatest(to id: SlotID) {
    guard let connection = connections.pointer(to: id), connection.pointee.webSocket?.missesLatest == true else {
      return
    }
    connection.pointee.webSocket?.missesLatest = false
    shard.tellLatest(to: ConnectionID(rawValue: id.rawValue), at: now)
  }

  /// Gives the next of the events they missed to those whose sockets have taken what was made before: what is on its way to
  /// one client never grows with what it missed.
  func feedWhoCatchesUp() {
    for connection in shard.catchingUp where !isTickFull && hasTakenEverything(connection) {
      shard.continueCatchingUp(connection)
    }
  }

  func hasTakenEverything(_ connection: ConnectionID) -> Bool {
    guard let connection = connections.pointer(to: SlotID(rawValue: connection.rawValue)) else { return false }
    return connection.pointee.isDrained && connection.pointee.webSocket?.isOpen() == true
  }

  private func finishIfDrained(_ id: SlotID) {
    guard let connection = connections.pointer(to: id) else { return }
    if connection.pointee.closesAfterFlush, connection.pointee.isDrained { linger(id) }
  }
}
