import Histogram
import JSON

/// Durations in microseconds.
struct LatencyHistogram {
  private var histogram = Histogram<UInt64>(
    lowestDiscernibleValue: 1, highestTrackableValue: 3_600_000_000, numberOfSignificantValueDigits: .three)

  var count: UInt64 { histogram.totalCount }

  mutating func record(nanoseconds: Int64) {
    _ = histogram.record(UInt64(min(max(nanoseconds / 1000, 1), 3_600_000_000)))
  }

  mutating func add(_ other: LatencyHistogram) { histogram.add(other.histogram) }

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
