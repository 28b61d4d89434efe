import Classroom
import JSON

/// A report as one page of HTML that needs nothing else: no font, no script and no picture is loaded.
struct HTMLReport {
  private let report: LoadReport
  private var measurements: Measurements { report.measurements }

  init(_ report: LoadReport) { self.report = report }

  var page: String {
    let title = "\(report.plan.scenario.title): load test of \(report.plan.target.authority)"
    var timeline = JSONWriter()
    report.timeline.write(into: &timeline)
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="generator" content="Rollcall loadtest">
      <title>\(HTMLText.escape(title))</title>
      <style>\(ReportStyle.css)</style>
      </head>
      <body>
      <main>
      \(header)
      \(cases)
      \(tiles)
      \(plots)
      \(checks)
      \(latencies)
      \(doings)
      \(method)
      <footer>Made by the load tester of Rollcall. Plots without colours: the table of figures holds the same numbers.</footer>
      </main>
      <script type="application/json" id="timeline">\(HTMLText.escapeScript(timeline.bytes))</script>
      <script>\(ReportStyle.script)</script>
      </body>
      </html>

      """
  }

  // MARK: The head

  private static let yes = #"<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M5 13l4.5 4.5L19 7.5"/></svg>"#
  private static let no = #"<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M6 6l12 12M18 6L6 18"/></svg>"#

  private var header: String {
    let plan = report.plan
    let people =
      (plan.sessions == 1 ? "one session" : "\(DecimalText.grouped(plan.sessions)) sessions")
      + " of \(DecimalText.grouped(plan.attendees)) attendees"
    let facts = [
      people,
      plan.target.authority + (plan.security == nil ? "" : " with TLS") + (plan.compresses ? ", compressed" : ""),
      Self.moment(report.beganAt),
      "\(DecimalText.text(report.runSeconds, decimals: 0)) s",
    ]
    let faults = report.faults.total
    let verdict =
      report.isRight
      ? "Everything was right"
      : "\(DecimalText.grouped(Int(clamping: faults))) \(faults == 1 ? "thing" : "things") wrong"
    return """
      <header>
      <div><p class="brand">Rollcall load test</p><h1>\(HTMLText.escape(plan.scenario.title))</h1>
      <p class="meta">\(facts.map(HTMLText.escape).joined(separator: " · "))</p></div>
      <div class="verdict \(report.isRight ? "pass" : "fail")">\(report.isRight ? Self.yes : Self.no)\
      <span>\(HTMLText.escape(verdict))</span></div>
      </header>
      """
  }

  /// The first cases of what went wrong.
  private var cases: String {
    guard !report.isRight else { return "" }
    let items = report.faults.examples.map { "<li>\(HTMLText.escape($0))</li>" }.joined(separator: "\n")
    return
      #"<section class="card cases" aria-label="What went wrong"><h3>What went wrong</h3><ul>\#(items)</ul></section>"#
  }

  private var tiles: String {
    var tiles: [(name: String, value: String, remark: String)] = []
    tiles.append(
      ("Joins", DecimalText.grouped(measurements.joins), "p99 \(Self.milliseconds(measurements.join.p99)) until in"))
    let peak = report.timeline.samples.map { Double($0.delivered) / $0.length }.max() ?? 0
    tiles.append(
      ("Events delivered", DecimalText.grouped(measurements.delivered), "up to \(PlotScale.label(peak)) a second"))
    let chat = report.chatRoundTrip
    if chat.count > 0 {
      tiles.append(
        (
          "Message to its sender and all", Self.milliseconds(chat.milliseconds(atPercentile: 50)),
          "p99 \(Self.milliseconds(chat.p99))"
        ))
    }
    let signal = measurements.steady.signalRoundTrip
    if signal.count > 0 {
      tiles.append(
        (
          "Signal there and back", Self.milliseconds(signal.milliseconds(atPercentile: 50)),
          "p99 \(Self.milliseconds(signal.p99))"
        ))
    }
    if measurements.attendanceRows > 0 {
      tiles.append(
        (
          "Attendance off by at most", "\(measurements.attendanceWorstError) ms",
          "\(DecimalText.grouped(measurements.attendanceRows)) rows checked"
        ))
    }
    if measurements.returned > 0 {
      tiles.append(
        (
          "Came back after a loss", DecimalText.grouped(measurements.returned),
          "\(DecimalText.grouped(measurements.recovered)) with everything missed"
        ))
    }
    if let cost = report.microsecondsPerDelivery {
      tiles.append(
        (
          "Server CPU per event", "\(DecimalText.text(cost, decimals: 2)) µs",
          "\(DecimalText.text(report.steadyCPUSeconds ?? 0, decimals: 1)) s altogether"
        ))
    }
    if let server = measurements.afterSteady?.server {
      tiles.append(
        (
          "Server memory", "\(DecimalText.text(Double(server.residentBytes) / 1_048_576)) MiB",
          report.bytesPerAttendee.map { "\(DecimalText.text($0 / 1024)) KiB more per attendee" } ?? "resident"
        ))
    }
    let content = tiles.map {
      #"<div class="tile"><dt>\#(HTMLText.escape($0.name))</dt><dd>\#(HTMLText.escape($0.value))<small>\#(HTMLText.escape($0.remark))</small></dd></div>"#
    }
    return #"<dl class="tiles">\#(content.joined(separator: "\n"))</dl>"#
  }

  /// For example `2026-01-01 09:30 UTC`.
  private static func moment(_ milliseconds: Int64) -> String {
    let text = RFC3339.format(Timestamp(milliseconds: milliseconds))
    return text.prefix(10) + " " + text.dropFirst(11).prefix(5) + " UTC"
  }

  static func milliseconds(_ value: Double) -> String {
    value >= 1000 ? "\(DecimalText.text(value / 1000, decimals: 2)) s" : "\(DecimalText.text(value, decimals: 2)) ms"
  }

  // MARK: Plots

  private var plots: String {
    let samples = report.timeline.samples
    let seconds = samples.map(\.seconds)
    func plot(
      _ identifier: String, _ title: String, _ unit: String, isLogarithmic: Bool = false, _ series: [LinePlot.Series]
    ) -> LinePlot {
      LinePlot(
        identifier: identifier, title: title, unit: unit, seconds: seconds, series: series,
        marks: report.timeline.marks,
        isLogarithmic: isLogarithmic)
    }
    func line(
      _ name: String, _ key: String, _ colour: Int, isFilled: Bool = false, _ value: (Timeline.Sample) -> Double?
    ) -> LinePlot.Series {
      LinePlot.Series(name: name, key: key, colour: colour, isFilled: isFilled, values: samples.map(value))
    }
    var people = plot(
      "people", "Who is there", "people",
      [
        line("open connections", "connections", 4) { Double($0.connections) },
        line("people who are in", "present", 1, isFilled: true) { Double($0.present) },
      ])
    people.namesMarks = true
    people.width = LinePlot.wide
    let others = [
      plot(
        "latency", "Message until its sender sees it", "ms", isLogarithmic: true,
        [
          line("p50", "chat_p50_ms", 1) { $0.p50 }, line("p90", "chat_p90_ms", 2) { $0.p90 },
          line("p99", "chat_p99_ms", 3) { $0.p99 },
        ]),
      plot(
        "deliveries", "Events delivered", "per second",
        [line("events", "delivered_per_second", 1, isFilled: true) { Double($0.delivered) / $0.length }]),
      plot(
        "joins", "Joins", "per second",
        [line("joins", "joins_per_second", 4, isFilled: true) { Double($0.joins) / $0.length }]),
      plot(
        "small", "Small things between", "ms", isLogarithmic: true,
        [
          line("longest ping", "probe_max_ms", 2) { $0.probe },
          line("signal there and back, p99", "signal_p99_ms", 3) { $0.signal },
        ]),
      plot(
        "cpu", "Processor time", "cores",
        [
          line("server", "server_cpu", 1, isFilled: true) { $0.serverCPU },
          line("load tester", "tester_cpu", 2) { $0.testerCPU },
        ]),
      plot(
        "memory", "Resident memory of the server", "MiB",
        [line("server", "server_mib", 1, isFilled: true) { $0.serverMebibytes }]),
    ].filter { !$0.isEmpty }
    var content = figure(people, isWide: true)
    for plot in others { content += figure(plot, isWide: false) }
    // Two beside each other; who is left over has a row.
    let isWide = others.count.isMultiple(of: 2)
    let bars = DurationBars(
      identifier: "durations", title: "How long messages took", histogram: report.chatRoundTrip,
      width: isWide ? LinePlot.wide : LinePlot.narrow)
    if bars.histogram.count > 0 {
      content +=
        #"<figure class="card\#(isWide ? " wide" : "")"><figcaption><h3>\#(HTMLText.escape(bars.title)) <span class="unit">messages by duration</span></h3></figcaption>\#(bars.svg())</figure>"#
    }
    return "<h2>Over time</h2><div class=\"grid\">\(content)</div>\(figures)"
  }

  private func figure(_ plot: LinePlot, isWide: Bool) -> String {
    let keys = plot.series.map(\.key).joined(separator: "|")
    let names = plot.series.map(\.name).joined(separator: "|")
    return """
      <figure class="card\(isWide ? " wide" : "")" data-keys="\(HTMLText.escape(keys))" \
      data-names="\(HTMLText.escape(names))" data-unit="\(HTMLText.escape(plot.unit))" \
      data-left="\(LinePlot.point(LinePlot.left))" data-right="\(LinePlot.point(plot.width - LinePlot.right))">
      <figcaption><h3>\(HTMLText.escape(plot.title)) <span class="unit">\(HTMLText.escape(plot.unit))</span></h3>\
      <ul class="legend">\(plot.legend)</ul></figcaption>\(plot.svg())<output></output></figure>
      """
  }

  /// The samples for who would rather read than look, thinned out to what can be read.
  private var figures: String {
    let samples = report.timeline.samples
    let step = max(1, (samples.count + 59) / 60)
    func cell(_ value: Double?) -> String { "<td class=\"number\">\(value.map(PlotScale.label) ?? "–")</td>" }
    let rows = stride(from: 0, to: samples.count, by: step).map { index in
      let sample = samples[index]
      return "<tr><th scope=\"row\">\(DecimalText.text(sample.seconds)) s</th>" + cell(Double(sample.connections))
        + cell(Double(sample.present)) + cell(Double(sample.joins) / sample.length)
        + cell(Double(sample.delivered) / sample.length) + cell(sample.p50) + cell(sample.p99) + cell(sample.probe)
        + cell(sample.serverCPU) + cell(sample.serverMebibytes) + "</tr>"
    }
    let head = [
      "Time", "Connections", "In", "Joins/s", "Events/s", "p50 ms", "p99 ms", "Longest ping ms", "Server cores",
      "Server MiB",
    ].enumerated().map { "<th scope=\"col\"\($0 == 0 ? "" : " class=\"number\"")>\($1)</th>" }.joined()
    return """
      <details><summary>These figures as a table</summary><div class="card scroll"><table>
      <caption class="hidden">The figures of the plots</caption>
      <thead><tr>\(head)</tr></thead><tbody>\(rows.joined(separator: "\n"))</tbody></table></div></details>
      """
  }

  // MARK: Tables

  private var checks: String {
    let rows = Faults.Kind.allCases.filter { $0 != .leaked || measurements.openFiles != nil }.map { kind in
      let count = report.faults[kind]
      let evidence = count > 0 ? "\(count) times not so" : report.evidence(of: kind)
      let mark =
        count > 0
        ? #"<td class="check no">\#(Self.no)<span class="hidden">no</span></td>"#
        : #"<td class="check yes">\#(Self.yes)<span class="hidden">yes</span></td>"#
      return "<tr>\(mark)<th scope=\"row\">\(HTMLText.escape(Faults.sentence(for: kind)))</th>"
        + "<td class=\"soft\">\(HTMLText.escape(evidence))</td></tr>"
    }
    return """
      <h2>What was checked</h2><div class="card scroll"><table>
      <caption class="hidden">What must hold in every run, and whether it did</caption>
      <thead><tr><th scope="col"><span class="hidden">Holds</span></th><th scope="col">What must hold</th>\
      <th scope="col">Seen</th></tr></thead><tbody>\(rows.joined(separator: "\n"))</tbody></table></div>
      """
  }

  private var latencies: String {
    let rows = report.durations.filter { $0.histogram.count > 0 }.map { name, histogram in
      let values =
        [50, 90, 99, 99.9].map { histogram.milliseconds(atPercentile: $0) } + [histogram.maximumMilliseconds]
      return "<tr><th scope=\"row\">\(HTMLText.escape(name))</th><td class=\"number\">\(histogram.count)</td>"
        + values.map { "<td class=\"number\">\(DecimalText.text($0, decimals: 2))</td>" }.joined() + "</tr>"
    }
    return """
      <h2>How long things took</h2><div class="card scroll"><table>
      <caption class="hidden">Durations in milliseconds by percentile</caption>
      <thead><tr><th scope="col">Milliseconds</th><th scope="col" class="number">Count</th>\
      <th scope="col" class="number">p50</th><th scope="col" class="number">p90</th><th scope="col" class="number">p99</th>\
      <th scope="col" class="number">p99.9</th><th scope="col" class="number">Longest</th></tr></thead>
      <tbody>\(rows.joined(separator: "\n"))</tbody></table></div>
      """
  }

  private var doings: String {
    var rows = report.planned.map { ("People who \($0.name)", "\($0.count)") }
    for kind in Breakage.allCases {
      if let count = measurements.broken[kind] { rows.append(("Connections broken: \(kind.rawValue)", "\(count)")) }
    }
    if measurements.stoppedReading > 0 {
      rows.append(("Read nothing for a while", "\(measurements.stoppedReading)"))
      rows.append(("… and were closed by the server as slow", "\(measurements.closedAsSlow)"))
    }
    if let files = measurements.openFiles {
      rows.append(("Files the server has open, before and after", "\(files.before), \(files.after)"))
    }
    guard !rows.isEmpty else { return "" }
    let content = rows.map {
      "<tr><th scope=\"row\">\(HTMLText.escape($0))</th><td class=\"number\">\(HTMLText.escape($1))</td></tr>"
    }
    return "<h2>What people did, and what befell them</h2><div class=\"card scroll\"><table>"
      + "<tbody>\(content.joined(separator: "\n"))</tbody></table></div>"
  }

  private var method: String {
    let plan = report.plan
    let isRepeatable = plan.commandLine.contains("--seed")
    let command = "loadtest \(plan.commandLine)" + (isRepeatable ? "" : " --seed \(plan.seed)")
    let lag = measurements.steady.generatorLag
    return """
      <h2>How this was measured</h2><div class="card"><pre>\(HTMLText.escape(command))</pre>
      <p>Every attendee is a client of its own on a socket of its own, that holds the server to the whole protocol. Messages \
      and signals count from when they were due, so that a server or a tester that stalls hides nothing; the tester itself was \
      late by \(HTMLText.escape(Self.milliseconds(lag.milliseconds(atPercentile: 50)))) in the middle and by \
      \(HTMLText.escape(Self.milliseconds(lag.p99))) in 99 of 100 cases. What was due before somebody's own connection was \
      broken counts for the order and for nothing lost, not for the speed.</p></div>
      """
  }
}

extension LatencyHistogram {
  var p99: Double { milliseconds(atPercentile: 99) }
}

extension LoadReport {
  /// Messages of the part that the scenario is about; of the way there when nobody spoke later.
  var chatRoundTrip: LatencyHistogram {
    measurements.steady.chatRoundTrip.count > 0 ? measurements.steady.chatRoundTrip : measurements.ramp.chatRoundTrip
  }

  /// Everything that was timed, with its name.
  var durations: [(name: String, histogram: LatencyHistogram)] {
    [
      ("Join: first packet until in", measurements.join),
      ("Start of the class until in", measurements.admission),
      ("Back after a loss", measurements.comeBack),
      ("Message until its sender sees it", measurements.steady.chatRoundTrip),
      ("Message until it is acknowledged", measurements.steady.chatAcknowledgement),
      ("Message while people come", measurements.ramp.chatRoundTrip),
      ("Signal there and back", measurements.steady.signalRoundTrip),
      ("Ping", measurements.steady.probe),
      ("Herd: all lost until back", herd?.back ?? LatencyHistogram()),
      ("Sent late by the tester", measurements.steady.generatorLag),
    ]
  }

  /// What was looked at to say that something holds.
  func evidence(of kind: Faults.Kind) -> String {
    func counted(_ count: Int, _ what: String) -> String { "\(DecimalText.grouped(count)) \(what)" }
    switch kind {
    case .lost, .duplicated, .reordered, .contradictory: return counted(measurements.delivered, "events at all clients")
    case .unanswered: return counted(acknowledged, "of \(DecimalText.grouped(sent)) messages answered")
    case .signalsLost, .signalsWrong:
      return counted(signalsReturned, "of \(DecimalText.grouped(signalsSent)) signals there and back")
    case .presence:
      return counted(measurements.presenceMessages, "differences, ")
        + counted(presenceCompared, "views compared with another client's")
    case .attendance: return counted(measurements.attendanceRows, "rows against what was done")
    case .notRecovered:
      return counted(measurements.recovered, "of \(DecimalText.grouped(measurements.returned)) resumed")
    case .notJoined: return counted(measurements.joins, "joins")
    case .leaked:
      return measurements.openFiles.map { "\($0.before) files open before, \($0.after) after" } ?? "not looked at"
    case .refused, .dropped, .malformed, .unexpected, .uncleanClose: return "none"
    }
  }
}
