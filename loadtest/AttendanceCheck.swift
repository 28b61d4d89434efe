/// One row of the attendance report.
struct AttendanceRow {
  var user: String
  var milliseconds: Int64
  var isActive: Bool
  var segmentCount: Int
}

/// When somebody was in the session, as far as that can be known from outside; milliseconds of the monotonic clock.
struct AttendanceWitness {
  var user: String
  /// When the join was sent: attendance cannot have begun before.
  var joinSent: Int64
  /// When the answer came: attendance must have begun by then.
  var joined: Int64
}

/// Whether an attendance report tells what the attendees themselves saw.
enum AttendanceCheck {
  /// What clocks and their rounding may differ by. The server's clock stands still within a tick.
  static let slackMilliseconds: Int64 = 250

  /// - Parameters:
  ///   - rows: the report.
  ///   - witnesses: everybody who is in the session.
  ///   - departed: who was lost on the way: whether they have a row is not known.
  ///   - requested: when the report was asked for, by the clock of the witnesses.
  ///   - received: when it had come.
  /// - Returns: a sentence for each thing that is wrong.
  static func faults(
    in rows: [AttendanceRow], witnesses: [AttendanceWitness], departed: Set<String> = [], requested: Int64,
    received: Int64
  ) -> [String] {
    var faults: [String] = []
    var found: [String: AttendanceRow] = [:]
    for row in rows where found.updateValue(row, forKey: row.user) != nil {
      faults.append("\(row.user) has two rows in the attendance report")
    }
    for witness in witnesses {
      guard let row = found.removeValue(forKey: witness.user) else {
        faults.append("\(witness.user) has no row in the attendance report")
        continue
      }
      if !row.isActive { faults.append("\(witness.user) is here and the attendance report says not") }
      if row.segmentCount != 1 {
        faults.append("\(witness.user) has \(row.segmentCount) attendance segments instead of one")
      }
      let least = requested - witness.joined - slackMilliseconds
      let most = received - witness.joinSent + slackMilliseconds
      if row.milliseconds < least || row.milliseconds > most {
        faults.append("\(witness.user) has attended \(row.milliseconds) ms instead of \(least) to \(most)")
      }
    }
    for user in found.keys.sorted() where !departed.contains(user) {
      faults.append("\(user) is in the attendance report and was not here")
    }
    return faults
  }
}
