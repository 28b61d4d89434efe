import Glibc

/// Where values lie on an axis, and which of them are named on it.
struct PlotScale {
  let isLogarithmic: Bool
  let range: ClosedRange<Double>
  let ticks: [Double]

  /// An axis from 0 to something round above the greatest value.
  init(linearTo maximum: Double, aboutTicks count: Int = 4) {
    isLogarithmic = false
    let maximum = maximum.isFinite && maximum > 0 ? maximum : 1
    let step = Self.roundStep(maximum / Double(max(1, count)))
    let steps = max(1, Int((maximum / step).rounded(.up)))
    range = 0...(step * Double(steps))
    ticks = (0...steps).map { step * Double($0) }
  }

  /// An axis of powers of ten around the values.
  init(logarithmicFrom minimum: Double, to maximum: Double) {
    isLogarithmic = true
    let low = floor(log10(max(minimum, 1e-3)))
    let high = max(low + 1, ceil(log10(max(maximum, 1e-3))))
    range = pow(10, low)...pow(10, high)
    ticks = stride(from: low, through: high, by: 1).map { pow(10, $0) }
  }

  /// An axis of time from 0 to exactly the end.
  init(time end: Double) {
    isLogarithmic = false
    range = 0...max(end, 1e-3)
    let step = Self.roundStep(max(end, 1e-3) / 8)
    ticks = stride(from: 0, through: end, by: step).map { $0 }
  }

  /// The place of a value, from 0 to 1.
  func place(_ value: Double) -> Double {
    guard value.isFinite else { return 0 }
    let place =
      isLogarithmic
      ? (log10(max(value, range.lowerBound)) - log10(range.lowerBound))
        / (log10(range.upperBound) - log10(range.lowerBound))
      : (value - range.lowerBound) / (range.upperBound - range.lowerBound)
    return min(1, max(0, place))
  }

  /// 1, 2 or 5 times a power of ten, not below the wish.
  static func roundStep(_ wish: Double) -> Double {
    guard wish.isFinite, wish > 0 else { return 1 }
    let power = pow(10, floor(log10(wish)))
    for factor in [1.0, 2, 5] where factor * power >= wish * 0.999_999 { return factor * power }
    return 10 * power
  }

  /// A number short enough for an axis: 1.5k, 20M, 0.1.
  static func label(_ value: Double) -> String {
    for (factor, suffix) in [(1e9, "G"), (1e6, "M"), (1e3, "k")] where value.magnitude >= factor {
      return trimmed(value / factor) + suffix
    }
    return trimmed(value)
  }

  private static func trimmed(_ value: Double) -> String {
    var text = DecimalText.text(value, decimals: value.magnitude < 0.1 ? 3 : value.magnitude < 10 ? 2 : 1)
    while text.hasSuffix("0"), text.contains(".") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text
  }
}

extension PlotScale {
  static func tenTo(_ exponent: Double) -> Double { pow(10, exponent) }
}
