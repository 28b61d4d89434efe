import Bytes
import Classroom
import EventLoop
import Glibc
import HTTPCore
import JSON
import Logging
import Persistence
import RoomShard
import SignalingProtocol
import WebSocketCore

/// What a loop is given when it starts. Everything in it may be shared between threads.
struct LoopContext: Sendable {
  var index: Int
  var configuration: ServerConfiguration
  var clock: ServerClock
  var listener: Listener
  var mailboxes: [Mailbox<LoopMessage>]
  var journal: JournalThread
  var catalog: Catalog
  var tickets: TicketOffice
  var authority: TokenAuthority
  var state: ServerState
  var logger: Logger

  var mailbox: Mailbox<LoopMessage> { mailboxes[index] }
}

extension ServerLoop {
  var patience: Patience { context.configuration.patience }
}

/// One event loop: its connections, its rooms, and the tick that serves both. It never leaves its thread.
///
/// The tick: readiness → bytes → machines → commands → records to the journal → what may be shown → one send for each
/// connection that got something → timers.
final class ServerLoop {
  let context: LoopContext
  let shard: RoomShard
  var connections = Slab<Connection>()
  var arena = TickArena()
  var poller: Poller
  var reader = JSONReader()
  var writer = JSONWriter(reserving: 4096)
  /// The time of this tick, by the monotonic clock in milliseconds.
  private(set) var monotonicNow: Int64
  /// The time of this tick.
  private(set) var now: Timestamp
  private var dirty = IDList<SlotID>(minimumCapacity: 1024)
  private var deferred: [SlotID] = []
  /// Connections whose sockets have failed; they end with the tick, so that nothing vanishes under who is using it.
  private var failed: [SlotID] = []
  /// Connections that are gone and that the shard has not heard of.
  private var departed: [(connection: ConnectionID, lastHeard: Timestamp)] = []
  private let readBuffer: UnsafeMutableRawBufferPointer
  private var reserve: ReserveDescriptor
  private var messages: [LoopMessage] = []
  private var requests: [UInt64: RequestAddress] = [:]
  private var lastRequest: UInt64 = 0
  private var position: UInt64 = 0
  private var snapshot: (round: Int, sessions: ArraySlice<String>)?
  private var nextSweep: Int64 = 0
  private(set) var drainDeadline: Int64?
  private var isListening = true
  /// Whether the listener is left alone until the next sweep.
  private var isPaused = false

  // Below 2^32 no value names a slot.
  private static let listenerToken: UInt64 = 0
  private static let mailboxToken: UInt64 = 1
  private static let sweepMilliseconds: Int64 = 500
  /// How many bytes of snapshot are made in one tick, so that no tick is held up by a large room list.
  private static let snapshotBytesPerTick = 1 << 18

  init(_ context: LoopContext, rooms: [Classroom], lastAlive: Timestamp, isEstimated: Bool) throws(SystemError) {
    self.context = context
    shard = RoomShard(configuration: context.configuration.shard, random: SystemRandomNumberGenerator())
    poller = try Poller()
    reserve = try ReserveDescriptor()
    readBuffer = .allocate(byteCount: TransportLimits.readBytes, alignment: 64)
    monotonicNow = MonotonicClock.milliseconds()
    now = context.clock.timestamp(atMonotonic: monotonicNow)
    for room in rooms { shard.restore(room) }
    shard.resume(lastAlive: lastAlive, isEstimated: isEstimated, at: now)
    try poller.add(context.listener.descriptor, .readable, token: Self.listenerToken)
    try poller.add(context.mailbox.descriptor, .readable, token: Self.mailboxToken)
  }

  deinit { readBuffer.deallocate() }

  /// Runs until the server ends.
  func run() {
    endTick()
    while !isFinished {
      do throws(SystemError) {
        try poller.wait(timeoutMilliseconds: timeout(), sleepingOn: context.mailbox)
      } catch {
        context.logger.critical("the event loop cannot wait: \(error)")
        exitProcess(code: 1)
      }
      tick()
    }
    closeEverything()
    refuseMail()
  }

