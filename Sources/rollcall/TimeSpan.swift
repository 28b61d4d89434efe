import ArgumentParser

/// A length of time on the command line: `250ms`, `20s`, `5m`, `1h`, `400d`, or a bare number of seconds.
struct TimeSpan: ExpressibleByArgument {
  var milliseconds: Int64

  private static let units: [(suffix: String, milliseconds: Int64)] = [
    ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
  ]

  init(milliseconds: Int64) {
    self.milliseconds = milliseconds
  }

  init?(argument: String) {
    let unit = Self.units.first { argument.hasSuffix($0.suffix) }
    let digits = argument.dropLast(unit?.suffix.count ?? 0)
    guard let number = Int64(digits), number >= 0 else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: unit?.milliseconds ?? 1000)
    guard !overflow, product <= 10 * 366 * 86_400_000 else { return nil }
    milliseconds = product
  }

  var defaultValueDescription: String {
    let unit = Self.units.last { milliseconds % $0.milliseconds == 0 && milliseconds >= $0.milliseconds }
    return unit.map { "\(milliseconds / $0.milliseconds)\($0.suffix)" } ?? "\(milliseconds)ms"
  }
}
