import Classroom
import HTTPCore
import JSON
import Persistence
import RoomShard
import SignalingProtocol
import WebSocketCore

/// A client's connection as its loop keeps it.
final class ServerConnection {
  struct Departure {
    var session: String
    var presence: PresenceMode
    var resume: ClientMessage.Resume?
    var commandID: Int64?
  }

  let id: UInt64
  let link: Link
  var http: HTTPRequestParser?
  var machine: WebSocketConnection?
  var identity: Identity?
  var departure: Departure?
  /// What this tick has to say.
  var pending: [UInt8] = []
  var backlog: [UInt8] = []
  /// Bytes that were read and wait for their turn.
  var input: [UInt8] = []
  var lastHeard: Int64
  var deadline: Int64
  var isReading = true
  var isWriting = false
  var isDirty = false
  var closesAfterFlush = false
  var hasFailed = false
  var isLingering = false
  var hasDeparted = false
  var isPinged = false
  var isDeferred = false
  var isRemoved = false
  /// Whether the client has closed it as done with.
  var hasSaidGoodbye = false
  /// When its token is about to expire, or has.
  var tokenDeadline: Int64 = .max
  var isTokenWarned = false

  init(id: UInt64, link: Link, now: Int64, deadline: Int64) {
    self.id = id
    self.link = link
    lastHeard = now
    self.deadline = deadline
  }

  var isDrained: Bool { pending.isEmpty && backlog.isEmpty }
}

/// What a loop is told by others.
enum LoopMail {
  case accept(Link)
  case adopt(ServerConnection)
  case request(RoomRequest, session: String, identity: Identity?, number: UInt64)
  case synced(UInt64)
  case storageFailed(isCertain: Bool)
  case storageHealed([String: Classroom])
  case archived(String, sequence: UInt64?)
  case loaded(String, Classroom?)
  case takeSnapshot(round: Int)
  case listChanged(ListChange)
  case drain
}

/// How long the transport waits, in milliseconds, and what it holds.
struct Patience {
  var request: Int64 = 5000
  var hello = ProtocolLimits.helloTimeoutMilliseconds
  var ping = ProtocolLimits.pingIntervalMilliseconds
  var tokenWarning = ProtocolLimits.tokenWarningMilliseconds
  var close: Int64 = 5000
  var linger: Int64 = 2000
  var drain: Int64 = 4000
  var sweep: Int64 = 500
  var outboundBytes = 256 * 1024
  var messagesPerTurn = 32
}

/// One event loop of the simulated server: the tick of the real one, in the same order, over simulated sockets.
final class SimulatedLoop {
  let index: Int
  unowned let server: SimulatedServer
  let shard: RoomShard
  private(set) var connections: [UInt64: ServerConnection] = [:]
  /// The ids of the connections in the order in which they came.
  private var order: [UInt64] = []
  private var ready: [UInt64] = []
  private var mail: [LoopMail] = []
  private var deferred: [UInt64] = []
  /// Who follows the list of sessions.
  private var watch = SessionWatch()
  private var failed: [UInt64] = []
  private var dirty: [UInt64] = []
  private var departed: [(connection: ConnectionID, lastHeard: Timestamp, isGoodbye: Bool)] = []
  private var requests: [UInt64: UInt64] = [:]
  private var lastRequest: UInt64 = 0
  private var snapshot: (round: Int, sessions: ArraySlice<String>)?
  private var reader = JSONReader()
  private var writer = JSONWriter(reserving: 1024)
  private(set) var monotonicNow: Int64
  private(set) var now: Timestamp
  private var nextSweep: Int64 = 0
  private var archiving: Set<String> = []
  private var nextArchiving: Int64 = 0
  private var drainDeadline: Int64?
  private(set) var isFinished = false
  private var isAwake = false
  private var timer: UInt64 = 0
  private var patience: Patience { server.patience }
  private var scheduler: Scheduler { server.scheduler }

  init(index: Int, server: SimulatedServer, shard: RoomShard) {
    self.index = index
    self.server = server
    self.shard = shard
    monotonicNow = server.scheduler.milliseconds
    now = server.timestamp(atMonotonic: monotonicNow)
  }

  var connectionsInOrder: [ServerConnection] { order.compactMap { connections[$0] } }