  /// Nobody reads the mail any more: connections that were on their way here are closed, later ones by who sends them.
  private func refuseMail() {
    context.mailbox.close()
    context.mailbox.drain(into: &messages)
    for case .adopt(let handover) in messages { FileDescriptor(owning: handover.descriptor).close() }
    messages.removeAll()
  }

  // MARK: The tick

  private func tick() {
    monotonicNow = MonotonicClock.milliseconds()
    now = context.clock.timestamp(atMonotonic: monotonicNow)
    for index in 0..<poller.eventCount {
      let event = poller.event(at: index)
      switch event.token {
      case Self.listenerToken: acceptAll()
      case Self.mailboxToken: break
      default: serve(event)
      }
    }
    readMail()
    takeTurns()
    if monotonicNow >= nextSweep { sweep() }
    shard.advance(to: now)
    takeSnapshotStep()
    endTick()
  }

  private func timeout() -> Int32 {
    if !deferred.isEmpty || !departed.isEmpty || snapshot != nil { return 0 }
    var wait = max(0, nextSweep - monotonicNow)
    if let deadline = shard.nextDeadline {
      let untilDeadline = deadline.milliseconds(since: context.clock.timestamp(atMonotonic: monotonicNow))
      wait = min(wait, max(0, untilDeadline))
    }
    return Int32(min(wait, Self.sweepMilliseconds))
  }

  private func endTick() {
    tellDepartures()
    appendRecords()
    var sink = LoopSink(loop: self)
    shard.release(into: &sink)
    flush()
    arena.reset()
    connections.recycle()
  }

  /// Sockets can fail while the shard's outputs are sent; the shard hears of it when it is not speaking.
  private func tellDepartures() {
    for (connection, lastHeard) in departed { shard.connectionClosed(connection, lastHeard: lastHeard, at: now) }
    departed.removeAll(keepingCapacity: true)
  }

  private func appendRecords() {
    let events = shard.takeRecords()
    guard !events.isEmpty else { return }
    var records: [PendingRecord] = []
    records.reserveCapacity(events.count)
    for event in events {
      writer.removeAll()
      let kind = EventCodec.encode(event, into: &writer)
      records.append(
        PendingRecord(
          session: event.session, sequence: event.sequence, kind: kind.rawValue, payload: writer.bytes))
    }
    context.journal.mailbox.post(.append(loop: context.index, through: shard.position, records: records))
  }

  // MARK: Sockets

