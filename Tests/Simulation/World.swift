import Classroom
import Persistence
import RoomShard

/// An invariant that did not hold.
struct Violation {
  var invariant: String
  var detail: String
}

/// What a seed decides before anything happens.
struct Scenario {
  var minutes: Int
  var sessions: Int
  var peoplePerSession: Int
  var loops: Int
  /// The mean time between two things that somebody does, in milliseconds.
  var pace: Int64
  var mischief: Double
  var networkTrouble: Double
  var outages: Int
  var diskTroubles: Int
  var longTexts: Double
  var usesChopping: Bool
  var outboundBytes: Int
  var snapshotBytes: Int
  var snapshotInterval: Int64
  var syncMicroseconds: Int64
  var archiveAfter: Int64
  var catchUpEvents: Int

  init(_ random: inout Randomness) {
    let isLong = random.chance(0.08)
    minutes = isLong ? random.int(30...75) : random.int(1...5)
    sessions = random.int(1...3)
    peoplePerSession = random.int(2...9)
    loops = random.int(1...2)
    pace = isLong ? random.int64(30_000...120_000) : random.pick([700, 2000, 5000, 15_000]) ?? 5000
    mischief = random.chance(0.4) ? 0.03 : 0
    networkTrouble = random.pick([0, 0.01, 0.03, 0.1]) ?? 0
    outages = random.pick([0, 1, 2, 4]) ?? 0
    diskTroubles = random.chance(0.4) ? random.int(1...3) : 0
    longTexts = random.chance(0.2) ? 0.5 : 0
    usesChopping = random.chance(0.3)
    outboundBytes = random.pick([256 * 1024, 48 * 1024]) ?? 256 * 1024
    snapshotBytes = random.pick([4 << 10, 32 << 10, 16 << 20]) ?? 16 << 20
    snapshotInterval = random.pick([5000, 60_000, 300_000]) ?? 300_000
    syncMicroseconds = random.pick([50, 1000, 8000]) ?? 1000
    archiveAfter = random.pick([600_000, 8000]) ?? 600_000
    catchUpEvents = random.pick([256, 7]) ?? 256
  }
}