  /// Looks at each connection in order; none comes or goes meanwhile.
  func forEachConnection(_ body: (ServerConnection) -> Void) {
    for id in order { if let connection = connections[id] { body(connection) } }
  }

  // MARK: Waking

  func post(_ message: LoopMail) {
    guard !isFinished else { return }
    mail.append(message)
    wake()
  }

  private func wake() {
    guard !isAwake, server.isRunning, !isFinished else { return }
    isAwake = true
    scheduler.after(server.wakeDelay()) { [unowned self] in tick() }
  }

  private func setTimer() {
    timer += 1
    if !deferred.isEmpty || !departed.isEmpty || snapshot != nil { return wake() }
    if shard.catchingUp.contains(where: hasTakenEverything) { return wake() }
    var wait = Int64.max
    if !connections.isEmpty || !shard.sessions.isEmpty { wait = max(0, nextSweep - monotonicNow) }
    if let deadline = watch.nextDeadline { wait = min(wait, max(0, deadline.milliseconds(since: now))) }
    if let deadline = shard.nextDeadline { wait = min(wait, max(0, deadline.milliseconds(since: now))) }
    if let drainDeadline { wait = min(wait, max(0, drainDeadline - monotonicNow)) }
    guard wait < .max else { return }
    let number = timer
    scheduler.at((monotonicNow + wait) * 1000) { [unowned self] in
      if number == timer { wake() }
    }
  }

  // MARK: The tick

  func begin(rooms: [Classroom], archived: [ArchivedSession], lastAlive: Timestamp, isEstimated: Bool) {
    for room in rooms { shard.restore(room) }
    for session in archived { shard.restoreArchived(ArchiveStub(view: session.view, sequence: session.sequence)) }
    shard.resume(lastAlive: lastAlive, isEstimated: isEstimated, at: now)
    endTick()
    setTimer()
  }

  private func tick() {
    isAwake = false
    guard server.isRunning, !isFinished else { return }
    monotonicNow = scheduler.milliseconds
    now = server.timestamp(atMonotonic: monotonicNow)
    let events = ready
    ready = []
    for id in events { serve(id) }
    readMail()
    takeTurns()
    if monotonicNow >= nextSweep { sweep() }
    shard.advance(to: now)
    feedWhoCatchesUp()
    for session in shard.takeLoads() { server.load(session, for: self) }
    takeSnapshotStep()
    endTick()
    server.world.checkBounds(of: self)
    if let drainDeadline, connections.isEmpty && !shard.isHolding || monotonicNow >= drainDeadline {
      finish()
      return
    }
    setTimer()
  }

  private func endTick() {
    for (connection, lastHeard, isGoodbye) in departed {
      shard.connectionClosed(connection, lastHeard: lastHeard, isGoodbye: isGoodbye, at: now)
    }
    departed.removeAll(keepingCapacity: true)
    appendRecords()
    var sink = SimulatedSink(loop: self)
    shard.release(into: &sink)
    for message in watch.advance(to: now) { tellWatchers(message) }
    flush()
  }

  private func tellWatchers(_ message: SessionWatch.Message) {
    message.bytes.withUnsafeBytes { bytes in
      for connection in message.to { sendText(bytes, to: connection) }
    }
  }

  private func appendRecords() {
    let events = shard.takeRecords()
    guard !events.isEmpty else { return }
    server.journal.post(.append(loop: index, incarnation: shard.incarnation, through: shard.position, events: events))
  }

  private func readMail() {
    let messages = mail
    mail = []
    for message in messages {
      switch message {
      case .accept(let link): accept(link)
      case .adopt(let connection): adopt(connection)
      case .request(let request, let session, let identity, let number):
        lastRequest += 1
        requests[lastRequest] = number
        shard.handle(request, session: session, id: RequestID(rawValue: lastRequest), by: identity, at: now)
      case .synced(let position): shard.didSync(through: position)
      case .storageFailed(let isCertain): storageFailed(isCertain: isCertain)
      case .storageHealed(let classrooms): storageHealed(classrooms)
      case .archived(let session, let sequence): noteArchived(session, sequence: sequence)
      case .loaded(let session, let classroom): noteLoaded(session, classroom)
      case .takeSnapshot(let round): beginSnapshot(round)
      case .listChanged(let change): if let message = watch.take(change, at: now) { tellWatchers(message) }
      case .drain: drain()
      }
    }
  }

