import EventLoop
import JSON
import SignalingClient
import SignalingProtocol

/// A run: one thread, one poller, many attendees.
final class LoadRun {
  let plan: LoadPlan
  let address: SocketAddress
  let chatText: ChatText
  /// Nanoseconds between two messages, two signals, and two pings of one session.
  let chatInterval: Int64
  let signalInterval: Int64
  let probeInterval: Int64

  var sessions: [ClassSession] = []
  /// By the number of their transport.
  var people: [Attendee] = []
  var faults = Faults()
  var measurements = Measurements()
  /// How everybody came back; nil before the connections may be cut.
  var herd: HerdMeasurements?
  var workspace = ClientWorkspace(random: { .random(in: 0 ... .max) })
  var poller: Poller
  /// When the next message or signal is due, in nanoseconds of the monotonic clock.
  var nextTraffic: Int64 = .max
  private let timer: WakeTimer
  private static let timerToken = UInt64.max
  private static let inputToken = UInt64.max - 1
  private let readBuffer: UnsafeMutableRawBufferPointer
  private let sources: [SocketAddress]

  /// What the run is doing, for the progress line.
  private var part = "start"
  private let began = MonotonicClock.nanoseconds()
  private var nextProgress: Int64
  private var progress: ProgressLine

  /// Who is to connect next, and from when on.
  private var nextToConnect = Int.max
  private var nextConnect: Int64 = 0
  private var handshakes = 0
  /// When the clients are asked next for what is due.
  private var nextSweep: Int64 = 0
  private var herdInput = HerdInput()
  /// From here on a connection may end.
  private var isClosing = false

  private static let second: Int64 = 1_000_000_000

  init(_ plan: LoadPlan, address: SocketAddress) throws(SystemError) {
    self.plan = plan
    self.address = address
    chatText = ChatText(byteCount: plan.chatBytes)
    chatInterval = Self.interval(plan.chatRate)
    signalInterval = Self.interval(plan.signalRate)
    probeInterval = Self.interval(plan.probeRate)
    sources = SourceAddresses.all(for: address, connections: plan.sessions * (plan.attendees + 1))
    poller = try Poller()
    timer = try WakeTimer()
    readBuffer = .allocate(byteCount: 256 * 1024, alignment: 16)
    nextProgress = began + Self.second
    progress = ProgressLine()
    try poller.add(timer.rawValue, .readable, token: Self.timerToken)
  }

  deinit { readBuffer.deallocate() }

  private static func interval(_ rate: Double) -> Int64 { rate > 0 ? max(1, Int64(1e9 / rate)) : .max }

  // MARK: The parts of a run

  /// Does everything and tells what came of it.
  func run() throws(LoadRunFailure) -> LoadReport {
    let setup = SessionSetup(plan: plan, client: HTTPClient(target: plan.target, address: address))
    sessions = try setup.makeSessions()
    for session in sessions { people.append(session.people[0]) }
    for place in 1..<(plan.attendees + 1) { for session in sessions { people.append(session.people[place]) } }

    try connectHosts()
    try ramp()
    try steady()
    if plan.awaitsHerd { try comeBack() }
    endTraffic()
    settle()
    checkPresence()
    checkAttendance(setup)
    try endSessions()
    checkStreams()
    try closeConnections()
    return LoadReport(plan: plan, sessions: sessions, measurements: measurements, herd: herd, faults: faults)
  }

  /// The hosts come, wait, and start their sessions.
  private func connectHosts() throws(LoadRunFailure) {
    part = "hosts"
    nextToConnect = 0
    try pump(graceWithoutProgress: { self.measurements.present }) {
      self.measurements.present + self.measurements.gone >= self.sessions.count
    }
    guard measurements.present == sessions.count else {
      let reasons = faults.examples.map { "\n  " + $0 }.joined()
      throw LoadRunFailure(
        sentence: "\(sessions.count - measurements.present) hosts could not start their sessions\(reasons)")
    }
  }

  private func ramp() throws(LoadRunFailure) {
    part = "joining"
    measurements.beforeRamp = checkpoint()
    measurements.firstConnect = now()
    measurements.join = LatencyHistogram()
    nextConnect = now()
    isRamping = true
    if !plan.isRampQuiet { beginTraffic(now: now()) }
    try pump(graceWithoutProgress: { self.measurements.present + self.measurements.gone }) {
      self.measurements.present + self.measurements.gone >= self.people.count
    }
    nextToConnect = .max
    for attendee in people where !attendee.isPresent && !attendee.isGone {
      faults.note(.notJoined, "\(name(of: attendee)) is not in the session")
    }
    measurements.afterRamp = checkpoint()
  }

