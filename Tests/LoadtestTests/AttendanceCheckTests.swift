import Testing

@testable import loadtest

@Suite("The attendance report against what the attendees saw")
struct AttendanceCheckTests {
  fileprivate let witnesses = [
    AttendanceWitness(user: "a", joinSent: 1000, joined: 1100),
    AttendanceWitness(user: "b", joinSent: 2000, joined: 2100),
  ]

  fileprivate func row(
    _ user: String, _ milliseconds: Int64, isActive: Bool = true, segments: Int = 1
  ) -> AttendanceRow {
    AttendanceRow(user: user, milliseconds: milliseconds, isActive: isActive, segmentCount: segments)
  }

  private func faults(_ rows: [AttendanceRow]) -> Int {
    AttendanceCheck.faults(in: rows, witnesses: witnesses, requested: 10_000, received: 10_050).count
  }

  @Test("a row for each, active, with a plausible time, is right")
  func right() { #expect(faults([row("a", 8950), row("b", 7950)]) == 0) }

  @Test("a row too few, too many, or twice is wrong")
  func rows() {
    #expect(faults([row("a", 8950)]) == 1)
    #expect(faults([row("a", 8950), row("b", 7950), row("c", 10)]) == 1)
    #expect(faults([row("a", 8950), row("b", 7950), row("b", 7950)]) == 1)
  }

  @Test("less than the time since the join was answered is wrong, more than since it was sent too")
  func time() {
    let slack = AttendanceCheck.slackMilliseconds
    #expect(faults([row("a", 8900 - slack), row("b", 7950)]) == 0)
    #expect(faults([row("a", 8899 - slack), row("b", 7950)]) == 1)
    #expect(faults([row("a", 9050 + slack), row("b", 7950)]) == 0)
    #expect(faults([row("a", 9051 + slack), row("b", 7950)]) == 1)
  }

  @Test("somebody here who is not active, or whose attendance was cut, is wrong")
  func segments() {
    #expect(faults([row("a", 8950, isActive: false), row("b", 7950)]) == 1)
    #expect(faults([row("a", 8950, segments: 2), row("b", 7950)]) == 1)
  }
}

extension AttendanceCheckTests {
  @Test("who was lost on the way may have a row, or not")
  func departed() {
    for rows in [[row("a", 8950), row("b", 7950)], [row("a", 8950), row("b", 7950), row("c", 10, isActive: false)]] {
      let faults = AttendanceCheck.faults(
        in: rows, witnesses: witnesses, departed: ["c"], requested: 10_000, received: 10_050)
      #expect(faults.isEmpty)
    }
  }
}

@Suite("What goes wrong is counted")
struct FaultsTests {
  @Test("nothing noted is right, and a count of zero is nothing")
  func empty() {
    var faults = Faults()
    faults.note(.lost, count: 0, "nothing")
    #expect(faults.isEmpty)
  }

  @Test("one of any kind makes the run wrong", arguments: Faults.Kind.allCases)
  func each(_ kind: Faults.Kind) {
    var faults = Faults()
    faults.note(kind, "something")
    #expect(!faults.isEmpty)
    #expect(faults[kind] == 1)
  }

  @Test("everything is counted, the first cases are kept in words")
  func examples() {
    var faults = Faults()
    for number in 0..<100 { faults.note(.lost, count: 2, "case \(number)") }
    #expect(faults[.lost] == 200)
    #expect(faults.examples.first == "lost: case 0")
    #expect(faults.examples.count < 6)
  }
}
