import EventLoop
import JSON

/// What came of a run: a table for people, a line of JSON for programs. ``HTMLReport`` makes a page of it.
struct LoadReport {
  let plan: LoadPlan
  let measurements: Measurements
  let timeline: Timeline
  let herd: HerdMeasurements?
  let faults: Faults
  let planned: [(name: String, count: Int)]
  private(set) var sent = 0
  private(set) var acknowledged = 0
  private(set) var signalsSent = 0
  private(set) var signalsReturned = 0
  /// How many views of presence were compared with others.
  private(set) var presenceCompared = 0
  /// When the run began: milliseconds since 1970.
  let beganAt: Int64
  let runSeconds: Double

  init(of run: LoadRun) {
    plan = run.plan
    measurements = run.measurements
    timeline = run.timeline
    herd = run.herd
    faults = run.faults
    planned = run.planned
    runSeconds = Double(run.now() - run.began) / 1e9
    beganAt = WallClock.milliseconds() - Int64(runSeconds * 1000)
    for session in run.sessions {
      sent += session.chat.sentCount
      acknowledged += session.chat.acknowledgedCount
      signalsSent += session.signals.sentCount
      signalsReturned += session.signals.returnedCount
      presenceCompared += session.presence.compared
    }
  }

  /// Whether everything was right.
  var isRight: Bool { faults.isEmpty }

  // MARK: Figures

  var joined: UInt64 { measurements.join.count }

  var joinSeconds: Double {
    guard let first = measurements.firstConnect, let last = measurements.lastJoin, last > first else { return 0 }
    return Double(last - first) / 1e9
  }

  var joinsPerSecond: Double { joinSeconds > 0 ? Double(joined) / joinSeconds : 0 }

  var steadySeconds: Double {
    guard let from = measurements.afterRamp, let to = measurements.afterSteady else { return 0 }
    return Double(to.time - from.time) / 1e9
  }

  var steadyDelivered: Int {
    guard let from = measurements.afterRamp, let to = measurements.afterSteady else { return 0 }
    return to.delivered - from.delivered
  }

  /// In a class people come all the time.
  private var hasRamp: Bool { plan.scenario != .classroom }

  var rampCPUSeconds: Double? {
    hasRamp ? cpuSeconds(measurements.beforeRamp, measurements.afterRamp) : nil
  }

  var steadyCPUSeconds: Double? { cpuSeconds(measurements.afterRamp, measurements.afterSteady) }

  private func cpuSeconds(_ from: Checkpoint?, _ to: Checkpoint?) -> Double? {
    guard let from = from?.server, let to = to?.server else { return nil }
    return to.cpuSeconds - from.cpuSeconds
  }

  var microsecondsPerDelivery: Double? {
    steadyDelivered > 0 ? steadyCPUSeconds.map { $0 * 1e6 / Double(steadyDelivered) } : nil
  }

  var microsecondsPerJoin: Double? { joined > 0 ? rampCPUSeconds.map { $0 * 1e6 / Double(joined) } : nil }

  var bytesPerAttendee: Double? {
    guard hasRamp, joined > 0, let from = measurements.beforeRamp?.server, let to = measurements.afterRamp?.server
    else { return nil }
    return Double(to.residentBytes - from.residentBytes) / Double(joined)
  }

  // MARK: For people

