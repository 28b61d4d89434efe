import Classroom

/// An address for signals: one tab of somebody in the class. It outlives its connection by the grace.
final class Peer {
  let id: String
  let user: String
  /// The connection that speaks for it, or nil in the grace.
  private(set) var connection: ConnectionID?
  /// Grows whenever the connection changes: what was begun for an earlier one changes nothing any more.
  private(set) var generation: UInt64 = 0
  var signals = SignalRing()
  /// The number of the last signal that was handed out to ``connection``.
  var delivered: UInt64 = 0
  /// The number of the outbox entry with which its address becomes known.
  var announcement: UInt64 = 0
  /// The number of the outbox entry with the newest signal it sent that had to wait, 0 before the first.
  var lastHeldSignal: UInt64 = 0
  /// Whether its connection was told the address.
  var isTold = false
  /// What goes on with other peers, by their ids; each is shared with the other.
  var negotiations: [String: Negotiation] = [:]
  /// How many of them began with an offer of this one.
  var openedNegotiations = 0
  /// Its candidates that came before their offers.
  var held = HeldSignals()
  /// Whether nobody looks at it.
  var isAway = false
  /// What it sends.
  var media = Presence.Media()

  init(id: String, user: String) {
    self.id = id
    self.user = user
  }

  /// Another connection speaks for it from now on, or none.
  func attach(_ connection: ConnectionID?) {
    self.connection = connection
    generation += 1
  }

  /// Whether it is the polite side of a pair: any rule would do that gives the two opposite answers, and the same ones for
  /// the whole call.
  func isPolite(to other: Peer) -> Bool { id > other.id }

  /// Nothing goes on with the other one any more.
  func forgetNegotiation(with other: Peer) {
    guard let pair = negotiations.removeValue(forKey: other.id) else { return }
    other.negotiations[id] = nil
    // Who began it may begin another.
    if pair.opener == id { openedNegotiations -= 1 } else { other.openedNegotiations -= 1 }
  }

  /// The signals that ``connection`` has not been handed.
  func takeUndelivered() -> [[UInt8]] {
    let messages = signals.messages(after: delivered)
    delivered = signals.last
    return messages
  }
}
