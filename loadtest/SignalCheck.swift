/// What must be so of the signals of a session when all have come back.
enum SignalCheck {
  static func note(_ session: ClassSession, into faults: inout Faults) {
    let signals = session.signals
    faults.note(
      .signalsLost, count: UInt64(signals.outstandingCount),
      "\(signals.outstandingCount) signals of \(session.id) did not come back")
    faults.note(
      .signalsWrong, count: UInt64(signals.misdelivered),
      "\(signals.misdelivered) signals of \(session.id) came twice or to somebody else")
    faults.note(
      .signalsWrong, count: UInt64(signals.reordered),
      "\(signals.reordered) signals of \(session.id) overtook others of their pair")
    for place in stride(from: 1, to: session.people.count - 1, by: 2) {
      guard let first = session.people[place].isPolite, let second = session.people[place + 1].isPolite else {
        continue
      }
      // protocol/README.md, 8: "the opposite for the other side".
      if first == second { faults.note(.signalsWrong, "both sides of a pair of \(session.id) are polite, or none is") }
    }
  }
}