  var table: String {
    var lines: [String] = []
    func row(_ name: String, _ value: String) { lines.append("  " + DecimalText.padded(name, to: 24) + value) }
    func latency(_ name: String, _ histogram: LatencyHistogram) {
      guard histogram.count > 0 else { return }
      let values = [50, 90, 99].map { histogram.milliseconds(atPercentile: $0) } + [histogram.maximumMilliseconds]
      row(name, values.map { DecimalText.padded(DecimalText.text($0, decimals: 2), to: 10, alignRight: true) }.joined())
    }
    lines.append(
      "\(plan.scenario.rawValue): \(plan.sessions) sessions with \(plan.attendees) attendees and a host each, "
        + "seed \(plan.seed)")
    row(
      "joined",
      "\(joined) in \(DecimalText.text(joinSeconds, decimals: 2)) s, \(DecimalText.text(joinsPerSecond, decimals: 0))/s"
    )
    row(
      "presence",
      "\(plan.attendeePresence.name), hosts \(plan.hostPresence.rawValue); \(measurements.presenceMessages) messages"
    )
    row("chat", "\(sent) sent, \(acknowledged) acknowledged")
    row("events delivered", "\(measurements.delivered)")
    row(
      "in the steady part",
      "\(steadyDelivered) in \(DecimalText.text(steadySeconds)) s, "
        + "\(DecimalText.text(Double(steadyDelivered) / max(steadySeconds, 1e-3), decimals: 0))/s")
    row("lost", "\(faults[.lost]), duplicated \(faults[.duplicated]), out of order \(faults[.reordered])")
    row("signals", "\(signalsSent) sent, \(signalsReturned) back")
    for (name, count) in planned { row(name == planned.first?.name ? "planned" : "", "\(count) \(name)") }
    if !measurements.broken.isEmpty || measurements.stoppedReading > 0 {
      let kinds = Breakage.allCases.compactMap { kind in measurements.broken[kind].map { "\($0) \(kind.rawValue)" } }
      row(
        "connections broken",
        (kinds + ["\(measurements.stoppedReading) read nothing for a while"]).joined(separator: ", "))
      row(
        "",
        "\(measurements.returned) came back, \(measurements.recovered) recovered, "
          + "\(measurements.closedAsSlow) were closed as slow")
    }
    row(
      "attendance",
      "\(measurements.attendanceRows) rows checked, off by \(measurements.attendanceWorstError) ms at most")
    if let files = measurements.openFiles { row("files of the server", "\(files.before) before, \(files.after) after") }
    lines.append("  " + DecimalText.padded("milliseconds", to: 24) + "       p50       p90       p99       max")
    latency("join", measurements.join)
    latency("in at the start", measurements.admission)
    latency("back after a loss", measurements.comeBack)
    latency("chat round trip", measurements.steady.chatRoundTrip)
    latency("chat acknowledgement", measurements.steady.chatAcknowledgement)
    latency("signal there and back", measurements.steady.signalRoundTrip)
    latency("ping", measurements.steady.probe)
    latency("sent late by", measurements.steady.generatorLag)
    latency("chat while joining", measurements.ramp.chatRoundTrip)
    if let herd {
      latency("back after the restart", herd.back)
      latency("… the last attempt of it", herd.attempt)
      latency("chat ack meanwhile", measurements.herd.chatAcknowledgement)
      row("cut off", "\(herd.cut), came back \(herd.returned), recovered \(herd.recovered)")
      for (reason, count) in herd.notRecovered.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
        row("", "\(count) not recovered: \(reason.rawValue)")
      }
      row("attempts that failed", "\(herd.failedAttempts), at most \(max(0, herd.mostAttempts - 1)) of one")
      if let server = herd.server {
        row("server CPU", "\(DecimalText.text(server.cpuSeconds, decimals: 2)) s since its start")
      }
    }
    if let server = measurements.afterSteady?.server {
      row(
        "server CPU",
        (rampCPUSeconds.map { "\(DecimalText.text($0, decimals: 2)) s joining, " } ?? "")
          + "\(DecimalText.text(steadyCPUSeconds ?? 0, decimals: 2)) s steady")
      if let microsecondsPerJoin { row("", "\(DecimalText.text(microsecondsPerJoin)) µs for each join") }
      if let microsecondsPerDelivery {
        row("", "\(DecimalText.text(microsecondsPerDelivery, decimals: 2)) µs for each event delivered")
      }
      row("server memory", "\(DecimalText.text(Double(server.residentBytes) / 1_048_576)) MiB resident")
      if let bytesPerAttendee { row("", "\(DecimalText.text(bytesPerAttendee / 1024)) KiB more for each attendee") }
    }
    if isRight {
      lines.append("  everything was right")
    } else {
      lines.append("  WRONG:")
      for kind in Faults.Kind.allCases where faults[kind] > 0 { row("  " + kind.rawValue, "\(faults[kind])") }
      for example in faults.examples { lines.append("    " + example) }
    }
    return lines.joined(separator: "\n")
  }

  // MARK: For programs

  /// One line; durations in milliseconds unless the name says otherwise.
  var json: [UInt8] {
    var writer = JSONWriter(reserving: 2048)
    writer.object { writer in
      writer.field("ok", isRight)
      writer.field("scenario", plan.scenario.rawValue)
      writer.field("seed", plan.seed)
      writer.field("sessions", plan.sessions)
      writer.field("attendees", plan.attendees)
      writer.field("seconds", plan.seconds)
      writer.key("joins")
      writer.object { writer in
        writer.field("seconds", joinSeconds)
        writer.field("per_second", joinsPerSecond)
        writer.key("latency_ms")
        measurements.join.write(into: &writer)
      }
      writer.key("chat")
      writer.object { writer in
        writer.field("sent", sent)
        writer.field("acknowledged", acknowledged)
        writer.field("delivered", measurements.delivered)
        writer.field("steady_delivered", steadyDelivered)
        writer.field("steady_delivered_per_second", Double(steadyDelivered) / max(steadySeconds, 1e-3))
      }
      writer.key("signals")
      writer.object { writer in
        writer.field("sent", signalsSent)
        writer.field("returned", signalsReturned)
      }
      writer.key("presence")
      writer.object { writer in
        writer.field("mode", plan.attendeePresence.name)
        writer.field("messages", measurements.presenceMessages)
        writer.field("compared", presenceCompared)
      }
      writer.object("attendance") { writer in
        writer.field("rows", measurements.attendanceRows)
        writer.field("worst_error_ms", measurements.attendanceWorstError)
        writer.field("widest_bounds_ms", measurements.attendanceWidestBounds)
      }
      writeBroken(into: &writer)
      writer.key("steady_latency_ms")
      measurements.steady.write(into: &writer)
      writer.key("ramp_latency_ms")
      measurements.ramp.write(into: &writer)
      if let herd {
        writer.key("herd")
        herd.write(into: &writer)
        writer.key("herd_latency_ms")
        measurements.herd.write(into: &writer)
        writer.field("delayed_commands", measurements.delayedCommands)
      }
      writer.key("server")
      writeServer(into: &writer)
      writer.key("timeline")
      timeline.write(into: &writer)
      writer.key("faults")
      writer.object { writer in
        for kind in Faults.Kind.allCases {
          writer.key(kind.rawValue)
          writer.integer(faults[kind])
        }
      }
      writer.key("examples")
      writer.array { writer in for example in faults.examples { writer.string(example) } }
    }
    return writer.bytes
  }

  private func writeBroken(into writer: inout JSONWriter) {
    writer.object("planned") { writer in
      for (name, count) in planned {
        writer.key(name)
        writer.integer(count)
      }
    }
    writer.object("broken") { writer in
      for kind in Breakage.allCases {
        writer.key(kind.rawValue)
        writer.integer(measurements.broken[kind] ?? 0)
      }
      writer.field("stopped_reading", measurements.stoppedReading)
      writer.field("closed_as_slow", measurements.closedAsSlow)
      writer.field("returned", measurements.returned)
      writer.field("recovered", measurements.recovered)
      writer.key("back_ms")
      measurements.comeBack.write(into: &writer)
    }
    writer.key("admission_ms")
    measurements.admission.write(into: &writer)
    if let files = measurements.openFiles {
      writer.object("open_files") { writer in
        writer.field("before", files.before)
        writer.field("after", files.after)
      }
    }
  }

  /// Null without `--server-pid`.
  private func writeServer(into writer: inout JSONWriter) {
    guard let server = measurements.afterSteady?.server else { return writer.null() }
    writer.object { writer in
      writer.field("cpu_seconds", server.cpuSeconds)
      if let rampCPUSeconds { writer.field("ramp_cpu_seconds", rampCPUSeconds) }
      if let steadyCPUSeconds { writer.field("steady_cpu_seconds", steadyCPUSeconds) }
      if let microsecondsPerJoin { writer.field("cpu_us_per_join", microsecondsPerJoin) }
      if let microsecondsPerDelivery { writer.field("cpu_us_per_delivery", microsecondsPerDelivery) }
      writer.field("resident_bytes", server.residentBytes)
      if let bytesPerAttendee { writer.field("resident_bytes_per_attendee", bytesPerAttendee) }
    }
  }
}
