import Classroom
import Glibc
import JSON
import SignalingProtocol
import SignalingServer

/// What the attendance report of a big class costs, in CPU time of the process.
enum ReportBench {
  /// A class of an hour in which everybody comes once, half lose the connection now and then, and some leave and come back.
  static func run(people: Int) throws {
    let begin = Timestamp(milliseconds: 1_767_225_600_000)
    var details = SessionDraft(title: "Algebra")
    details.admission = .open
    let host = Actor(user: "teacher-1", name: "Ada Teacher", role: .host)
    let creation = Classroom.creation(
      try details.validated(id: "algebra", roomName: "r", host: host.user, at: begin), epoch: "e1", by: host.user)
    guard var room = Classroom(creation) else { return }
    var now = begin
    _ = try room.handle(.start, by: host, at: now)
    let actors = (0..<people).map { number in
      Actor(user: "student-\(number)", name: "Student Number \(number)", role: .participant)
    }
    for actor in actors { _ = try room.handle(.join, by: actor, at: now.advanced(byMilliseconds: 60)) }
    for round in 0..<3 {
      for (number, actor) in actors.enumerated() where number % 2 == round % 2 {
        now = now.advanced(byMilliseconds: 300)
        if number % 5 == 0 {
          _ = try room.handle(.leave(at: now, isEstimated: false), by: actor, at: now)
        } else {
          _ = try room.handle(.lose(since: now, isEstimated: false), by: actor, at: now)
        }
        _ = try room.handle(.join, by: actor, at: now.advanced(byMilliseconds: 5000))
      }
    }
    now = now.advanced(byMilliseconds: 10_000)
    guard let key = ReportKey.generate() else { return }
    var bytes = 0
    figure("attendance report of \(people), JSON, signed") {
      bytes = SignedReport.make(room.report(.everybody, thresholds: .init(), at: now), by: key).count
    }
    print("  \(bytes) bytes")
    figure("attendance report of \(people), CSV") {
      bytes = AttendanceCSV.text(room.report(.everybody, thresholds: .init(), at: now)).count
    }
    figure("figures of all together, for the live summary") {
      bytes = room.attendanceTotals(.init(), at: now).attended
    }
    figure("one page of 100, live") {
      var writer = JSONWriter(reserving: 65_536)
      ServerMessage.attendancePage(
        room.report(.everybody, thresholds: .init(), at: now), after: 0, limit: 100, id: 1, into: &writer)
      bytes = writer.count
    }
    figure("one certificate, signed") {
      bytes = SignedReport.make(room.report(.only("student-7"), thresholds: .init(), at: now), by: key).count
    }
  }

  /// The median of eleven, in milliseconds of CPU.
  private static func figure(_ name: String, _ body: () -> Void) {
    var times: [Double] = []
    for _ in 0..<11 {
      let start = cpu()
      body()
      times.append(cpu() - start)
    }
    times.sort()
    print("\(name): \((times[5] * 1000).rounded() / 1000) ms CPU")
  }

  private static func cpu() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1000 + Double(time.tv_nsec) / 1_000_000
  }
}
