/// Lines over time, drawn as SVG.
struct LinePlot {
  struct Series {
    var name: String
    /// Its column in the timeline, for who points at the plot.
    var key: String
    /// Which of the colours of the page, from 1.
    var colour: Int
    var isFilled = false
    /// Nil where there is no value: the line breaks.
    var values: [Double?]
  }

  var identifier: String
  var title: String
  var unit: String
  var seconds: [Double]
  var series: [Series]
  var marks: [(seconds: Double, label: String)] = []
  var namesMarks = false
  var isLogarithmic = false
  var width = Self.narrow

  /// How wide a plot is that has a row for itself, and one of two.
  static let wide = 1100.0
  static let narrow = 720.0
  static let height = 250.0
  static let left = 52.0
  static let right = 14.0
  static let bottom = 28.0

  private var top: Double { namesMarks ? 56 : 14 }
  private var plotWidth: Double { width - Self.left - Self.right }
  private var plotHeight: Double { Self.height - top - Self.bottom }

  /// Whether there is anything to show.
  var isEmpty: Bool { series.allSatisfy { $0.values.allSatisfy { $0 == nil } } }

  private var vertical: PlotScale {
    let values = series.flatMap { $0.values.compactMap { $0 } }
    return isLogarithmic
      ? PlotScale(logarithmicFrom: values.min() ?? 0.1, to: values.max() ?? 1)
      : PlotScale(linearTo: values.max() ?? 1)
  }

  /// What a plot says, for who cannot see it.
  private var summary: String {
    series.compactMap { series -> String? in
      let values = series.values.compactMap { $0 }
      guard let least = values.min(), let most = values.max() else { return nil }
      return "\(series.name) from \(PlotScale.label(least)) to \(PlotScale.label(most)) \(unit)"
    }.joined(separator: "; ")
  }

  func svg() -> String {
    let time = PlotScale(time: seconds.last ?? 1)
    let vertical = vertical
    func x(_ value: Double) -> Double { Self.left + time.place(value) * plotWidth }
    func y(_ value: Double) -> Double { top + (1 - vertical.place(value)) * plotHeight }

    var svg = Self.open(width: width, identifier: identifier, title: title, summary: "\(title): \(summary).")
    for tick in vertical.ticks {
      svg += Self.line("grid", Self.left, y(tick), width - Self.right, y(tick))
      svg += Self.text("tick", Self.left - 8, y(tick) + 4, "end", PlotScale.label(tick))
    }
    for tick in time.ticks {
      svg += Self.text("tick", x(tick), Self.height - 8, "middle", "\(PlotScale.label(tick)) s")
    }
    svg += drawMarks(x)
    for series in series { svg += draw(series, x: x, y: y) }
    svg += Self.line("axis", Self.left, top + plotHeight, width - Self.right, top + plotHeight)
    svg +=
      #"<line class="cross" x1="0" x2="0" y1="\#(Self.point(top))" y2="\#(Self.point(top + plotHeight))"/>"#
    return svg + "</svg>"
  }

  private func drawMarks(_ x: (Double) -> Double) -> String {
    var svg = ""
    // Names that would run into each other stand in rows.
    var rowEnds = [-1.0, -1, -1]
    for mark in marks.sorted(by: { $0.seconds < $1.seconds }) {
      let place = x(mark.seconds)
      svg += Self.line("mark", place, top - (namesMarks ? 8 : 0), place, top + plotHeight)
      guard namesMarks else { continue }
      let extent = Double(mark.label.count) * 6.2 + 8
      let isLeft = place + extent > width
      let (start, end) = isLeft ? (place - extent, place) : (place, place + extent)
      guard let row = rowEnds.firstIndex(where: { $0 < start }) else { continue }
      rowEnds[row] = end
      svg += Self.text("marker", place + (isLeft ? -3 : 3), 13 + Double(row) * 14, isLeft ? "end" : "start", mark.label)
    }
    return svg
  }

  private func draw(_ series: Series, x: (Double) -> Double, y: (Double) -> Double) -> String {
    var svg = ""
    var run: [(x: Double, y: Double)] = []
    func finish() {
      defer { run = [] }
      guard let first = run.first, let last = run.last else { return }
      let points = run.map { "\(Self.point($0.x)),\(Self.point($0.y))" }.joined(separator: " ")
      if run.count == 1 {
        svg +=
          #"<circle class="dot c\#(series.colour)" cx="\#(Self.point(first.x))" cy="\#(Self.point(first.y))" r="2"/>"#
        return
      }
      if series.isFilled {
        let floor = Self.point(top + plotHeight)
        svg +=
          #"<polygon class="area c\#(series.colour)" points="\#(Self.point(first.x)),\#(floor) \#(points) \#(Self.point(last.x)),\#(floor)"/>"#
      }
      svg += #"<polyline class="line c\#(series.colour)" points="\#(points)"/>"#
    }
    for (second, value) in zip(seconds, series.values) {
      if let value { run.append((x(second), y(value))) } else { finish() }
    }
    finish()
    return svg
  }

