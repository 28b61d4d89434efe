import Bytes
import Classroom
import EventLoop
import JSON
import Logging
import Persistence
import RoomShard
import Tokens

/// What a loop is given when it starts. Everything in it may be shared between threads.
struct LoopContext: Sendable {
  var index: Int
  var configuration: ServerConfiguration
  var clock: ServerClock
  var listener: Listener
  var mailboxes: [Mailbox<LoopMessage>]
  var journal: JournalThread
  var history: HistoryThread
  var pictures: PictureThread
  var catalog: Catalog
  var cursors: PageCursors
  var tickets: TicketOffice
  var authority: TokenAuthority
  /// What keeps the keys of tokens fresh; nil when there are none but the secret.
  var keyRefresh: KeyRefresh?
  /// Signs attendance reports.
  var reportKey: ReportKey
  var checkInCodes: CheckInCodes
  var census: ConnectionCensus
  var userRates: UserRates
  var requestRates: RequestRates
  /// Where the figures are, for the one loop that serves them.
  var operatorListener: Listener?
  /// Whether any loop serves the figures on a listener of their own.
  var hasOperatorListener: Bool
  var state: ServerState
  /// The certificate; nil when the server speaks without TLS.
  var credentials: TLSCredentials?
  var logger: Logger

  var mailbox: Mailbox<LoopMessage> { mailboxes[index] }
  var figures: LoopFigures { journal.figures[index] }
}

/// One event loop: its connections, its rooms, and the tick that serves both. It never leaves its thread.
///
/// The tick: readiness → bytes → machines → commands → records to the journal → what may be shown → one send for each
/// connection that got something → timers.
final class ServerLoop {
  let context: LoopContext
  let figures: LoopFigures
  // What may change while the server runs.
  var limits: LimitSettings
  var messageLimit: RateLimit
  var userMessageLimit: RateLimit
  var controlFrameLimit: RateLimit
  var patience: Patience
  var origins: [WebOrigin]
  var trustedProxies: [AddressRange]
  var welcome: [UInt8]
  let shard: RoomShard
  var connections = Slab<Connection>()
  var arena = TickOutput()
  var broadcasts = BroadcastRun()
  /// The connections of this flush that need more than one simple send.
  var unfinished = IDList<SlotID>()
  var pacing = TickPacing()
  var poller: Poller
  var reader = JSONReader()
  var compression = LoopCompression()
  var writer = JSONWriter(reserving: 4096)
  /// The time of this tick, by the monotonic clock in milliseconds.
  private(set) var monotonicNow: Int64
  /// The time of this tick.
  private(set) var now: Timestamp
  var dirty = IDList<SlotID>(minimumCapacity: 1024)
  var deferred: [SlotID] = []
  /// Connections whose sockets have failed; they end with the tick, so that nothing vanishes under who is using it.
  var failed: [SlotID] = []
  /// Connections that are gone and that the shard has not heard of.
  var departed: [(connection: ConnectionID, lastHeard: Timestamp, isGoodbye: Bool)] = []
  let readBuffer: UnsafeMutableRawBufferPointer
  /// What TLS needs; nil when the server speaks without it.
  let secure: SecureLayer?
  var reserve: ReserveDescriptor
  var messages: [LoopMessage] = []
  var requests: [UInt64: RequestAddress] = [:]
  var lastRequest: UInt64 = 0
  /// Who follows the list of sessions.
  var watch = SessionWatch()
  /// What happened to the list in this tick.
  var listChanges: [ListChange] = []
  var snapshot: (round: Int, sessions: ArraySlice<String>)?
  /// The sessions on their way to the history.
  var archiving: Set<String> = []
  /// When sessions are next moved to the history, by the monotonic clock.
  var nextArchiving: Int64 = 0
  /// Connections closed since the last sweep because no descriptor was left for them.
  var shedConnections = 0
  /// What of the shard's figures of signals has been counted.
  private var toldSignals = SignalFigures()
  /// Connections answered since the last sweep that there are too many.
  var answeredRefusals = 0
  private var nextSweep: Int64 = 0
  private(set) var drainDeadline: Int64?
  var isListening = true
  /// Whether the listener is left alone until the next sweep.
  var isPaused = false

  // Below 2^32 no value names a slot.
  static let listenerToken: UInt64 = 0
  private static let mailboxToken: UInt64 = 1
  static let operatorToken: UInt64 = 2
  private static let sweepMilliseconds: Int64 = 500
  init(
    _ context: LoopContext, rooms: [Classroom], archived: [ArchivedSession], lastAlive: Timestamp, isEstimated: Bool
  ) throws(SystemError) {
    self.context = context
    figures = context.figures
    limits = context.configuration.limits
    messageLimit = limits.messages
    userMessageLimit = limits.userMessages
    controlFrameLimit = limits.controlFrames
    welcome = Self.makeWelcome(context.configuration)
    patience = context.configuration.patience
    origins = context.configuration.origins
    trustedProxies = context.configuration.trustedProxies
    shard = RoomShard(
      configuration: context.configuration.shard, random: SystemRandomNumberGenerator(),
      sealer: ResumeTokens(secret: context.configuration.secret))
    poller = try Poller()
    reserve = try ReserveDescriptor()
    readBuffer = .allocate(byteCount: TransportLimits.readBytes, alignment: 64)
    secure = context.credentials.map { SecureLayer($0) }
    monotonicNow = context.configuration.manualClock?.milliseconds ?? MonotonicClock.milliseconds()
    now = context.clock.timestamp(atMonotonic: monotonicNow)
    shard.iceServers = context.configuration.calls
    for room in rooms { shard.restore(room) }
    for session in archived {
      shard.restoreArchived(ArchiveStub(view: session.view, sequence: session.sequence))
    }
    shard.resume(lastAlive: lastAlive, isEstimated: isEstimated, at: now)
    try poller.add(context.listener.descriptor, .readable, token: Self.listenerToken)
    if let listener = context.operatorListener {
      try poller.add(listener.descriptor, .readable, token: Self.operatorToken)
    }
    try poller.add(context.mailbox.descriptor, .readable, token: Self.mailboxToken)
  }

