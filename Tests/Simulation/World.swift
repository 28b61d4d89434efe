import Classroom
import Persistence
import RoomShard

/// Everything there is in one simulation: a clock, a network, a disk, a server that comes and goes, and the people.
final class World {
  let seed: UInt64
  let scenario: Scenario
  let scheduler = Scheduler()
  let history: History
  let attendance = AttendanceModel()
  let promotions = Promotions()
  var trace: Trace
  var coverage = Coverage()
  private(set) var violation: Violation?
  var server: SimulatedServer?
  /// Processes that are gone; what they had planned finds them and does nothing.
  var formerServers: [SimulatedServer] = []
  var disk: SimulatedDisk
  var historyDisk: SimulatedDisk
  var people: [Person] = []
  var tabs: [Tab] = []
  var links: [Int: Link] = [:]
  var lastLink = 0
  var randomness: Randomness
  var network: Randomness
  var behaviour: Randomness
  var diskRandomness: Randomness
  var serverStarts = 0
  var clockJump: Int64 = 0
  var lastOffset: Int64 = 0
  var textCount = 0
  var signalCount: Int64 = 0
  var lastRequest: UInt64 = 0
  /// By id.
  var bookings: [String: BookingFacts] = [:]
  /// The number of the session in each place of the timetable of bookings.
  var bookingNumbers: [Int: Int] = [:]
  var questions: [UInt64: (Result<RoomAnswer, Refusal>) -> Void] = [:]
  var isCalm = false
  private(set) var isSlowDisk = false
  /// How often the server or its disk has been in trouble.
  var disturbances = 0
  let sessionNames: [String]
  var messagesUntilSample: Int
  var samples = 0
  /// By peer: the signals that were taken in for it.
  var acceptedSignals: [String: [(number: Int64, sentAt: Int64)]] = [:]

  private static let epoch: Int64 = 1_767_225_600_000

  init(seed: UInt64, isReadable: Bool) {
    self.seed = seed
    var random = Randomness(seed: seed)
    scenario = Scenario(&random)
    sessionNames = (0..<scenario.sessions).map { ["algebra", "biology", "chemistry"][$0] }
    history = History(sessions: sessionNames)
    trace = Trace(isReadable: isReadable)
    network = random.split()
    behaviour = random.split()
    diskRandomness = random.split()
    disk = SimulatedDisk(randomness: diskRandomness.split())
    historyDisk = SimulatedDisk(randomness: diskRandomness.split())
    messagesUntilSample = random.int(10...200)
    randomness = random
    history.now = { [unowned self] in scheduler.now }
    history.report = { [unowned self] in fail($0, $1) }
  }

  var patience: Patience {
    var patience = Patience()
    patience.outboundBytes = scenario.outboundBytes
    return patience
  }
  var shardConfiguration: ShardConfiguration {
    var configuration = ShardConfiguration()
    configuration.archiveAfterMilliseconds = scenario.archiveAfter
    configuration.archiveIdleMilliseconds = min(configuration.archiveIdleMilliseconds, scenario.archiveAfter / 2)
    configuration.catchUpEvents = scenario.catchUpEvents
    // The model knows one time for who may come back.
    configuration.heartbeatTimeoutMilliseconds = configuration.graceMilliseconds
    configuration.rules.conduct.stagePlaces = 3
    // So few that somebody comes to the limit.
    configuration.rules.conduct.pins = 2
    configuration.rules.times.reopenWithinMilliseconds = scenario.reopenWithin
    return configuration
  }
  var loopCount: Int { scenario.loops }
  var mischief: Double { isCalm ? 0 : scenario.mischief }
  var networkTrouble: Double { isCalm ? 0 : scenario.networkTrouble }
  var longTexts: Double { scenario.longTexts }
  var mayEnd: Bool { scheduler.milliseconds > Int64(scenario.minutes) * 40_000 }
  /// The wall clock, which somebody may set.
  var wallClock: Int64 { Self.epoch + scheduler.milliseconds + clockJump }
  /// The time by the server that runs or ran last.
  var serverNow: Int64 { scheduler.milliseconds + lastOffset }

  func nextText() -> Int {
    textCount += 1
    return textCount
  }

  func nextSignal() -> Int64 {
    signalCount += 1
    return signalCount
  }

  // MARK: Saying

  func fail(_ invariant: String, _ detail: String) {
    guard violation == nil else { return }
    violation = Violation(invariant: invariant, detail: detail)
    note("VIOLATION") { "\(invariant): \(detail)" }
  }

  func note(_ actor: String, _ what: () -> String) {
    if trace.isReadable { trace.note(scheduler.now, actor, what()) }
  }

  func note(_ actor: String, _ what: @autoclosure () -> String) { note(actor) { what() } }

