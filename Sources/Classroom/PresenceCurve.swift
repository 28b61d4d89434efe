/// How many people are in, over time: from intervals, each with its beginning and without its end.
struct PresenceCurve {
  /// Where the number changes, as the time and by how much.
  private var changes: [(at: Int64, by: Int)] = []
  private var isSorted = true

  /// Somebody is in from then until then.
  mutating func add(from: Timestamp, to: Timestamp) {
    guard from < to else { return }
    changes.append((from.milliseconds, 1))
    changes.append((to.milliseconds, -1))
    isSorted = false
  }

  /// Of changes at one time those down come first: who comes at the moment when another goes is not in with the other.
  private mutating func sort() {
    guard !isSorted else { return }
    changes.sort { $0.at != $1.at ? $0.at < $1.at : $0.by < $1.by }
    isSorted = true
  }

  /// The largest number, and when it was first reached.
  mutating func peak() -> (count: Int, at: Timestamp?) {
    sort()
    var count = 0
    var peak = 0
    var time: Timestamp?
    for change in changes {
      count += change.by
      if count > peak {
        peak = count
        time = Timestamp(milliseconds: change.at)
      }
    }
    return (peak, time)
  }

  /// The steps that a series can have: those that people read off easily, in milliseconds.
  private static let steps: [Int64] = [
    1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000,
    7_200_000, 21_600_000, 43_200_000, 86_400_000,
  ]

  /// What a series covers at most: a hundred years.
  private static let longest: Int64 = 36_525 * 86_400_000

  /// The largest number in each step from the beginning of the first span to the end of the last.
  mutating func series(in spans: [Attendance.Span], at now: Timestamp) -> AttendanceReport.Series? {
    guard let first = spans.first, let last = spans.last else { return nil }
    sort()
    let start = first.from.milliseconds
    let length = min(max(0, (last.to ?? now).milliseconds(since: first.from)), Self.longest)
    let step = Self.step(for: length)
    let points = max(1, Int((length + step - 1) / step))
    var counts: [Int] = []
    counts.reserveCapacity(points)
    var count = 0
    var index = 0
    for point in 0..<points {
      let beginning = start + Int64(point) * step
      while index < changes.count, changes[index].at <= beginning {
        count += changes[index].by
        index += 1
      }
      var most = count
      while index < changes.count, changes[index].at < beginning + step {
        count += changes[index].by
        most = max(most, count)
        index += 1
      }
      counts.append(most)
    }
    return AttendanceReport.Series(from: first.from, stepMilliseconds: step, counts: counts)
  }

  private static func step(for length: Int64) -> Int64 {
    let points = Int64(AttendanceReport.Series.maximumPoints)
    if let step = steps.first(where: { (length + $0 - 1) / $0 <= points }) { return step }
    let day: Int64 = 86_400_000
    let days = (length / day + points) / points
    return days * day
  }
}
