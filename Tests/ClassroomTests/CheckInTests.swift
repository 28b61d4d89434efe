import Testing

@testable import Classroom

@Suite("In class without a connection")
struct CheckInTests {
  private static func inPerson(capacity: Int? = nil) throws -> Classroom {
    var details = SessionDetails.sample(capacity: capacity)
    details.kind = .inPerson
    return try Classroom.sample(details, in: .ongoing)
  }

  @Test("who starts a class in a room is in it, and needs no connection")
  func start() throws {
    let classroom = try Self.inPerson()
    #expect(classroom.attendance["emmy"]?.isCheckedIn == true)
    #expect(try Classroom.sample(in: .ongoing).attendance["emmy"]?.isCheckedIn == false)
  }

  @Test("who is vouched for stays until said to have gone, or the end, whatever becomes of connections")
  func vouched() throws {
    var classroom = try Self.inPerson()
    #expect(
      try classroom.handle(.markPresent(user: "ada", name: "Ada"), by: .host, at: .after(2000)).events.map(\.event)
        == [.joined(user: "ada", name: "Ada", role: .participant), .checkedIn(user: "ada")])
    #expect(try classroom.handle(.markPresent(user: "ada", name: nil), by: .host, at: .after(2500)).events.isEmpty)
    #expect(try classroom.handle(.join, by: .student, at: .after(3000)).events.isEmpty)
    #expect(
      try classroom.handle(.lose(since: .after(4000), isEstimated: true), by: .student, at: .after(5000)).events.isEmpty
    )
    _ = try classroom.handle(.checkIn, by: .named("bob"), at: .after(6000))
    _ = try classroom.handle(.markGone(user: "ada"), by: .host, at: .after(9000))
    #expect(try classroom.handle(.markGone(user: "ada"), by: .host, at: .after(9500)).events.isEmpty)
    _ = try classroom.handle(.end, by: .host, at: .after(10_000))
    #expect(
      classroom.attendance["ada"]?.segments
        == [.init(from: .after(2000), to: .after(9000), isEstimated: false, isCheckedIn: true)])
    #expect(
      classroom.attendance["bob"]?.segments
        == [.init(from: .after(6000), to: .after(10_000), isEstimated: false, isCheckedIn: true)])
    #expect(classroom.restoredFromParts == classroom)
  }

  @Test("who is connected already is vouched for from then on, in the same stay")
  func connected() throws {
    var classroom = try Classroom.sample(in: .ongoing)
    _ = try classroom.handle(.join, by: .student, at: .after(2000))
    _ = try classroom.handle(.lose(since: .after(3000), isEstimated: false), by: .student, at: .after(3500))
    #expect(
      try classroom.handle(.markPresent(user: "ada", name: "Other"), by: .host, at: .after(4000)).events.map(\.event)
        == [.checkedIn(user: "ada")])
    let row = try #require(classroom.attendance["ada"])
    #expect(row.absence == nil && row.isCheckedIn && row.name == "Ada" && row.segments.count == 1)
  }

  @Test("only who leads the class vouches, only while it is live or after, and only of plausible people")
  func refusals() throws {
    var classroom = try Self.inPerson(capacity: 2)
    #expect(classroom.refusal(of: .markPresent(user: "bob", name: nil), by: .student) == .forbidden)
    #expect(classroom.refusal(of: .markGone(user: "bob"), by: .student) == .forbidden)
    #expect(classroom.refusal(of: .checkIn, by: .named("ivy", .observer)) == .forbidden)
    for user in ["", String(repeating: "x", count: 129)] {
      guard case .invalidField("user", _)? = classroom.refusal(of: .markPresent(user: user, name: nil), by: .host)
      else {
        Issue.record("a user of \(user.utf8.count) bytes")
        continue
      }
    }
    for name in ["", "  ", String(repeating: "x", count: 121)] {
      guard case .invalidField("name", _)? = classroom.refusal(of: .markPresent(user: "u", name: name), by: .host)
      else {
        Issue.record("a name of \(name.utf8.count) bytes")
        continue
      }
    }
    #expect(classroom.refusal(of: .checkIn, by: .student) == nil)
    #expect(classroom.refusal(of: .markPresent(user: "bob", name: nil), by: .host) == .sessionFull)
    #expect(classroom.refusal(of: .checkIn, by: .named("bob")) == .sessionFull)
    var planned = try Classroom.sample()
    #expect(planned.refusal(of: .markPresent(user: "bob", name: nil), by: .host) == .wrongState(.scheduled))
    #expect(planned.refusal(of: .checkIn, by: .student) == .wrongState(.scheduled))
    var over = try Classroom.sample(in: .completed)
    #expect(over.refusal(of: .checkIn, by: .student) == .wrongState(.completed))
    #expect(over.refusal(of: .markGone(user: "ada"), by: .host) == .wrongState(.completed))
  }

  @Test("after the class a host fills in who was there, and what was measured stays")
  func afterTheClass() throws {
    var classroom = try Classroom.sample(in: .ongoing)
    _ = try classroom.handle(.join, by: .student, at: .after(3000))
    _ = try classroom.handle(.leave(at: .after(4000), isEstimated: true), by: .student, at: .after(4000))
    _ = try classroom.handle(.join, by: .student, at: .after(6000))
    _ = try classroom.handle(.end, by: .host, at: .after(9000))
    _ = try classroom.handle(.markPresent(user: "ada", name: nil), by: .host, at: .after(20_000))
    _ = try classroom.handle(.markPresent(user: "bob", name: "Bob"), by: .host, at: .after(20_000))
    #expect(try classroom.handle(.markPresent(user: "bob", name: nil), by: .host, at: .after(20_000)).events.isEmpty)
    func marked(_ from: Int64, _ to: Int64) -> Attendance.Segment {
      .init(from: .after(from), to: .after(to), isEstimated: false, isCheckedIn: true)
    }
    #expect(
      classroom.attendance["ada"]?.segments == [
        marked(1000, 3000), .init(from: .after(3000), to: .after(4000), isEstimated: true), marked(4000, 6000),
        .init(from: .after(6000), to: .after(9000), isEstimated: false),
      ])
    #expect(classroom.attendance["bob"]?.segments == [marked(1000, 9000)])
    #expect(classroom.attendance.activeCount == 0)
  }

  @Test("who says now and then to be there is there until the last time, and to the end when the class ends in between")
  func heartbeats() throws {
    var classroom = try Classroom.sample(in: .ongoing)
    #expect(classroom.refusal(of: .heartbeat, by: .student) == .notPresent)
    _ = try classroom.handle(.join, by: .student, at: .after(2000))
    _ = try classroom.handle(.heartbeat, by: .student, at: .after(2000))
    _ = try classroom.handle(.heartbeat, by: .student, at: .after(5000))
    #expect(classroom.attendance["ada"]?.milliseconds(until: .after(9000)) == 3000)
    var ended = classroom
    _ = try ended.handle(.end, by: .host, at: .after(9000))
    #expect(ended.attendance["ada"]?.segments.map(\.to) == [.after(9000)])
    _ = try classroom.handle(.leave(at: .after(5000), isEstimated: false), by: .student, at: .after(30_000))
    #expect(classroom.attendance["ada"]?.segments.map(\.to) == [.after(5000)])
    #expect(classroom.refusal(of: .heartbeat, by: .student) == .notPresent)
  }

  @Test("a connection takes over, and when that is lost, its loss counts")
  func takeover() throws {
    var classroom = try Classroom.sample(in: .ongoing)
    _ = try classroom.handle(.join, by: .student, at: .after(2000))
    _ = try classroom.handle(.heartbeat, by: .student, at: .after(2000))
    #expect(
      try classroom.handle(.join, by: .student, at: .after(3000)).events.map(\.event) == [.returned(user: "ada")])
    _ = try classroom.handle(.lose(since: .after(7000), isEstimated: false), by: .student, at: .after(8000))
    _ = try classroom.handle(.end, by: .host, at: .after(9000))
    #expect(classroom.attendance["ada"]?.segments.map(\.to) == [.after(7000)])
  }
}