  func deliver(_ result: Result<RoomAnswer, Refusal>, of request: RequestID) {
    guard let number = requests.removeValue(forKey: request.rawValue) else { return }
    server.answer(number, with: result)
  }

  private func takeSnapshotStep() {
    guard var work = snapshot else { return }
    appendRecords()
    var rooms: [SnapshotRoom] = []
    for _ in 0..<2 {
      guard let session = work.sessions.popFirst() else { break }
      if let stub = shard.archived(session) {
        rooms.append(.archived(ArchivedSession(view: stub.view, sequence: stub.sequence)))
      } else if let classroom = shard.classroom(session) {
        rooms.append(.classroom(classroom))
      }
    }
    let isLast = work.sessions.isEmpty
    server.journal.post(
      .snapshotPart(incarnation: shard.incarnation, round: work.round, rooms: rooms, isLast: isLast))
    snapshot = isLast ? nil : work
  }

  // MARK: Trouble

  private func storageFailed(isCertain: Bool) {
    snapshot = nil
    shard.storageFailed(isCertain: isCertain, at: now)
    server.journal.post(
      .freeze(loop: index, incarnation: shard.incarnation, sessions: shard.frozenSessions))
  }

  private func storageHealed(_ classrooms: [String: Classroom]) {
    var stored: [String: Classroom?] = [:]
    for session in shard.frozenSessions { stored.updateValue(classrooms[session], forKey: session) }
    shard.storageHealed(stored, at: now)
  }

  private func beginSnapshot(_ round: Int) {
    guard !shard.hasStorageFailed else { return }
    shard.buryDeleted()
    var sessions = shard.archived.map(\.view.details.id)
    let inHistory = Set(sessions)
    sessions += shard.sessions.filter { !inHistory.contains($0) }
    snapshot = (round, sessions[...])
  }

  private func archive() {
    nextArchiving = monotonicNow + 5000
    guard !shard.hasStorageFailed else { return }
    for session in shard.archivable(at: now) where !archiving.contains(session) {
      guard let classroom = shard.classroom(session) else { continue }
      archiving.insert(session)
      server.archive(classroom, for: self)
    }
  }

  private func noteArchived(_ session: String, sequence: UInt64?) {
    archiving.remove(session)
    guard let sequence else { return }
    server.world.coverage.note("archived")
    shard.didArchive(session, sequence: sequence)
    if archiving.isEmpty { nextArchiving = monotonicNow }
  }

  private func noteLoaded(_ session: String, _ classroom: Classroom?) {
    if let classroom {
      server.world.coverage.note("loaded from the history")
      shard.didLoad(classroom, at: now)
    } else {
      shard.didFailToLoad(session, at: now)
    }
  }

  private func feedWhoCatchesUp() {
    for connection in shard.catchingUp where hasTakenEverything(connection) { shard.continueCatchingUp(connection) }
  }

  private func hasTakenEverything(_ id: ConnectionID) -> Bool {
    guard let connection = connections[id.rawValue] else { return false }
    return connection.isDrained && connection.machine?.isOpen == true
  }

  // MARK: Sockets

  private func accept(_ link: Link) {
    guard drainDeadline == nil else {
      link.serverDied()
      return
    }
    let connection = ServerConnection(
      id: server.newConnectionID(), link: link, now: monotonicNow, deadline: monotonicNow + patience.request)
    connection.http = HTTPRequestParser()
    insert(connection)
  }

  private func insert(_ connection: ServerConnection) {
    connections[connection.id] = connection
    order.append(connection.id)
    let id = connection.id
    let notice = { [unowned self] in
      guard server.isRunning else { return }
      ready.append(id)
      wake()
    }
    connection.link.up.onReadable = notice
    connection.link.down.onWritable = notice
    if connection.link.up.isReadable || connection.link.down.isReset { notice() }
  }

