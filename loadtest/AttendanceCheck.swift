/// One row of the attendance report.
struct AttendanceRow {
  var user: String
  var milliseconds: Int64
  var isActive: Bool
  var segmentCount: Int
}

/// Whether an attendance report tells what the attendees did.
struct AttendanceCheck {
  /// What clocks and their rounding may differ by. The server's clock stands still within a tick.
  static let slackMilliseconds: Int64 = 1000

  /// A sentence for each thing that is wrong.
  private(set) var faults: [String] = []
  /// How many rows were held against what was done.
  private(set) var checked = 0
  /// How far a row was outside of what is possible, at most, in milliseconds.
  private(set) var worstError: Int64 = 0
  /// How wide the possible is, at most: between a wish and its answer nobody outside knows.
  private(set) var widestBounds: Int64 = 0

  /// - Parameters:
  ///   - rows: the report.
  ///   - book: what everybody did.
  ///   - requested: when the report was asked for, by the clock of the book.
  ///   - received: when it had come.
  init(of rows: [AttendanceRow], against book: AttendanceBook, requested: Int64, received: Int64) {
    var found: [String: AttendanceRow] = [:]
    for row in rows where found.updateValue(row, forKey: row.user) != nil {
      faults.append("\(row.user) has two rows in the attendance report")
    }
    for user in book.segments.keys.sorted() where !book.lost.contains(user) {
      guard let expected = book.expectation(of: user, requested: requested, received: received) else { continue }
      guard let row = found.removeValue(forKey: user) else {
        faults.append("\(user) has no row in the attendance report")
        continue
      }
      compare(row, expected)
    }
    for user in found.keys.sorted() where !book.lost.contains(user) {
      faults.append("\(user) is in the attendance report and was not here")
    }
  }

  private mutating func compare(_ row: AttendanceRow, _ expected: AttendanceBook.Expectation) {
    checked += 1
    if row.isActive != expected.isActive {
      faults.append(
        "\(row.user) is \(expected.isActive ? "here" : "not here") and the attendance report says otherwise")
    }
    if row.segmentCount != expected.segmentCount {
      faults.append("\(row.user) has \(row.segmentCount) attendance segments instead of \(expected.segmentCount)")
    }
    let (least, most) = (expected.milliseconds.lowerBound, expected.milliseconds.upperBound)
    widestBounds = max(widestBounds, most - least)
    let error = max(least - row.milliseconds, row.milliseconds - most, 0)
    worstError = max(worstError, error)
    if error > Self.slackMilliseconds {
      faults.append("\(row.user) has attended \(row.milliseconds) ms instead of \(least) to \(most)")
    }
  }
}
