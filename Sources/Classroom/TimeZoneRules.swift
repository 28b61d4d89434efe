/// How the clocks of one place go: a file of the tz database (TZif, RFC 9636).
public struct TimeZoneRules: Sendable {
  /// From each of these times on, in seconds since 1970 and ascending, the offset beside it holds.
  private var transitions: [Int64] = []
  /// One more than ``transitions``: the first is that of the time before them all. In seconds east of UTC.
  private var offsets: [Int64] = []
  /// What holds after the last transition, if the file says so.
  private var footer: PosixTimeZone?

  /// Reads a file; nil when it is none of this kind, or damaged.
  public init?(_ file: [UInt8]) {
    guard let first = TZifHeader(file, at: 0) else { return nil }
    // Version 1 has times of 32 bits; from version 2 on the same follows with 64 (RFC 9636, 3.1).
    guard first.version >= 2 else {
      guard read(file, first, at: TZifHeader.size, timeBytes: 4) != nil else { return nil }
      return
    }
    let second = TZifHeader.size + first.dataSize(timeBytes: 4)
    guard let header = TZifHeader(file, at: second),
      let end = read(file, header, at: second + TZifHeader.size, timeBytes: 8)
    else { return nil }
    guard end < file.count, file[end] == UInt8(ascii: "\n"),
      let close = file[(end + 1)...].firstIndex(of: UInt8(ascii: "\n"))
    else { return nil }
    let text = file[(end + 1)..<close]
    guard !text.isEmpty else { return }
    guard let rule = PosixTimeZone(text) else { return nil }
    footer = rule
  }

  /// - Returns: where the data end, or nil when they are damaged.
  private mutating func read(_ file: [UInt8], _ header: TZifHeader, at start: Int, timeBytes: Int) -> Int? {
    guard header.typeCount > 0, start + header.dataSize(timeBytes: timeBytes) <= file.count else { return nil }
    let indices = start + header.timeCount * timeBytes
    let types = indices + header.timeCount
    func offset(ofType index: Int) -> Int64? {
      guard index < header.typeCount else { return nil }
      return Int64(Int32(truncatingIfNeeded: Self.number(file, at: types + index * 6, bytes: 4)))
    }
    guard let initial = offset(ofType: 0) else { return nil }
    offsets = [initial]
    for index in 0..<header.timeCount {
      guard let next = offset(ofType: Int(file[indices + index])) else { return nil }
      let raw = Self.number(file, at: start + index * timeBytes, bytes: timeBytes)
      let time = timeBytes == 4 ? Int64(Int32(truncatingIfNeeded: raw)) : raw
      if let last = transitions.last, time <= last { return nil }
      transitions.append(time)
      offsets.append(next)
    }
    return start + header.dataSize(timeBytes: timeBytes)
  }

  fileprivate static func number(_ file: [UInt8], at start: Int, bytes: Int) -> Int64 {
    var value: UInt64 = 0
    for byte in file[start..<(start + bytes)] { value = value << 8 | UInt64(byte) }
    return Int64(bitPattern: value)
  }

  /// The offset at a time, in seconds east of UTC.
  public func offset(at time: Int64) -> Int64 {
    if let footer, transitions.last.map({ time >= $0 }) ?? true { return footer.offset(at: time) }
    var low = 0
    var high = transitions.count
    while low < high {
      let middle = low + (high - low) / 2
      if transitions[middle] <= time { low = middle + 1 } else { high = middle }
    }
    return offsets[low]
  }

  /// The point in time, in seconds since 1970, at which the clocks show this; the first of two, or nil when they leave it out.
  public func instant(of local: LocalTime) -> Int64? {
    // No clock is more than a day and a bit from UTC; no zone changes twice within two days.
    let day: Int64 = 93_600
    let (before, underflow) = local.seconds.subtractingReportingOverflow(day)
    let (after, overflow) = local.seconds.addingReportingOverflow(day)
    guard !underflow, !overflow else { return nil }
    let candidates = Set([offset(at: before), offset(at: after)]).map { local.seconds &- $0 }.sorted()
    return candidates.first { $0 &+ offset(at: $0) == local.seconds }
  }
}

/// The counts at the head of a block (RFC 9636, 3.1).
private struct TZifHeader {
  static let size = 44

  let version: UInt8
  let utcCount: Int
  let standardCount: Int
  let leapCount: Int
  let timeCount: Int
  let typeCount: Int
  let nameBytes: Int

  init?(_ file: [UInt8], at start: Int) {
    guard start >= 0, file.count >= start + Self.size,
      file[start..<(start + 4)].elementsEqual("TZif".utf8)
    else { return nil }
    let digit = file[start + 4]
    version = digit == 0 ? 1 : digit &- UInt8(ascii: "0")
    func count(_ index: Int) -> Int { Int(TimeZoneRules.number(file, at: start + 20 + index * 4, bytes: 4)) }
    (utcCount, standardCount, leapCount) = (count(0), count(1), count(2))
    (timeCount, typeCount, nameBytes) = (count(3), count(4), count(5))
    // Real files have a few hundred of each.
    guard [utcCount, standardCount, leapCount, timeCount, typeCount, nameBytes].allSatisfy({ $0 <= 100_000 }) else {
      return nil
    }
  }

