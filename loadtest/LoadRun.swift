import EventLoop
import JSON
import SignalingProtocol

/// A run: one thread, one poller, many attendees.
final class LoadRun {
  let plan: LoadPlan
  let address: SocketAddress
  let chatText: ChatText
  /// Nanoseconds between two messages, and two signals, of one session.
  let chatInterval: Int64
  let signalInterval: Int64

  var sessions: [ClassSession] = []
  /// By the token of their socket.
  var people: [Attendee] = []
  var faults = Faults()
  var measurements = Measurements()
  var reader = JSONReader()
  var poller: Poller
  private let timer: WakeTimer
  private static let timerToken = UInt64.max
  private let readBuffer: UnsafeMutableRawBufferPointer

  /// What the run is doing, for the progress line.
  private var part = "start"
  private let began = MonotonicClock.nanoseconds()
  private var nextProgress: Int64
  private var progress: ProgressLine

  /// Who is to connect next, and from when on.
  private var nextToConnect = Int.max
  private var nextConnect: Int64 = 0
  private var handshakes = 0
  /// From here on a connection may end.
  private var isClosing = false

  private static let second: Int64 = 1_000_000_000

  init(_ plan: LoadPlan, address: SocketAddress) throws(SystemError) {
    self.plan = plan
    self.address = address
    chatText = ChatText(byteCount: plan.chatBytes)
    chatInterval = Self.interval(plan.chatRate)
    signalInterval = Self.interval(plan.signalRate)
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
    settle()
    checkPresence()
    checkAttendance(setup)
    try endSessions()
    checkStreams()
    try closeConnections()
    return LoadReport(plan: plan, sessions: sessions, measurements: measurements, faults: faults)
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
    for attendee in people where attendee.state == .idle || attendee.state == .joining || attendee.state == .waiting {
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
    endTraffic()
    measurements.afterSteady = checkpoint()
  }

  /// Waits for what is still on its way.
  private func settle() {
    part = "settling"
    // A failure of the poller shows as what has not arrived.
    try? pump(until: now() + grace) { self.isSettled }
  }

  private var isSettled: Bool {
    sessions.allSatisfy { session in
      session.chat.unacknowledgedCount == 0 && session.signals.outstandingCount == 0
        && session.people.allSatisfy { $0.state != .present || hasSeenAll($0) }
        && PresenceTruth.faults(in: session).isEmpty
    }
  }

  private func hasSeenAll(_ attendee: Attendee) -> Bool {
    (attendee.stream?.last ?? 0) >= attendee.session.chat.lastSequence
  }

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
      let witnesses = session.people.filter { $0.state == .present }.map { attendee in
        AttendanceWitness(
          user: attendee.user ?? "", joinSent: attendee.joinSent / 1_000_000, joined: attendee.joined / 1_000_000)
      }
      let departed = Set(session.people.filter { $0.state != .present }.compactMap(\.user))
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
    for session in sessions where session.people[0].state == .present {
      send(ClientMessages.end(), from: session.people[0])
    }
    try pump(until: now() + grace) {
      self.people.allSatisfy { $0.state != .present && ($0.state != .reading || self.hasSeenAll($0)) }
    }
  }

  private func checkStreams() {
    for session in sessions {
      let chat = session.chat
      faults.note(
        .unanswered, count: UInt64(chat.unacknowledgedCount),
        "\(chat.unacknowledgedCount) messages of \(session.id) have no answer")
      for attendee in session.people {
        guard let stream = attendee.stream else { continue }
        let lost = attendee.state == .gone ? 0 : stream.lost(through: chat.lastSequence)
        let name = name(of: attendee)
        faults.note(.lost, count: lost, "\(name) has not seen \(lost) of the events up to \(chat.lastSequence)")
        faults.note(.duplicated, count: UInt64(stream.duplicates), "\(name) has seen \(stream.duplicates) events twice")
        faults.note(.reordered, count: UInt64(stream.reordered), "\(name) has seen \(stream.reordered) events too late")
        if attendee.state == .present { faults.note(.lost, "\(name) has not heard that the session is over") }
      }
    }
  }