  private func serve(_ id: UInt64) {
    guard let connection = connections[id] else { return }
    if connection.isWriting { drainBacklog(connection) }
    if connection.link.down.isReset, !connection.link.up.isReadable, !connection.isRemoved {
      close(connection)
      return
    }
    while !connection.isRemoved, connection.isReading, connection.link.up.isReadable {
      guard receive(connection) else { return }
    }
  }

  /// - Returns: whether more can be read at once; a link that chops gives its pieces one by one.
  private func receive(_ connection: ServerConnection) -> Bool {
    switch connection.link.up.read(upTo: connection.link.readSize(256 * 1024)) {
    case .bytes(var bytes):
      if connection.isLingering { return true }
      connection.lastHeard = monotonicNow
      connection.isPinged = false
      server.world.serverHeard(connection, at: scheduler.now)
      bytes.withUnsafeMutableBytes { takeIn($0, from: connection) }
      return true
    case .wouldBlock: return false
    case .endOfStream, .failed:
      if !connection.isLingering { connection.lastHeard = monotonicNow }
      close(connection)
      return false
    }
  }

  private func takeIn(_ input: UnsafeMutableRawBufferPointer, from connection: ServerConnection) {
    if connection.machine != nil {
      takeInFrames(input, from: connection)
    } else {
      takeInRequest(input, from: connection)
    }
  }

  private func takeInRequest(_ input: UnsafeMutableRawBufferPointer, from connection: ServerConnection) {
    var consumed = 0
    guard let step = connection.http?.next(UnsafeRawBufferPointer(input), consumed: &consumed) else { return }
    switch step {
    case .needsMore: return
    case .failure: return close(connection)
    case .request(let request):
      upgrade(request, of: connection)
      if consumed < input.count, connection.machine != nil {
        takeInFrames(UnsafeMutableRawBufferPointer(rebasing: input[consumed...]), from: connection)
      }
    }
  }

  private func upgrade(_ request: HTTPRequest, of connection: ServerConnection) {
    let upgrade = WebSocketUpgradeRequest(
      method: request.method, isHTTP11OrLater: request.versionMinor >= 1,
      fields: request.headers.map { (name: $0.name, value: $0.value) })
    do throws(WebSocketRejection) {
      let acceptance = try WebSocketHandshake.accept(upgrade, subprotocols: ["rollcall.v1"])
      enqueue(acceptance.responseHead(), to: connection)
    } catch {
      return close(connection)
    }
    connection.http = nil
    connection.machine = WebSocketConnection(
      role: .server, limits: WebSocketLimits(maximumMessageBytes: ProtocolLimits.messageBytes))
    connection.deadline = monotonicNow + patience.hello
    say(to: connection) {
      ServerMessage.welcome(
        server: "rollcall/simulated", pingIntervalMilliseconds: patience.ping,
        graceMilliseconds: server.world.shardConfiguration.graceMilliseconds, into: &$0)
    }
  }

  private func postpone(_ rest: UnsafeMutableRawBufferPointer, of connection: ServerConnection, takesTurn: Bool) {
    connection.input.append(contentsOf: rest)
    connection.isReading = false
    if takesTurn { giveTurn(to: connection) }
  }

  private func resumeInput(of connection: ServerConnection) {
    connection.isReading = true
    if connection.link.up.isReadable {
      ready.append(connection.id)
      wake()
    }
    guard !connection.input.isEmpty else { return }
    var input: [UInt8] = []
    swap(&input, &connection.input)
    input.withUnsafeMutableBytes { takeIn($0, from: connection) }
  }

  private func giveTurn(to connection: ServerConnection) {
    guard !connection.isDeferred else { return }
    connection.isDeferred = true
    deferred.append(connection.id)
  }

  private func takeTurns() {
    let turns = deferred
    deferred = []
    for id in turns {
      guard let connection = connections[id] else { continue }
      connection.isDeferred = false
      if connection.backlog.isEmpty { resumeInput(of: connection) }
    }
  }

  private func close(_ connection: ServerConnection) {
    noteDeparture(of: connection)
    remove(connection)
    connection.link.endDown()
    connection.link.up.silence()
  }

  private func remove(_ connection: ServerConnection) {
    connection.isRemoved = true
    connections[connection.id] = nil
    order.removeAll { $0 == connection.id }
    connection.link.up.silence()
    connection.link.down.onWritable = {}
  }

