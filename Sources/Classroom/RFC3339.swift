/// RFC 3339 date-times (https://www.rfc-editor.org/rfc/rfc3339), the text form of a ``Timestamp``.
public enum RFC3339 {
  /// The years that can be written: 0001 to 9999.
  private static let representable: ClosedRange<Int64> = -62_135_596_800_000...253_402_300_799_999

  /// Writes a timestamp in UTC with milliseconds: `2026-01-01T00:00:00.123Z`. Times outside the years 1 to 9999 are clamped.
  public static func format(_ timestamp: Timestamp) -> String {
    let milliseconds = min(max(timestamp.milliseconds, representable.lowerBound), representable.upperBound)
    let days = floorDivide(milliseconds, 86_400_000)
    let inDay = milliseconds - days * 86_400_000
    let (year, month, day) = civil(fromDays: days)
    var text: [UInt8] = []
    text.reserveCapacity(24)
    append(year, digits: 4, to: &text)
    text.append(UInt8(ascii: "-"))
    append(month, digits: 2, to: &text)
    text.append(UInt8(ascii: "-"))
    append(day, digits: 2, to: &text)
    text.append(UInt8(ascii: "T"))
    append(inDay / 3_600_000, digits: 2, to: &text)
    text.append(UInt8(ascii: ":"))
    append(inDay / 60_000 % 60, digits: 2, to: &text)
    text.append(UInt8(ascii: ":"))
    append(inDay / 1000 % 60, digits: 2, to: &text)
    text.append(UInt8(ascii: "."))
    append(inDay % 1000, digits: 3, to: &text)
    text.append(UInt8(ascii: "Z"))
    return String(decoding: text, as: UTF8.self)
  }

  /// Reads a date-time with an offset (`Z` or `±hh:mm`) and an optional fraction, of which milliseconds count.
  /// - Returns: nil for anything else, dates that do not exist (30 February) and leap seconds included.
  public static func parse(_ text: String) -> Timestamp? {
    guard case .instant(let time)? = parse(text, allowingLocal: false) else { return nil }
    return time
  }

  /// Reads a date-time with an offset, or, where that is allowed, one without: what the clocks show somewhere.
  static func parse(_ text: String, allowingLocal: Bool) -> ScheduledTime? {
    var reader = DigitReader(text.utf8)
    guard let year = reader.number(4), year >= 1, reader.take("-"), let month = reader.number(2), reader.take("-"),
      let day = reader.number(2), reader.take("T") || reader.take("t") || reader.take(" "),
      let hour = reader.number(2), reader.take(":"), let minute = reader.number(2),
      let second = allowingLocal && reader.isAtEnd ? 0 : reader.take(":") ? reader.number(2) : nil,
      (1...12).contains(month), day >= 1, day <= daysInMonth(month, of: year), hour < 24, minute < 60, second < 60
    else { return nil }
    var fraction: Int64 = 0
    if reader.take(".") {
      guard let thousandths = reader.thousandths() else { return nil }
      fraction = thousandths
    }
    if allowingLocal, reader.isAtEnd {
      let seconds = days(fromYear: year, month: month, day: day) * 86400 + (hour * 60 + minute) * 60 + second
      return .local(LocalTime(seconds: seconds))
    }
    var offsetMinutes: Int64 = 0
    if !(reader.take("Z") || reader.take("z")) {
      let isBehind = reader.take("-")
      guard isBehind || reader.take("+"), let hours = reader.number(2), reader.take(":"),
        let minutes = reader.number(2),
        hours < 24, minutes < 60
      else { return nil }
      offsetMinutes = (isBehind ? -1 : 1) * (hours * 60 + minutes)
    }
    guard reader.isAtEnd else { return nil }
    let minutesOfDay = hour * 60 + minute - offsetMinutes
    let seconds = days(fromYear: year, month: month, day: day) * 86400 + minutesOfDay * 60 + second
    let milliseconds = seconds * 1000 + fraction
    // An offset can lead out of the years that RFC 3339 can say in UTC.
    return representable.contains(milliseconds) ? .instant(Timestamp(milliseconds: milliseconds)) : nil
  }

  private static func append(_ value: Int64, digits: Int, to text: inout [UInt8]) {
    var divisor: Int64 = 1
    for _ in 1..<digits { divisor *= 10 }
    while divisor > 0 {
      text.append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
      divisor /= 10
    }
  }

  static func daysInMonth(_ month: Int64, of year: Int64) -> Int64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    let quotient = value / divisor
    return value % divisor < 0 ? quotient - 1 : quotient
  }

  /// Days since 1970-01-01 of a date in the proleptic Gregorian calendar. Years count from March, so that the leap day is the last.
  static func days(fromYear year: Int64, month: Int64, day: Int64) -> Int64 {
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = floorDivide(shiftedYear, 400)
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  static func civil(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = floorDivide(shifted, 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }
}

private struct DigitReader {
  private var rest: Substring.UTF8View

  init(_ text: String.UTF8View) {
    rest = text[...]
  }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard rest.first == UInt8(ascii: character) else { return false }
    rest.removeFirst()
    return true
  }

  mutating func number(_ digits: Int) -> Int64? {
    var value: Int64 = 0
    for _ in 0..<digits {
      guard let digit = digit() else { return nil }
      value = value * 10 + digit
    }
    return value
  }

  mutating func thousandths() -> Int64? {
    var value: Int64 = 0
    var count = 0
    while let digit = digit() {
      if count < 3 { value = value * 10 + digit }
      count += 1
    }
    guard count > 0 else { return nil }
    while count < 3 {
      value *= 10
      count += 1
    }
    return value
  }

  private mutating func digit() -> Int64? {
    guard let byte = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
    rest.removeFirst()
    return Int64(byte - UInt8(ascii: "0"))
  }
}
