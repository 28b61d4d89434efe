import SignalingClient

/// A reading of the run's counters.
struct Checkpoint {
  /// Nanoseconds of the monotonic clock.
  var time: Int64
  var delivered: Int
  var server: ProcessUsage?
}

/// What a run has measured so far.
struct Measurements {
  /// While people join.
  var ramp = Latencies()
  /// While everybody is in.
  var steady = Latencies()
  /// Since the connections were cut.
  var herd = Latencies()
  /// First packet until `session.joined`.
  var join = LatencyHistogram()
  /// From the wish to start the session until somebody who waited is in.
  var admission = LatencyHistogram()
  /// From the first packet of a new connection until who had lost one is in again.
  var comeBack = LatencyHistogram()
  /// When everybody began to be in; messages due before belong to the ramp.
  var steadyBegan: Int64 = .max
  /// When the connections may be cut; messages due after belong to the return.
  var herdBegan: Int64 = .max

  /// Events of the stream that reached somebody, each counted for each.
  var delivered = 0
  var presenceMessages = 0
  /// Commands with a key that the server could not do at first.
  var delayedCommands = 0
  /// How many have come in, whether they are still there or not.
  var present = 0
  /// How many were gone before they were in.
  var gone = 0
  /// How many connections are no more, and will not be made again.
  var ended = 0
  /// How often somebody came in, the first time or again after having left.
  var joins = 0
  var receivedBytes = 0

  /// What the tester broke, and who came back.
  var broken: [Breakage: Int] = [:]
  var stoppedReading = 0
  /// Connections of slow readers that the server closed.
  var closedAsSlow = 0
  var returned = 0
  var recovered = 0
  var departures = 0

  /// What the attendance reports were held against.
  var attendanceRows = 0
  var attendanceWorstError: Int64 = 0
  var attendanceWidestBounds: Int64 = 0
  /// Files that the server had open with nobody there but the hosts, before and after.
  var openFiles: (before: Int, after: Int)?

  var beforeRamp: Checkpoint?
  var afterRamp: Checkpoint?
  var afterSteady: Checkpoint?
  var firstConnect: Int64?
  var lastJoin: Int64?

  mutating func record(_ path: WritableKeyPath<Latencies, LatencyHistogram>, due: Int64, now: Int64) {
    if due >= herdBegan {
      herd[keyPath: path].record(nanoseconds: now - due)
    } else if due >= steadyBegan {
      steady[keyPath: path].record(nanoseconds: now - due)
    } else {
      ramp[keyPath: path].record(nanoseconds: now - due)
    }
  }
}
