import EventLoop
import SignalingClient

// The parts of a run, one after the other.
extension LoadRun {
  /// Does everything and tells what came of it.
  func run() throws(LoadRunFailure) -> LoadReport {
    let setup = SessionSetup(
      plan: plan, client: HTTPClient(target: plan.target, address: address, security: plan.security))
    sessions = try setup.makeSessions()
    for session in sessions { people.append(session.host) }
    for place in 1..<(plan.attendees + 1) { for session in sessions { people.append(session.people[place]) } }

    try connectHosts()
    switch plan.scenario {
    case .classroom: try holdClass()
    case .churn:
      noteFilesBefore()
      try ramp()
      try churn()
    case .mix, .fanout, .storm, .relay, .idle, .slowReaders, .herd:
      try ramp()
      try steady()
    }
    switch plan.herd {
    case .none: break
    case .ours, .outside: try comeBack()
    }
    endTraffic()
    settle()
    checkPresence()
    checkAttendance(setup)
    try endSessions()
    checkStreams()
    checkFinalAttendance(setup)
    takeSample(now: now())
    try closeConnections()
    endProgress()
    return LoadReport(of: self)
  }

  /// The hosts come and wait; but for a class they start their sessions.
  private func connectHosts() throws(LoadRunFailure) {
    part = "hosts"
    nextToConnect = 0
    func arrived() -> Int {
      sessions.count { $0.host.isPresent || plan.scenario == .classroom && $0.host.client.state == .waiting }
    }
    try pump(graceWithoutProgress: arrived) { arrived() + self.measurements.gone >= self.sessions.count }
    let missing = sessions.count - arrived()
    guard missing == 0 else {
      let reasons = faults.examples.map { "\n  " + $0 }.joined()
      throw LoadRunFailure(sentence: "\(missing) hosts could not start their sessions\(reasons)")
    }
    nextToConnect = .max
  }

  private func beginMeasuring() {
    measurements.beforeRamp = checkpoint()
    measurements.firstConnect = now()
    measurements.join = LatencyHistogram()
    measurements.joins = 0
  }

  private func ramp() throws(LoadRunFailure) {
    part = "joining"
    beginMeasuring()
    nextToConnect = sessions.count
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
    timeline.mark("everybody is in", at: now())
  }

  private func steady() throws(LoadRunFailure) {
    part = "steady"
    let start = now()
    measurements.steadyBegan = start
    if plan.isRampQuiet { beginTraffic(now: start) }
    if !plan.faults.isEmpty {
      for (index, session) in sessions.enumerated() {
        let steps = Choreography.faults(
          plan.faults, attendees: plan.attendees, seconds: plan.seconds, using: &random)
        note(steps, for: session, from: start, isMarked: index == 0)
      }
    }
    let end = start + Int64(plan.seconds * 1e9)
    try pump(until: end) { self.measurements.ended == self.people.count }
    measurements.afterSteady = checkpoint()
  }

  private func holdClass() throws(LoadRunFailure) {
    part = "class"
    beginMeasuring()
    let start = now()
    measurements.steadyBegan = start
    measurements.afterRamp = measurements.beforeRamp
    for (index, session) in sessions.enumerated() {
      let steps = Choreography.classroom(
        attendees: plan.attendees, seconds: plan.seconds, graceSeconds: plan.resumeSeconds, using: &random)
      note(steps, for: session, from: start, isMarked: index == 0)
    }
    beginTraffic(now: start + Int64(plan.seconds * 0.1e9))
    try pump(until: start + Int64(plan.seconds * 1e9)) { false }
    measurements.afterSteady = checkpoint()
  }

  private func churn() throws(LoadRunFailure) {
    part = "churn"
    let start = now()
    measurements.steadyBegan = start
    for (index, session) in sessions.enumerated() {
      let steps = Choreography.churn(
        attendees: plan.attendees, seconds: plan.seconds, rate: plan.churnRate / Double(sessions.count),
        using: &random)
      note(steps, for: session, from: start, isMarked: index == 0)
    }
    try pump(until: start + Int64(plan.seconds * 1e9)) { false }
    measurements.afterSteady = checkpoint()
    part = "leaving"
    timeline.mark("everybody leaves", at: now())
    endTraffic()
    // Everybody comes back first, so that what was said is answered.
    settle()
    for attendee in people where !attendee.isHost && attendee.expectation != .away {
      agenda.note(.leave, by: Int(attendee.number), at: now())
    }
    try pump(until: now() + grace) { self.people.allSatisfy { $0.isHost || $0.isGone || $0.expectation == .away } }
    for attendee in people where !attendee.isHost && !attendee.isGone && attendee.expectation != .away {
      faults.note(.notJoined, "\(name(of: attendee)) could not leave")
    }
    try checkFilesAfter()
  }

  private func noteFilesBefore() {
    if let count = plan.serverProcess.flatMap(ProcessUsage.openFiles(of:)) { measurements.openFiles = (count, count) }
  }