  deinit { readBuffer.deallocate() }

  /// Runs until the server ends.
  func run() {
    endTick()
    while !isFinished {
      let rest = pacing.takeRest()
      if rest > 0 { MonotonicClock.sleep(nanoseconds: rest) }
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
    for case .adopt(let handover) in messages { handover.discard(context, at: microsecondsNow) }
    messages.removeAll()
  }

  // MARK: The tick

  private func tick() {
    let begin = MonotonicClock.nanoseconds()
    monotonicNow = context.configuration.manualClock?.milliseconds ?? begin / 1_000_000
    now = context.clock.timestamp(atMonotonic: monotonicNow)
    for index in 0..<poller.eventCount {
      let event = poller.event(at: index)
      switch event.token {
      case Self.listenerToken: acceptAll()
      case Self.operatorToken: acceptOperators()
      case Self.mailboxToken: break
      default: serve(event)
      }
    }
    readMail()
    takeTurns()
    if monotonicNow >= nextSweep { sweep() }
    shard.advance(to: now)
    feedWhoCatchesUp()
    takeSnapshotStep()
    requestLoads()
    endTick()
    figures.countTick(nanoseconds: UInt64(MonotonicClock.nanoseconds() &- begin))
  }

  private func timeout() -> Int32 {
    // What waits only for the disk to make room is woken by its mail.
    if !deferred.isEmpty && !isTickFull || !departed.isEmpty || snapshot != nil { return 0 }
    if !isTickFull, shard.catchingUp.contains(where: hasTakenEverything) { return 0 }
    var wait = max(0, nextSweep - monotonicNow)
    if let deadline = shard.nextDeadline {
      let untilDeadline = deadline.milliseconds(since: context.clock.timestamp(atMonotonic: monotonicNow))
      wait = min(wait, max(0, untilDeadline))
    }
    if let deadline = watch.nextDeadline {
      wait = min(wait, max(0, deadline.milliseconds(since: context.clock.timestamp(atMonotonic: monotonicNow))))
    }
    if let patience = pacing.patience(at: MonotonicClock.nanoseconds()) { wait = min(wait, patience) }
    return Int32(min(wait, Self.sweepMilliseconds))
  }

  private func endTick() {
    tellDepartures()
    appendRecords()
    var sink = LoopSink(loop: self)
    if pacing.gathers(isSyncing: shard.isSyncing && !isDraining, at: MonotonicClock.nanoseconds()) {
      shard.releaseBeside(into: &sink)
    } else {
      shard.release(into: &sink)
    }
    finishRun()
    passListChanges()
    tellListChanges()
    flush()
    arena.reset()
    connections.recycle()
  }

  /// Sockets can fail while the shard's outputs are sent; the shard hears of it when it is not speaking.
  private func tellDepartures() {
    for (connection, lastHeard, isGoodbye) in departed {
      shard.connectionClosed(connection, lastHeard: lastHeard, isGoodbye: isGoodbye, at: now)
    }
    departed.removeAll(keepingCapacity: true)
  }

  func appendRecords() {
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
    context.journal.mailbox.post(
      .append(loop: context.index, incarnation: shard.incarnation, through: shard.position, records: records))
  }

  // MARK: Time

  private func sweep() {
    nextSweep = monotonicNow + Self.sweepMilliseconds
    answeredRefusals = 0
    if monotonicNow >= nextArchiving { archive() }
    if shedConnections > 0 {
      context.logger.warning("\(shedConnections) connections were turned away: no file descriptor is left")
      shedConnections = 0
    }
    if isPaused {
      isPaused = false
      watchListener(true)
    }
    var expired: [SlotID] = []
    var tokens: [SlotID] = []
    var webSockets = 0
    var queueBytes = 0
    connections.forEach { id, connection in
      if connection.pointee.deadline <= monotonicNow { expired.append(id) }
      if connection.pointee.tokenDeadline <= monotonicNow { tokens.append(id) }
      if connection.pointee.webSocket != nil { webSockets += 1 }
      queueBytes += connection.pointee.backlog.count
    }
    figures.set(.webSockets, webSockets)
    figures.set(.queueBytes, queueBytes)
    publishCounts()
    for id in expired { expire(id) }
    for id in tokens { noteTokenDeadline(of: id) }
  }

  /// Says how much goes on in this loop.
  func publishCounts() {
    let live = shard.liveCounts
    figures.set(.connections, connections.count)
    figures.set(.liveSessions, live.sessions)
    figures.set(.people, live.people)
    let signals = shard.signalFigures
    figures.count(.staleSignals, Int(clamping: signals.stale &- toldSignals.stale))
    figures.count(.heldSignals, Int(clamping: signals.held &- toldSignals.held))
    figures.count(.abandonedSignals, Int(clamping: signals.abandoned &- toldSignals.abandoned))
    toldSignals = signals
  }

  /// The time of this tick in microseconds, for rates.
  var microsecondsNow: Int64 { monotonicNow &* 1000 }

  // MARK: The end

  /// Whether the server is ending.
  var isDraining: Bool { drainDeadline != nil }

  private var isFinished: Bool {
    guard let drainDeadline else { return false }
    return connections.isEmpty && !shard.isHolding || monotonicNow >= drainDeadline
  }

  func drain() {
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
  }
}