  private func fail(_ connection: ServerConnection) {
    guard !connection.hasFailed else { return }
    connection.hasFailed = true
    failed.append(connection.id)
  }

  private func linger(_ connection: ServerConnection) {
    noteDeparture(of: connection)
    guard !connection.isLingering else { return }
    connection.isLingering = true
    connection.input = []
    connection.deadline = monotonicNow + patience.linger
    connection.link.endDown()
    connection.isReading = true
  }

  private func noteDeparture(of connection: ServerConnection) {
    guard !connection.hasDeparted else { return }
    connection.hasDeparted = true
    guard connection.machine != nil else { return }
    watch.unwatch(ConnectionID(rawValue: connection.id))
    departed.append(
      (
        ConnectionID(rawValue: connection.id), server.timestamp(atMonotonic: connection.lastHeard),
        connection.hasSaidGoodbye
      ))
    server.world.serverLost(connection, at: scheduler.now)
    wake()
  }

  // MARK: Frames

  private func takeInFrames(_ input: UnsafeMutableRawBufferPointer, from connection: ServerConnection) {
    var consumed = 0
    var turns = 0
    while !connection.isRemoved {
      let isLeaving = connection.departure != nil
      let isBehind = !connection.backlog.isEmpty
      if consumed < input.count, isLeaving || isBehind || turns == patience.messagesPerTurn {
        let rest = UnsafeMutableRawBufferPointer(rebasing: input[consumed...])
        postpone(rest, of: connection, takesTurn: !isLeaving && !isBehind)
        return
      }
      guard let event = connection.machine?.next(input, consumed: &consumed) else { return }
      turns += 1
      switch event {
      case .text(let payload): take(payload, from: connection)
      case .binary: close(connection, for: .unsupportedData)
      case .ping(let payload): sendFrame(.pong, payload, to: connection)
      case .pong: break
      case .close(let code, _):
        if code == .normalClosure || code == .goingAway { connection.hasSaidGoodbye = true }
        sendClose(code: code, reason: "", to: connection)
      case .failure(let failure): sendClose(code: failure.closeCode, reason: failure.reason, to: connection)
      }
    }
  }

  private func take(_ payload: UnsafeRawBufferPointer, from connection: ServerConnection) {
    let view: JSONView
    do throws(JSONError) {
      view = try reader.read(payload, maximumDepth: ProtocolLimits.jsonDepth)
    } catch {
      complain(ProtocolError(.malformedJSON, "This is not a JSON object."), id: nil, to: connection)
      return
    }
    let envelope = ClientEnvelope(view)
    switch envelope.message {
    case .failure(let error): complain(error, id: envelope.id, to: connection)
    case .success(let message):
      server.world.coverage.note(message)
      handle(message, id: envelope.id, from: connection)
    }
  }

  private func complain(_ error: ProtocolError, id: Int64?, to connection: ServerConnection) {
    say(to: connection) { ServerMessage.error(error, id: id, into: &$0) }
  }

  private func handle(_ message: ClientMessage, id: Int64?, from connection: ServerConnection) {
    switch message {
    case .ping: say(to: connection) { ServerMessage.pong(id: id, at: now, into: &$0) }
    case .hello(let hello):
      if connection.identity == nil {
        greet(hello, id: id, from: connection)
      } else {
        complain(ProtocolError(.alreadyGreeted, "This connection has said hello."), id: id, to: connection)
      }
    case .sessionJoin(let session, let presence, let resume):
      guard let identity = connection.identity else {
        return complain(ProtocolError(.helloExpected, "Say hello first."), id: id, to: connection)
      }
      watch.unwatch(ConnectionID(rawValue: connection.id))
      join(identity, session: session, presence: presence, resume: resume, id: id, from: connection)
    case .tokenRenew(let token):
      if connection.identity == nil {
        complain(ProtocolError(.helloExpected, "Say hello first."), id: id, to: connection)
      } else {
        renew(token, id: id, from: connection)
      }
    case .sessionsWatch(let isOn):
      guard let identity = connection.identity else {
        return complain(ProtocolError(.helloExpected, "Say hello first."), id: id, to: connection)
      }
      let name = ConnectionID(rawValue: connection.id)
      guard !shard.isMember(name) else {
        return complain(
          ProtocolError(.alreadyJoined, "This connection is in a session; leave it first."), id: id, to: connection)
      }
      if isOn { watch.watch(name, as: identity) } else { watch.unwatch(name) }
      if let id { say(to: connection) { ServerMessage.ok(id: id, into: &$0) } }
    default:
      if connection.identity == nil {
        complain(ProtocolError(.helloExpected, "Say hello first."), id: id, to: connection)
      } else {
        shard.handle(message, id: id, from: ConnectionID(rawValue: connection.id), at: now)
      }
    }
  }

