/// The signals between the pairs of one session: each goes to the partner, who sends it back.
struct SignalLedger {
  struct Entry {
    /// The roster number of who began.
    let initiator: Int
    /// When the signal was due, in nanoseconds of the monotonic clock.
    let due: Int64
    fileprivate(set) var reachedPartner = false
    fileprivate(set) var returned = false
    /// A connection of the pair broke while it was on its way: it may be lost.
    fileprivate(set) var isExcused = false
  }

  private var entries: [Entry] = []
  private var lastOutbound: [Int: Int] = [:]
  private var lastReturned: [Int: Int] = [:]
  private(set) var returnedCount = 0
  private var excusedCount = 0
  /// Below it nothing is outstanding.
  private var firstOutstanding = 0
  /// Signals that came again, or to the wrong peer, or that nobody sent.
  private(set) var misdelivered = 0
  /// Signals that overtook others of their pair.
  private(set) var reordered = 0

  /// How many signals were sent; they are numbered from 1.
  var sentCount: Int { entries.count }
  var outstandingCount: Int { entries.count - returnedCount - excusedCount }

  /// Notes that a signal is sent now.
  /// - Returns: its number.
  mutating func send(by initiator: Int, due: Int64) -> Int {
    entries.append(Entry(initiator: initiator, due: due))
    return entries.count
  }

  /// A signal has reached somebody who is to send it back.
  /// - Parameter initiator: the roster number of the peer that the server says sent it.
  /// - Returns: whether it is one of ours and came for the first time.
  mutating func reach(_ signal: Int, from initiator: Int) -> Bool {
    guard signal >= 1, signal <= entries.count, entries[signal - 1].initiator == initiator,
      !entries[signal - 1].reachedPartner
    else {
      misdelivered += 1
      return false
    }
    entries[signal - 1].reachedPartner = true
    if signal < lastOutbound.updateValue(signal, forKey: initiator) ?? 0 { reordered += 1 }
    return true
  }

  /// A signal is back.
  /// - Returns: the signal when it came back to who sent it, for the first time.
  mutating func complete(_ signal: Int, at initiator: Int) -> Entry? {
    guard signal >= 1, signal <= entries.count, entries[signal - 1].initiator == initiator,
      entries[signal - 1].reachedPartner, !entries[signal - 1].returned
    else {
      misdelivered += 1
      return nil
    }
    entries[signal - 1].returned = true
    returnedCount += 1
    if entries[signal - 1].isExcused { excusedCount -= 1 }
    if signal < lastReturned.updateValue(signal, forKey: initiator) ?? 0 { reordered += 1 }
    return entries[signal - 1]
  }

  /// What is on its way between the pair of an initiator may be lost, and nobody is to blame.
  mutating func excuse(initiator: Int) {
    while firstOutstanding < entries.count,
      entries[firstOutstanding].returned || entries[firstOutstanding].isExcused
    {
      firstOutstanding += 1
    }
    for index in entries.indices[firstOutstanding...]
    where entries[index].initiator == initiator && !entries[index].returned && !entries[index].isExcused {
      entries[index].isExcused = true
      excusedCount += 1
    }
  }
}