  /// With nobody there but the hosts, as before, the server has as many files open as before.
  private func checkFilesAfter() throws(LoadRunFailure) {
    guard let process = plan.serverProcess, let before = measurements.openFiles?.before else { return }
    // A segment of the journal and a snapshot may be open meanwhile.
    let allowed = before + 4
    var last = ProcessUsage.openFiles(of: process) ?? 0
    try pump(until: now() + grace) {
      last = ProcessUsage.openFiles(of: process) ?? 0
      return last <= allowed
    }
    measurements.openFiles = (before, last)
    faults.note(.leaked, count: UInt64(max(0, last - allowed)), "the server had \(before) files open, and has \(last)")
  }

  /// All connections break; the clients come back by themselves.
  private func comeBack() throws(LoadRunFailure) {
    part = "herd"
    var isOurs = false
    if case .ours = plan.herd { isOurs = true }
    if !isOurs {
      do throws(SystemError) {
        try poller.add(0, .readable, token: Self.inputToken)
      } catch {
        throw LoadRunFailure(sentence: "standard input cannot tell when the server is back: \(error)")
      }
    }
    herd = HerdMeasurements()
    measurements.herdBegan = now()
    nextSweep = 0
    if isOurs {
      timeline.mark("all connections break", at: now())
      herd?.ready = (now(), plan.serverProcess ?? 0)
      perform(.loseEverybody, by: people[0], due: now(), now: now())
    } else {
      StandardStreams.say("herd: \(people.count) are in")
    }
    try pump(until: now() + Int64(plan.herdSeconds * 1e9)) {
      self.herd?.ready != nil && self.people.allSatisfy { $0.returned != nil }
    }
    guard let ready = herd?.ready else { throw LoadRunFailure(sentence: "nobody told when the server was back") }
    if !isOurs { timeline.mark("the server is back", at: ready.time) }
    timeline.mark("everybody is back", at: now())
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
      nextLook = self.now() + 50_000_000
      return self.isSettled
    }
    for attendee in people where attendee.expectation == .lost && !attendee.isGone {
      faults.note(.notJoined, "\(name(of: attendee)) did not come back")
    }
  }

  private var isSettled: Bool {
    people.allSatisfy { $0.isGone || $0.expectation == .away || $0.expectation == .here && $0.isPresent }
      && sessions.allSatisfy { session in
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

  // MARK: Attendance

  private func checkAttendance(_ setup: SessionSetup) {
    part = "attendance"
    for session in sessions { compareAttendance(of: session, setup) }
  }

  /// After the end everything is closed, and nothing of it may change any more.
  private func checkFinalAttendance(_ setup: SessionSetup) {
    part = "attendance"
    for session in sessions {
      guard let asked = session.endAsked, let answered = session.endAnswered else { continue }
      session.attendance.end(asked: asked, answered: answered)
      compareAttendance(of: session, setup)
    }
  }

  private func compareAttendance(of session: ClassSession, _ setup: SessionSetup) {
    let requested = MonotonicClock.milliseconds()
    var rows: [AttendanceRow]
    do throws(LoadRunFailure) {
      rows = try setup.attendance(of: session)
    } catch {
      faults.note(.attendance, error.sentence)
      return
    }
    if plan.sabotage == .attendance { rows = Saboteur.falsify(rows) }
    let check = AttendanceCheck(
      of: rows, against: session.attendance, requested: requested, received: MonotonicClock.milliseconds())
    measurements.attendanceRows += check.checked
    measurements.attendanceWorstError = max(measurements.attendanceWorstError, check.worstError)
    measurements.attendanceWidestBounds = max(measurements.attendanceWidestBounds, check.widestBounds)
    for fault in check.faults { faults.note(.attendance, "\(session.id): \(fault)") }
  }

  // MARK: The end

  /// The hosts end their sessions, and everybody hears of it.
  private func endSessions() throws(LoadRunFailure) {
    part = "ending"
    timeline.mark("the end", at: now())
    agenda.removeAll()
    for session in sessions where session.host.isPresent {
      session.endAsked = milliseconds(now())
      _ = session.host.client.end(key: "load-end", using: &workspace)
      flush(session.host, now: now())
    }
    try pump(until: now() + grace) {
      self.people.allSatisfy { !$0.isPresent && ($0.client.state != .reading || self.hasSeenAll($0)) }
        && self.sessions.allSatisfy { $0.endAsked == nil || $0.endAnswered != nil }
    }
  }

  private func checkStreams() {
    for session in sessions {
      let chat = session.chat
      faults.note(
        .unanswered, count: UInt64(chat.unacknowledgedCount),
        "\(chat.unacknowledgedCount) messages of \(session.id) have no answer")
      for attendee in session.people {
        var lost = attendee.missingEvents
        if attendee.client.position != nil, !attendee.isGone, attendee.expectation == .here {
          lost += chat.lastSequence - min(chat.lastSequence, attendee.position)
        }
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
    abandoned.removeAll()
  }
}
