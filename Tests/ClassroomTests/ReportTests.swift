import Testing

@testable import Classroom

@Suite("The attendance report")
struct ReportTests {
  private static let minute: Int64 = 60_000

  private static func at(_ minutes: Int64) -> Timestamp { .after(minutes * minute) }

  /// A class of an hour that is live from minute 0, with its host in it.
  private static func lesson(_ details: SessionDetails = .sample()) throws -> Classroom {
    var classroom = try Classroom.sample(details)
    _ = try classroom.handle(.start, by: .host, at: at(0))
    return classroom
  }

  private static func report(
    _ classroom: Classroom, at minutes: Int64 = 200, _ thresholds: AttendanceReport.Thresholds = .init()
  ) -> AttendanceReport {
    classroom.report(.everybody, thresholds: thresholds, at: at(minutes))
  }

  private static func stay(
    _ user: String, from: Int64, to: Int64?, in classroom: inout Classroom, role: Role = .participant
  ) throws {
    _ = try classroom.handle(.join, by: .named(user, role), at: at(from))
    guard let to else { return }
    _ = try classroom.handle(.leave(at: at(to), isEstimated: false), by: .named(user, role), at: at(to))
  }

  @Test("late and left early may both hold, and exactly at the threshold neither does")
  func flags() throws {
    var classroom = try Self.lesson()
    let stays: [(user: String, from: Int64, to: Int64, late: Bool, early: Bool)] = [
      ("ontime", 5, 55, false, false), ("late", 6, 56, true, false), ("early", 0, 54, false, true),
      ("both", 20, 30, true, true),
    ]
    for stay in stays { try Self.stay(stay.user, from: stay.from, to: stay.to, in: &classroom) }
    _ = try classroom.handle(.end, by: .host, at: Self.at(60))
    let report = Self.report(classroom)
    for stay in stays {
      let person = try #require(report.people.first { $0.user == stay.user })
      #expect(person.isLate == stay.late && person.hasLeftEarly == stay.early, "\(stay.user)")
      #expect(person.hasAttended && person.minutes == stay.to - stay.from)
    }
    let totals = try #require(report.totals)
    #expect((totals.people, totals.attended, totals.late, totals.leftEarly) == (4, 4, 2, 2))
    #expect(totals.percent == 100)
    var strict = AttendanceReport.Thresholds()
    strict.lateAfterMilliseconds = 0
    strict.leftEarlyBeforeMilliseconds = 0
    #expect(Self.report(classroom, strict).totals?.late == 3)
    #expect(Self.report(classroom, strict).totals?.leftEarly == 4)
  }

  @Test("while the class is live nobody has left early, and who is there has attended")
  func live() throws {
    var classroom = try Self.lesson()
    try Self.stay("ada", from: 0, to: 10, in: &classroom)
    try Self.stay("bob", from: 19, to: nil, in: &classroom)
    let report = classroom.report(.everybody, thresholds: .init(), at: .after(19 * Self.minute + 1))
    #expect(report.people.allSatisfy { !$0.hasLeftEarly && $0.hasAttended })
    #expect(report.people.map(\.isLate) == [false, false, true])
    #expect(report.totals?.present == 1 && report.totals?.attended == 2)
  }

  @Test("who leads the class is in the report and in none of its totals")
  func hosts() throws {
    var classroom = try Self.lesson()
    try Self.stay("dan", from: 0, to: 10, in: &classroom, role: .cohost)
    try Self.stay("root", from: 0, to: 10, in: &classroom, role: .admin)
    try Self.stay("ada", from: 10, to: 60, in: &classroom)
    _ = try classroom.handle(.end, by: .host, at: Self.at(60))
    let report = Self.report(classroom)
    #expect(report.people.map(\.user) == ["emmy", "dan", "root", "ada"])
    #expect(report.people.map(\.isCounted) == [false, false, false, true])
    let totals = try #require(report.totals)
    #expect((totals.people, totals.attended, totals.peak, totals.late) == (1, 1, 1, 1))
    #expect(totals.milliseconds == 50 * Self.minute && totals.averageMilliseconds == 50 * Self.minute)
    #expect(totals.averageHundredths == 83 && totals.peakAt == Self.at(10))
  }

