import Testing

@testable import Classroom

@Suite("Booking a session, and changing it")
struct BookingTests {
  private static let day: Int64 = 86_400_000

  private func proposal(at start: Timestamp? = .after(86_400_000)) throws -> Classroom {
    var draft = SessionDraft(title: "Help with rings")
    draft.scheduledAt = start
    let details = try draft.validated(id: "rings", roomName: "r", host: "emmy", proposer: "ada", at: .after(0))
    var classroom = try #require(Classroom(Classroom.creation(details, epoch: "e", by: "ada")))
    _ = classroom.expect(draft.invited, proposerName: "Ada", by: "ada", at: .after(0))
    return classroom
  }

  private func identity(_ user: String, _ role: Role = .participant) -> Identity {
    Identity(user: user, name: user, role: role, session: nil, isGuest: false, expiresAt: .after(0))
  }

  private func statuses(_ outcome: Classroom.Outcome) -> [SessionStatus] {
    outcome.events.compactMap(\.event.newStatus)
  }

  @Test("a proposal is seen by who asked and who was asked, and by nobody else")
  func proposing() throws {
    let classroom = try proposal()
    #expect(classroom.status == .pendingApproval)
    #expect(try classroom.role(of: identity("ada")) == .participant)
    #expect(try classroom.role(of: identity("emmy")) == .host)
    #expect(!classroom.isVisible(to: identity("bob")))
    #expect(classroom.isVisible(to: identity("root", .admin)))
    #expect(classroom.roster["ada"]?.state == .approved, "who asked for it is expected")
  }

  @Test("with a time that lies ahead approval schedules it at once, each step with a revision of its own")
  func approving() throws {
    var classroom = try proposal()
    let outcome = try classroom.handle(.approve, by: .host, key: "k", at: .after(1000))
    #expect(statuses(outcome) == [.approved, .scheduled])
    #expect(classroom.revision == 3 && classroom.streamSequence == 2)
    let expected = Answer.status(StatusChange(status: .scheduled, revision: 3, startedAt: nil, endedAt: nil))
    #expect(outcome.answer == expected)
    let again = try classroom.handle(.approve, by: .host, key: "k", at: .after(2000))
    #expect(again.events.isEmpty && again.answer == expected)
    #expect(classroom.refusal(of: .approve, by: .host) == .wrongState(.scheduled))
  }

  @Test("without a time, or with one that has passed, it is approved until somebody names one")
  func approvingWithoutTime() throws {
    var classroom = try proposal(at: nil)
    #expect(!classroom.details.isTimeFixed)
    #expect(statuses(try classroom.handle(.approve, by: .host, at: .after(1000))) == [.approved])
    let change = ScheduleChange(start: .instant(.after(2 * Self.day)), durationMinutes: 30)
    #expect(
      statuses(try classroom.handle(.reschedule(change, reason: nil), by: .host, at: .after(2000))) == [.scheduled])
    #expect(classroom.details.scheduledAt == .after(2 * Self.day) && classroom.details.durationMinutes == 30)
    #expect(classroom.details.isTimeFixed)

