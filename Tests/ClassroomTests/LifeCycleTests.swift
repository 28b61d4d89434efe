import Testing

@testable import Classroom

@Suite("The life of a session")
struct LifeCycleTests {
  @Test("the table of transitions, every cell")
  func transitions() {
    let table: [SessionStatus: [Transition: SessionStatus]] = [
      .pendingApproval: [
        .approve: .approved, .decline: .cancelled, .withdraw: .cancelled, .reschedule: .pendingApproval,
        .cancel: .cancelled, .expire: .expired,
      ],
      .approved: [
        .schedule: .scheduled, .withdraw: .cancelled, .reschedule: .scheduled, .repropose: .pendingApproval,
        .start: .ongoing, .cancel: .cancelled, .expire: .expired,
      ],
      .scheduled: [
        .reschedule: .scheduled, .repropose: .pendingApproval, .start: .ongoing, .cancel: .cancelled,
        .expire: .expired,
      ],
      .ongoing: [.end: .completed, .complete: .completed],
      .completed: [.start: .ongoing],
      .cancelled: [:],
      .expired: [.reschedule: .scheduled, .repropose: .pendingApproval],
    ]
    for status in SessionStatus.allCases {
      for transition in Transition.allCases {
        #expect(
          LifeCycle.status(after: transition, from: status) == table[status]?[transition], "\(status) \(transition)")
      }
      #expect(status.isLive == (status == .ongoing))
    }
  }

  @Test("only host and admin start and end, and only where the table allows it")
  func whoStartsAndEnds() throws {
    for role in Role.allCases {
      for status in [SessionStatus.scheduled, .ongoing, .completed] {
        for (command, transition) in [(Command.start, Transition.start), (.end, .end)] {
          var classroom = try Classroom.sample(in: status)
          let before = classroom
          let refusal = classroom.refusal(of: command, by: .named("somebody", role))
          if role != .host && role != .admin {
            #expect(refusal == .forbidden)
          } else if let next = LifeCycle.status(after: transition, from: status) {
            #expect(refusal == nil)
            #expect(classroom.status == next)
            #expect(classroom.revision == before.revision + 1)
          } else {
            #expect(refusal == .wrongState(status))
          }
          if refusal != nil { #expect(classroom == before, "a refusal changes nothing") }
        }
      }
    }
  }

  @Test("what each role may do")
  func rights() {
    let rights = Role.allCases.map { role in
      [role.isVisible, role.mayStartAndEnd, role.mayReadAttendance, role.passesCapacity, role.isHosting]
    }
    #expect(Role.allCases == [.host, .cohost, .participant, .observer, .admin])
    #expect(
      rights == [
        [true, true, true, true, true],
        [true, false, true, true, true],
        [true, false, false, false, false],
        [false, false, false, false, false],
        [true, true, true, true, false],
      ])
  }

  @Test("starting makes the host the first participant; an administrator only opens the door")
  func firstParticipant() throws {
    var classroom = try Classroom.sample()
    let outcome = try classroom.handle(.start, by: .host, at: .after(10))
    #expect(
      outcome.events.map(\.event) == [.statusChanged(.ongoing), .joined(user: "emmy", name: "Emmy", role: .host)])
    #expect(
      outcome.answer == .status(StatusChange(status: .ongoing, revision: 2, startedAt: .after(10), endedAt: nil)))
    #expect(classroom.startedBy == "emmy")
    #expect(classroom.attendance.activeCount == 1)

    classroom = try Classroom.sample()
    #expect(try classroom.handle(.start, by: .named("root", .admin), at: .after(10)).events.count == 1)
    #expect(classroom.startedBy == "root")
    #expect(classroom.attendance.activeCount == 0)
  }

  @Test("the end closes everybody's attendance")
  func end() throws {
    var classroom = try Classroom.sample(in: .ongoing)
    _ = try classroom.handle(.join, by: .student, at: .after(1500))
    let outcome = try classroom.handle(.end, by: .host, at: .after(9000))
    #expect(
      outcome.answer
        == .status(StatusChange(status: .completed, revision: 3, startedAt: .after(1000), endedAt: .after(9000))))
    #expect(classroom.attendance.activeCount == 0)
    #expect(
      classroom.attendance["ada"]?.segments == [.init(from: .after(1500), to: .after(9000), isEstimated: false)])
    #expect(classroom.attendance["emmy"]?.milliseconds(until: .after(99_000)) == 8000)
    #expect(classroom.view.endedAt == .after(9000))
  }

  @Test("only transitions and chat have numbers in the stream")
  func streamNumbers() throws {
    var classroom = try Classroom.sample(in: .ongoing)
    #expect(classroom.streamSequence == 1)
    #expect(classroom.sequence == 3)
    _ = try classroom.handle(.join, by: .student, at: .after(2000))
    #expect(classroom.streamSequence == 1)
    let outcome = try classroom.handle(.sendChat(text: "Hi"), by: .student, at: .after(2001))
    #expect(outcome.answer == .chat(streamSequence: 2, sequence: 5, at: .after(2001)))
    _ = try classroom.handle(.leave(at: .after(2002), isEstimated: false), by: .student, at: .after(2002))
    _ = try classroom.handle(.end, by: .host, at: .after(2003))
    #expect(classroom.streamSequence == 3)
    #expect(classroom.sequence == 7)
  }

  @Test("a view in the state of an older change shows that state")
  func olderView() throws {
    var classroom = try Classroom.sample(in: .ongoing)
    let change = classroom.statusChange
    _ = try classroom.handle(.end, by: .host, at: .after(5000))
    let view = classroom.view.inState(change)
    #expect(view.status == .ongoing)
    #expect(view.endedAt == nil)
    #expect(view.revision == 2)
    #expect(view.details == classroom.details)
  }

  @Test("a classroom begins only with a creation")
  func creation() throws {
    let event = RecordedEvent(
      session: "algebra", sequence: 1, at: .after(0), by: nil, keyUse: nil, event: .statusChanged(.ongoing))
    #expect(Classroom(event) == nil)
    let creation = Classroom.creation(.sample(), epoch: "e9", by: "emmy")
    let classroom = try #require(Classroom(creation))
    #expect(creation.sequence == 1)
    #expect(classroom.sequence == 1)
    #expect(classroom.epoch == "e9")
    #expect(classroom.revision == 1)
    #expect(classroom.status == .scheduled)
    #expect(classroom.streamSequence == 0)
  }
}
