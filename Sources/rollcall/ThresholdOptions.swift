import ArgumentParser
import Classroom
import SignalingServer

/// From where on somebody counts as late, as gone early, and as there at all.
struct ThresholdOptions: ParsableArguments {
  @Option(name: .customLong("late-after"), help: "Who first comes more than so long after the beginning is late.")
  var lateAfter = TimeSpan(milliseconds: AttendanceReport.Thresholds().lateAfterMilliseconds)

  @Option(
    name: .customLong("left-early-before"), help: "Who is last seen more than so long before the end has left early.")
  var leftEarlyBefore = TimeSpan(milliseconds: AttendanceReport.Thresholds().leftEarlyBeforeMilliseconds)

  @Option(
    name: .customLong("attended-from"),
    help: "Who is there for less has not attended. In a short class, a tenth of its length is enough.")
  var attendedFrom = TimeSpan(milliseconds: AttendanceReport.Thresholds().minimumMilliseconds)

  func validate() throws {
    for (name, value) in [
      ("late-after", lateAfter), ("left-early-before", leftEarlyBefore), ("attended-from", attendedFrom),
    ] where value.milliseconds > 86_400_000 {
      throw ValidationError("--\(name) takes at most a day.")
    }
  }

  var thresholds: AttendanceReport.Thresholds {
    var thresholds = AttendanceReport.Thresholds()
    thresholds.lateAfterMilliseconds = lateAfter.milliseconds
    thresholds.leftEarlyBeforeMilliseconds = leftEarlyBefore.milliseconds
    thresholds.minimumMilliseconds = attendedFrom.milliseconds
    return thresholds
  }
}
