import JSON

/// The figures of a run over time, in samples of equal length.
struct Timeline {
  struct Sample {
    /// From the beginning of the run to the end of the sample.
    var seconds: Double
    /// How long the sample is.
    var length: Double
    /// Open connections, and people who are in.
    var connections = 0
    var present = 0
    var delivered = 0
    var joins = 0
    /// Milliseconds of the chat round trip; nil when nothing came back.
    var p50: Double?
    var p90: Double?
    var p99: Double?
    /// Milliseconds that the host's ping took at most, and a signal there and back by its p99.
    var probe: Double?
    var signal: Double?
    /// Shares of one core.
    var serverCPU: Double?
    var testerCPU: Double?
    var serverBytes: Int?
    var receivedBytes = 0

    var serverMebibytes: Double? { serverBytes.map { Double($0) / 1_048_576 } }
  }

  private(set) var samples: [Sample] = []
  private(set) var marks: [(seconds: Double, label: String)] = []
  /// When the run began, in nanoseconds of the monotonic clock.
  let began: Int64
  private(set) var interval: Int64 = 250_000_000
  private(set) var nextSample: Int64

  private var chat = LatencyHistogram(isCoarse: true)
  private var probe = LatencyHistogram(isCoarse: true)
  private var signal = LatencyHistogram(isCoarse: true)
  private var last: (time: Int64, delivered: Int, joins: Int, received: Int, server: ProcessUsage?, tester: Double)
  private static let capacity = 480

  init(began: Int64) {
    self.began = began
    nextSample = began + interval
    last = (began, 0, 0, 0, nil, ProcessUsage.ownCPUSeconds)
  }

  mutating func mark(_ label: String, at time: Int64) { marks.append((Double(time - began) / 1e9, label)) }

  mutating func recordChat(nanoseconds: Int64) { chat.record(nanoseconds: nanoseconds) }
  mutating func recordProbe(nanoseconds: Int64) { probe.record(nanoseconds: nanoseconds) }
  mutating func recordSignal(nanoseconds: Int64) { signal.record(nanoseconds: nanoseconds) }

  /// Takes a sample.
  mutating func take(
    at now: Int64, connections: Int, present: Int, delivered: Int, joins: Int, receivedBytes: Int, server: ProcessUsage?
  ) {
    let length = Double(now - last.time) / 1e9
    guard length > 0 else { return }
    var sample = Sample(seconds: Double(now - began) / 1e9, length: length)
    sample.connections = connections
    sample.present = present
    sample.delivered = delivered - last.delivered
    sample.joins = joins - last.joins
    sample.receivedBytes = receivedBytes - last.received
    if chat.count > 0 {
      sample.p50 = chat.milliseconds(atPercentile: 50)
      sample.p90 = chat.milliseconds(atPercentile: 90)
      sample.p99 = chat.milliseconds(atPercentile: 99)
    }
    if probe.count > 0 { sample.probe = probe.maximumMilliseconds }
    if signal.count > 0 { sample.signal = signal.milliseconds(atPercentile: 99) }
    chat.reset()
    probe.reset()
    signal.reset()
    let tester = ProcessUsage.ownCPUSeconds
    sample.testerCPU = (tester - last.tester) / length
    if let server {
      sample.serverBytes = server.residentBytes
      // A server that was started again has used less than the one before.
      if let before = last.server, server.cpuSeconds >= before.cpuSeconds {
        sample.serverCPU = (server.cpuSeconds - before.cpuSeconds) / length
      }
    }
    samples.append(sample)
    last = (now, delivered, joins, receivedBytes, server, tester)
    if samples.count >= Self.capacity { merge() }
    nextSample = now + interval
  }

  /// Makes one sample of two, so that a long run has as many as a short one.
  private mutating func merge() {
    interval *= 2
    samples = stride(from: 0, to: samples.count - 1, by: 2).map { index in
      let (first, second) = (samples[index], samples[index + 1])
      var both = second
      both.length = first.length + second.length
      both.delivered += first.delivered
      both.joins += first.joins
      both.receivedBytes += first.receivedBytes
      // The greater of two percentiles: nothing bad gets lost by merging.
      both.p50 = Self.greater(first.p50, second.p50)
      both.p90 = Self.greater(first.p90, second.p90)
      both.p99 = Self.greater(first.p99, second.p99)
      both.probe = Self.greater(first.probe, second.probe)
      both.signal = Self.greater(first.signal, second.signal)
      both.serverCPU = Self.mean(first.serverCPU, second.serverCPU)
      both.testerCPU = Self.mean(first.testerCPU, second.testerCPU)
      return both
    }
  }

  private static func greater(_ first: Double?, _ second: Double?) -> Double? {
    [first, second].compactMap { $0 }.max()
  }

  private static func mean(_ first: Double?, _ second: Double?) -> Double? {
    guard let first, let second else { return first ?? second }
    return (first + second) / 2
  }

  /// One array for each figure, null where there is none.
  func write(into writer: inout JSONWriter) {
    writer.object { writer in
      writer.array("marks") { writer in
        for mark in marks {
          writer.object { writer in
            writer.field("seconds", mark.seconds)
            writer.field("label", mark.label)
          }
        }
      }
      column("seconds", into: &writer) { $0.seconds }
      column("connections", into: &writer) { Double($0.connections) }
      column("present", into: &writer) { Double($0.present) }
      column("delivered_per_second", into: &writer) { Double($0.delivered) / $0.length }
      column("joins_per_second", into: &writer) { Double($0.joins) / $0.length }
      column("received_bytes_per_second", into: &writer) { Double($0.receivedBytes) / $0.length }
      column("chat_p50_ms", into: &writer) { $0.p50 }
      column("chat_p90_ms", into: &writer) { $0.p90 }
      column("chat_p99_ms", into: &writer) { $0.p99 }
      column("probe_max_ms", into: &writer) { $0.probe }
      column("signal_p99_ms", into: &writer) { $0.signal }
      column("server_cpu", into: &writer) { $0.serverCPU }
      column("tester_cpu", into: &writer) { $0.testerCPU }
      column("server_mib", into: &writer) { $0.serverMebibytes }
    }
  }

  private func column(_ name: StaticString, into writer: inout JSONWriter, _ value: (Sample) -> Double?) {
    writer.array(name) { writer in
      for sample in samples {
        if let value = value(sample) { writer.number((value * 1000).rounded() / 1000) } else { writer.null() }
      }
    }
  }
}
