import JSON
import Testing

@testable import loadtest

@Suite("The plots")
struct PlotTests {
  @Test("an axis ends at something round above the greatest value", arguments: [0.0, 0.3, 1, 7, 99, 101, 12_345, 3e9])
  func linear(_ maximum: Double) {
    let scale = PlotScale(linearTo: maximum)
    #expect(scale.range.upperBound >= maximum)
    #expect(scale.range.upperBound <= max(1, maximum * 2.5))
    #expect((2...8).contains(scale.ticks.count))
    #expect(scale.place(scale.range.upperBound) == 1)
    #expect(scale.place(0) == 0)
  }

  @Test("a logarithmic axis holds its values")
  func logarithmic() {
    let scale = PlotScale(logarithmicFrom: 0.2, to: 1500)
    #expect(scale.ticks.count == 6)
    #expect(scale.place(0.1) == 0)
    #expect(scale.place(10_000) == 1)
    #expect(abs(scale.place(10) - 0.4) < 1e-9)
    #expect(PlotScale(logarithmicFrom: 5, to: 5).ticks.count == 2)
  }

  @Test("what is no number does not get into a picture")
  func oddNumbers() {
    for value in [Double.nan, .infinity, -.infinity] {
      #expect(PlotScale(linearTo: value).place(1) >= 0)
      #expect(PlotScale(linearTo: 10).place(value) == 0)
    }
  }

  @Test("numbers on an axis are short")
  func labels() {
    for (value, label) in [(0, "0"), (0.1, "0.1"), (1500, "1.5k"), (20_000_000, "20M"), (0.025, "0.025"), (250, "250")]
    {
      #expect(PlotScale.label(value) == label)
    }
  }

  @Test("a line breaks where there is no value, and a lone value is a dot")
  func gaps() {
    let plot = LinePlot(
      identifier: "p", title: "P", unit: "u", seconds: [1, 2, 3, 4, 5],
      series: [.init(name: "a", key: "a", colour: 1, values: [1, 2, nil, 3, nil])])
    let svg = plot.svg()
    #expect(svg.matches(of: /<polyline/).count == 1)
    #expect(svg.matches(of: /<circle/).count == 1)
    #expect(!svg.contains("nan"))
  }

  @Test("the picture says in words what it shows")
  func words() {
    let plot = LinePlot(
      identifier: "p", title: "Joins", unit: "per second", seconds: [1, 2],
      series: [.init(name: "joins", key: "j", colour: 1, values: [1, 25])])
    #expect(plot.svg().contains("Joins: joins from 1 to 25 per second."))
  }
}

@Suite("Text in the page")
struct HTMLTextTests {
  @Test("nothing in a text is markup")
  func escape() {
    #expect(
      HTMLText.escape("<script>alert(\"a\")&'b'</script>")
        == "&lt;script&gt;alert(&quot;a&quot;)&amp;&#39;b&#39;&lt;/script&gt;")
    #expect(HTMLText.escape("a\u{0}b\u{1B}[Kc") == "a\u{FFFD}b\u{FFFD}[Kc")
    #expect(HTMLText.escape("Grüße, 日本\n") == "Grüße, 日本\n")
  }

  @Test("JSON in a script ends no script")
  func script() {
    let json = Array(#"{"a":"</script><!--&"}"#.utf8)
    let escaped = HTMLText.escapeScript(json)
    #expect(!escaped.contains("<"))
    #expect(!escaped.contains(">"))
    #expect(!escaped.contains("&"))
    var reader = JSONReader()
    let bytes = Array(escaped.utf8)
    let text = bytes.withUnsafeBytes { try? reader.read($0)["a"]?.string }
    #expect(text == "</script><!--&")
  }
}

@Suite("The figures over time")
struct TimelineTests {
  @Test("a long run has no more samples than a short one, and nothing gets lost in them")
  func merge() {
    var timeline = Timeline(began: 0)
    var now: Int64 = 0
    for index in 1...2000 {
      now = timeline.nextSample
      timeline.recordChat(nanoseconds: index == 700 ? 900_000_000 : 1_000_000)
      timeline.take(
        at: now, connections: 5, present: 4, delivered: index * 10, joins: index, receivedBytes: index * 100,
        server: nil)
    }
    #expect(timeline.samples.count < 480)
    #expect(timeline.samples.map(\.delivered).reduce(0, +) == 20_000)
    #expect(timeline.samples.map(\.joins).reduce(0, +) == 2000)
    #expect(timeline.samples.compactMap(\.p99).max().map { $0 > 890 } == true)
    #expect(timeline.samples.last?.seconds == Double(now) / 1e9)
  }
}