  @Test("a student who was promoted in class still counts")
  func promoted() throws {
    var classroom = try Self.lesson()
    try Self.stay("ada", from: 0, to: 10, in: &classroom)
    try Self.stay("ada", from: 20, to: 30, in: &classroom, role: .cohost)
    let person = try #require(Self.report(classroom).people.last)
    #expect(person.role == .cohost && person.isCounted && person.minutes == 20)
  }

  @Test("too short a visit is no attendance; in a short class a tenth of it is enough")
  func minimum() throws {
    var classroom = try Self.lesson()
    _ = try classroom.handle(.join, by: .student, at: .after(0))
    _ = try classroom.handle(.leave(at: .after(59_999), isEstimated: false), by: .student, at: .after(59_999))
    _ = try classroom.handle(.join, by: .named("bob"), at: .after(0))
    _ = try classroom.handle(.leave(at: .after(60_000), isEstimated: false), by: .named("bob"), at: .after(60_000))
    _ = try classroom.handle(.end, by: .host, at: Self.at(60))
    let totals = try #require(Self.report(classroom).totals)
    #expect((totals.people, totals.attended, totals.absent, totals.percent) == (2, 1, 1, 50))
    #expect(totals.leftEarly == 1, "who has not attended has no flags")

    var short = try Self.lesson()
    _ = try short.handle(.join, by: .student, at: .after(1000))
    _ = try short.handle(.leave(at: .after(1400), isEstimated: false), by: .student, at: .after(1400))
    _ = try short.handle(.end, by: .host, at: .after(4000))
    #expect(Self.report(short).totals?.attended == 1)
  }

  @Test("doors that open early make nobody late, a class that runs over makes nobody leave early")
  func planned() throws {
    var details = SessionDetails.sample()
    details.scheduledAt = Self.at(30)
    details.durationMinutes = 60
    var classroom = try Self.lesson(details)
    try Self.stay("ada", from: 34, to: 91, in: &classroom)
    try Self.stay("bob", from: 36, to: 84, in: &classroom)
    _ = try classroom.handle(.end, by: .host, at: Self.at(150))
    let report = Self.report(classroom)
    #expect(report.people.dropFirst().map(\.isLate) == [false, true])
    #expect(report.people.dropFirst().map(\.hasLeftEarly) == [false, true])
  }

  @Test("a class that was planned for another time is judged by when it was live")
  func otherTime() throws {
    var details = SessionDetails.sample()
    details.scheduledAt = Self.at(10_000)
    var classroom = try Self.lesson(details)
    try Self.stay("ada", from: 6, to: 54, in: &classroom)
    _ = try classroom.handle(.end, by: .host, at: Self.at(60))
    let ada = try #require(Self.report(classroom).people.last)
    #expect(ada.isLate && ada.hasLeftEarly)
  }

