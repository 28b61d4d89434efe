/// Dates as HTTP writes them.
public enum HTTPDate {
  /// The first and last second that four digits of a year can say.
  private static let range: ClosedRange<Int64> = -62_167_219_200...253_402_300_799

  /// IMF-fixdate of RFC 9110 §5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`.
  ///
  /// - Parameter unixSeconds: seconds since 1970; held to the years 0 to 9999.
  public static func format(unixSeconds: Int64) -> String {
    let moment = CalendarMoment(unixSeconds: min(max(unixSeconds, range.lowerBound), range.upperBound))
    let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let weekday = weekdays[Int((moment.days % 7 + 7) % 7)]
    let date = "\(weekday), \(digits(moment.day, 2)) \(months[Int(moment.month - 1)]) \(digits(moment.year, 4))"
    return "\(date) \(moment.time) GMT"
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
}