    var late = try proposal()
    #expect(statuses(try late.handle(.approve, by: .host, at: .after(Self.day + 400_000))) == [.approved])
  }

  @Test("a host declines with a reason, which the session keeps; who asked for it may take it back")
  func declining() throws {
    var classroom = try proposal()
    #expect(
      classroom.refusal(of: .decline(reason: String(repeating: "x", count: 501)), by: .host)
        == .invalidField("reason", "At most 500 characters."))
    _ = try classroom.handle(.decline(reason: "No time"), by: .host, at: .after(1000))
    #expect(classroom.status == .cancelled && classroom.reason == "No time" && classroom.view.reason == "No time")

    classroom = try proposal()
    #expect(classroom.refusal(of: .withdraw(reason: nil), by: .named("bob")) == .forbidden)
    _ = try classroom.handle(.withdraw(reason: nil), by: .student, at: .after(1000))
    #expect(classroom.status == .cancelled)
  }

  @Test("another time by who asked for it needs the host's word again; by the host it does not")
  func rescheduling() throws {
    var classroom = try proposal()
    let later = ScheduleChange(start: .instant(.after(3 * Self.day)))
    #expect(
      statuses(try classroom.handle(.reschedule(later, reason: nil), by: .student, at: .after(1))) == [.pendingApproval]
    )
    _ = try classroom.handle(.approve, by: .host, at: .after(2))
    let outcome = try classroom.handle(.reschedule(later, reason: "Exam"), by: .student, at: .after(3))
    #expect(statuses(outcome) == [.pendingApproval] && classroom.reason == "Exam")
    _ = try classroom.handle(.approve, by: .host, at: .after(4))
    #expect(statuses(try classroom.handle(.reschedule(later, reason: nil), by: .host, at: .after(5))) == [.scheduled])
    #expect(classroom.refusal(of: .reschedule(later, reason: nil), by: .named("bob")) == .forbidden)
    let past = ScheduleChange(start: .instant(.after(-Self.day)))
    #expect(
      classroom.refusal(of: .reschedule(past, reason: nil), by: .host)
        == .invalidField("scheduled_at", "The start lies in the past."))
  }

  @Test("a reader of the stream sees the new time, also later")
  func streamHasTime() throws {
    var classroom = try proposal()
    _ = try classroom.handle(
      .reschedule(ScheduleChange(start: .instant(.after(3 * Self.day))), reason: "Exam"), by: .host, at: .after(1))
    guard case .status(let change)? = classroom.stream.events.last?.content else {
      Issue.record("no event")
      return
    }
    #expect(change.schedule?.scheduledAt == .after(3 * Self.day) && change.reason == "Exam" && change.revision == 2)
  }

  @Test("fields change while it makes sense, and what has begun does not move")
  func updating() throws {
    var patch = SessionPatch()
    patch.title = "Rings and fields"
    patch.capacity = .set(20)
    patch.tags = ["algebra"]
    var classroom = try Classroom.sample(.sample(capacity: 5))
    let outcome = try classroom.handle(.update(patch), by: .host, at: .after(1))
    #expect(outcome.events.count == 1 && classroom.revision == 2)
    #expect(classroom.details.title == "Rings and fields" && classroom.details.capacity == 20)
    #expect(try classroom.handle(.update(patch), by: .host, at: .after(2)).events.isEmpty, "nothing changes twice")

    patch = SessionPatch()
    patch.capacity = .clear
    patch.durationMinutes = 30
    let both = try classroom.handle(.update(patch), by: .host, at: .after(3))
    #expect(both.events.count == 2 && classroom.details.capacity == nil && classroom.details.durationMinutes == 30)

    var live = try Classroom.sample(in: .ongoing)
    #expect(live.refusal(of: .update(patch), by: .host) == .wrongState(.ongoing))
    patch = SessionPatch()
    patch.recordingURL = .set("https://example.org/r.webm")
    #expect(live.refusal(of: .update(patch), by: .host) == nil)
    patch.recordingURL = .set("ftp://example.org/r.webm")
    guard case .invalidField("recording_url", _)? = live.refusal(of: .update(patch), by: .host) else {
      Issue.record("an ftp address")
      return
    }
  }

  @Test("what was never live is deleted, all else is hidden from all but hosts and admins")
  func deleting() throws {
    var classroom = try Classroom.sample()
    #expect(try classroom.handle(.delete, by: .host, at: .after(1)).events.map(\.event) == [.deleted])
    #expect(throws: Refusal.notFound) { try classroom.role(of: identity("emmy")) }

    var over = try Classroom.sample(in: .completed)
    _ = try over.handle(.delete, by: .host, at: .after(3000))
    #expect(over.isHidden && over.view.isHidden)
    #expect(try over.role(of: identity("emmy")) == .host)
    #expect(throws: Refusal.notFound) { try over.role(of: identity("ada")) }
    #expect(!over.isVisible(to: identity("ada")))
    #expect(over.refusal(of: .start, by: .host) == .wrongState(.completed), "what is hidden is not opened again")
    #expect(try over.handle(.purge, by: .named("root", .admin), at: .after(4000)).events.map(\.event) == [.deleted])
  }

  @Test("a completed session is opened again within the time for that, and attendance gets another segment")
  func reopening() throws {
    var rules = SessionRules()
    rules.times.reopenWithinMilliseconds = 10_000
    var classroom = try Classroom.sample(in: .completed)
    let outcome = try classroom.handle(.start, by: .host, key: "again", under: rules, at: .after(12_000))
    #expect(classroom.status == .ongoing && classroom.startedAt == .after(1000) && classroom.endedAt == nil)
    #expect(outcome.events.count == 2 && classroom.revision == 4)
    #expect(
      try classroom.handle(.start, by: .host, key: "again", under: rules, at: .after(13_000)).answer == outcome.answer)
    _ = try classroom.handle(.end, by: .host, at: .after(20_000))
    #expect(classroom.attendance["emmy"]?.milliseconds(until: .after(99_000)) == 9000)

    var late = try Classroom.sample(in: .completed)
    do throws(Refusal) {
      _ = try late.handle(.start, by: .host, under: rules, at: .after(12_001))
      Issue.record("too late")
    } catch {
      #expect(error == .wrongState(.completed))
    }
  }
}
