import Classroom
import RoomShard

/// What is known of a session that somebody asked a host for: what anybody was answered about it.
struct BookingFacts {
  /// By revision.
  var statuses: [Int: SessionStatus] = [:]
  var highestRevision = 0
  /// Whether somebody was answered that it is deleted.
  var isDeleted = false
  /// Whether a deletion was asked for, which may have been done without an answer.
  var mayBeDeleted = false
}

// Sessions that are asked for, moved, called off and deleted over HTTP, without anybody in them: what was answered stays true.
extension World {
  private static let hosts = ["host-algebra", "host-biology"]
  private static let people = ["pat", "quinn", "remy"]

  func planBookings() {
    book(0)
    book(1)
  }

  /// One thing after another in a place of the timetable; a place whose session is deleted gets another session.
  private func book(_ place: Int) {
    scheduler.after(behaviour.duration(mean: max(scenario.pace, 1500)) * 1000) { [unowned self] in
      guard !isCalm else { return }
      let number = bookingNumbers[place] ?? 0
      let session = "booking-\(place)-\(number)"
      if bookings[session]?.isDeleted == true || behaviour.chance(0.01) {
        bookingNumbers[place] = number + 1
      } else {
        act(on: session)
      }
      book(place)
    }
  }

  private func identity(_ user: String, _ role: Role = .participant) -> Identity {
    Identity(
      user: user, name: user, role: role, session: nil, isGuest: false, expiresAt: Timestamp(milliseconds: .max))
  }

  private func someone() -> Identity {
    switch behaviour.int(0...9) {
    case 0..<5: identity(Self.hosts[behaviour.int(0...1)], .host)
    case 5..<9: identity(Self.people[behaviour.int(0...2)])
    default: identity("root", .admin)
    }
  }

  private func act(on session: String) {
    let who = someone()
    let key = behaviour.chance(0.5) ? "book-\(behaviour.int(0...30))" : nil
    guard bookings[session] != nil, behaviour.chance(0.95) else {
      bookings[session] = bookings[session] ?? BookingFacts()
      return propose(session, by: who)
    }
    if behaviour.chance(0.15) { return ask(.read, about: session, by: who) }
    if behaviour.chance(0.05) { return ask(.registrations, about: session, by: who) }
    let command = command()
    if command == .delete || command == .purge { bookings[session]?.mayBeDeleted = true }
    ask(.perform(command, key: key), about: session, by: who)
  }

  private func propose(_ session: String, by who: Identity) {
    var draft = SessionDraft(title: session)
    draft.host = behaviour.chance(0.8) ? Self.hosts[behaviour.int(0...1)] : nil
    draft.scheduledAt = Timestamp(milliseconds: serverNow + behaviour.int64(60_000...90_000))
    draft.reminders = [1]
    draft.admission = behaviour.pick(SessionDetails.Admission.allCases) ?? .open
    draft.invited = behaviour.chance(0.5) ? [Roster.Invitation(user: "pat", name: "Pat")] : []
    let request = RoomRequest.create(
      draft, id: session, roomName: "room-\(session)", epoch: "e-\(session)", key: nil)
    ask(request, about: session, by: who)
  }

  private func command() -> Command {
    let later = ScheduleChange(
      start: .instant(Timestamp(milliseconds: serverNow + behaviour.int64(60_000...3_600_000))))
    let user = Self.people[behaviour.int(0...2)]
    var patch = SessionPatch()
    patch.title = "Title \(behaviour.int(0...9))"
    if behaviour.chance(0.2) { patch.durationMinutes = behaviour.int(1...90) }
    switch behaviour.int(0...29) {
    case 0..<4: return .approve
    case 4: return .decline(reason: "No")
    case 5: return .withdraw(reason: nil)
    case 6..<9: return .reschedule(later, reason: "Later")
    case 9: return .cancel(reason: nil)
    case 10..<13: return .update(patch)
    case 13: return .announce(text: nil)
    case 14: return .delete
    case 15: return behaviour.chance(0.5) ? .purge : .delete
    case 16..<19: return .register
    case 19: return .unregister
    case 20..<22: return .invite([Roster.Invitation(user: user, name: user)])
    case 22..<24: return .approveRegistration(user: user)
    case 24: return .rejectRegistration(user: user)
    case 25: return behaviour.chance(0.2) ? .start : .approve
    case 26: return .end
    case 27: return .admit(users: [])
    case 28: return .deny(user: user)
    default: return .reschedule(later, reason: nil)
    }
  }

  private func ask(_ request: RoomRequest, about session: String, by who: Identity) {
    lastRequest += 1
    let number = lastRequest
    let least = bookings[session]?.highestRevision ?? 0
    let wasDeleted = bookings[session]?.isDeleted ?? false
    note("booking") { "\(who.user) asks \(session): \(request)" }
    questions[number] = { [unowned self] result in
      note("booking") { "\(who.user) is answered about \(session): \(result)" }
      trace.mix(UInt64(bitPattern: scheduler.now))
      guard case .success(let answer) = result else { return afterMessage() }
      switch answer {
      case .session(let view, _): saw(booking: view, least: least, wasDeleted: wasDeleted)
      case .performed(_, let view, _): saw(booking: view, least: least, wasDeleted: wasDeleted)
      case .registrations: break
      default: fail("bookings", "\(session) is answered with \(answer)")
      }
      if case .perform(let command, key: nil) = request, command == .purge { bookings[session]?.isDeleted = true }
      afterMessage()
    }
    scheduler.after(network.int64(200...20_000)) { [unowned self] in
      server?.ask(request, session: session, identity: who, number: number)
    }
  }

  private func saw(booking view: SessionView, least: Int, wasDeleted: Bool) {
    let session = view.details.id
    guard var facts = bookings[session] else { return }
    if wasDeleted { fail("bookings", "\(session) was deleted, and is shown") }
    if facts.mayBeDeleted { return }
    if view.revision < least { fail("order", "\(session) was at revision \(least), and is at \(view.revision)") }
    if let known = facts.statuses[view.revision], known != view.status {
      fail("same for all", "\(session) was \(known) at revision \(view.revision), and is \(view.status)")
    }
    facts.statuses[view.revision] = view.status
    facts.highestRevision = max(facts.highestRevision, view.revision)
    bookings[session] = facts
  }

  /// What was answered of these sessions must be on the disk.
  func verifyBookings(_ classrooms: [String: Classroom], _ occasion: String) {
    for (session, facts) in bookings.sorted(by: { $0.key < $1.key }) {
      guard let classroom = classrooms[session] else {
        if facts.highestRevision > 0, !facts.mayBeDeleted { fail("durable", "\(occasion): \(session) is gone") }
        continue
      }
      if facts.isDeleted { fail("durable", "\(occasion): \(session) was deleted, and is there") }
      // It may be another one under the same id.
      if facts.mayBeDeleted { continue }
      if classroom.revision < facts.highestRevision {
        fail("durable", "\(occasion): \(session) was at revision \(facts.highestRevision), not \(classroom.revision)")
      }
      if let known = facts.statuses[classroom.revision], known != classroom.status {
        fail("durable", "\(occasion): \(session) was \(known), and is \(classroom.status)")
      }
    }
  }
}
