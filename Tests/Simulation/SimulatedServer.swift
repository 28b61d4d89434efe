import Classroom
import Persistence
import RoomShard
import SignalingProtocol

/// How somebody says who they are, in a form that everybody in the simulation can read.
enum Credentials {
  /// How long somebody without an account stays the same guest, in milliseconds.
  static let guestLifetime: Int64 = 12 * 3_600_000

  static func token(_ identity: Identity) -> String {
    """
    \(identity.user)|\(identity.name)|\(identity.role.rawValue)|\(identity.session ?? "")|\(identity.isGuest ? 1 : 0)|\
    \(identity.expiresAt.milliseconds)
    """
  }

  static func identity(_ token: String, at now: Timestamp) throws(ProtocolError) -> Identity {
    let parts = token.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 6, let role = Role(rawValue: parts[2]), let expiry = Int64(parts[5]) else {
      throw ProtocolError(.badToken, "This token is not valid.")
    }
    guard now.milliseconds < expiry else { throw ProtocolError(.tokenExpired, "The token has expired.") }
    return Identity(
      user: parts[0], name: parts[1], role: role, session: parts[3].isEmpty ? nil : parts[3], isGuest: parts[4] == "1",
      expiresAt: Timestamp(milliseconds: expiry))
  }
}

/// Seals claims with a keyed hash, which is as good as nobody in the simulation computes it.
struct SimulatedSealer: ResumeSealer {
  func seal(_ claim: ResumeClaim) -> String {
    let text = "\(claim.user)|\(claim.session)|\(claim.epoch)|\(claim.peer ?? "")|\(claim.expiresAt.milliseconds)"
    return "\(text)|\(Self.tag(text))"
  }

  func open(_ token: String) -> ResumeClaim? {
    guard let bar = token.lastIndex(of: "|"), token[token.index(after: bar)...] == Self.tag(String(token[..<bar]))
    else { return nil }
    let parts = token[..<bar].split(separator: "|", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 5, let expiry = Int64(parts[4]) else { return nil }
    return ResumeClaim(
      user: parts[0], session: parts[1], epoch: parts[2], peer: parts[3].isEmpty ? nil : parts[3],
      expiresAt: Timestamp(milliseconds: expiry))
  }

  private static func tag(_ text: String) -> String {
    String(text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }, radix: 36)
  }
}

/// One process of the server, from its start to its end.
final class SimulatedServer {
  unowned let world: World
  let scheduler: Scheduler
  let disk: SimulatedDisk
  /// Where sessions that are over are put.
  let history: HistoryStore<SimulatedDisk>
  private let historyDisk: SimulatedDisk
  let patience: Patience
  private(set) var loops: [SimulatedLoop] = []
  private var journalThread: SimulatedJournal?
  private(set) var isRunning = false
  private(set) var isStopping = false
  private(set) var endedCleanly = false
  private var clockOffset: Int64
  private var randomness: Randomness
  private var lastConnection: UInt64 = 0
  private var tickets: [String: Identity] = [:]
  private var lastTicket = 0
  private var lastGuest = 0
  /// What the list of sessions shows.
  private(set) var catalog: [String: SessionView] = [:]
  private let number: Int

  /// A process that has not started.
  init(world: World, disk: SimulatedDisk, historyDisk: SimulatedDisk, number: Int, randomness: Randomness) {
    self.world = world
    self.disk = disk
    self.historyDisk = historyDisk
    history = HistoryStore(historyDisk)
    self.number = number
    self.randomness = randomness
    scheduler = world.scheduler
    patience = world.patience
    clockOffset = world.wallClock - world.scheduler.milliseconds
  }

  var journal: SimulatedJournal {
    guard let journalThread else { preconditionFailure("the server has not started") }
    return journalThread
  }