/// Everything there is in one simulation: a clock, a network, a disk, a server that comes and goes, and the people.
final class World {
  let seed: UInt64
  let scenario: Scenario
  let scheduler = Scheduler()
  let history: History
  let attendance = AttendanceModel()
  private(set) var trace: Trace
  var coverage = Coverage()
  private(set) var violation: Violation?
  private(set) var server: SimulatedServer?
  /// Processes that are gone; what they had planned finds them and does nothing.
  private var formerServers: [SimulatedServer] = []
  private var disk: SimulatedDisk
  private var historyDisk: SimulatedDisk
  private var people: [Person] = []
  private var tabs: [Tab] = []
  private var links: [Int: Link] = [:]
  private var lastLink = 0
  private var randomness: Randomness
  private var network: Randomness
  private var behaviour: Randomness
  private var diskRandomness: Randomness
  private var serverStarts = 0
  private var clockJump: Int64 = 0
  private var lastOffset: Int64 = 0
  private var textCount = 0
  private var signalCount: Int64 = 0
  private var lastRequest: UInt64 = 0
  private var questions: [UInt64: (Result<RoomAnswer, Refusal>) -> Void] = [:]
  private var isCalm = false
  private(set) var isSlowDisk = false
  /// How often the server or its disk has been in trouble.
  private(set) var disturbances = 0
  private let sessionNames: [String]
  private var messagesUntilSample: Int

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
    proceed(until: end + 90_000_000)
    if violation == nil { checkConvergence() }
    if violation == nil { finish() }
    scheduler.removeAll()
    for tab in tabs { tab.link?.down.silence() }
  }

  /// The hours of class that went by.
  var classHours: Double { Double(scheduler.now) / 3.6e9 * Double(scenario.sessions) }

  private func proceed(until limit: Int64) {
    while violation == nil, scheduler.step(until: limit) {}
    scheduler.advance(to: limit)
  }

  private func populate() {
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
      person.hasSeveralTabs = randomness.chance(0.3)
      for number in 1...(person.hasSeveralTabs ? 2 : 1) {
        let tab = Tab(person: person, number: number, world: self, randomness: network.split())
        tabs.append(tab)
        scheduler.after(randomness.int64(1_000_000...20_000_000)) { tab.connect() }
        live(tab, randomness.split())
      }
    }
  }

  /// One tab does one thing after another.
  private func live(_ tab: Tab, _ random: Randomness) {
    var random = random
    let pause = random.duration(mean: scenario.pace)
    scheduler.after(pause * 1000) { [weak self, weak tab] in
      guard let self, let tab, !tab.isGone, !self.isCalm else { return }
      tab.act(&random)
      self.live(tab, random)
    }
  }

  private func plan(until end: Int64) {
    for (index, session) in sessionNames.enumerated() {
      create(session, index: index)
      scheduler.after(randomness.int64(2_000_000...30_000_000)) { [unowned self] in begin(session) }
      if randomness.chance(0.5) {
        scheduler.at(randomness.int64(end * 6 / 10...end * 98 / 100)) { [unowned self] in finish(session) }
      }
      ask(session)
    }
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

  private func calmDown() {
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

  private func startServer() {
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

  private func restartLater() {
    let pause: Int64 = randomness.chance(0.1) ? randomness.int64(10_000...60_000) : randomness.int64(50...4000)
    scheduler.after(pause * 1000) { [weak self] in self?.startServer() }
  }

  private func outage() {
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

  private func gone(_ server: SimulatedServer, _ next: SimulatedDisk, _ nextHistory: SimulatedDisk) {
    attendance.crashed(at: serverNow, lastAlive: server.journal.lastAlive)
    breakLinks()
    disk = next
    historyDisk = nextHistory
    self.server = nil
    restartLater()
  }

  private func breakLinks() {
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

  private func diskTrouble() {
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
      if network.chance(0.3) {
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
    scheduler.after(network.int64(200...40_000)) { [weak self] in
      guard let server = self?.server, server.isRunning else { return link.serverDied() }
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

  // MARK: HTTP

  private func question(
    _ request: RoomRequest, session: String, identity: Identity?,
    _ answer: @escaping (Result<RoomAnswer, Refusal>) -> Void
  ) {
    lastRequest += 1
    let number = lastRequest
    let least = history.sessions[session]?.highestRevision ?? 0
    note("http") { "asks \(session): \(request)" }
    questions[number] = { [unowned self] result in
      note("http") { "is answered about \(session): \(result)" }
      trace.mix(UInt64(bitPattern: scheduler.now))
      saw(result, session: session, least: least)
      answer(result)
      afterMessage()
    }
    scheduler.after(network.int64(200...20_000)) { [weak self] in
      self?.server?.ask(request, session: session, identity: identity, number: number)
    }
  }

  func answered(_ number: UInt64, with result: Result<RoomAnswer, Refusal>) {
    guard let answer = questions.removeValue(forKey: number) else {
      return fail("answers", "a request was answered twice")
    }
    scheduler.after(network.int64(200...20_000)) { answer(result) }
  }

  private func saw(_ result: Result<RoomAnswer, Refusal>, session: String, least: Int64) {
    guard case .success(let answer) = result else { return }
    switch answer {
    case .session(let view, _): saw(view, least: least)
    case .started(let change, let id, _), .ended(let change, let id):
      if id != session { fail("sessions", "an answer about \(id), asked about \(session)") }
      saw(change, session: session)
    case .joined(let id, _, _): if id != session { fail("sessions", "joined \(id), asked for \(session)") }
    case .attendance(let report):
      saw(report.view, least: least)
      history.sawAttendance(report.rows, session: session)
    }
  }

  private func saw(_ view: SessionView, least: Int64) {
    if Int64(view.revision) < least {
      fail("order", "\(view.details.id) was shown at revision \(least) and then at \(view.revision)")
    }
    history.sawCreation(of: view.details.id)
    saw(
      StatusChange(
        status: view.status, revision: view.revision, startedAt: view.startedAt, endedAt: view.endedAt),
      session: view.details.id)
  }

  private func saw(_ change: StatusChange, session: String) {
    history.saw(
      History.StatusFact(
        status: change.status.rawValue, startedAt: change.startedAt?.milliseconds, endedAt: change.endedAt?.milliseconds
      ), revision: Int64(change.revision), session: session)
  }

  private func person(_ label: String) -> Person? { people.first { $0.label == label } }

  private func create(_ session: String, index: Int) {
    var draft = SessionDraft(title: session)
    draft.id = session
    draft.admission = index == 1 ? .approval : .open
    draft.allowsGuests = true
    if index == 2 || randomness.chance(0.2) { draft.capacity = max(2, scenario.peoplePerSession / 2) }
    if index == 1 { draft.visibility = .members }
    let request = RoomRequest.create(
      draft, id: session, roomName: "room-\(session)", epoch: "e-\(session)",
      key: randomness.chance(0.5) ? "create-\(session)" : nil)
    var isDone = false
    question(request, session: session, identity: person("host-\(session)")?.identity) { [unowned self] result in
      switch result {
      case .success:
        isDone = true
        history.sawCreation(of: session)
      case .failure(let refusal): isDone = refusal == .sessionExists
      }
    }
    scheduler.after(3_000_000) { [unowned self] in
      if !isDone, !isCalm { create(session, index: index) }
    }
  }

  private func begin(_ session: String) {
    guard !isCalm else { return }
    var isDone = false
    let request = RoomRequest.start(key: randomness.chance(0.5) ? "start-\(session)" : nil)
    let span = spanFromOutside(of: "host-\(session)", session)
    question(request, session: session, identity: person("host-\(session)")?.identity) { [unowned self] result in
      switch result {
      case .success:
        isDone = true
        span.connection.lostAt = serverNow
      case .failure(let refusal): refused(span, refusal)
      }
    }
    scheduler.after(5_000_000) { [unowned self] in
      if !isDone, history.sessions[session]?.highestRevision ?? 0 < 2 { begin(session) }
    }
  }

  private func finish(_ session: String) {
    question(.end(key: nil), session: session, identity: person("host-\(session)")?.identity) { _ in }
  }

  /// Somebody asks from outside now and then.
  private func ask(_ session: String) {
    scheduler.after(behaviour.duration(mean: scenario.pace * 3) * 1000) { [unowned self] in
      guard !isCalm else { return }
      let someone = behaviour.pick(people)
      switch behaviour.int(0...9) {
      case 0..<3: question(.read, session: session, identity: behaviour.chance(0.3) ? nil : someone?.identity) { _ in }
      case 3..<6:
        question(.attendance, session: session, identity: person("host-\(session)")?.identity) { _ in }
      case 6..<8:
        if let someone, let identity = someone.identity, someone.session == session {
          joinFromOutside(someone, identity)
        }
      case 8:
        if someone?.isHost != true {
          question(.start(key: nil), session: session, identity: someone?.identity) { _ in }
        }
      default: readList()
      }
      ask(session)
    }
  }

  /// What was refused did not happen, unless the disk may know it all the same.
  private func refused(_ span: AttendanceModel.Span, _ refusal: Refusal) {
    if refusal == .storageUnavailable(isCertain: false) {
      span.connection.lostAt = serverNow + 90_000
    } else {
      attendance.remove(span)
    }
  }

  /// Somebody who comes in without a socket is there from some time between the question and the answer, for the grace.
  private func spanFromOutside(of user: String, _ session: String) -> AttendanceModel.Span {
    let connection = AttendanceModel.Connection()
    connection.lastHeard = serverNow
    connection.lostAt = serverNow + 30_000
    let span = AttendanceModel.Span(user: user, session: session, asked: serverNow, connection: connection)
    span.end = .lost(connection, leaving: nil)
    attendance.add(span)
    return span
  }

  private func joinFromOutside(_ person: Person, _ identity: Identity) {
    let span = spanFromOutside(of: person.user, person.session)
    if !person.isVisible { attendance.remove(span) }
    question(.join, session: person.session, identity: identity) { [unowned self] result in
      if case .failure(let refusal) = result { return refused(span, refusal) }
      span.connection.lostAt = serverNow
      guard let server, !isCalm, behaviour.chance(0.5) else { return }
      let tab = tabs.first { $0.person === person && $0.phase == .offline && !$0.isGone }
      tab?.connect(ticket: server.issueTicket(identity))
    }
  }

  private func readList() {
    guard let server, server.isRunning else { return }
    for name in sessionNames {
      guard let view = server.catalog[name] else {
        if history.sessions[name]?.isCreated == true { fail("list", "\(name) is not in the list") }
        continue
      }
      saw(view, least: 0)
    }
  }

  func signalAccepted(_ number: Int64, to peer: String, sentAt: Int64) {
    acceptedSignals[peer, default: []].append((number, sentAt))
  }

  private var acceptedSignals: [String: [(number: Int64, sentAt: Int64)]] = [:]

  /// What was taken in for somebody who was there, or came back in time, has arrived.
  private func checkSignals(of tab: Tab) {
    guard let peer = tab.view.peer, tab.view.state == .present else { return }
    for signal in acceptedSignals[peer] ?? [] where signal.sentAt > tab.view.signalsSince {
      if !tab.view.receivedSignals.contains(signal.number) {
        fail("signals", "\(tab.name) never got the signal \(signal.number) that was accepted for \(peer)")
      }
    }
  }

  // MARK: Checks

  /// Nothing may grow without bound.
  func checkBounds(of loop: SimulatedLoop) {
    if loop.shard.heldByteCount > 8 << 20 { fail("memory", "the outbox holds \(loop.shard.heldByteCount) bytes") }
    for connection in loop.connectionsInOrder {
      if connection.backlog.count > patience.outboundBytes + (1 << 20) {
        fail("memory", "\(connection.backlog.count) bytes wait for one socket")
      }
      if connection.input.count > 512 * 1024 { fail("memory", "\(connection.input.count) bytes of input wait") }
    }
  }

  /// After each message to anybody: now and then the power fails in a copy of the world, and everything that was shown
  /// must be on its disk.
  func afterMessage() {
    messagesUntilSample -= 1
    guard messagesUntilSample <= 0, violation == nil else { return }
    messagesUntilSample = diskRandomness.int(20...400)
    let copy = diskRandomness.chance(0.7) ? disk.afterPowerLoss() : disk.afterKill()
    let historyCopy = diskRandomness.chance(0.7) ? historyDisk.afterPowerLoss() : historyDisk.afterKill()
    copy.heal()
    historyCopy.heal()
    let store = HistoryStore(historyCopy)
    var recovered = RecoveredState(history: store)
    do {
      try FolderFormat.ensure(copy)
      _ = try Recovery.open(copy, segmentID: SegmentID(1, 1), now: 0, clock: { 0 }, into: &recovered)
    } catch {
      return fail("recovery", "a power cut now would leave a folder that is refused: \(error)")
    }
    verify(recovered, store, newest: 60, "a power cut now")
  }

  func verify(
    _ recovered: RecoveredState<SimulatedDisk>, _ store: HistoryStore<SimulatedDisk>, newest: Int? = nil,
    _ occasion: String
  ) {
    var classrooms = recovered.classrooms
    for (name, session) in recovered.archived.sorted(by: { $0.key < $1.key }) {
      do throws(HistoryError) {
        let classroom = try store.read(name)
        if classroom.view != session.view { fail("durable", "\(occasion): the history has another \(name)") }
        classrooms[name] = classroom
      } catch {
        fail("durable", "\(occasion): \(error)")
      }
    }
    history.verify(classrooms, newest: newest, occasion)
  }

  func disturb() { disturbances += 1 }

  /// When nothing goes wrong any more, everybody comes to see the same.
  private func checkConvergence() {
    guard let server, server.isRunning else { return fail("convergence", "the server does not come up") }
    for tab in tabs where !tab.isGone {
      if let (id, sent) = tab.pending.min(by: { $0.key < $1.key }), serverNow - sent.time > 30_000 {
        return fail("answers", "\(tab.name): \(sent.type) with id \(id) was never answered")
      }
    }
    for name in sessionNames {
      let shard = server.loops[server.loop(of: name)].shard
      guard let classroom = shard.classroom(name) else {
        if shard.archived(name) != nil { continue }
        fail("convergence", "\(name) does not exist")
        continue
      }
      checkTabs(of: classroom)
    }
  }

  private func checkTabs(of classroom: Classroom) {
    let name = classroom.id
    let inside = tabs.filter { $0.view.session == name && $0.isJoined }
    let present = Set(classroom.attendance.rows.values.filter(\.isActive).map(\.user))
    var peers: [String: Set<String>] = [:]
    for tab in inside {
      if let peer = tab.view.peer { peers[tab.view.user, default: []].insert(peer) }
    }
    for tab in inside { checkSignals(of: tab) }
    for tab in inside where tab.view.state == .present || tab.view.state == .ended {
      let view = tab.view
      func expect(_ condition: Bool, _ detail: String) {
        if !condition { fail("convergence", "\(tab.name) in \(name): \(detail)") }
      }
      expect(view.status == classroom.status.rawValue, "sees it \(view.status), it is \(classroom.status)")
      expect(view.room == Int64(classroom.streamSequence), "has \(view.room) of \(classroom.streamSequence)")
      guard view.state == .present else { continue }
      if view.mode != "none" { expect(view.count == Int64(present.count), "counts \(view.count) of \(present.count)") }
      guard view.mode == "full" else { continue }
      expect(Set(view.participants.keys) == present, "sees \(view.participants.keys.sorted()) of \(present.sorted())")
      for (user, participant) in view.participants {
        expect(
          Set(participant.peers) == peers[user] ?? [],
          "sees \(participant.peers.sorted()) of \(user) instead of \((peers[user] ?? []).sorted())")
      }
    }
    for tab in inside where tab.view.state == .waiting && classroom.status != .scheduled {
      let isFull = classroom.details.capacity.map { classroom.attendance.activeCount >= $0 } ?? false
      if !isFull || classroom.status == .completed { fail("convergence", "\(tab.name) still waits for \(name)") }
    }
  }

  /// The server stops, and its folder must say all that was ever shown, and how long everybody was there.
  private func finish() {
    guard let server else { return }
    let now = serverNow
    server.kill()
    let store = HistoryStore(historyDisk.afterKill())
    var recovered = RecoveredState(history: store)
    let last = disk.afterKill()
    do {
      _ = try Recovery.open(last, segmentID: SegmentID(1, 1), now: 0, clock: { 0 }, into: &recovered)
    } catch {
      return fail("recovery", "the folder is refused at the end: \(error)")
    }
    verify(recovered, store, "at the end")
    for name in sessionNames {
      if let classroom = recovered.classrooms[name] ?? (try? store.read(name)) {
        checkAttendance(of: classroom, now: now)
      }
    }
  }

  private func checkAttendance(of classroom: Classroom, now: Int64) {
    guard let started = classroom.startedAt?.milliseconds else { return }
    for row in classroom.attendance.rows.values {
      let bounds = attendance.bounds(
        user: row.user, session: classroom.id, started: started, ended: classroom.endedAt?.milliseconds, now: now,
        grace: shardConfiguration.graceMilliseconds)
      let found = row.milliseconds(until: Timestamp(milliseconds: now))
      let slack: Int64 = 300 + 60 * Int64(row.segments.count)
      if found < bounds.least - slack || found > bounds.most + slack {
        fail(
          "attendance",
          "\(row.user) in \(classroom.id) has \(found) ms, was there \(bounds.least) to \(bounds.most) ms: \(row.segments)"
        )
      }
    }
  }
}

extension String {
  /// The text with its first letter in upper case.
  fileprivate var capitalizedName: String { prefix(1).uppercased() + dropFirst() }
}
