import Glibc

/// The line that tells what goes on: rewritten in place on a terminal, else a line each second.
struct ProgressLine {
  private var last: Checkpoint?
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private var isOpen = false

  mutating func tell(
    at checkpoint: Checkpoint, began: Int64, part: String, present: Int, people: Int, sessions: [ClassSession],
    measurements: Measurements, faults: UInt64
  ) {
    let line = text(
      at: checkpoint, began: began, part: part, present: present, people: people, sessions: sessions,
      measurements: measurements, faults: faults)
    guard isTerminal else { return StandardStreams.tell(line) }
    // To the beginning of the line, the text, and nothing of the longer line before.
    _ = StandardStreams.write(Array("\r\(line)\u{1B}[K".utf8), to: STDERR_FILENO)
    isOpen = true
  }

  /// Ends the line, so that other text begins on its own.
  mutating func end() {
    if isOpen { StandardStreams.tell("") }
    isOpen = false
  }

  private mutating func text(
    at checkpoint: Checkpoint, began: Int64, part: String, present: Int, people: Int, sessions: [ClassSession],
    measurements: Measurements, faults: UInt64
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
    text += " in \(present)/\(people)  sent \(sent)  delivered \(checkpoint.delivered)"
    text += " (\(DecimalText.text(delivered / max(seconds, 1e-3), decimals: 0))/s)  signals \(returned)"
    text += "  p50 \(DecimalText.text(roundTrip.milliseconds(atPercentile: 50)))"
    text += " p99 \(DecimalText.text(roundTrip.milliseconds(atPercentile: 99))) ms"
    if let server = checkpoint.server {
      if let before = last?.server, server.cpuSeconds >= before.cpuSeconds {
        let share = (server.cpuSeconds - before.cpuSeconds) / max(seconds, 1e-3) * 100
        text += "  server \(DecimalText.text(share, decimals: 0))%"
      }
      text += " \(DecimalText.text(Double(server.residentBytes) / 1_048_576)) MiB"
    }
    if faults > 0 { text += "  FAULTS \(faults)" }
    last = checkpoint
    return text
  }
}
