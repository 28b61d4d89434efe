import Classroom
import DequeModule
import JSON
import SignalingProtocol

#if PLANTED_BUGS
  import PlantedBugs
#endif

/// The rooms of one event loop.
///
/// Commands, timers and the synced journal position go in; journal records and, behind the barrier, messages come out. It
/// does no I/O and reads no clock, so that the server and a simulator drive the same code. It belongs to one thread.
///
/// The order of a tick: inputs (``join(_:session:presence:resume:id:connection:at:)``, ``handle(_:id:from:at:)``, …), then
/// ``takeRecords()`` for the journal, then ``release(into:)`` for what may be shown.
public final class RoomShard {
  let configuration: ShardConfiguration
  var random: any RandomNumberGenerator
  let sealer: any ResumeSealer
  /// Where those in a class have the servers for their calls from; to be set before anybody joins.
  public var iceServers: (any ICEServerSource)?
  /// What became of signals.
  public internal(set) var signalFigures = SignalFigures()
  var rooms: [String: Room] = [:]
  var members: [ConnectionID: Member] = [:]
  /// The connections that get the events they missed.
  var catchUps = ConnectionGroup()
  /// The connections that are being ended and have not yet closed: what they still say is not heard.
  var closing: Set<ConnectionID> = []
  var outbox = Outbox()
  var writer = JSONWriter(reserving: 4096)
  var timers = ShardTimers()
  var trouble: StorageTrouble?
  var failureCount: UInt64 = 0
  /// By session.
  var stubs: [String: ArchiveStub] = [:]
  var parking = Parking()
  /// Sessions that are over, and when they may go to the archive, ascending.
  var archiveCandidates: Deque<(due: Timestamp, session: String)> = []
  /// Who left by a command that is not synced: all that the connection was since, oldest first.
  var departing: [ConnectionID: [Member]] = [:]
  /// Those of them whose going has turned out void.
  var reinstated: Set<ConnectionID> = []
  var unsynced = UnsyncedRecords()
  private var records: [RecordedEvent] = []
  private var appended: UInt64 = 0
  private(set) var synced: UInt64 = 0
  private var lastOrdinal: UInt64 = 0

  /// A shard without rooms. `random` makes the ids of peers, `sealer` the resume tokens.
  public init(configuration: ShardConfiguration, random: any RandomNumberGenerator, sealer: any ResumeSealer) {
    self.configuration = configuration
    self.random = random
    self.sealer = sealer
  }

  // MARK: Recovery

  /// Puts a session back as the journal and the snapshot made it; it is published only when it changes.
  public func restore(_ classroom: Classroom) {
    let room = Room(classroom)
    rooms[classroom.id] = room
    if classroom.status.isOver { noteArchivable(room, at: classroom.endedAt ?? Timestamp(milliseconds: 0)) }
  }

  /// Ends the recovery: everybody whose attendance is open was last alive then, and has the grace from now to come back.
  public func resume(lastAlive: Timestamp, isEstimated: Bool, at now: Timestamp) {
    archiveCandidates.sort { ($0.due, $0.session) < ($1.due, $1.session) }
    let all = rooms.values.sorted { $0.classroom.id < $1.classroom.id }
    for room in all { recoverAgenda(of: room, lastAlive: lastAlive, at: now) }
    for room in all where room.classroom.status.isLive {
      room.restoresPeersUntil = now.advanced(byMilliseconds: configuration.graceMilliseconds)
      for row in room.classroom.attendance.rows.values where row.isActive {
        guard let segment = row.segments.last else { continue }
        room.show(row.user, name: row.name, role: row.role, at: segment.from)
        if let absence = row.absence {
          awaitReturn(
            of: row.user, to: room, since: absence.since, isEstimated: absence.isEstimated,
            isBetweenHeartbeats: absence.isBetweenHeartbeats, at: now)
        } else {
          detach(row.user, from: room, since: max(lastAlive, segment.from), isEstimated: isEstimated, at: now)
        }
      }
      _ = room.presence.takeDifference()
    }
  }

  // MARK: The journal

  /// The records made since the last call, in order; the loop hands them to the journal in this order.
  public func takeRecords() -> [RecordedEvent] {
    guard !records.isEmpty else { return [] }
    let taken = records
    records.removeAll(keepingCapacity: true)
    return taken
  }

  /// How many records were ever made: the position of the last.
  public var position: UInt64 { appended }

  /// Every record up to this position is safe on disk. What is said of records that became void meanwhile, or is known
  /// already, changes nothing.
  public func didSync(through position: UInt64) {
    precondition(position <= appended, "the journal syncs only what it was given")
    guard position > synced else { return }
    synced = position
    unsynced.forget(through: position)
  }

  /// Every record that is not synced is void: their positions are skipped.
  func skipUnsynced() {
    records.removeAll()
    synced = appended
  }

