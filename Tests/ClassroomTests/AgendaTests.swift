import Testing

@testable import Classroom

@Suite("What happens to a session when it is time")
struct AgendaTests {
  private static let minute: Int64 = 60_000
  private let times = SessionTimes()

  private func planned(inMinutes minutes: Int64, reminders: [Int] = SessionDetails.defaultReminders) throws -> Classroom
  {
    var details = SessionDetails.sample()
    details.scheduledAt = .after(minutes * Self.minute)
    details.reminders = reminders
    return try Classroom.sample(details)
  }

  private func reminders(_ events: [RecordedEvent]) -> [String] {
    events.compactMap { event in
      if case .reminded(let minutes, let isLate) = event.event { "\(minutes)\(isLate ? " late" : "")" } else { nil }
    }
  }

  @Test("reminders come at their lead times, once each")
  func remind() throws {
    var classroom = try planned(inMinutes: 2000)
    var sent: [String] = []
    for minute in stride(from: Int64(0), through: 2100, by: 10) {
      sent += reminders(classroom.advance(to: .after(minute * Self.minute), times, emptySince: nil)).map {
        "\(minute): \($0)"
      }
    }
    #expect(sent == ["560: 1440", "1940: 60", "1970: 30"])
  }

  @Test("those whose time had passed when the session was planned are not sent")
  func passed() throws {
    var classroom = try planned(inMinutes: 45)
    #expect(reminders(classroom.advance(to: .after(0), times, emptySince: nil)).isEmpty)
    #expect(reminders(classroom.advance(to: .after(15 * Self.minute), times, emptySince: nil)) == ["30"])
  }

  @Test("after a time out only the last one that is due tells, and after the start none")
  func late() throws {
    var classroom = try planned(inMinutes: 2000)
    #expect(
      reminders(classroom.advance(to: .after(1950 * Self.minute), times, emptySince: nil)) == ["1440 late", "60"])
    classroom = try planned(inMinutes: 2000)
    #expect(
      reminders(classroom.advance(to: .after(2001 * Self.minute), times, emptySince: nil))
        == ["1440 late", "60 late", "30 late"])
  }

  @Test("another time brings the reminders anew; a replay of the journal knows which were sent")
  func reschedule() throws {
    var classroom = try planned(inMinutes: 100, reminders: [60])
    #expect(reminders(classroom.advance(to: .after(40 * Self.minute), times, emptySince: nil)) == ["60"])
    let change = ScheduleChange(start: .instant(.after(200 * Self.minute)))
    _ = try classroom.handle(.reschedule(change, reason: nil), by: .host, at: .after(41 * Self.minute))
    var restored = classroom.restoredFromParts
    #expect(restored == classroom)
    #expect(reminders(restored.advance(to: .after(140 * Self.minute), times, emptySince: nil)) == ["60"])
    #expect(reminders(restored.advance(to: .after(150 * Self.minute), times, emptySince: nil)).isEmpty)
  }

  @Test("what was never live expires a day after its planned end, a proposal too")
  func expire() throws {
    for status in [SessionStatus.pendingApproval, .scheduled] {
      var classroom = try Classroom.sample(in: status)
      let end = 60 * Self.minute + times.expireAfterMilliseconds
      _ = classroom.advance(to: .after(end - 1), times, emptySince: nil)
      #expect(classroom.status == status)
      _ = classroom.advance(to: .after(end), times, emptySince: nil)
      #expect(classroom.status == .expired && classroom.stream.events.last?.by == nil)
      #expect(classroom.nextOccurrence(times, emptySince: nil) == nil)
    }
  }

  @Test("a live session that everybody has left is ended by the server")
  func complete() throws {
    var classroom = try Classroom.sample(in: .ongoing)
    #expect(classroom.nextOccurrence(times, emptySince: nil) == nil)
    _ = try classroom.handle(.leave(at: .after(5000), isEstimated: false), by: .host, at: .after(5000))
    let due = 5000 + times.completeAfterMilliseconds
    _ = classroom.advance(to: .after(due - 1), times, emptySince: .after(5000))
    #expect(classroom.status == .ongoing)
    _ = classroom.advance(to: .after(due), times, emptySince: .after(5000))
    #expect(classroom.status == .completed && classroom.endedAt == .after(due))
    #expect(classroom.attendance["emmy"]?.milliseconds(until: .after(due)) == 4000)
  }
}