  func dataSize(timeBytes: Int) -> Int {
    timeCount * (timeBytes + 1) + typeCount * 6 + nameBytes + leapCount * (timeBytes + 4) + standardCount + utcCount
  }
}

/// A rule for all times, as POSIX writes it in `TZ` (RFC 9636, 3.3): `CET-1CEST,M3.5.0,M10.5.0/3`.
struct PosixTimeZone: Sendable {
  /// When, every year, the clocks change.
  private enum Day: Sendable {
    /// A day of a month: the week from 1, 5 the last, and the weekday from Sunday, 0.
    case weekday(month: Int64, week: Int64, day: Int64)
    /// The day of the year from 1, 29 February never counted.
    case julian(Int64)
    /// The day of the year from 0.
    case ordinal(Int64)
  }

  private struct Change: Sendable {
    var day: Day
    /// Seconds after midnight by the clocks before the change.
    var time: Int64
  }

  private let standard: Int64
  private var summer: (offset: Int64, begins: Change, ends: Change)?

  init?(_ text: some Sequence<UInt8>) {
    var reader = Reader(rest: ArraySlice(Array(text)))
    guard reader.takeName(), let west = reader.takeTime() else { return nil }
    standard = -west
    guard !reader.rest.isEmpty else { return }
    guard reader.takeName() else { return nil }
    var offset = standard + 3600
    if let next = reader.rest.first, next != UInt8(ascii: ",") {
      guard let west = reader.takeTime() else { return nil }
      offset = -west
    }
    guard reader.take(","), let begins = reader.takeChange(), reader.take(","), let ends = reader.takeChange(),
      reader.rest.isEmpty
    else { return nil }
    summer = (offset, begins, ends)
  }

  /// The offset at a time, in seconds east of UTC.
  func offset(at time: Int64) -> Int64 {
    guard let summer else { return standard }
    let year = RFC3339.civil(fromDays: RFC3339.floorDivide(time &+ standard, 86_400)).year
    let begins = Self.seconds(of: summer.begins, in: year) - standard
    let ends = Self.seconds(of: summer.ends, in: year) - summer.offset
    // South of the equator summer goes over the turn of the year.
    let isSummer = begins < ends ? time >= begins && time < ends : time >= begins || time < ends
    return isSummer ? summer.offset : standard
  }

  /// What the clocks show at a change, in seconds since they showed the beginning of 1970.
  private static func seconds(of change: Change, in year: Int64) -> Int64 {
    let days: Int64
    switch change.day {
    case .weekday(let month, let week, let weekday):
      let first = RFC3339.days(fromYear: year, month: month, day: 1)
      // 1 January 1970 was a Thursday.
      let firstWeekday = (first + 4) - RFC3339.floorDivide(first + 4, 7) * 7
      var day = (weekday - firstWeekday + 7) % 7 + (week - 1) * 7
      while day >= RFC3339.daysInMonth(month, of: year) { day -= 7 }
      days = first + day
    case .julian(let number):
      let isLeapYear = RFC3339.daysInMonth(2, of: year) == 29
      days = RFC3339.days(fromYear: year, month: 1, day: 1) + number - 1 + (isLeapYear && number >= 60 ? 1 : 0)
    case .ordinal(let number): days = RFC3339.days(fromYear: year, month: 1, day: 1) + number
    }
    return days * 86_400 + change.time
  }

  private struct Reader {
    var rest: ArraySlice<UInt8>

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard rest.first == UInt8(ascii: character) else { return false }
      rest.removeFirst()
      return true
    }

    mutating func takeName() -> Bool {
      if take("<") {
        guard let end = rest.firstIndex(of: UInt8(ascii: ">")), end > rest.startIndex else { return false }
        rest = rest[(end + 1)...]
        return true
      }
      let name = rest.prefix { ($0 | 0x20) >= UInt8(ascii: "a") && ($0 | 0x20) <= UInt8(ascii: "z") }
      rest = rest.dropFirst(name.count)
      return name.count >= 3
    }

    mutating func takeNumber() -> Int64? {
      let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      guard (1...3).contains(digits.count) else { return nil }
      rest = rest.dropFirst(digits.count)
      return digits.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
    }

    /// `[+-]hh[:mm[:ss]]` in seconds; hours up to 167 (RFC 9636, 3.3.1).
    mutating func takeTime() -> Int64? {
      let isNegative = take("-")
      if !isNegative { _ = take("+") }
      guard var seconds = takeNumber(), seconds <= 167 else { return nil }
      seconds *= 3600
      for unit: Int64 in [60, 1] where take(":") {
        guard let number = takeNumber(), number < 60 else { return nil }
        seconds += number * unit
      }
      return isNegative ? -seconds : seconds
    }

    mutating func takeChange() -> Change? {
      let day: Day
      if take("M") {
        guard let month = takeNumber(), (1...12).contains(month), take("."), let week = takeNumber(),
          (1...5).contains(week), take("."), let weekday = takeNumber(), weekday <= 6
        else { return nil }
        day = .weekday(month: month, week: week, day: weekday)
      } else if take("J") {
        guard let number = takeNumber(), (1...365).contains(number) else { return nil }
        day = .julian(number)
      } else {
        guard let number = takeNumber(), number <= 365 else { return nil }
        day = .ordinal(number)
      }
      guard take("/") else { return Change(day: day, time: 7200) }
      guard let time = takeTime() else { return nil }
      return Change(day: day, time: time)
    }
  }
}
