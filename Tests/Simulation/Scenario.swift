/// An invariant that did not hold.
struct Violation {
  var invariant: String
  var detail: String
}

/// What a seed decides before anything happens.
struct Scenario {
  var minutes: Int
  var sessions: Int
  var peoplePerSession: Int
  var loops: Int
  /// The mean time between two things that somebody does, in milliseconds.
  var pace: Int64
  var mischief: Double
  var networkTrouble: Double
  var outages: Int
  var diskTroubles: Int
  var longTexts: Double
  var usesChopping: Bool
  var outboundBytes: Int
  var snapshotBytes: Int
  var snapshotInterval: Int64
  var syncMicroseconds: Int64
  var archiveAfter: Int64
  var catchUpEvents: Int
  /// How long the tokens of the platform are good, in milliseconds.
  var tokenLifetime: Int64
  /// How long after its end a class may go on, in milliseconds.
  var reopenWithin: Int64

  init(_ random: inout Randomness) {
    let isLong = random.chance(0.16)
    minutes = isLong ? random.int(30...75) : random.int(1...5)
    sessions = random.int(1...3)
    peoplePerSession = random.int(2...9)
    loops = random.int(1...2)
    // Every message to a room is read and checked by everybody in it: large rooms speak less.
    let least = Int64(sessions * peoplePerSession * peoplePerSession) * 1000 / 60
    pace = isLong ? random.int64(60_000...180_000) : max(least, random.pick([700, 2000, 5000, 15_000]) ?? 5000)
    mischief = random.chance(0.4) ? 0.03 : 0
    networkTrouble = random.pick([0, 0.01, 0.03, 0.1]) ?? 0
    outages = random.pick([0, 1, 2, 4]) ?? 0
    diskTroubles = random.chance(0.4) ? random.int(1...3) : 0
    longTexts = random.chance(0.2) ? 0.5 : 0
    usesChopping = random.chance(0.3)
    outboundBytes = random.pick([256 * 1024, 48 * 1024]) ?? 256 * 1024
    snapshotBytes = random.pick([4 << 10, 32 << 10, 16 << 20]) ?? 16 << 20
    snapshotInterval = random.pick([5000, 60_000, 300_000]) ?? 300_000
    syncMicroseconds = random.pick([50, 1000, 8000]) ?? 1000
    archiveAfter = random.pick([600_000, 8000]) ?? 600_000
    catchUpEvents = random.pick([256, 7]) ?? 256
    tokenLifetime = random.pick([86_400_000, 86_400_000, 75_000, 200_000]) ?? 86_400_000
    reopenWithin = random.pick([-1, 4000, 60_000]) ?? -1
  }
}