  private func steady() throws(LoadRunFailure) {
    part = "steady"
    let start = now()
    measurements.steadyBegan = start
    if plan.isRampQuiet { beginTraffic(now: start) }
    let end = start + Int64(plan.seconds * 1e9)
    try pump(until: end) { self.measurements.ended == self.people.count }
    measurements.afterSteady = checkpoint()
  }

  /// Somebody else cuts all connections; the clients come back by themselves.
  private func comeBack() throws(LoadRunFailure) {
    part = "herd"
    do throws(SystemError) {
      try poller.add(0, .readable, token: Self.inputToken)
    } catch {
      throw LoadRunFailure(sentence: "standard input cannot tell when the server is back: \(error)")
    }
    herd = HerdMeasurements()
    measurements.herdBegan = now()
    nextSweep = 0
    StandardStreams.say("herd: \(people.count) are in")
    try pump(until: now() + Int64(plan.herdSeconds * 1e9)) {
      self.herd?.ready != nil && self.people.allSatisfy { $0.returned != nil }
    }
    guard let ready = herd?.ready else { throw LoadRunFailure(sentence: "nobody told when the server was back") }
    for attendee in people {
      if let returned = attendee.returned {
        herd?.back.record(nanoseconds: max(0, returned - ready.time))
      } else {
        faults.note(.notJoined, "\(name(of: attendee)) did not come back")
      }
    }
    herd?.server = ProcessUsage(of: ready.process)
  }

  /// Waits for what is still on its way.
  private func settle() {
    part = "settling"
    var nextLook: Int64 = 0
    // A failure of the poller shows as what has not arrived.
    try? pump(until: now() + grace) {
      guard self.now() >= nextLook else { return false }
      nextLook = self.now() + 20_000_000
      return self.isSettled
    }
  }

  private var isSettled: Bool {
    sessions.allSatisfy { session in
      session.chat.unacknowledgedCount == 0 && session.signals.outstandingCount == 0
        && session.people.allSatisfy { !$0.isPresent || hasSeenAll($0) }
        && PresenceTruth.faults(in: session).isEmpty
    }
  }

  private func hasSeenAll(_ attendee: Attendee) -> Bool { attendee.position >= attendee.session.chat.lastSequence }

  private func checkPresence() {
    for session in sessions {
      for (attendee, fault) in PresenceTruth.faults(in: session) {
        faults.note(.presence, "\(name(of: attendee)) \(fault)")
      }
      SignalCheck.note(session, into: &faults)
    }
  }

  private func checkAttendance(_ setup: SessionSetup) {
    part = "attendance"
    for session in sessions {
      let witnesses = session.people.filter(\.isPresent).map { attendee in
        AttendanceWitness(
          user: attendee.client.user ?? "", joinSent: attendee.joinSent ?? 0, joined: attendee.joined ?? 0)
      }
      let departed = Set(session.people.filter { !$0.isPresent }.compactMap(\.client.user))
      let requested = MonotonicClock.milliseconds()
      let rows: [AttendanceRow]
      do throws(LoadRunFailure) {
        rows = try setup.attendance(of: session)
      } catch {
        faults.note(.attendance, error.sentence)
        continue
      }
      let received = MonotonicClock.milliseconds()
      for fault in AttendanceCheck.faults(
        in: rows, witnesses: witnesses, departed: departed, requested: requested, received: received)
      {
        faults.note(.attendance, "\(session.id): \(fault)")
      }
    }
  }

  /// The hosts end their sessions, and everybody hears of it.
  private func endSessions() throws(LoadRunFailure) {
    part = "ending"
    for session in sessions where session.people[0].isPresent {
      _ = session.people[0].client.end(key: nil, using: &workspace)
      flush(session.people[0], now: now())
    }
    try pump(until: now() + grace) {
      self.people.allSatisfy { !$0.isPresent && ($0.client.state != .reading || self.hasSeenAll($0)) }
    }
  }

  private func checkStreams() {
    for session in sessions {
      let chat = session.chat
      faults.note(
        .unanswered, count: UInt64(chat.unacknowledgedCount),
        "\(chat.unacknowledgedCount) messages of \(session.id) have no answer")
      for attendee in session.people where attendee.client.position != nil {
        let unseen = chat.lastSequence - min(chat.lastSequence, attendee.position)
        let lost = attendee.isGone ? 0 : attendee.missingEvents + unseen
        let name = name(of: attendee)
        faults.note(.lost, count: lost, "\(name) has not seen \(lost) of the events up to \(chat.lastSequence)")
        if attendee.isPresent { faults.note(.lost, "\(name) has not heard that the session is over") }
      }
    }
  }