  @Test("a session that is opened again has several spans, and is judged by the first and the last")
  func reopened() throws {
    var classroom = try Self.lesson()
    try Self.stay("ada", from: 2, to: 20, in: &classroom)
    _ = try classroom.handle(.end, by: .host, at: Self.at(20))
    classroom.apply(
      RecordedEvent(
        session: classroom.id, sequence: classroom.sequence + 1, at: Self.at(100), by: "emmy", keyUse: nil,
        event: .statusChanged(.ongoing)))
    try Self.stay("ada", from: 110, to: 130, in: &classroom)
    try Self.stay("bob", from: 100, to: nil, in: &classroom)
    _ = try classroom.handle(.end, by: .host, at: Self.at(130))
    let report = Self.report(classroom)
    #expect(report.spans.map(\.from) == [Self.at(0), Self.at(100)])
    #expect(report.spans.map(\.to) == [Self.at(20), Self.at(130)])
    #expect(report.liveMilliseconds == 50 * Self.minute)
    let (ada, bob) = (try #require(report.people.dropFirst().first), try #require(report.people.last))
    #expect(!ada.isLate && !ada.hasLeftEarly && ada.minutes == 38)
    #expect(bob.isLate && bob.minutes == 30)
    #expect(report.totals?.averageHundredths == 136)
    #expect(classroom.restoredFromParts == classroom)
  }

  @Test("waiting is told beside the attendance, and the parts make the whole")
  func waiting() throws {
    var classroom = try Self.lesson()
    func segment(_ from: Int64, _ to: Int64?) -> Attendance.Segment {
      Attendance.Segment(from: Self.at(from), to: to.map(Self.at), isEstimated: false)
    }
    classroom.restore(
      Attendance.Row(
        user: "ada", name: "Ada", role: .participant, segments: [segment(10, 20), segment(30, 50)]))
    classroom.restore(
      Attendance.Waits(user: "ada", segments: [segment(2, 10), segment(18, 32), segment(55, 65)]))
    classroom.restore(Attendance.Waits(user: "bob", segments: [segment(2, 10)]))
    _ = try classroom.handle(.end, by: .host, at: Self.at(60))
    let report = Self.report(classroom, at: 60)
    #expect(report.people.map(\.user) == ["emmy", "ada"], "who was never let in was not there")
    let ada = try #require(report.people.last)
    #expect(ada.milliseconds == 30 * Self.minute)
    #expect(ada.waitingMilliseconds == (8 + 10 + 5) * Self.minute, "what was attendance is not waiting")
    #expect(ada.totalMilliseconds == ada.liveMilliseconds + ada.waitingMilliseconds + ada.breakoutMilliseconds)
  }

  @Test("coming in ends the waiting, and waiting begins when attendance has ended")
  func waitingAndComing() throws {
    var attendance = Attendance()
    attendance.beginWaiting("ada", at: .after(0))
    attendance.beginWaiting("ada", at: .after(10))
    #expect(attendance.waits["ada"]?.isOpen == true && attendance.activeCount == 0 && attendance["ada"] == nil)
    attendance.open(user: "ada", name: "Ada", role: .participant, at: .after(100))
    attendance.beginWaiting("ada", at: .after(150))
    #expect(attendance.waits["ada"]?.segments.map(\.to) == [.after(100)])
    attendance.close(user: "ada", at: .after(200), isEstimated: false)
    attendance.beginWaiting("ada", at: .after(190))
    attendance.endWaiting("ada", at: .after(180))
    #expect(attendance.waits["ada"]?.segments.last == .init(from: .after(200), to: .after(200), isEstimated: false))
    attendance.endWaiting("nobody", at: .after(300))
    attendance.beginWaiting("bob", at: .after(300))
    attendance.endAllWaiting(at: .after(400))
    #expect(attendance.waits["bob"]?.segments.map(\.to) == [.after(400)] && attendance.rows.count == 1)
  }

  @Test("a certificate tells of one person and of nobody else")
  func certificate() throws {
    var classroom = try Self.lesson()
    try Self.stay("ada", from: 0, to: 10, in: &classroom)
    try Self.stay("bob", from: 0, to: 10, in: &classroom)
    let report = classroom.report(.only("ada"), thresholds: .init(), at: Self.at(20))
    #expect(report.people.map(\.user) == ["ada"] && report.totals == nil && report.series == nil)
    #expect(report.people.first == Self.report(classroom, at: 20).people.first { $0.user == "ada" })
    #expect(classroom.report(.only("eve"), thresholds: .init(), at: Self.at(20)).people.isEmpty)
  }

  @Test("a session that was never live has a report of nothing")
  func neverLive() throws {
    let report = Self.report(try Classroom.sample())
    #expect(report.people.isEmpty && report.series == nil && report.spans.isEmpty)
    #expect(report.totals == AttendanceReport.Totals() && report.totals?.percent == nil)
  }

  @Test(
    "the series has a bounded number of points however long the class was", arguments: [0, 1, 59, 240, 5000, 525_600])
  func series(minutes: Int64) throws {
    var classroom = try Self.lesson()
    try Self.stay("ada", from: 0, to: nil, in: &classroom)
    _ = try classroom.handle(.end, by: .host, at: .after(minutes * Self.minute + 1))
    let series = try #require(Self.report(classroom, at: minutes + 1).series)
    #expect((1...AttendanceReport.Series.maximumPoints).contains(series.counts.count))
    #expect(series.counts.allSatisfy { $0 == 1 })
    #expect(Int64(series.counts.count) * series.stepMilliseconds >= minutes * Self.minute)
    #expect(series.from == Self.at(0))
  }

  @Test(
    "a point is the most that were in at once in its step, who leaves when another comes not counted with the other")
  func points() throws {
    var curve = PresenceCurve()
    for (from, to) in [(0, 1000), (1000, 2000), (1000, 2500), (2200, 2300), (2200, 2300), (5000, 5000)]
      as [(Int64, Int64)]
    {
      curve.add(from: .after(from), to: .after(to))
    }
    let series = curve.series(in: [.init(from: .after(0), to: .after(4000))], at: .after(9000))
    #expect(series?.counts == [1, 2, 3, 0] && series?.stepMilliseconds == 1000)
    let (count, time) = curve.peak()
    #expect(count == 3 && time == .after(2200))
  }

  @Test("minutes are rounded for people")
  func rounding() {
    let cases: [(Int64, Int64)] = [(0, 0), (29_999, 0), (30_000, 1), (89_999, 1), (90_000, 2), (.max, .max / 60_000)]
    for (milliseconds, minutes) in cases {
      #expect(abs(AttendanceReport.minutes(milliseconds) - minutes) <= (milliseconds == .max ? 1 : 0))
    }
    var totals = AttendanceReport.Totals()
    totals.people = 3
    totals.attended = 2
    #expect(totals.percent == 67 && totals.absent == 1)
    totals.attended = 1
    #expect(totals.percent == 33)
  }

  @Test("forgetting somebody leaves every sum as it was")
  func erased() throws {
    var classroom = try Self.lesson()
    try Self.stay("ada", from: 0, to: 10, in: &classroom)
    try Self.stay("bob", from: 5, to: 30, in: &classroom)
    _ = try classroom.handle(.end, by: .host, at: Self.at(60))
    let before = Self.report(classroom)
    _ = classroom.erase("bob", as: "erased-1", at: Self.at(70))
    let after = Self.report(classroom)
    #expect(after.totals == before.totals && after.series == before.series)
    #expect(after.people.last?.user == "erased-1" && after.people.last?.segments == before.people.last?.segments)
  }

  @Test("the address of who comes is kept for the report, once")
  func email() throws {
    var classroom = try Self.lesson()
    let ada = Actor(user: "ada", name: "Ada", role: .participant, email: "ada@example.org")
    let events = try classroom.handle(.join, by: ada, at: Self.at(1)).events.map(\.event)
    #expect(events.last == .emailKnown(user: "ada", email: "ada@example.org"))
    _ = try classroom.handle(.leave(at: Self.at(2), isEstimated: false), by: ada, at: Self.at(2))
    #expect(try classroom.handle(.join, by: ada, at: Self.at(3)).events.count == 1)
    #expect(Self.report(classroom).people.last?.email == "ada@example.org")
    #expect(classroom.restoredFromParts == classroom)
    _ = classroom.erase("ada", as: "erased-1", at: Self.at(4))
    #expect(classroom.attendance["erased-1"]?.email == nil)
  }
}
