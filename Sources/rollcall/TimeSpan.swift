import ArgumentParser
import SignalingServer

/// A length of time on the command line: `250ms`, `20s`, `5m`, `1h`, `400d`, or a bare number of seconds.
struct TimeSpan: ExpressibleByArgument {
  var milliseconds: Int64

  init(milliseconds: Int64) {
    self.milliseconds = milliseconds
  }

  init?(argument: String) {
    guard let milliseconds = TimeText.milliseconds(argument) else { return nil }
    self.milliseconds = milliseconds
  }

  var defaultValueDescription: String { TimeText.text(milliseconds) }
}