  func timestamp(atMonotonic milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: milliseconds + clockOffset) }

  var now: Int64 { scheduler.milliseconds + clockOffset }

  // MARK: Life

  /// Recovers what is on the disk and serves.
  /// - Returns: whether it runs.
  func start() -> Bool {
    var recovered = RecoveredState(history: history)
    let writer: JournalWriter<SimulatedDisk>
    do {
      try FolderFormat.ensure(disk)
      try history.removeLeftovers()
      let opened = try Recovery.open(
        disk, segmentID: segmentID(), now: world.wallClock, clock: { 0 }, into: &recovered)
      writer = opened.takeWriter()
    } catch {
      world.note("server", "does not start: \(error)")
      if !disk.hasStopped, disk.failures == 0, historyDisk.failures == 0 {
        world.fail("recovery", "the folder is refused: \(error)")
      }
      return false
    }
    clockOffset = max(world.wallClock, recovered.lastTime.milliseconds) - scheduler.milliseconds
    world.verify(recovered, history, "after start \(number)")
    journalThread = SimulatedJournal(server: self, disk: disk, writer: writer, loops: world.loopCount)
    guard journal.begin(lastAlive: recovered.lastAlive) else { return false }
    isRunning = true
    for index in 0..<world.loopCount {
      let shard = RoomShard(
        configuration: world.shardConfiguration, random: randomness.split(), sealer: SimulatedSealer())
      shard.iceServers = SimulatedServers()
      loops.append(SimulatedLoop(index: index, server: self, shard: shard))
    }
    for name in recovered.classrooms.keys.sorted() {
      if let classroom = recovered.classrooms[name] { catalog[name] = classroom.view }
    }
    for (name, session) in recovered.archived { catalog[name] = session.view }
    for loop in loops {
      let rooms = recovered.classrooms.keys.sorted().compactMap { recovered.classrooms[$0] }
        .filter { self.loop(of: $0.id) == loop.index }
      let archived = recovered.archived.keys.sorted().compactMap { recovered.archived[$0] }
        .filter { self.loop(of: $0.id) == loop.index }
      loop.begin(
        rooms: rooms, archived: archived, lastAlive: recovered.lastAlive, isEstimated: !recovered.endedCleanly)
    }
    return true
  }

  /// The process is gone in the middle of whatever it was doing.
  func kill() {
    guard isRunning else { return }
    journal.interrupt()
    isRunning = false
    for loop in loops { for connection in loop.connectionsInOrder { connection.link.serverDied() } }
  }

  /// The process ends itself, because it cannot go on.
  func die(_ reason: String) {
    world.note("server") { "ends: \(reason)" }
    world.serverDied(self)
  }

  func stop() {
    guard isRunning, !isStopping else { return }
    isStopping = true
    for loop in loops { loop.post(.drain) }
  }

  func loopFinished() {
    guard loops.allSatisfy(\.isFinished) else { return }
    journal.post(.stop)
  }

  func journalStopped(isSafe: Bool) {
    isRunning = false
    endedCleanly = isSafe
    world.serverStopped(self)
  }

  // MARK: The history's thread

  func archive(_ classroom: Classroom, for loop: SimulatedLoop) {
    scheduler.after(3 * world.syncDuration()) { [unowned self] in
      guard isRunning else { return }
      do throws(HistoryError) {
        try history.write(classroom, at: timestamp(atMonotonic: scheduler.milliseconds))
        world.note("history", "has \(classroom.id)")
        loop.post(.archived(classroom.id, sequence: classroom.sequence))
      } catch {
        loop.post(.archived(classroom.id, sequence: nil))
      }
    }
  }

  func load(_ session: String, for loop: SimulatedLoop) {
    scheduler.after(world.syncDuration()) { [unowned self] in
      guard isRunning else { return }
      world.note("history", "gives \(session)")
      loop.post(.loaded(session, try? history.read(session)))
    }
  }

  // MARK: What loops ask

  func newConnectionID() -> UInt64 {
    lastConnection += 1
    return lastConnection
  }

  func journalRandomness() -> Randomness { randomness.split() }

  func segmentID() -> SegmentID { SegmentID(using: &randomness) }

  func wakeDelay() -> Int64 { randomness.chance(0.01) ? randomness.int64(1000...40_000) : randomness.int64(10...300) }

  func retryDelay() -> Int64 { randomness.int64(500...3000) }

  /// The loop that a session lives on.
  func loop(of session: String) -> Int {
    session.utf8.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xFFFF } % world.loopCount
  }

  func publish(_ view: SessionView) { catalog[view.details.id] = view }

  func retract(_ session: String) { catalog[session] = nil }

  func noteListChange(_ change: ListChange) {
    for loop in loops { loop.post(.listChanged(change)) }
  }

  func identity(of hello: ClientMessage.Hello, at now: Timestamp) throws(ProtocolError) -> Identity {
    switch hello {
    case .token(let token): return try Credentials.identity(token, at: now)
    case .ticket(let ticket):
      guard let identity = tickets.removeValue(forKey: ticket), now < identity.expiresAt else {
        throw ProtocolError(.badTicket, "The ticket is unknown, used or too old.")
      }
      return identity
    case .guest(let name):
      lastGuest += 1
      return Identity(
        user: "guest-\(number)-\(lastGuest)", name: name, role: .participant, session: nil, isGuest: true,
        expiresAt: now.advanced(byMilliseconds: Credentials.guestLifetime))
    }
  }

  // MARK: HTTP

  func accept(_ link: Link) {
    guard isRunning else { return link.serverDied() }
    loops[randomness.int(0...loops.count - 1)].post(.accept(link))
  }

  func ask(_ request: RoomRequest, session: String, identity: Identity?, number: UInt64) {
    guard isRunning else { return }
    world.coverage.note(request)
    loops[loop(of: session)].post(.request(request, session: session, identity: identity, number: number))
  }

  func answer(_ number: UInt64, with result: Result<RoomAnswer, Refusal>) {
    world.answered(number, with: result)
  }

  /// A ticket for a socket, as an answer to a join has one.
  func issueTicket(_ identity: Identity) -> String {
    lastTicket += 1
    let ticket = "ticket-\(number)-\(lastTicket)"
    tickets[ticket] = identity
    return ticket
  }
}