  private func greet(_ hello: ClientMessage.Hello, id: Int64?, from connection: ServerConnection) {
    let identity: Identity
    do throws(ProtocolError) {
      identity = try server.identity(of: hello, at: now)
    } catch {
      complain(error, id: id, to: connection)
      close(connection, for: .badToken)
      return
    }
    connection.identity = identity
    watchToken(of: connection)
    connection.deadline = monotonicNow + patience.ping
    say(to: connection) {
      ServerMessage.ready(
        id: id, identity: identity, connection: "c\(connection.id)",
        guestToken: identity.isGuest ? Credentials.token(identity) : nil, at: now, into: &$0)
    }
  }

  private func renew(_ token: String, id: Int64?, from connection: ServerConnection) {
    var identity: Identity
    do throws(ProtocolError) {
      identity = try Credentials.identity(token, at: now)
      guard identity.user == connection.identity?.user, identity.isGuest == connection.identity?.isGuest else {
        throw ProtocolError(.badToken, "The token is of somebody else.")
      }
    } catch {
      return complain(error, id: id, to: connection)
    }
    if identity.isGuest { identity.expiresAt = now.advanced(byMilliseconds: Credentials.guestLifetime) }
    let guestToken = identity.isGuest ? Credentials.token(identity) : nil
    guard shard.renew(identity, id: id, guestToken: guestToken, from: ConnectionID(rawValue: connection.id)) else {
      return
    }
    connection.identity = identity
    connection.isTokenWarned = false
    watchToken(of: connection)
  }

  private func watchToken(of connection: ServerConnection) {
    guard let identity = connection.identity else { return }
    let wait = identity.expiresAt.milliseconds(since: now) - (connection.isTokenWarned ? 0 : patience.tokenWarning)
    connection.tokenDeadline = monotonicNow + max(0, wait)
  }

  private func noteTokenDeadline(of connection: ServerConnection) {
    connection.tokenDeadline = .max
    guard let identity = connection.identity, connection.machine?.isOpen == true, !connection.isLingering else {
      return
    }
    guard now < identity.expiresAt else { return close(connection, for: .tokenExpired) }
    connection.isTokenWarned = true
    say(to: connection) { ServerMessage.tokenExpiring(identity.expiresAt, at: now, into: &$0) }
    watchToken(of: connection)
  }

  private func join(
    _ identity: Identity, session: String, presence: PresenceMode, resume: ClientMessage.Resume?, id: Int64?,
    from connection: ServerConnection
  ) {
    let name = ConnectionID(rawValue: connection.id)
    if server.loop(of: session) == index || shard.isMember(name) {
      shard.join(
        identity, session: session, presence: presence, resume: resume, id: id, connection: name, at: now)
    } else {
      connection.departure = ServerConnection.Departure(
        session: session, presence: presence, resume: resume, commandID: id)
      shard.handOver(name)
    }
  }

  func handOver(_ id: ConnectionID) {
    guard let connection = connections[id.rawValue], let departure = connection.departure else { return }
    send(connection)
    guard connection.machine?.isOpen == true, !connection.hasFailed, !connection.isRemoved else {
      connection.departure = nil
      giveTurn(to: connection)
      return
    }
    remove(connection)
    server.loops[server.loop(of: departure.session)].post(.adopt(connection))
  }