  func record(_ events: [RecordedEvent], in room: Room) {
    guard !events.isEmpty else { return }
    records.append(contentsOf: events)
    appended += UInt64(events.count)
    room.position = appended
    if room.isLoaded {
      // The archive does not have this.
      room.isLoaded = false
      stubs[room.classroom.id] = nil
      noteArchivable(room, at: room.classroom.endedAt ?? Timestamp(milliseconds: 0))
    }
    unsynced.note(events, through: appended)
    if let last = events.last {
      updateAgenda(of: room, at: last.at)
      // Whoever watches the list hears how many are in, however they came or went.
      if !room.isFrozen, !room.isPublished { scheduleFlush(of: room, at: last.at) }
    }
    relate(events, of: room)
  }

  // MARK: Output

  /// Whether outputs wait for the disk.
  public var isHolding: Bool { outbox.isHolding }

  /// The bytes of the messages that have been decided and not handed out.
  public var heldByteCount: Int { outbox.heldByteCount }

  /// Whether records are on their way to the disk.
  public var isSyncing: Bool { synced < appended }

  /// Hands out what waits for no record.
  public func releaseBeside(into sink: inout some ShardSink & ~Copyable) {
    outbox.drainBeside { message, connection in sink.send(message, to: connection) }
  }

  /// Hands out what may be shown now.
  public func release(into sink: inout some ShardSink & ~Copyable) {
    releaseBeside(into: &sink)
    #if PLANTED_BUGS
      let synced = PlantedBugs.isActive(.answerBeforeSync) ? appended : synced
    #endif
    while let delivery = outbox.next(through: synced) {
      switch delivery {
      case .send(let connection, let range, _):
        outbox.bytes(range) { sink.send($0, to: connection) }
      case .broadcast(let room, let group, let range):
        let connections = room.audience.members(of: group)
        if !connections.isEmpty { outbox.bytes(range) { sink.broadcast($0, to: connections) } }
      case .broadcastLatest(let room, let group, let range):
        let connections = room.audience.members(of: group)
        if !connections.isEmpty { outbox.bytes(range) { sink.broadcastLatest($0, to: connections) } }
      case .seat(let connection, let room, let seat, let ordinal, let standing):
        note(standing, of: connection, ordinal: ordinal)
        // The connection may have closed or left while its entry waited, and joined again.
        guard let member = members[connection], member.ordinal == ordinal else {
          // Who is leaving gets what the others get until that is safe.
          if let departed = departingMember(connection, ordinal: ordinal) {
            room.audience.seat(connection, of: departed.actor.user, as: standing.role, in: seat)
          }
          continue
        }
        room.audience.seat(connection, of: member.actor.user, as: standing.role, in: seat)
        if case .room = seat, let peer = member.peer {
          for signal in peer.takeUndelivered() { signal.withUnsafeBytes { sink.send($0, to: connection) } }
        }
      case .unseat(let connection, let room, let ordinal):
        // The connection may have closed meanwhile.
        guard forgetDeparture(of: connection, ordinal: ordinal) else { continue }
        #if PLANTED_BUGS
          if PlantedBugs.isActive(.eventsAfterLeaving) { continue }
        #endif
        room.audience.remove(connection)
      case .signal(let peer, let room, let range, let time):
        let beginning = outbox.bytes(range) { Array($0) }
        if let (signal, connection) = number(beginning, for: peer, in: room, at: time) {
          signal.withUnsafeBytes { sink.send($0, to: connection) }
        }
      case .respond(let request, let result):
        sink.respond(to: request, with: result)
      case .publish(let view):
        sink.publish(view)
      case .relate(let user, let session, let relation):
        sink.relate(user, to: session, relation)
      case .retract(let session):
        sink.retract(session)
      case .notify(let notice, let view):
        sink.notify(notice, of: view)
      case .handOver(let connection):
        sink.handOver(connection)
      case .close(let connection, let reason):
        sink.close(connection, for: reason)
      }
    }
    outbox.compact()
  }

  /// A connection that is in no room of this shard is to go elsewhere: the sink hears of it after everything that is still
  /// on its way to the connection.
  public func handOver(_ connection: ConnectionID) {
    outbox.append(.handOver(connection), restingOn: 0)
  }

  /// Writes a message and keeps it for the entries that follow.
  func compose(_ body: (inout JSONWriter) -> Void) -> Range<Int> {
    writer.removeAll()
    body(&writer)
    return outbox.store(writer.bytes)
  }

  func send(
    to connection: ConnectionID, from room: Room, as purpose: Outbox.Purpose = .event,
    _ body: (inout JSONWriter) -> Void
  ) {
    outbox.append(.send(connection, compose(body), purpose), restingOn: room.position)
  }

  func broadcast(to group: Audience.Group, of room: Room, _ body: (inout JSONWriter) -> Void) {
    outbox.append(.broadcast(room, group, compose(body)), restingOn: room.position)
  }