  /// Every message a client gets is part of what a seed leads to.
  func didReceive(_ payload: UnsafeRawBufferPointer) {
    trace.mix(UInt64(bitPattern: scheduler.now))
    trace.mix(payload)
  }

  // MARK: Running

  /// Lives through the whole scenario.
  func run() {
    populate()
    startServer()
    let end = Int64(scenario.minutes) * 60_000_000
    plan(until: end)
    proceed(until: end)
    if violation == nil { calmDown() }
    // Until the last token that ends soon has ended, and whoever had it is back.
    let lastEnd = scenario.tokenLifetime < 86_400_000 ? scenario.tokenLifetime + 20_000 : 0
    proceed(until: end + max(90_000, lastEnd) * 1000)
    if violation == nil { checkConvergence() }
    if violation == nil { finish() }
    scheduler.removeAll()
    for tab in tabs { tab.link?.down.silence() }
  }

  /// The hours of class that went by.
  var classHours: Double { Double(scheduler.now) / 3.6e9 * Double(scenario.sessions) }

  func proceed(until limit: Int64) {
    while violation == nil, scheduler.step(until: limit) {}
    scheduler.advance(to: limit)
  }

  func populate() {
    for (index, session) in sessionNames.enumerated() {
      let isOpen = index != 1
      func add(_ label: String, _ role: Role, scoped: Bool) {
        let identity = Identity(
          user: label, name: label.capitalizedName, role: role, session: scoped ? session : nil, isGuest: false,
          expiresAt: Timestamp(milliseconds: .max))
        people.append(Person(label: label, identity: identity, session: session))
      }
      add("host-\(session)", .host, scoped: false)
      for number in 1...scenario.peoplePerSession { add("\(session)-\(number)", .participant, scoped: !isOpen) }
      if randomness.chance(0.3) { add("observer-\(session)", .observer, scoped: true) }
      if randomness.chance(0.3) { add("cohost-\(session)", .cohost, scoped: true) }
      if randomness.chance(0.2) { add("admin-\(session)", .admin, scoped: false) }
      if randomness.chance(0.3) { people.append(Person(label: "guest", identity: nil, session: session)) }
    }
    for person in people {
      person.hasSeveralTabs = !person.isGuest && randomness.chance(0.3)
      for number in 1...(person.hasSeveralTabs ? 2 : 1) {
        let tab = Tab(
          person: person, number: number, world: self, randomness: network.split(),
          hasMachine: randomness.chance(0.4))
        tabs.append(tab)
        scheduler.after(randomness.int64(1_000_000...20_000_000)) { tab.connect() }
        live(tab, randomness.split())
      }
    }
  }

  /// One tab does one thing after another.
  func live(_ tab: Tab, _ random: Randomness) {
    var random = random
    let pause = random.duration(mean: scenario.pace)
    scheduler.after(pause * 1000) { [unowned self] in
      guard !tab.isGone, !isCalm else { return }
      tab.act(&random)
      live(tab, random)
    }
  }

  func plan(until end: Int64) {
    for (index, session) in sessionNames.enumerated() {
      create(session, index: index)
      scheduler.after(randomness.int64(2_000_000...30_000_000)) { [unowned self] in begin(session) }
      if randomness.chance(0.5) {
        scheduler.at(randomness.int64(end * 6 / 10...end * 98 / 100)) { [unowned self] in finish(session) }
      }
      ask(session)
      receive(Visitor(session: session))
      vouch(for: "walkin-\(session)", in: session)
    }
    planBookings()
    for _ in 0..<scenario.outages {
      scheduler.at(randomness.int64(1_000_000...end - 1)) { [unowned self] in outage() }
    }
    for _ in 0..<scenario.diskTroubles {
      scheduler.at(randomness.int64(1_000_000...end - 1)) { [unowned self] in diskTrouble() }
    }
    if randomness.chance(0.3) {
      scheduler.at(randomness.int64(1_000_000...end - 1)) { [unowned self] in
        coverage.note(fault: .clockJump)
        clockJump += randomness.chance(0.5) ? 3_600_000 : -3_600_000
        note("clock", "jumps")
      }
    }
  }

  func calmDown() {
    note("world", "calms down")
    isCalm = true
    disk.heal()
    historyDisk.heal()
    isSlowDisk = false
    if server == nil { startServer() }
    for tab in tabs where !tab.isGone {
      if let link = tab.link, link.isLost { tab.drop(abruptly: true) }
      tab.link?.stalledUntil = 0
      tab.link?.chopping = .whole
    }
  }

  // MARK: The server's life