  private func closeConnections() throws(LoadRunFailure) {
    part = "closing"
    isClosing = true
    for attendee in people where !attendee.isGone {
      attendee.client.close(at: milliseconds(now()), using: &workspace)
      flush(attendee, now: now())
    }
    try pump(until: now() + grace) { self.people.allSatisfy { $0.transport.phase == .closed } }
    for attendee in people where attendee.transport.phase != .closed {
      faults.note(.uncleanClose, "\(name(of: attendee)) got no answer to its Close")
      attendee.transport.close()
    }
  }

  // MARK: The loop

  private var isRamping = false

  func now() -> Int64 { MonotonicClock.nanoseconds() }

  /// The clients' time.
  private func milliseconds(_ nanoseconds: Int64) -> Int64 { nanoseconds / 1_000_000 }

  private var grace: Int64 { Int64(plan.graceSeconds * 1e9) }

  /// Runs the loop until `isDone`, or until nothing has moved `measure` for the grace period.
  private func pump(graceWithoutProgress measure: () -> Int, isDone: () -> Bool) throws(LoadRunFailure) {
    var last = measure()
    var deadline = now() + grace
    while !isDone(), now() < deadline {
      try step(until: deadline)
      let current = measure()
      // With a slow ramp it is the plan that makes people wait.
      if current != last || nextConnect > now() {
        last = current
        deadline = max(deadline, now() + grace)
      }
    }
  }

  private func pump(until deadline: Int64, isDone: () -> Bool) throws(LoadRunFailure) {
    while !isDone(), now() < deadline { try step(until: deadline) }
  }

  /// One turn: what is due, then what comes in.
  private func step(until deadline: Int64) throws(LoadRunFailure) {
    let time = now()
    connectMore(now: time)
    sendDueTraffic(now: time)
    if time >= nextSweep { sweep(now: time) }
    if time >= nextProgress { tellProgress(now: time) }
    do throws(SystemError) {
      var wake = min(deadline, nextProgress, nextTraffic, nextSweep)
      if nextToConnect < people.count, handshakes < plan.handshakesInFlight { wake = min(wake, nextConnect) }
      try timer.set(wake)
      try poller.wait(timeoutMilliseconds: 1000)
    } catch {
      throw LoadRunFailure(sentence: "the loop cannot go on: \(error)")
    }
    for index in 0..<poller.eventCount {
      let event = poller.event(at: index)
      if event.token == Self.timerToken { continue }
      if event.token == Self.inputToken {
        try readInput()
        continue
      }
      serve(people[ClientTransport.number(of: event.token)], event)
      // A long turn must not make late what is due meanwhile.
      if nextTraffic < .max { sendDueTraffic(now: now()) }
    }
  }

  private func readInput() throws(LoadRunFailure) {
    let (ready, isOpen) = herdInput.read()
    if let ready { herd?.ready = ready }
    guard !isOpen else { return }
    do throws(SystemError) {
      try poller.remove(0)
    } catch {
      throw LoadRunFailure(sentence: "the loop cannot go on: \(error)")
    }
  }

  private func serve(_ attendee: Attendee, _ event: Readiness) {
    guard attendee.transport.isCurrent(event.token) else { return }
    let time = now()
    do throws(ClientTransport.End) {
      if event.isWritable || attendee.transport.phase == .connecting {
        if try attendee.transport.becomeWritable(poller: poller) {
          attendee.client.transportConnected(at: milliseconds(time), using: &workspace)
        }
      }
      if event.isReadable || event.isHungUp || event.hasError {
        let count = try attendee.transport.receive(into: readBuffer)
        let input = UnsafeMutableRawBufferPointer(rebasing: readBuffer[..<count])
        var consumed = 0
        while let event = attendee.client.next(
          input, consumed: &consumed, at: milliseconds(time), using: &workspace)
        {
          handle(event, of: attendee, now: time)
        }
      }
    } catch {
      attendee.client.transportEnded(at: milliseconds(time), using: &workspace)
    }
    flush(attendee, now: time)
  }

  /// Sends what a client has to say, and does what happened to it without input.
  func flush(_ attendee: Attendee, now: Int64) {
    if attendee.client.hasOutput {
      do throws(ClientTransport.End) {
        try attendee.transport.send(attendee.client.takeOutput(), poller: poller)
      } catch {
        attendee.client.transportEnded(at: milliseconds(now), using: &workspace)
      }
    }
    while let event = attendee.client.nextEvent() { handle(event, of: attendee, now: now) }
    if attendee.client.state == .disconnected, attendee.transport.phase != .closed { attendee.transport.close() }
  }