  private func adopt(_ old: ServerConnection) {
    guard let departure = old.departure, let identity = old.identity else { return }
    let connection = ServerConnection(
      id: server.newConnectionID(), link: old.link, now: old.lastHeard, deadline: monotonicNow + patience.ping)
    connection.machine = old.machine
    connection.identity = identity
    connection.isTokenWarned = old.isTokenWarned
    watchToken(of: connection)
    connection.backlog = old.backlog
    connection.isWriting = !old.backlog.isEmpty
    server.world.serverAdopted(connection, from: old)
    insert(connection)
    if drainDeadline != nil { return sayGoodbye(to: connection) }
    shard.join(
      identity, session: departure.session, presence: departure.presence, resume: departure.resume,
      id: departure.commandID, connection: ConnectionID(rawValue: connection.id), at: now)
    var input = old.input
    if !input.isEmpty { input.withUnsafeMutableBytes { takeIn($0, from: connection) } }
    ready.append(connection.id)
    wake()
  }

  // MARK: Sending

  private func say(to connection: ServerConnection, _ body: (inout JSONWriter) -> Void) {
    writer.removeAll()
    body(&writer)
    writer.withUnsafeBytes { sendFrame(.text, $0, to: connection) }
  }

  func sendText(_ message: UnsafeRawBufferPointer, to id: ConnectionID) {
    if let connection = connections[id.rawValue] { sendFrame(.text, message, to: connection) }
  }

  func broadcastText(_ message: UnsafeRawBufferPointer, to receivers: [ConnectionID]) {
    let frame = WebSocketFrame.bytes(.text, payload: message)
    for receiver in receivers {
      guard let connection = connections[receiver.rawValue], connection.machine?.isOpen == true else { continue }
      enqueue(frame, to: connection)
    }
  }

  private func sendFrame(_ opcode: WebSocketOpcode, _ payload: UnsafeRawBufferPointer, to connection: ServerConnection)
  {
    guard connection.machine?.isOpen == true else { return }
    enqueue(WebSocketFrame.bytes(opcode, payload: payload), to: connection)
  }

  private func enqueue(_ bytes: [UInt8], to connection: ServerConnection) {
    guard !connection.isRemoved else { return }
    if !connection.isDirty {
      connection.isDirty = true
      dirty.append(connection.id)
    }
    connection.pending += bytes
  }

  private func flush() {
    var index = 0
    while index < dirty.count {
      let id = dirty[index]
      index += 1
      guard let connection = connections[id] else { continue }
      connection.isDirty = false
      send(connection)
    }
    dirty.removeAll(keepingCapacity: true)
    for id in failed { if let connection = connections[id] { close(connection) } }
    failed.removeAll(keepingCapacity: true)
  }

  private func send(_ connection: ServerConnection) {
    let bytes = connection.pending
    connection.pending.removeAll(keepingCapacity: true)
    if connection.hasFailed { return }
    guard !bytes.isEmpty else { return finishIfDrained(connection) }
    var sent = 0
    if connection.backlog.isEmpty {
      guard let count = bytes.withUnsafeBytes({ connection.link.writeDown($0) }) else { return fail(connection) }
      sent = count
    } else if connection.backlog.count >= patience.outboundBytes, !connection.closesAfterFlush {
      return closeAsSlow(connection)
    }
    if sent < bytes.count { connection.backlog += bytes[sent...] }
    if connection.backlog.isEmpty {
      finishIfDrained(connection)
    } else {
      connection.isWriting = true
    }
  }

  private func drainBacklog(_ connection: ServerConnection) {
    guard !connection.backlog.isEmpty else { return }
    guard let count = connection.backlog.withUnsafeBytes({ connection.link.writeDown($0) }) else {
      return close(connection)
    }
    connection.backlog.removeFirst(count)
    guard connection.backlog.isEmpty else { return }
    connection.isWriting = false
    finishIfDrained(connection)
    if !connection.isRemoved, !connection.input.isEmpty { resumeInput(of: connection) }
  }

  private func finishIfDrained(_ connection: ServerConnection) {
    if connection.closesAfterFlush, connection.isDrained, !connection.isRemoved { linger(connection) }
  }

  // MARK: Closing

  func close(_ id: ConnectionID, for reason: CloseReason) {
    if let connection = connections[id.rawValue] { close(connection, for: reason) }
  }

  func close(_ connection: ServerConnection, for reason: CloseReason) {
    server.world.coverage.note(reason)
    sendClose(code: WebSocketCloseCode(rawValue: reason.rawValue), reason: reason.text, to: connection)
  }

