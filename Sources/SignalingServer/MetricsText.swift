/// The text exposition format of Prometheus, version 0.0.4.
struct MetricsText {
  private(set) var text = ""

  static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// Begins a family of samples.
  private mutating func head(_ name: String, _ help: String, _ type: String) {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
  }

  mutating func gauge(_ name: String, _ help: String, _ value: some Numeric) {
    head(name, help, "gauge")
    text += "\(name) \(value)\n"
  }

  mutating func counter(_ name: String, _ help: String, _ value: some Numeric) {
    head(name, help, "counter")
    text += "\(name) \(value)\n"
  }

  /// A counter for each value of a label, which needs no escaping.
  mutating func counters(_ name: String, _ help: String, label: String, _ values: [(label: String, value: UInt64)]) {
    head(name, help, "counter")
    for value in values { text += "\(name){\(label)=\"\(value.label)\"} \(value.value)\n" }
  }

  /// A gauge for each value of a label, which needs no escaping.
  mutating func gauges(_ name: String, _ help: String, label: String, _ values: [(label: String, value: UInt64)]) {
    head(name, help, "gauge")
    for value in values { text += "\(name){\(label)=\"\(value.label)\"} \(value.value)\n" }
  }

  /// A histogram of times, in seconds.
  ///
  /// - Parameters:
  ///   - bounds: the upper bounds of the buckets in nanoseconds, ascending.
  ///   - counts: how many were in each bucket and not in the one before, and at the end how many were beyond all.
  ///   - nanoseconds: the sum of all.
  mutating func histogram(_ name: String, _ help: String, bounds: [UInt64], counts: [UInt64], nanoseconds: UInt64) {
    head(name, help, "histogram")
    var sum: UInt64 = 0
    for (bound, count) in zip(bounds, counts) {
      sum += count
      text += "\(name)_bucket{le=\"\(Double(bound) / 1e9)\"} \(sum)\n"
    }
    sum += counts.dropFirst(bounds.count).reduce(0, +)
    text += "\(name)_bucket{le=\"+Inf\"} \(sum)\n"
    text += "\(name)_sum \(Double(nanoseconds) / 1e9)\n\(name)_count \(sum)\n"
  }
}