  private func acceptAll() {
    while isListening {
      switch context.listener.accept() {
      case .accepted(let socket):
        let descriptor = socket.rawValue
        let id = connections.insert(
          Connection(socket: socket, now: monotonicNow, deadline: monotonicNow + patience.request))
        do throws(SystemError) {
          try poller.add(descriptor, .readable, token: id.rawValue)
        } catch {
          context.logger.error("a connection cannot be watched: \(error)")
          connections.remove(id)
        }
      case .wouldBlock:
        return
      case .outOfDescriptors:
        // The reserve descriptor takes the connection and closes it, so that the queue does not keep the loop awake.
        switch reserve.shed(context.listener) {
        case .shed: context.state.countShed()
        case .nobodyWaiting: return
        case .unable:
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
  private func pauseListening() {
    watchListener(false)
    isPaused = true
  }

  private func watchListener(_ watches: Bool) {
    do throws(SystemError) {
      if watches {
        try poller.add(context.listener.descriptor, .readable, token: Self.listenerToken)
      } else {
        try poller.remove(context.listener.descriptor)
      }
    } catch {
      context.logger.error("the listener cannot be watched or left alone: \(error)")
    }
  }

  private func serve(_ event: Readiness) {
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
      if connection.pointee.isLingering { return }
      connection.pointee.lastHeard = monotonicNow
      connection.pointee.isPinged = false
      takeIn(UnsafeMutableRawBufferPointer(rebasing: readBuffer[..<count]), from: id)
    case .wouldBlock: break
    case .endOfStream where connection.pointee.owesAnswer:
      // A client may close its half after its last request (RFC 9112, 9.6): the answer is still due, and is the last.
      if connection.pointee.http?.pending != nil {
        connection.pointee.http?.pending?.keepsAlive = false
      } else {
        connection.pointee.closesAfterFlush = true
      }
      setInterest(connection.pointee.interest.subtracting(.readable), of: id)
    case .endOfStream, .failed(ECONNRESET):
      // The other side itself said so: it was there until now.
      if !connection.pointee.isLingering { connection.pointee.lastHeard = monotonicNow }
      close(id)
    case .failed: close(id)
    }
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
  }

  /// Lets a connection go on with what was postponed, in the next tick.
  func giveTurn(to id: SlotID) {
    guard let connection = connections.pointer(to: id), !connection.pointee.isDeferred else { return }
    connection.pointee.isDeferred = true
    deferred.append(id)
  }

  /// Whether so much is to be said in this tick that whoever asks for more has to wait for the next.
  var isTickFull: Bool { arena.count + shard.heldByteCount >= TransportLimits.tickBytes }

  private func takeTurns() {
    guard !deferred.isEmpty else { return }
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
  private func linger(_ id: SlotID) {
    noteDeparture(of: id)
    guard let connection = connections.pointer(to: id), !connection.pointee.isLingering else { return }
    connection.pointee.isLingering = true
    connection.pointee.input = []
    connection.pointee.deadline = monotonicNow + patience.linger
    StreamSocket.shutdownWrite(connection.pointee.socket.rawValue)
    setInterest(.readable, of: id)
  }

  private func noteDeparture(of id: SlotID) {
    guard let connection = connections.pointer(to: id), !connection.pointee.hasDeparted else { return }
    connection.pointee.hasDeparted = true
    guard connection.pointee.webSocket?.purpose == .signaling else { return }
    let lastHeard = context.clock.timestamp(atMonotonic: connection.pointee.lastHeard)
    departed.append((ConnectionID(rawValue: id.rawValue), lastHeard))
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

  // MARK: Sending

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
    let range = bytes.withUnsafeBytes { arena.append($0) }
    enqueue(range, to: id)
  }

  private func flush() {
    var index = 0
    // Closing one connection may dirty others (a call's other side), so the list can grow while it is walked.
    while index < dirty.count {
      let id = dirty[index]
      index += 1
      guard let connection = connections.pointer(to: id) else { continue }
      connection.pointee.isDirty = false
      send(id)
    }
    dirty.removeAll()
    for id in failed { close(id) }
    failed.removeAll(keepingCapacity: true)
  }

  private func send(_ id: SlotID) {
    guard let connection = connections.pointer(to: id) else { return }
    let spans = connection.pointee.spans
    connection.pointee.spans.removeAll()
    if connection.pointee.hasFailed { return }
    guard !spans.isEmpty else {
      finishIfDrained(id)
      return
    }
    let first = arena[spans.first]
    let second = arena[spans.second]
    var sent = 0
    if connection.pointee.backlog.isEmpty {
      let descriptor = connection.pointee.socket.rawValue
      let result =
        second.isEmpty ? StreamSocket.send(descriptor, first) : StreamSocket.send(descriptor, first, second)
      switch result {
      case .bytes(let count): sent = count
      case .wouldBlock: break
      case .failed:
        fail(id)
        return
      }
    } else if connection.pointee.backlog.count >= TransportLimits.outboundBytes, !connection.pointee.closesAfterFlush {
      closeAsSlow(id)
      return
    }
    keepUnsent(first, skipping: sent, of: id)
    keepUnsent(second, skipping: max(0, sent - first.count), of: id)
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

  private func drainBacklog(_ id: SlotID) {
    guard let connection = connections.pointer(to: id), !connection.pointee.backlog.isEmpty else { return }
    switch StreamSocket.send(connection.pointee.socket.rawValue, connection.pointee.backlog.front) {
    case .bytes(let count): connection.pointee.backlog.consume(count)
    case .wouldBlock: return
    case .failed:
      close(id)
      return
    }
    guard connection.pointee.backlog.isEmpty else { return }
    setInterest(connection.pointee.interest.subtracting(.writable), of: id)
    finishIfDrained(id)
    guard let connection = connections.pointer(to: id), !connection.pointee.input.isEmpty,
      connection.pointee.http?.pending == nil
    else { return }
    resumeInput(of: id)
  }

  private func finishIfDrained(_ id: SlotID) {
    guard let connection = connections.pointer(to: id) else { return }
    if connection.pointee.closesAfterFlush, connection.pointee.isDrained { linger(id) }
  }

  // MARK: Mail

  private func readMail() {
    context.mailbox.drain(into: &messages)
    for message in messages {
      switch message {
      case .adopt(let handover): adopt(handover)
      case .request(let request, let session, let identity, let address):
        ask(request, session: session, identity: identity, for: address)
      case .answer(let result, let connection): answer(connection, with: result)
      case .synced(let position): shard.didSync(through: position)
      case .takeSnapshot(let round): snapshot = (round, shard.sessions[...])
      case .drain: drain()
      }
    }
    messages.removeAll(keepingCapacity: true)
  }

  /// Asks a room, wherever it lives.
  func call(_ request: RoomRequest, session: String, identity: Identity?, from connection: SlotID) {
    let address = RequestAddress.connection(connection, loop: context.index)
    let loop = RoomPlacement.loop(of: session, count: context.mailboxes.count)
    if loop == context.index {
      ask(request, session: session, identity: identity, for: address)
    } else {
      context.mailboxes[loop].post(.request(request, session: session, identity: identity, from: address))
    }
  }

  private func ask(_ request: RoomRequest, session: String, identity: Identity?, for address: RequestAddress) {
    lastRequest += 1
    requests[lastRequest] = address
    shard.handle(request, session: session, id: RequestID(rawValue: lastRequest), by: identity, at: now)
  }

  /// Brings the answer of a room to where the question came from.
  func deliver(_ result: Result<RoomAnswer, Refusal>, of request: RequestID) {
    guard let address = requests.removeValue(forKey: request.rawValue) else { return }
    switch address {
    case .connection(let id, loop: context.index): answer(id, with: result)
    case .connection(let id, let loop): context.mailboxes[loop].post(.answer(result, to: id))
    case .mailbox(let mailbox): mailbox.post(result)
    }
  }

  // MARK: Snapshots

  private func takeSnapshotStep() {
    guard var work = snapshot else { return }
    // The records that these states rest on are with the journal first.
    appendRecords()
    var entries: [SnapshotEntry] = []
    var bytes = 0
    while bytes < Self.snapshotBytesPerTick, let session = work.sessions.popFirst() {
      guard let classroom = shard.classroom(session) else { continue }
      SnapshotCodec.encode(classroom) { kind, payload in
        bytes += payload.count
        entries.append(
          SnapshotEntry(session: session, sequence: classroom.sequence, kind: kind.rawValue, payload: payload))
      }
    }
    let isLast = work.sessions.isEmpty
    context.journal.mailbox.post(.snapshotPart(round: work.round, entries: entries, isLast: isLast))
    snapshot = isLast ? nil : work
  }

  // MARK: Time

  private func sweep() {
    nextSweep = monotonicNow + Self.sweepMilliseconds
    context.journal.people[context.index].count = shard.liveCounts.people
    if isPaused {
      isPaused = false
      watchListener(true)
    }
    var expired: [SlotID] = []
    connections.forEach { id, connection in
      if connection.pointee.deadline <= monotonicNow { expired.append(id) }
    }
    for id in expired { expire(id) }
  }

  // MARK: The end

  /// Whether the server is ending.
  var isDraining: Bool { drainDeadline != nil }

  private var isFinished: Bool {
    guard let drainDeadline else { return false }
    return connections.isEmpty && !shard.isHolding || monotonicNow >= drainDeadline
  }

  private func drain() {
    guard drainDeadline == nil else { return }
    drainDeadline = monotonicNow + patience.drain
    isListening = false
    if !isPaused { watchListener(false) }
    isPaused = false
    var all: [SlotID] = []
    connections.forEach { id, _ in all.append(id) }
    for id in all { sayGoodbye(to: id) }
  }

  private func closeEverything() {
    endTick()
    var all: [SlotID] = []
    connections.forEach { id, _ in all.append(id) }
    for id in all { connections.remove(id) }
    // Who is still on the way here from another loop is closed as well.
    context.mailbox.close()
    context.mailbox.drain(into: &messages)
    for case .adopt(let handover) in messages { FileDescriptor(owning: handover.descriptor).close() }
  }
}
