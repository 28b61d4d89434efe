import Classroom

/// An attendance report as comma-separated values (RFC 4180): UTF-8, lines that end with CR LF, a header first.
public enum AttendanceCSV {
  private static let columns = [
    "user", "name", "email", "role", "invited", "state", "late", "left_early", "first_join", "last_leave", "minutes",
    "milliseconds", "waiting_milliseconds", "live_milliseconds", "breakout_milliseconds", "segments", "estimated",
    "checked_in",
  ]

  /// The whole report, a line for each person.
  public static func text(_ report: AttendanceReport) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(192 * (report.people.count + 1))
    append(columns.map { .word($0) }, to: &text)
    for person in report.people {
      append(
        [
          .text(person.user), .text(person.name),
          .text(report.scope == .everybody ? person.email ?? "" : ""), .word(person.role.rawValue),
          .flag(person.isInvited), .word(person.hasAttended ? "attended" : "absent"), .flag(person.isLate),
          .flag(person.hasLeftEarly), .time(person.firstJoin), .time(person.lastLeave), .number(person.minutes),
          .number(person.milliseconds), .number(person.waitingMilliseconds), .number(person.liveMilliseconds),
          .number(person.breakoutMilliseconds), .number(Int64(person.segments.count)),
          .flag(person.segments.contains(where: \.isEstimated)), .flag(person.segments.contains(where: \.isCheckedIn)),
        ], to: &text)
    }
    return text
  }

  private enum Field {
    /// What somebody else wrote.
    case text(String)
    /// What has neither separators nor quotes in it.
    case word(String)
    case number(Int64)
    case flag(Bool)
    case time(Timestamp?)
  }

  private static func append(_ fields: [Field], to text: inout [UInt8]) {
    var isFirst = true
    for field in fields {
      if !isFirst { text.append(UInt8(ascii: ",")) }
      isFirst = false
      switch field {
      case .text(let value): append(value, to: &text)
      case .word(let value): text += value.utf8
      case .number(let value): text += "\(value)".utf8
      case .flag(let value): text += (value ? "true" : "false").utf8
      case .time(let value): if let value { text += RFC3339.format(value).utf8 }
      }
    }
    text += [0x0D, 0x0A]
  }

  private static func append(_ value: String, to text: inout [UInt8]) {
    let bytes = Array(value.utf8)
    let guarded = isFormula(value) ? [UInt8(ascii: "'")] + bytes : bytes
    // RFC 4180, section 2, 6 and 7: what has a separator in it stands in quotes, and quotes in it are doubled.
    let needsQuotes =
      guarded.contains { [0x22, 0x2C, 0x0D, 0x0A].contains($0) } || guarded.first == 0x20
      || guarded.last == 0x20
    guard needsQuotes else {
      text += guarded
      return
    }
    text.append(0x22)
    for byte in guarded {
      if byte == 0x22 { text.append(0x22) }
      text.append(byte)
    }
    text.append(0x22)
  }

  /// Whether a spreadsheet would take the text for a formula, white space before it and full-width signs included. An
  /// apostrophe in front keeps it text.
  private static func isFormula(_ value: String) -> Bool {
    guard let first = value.unicodeScalars.first else { return false }
    if ["\t", "\r", "\n"].contains(first) { return true }
    guard let sign = value.unicodeScalars.first(where: { !$0.properties.isWhitespace }) else { return false }
    return ["=", "+", "-", "@", "\u{FF1D}", "\u{FF0B}", "\u{FF0D}", "\u{FF20}"].contains(sign)
  }
}
