import Testing

@testable import Classroom

/// The report a second time, from the list of events alone: for each second and each person, whether the person was there.
///
/// It is slow, it shares nothing with the report but the events, and it has nothing in it that is clever.
private struct SecondBySecond {
  struct Person {
    var role: Role
    /// The seconds in which the person counts as there.
    var there: Set<Int64> = []
    /// Those in which others saw the person as there.
    var seen: Set<Int64> = []
    var first: Int64?
    var last: Int64?
    /// Since when the person is in, and since when without a connection.
    var since: Int64?
    var lost: Int64?
    var isSayingSo = false
  }

  private(set) var people: [String: Person] = [:]
  private(set) var order: [String] = []
  private(set) var spans: [(from: Int64, to: Int64?)] = []

  init(_ events: [RecordedEvent], until now: Int64) {
    for event in events {
      let time = Self.second(event.at)
      if event.event.newStatus == .ongoing { spans.append((time, nil)) }
      if event.event.newStatus == .completed {
        for user in order {
          guard let person = people[user], person.since != nil else { continue }
          // Who has no connection at the end was there until it was lost; who says so now and then, to the end.
          go(user, at: person.isSayingSo ? time : min(person.lost ?? time, time))
        }
        spans[spans.count - 1].to = time
      }
      switch event.event {
      case .joined(let user, _, let role):
        if people[user] == nil { people[user] = Person(role: role) }
        if !order.contains(user) { order.append(user) }
        people[user]?.since = time
        let first = people[user]?.first ?? time
        people[user]?.first = min(first, time)
        connect(user)
      case .returned(let user): connect(user)
      case .heartbeat(let user):
        people[user]?.lost = time
        people[user]?.isSayingSo = true
      case .lost(let user, let since, _):
        people[user]?.lost = Self.second(since)
        people[user]?.isSayingSo = false
      case .checkedIn(let user):
        connect(user)
      case .left(let user, let at, _): go(user, at: Self.second(at))
      case .marked(let user, _, let role, let from, let to):
        if people[user] == nil { people[user] = Person(role: role) }
        if !order.contains(user) { order.append(user) }
        let (from, to) = (Self.second(from), Self.second(to))
        people[user]?.there.formUnion(from..<to)
        people[user]?.seen.formUnion(from..<to)
        let (first, last) = (people[user]?.first ?? from, people[user]?.last ?? to)
        people[user]?.first = min(first, from)
        people[user]?.last = max(last, to)
      default: break
      }
    }
    for user in order {
      guard let person = people[user], let since = person.since else { continue }
      if since < now { people[user]?.seen.formUnion(since..<now) }
      let end = min(person.lost ?? now, now)
      if since < end { people[user]?.there.formUnion(since..<end) }
    }
  }

  private mutating func connect(_ user: String) {
    people[user]?.lost = nil
    people[user]?.isSayingSo = false
  }

  private mutating func go(_ user: String, at time: Int64) {
    guard let since = people[user]?.since else { return }
    if since < time {
      people[user]?.there.formUnion(since..<time)
      people[user]?.seen.formUnion(since..<time)
    }
    let last = people[user]?.last ?? .min
    people[user]?.last = max(last, time, since)
    people[user]?.since = nil
    connect(user)
  }

  static func second(_ time: Timestamp) -> Int64 {
    precondition(time.milliseconds % 1000 == 0, "the histories are made of whole seconds")
    return time.milliseconds / 1000
  }

  /// How many were seen at each second.
  func counts(of users: [String]) -> [Int64: Int] {
    var counts: [Int64: Int] = [:]
    for user in users { for second in people[user]?.seen ?? [] { counts[second, default: 0] += 1 } }
    return counts
  }
}

@Suite("The report beside an independent model of attendance")
struct ReportModelTests {
  /// A random history in whole seconds: comings, goings, losses and returns, second tabs, crashes, people without a
  /// connection, classes that end and are opened again.
  private struct History {
    var random: SeededGenerator
    var classroom: Classroom
    var events: [RecordedEvent]
    var second: Int64 = 1_767_225_600

    static let actors: [Actor] = [
      .host, .student, .named("bob"), .named("cyd"), .named("dan", .cohost), .named("eve", .observer),
      .named("root", .admin), .named("fay"), .named("gus"),
    ]

    init(seed: UInt64) throws {
      random = SeededGenerator(seed: seed)
      var details = SessionDetails.sample()
      details.kind = seed % 3 == 0 ? .inPerson : .video
      details.scheduledAt = .after(.random(in: -20...60, using: &random) * 60_000)
      details.durationMinutes = .random(in: 1...60, using: &random)
      let creation = Classroom.creation(details, epoch: "e", by: "emmy")
      classroom = try #require(Classroom(creation))
      events = [creation]
    }

    var now: Timestamp { Timestamp(milliseconds: second * 1000) }

    mutating func number(_ range: ClosedRange<Int64>) -> Int64 { .random(in: range, using: &random) }

    mutating func run(_ command: Command, by actor: Actor) {
      do throws(Refusal) {
        events += try classroom.handle(command, by: actor, at: now).events
      } catch {
        // What is refused did not happen.
      }
    }

    mutating func reopen() {
      guard classroom.status == .completed else { return }
      let event = RecordedEvent(
        session: classroom.id, sequence: classroom.sequence + 1, at: now, by: "emmy", keyUse: nil,
        event: .statusChanged(.ongoing))
      classroom.apply(event)
      events.append(event)
    }

