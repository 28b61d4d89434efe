import Histogram
import JSON

/// Durations in microseconds.
struct LatencyHistogram {
  private var histogram: Histogram<UInt64>

  /// - Parameter isCoarse: keeps one digit less, in a tenth of the memory: for what is begun anew often.
  init(isCoarse: Bool = false) {
    histogram = Histogram(
      lowestDiscernibleValue: 1, highestTrackableValue: 3_600_000_000,
      numberOfSignificantValueDigits: isCoarse ? .two : .three)
  }

  var count: UInt64 { histogram.totalCount }

  mutating func record(nanoseconds: Int64) {
    _ = histogram.record(UInt64(min(max(nanoseconds / 1000, 1), 3_600_000_000)))
  }

  mutating func reset() { histogram.reset() }

  /// How many durations lie above one bound and not above the next, the bounds in milliseconds.
  func counts(between bounds: [Double]) -> [UInt64] {
    var counts = [UInt64](repeating: 0, count: max(0, bounds.count - 1))
    for entry in histogram.recordedValues() {
      let milliseconds = Double(entry.value) / 1000
      guard let upper = bounds.firstIndex(where: { milliseconds <= $0 }), upper > 0 else { continue }
      counts[upper - 1] += entry.count
    }
    return counts
  }

  /// The mean in milliseconds; 0 when nothing was recorded.
  var meanMilliseconds: Double { count == 0 ? 0 : histogram.mean / 1000 }

  /// Milliseconds; 0 when nothing was recorded.
  func milliseconds(atPercentile percentile: Double) -> Double {
    count == 0 ? 0 : Double(histogram.valueAtPercentile(percentile)) / 1000
  }

  var maximumMilliseconds: Double { count == 0 ? 0 : Double(histogram.maxRecorded) / 1000 }

  func write(into writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("count", count)
      writer.field("p50", milliseconds(atPercentile: 50))
      writer.field("p90", milliseconds(atPercentile: 90))
      writer.field("p99", milliseconds(atPercentile: 99))
      writer.field("max", maximumMilliseconds)
    }
  }
}

/// The durations of one part of a run. Messages and signals count from when they were due, so that a server or a
/// generator that stalls does not hide what it would have shown (coordinated omission).
struct Latencies {
  /// Message due until its event is back at the sender.
  var chatRoundTrip = LatencyHistogram()
  /// Message due until it is acknowledged.
  var chatAcknowledgement = LatencyHistogram()
  /// Signal due until it is back from the partner.
  var signalRoundTrip = LatencyHistogram()
  /// Ping sent until its pong: how long the loop of a session lets something small wait.
  var probe = LatencyHistogram()
  /// Message or signal due until it was sent: what the load tester itself was late by.
  var generatorLag = LatencyHistogram()

  func write(into writer: inout JSONWriter) {
    writer.object { writer in
      writer.key("chat_round_trip")
      chatRoundTrip.write(into: &writer)
      writer.key("chat_ack")
      chatAcknowledgement.write(into: &writer)
      writer.key("signal_round_trip")
      signalRoundTrip.write(into: &writer)
      writer.key("probe")
      probe.write(into: &writer)
      writer.key("generator_lag")
      generatorLag.write(into: &writer)
    }
  }
}
