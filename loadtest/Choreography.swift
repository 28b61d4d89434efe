/// Who does what when: decided before a run, so that the same seed gives the same run.
struct Choreography {
  struct Step: Equatable {
    /// From the beginning of the part.
    var second: Double
    var act: Act
    /// 0 is the host.
    var place: Int
  }

  private(set) var steps: [Step] = []
  /// What is worth a mark in the plots.
  private(set) var marks: [(second: Double, label: String)] = []
  /// For how many people something is planned, by its name.
  private(set) var counts: [(name: String, count: Int)] = []

  private mutating func add(_ second: Double, _ act: Act, _ place: Int) {
    steps.append(Step(second: second, act: act, place: place))
  }

  // MARK: A class

  /// An hour's class in so many seconds: people wait before the door, come late, talk in bursts, drop out and come back.
  ///
  /// - Parameters:
  ///   - graceSeconds: how long the server keeps a seat. Who closes the tab does so early enough to be gone before the end.
  static func classroom(
    attendees: Int, seconds: Double, graceSeconds: Double, using random: inout some RandomNumberGenerator
  ) -> Choreography {
    var plan = Choreography()
    let start = 0.1 * seconds
    plan.add(start, .start, 0)
    plan.marks = [(start, "class starts")]

    var arrivals = [Double](repeating: 0, count: attendees + 1)
    for place in 1..<(attendees + 1) {
      let turn = Double.random(in: 0..<1, using: &random)
      let when: Double =
        if turn < 0.45 {
          .random(in: 0.005...0.095, using: &random)
        } else if turn < 0.85 {
          .random(in: 0.1...0.2, using: &random)
        } else {
          .random(in: 0.2...0.45, using: &random)
        }
      arrivals[place] = when * seconds
      plan.add(arrivals[place], .arrive, place)
    }
    plan.counts.append(("wait before the start", arrivals.dropFirst().count { $0 < start }))
    plan.counts.append(("come late", arrivals.dropFirst().count { $0 > 0.2 * seconds }))

    // Everybody has one destiny at most, so that what is expected of each is plain.
    var destinies = Array(1..<(attendees + 1)).shuffled(using: &random)
    func take(_ share: Double) -> [Int] {
      let count = min(destinies.count, Int((Double(attendees) * share).rounded()))
      defer { destinies.removeLast(count) }
      return Array(destinies.suffix(count))
    }
    /// A time in this part of the class, when the person has long been there.
    func time(_ range: ClosedRange<Double>, _ place: Int) -> Double {
      max(.random(in: range, using: &random) * seconds, arrivals[place] + 0.08 * seconds)
    }

    let blip = 0.6 * seconds
    let tenth = take(0.1)
    for (index, place) in tenth.enumerated() {
      let breakage: Breakage = index % 2 == 0 ? .halfOpen : .reset
      plan.add(blip, .lose(breakage, seconds: .random(in: 0.5...max(1, 0.05 * seconds), using: &random)), place)
    }
    if !tenth.isEmpty { plan.marks.append((blip, "network blip")) }
    plan.counts.append(("lose the network at once", tenth.count))

    let leavers = take(0.12)
    for place in leavers { plan.add(time(0.5...0.9, place), .leave, place) }
    plan.counts.append(("leave early", leavers.count))

    let strollers = take(0.06)
    for place in strollers {
      let leaving = time(0.3...0.6, place)
      plan.add(leaving, .leave, place)
      plan.add(leaving + .random(in: 0.05...0.1, using: &random) * seconds + 0.5, .arrive, place)
    }
    plan.counts.append(("step out and come back", strollers.count))

    let lastClose = 1 - (graceSeconds + 3) / seconds
    if lastClose > 0.25 {
      var closers = take(0.05)
      closers.removeAll { arrivals[$0] + 0.08 * seconds > lastClose * seconds }
      for place in closers { plan.add(time(0.2...min(0.6, lastClose), place), .closeTab, place) }
      plan.counts.append(("close the tab", closers.count))
    }

    let unlucky = take(0.1)
    for (index, place) in unlucky.enumerated() {
      let breakage = Breakage.allCases[index % Breakage.allCases.count]
      plan.add(
        time(0.25...0.85, place), .lose(breakage, seconds: .random(in: 0...max(0.5, 0.02 * seconds), using: &random)),
        place)
    }
    plan.counts.append(("lose their connection", unlucky.count))

    let slow = take(0.03)
    for place in slow { plan.add(time(0.3...0.8, place), .stopReading(seconds: 0.05 * seconds), place) }
    plan.counts.append(("read slowly for a while", slow.count))

    let busy = Array(1..<(attendees + 1)).shuffled(using: &random).prefix(max(1, attendees / 5))
    for place in busy {
      plan.add(time(0.2...0.6, place), .toggleMicrophone, place)
      plan.add(time(0.6...0.9, place), .toggleMicrophone, place)
    }
    plan.counts.append(("switch the microphone", busy.count))

    for (when, share, label) in [
      (0.13, 0.1, "hello"), (0.3, 0.05, "question"), (0.5, 0.08, "quiz"), (0.75, 0.05, "question"),
      (0.93, 0.2, "good-bye"),
    ] {
      for _ in 0..<max(1, Int(Double(attendees) * share)) {
        plan.add((when + .random(in: 0...0.03, using: &random)) * seconds, .speak, 0)
      }
      plan.marks.append((when * seconds, label))
    }
    plan.steps.removeAll { $0.second >= seconds * 0.98 }
    plan.steps.sort { $0.second < $1.second }
    plan.marks.sort { $0.second < $1.second }
    return plan
  }

