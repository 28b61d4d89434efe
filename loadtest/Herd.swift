import EventLoop
import Glibc
import JSON
import SignalingClient

/// How the people came back after all connections were cut at once.
struct HerdMeasurements {
  /// When the server took connections again, in nanoseconds of the monotonic clock, and its process.
  var ready: (time: Int64, process: Int32)?
  /// When the first connection was cut.
  var firstCut: Int64?
  var cut = 0
  var returned = 0
  var recovered = 0
  /// Why the others were not recovered, by reason.
  var notRecovered: [JoinedEvent.NotRecovered: Int] = [:]
  /// Attempts to connect that failed.
  var failedAttempts = 0
  /// The most attempts that anybody needed.
  var mostAttempts = 0
  /// From the first packet of the attempt that succeeded until the client was in again.
  var attempt = LatencyHistogram()
  /// From the server's readiness until a client was in again.
  var back = LatencyHistogram()
  /// What the server had used when everybody was back.
  var server: ProcessUsage?

  func write(into writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("cut", cut)
      writer.field("returned", returned)
      writer.field("recovered", recovered)
      writer.object("not_recovered") { writer in
        for reason in JoinedEvent.NotRecovered.allCases {
          if let count = notRecovered[reason] {
            writer.key(reason.rawValue)
            writer.integer(count)
          }
        }
      }
      writer.field("failed_attempts", failedAttempts)
      writer.field("most_attempts", mostAttempts)
      writer.key("attempt_ms")
      attempt.write(into: &writer)
      writer.field("down_ms", ready.flatMap { ready in firstCut.map { Double(ready.time - $0) / 1e6 } } ?? -1)
      writer.key("back_ms")
      back.write(into: &writer)
      if let server { writer.field("server_cpu_seconds", server.cpuSeconds) }
    }
  }
}

/// Lines from standard input, as they come: `ready NANOSECONDS PID` says when a server took connections again.
struct HerdInput {
  private var rest: [UInt8] = []

  /// Reads what there is.
  /// - Returns: the last readiness that was told, and whether more can come.
  mutating func read() -> (ready: (time: Int64, process: Int32)?, isOpen: Bool) {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = buffer.withUnsafeMutableBytes { Glibc.read(0, $0.baseAddress, $0.count) }
    guard count > 0 else { return (nil, false) }
    rest += buffer[..<count]
    var ready: (time: Int64, process: Int32)?
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      ready = Self.parse(String(decoding: rest[..<end], as: UTF8.self)) ?? ready
      rest.removeSubrange(...end)
    }
    return (ready, true)
  }

  static func parse(_ line: String) -> (time: Int64, process: Int32)? {
    let words = line.split(separator: " ")
    guard words.count == 3, words[0] == "ready", let time = Int64(words[1]), let process = Int32(words[2]) else {
      return nil
    }
    return (time, process)
  }
}
