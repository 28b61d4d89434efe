import Testing

@testable import loadtest

@Suite("The attendance report against what the attendees did")
struct AttendanceCheckTests {
  /// a and b are here since about 1 s and 2 s; c was here from 1 to 3 and from 5 to 6 seconds.
  private func book() -> AttendanceBook {
    var book = AttendanceBook()
    book.begin("a", asked: 1000, answered: 1100)
    book.begin("b", asked: 2000, answered: 2100)
    book.begin("c", asked: 1000, answered: 1010)
    book.leaves("c", at: 3000)
    book.left("c", at: 3010)
    book.begin("c", asked: 5000, answered: 5010)
    book.leaves("c", at: 6000)
    book.left("c", at: 6010)
    return book
  }

  private func row(
    _ user: String, _ milliseconds: Int64, isActive: Bool = true, segments: Int = 1
  ) -> AttendanceRow {
    AttendanceRow(user: user, milliseconds: milliseconds, isActive: isActive, segmentCount: segments)
  }

  private var right: [AttendanceRow] {
    [row("a", 8950), row("b", 7950), row("c", 3000, isActive: false, segments: 2)]
  }

  private func faults(_ rows: [AttendanceRow], _ book: AttendanceBook? = nil) -> Int {
    AttendanceCheck(of: rows, against: book ?? self.book(), requested: 10_000, received: 10_050).faults.count
  }

  @Test("a row for each with what was done is right")
  func nothingWrong() { #expect(faults(right) == 0) }

  @Test("a row too few, too many, or twice is wrong")
  func rows() {
    #expect(faults(Array(right.dropLast())) == 1)
    #expect(faults(right + [row("d", 10)]) == 1)
    #expect(faults(right + [row("b", 7950)]) == 1)
  }

  @Test("less than the time since the join was answered is wrong, more than since it was sent too")
  func time() {
    let slack = AttendanceCheck.slackMilliseconds
    let others = Array(right.dropFirst())
    #expect(faults([row("a", 8900 - slack)] + others) == 0)
    #expect(faults([row("a", 8899 - slack)] + others) == 1)
    #expect(faults([row("a", 9050 + slack)] + others) == 0)
    #expect(faults([row("a", 9051 + slack)] + others) == 1)
  }

  @Test("a planted minute is found, whoever has it", arguments: 0..<3)
  func minute(_ index: Int) {
    var rows = right
    rows[index].milliseconds += 60_000
    #expect(faults(rows) == 1)
    #expect(faults(Saboteur.falsify(right)) == 1)
  }

  @Test("somebody here who is not active, gone and active, or with another number of stays, is wrong")
  func segments() {
    let others = Array(right[1...])
    #expect(faults([row("a", 8950, isActive: false)] + others) == 1)
    #expect(faults([row("a", 8950, segments: 2)] + others) == 1)
    #expect(faults(Array(right[..<2]) + [row("c", 3000, isActive: true, segments: 2)]) == 1)
    #expect(faults(Array(right[..<2]) + [row("c", 3000, isActive: false, segments: 1)]) == 1)
  }

  @Test("coming back while in, or by another tab, begins nothing new")
  func again() {
    var book = book()
    book.begin("a", asked: 7000, answered: 7100)
    #expect(faults(right, book) == 0)
  }

  @Test("after the end nobody is active, and the time stands still")
  func ended() {
    var book = book()
    book.end(asked: 9000, answered: 9010)
    #expect(faults(right, book) == 2)
    let closed = [
      row("a", 7950, isActive: false), row("b", 6950, isActive: false), row("c", 3000, isActive: false, segments: 2),
    ]
    #expect(faults(closed, book) == 0)
  }

  @Test("who was lost on the way may have a row, or not")
  func departed() {
    var book = book()
    book.begin("d", asked: 1, answered: 2)
    book.lose("d")
    #expect(faults(right, book) == 0)
    #expect(faults(right + [row("d", 10, isActive: false)], book) == 0)
  }

  @Test("it is told how far off the worst row was, and how much was looked at")
  func worst() {
    let check = AttendanceCheck(
      of: [row("a", 8800)] + right.dropFirst(), against: book(), requested: 10_000, received: 10_050)
    #expect(check.worstError == 100)
    #expect(check.checked == 3)
    #expect(check.faults.isEmpty)
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
