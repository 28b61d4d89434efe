/// Dates as HTTP and JSON write them, always in UTC.
public enum HTTPDate {
  /// The first and last second that four digits of a year can say.
  private static let range: ClosedRange<Int64> = -62_167_219_200...253_402_300_799

  /// IMF-fixdate of RFC 9110 §5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`.
  ///
  /// - Parameter unixSeconds: seconds since 1970; held to the years 0 to 9999.
  public static func format(unixSeconds: Int64) -> String {
    let moment = CalendarMoment(unixSeconds: unixSeconds.clamped(to: range))
    let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let weekday = weekdays[Int((moment.days % 7 + 7) % 7)]
    let date = "\(weekday), \(digits(moment.day, 2)) \(months[Int(moment.month - 1)]) \(digits(moment.year, 4))"
    return "\(date) \(moment.time) GMT"
  }

  /// RFC 3339 with milliseconds when there are any: `1994-11-06T08:49:37Z`, `1994-11-06T08:49:37.250Z`.
  ///
  /// - Parameter unixMilliseconds: milliseconds since 1970; held to the years 0 to 9999.
  public static func formatRFC3339(unixMilliseconds: Int64) -> String {
    let held = unixMilliseconds.clamped(to: (range.lowerBound * 1_000)...(range.upperBound * 1_000 + 999))
    let milliseconds = (held % 1_000 + 1_000) % 1_000
    let moment = CalendarMoment(unixSeconds: (held - milliseconds) / 1_000)
    let fraction = milliseconds == 0 ? "" : "." + digits(milliseconds, 3)
    return "\(digits(moment.year, 4))-\(digits(moment.month, 2))-\(digits(moment.day, 2))T\(moment.time)\(fraction)Z"
  }

  /// Reads a date-time of RFC 3339 §5.6, with any offset; digits beyond the millisecond are dropped, a leap second is
  /// taken as the second after it.
  ///
  /// - Returns: milliseconds since 1970; nil for anything else, dates that do not exist included.
  public static func parseRFC3339(_ text: String) -> Int64? {
    var scanner = DigitScanner(text)
    guard let year = scanner.number(4), scanner.take("-"), let month = scanner.number(2), scanner.take("-"),
      let day = scanner.number(2), scanner.take("T") || scanner.take("t") || scanner.take(" "),
      let hour = scanner.number(2), scanner.take(":"), let minute = scanner.number(2), scanner.take(":"),
      let second = scanner.number(2), 1...12 ~= month, day >= 1, day <= CalendarMoment.days(inMonth: month, year: year),
      hour < 24, minute < 60, second <= 60
    else { return nil }
    var milliseconds: Int64 = 0
    if scanner.take(".") {
      guard let fraction = scanner.fraction() else { return nil }
      milliseconds = fraction
    }
    var offset: Int64 = 0
    if !scanner.take("Z"), !scanner.take("z") {
      let isWest = scanner.take("-")
      guard isWest || scanner.take("+"), let hours = scanner.number(2), scanner.take(":"),
        let minutes = scanner.number(2), hours < 24, minutes < 60
      else { return nil }
      offset = (hours * 60 + minutes) * (isWest ? -60 : 60)
    }
    guard scanner.isAtEnd else { return nil }
    let days = CalendarMoment.days(year: year, month: month, day: day)
    return (days * 86_400 + hour * 3_600 + minute * 60 + second - offset) * 1_000 + milliseconds
  }

  fileprivate static func digits(_ value: Int64, _ width: Int) -> String {
    let text = String(value)
    return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
  }
}

/// A moment in the Gregorian calendar, extended backwards.
private struct CalendarMoment {
  /// Since 1970-01-01.
  let days: Int64
  let year: Int64
  let month: Int64
  let day: Int64
  let secondOfDay: Int64

  init(unixSeconds: Int64) {
    secondOfDay = (unixSeconds % 86_400 + 86_400) % 86_400
    days = (unixSeconds - secondOfDay) / 86_400
    // Years are counted from March, so that the leap day is the last of its year; 400 years have 146,097 days.
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  var time: String {
    let digits = HTTPDate.digits
    return "\(digits(secondOfDay / 3_600, 2)):\(digits(secondOfDay / 60 % 60, 2)):\(digits(secondOfDay % 60, 2))"
  }

  static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    let yearFromMarch = month <= 2 ? year - 1 : year
    let era = (yearFromMarch >= 0 ? yearFromMarch : yearFromMarch - 399) / 400
    let yearOfEra = yearFromMarch - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  static func days(inMonth month: Int64, year: Int64) -> Int64 {
    switch month {
    case 2: return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: return 30
    default: return 31
    }
  }
}

/// Reads runs of digits and single characters.
private struct DigitScanner {
  private var rest: Substring.UTF8View

  init(_ text: String) { rest = text[...].utf8 }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard rest.first == UInt8(ascii: character) else { return false }
    rest.removeFirst()
    return true
  }

  mutating func number(_ width: Int) -> Int64? {
    var value: Int64 = 0
    for _ in 0..<width {
      guard let byte = rest.first, byte.isDigit else { return nil }
      value = value * 10 + Int64(byte &- 0x30)
      rest.removeFirst()
    }
    return value
  }

  /// Digits after the point, in milliseconds; nil without a digit.
  mutating func fraction() -> Int64? {
    var value: Int64 = 0
    var weight: Int64 = 100
    guard rest.first?.isDigit == true else { return nil }
    while let byte = rest.first, byte.isDigit {
      value += Int64(byte &- 0x30) * weight
      weight /= 10
      rest.removeFirst()
    }
    return value
  }
}

extension Int64 {
  fileprivate func clamped(to range: ClosedRange<Int64>) -> Int64 {
    Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
  }
}