  // MARK: Coming and going

  /// So many departures each second; everybody leaves and comes back, or loses the connection and comes back.
  static func churn(
    attendees: Int, seconds: Double, rate: Double, using random: inout some RandomNumberGenerator
  ) -> Choreography {
    var plan = Choreography()
    let total = Int(rate * seconds)
    guard total > 0 else { return plan }
    // Nobody has the next turn before the one before is surely over.
    var free = [Double](repeating: 0, count: attendees + 1)
    var place = 0
    var turns = 0
    for turn in 0..<total {
      let second = seconds * Double(turn) / Double(total)
      place = place % attendees + 1
      guard free[place] <= second else { continue }
      turns += 1
      if turn % 4 == 3 {
        plan.add(second, .lose(Breakage.allCases[turn / 4 % 2], seconds: 0), place)
        free[place] = second + 2.5
      } else {
        plan.add(second, .leave, place)
        let back = second + .random(in: 0.3...1, using: &random)
        plan.add(back, .arrive, place)
        free[place] = back + 1
      }
    }
    plan.steps.sort { $0.second < $1.second }
    plan.counts.append(("departures", turns))
    return plan
  }

  // MARK: Faults of one's own

  /// Each fault once for its share of the attendees, at random times that leave the time to come back.
  static func faults(
    _ shares: FaultShares, attendees: Int, seconds: Double, using random: inout some RandomNumberGenerator
  ) -> Choreography {
    var plan = Choreography()
    var places = Array(1..<(attendees + 1)).shuffled(using: &random)
    func take(_ share: Double) -> [Int] {
      let count = min(places.count, Int((Double(attendees) * share).rounded(.up)))
      defer { places.removeLast(count) }
      return share > 0 ? Array(places.suffix(count)) : []
    }
    for (breakage, share) in [(Breakage.reset, shares.reset), (.cut, shares.cut), (.halfOpen, shares.halfOpen)] {
      let chosen = take(share)
      for place in chosen {
        plan.add(
          .random(in: 0.1...0.8, using: &random) * seconds,
          .lose(breakage, seconds: .random(in: 0...0.5, using: &random)), place)
      }
      if !chosen.isEmpty { plan.counts.append(("\(breakage.rawValue)", chosen.count)) }
    }
    let slow = take(shares.slow)
    let length = min(shares.slowSeconds, 0.5 * seconds)
    for place in slow { plan.add(0.25 * seconds, .stopReading(seconds: length), place) }
    if !slow.isEmpty {
      plan.counts.append(("stop reading", slow.count))
      plan.marks = [(0.25 * seconds, "some stop reading"), (0.25 * seconds + length, "they read again")]
    }
    plan.steps.sort { $0.second < $1.second }
    return plan
  }
}

/// A small generator with a seed (SplitMix64): the same seed, the same run.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}
