import Testing

@testable import Classroom

@Suite("Attendance")
struct AttendanceTests {
  @Test("a second tab does not count twice")
  func secondTab() throws {
    var classroom = try Classroom.sample(in: .ongoing)
    _ = try classroom.handle(.join, by: .student, at: .after(2000))
    let again = try classroom.handle(.join, by: .student, at: .after(5000))
    #expect(again.events.isEmpty)
    #expect(again.answer == .done)
    _ = try classroom.handle(.leave(at: .after(8000), isEstimated: false), by: .student, at: .after(8000))
    #expect(classroom.attendance["ada"]?.milliseconds(until: .after(9999)) == 6000)
    #expect(classroom.attendance["ada"]?.segments.count == 1)
  }

  @Test("who leaves ended when last heard, never after now and never before coming")
  func clampedLeave() throws {
    for (at, expected) in [(Int64(3000), Int64(3000)), (9000, 4000), (100, 2000)] {
      var classroom = try Classroom.sample(in: .ongoing)
      _ = try classroom.handle(.join, by: .student, at: .after(2000))
      _ = try classroom.handle(.leave(at: .after(at), isEstimated: true), by: .student, at: .after(4000))
      let segment = try #require(classroom.attendance["ada"]?.segments.last)
      #expect(segment == .init(from: .after(2000), to: .after(expected), isEstimated: true))
    }
  }