  /// Connects as many as the plan allows: the hosts alone first, everybody else when the ramp has begun.
  private func connectMore(now: Int64) {
    let limit = isRamping ? people.count : sessions.count
    while nextToConnect < limit, handshakes < plan.handshakesInFlight, nextConnect <= now {
      let attendee = people[nextToConnect]
      nextToConnect += 1
      if isRamping, let rate = plan.joinRate { nextConnect += Int64(1e9 / rate) }
      handshakes += 1
      connect(attendee, now: now)
    }
  }

  private func connect(_ attendee: Attendee, now: Int64) {
    attendee.connectStarted = now
    attendee.client.connect(at: milliseconds(now))
    do throws(ClientTransport.End) {
      let source = sources.isEmpty ? nil : sources[attendee.place % sources.count]
      try attendee.transport.connect(to: address, from: source, poller: poller)
    } catch {
      attendee.client.transportEnded(at: milliseconds(now), using: &workspace)
      flush(attendee, now: now)
    }
  }

  /// Asks the clients what is due.
  private func sweep(now: Int64) {
    nextSweep = now + (herd == nil ? Self.second : Self.second / 100)
    let time = milliseconds(now)
    for attendee in people {
      if let attempt = attendee.client.nextAttempt {
        if attempt <= time { connect(attendee, now: now) }
      } else if let deadline = attendee.client.deadline, deadline <= time {
        attendee.client.advance(to: time, using: &workspace)
        flush(attendee, now: now)
      }
    }
  }

  // MARK: Coming and going

  func didJoin(_ attendee: Attendee, _ event: JoinedEvent, now: Int64) {
    if event.place == .waiting {
      if attendee.isHost { _ = attendee.client.start(key: nil, using: &workspace) }
      return
    }
    guard event.place == .present else { return }
    attendee.session.chat.note(event.position)
    if let peer = attendee.client.peer { attendee.session.places[peer] = attendee.place }
    if attendee.wasCut {
      guard attendee.returned == nil else { return }
      attendee.returned = now
      herd?.returned += 1
      herd?.attempt.record(nanoseconds: now - attendee.connectStarted)
      let most = max(herd?.mostAttempts ?? 0, attendee.failedAttempts + 1)
      herd?.mostAttempts = most
      if event.isRecovered { herd?.recovered += 1 }
      if let reason = event.notRecovered { herd?.notRecovered[reason, default: 0] += 1 }
      return
    }
    attendee.joined = milliseconds(now)
    handshakes -= 1
    measurements.present += 1
    measurements.join.record(nanoseconds: now - attendee.connectStarted)
    measurements.lastJoin = now
  }

  func didEnd(_ attendee: Attendee, _ end: Disconnection) {
    if herd != nil, end.nextAttempt != nil {
      noteCut(attendee)
      return
    }
    guard !attendee.isGone else { return }
    attendee.isGone = true
    if attendee.joined == nil {
      handshakes -= 1
      measurements.gone += 1
    }
    measurements.ended += 1
    if isClosing, end.isOwnWish, case .closed = end.cause { return }
    faults.note(isClosing ? .uncleanClose : .dropped, "\(name(of: attendee)): \(sentence(for: end, attendee))")
  }

  private func noteCut(_ attendee: Attendee) {
    if attendee.wasCut {
      attendee.failedAttempts += 1
      herd?.failedAttempts += 1
    } else {
      attendee.wasCut = true
      herd?.cut += 1
      if herd?.firstCut == nil { herd?.firstCut = now() }
    }
  }

  private func sentence(for end: Disconnection, _ attendee: Attendee) -> String {
    switch end.cause {
    case .transport: attendee.transport.lastEnd?.description ?? "closed here"
    case .handshake(let failure): "handshake failed: \(failure)"
    case .closed(let code):
      code.map { "closed by the server with \($0.rawValue)" } ?? "closed by the server without a code"
    case .brokenFraming(let failure): "the server broke RFC 6455: \(failure.reason)"
    case .binaryMessage: "the server sent a binary message"
    case .timeout: "nothing came in time"
    }
  }

  // MARK: Telling

  func name(of attendee: Attendee) -> String {
    "\(attendee.session.id)/\(attendee.client.user ?? "attendee \(attendee.place)")"
  }

  /// Tells of a broken order at once, the first times.
  func tell(_ sentence: String) {
    guard toldCount < 10 else { return }
    toldCount += 1
    StandardStreams.tell(sentence)
  }

  private func checkpoint() -> Checkpoint {
    Checkpoint(
      time: now(), delivered: measurements.delivered, server: plan.serverProcess.flatMap(ProcessUsage.init(of:)))
  }

  private func tellProgress(now: Int64) {
    nextProgress = max(nextProgress + Self.second, now)
    StandardStreams.tell(
      progress.text(
        at: checkpoint(), began: began, part: part, people: people.count, sessions: sessions,
        measurements: measurements))
  }

  private var toldCount = 0
}