  private func closeConnections() throws(LoadRunFailure) {
    part = "closing"
    isClosing = true
    for attendee in people where attendee.state != .gone {
      if let end = attendee.socket.close(poller: poller) { didEnd(attendee, end) }
    }
    try pump(until: now() + grace) { self.people.allSatisfy { $0.socket.phase != .open } }
    for attendee in people where attendee.socket.phase == .open {
      faults.note(.uncleanClose, "\(name(of: attendee)) got no answer to its Close")
    }
    for attendee in people { attendee.socket.abandon() }
  }

  // MARK: The loop

  private var isRamping = false

  private func now() -> Int64 { MonotonicClock.nanoseconds() }

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
    if time >= nextProgress { tellProgress(now: time) }
    do throws(SystemError) {
      var wake = min(deadline, nextProgress, nextTraffic)
      if nextToConnect < people.count, handshakes < plan.handshakesInFlight { wake = min(wake, nextConnect) }
      try timer.set(wake)
      try poller.wait(timeoutMilliseconds: 1000)
    } catch {
      throw LoadRunFailure(sentence: "the loop cannot go on: \(error)")
    }
    var due = nextTraffic
    for index in 0..<poller.eventCount {
      let event = poller.event(at: index)
      if event.token == Self.timerToken { continue }
      serve(people[Int(event.token)], event)
      // A long turn must not make late what is due meanwhile.
      let time = now()
      if time >= due {
        sendDueTraffic(now: time)
        due = nextTraffic
      }
    }
  }

  private func serve(_ attendee: Attendee, _ event: Readiness) {
    if event.isWritable || attendee.socket.phase == .connecting {
      if let end = attendee.socket.becomeWritable(poller: poller) { return didEnd(attendee, end) }
    }
    guard event.isReadable || event.isHungUp || event.hasError else { return }
    let end = attendee.socket.receive(into: readBuffer, poller: poller) { incoming in
      switch incoming {
      case .opened: self.greet(attendee, now: self.now())
      case .text(let text): self.take(text, for: attendee, now: self.now())
      }
    }
    if let end { didEnd(attendee, end) }
  }

  /// Connects as many as the plan allows: the hosts alone first, everybody else when the ramp has begun.
  private func connectMore(now: Int64) {
    let limit = isRamping ? people.count : sessions.count
    while nextToConnect < limit, handshakes < plan.handshakesInFlight, nextConnect <= now {
      let attendee = people[nextToConnect]
      nextToConnect += 1
      if isRamping, let rate = plan.joinRate { nextConnect += Int64(1e9 / rate) }
      attendee.connectStarted = now
      attendee.state = .joining
      handshakes += 1
      if let end = attendee.socket.connect(to: address, target: plan.target, poller: poller) { didEnd(attendee, end) }
    }
  }

  func didJoin(_ attendee: Attendee, now: Int64) {
    handshakes -= 1
    measurements.present += 1
    measurements.join.record(nanoseconds: now - attendee.connectStarted)
    measurements.lastJoin = now
  }

  func didEnd(_ attendee: Attendee, _ end: ConnectionEnd) {
    guard attendee.state != .gone else { return }
    if attendee.state == .joining || attendee.state == .waiting {
      handshakes -= 1
      measurements.gone += 1
    }
    attendee.state = .gone
    measurements.ended += 1
    if isClosing, attendee.socket.isClosing, case .closed = end { return }
    faults.note(isClosing ? .uncleanClose : .dropped, "\(name(of: attendee)): \(end)")
  }

  // MARK: Telling

  func name(of attendee: Attendee) -> String { "\(attendee.session.id)/\(attendee.user ?? "guest \(attendee.place)")" }

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