  @Test("a clock that went back makes no overlap and no negative time")
  func clockGoesBack() throws {
    var classroom = try Classroom.sample(in: .ongoing)
    _ = try classroom.handle(.join, by: .student, at: .after(5000))
    _ = try classroom.handle(.leave(at: .after(7000), isEstimated: false), by: .student, at: .after(7000))
    _ = try classroom.handle(.join, by: .student, at: .after(6000))
    #expect(classroom.attendance["ada"]?.milliseconds(until: .after(6500)) == 2000)
    _ = try classroom.handle(.leave(at: .after(6500), isEstimated: false), by: .student, at: .after(6500))
    #expect(classroom.attendance["ada"]?.milliseconds(until: .after(9000)) == 2000)
    #expect(
      classroom.attendance["ada"]?.segments == [
        .init(from: .after(5000), to: .after(7000), isEstimated: false),
        .init(from: .after(7000), to: .after(7000), isEstimated: false),
      ])
  }

  @Test("who is away when the session ends was there until the loss")
  func awayAtTheEnd() throws {
    var classroom = try Classroom.sample(in: .ongoing)
    _ = try classroom.handle(.join, by: .student, at: .after(2000))
    _ = try classroom.handle(.lose(since: .after(7000), isEstimated: true), by: .student, at: .after(8000))
    _ = try classroom.handle(.end, by: .host, at: .after(20_000))
    let row = try #require(classroom.attendance["ada"])
    #expect(row.segments == [.init(from: .after(2000), to: .after(7000), isEstimated: true)])
    #expect(row.milliseconds(until: .after(30_000)) == 5000)
  }

  @Test("an observer has no attendance and may not write")
  func observer() throws {
    var classroom = try Classroom.sample(in: .ongoing)
    let observer = Actor.named("inspector", .observer)
    #expect(try classroom.handle(.join, by: observer, at: .after(2000)).events.isEmpty)
    #expect(classroom.attendance["inspector"] == nil)
    #expect(classroom.refusal(of: .sendChat(text: "I see you"), by: observer) == .forbidden)
  }

  @Test("nobody joins a session that is not live")
  func joinOnlyLive() throws {
    for status in [SessionStatus.scheduled, .completed] {
      for role in Role.allCases {
        var classroom = try Classroom.sample(in: status)
        #expect(classroom.refusal(of: .join, by: .named("x", role)) == .wrongState(status))
      }
    }
  }

  @Test("leaving without being in changes nothing")
  func leaveWithoutJoin() throws {
    var classroom = try Classroom.sample(in: .ongoing)
    let before = classroom
    let outcome = try classroom.handle(.leave(at: .after(3000), isEstimated: false), by: .student, at: .after(3000))
    #expect(outcome.events.isEmpty)
    #expect(classroom == before)
  }

  @Test("a row tells first join, last leave and whether the person is here")
  func row() throws {
    var classroom = try Classroom.sample(in: .ongoing)
    _ = try classroom.handle(.join, by: .student, at: .after(2000))
    _ = try classroom.handle(.leave(at: .after(3000), isEstimated: false), by: .student, at: .after(3000))
    _ = try classroom.handle(.join, by: .student, at: .after(5000))
    var row = try #require(classroom.attendance["ada"])
    #expect(row.isActive)
    #expect(row.firstJoin == .after(2000))
    #expect(row.lastLeave == nil)
    #expect(row.milliseconds(until: .after(5500)) == 1500)
    _ = try classroom.handle(.end, by: .host, at: .after(6000))
    row = try #require(classroom.attendance["ada"])
    #expect(!row.isActive)
    #expect(row.lastLeave == .after(6000))
  }

  @Test("any history of tabs gives the union of their intervals", arguments: 0..<40)
  func union(seed: UInt64) throws {
    // The model: mark each millisecond in which at least one tab was open, and count the marks.
    var random = SeededGenerator(seed: seed)
    var classroom = try Classroom.sample(in: .ongoing)
    let users = ["u0", "u1", "u2"]
    let length = 400
    var marks = users.map { _ in [Bool](repeating: false, count: length) }
    var tabs = users.map { _ in 0 }
    for moment in 0..<length {
      for index in users.indices {
        let now = Timestamp.after(10_000 + Int64(moment))
        switch Int.random(in: 0..<30, using: &random) {
        case 0..<2:
          tabs[index] += 1
          _ = try classroom.handle(.join, by: .named(users[index]), at: now)
        case 2..<4 where tabs[index] > 0:
          tabs[index] -= 1
          if tabs[index] == 0 {
            _ = try classroom.handle(.leave(at: now, isEstimated: false), by: .named(users[index]), at: now)
          }
        default: break
        }
        marks[index][moment] = tabs[index] > 0
      }
      #expect(classroom.attendance.activeCount == 1 + tabs.count { $0 > 0 })
    }
    let end = Timestamp.after(10_000 + Int64(length))
    for index in users.indices {
      let row = classroom.attendance[users[index]]
      #expect(row?.milliseconds(until: end) ?? 0 == Int64(marks[index].count { $0 }))
      #expect(row?.isActive ?? false == (tabs[index] > 0))
      for (earlier, later) in zip(row?.segments ?? [], (row?.segments ?? []).dropFirst()) {
        let to = try #require(earlier.to, "only the last segment is open")
        #expect(to <= later.from)
      }
    }
  }

  @Test("whatever the clock does, segments are in order and never overlap", arguments: 0..<30)
  func wildClock(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var classroom = try Classroom.sample(in: .ongoing)
    for _ in 0..<200 {
      let now = Timestamp.after(.random(in: -5000...50_000, using: &random))
      if Bool.random(using: &random) {
        _ = try classroom.handle(.join, by: .student, at: now)
      } else {
        let at = Timestamp.after(.random(in: -5000...50_000, using: &random))
        _ = try classroom.handle(.leave(at: at, isEstimated: .random(using: &random)), by: .student, at: now)
      }
    }
    _ = try classroom.handle(.end, by: .host, at: .after(100))
    var last = Timestamp(milliseconds: .min)
    for segment in try #require(classroom.attendance["ada"]).segments {
      let to = try #require(segment.to)
      #expect(last <= segment.from && segment.from <= to)
      last = to
    }
  }

  @Test("a duration of extreme times does not trap")
  func extremes() {
    let segment = Attendance.Segment(
      from: Timestamp(milliseconds: .min), to: Timestamp(milliseconds: .max), isEstimated: false)
    #expect(segment.milliseconds(until: .after(0)) == .max)
    #expect(Timestamp(milliseconds: .max).advanced(byMilliseconds: 1).milliseconds == .max)
    #expect(Timestamp(milliseconds: .min).advanced(byMilliseconds: -1).milliseconds == .min)
    #expect(Timestamp(milliseconds: .min).milliseconds(since: Timestamp(milliseconds: .max)) == .min)
  }

  @Test("who has lost the connection counts until the loss, and who returns was here all the time")
  func absence() throws {
    var classroom = try Classroom.sample(in: .ongoing)
    _ = try classroom.handle(.join, by: .student, at: .after(2000))
    _ = try classroom.handle(.lose(since: .after(4000), isEstimated: true), by: .student, at: .after(4500))
    for (time, expected) in [(3000, 1000), (4000, 2000), (4500, 2000), (20_000, 2000)] as [(Int64, Int64)] {
      #expect(classroom.attendance["ada"]?.milliseconds(until: .after(time)) == expected)
    }
    var gone = classroom
    _ = try gone.handle(.leave(at: .after(4000), isEstimated: true), by: .student, at: .after(24_000))
    #expect(gone.attendance["ada"]?.milliseconds(until: .after(30_000)) == 2000, "it does not fall back")
    _ = try classroom.handle(.join, by: .student, at: .after(9000))
    #expect(classroom.attendance["ada"]?.milliseconds(until: .after(9000)) == 7000)
  }
}
