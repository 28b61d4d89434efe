/// Numbers for people.
enum DecimalText {
  /// A number rounded to so many decimals.
  static func text(_ value: Double, decimals: Int = 1) -> String {
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    let scaled = (value * scale).rounded()
    guard scaled.magnitude < 1e15 else { return "\(value)" }
    let whole = Int64(scaled)
    let fraction = String(whole.magnitude % UInt64(scale))
    let head = (whole < 0 ? "-" : "") + String(whole.magnitude / UInt64(scale))
    return decimals == 0 ? head : head + "." + String(repeating: "0", count: decimals - fraction.count) + fraction
  }

  /// A number with as many decimals as it needs, one at most.
  static func short(_ value: Double) -> String { text(value, decimals: value == value.rounded() ? 0 : 1) }

  /// A whole number with spaces between its thousands.
  static func grouped(_ value: Int) -> String {
    var text = ""
    for (index, digit) in String(value.magnitude).reversed().enumerated() {
      if index > 0, index % 3 == 0 { text.append("\u{202F}") }
      text.append(digit)
    }
    return (value < 0 ? "−" : "") + String(text.reversed())
  }

  /// Text brought to a width from the left or the right.
  static func padded(_ text: String, to width: Int, alignRight: Bool = false) -> String {
    let space = String(repeating: " ", count: max(0, width - text.count))
    return alignRight ? space + text : text + space
  }
}
