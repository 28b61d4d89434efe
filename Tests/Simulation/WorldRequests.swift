import Classroom
import RoomShard

// What is asked of the server from outside a class, and what the checks learn from the answers.
extension World {
  func question(
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
    scheduler.after(network.int64(200...20_000)) { [unowned self] in
      server?.ask(request, session: session, identity: identity, number: number)
    }
  }

  func answered(_ number: UInt64, with result: Result<RoomAnswer, Refusal>) {
    guard let answer = questions.removeValue(forKey: number) else {
      return fail("answers", "a request was answered twice")
    }
    scheduler.after(network.int64(200...20_000)) { answer(result) }
  }

  func saw(_ result: Result<RoomAnswer, Refusal>, session: String, least: Int64) {
    guard case .success(let answer) = result else { return }
    switch answer {
    case .session(let view, _): saw(view, least: least)
    case .started(let change, let id, _), .ended(let change, let id):
      if id != session { fail("sessions", "an answer about \(id), asked about \(session)") }
      saw(change, session: session)
    case .performed(_, let view, _): saw(view, least: least)
    case .registrations(_, let id): if id != session { fail("sessions", "the list of \(id), asked for \(session)") }
    case .joined(let id, _, _): if id != session { fail("sessions", "joined \(id), asked for \(session)") }
    case .attendance(let report):
      saw(report.view, least: least)
      history.sawAttendance(report.people, session: session)
    case .participants(let page):
      if Set(page.participants.map(\.user)).count != page.participants.count {
        fail("presence", "somebody is here twice")
      }
    case .chat(let page):
      let numbers = page.messages.map(\.streamSequence)
      if numbers != Set(numbers).sorted() { fail("chat", "a transcript of \(session) is out of order") }
    case .checkInCode(let id): if id != session { fail("sessions", "a code of \(id), asked for \(session)") }
    }
  }

  func saw(_ view: SessionView, least: Int64) {
    if Int64(view.revision) < least {
      fail("order", "\(view.details.id) was shown at revision \(least) and then at \(view.revision)")
    }
    history.sawCreation(of: view.details.id)
    saw(
      StatusChange(
        status: view.status, revision: view.revision, startedAt: view.startedAt, endedAt: view.endedAt),
      session: view.details.id)
  }

  func saw(_ change: StatusChange, session: String) {
    history.saw(
      History.StatusFact(
        status: change.status.rawValue, startedAt: change.startedAt?.milliseconds, endedAt: change.endedAt?.milliseconds
      ), revision: Int64(change.revision), session: session)
  }

  func person(_ label: String) -> Person? { people.first { $0.label == label } }

  func create(_ session: String, index: Int) {
    var draft = SessionDraft(title: session)
    draft.id = session
    draft.admission = index == 1 ? .approval : .open
    draft.allowsGuests = true
    if index == 2 || randomness.chance(0.2) { draft.capacity = max(2, scenario.peoplePerSession / 2) }
    if index == 1 { draft.visibility = .members }
    if index == 0, randomness.chance(0.25) { draft.hasWaitingRoom = true }
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

  func begin(_ session: String) {
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

  func finish(_ session: String) {
    question(.end(key: nil), session: session, identity: person("host-\(session)")?.identity) { _ in }
  }

  /// Somebody asks from outside now and then.
  func ask(_ session: String) {
    scheduler.after(behaviour.duration(mean: scenario.pace * 3) * 1000) { [unowned self] in
      guard !isCalm else { return }
      let someone = behaviour.pick(people)
      switch behaviour.int(0...9) {
      case 0..<3: question(.read, session: session, identity: behaviour.chance(0.3) ? nil : someone?.identity) { _ in }
      case 3..<5:
        question(.attendance, session: session, identity: person("host-\(session)")?.identity) { _ in }
      case 5: question(reading(of: session), session: session, identity: someone?.identity) { _ in }
      case 6..<8:
        if let someone, let identity = someone.identity, someone.session == session {
          switch behaviour.int(0...9) {
          case 0..<7: joinFromOutside(someone, identity)
          case 7: leaveFromOutside(someone, identity)
          default: sayFromOutside(someone, identity)
          }
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

  /// Something that is read, or noted as read, over HTTP only.
  private func reading(of session: String) -> RoomRequest {
    switch behaviour.int(0...2) {
    case 0: .participants(after: nil, limit: 3)
    case 1: .chat(before: nil, limit: 5)
    default: .readNotices(server?.catalog[session]?.notices.list.map(\.number) ?? [1])
    }
  }

  /// What was refused did not happen, unless the disk may know it all the same.
  func refused(_ span: AttendanceModel.Span, _ refusal: Refusal) {
    if refusal == .storageUnavailable(isCertain: false) {
      span.connection.lostAt = serverNow + 90_000
    } else {
      attendance.remove(span)
    }
  }

  /// Somebody who comes in without a socket is there from some time between the question and the answer, for the grace.
  func spanFromOutside(of user: String, _ session: String) -> AttendanceModel.Span {
    let connection = AttendanceModel.Connection()
    connection.isWithoutSocket = true
    connection.lastHeard = serverNow
    connection.lostAt = serverNow + 30_000
    let span = AttendanceModel.Span(user: user, session: session, asked: serverNow, connection: connection)
    span.end = .lost(connection, leaving: nil)
    attendance.add(span)
    return span
  }

  func joinFromOutside(_ person: Person, _ identity: Identity) {
    let span = spanFromOutside(of: person.user, person.session)
    if !person.isVisible { attendance.remove(span) }
    question(.join, session: person.session, identity: identity) { [unowned self] result in
      if case .failure(let refusal) = result { return refused(span, refusal) }
      span.connection.lostAt = serverNow
      guard let server, !isCalm, behaviour.chance(0.5) else { return }
      let tab = tabs.first { $0.person === person && $0.machine == nil && $0.phase == .offline && !$0.isGone }
      var identity = identity
      identity.expiresAt = Timestamp(milliseconds: serverNow + scenario.tokenLifetime)
      tab?.connect(ticket: server.issueTicket(identity))
    }
  }

  /// Somebody leaves over HTTP, with every tab.
  private func leaveFromOutside(_ person: Person, _ identity: Identity) {
    let expulsion = willExpel(person.user, from: person.session, isOwnWish: true)
    question(.leave, session: person.session, identity: identity) { [unowned self] result in
      switch result {
      case .success:
        // Who came in between question and answer has lost the address since.
        disturb()
        expulsion.answered = serverNow
      case .failure(.storageUnavailable(isCertain: false)): break
      case .failure: expulsion.answered = .min
      }
    }
  }

  /// Somebody says over HTTP to be there, perhaps one whose connection is lost.
  private func sayFromOutside(_ person: Person, _ identity: Identity) {
    let span = spanFromOutside(of: person.user, person.session)
    if !person.isVisible { attendance.remove(span) }
    question(.heartbeat, session: person.session, identity: identity) { [unowned self] result in
      if case .failure(let refusal) = result { return refused(span, refusal) }
      span.connection.lostAt = serverNow
    }
  }

  func readList() {
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

  /// What was taken in for somebody who was there, or came back in time, has arrived.
  func checkSignals(of tab: Tab) {
    guard let peer = tab.view.peer, tab.view.state == .present else { return }
    for signal in acceptedSignals[peer] ?? [] where signal.sentAt > tab.view.signalsSince {
      if !tab.view.receivedSignals.contains(signal.number) {
        fail("signals", "\(tab.name) never got the signal \(signal.number) that was accepted for \(peer)")
      }
    }
  }
}
