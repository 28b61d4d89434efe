import Testing

@testable import Classroom

@Suite("RFC 3339 date-times")
struct RFC3339Tests {
  private static let firstMoment: Int64 = -62_135_596_800_000
  private static let lastMoment: Int64 = 253_402_300_799_999

  @Test(
    "known moments, both ways",
    arguments: [
      (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
      (1_767_225_600_123, "2026-01-01T00:00:00.123Z"),
      (951_782_400_000, "2000-02-29T00:00:00.000Z"), (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
      (4_107_542_400_000, "2100-03-01T00:00:00.000Z"), (firstMoment, "0001-01-01T00:00:00.000Z"),
      (lastMoment, "9999-12-31T23:59:59.999Z"), (-2_203_891_200_000, "1900-03-01T00:00:00.000Z"),
    ] as [(Int64, String)])
  func known(milliseconds: Int64, text: String) {
    #expect(RFC3339.format(Timestamp(milliseconds: milliseconds)) == text)
    #expect(RFC3339.parse(text) == Timestamp(milliseconds: milliseconds))
  }

  @Test("random moments come back as they were")
  func roundTrip() {
    var random = SeededGenerator(seed: 1)
    for _ in 0..<20_000 {
      let moment = Timestamp(milliseconds: .random(in: Self.firstMoment...Self.lastMoment, using: &random))
      #expect(RFC3339.parse(RFC3339.format(moment)) == moment)
    }
  }

  @Test("every day from year 1 to 9999 follows the one before")
  func calendar() {
    // Counted by hand, one day after the other, as a calendar on the wall does.
    var (year, month, day) = (1, 1, 1)
    func isLeap(_ year: Int) -> Bool {
      year.isMultiple(of: 400) || (year.isMultiple(of: 4) && !year.isMultiple(of: 100))
    }
    func padded(_ value: Int, _ digits: Int) -> String {
      let text = String(value)
      return String(repeating: "0", count: digits - text.count) + text
    }
    var moment = Self.firstMoment
    var failures = 0
    while year <= 9999 {
      if year < 3 || year > 9997 || (1896...2105).contains(year) || day == 1 {
        let text = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T00:00:00.000Z"
        if RFC3339.format(Timestamp(milliseconds: moment)) != text || RFC3339.parse(text)?.milliseconds != moment {
          failures += 1
        }
      }
      moment += 86_400_000
      day += 1
      let length = [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
      if day > length { (month, day) = (month + 1, 1) }
      if month > 12 { (year, month) = (year + 1, 1) }
    }
    #expect(failures == 0)
    #expect(moment == Self.lastMoment + 1)
  }

  @Test(
    "forms that are allowed",
    arguments: [
      ("2026-01-01T00:00:00Z", 0), ("2026-01-01t00:00:00z", 0), ("2026-01-01 00:00:00Z", 0),
      ("2026-01-01T00:00:00.5Z", 500), ("2026-01-01T00:00:00.1239999999999999999999Z", 123),
      ("2026-01-01T01:30:00+01:30", 0), ("2025-12-31T18:30:00-05:30", 0), ("2026-01-01T00:00:00-00:00", 0),
      ("2026-01-01T23:59:00+23:59", 0),
    ] as [(String, Int64)])
  func allowed(text: String, offset: Int64) {
    #expect(RFC3339.parse(text) == .after(offset))
  }

  @Test(
    "what is not a date-time",
    arguments: [
      "", "2026", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01T00:00Z", "2026-02-29T00:00:00Z",
      "2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
      "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
      "2026-06-30T23:59:60Z", "0000-01-01T00:00:00Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00+24:00",
      "2026-01-01T00:00:00+00:60", "2026-01-01T00:00:00+0000", "2026-01-01T00:00:00+00", "2026-01-01T00:00:00ZZ",
      " 2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z ", "26-01-01T00:00:00Z", "12026-01-01T00:00:00Z",
      "2026-1-01T00:00:00Z", "-026-01-01T00:00:00Z", "２０26-01-01T00:00:00Z", "2026-01-01T00:00:00,5Z",
      "2026-01-01T00:00:00.12aZ", "2026-01-01T0a:00:00Z",
    ])
  func refused(text: String) {
    #expect(RFC3339.parse(text) == nil)
  }

  @Test("moments that no four-digit year can say are clamped, and an offset does not lead out of the range")
  func clamped() {
    #expect(RFC3339.format(Timestamp(milliseconds: .min)) == "0001-01-01T00:00:00.000Z")
    #expect(RFC3339.format(Timestamp(milliseconds: .max)) == "9999-12-31T23:59:59.999Z")
    for text in ["0001-01-01T00:00:00+00:01", "9999-12-31T23:59:00-00:01"] {
      #expect(RFC3339.parse(text) == nil, "in UTC this has no four-digit year: \(text)")
    }
  }
}