    /// The server dies and comes back: whoever was in was last known to be there a moment before.
    mutating func crash() {
      let alive = second - number(0...2)
      second += number(0...30)
      for row in classroom.attendance.rows.values where row.isActive && row.absence == nil && !row.isCheckedIn {
        guard let from = row.segments.last?.from else { continue }
        let since = max(from, Timestamp(milliseconds: alive * 1000))
        run(.lose(since: since, isEstimated: true), by: Actor(user: row.user, name: row.name, role: row.role))
      }
    }

    mutating func step() {
      second += number(0...40)
      let actor = Self.actors[Int(number(0...Int64(Self.actors.count - 1)))]
      let ago = Timestamp(milliseconds: max(second - number(0...9), last(actor.user)) * 1000)
      switch number(0...99) {
      case 0..<2: run(.start, by: .host)
      case 2: run(.end, by: .host)
      case 3..<6: reopen()
      case 6..<8: crash()
      case 8..<40: run(.join, by: actor)
      case 40..<55: run(.lose(since: ago, isEstimated: false), by: actor)
      case 55..<70: run(.leave(at: ago, isEstimated: false), by: actor)
      case 70..<85: run(.heartbeat, by: actor)
      case 85..<90: run(.checkIn, by: actor)
      case 90..<94: run(.markPresent(user: actor.user, name: nil), by: .host)
      case 94..<97: run(.markGone(user: actor.user), by: .host)
      default: classroom = classroom.restoredFromParts
      }
    }

    /// The second at which somebody came: nobody goes before.
    private func last(_ user: String) -> Int64 {
      (classroom.attendance[user]?.segments.last?.from.milliseconds ?? 0) / 1000
    }
  }

  @Test("thousands of random histories: every figure is the model's", arguments: 0..<50)
  func compare(block: UInt64) throws {
    for seed in (block * 60)..<(block * 60 + 60) {
      var history = try History(seed: seed)
      for _ in 0..<history.number(5...80) { history.step() }
      history.second += history.number(0...100)
      let report = history.classroom.report(.everybody, thresholds: .init(), at: history.now)
      let model = SecondBySecond(history.events, until: history.second)
      try check(report, model, history, seed)
    }
  }

  private func check(
    _ report: AttendanceReport, _ model: SecondBySecond, _ history: History, _ seed: UInt64
  ) throws {
    try #require(report.people.map(\.user) == model.order, "seed \(seed)")
    let live = model.spans.reduce(0) { $0 + ($1.to ?? history.second) - $1.from }
    #expect(report.liveMilliseconds == live * 1000, "seed \(seed)")
    #expect(report.spans.count == model.spans.count, "seed \(seed)")
    let details = history.classroom.details
    let planned = details.scheduledAt.milliseconds / 1000
    let plannedEnd = planned + Int64(details.durationMinutes) * 60
    var begin = model.spans.first?.from ?? 0
    if let first = model.spans.first, planned > first.from, planned < first.to ?? history.second { begin = planned }
    var end = model.spans.last?.to
    if let last = model.spans.last, let to = last.to, plannedEnd > last.from, plannedEnd < to { end = plannedEnd }
    var totals = AttendanceReport.Totals()
    var counted: [String] = []
    for person in report.people {
      let expected = try #require(model.people[person.user])
      let comment: Comment = "seed \(seed), \(person.user)"
      #expect(person.milliseconds == Int64(expected.there.count) * 1000, comment)
      #expect(person.totalMilliseconds == person.milliseconds, comment)
      #expect(person.firstJoin.map(SecondBySecond.second) == expected.first, comment)
      #expect(person.isActive == (expected.since != nil), comment)
      if !person.isActive { #expect(person.lastLeave.map(SecondBySecond.second) == expected.last, comment) }
      let attended = expected.since != nil || Int64(expected.there.count) * 1000 >= min(60_000, live * 100)
      #expect(person.hasAttended == attended, comment)
      let isLate = attended && (expected.first ?? 0) > begin + 300
      #expect(person.isLate == isLate, comment)
      let isEarly = attended && expected.since == nil && end.map { (expected.last ?? 0) < $0 - 300 } ?? false
      #expect(person.hasLeftEarly == isEarly, comment)
      for (one, next) in zip(person.segments, person.segments.dropFirst()) {
        #expect(one.to.map { $0 <= next.from } == true, comment)
      }
      let leads = expected.role == .host || expected.role == .cohost || expected.role == .admin
      #expect(person.isCounted == !leads, comment)
      guard !leads else { continue }
      counted.append(person.user)
      totals.people += 1
      totals.milliseconds += Int64(expected.there.count) * 1000
      if attended { totals.attended += 1 }
      if isLate { totals.late += 1 }
      if isEarly { totals.leftEarly += 1 }
      if expected.since != nil { totals.present += 1 }
    }
    let counts = model.counts(of: counted)
    let peak = counts.values.max() ?? 0
    totals.peak = peak
    totals.peakAt = counts.filter { $0.value == peak }.keys.min().map { Timestamp(milliseconds: $0 * 1000) }
    totals.averageHundredths = live == 0 ? 0 : totals.milliseconds / (live * 10)
    #expect(report.totals == totals, "seed \(seed)")
    guard let first = model.spans.first else {
      #expect(report.series == nil, "seed \(seed)")
      return
    }
    let series = try #require(report.series)
    #expect(SecondBySecond.second(series.from) == first.from)
    for (index, count) in series.counts.enumerated() {
      let begin = first.from + Int64(index) * series.stepMilliseconds / 1000
      let most = (begin..<(begin + series.stepMilliseconds / 1000)).map { counts[$0] ?? 0 }.max()
      #expect(count == most, "seed \(seed), point \(index)")
    }
  }
}