  func startServer() {
    guard server == nil else { return }
    serverStarts += 1
    disturbances += 1
    let server = SimulatedServer(
      world: self, disk: disk, historyDisk: historyDisk, number: serverStarts, randomness: randomness.split())
    // Recovery can be interrupted like anything else.
    if !isCalm, randomness.chance(0.1), scenario.outages > 0 { disk.operationsLeft = randomness.int(0...12) }
    self.server = server
    formerServers.append(server)
    note("server", "starts for the \(serverStarts). time")
    guard server.start() else {
      self.server = nil
      disk = disk.afterKill()
      historyDisk = historyDisk.afterKill()
      return restartLater()
    }
    disk.operationsLeft = nil
    lastOffset = server.now - scheduler.milliseconds
    attendance.restarted(at: serverNow)
  }

  func restartLater() {
    let pause: Int64 = randomness.chance(0.1) ? randomness.int64(10_000...60_000) : randomness.int64(50...4000)
    scheduler.after(pause * 1000) { [unowned self] in startServer() }
  }

  func outage() {
    guard let server, server.isRunning, !server.isStopping else { return }
    switch randomness.int(0...3) {
    case 0:
      coverage.note(fault: .gracefulStop)
      note("server", "is asked to stop")
      server.stop()
    case 1:
      coverage.note(fault: .powerLost)
      note("server", "loses power")
      for number in links.keys.sorted() where randomness.chance(0.5) { links[number]?.lose() }
      server.kill()
      gone(server, disk.afterPowerLoss(), historyDisk.afterPowerLoss())
    default:
      coverage.note(fault: .processKilled)
      note("server", "is killed")
      server.kill()
      gone(server, disk.afterKill(), historyDisk.afterKill())
    }
  }

  func gone(_ server: SimulatedServer, _ next: SimulatedDisk, _ nextHistory: SimulatedDisk) {
    attendance.crashed(at: serverNow, lastAlive: server.journal.lastAlive)
    breakLinks()
    disk = next
    historyDisk = nextHistory
    self.server = nil
    restartLater()
  }

  func breakLinks() {
    for number in links.keys.sorted() { links[number]?.serverDied() }
  }

  func serverDied(_ server: SimulatedServer) {
    guard self.server === server else { return }
    server.kill()
    gone(server, disk.afterKill(), historyDisk.afterKill())
  }

  func serverStopped(_ server: SimulatedServer) {
    guard self.server === server else { return }
    note("server", "has stopped")
    attendance.stopped(at: serverNow)
    breakLinks()
    self.server = nil
    disk = disk.afterKill()
    historyDisk = historyDisk.afterKill()
    restartLater()
  }

  func diskTrouble() {
    guard !isCalm else { return }
    switch randomness.int(0...2) {
    case 0:
      coverage.note(fault: .diskError)
      disk.tornShare = randomness.int(0...256)
      disk.faults = randomness.chance(0.5) ? [.sync: 0.5] : [.write: 0.5, .sync: 0.1]
      note("disk", "fails now and then")
    case 1:
      coverage.note(fault: .diskFull)
      disk.capacity = disk.usedBytes + randomness.int(0...4000)
      note("disk", "is nearly full")
    default:
      coverage.note(fault: .slowDisk)
      isSlowDisk = true
      note("disk", "is slow")
    }
    scheduler.after(randomness.int64(200_000...8_000_000)) { [unowned self] in
      note("disk", "is well again")
      disk.heal()
      isSlowDisk = false
    }
  }

  func syncDuration() -> Int64 {
    isSlowDisk ? diskRandomness.int64(200_000...2_000_000) : diskRandomness.duration(mean: scenario.syncMicroseconds)
  }

  func interruptedOperations() -> Int { diskRandomness.int(0...3) }

  // MARK: Connections

  func newLink() -> Link {
    lastLink += 1
    let capacity = network.chance(0.1) ? network.int(2000...16_000) : 65_536
    let link = Link(
      number: lastLink, scheduler: scheduler, randomness: network.split(), latency: network.int64(200...40_000),
      jitter: network.int64(0...5000), capacity: capacity)
    if scenario.usesChopping, !isCalm {
      if network.chance(0.1) {
        link.chopping = .bytes
        coverage.note(fault: .bytewise)
      } else if network.chance(0.5) {
        link.chopping = .pieces
        coverage.note(fault: .pieces)
      }
    }
    links[link.number] = link
    return link
  }

  func deliver(_ link: Link) {
    scheduler.after(network.int64(200...40_000)) { [unowned self] in
      guard let server, server.isRunning else { return link.serverDied() }
      server.accept(link)
    }
  }

  func forget(_ link: Link) { links[link.number] = nil }

  func serverHeard(_ connection: ServerConnection, at time: Int64) {
    connection.link.record?.lastHeard = serverNow
  }

  func serverLost(_ connection: ServerConnection, at time: Int64) {
    guard let record = connection.link.record, record.lostAt == nil else { return }
    record.lostAt = serverNow
  }

  func serverAdopted(_ connection: ServerConnection, from old: ServerConnection) {}
}

extension String {
  /// The text with its first letter in upper case.
  fileprivate var capitalizedName: String { prefix(1).uppercased() + dropFirst() }
}