  /// Names and colours of the lines.
  var legend: String {
    series.map {
      #"<li><span class="swatch c\#($0.colour)"></span>\#(HTMLText.escape($0.name))</li>"#
    }.joined()
  }

  // MARK: Pieces of SVG

  static func open(width: Double, identifier: String, title: String, summary: String) -> String {
    #"<svg viewBox="0 0 \#(point(width)) \#(point(height))" role="img" aria-labelledby="\#(identifier)-t \#(identifier)-d">"#
      + #"<title id="\#(identifier)-t">\#(HTMLText.escape(title))</title>"#
      + #"<desc id="\#(identifier)-d">\#(HTMLText.escape(summary))</desc>"#
  }

  static func line(_ name: String, _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) -> String {
    #"<line class="\#(name)" x1="\#(point(x1))" y1="\#(point(y1))" x2="\#(point(x2))" y2="\#(point(y2))"/>"#
  }

  static func text(_ name: String, _ x: Double, _ y: Double, _ anchor: String, _ text: String) -> String {
    #"<text class="\#(name)" x="\#(point(x))" y="\#(point(y))" text-anchor="\#(anchor)">\#(HTMLText.escape(text))</text>"#
  }

  /// A coordinate with one decimal.
  static func point(_ value: Double) -> String { PlotScale.coordinate(value) }
}

extension PlotScale {
  static func coordinate(_ value: Double) -> String {
    let text = DecimalText.text(value, decimals: 1)
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}

/// How often which duration, drawn as SVG: bars over a logarithmic axis.
struct DurationBars {
  var identifier: String
  var title: String
  var histogram: LatencyHistogram
  var width = LinePlot.narrow
  private static let barsPerDecade = 8

  func svg() -> String {
    let time = PlotScale(
      logarithmicFrom: max(0.01, histogram.milliseconds(atPercentile: 0)), to: histogram.maximumMilliseconds)
    let decades = max(1, time.ticks.count - 1)
    let count = decades * Self.barsPerDecade
    let bounds = (0...count).map { index in
      time.ticks[0] * PlotScale.tenTo(Double(index) / Double(Self.barsPerDecade))
    }
    let counts = histogram.counts(between: bounds)
    let vertical = PlotScale(linearTo: Double(counts.max() ?? 1))
    let (top, bottom) = (30.0, LinePlot.height - LinePlot.bottom)
    let plotWidth = width - LinePlot.left - LinePlot.right
    func x(_ value: Double) -> Double { LinePlot.left + time.place(value) * plotWidth }
    func y(_ value: Double) -> Double { bottom - vertical.place(value) * (bottom - top) }
    func short(_ milliseconds: Double) -> String { PlotScale.label(milliseconds) + " ms" }

    let summary =
      "\(title): half below \(short(histogram.milliseconds(atPercentile: 50))), 99% below "
      + "\(short(histogram.milliseconds(atPercentile: 99))), the longest \(short(histogram.maximumMilliseconds))."
    var svg = LinePlot.open(width: width, identifier: identifier, title: title, summary: summary)
    for tick in vertical.ticks {
      svg += LinePlot.line("grid", LinePlot.left, y(tick), width - LinePlot.right, y(tick))
      svg += LinePlot.text("tick", LinePlot.left - 8, y(tick) + 4, "end", PlotScale.label(tick))
    }
    for tick in time.ticks { svg += LinePlot.text("tick", x(tick), LinePlot.height - 8, "middle", short(tick)) }
    for (index, count) in counts.enumerated() where count > 0 {
      let (start, end) = (x(bounds[index]), x(bounds[index + 1]))
      svg +=
        #"<rect class="bar c1" x="\#(LinePlot.point(start + 1))" y="\#(LinePlot.point(y(Double(count))))" width="\#(LinePlot.point(max(1, end - start - 2)))" height="\#(LinePlot.point(max(1, bottom - y(Double(count)))))"><title>\#(HTMLText.escape("\(short(bounds[index])) to \(short(bounds[index + 1])): \(count)"))</title></rect>"#
    }
    // What matters most keeps its name where there is no room for two.
    var named: [Double] = []
    for (percentile, name) in [(99.0, "p99"), (50, "p50"), (90, "p90"), (99.9, "p99.9")] {
      let place = x(histogram.milliseconds(atPercentile: percentile))
      svg += LinePlot.line("mark", place, top - 8, place, bottom)
      guard named.allSatisfy({ ($0 - place).magnitude > 36 }) else { continue }
      named.append(place)
      svg += LinePlot.text("marker", place + 3, 16, "start", name)
    }
    return svg + LinePlot.line("axis", LinePlot.left, bottom, width - LinePlot.right, bottom) + "</svg>"
  }
}