  private func sendClose(code: WebSocketCloseCode?, reason: String, to connection: ServerConnection) {
    if let frame = connection.machine?.closeFrame(code: code, reason: reason) { enqueue(frame, to: connection) }
    connection.deadline = monotonicNow + patience.close
    guard connection.machine?.transportAction == .close else { return }
    connection.closesAfterFlush = true
    enqueue([], to: connection)
  }

  private func closeAsSlow(_ connection: ServerConnection) {
    server.world.coverage.note(.slowConsumer)
    let reason = CloseReason.slowConsumer
    guard
      let frame = connection.machine?.closeFrame(
        code: WebSocketCloseCode(rawValue: reason.rawValue), reason: reason.text)
    else { return fail(connection) }
    connection.closesAfterFlush = true
    connection.deadline = monotonicNow + patience.close
    connection.backlog += frame
  }

  private func drain() {
    guard drainDeadline == nil else { return }
    drainDeadline = monotonicNow + patience.drain
    for id in order { if let connection = connections[id] { sayGoodbye(to: connection) } }
  }

  private func sayGoodbye(to connection: ServerConnection) {
    guard connection.machine != nil else { return close(connection) }
    say(to: connection) { ServerMessage.draining(retryAfterMilliseconds: server.retryDelay(), into: &$0) }
    close(connection, for: .serviceRestart)
  }

  private func finish() {
    endTick()
    for connection in connectionsInOrder {
      remove(connection)
      connection.link.serverDied()
    }
    isFinished = true
    server.loopFinished()
  }

  // MARK: Time

  private func sweep() {
    nextSweep = monotonicNow + patience.sweep
    if monotonicNow >= nextArchiving { archive() }
    server.journal.people[index] = shard.liveCounts.people
    for id in order {
      guard let connection = connections[id] else { continue }
      if connection.deadline <= monotonicNow { expire(connection) }
      if !connection.isRemoved, connection.tokenDeadline <= monotonicNow { noteTokenDeadline(of: connection) }
    }
  }

  private func expire(_ connection: ServerConnection) {
    guard let machine = connection.machine, machine.isOpen, !connection.isLingering else { return close(connection) }
    if connection.identity == nil { return close(connection, for: .helloTimeout) }
    let silence = monotonicNow - connection.lastHeard
    if silence < patience.ping {
      connection.deadline = connection.lastHeard + patience.ping
    } else if !connection.isPinged {
      connection.isPinged = true
      connection.deadline = monotonicNow + patience.ping
      sendFrame(.ping, UnsafeRawBufferPointer(start: nil, count: 0), to: connection)
    } else {
      close(connection, for: .noPong)
      connection.closesAfterFlush = true
    }
  }
}

/// Takes what the shard releases into the loop's tick.
struct SimulatedSink: ShardSink {
  let loop: SimulatedLoop

  mutating func send(_ message: UnsafeRawBufferPointer, to connection: ConnectionID) {
    loop.sendText(message, to: connection)
  }

  mutating func broadcast(_ message: UnsafeRawBufferPointer, to connections: [ConnectionID]) {
    loop.broadcastText(message, to: connections)
  }

  mutating func respond(to request: RequestID, with result: Result<RoomAnswer, Refusal>) {
    loop.deliver(result, of: request)
  }

  mutating func publish(_ view: SessionView) {
    let old = loop.server.catalog[view.details.id]
    // With a class its addresses end.
    if view.status == .completed { loop.server.world.disturb() }
    if view.isHidden { loop.server.retract(view.details.id) } else { loop.server.publish(view) }
    loop.server.noteListChange(.changed(view.details.id, old: old, view: view.isHidden ? nil : view))
  }

  mutating func retract(_ session: String) {
    let old = loop.server.catalog[session]
    loop.server.retract(session)
    loop.server.noteListChange(.changed(session, old: old, view: nil))
  }

  mutating func notify(_ notice: SessionNotice, of view: SessionView) {
    loop.server.noteListChange(.notice(notice, view))
  }

  mutating func close(_ connection: ConnectionID, for reason: CloseReason) { loop.close(connection, for: reason) }

  mutating func handOver(_ connection: ConnectionID) { loop.handOver(connection) }
}
