/// The line that tells each second what goes on.
struct ProgressLine {
  private var last: Checkpoint?

  mutating func text(
    at checkpoint: Checkpoint, began: Int64, part: String, people: Int, sessions: [ClassSession],
    measurements: Measurements
  ) -> String {
    let seconds = Double(checkpoint.time - (last?.time ?? began)) / 1e9
    let delivered = Double(checkpoint.delivered - (last?.delivered ?? 0))
    var sent = 0
    var returned = 0
    for session in sessions {
      sent += session.chat.sentCount
      returned += session.signals.returnedCount
    }
    let latencies = measurements.steadyBegan == .max ? measurements.ramp : measurements.steady
    let roundTrip = latencies.chatRoundTrip
    var text = DecimalText.padded("\((checkpoint.time - began) / 1_000_000_000) s", to: 6)
    text += DecimalText.padded(part, to: 10)
    text += " in \(measurements.present)/\(people)  sent \(sent)  delivered \(checkpoint.delivered)"
    text += " (\(DecimalText.text(delivered / max(seconds, 1e-3), decimals: 0))/s)  signals \(returned)"
    text += "  round trip p50 \(DecimalText.text(roundTrip.milliseconds(atPercentile: 50)))"
    text += " p99 \(DecimalText.text(roundTrip.milliseconds(atPercentile: 99))) ms"
    if let server = checkpoint.server {
      if let before = last?.server {
        let share = (server.cpuSeconds - before.cpuSeconds) / max(seconds, 1e-3) * 100
        text += "  server \(DecimalText.text(share, decimals: 0))%"
      }
      text += " \(DecimalText.text(Double(server.residentBytes) / 1_048_576)) MiB"
    }
    last = checkpoint
    return text
  }
}