  /// Sends a group what whoever misses it is told anew by ``tellLatest(to:at:)``.
  func broadcastLatest(to group: Audience.Group, of room: Room, _ body: (inout JSONWriter) -> Void) {
    outbox.append(.broadcastLatest(room, group, compose(body)), restingOn: room.position)
  }

  func refuse(_ error: ProtocolError, id: Int64?, to connection: ConnectionID, restingOn position: UInt64) {
    let message = compose { ServerMessage.error(error, id: id, into: &$0) }
    outbox.append(.send(connection, message, .answer(id: id)), restingOn: position)
  }

  /// Ends a connection after all that is on its way to it.
  func end(_ connection: ConnectionID, for reason: CloseReason, restingOn position: UInt64) {
    catchUps.remove(connection)
    guard closing.insert(connection).inserted else { return }
    outbox.append(.close(connection, reason), restingOn: position)
  }

  /// Tells the catalog whose part in the session these events changed. A new session is published with its people.
  private func relate(_ events: [RecordedEvent], of room: Room) {
    for event in events {
      for user in room.classroom.people(whosePartChangedWith: event.event) {
        outbox.append(
          .relate(user, session: room.classroom.id, room.classroom.relation(of: user)), restingOn: room.position)
      }
    }
  }

  /// Tells the catalog what everybody has to do with a session whose history is not what it was told.
  func relateEverybody(of room: Room) {
    let classroom = room.classroom
    let users = Set(classroom.attendance.rows.values.map(\.user) + classroom.roster.entries.values.map(\.user))
    for user in users.sorted() {
      outbox.append(.relate(user, session: classroom.id, classroom.relation(of: user)), restingOn: room.position)
    }
  }

  func publish(_ room: Room) {
    room.notePublished()
    outbox.append(.publish(room.classroom.view), restingOn: room.position)
  }

  /// A member was told to be this.
  func note(_ standing: Member.Standing, of connection: ConnectionID, ordinal: UInt64) {
    if case .present(let peer?) = standing.state { peer.isTold = true }
    if members[connection]?.ordinal == ordinal {
      members[connection]?.told = standing
    } else if let index = departing[connection]?.firstIndex(where: { $0.ordinal == ordinal }) {
      departing[connection]?[index].told = standing
    }
  }

  /// The member of that ordinal, if it has gone and that is not safe.
  private func departingMember(_ connection: ConnectionID, ordinal: UInt64) -> Member? {
    departing[connection]?.first { $0.ordinal == ordinal }
  }

  /// The going of a member is safe.
  /// - Returns: whether it was remembered.
  func forgetDeparture(of connection: ConnectionID, ordinal: UInt64) -> Bool {
    guard let index = departing[connection]?.firstIndex(where: { $0.ordinal == ordinal }) else { return false }
    departing[connection]?.remove(at: index)
    if departing[connection]?.isEmpty == true { departing[connection] = nil }
    return true
  }

  func nextOrdinal() -> UInt64 {
    lastOrdinal += 1
    return lastOrdinal
  }

  func newPeerID() -> String {
    let alphabet = Array("abcdefghijkmnpqrstuvwxyz23456789".utf8)
    var bits = random.next()
    var id: [UInt8] = [UInt8(ascii: "p")]
    for _ in 0..<12 {
      id.append(alphabet[Int(bits & 31)])
      bits >>= 5
    }
    return String(decoding: id, as: UTF8.self)
  }

  // MARK: Reading

  /// Whether the connection is in a room of this shard, or waits for one to be loaded.
  public func isMember(_ connection: ConnectionID) -> Bool {
    members[connection] != nil || parking.contains(connection)
  }

  /// The ids of the sessions of this shard that are in memory, sorted: those in the archive only while they are loaded.
  public var sessions: [String] { rooms.keys.sorted() }

  /// A session as it is now, un-synced events included; a snapshot of it may be used only once ``position`` is synced.
  /// Nil for one of ``frozenSessions``, whose state rests on void records: no snapshot may be taken meanwhile.
  public func classroom(_ session: String) -> Classroom? {
    guard let room = rooms[session], !room.isFrozen else { return nil }
    return room.classroom
  }

  /// Looks at how people behave in a session in memory, and at who is seen in it, un-synced events included.
  public func withConduct(of session: String, _ body: (Conduct, Presence) -> Void) {
    guard let room = rooms[session] else { return }
    body(room.conduct, room.presence)
  }

  /// How many sessions are live, and how many people are in them.
  public var liveCounts: (sessions: Int, people: Int) {
    rooms.values.reduce(into: (0, 0)) { sum, room in
      guard room.isFrozen ? room.presence.count > 0 : room.classroom.status.isLive else { return }
      sum.0 += 1
      sum.1 += room.presence.count
    }
  }
}
