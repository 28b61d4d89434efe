import Classroom
import SignalingProtocol

/// What two peers negotiate: whose offer counts, and which candidates and answers belong to it.
///
/// A negotiation is one attempt to connect: a call, or an ICE restart of it. Its id comes with an offer, and answers and
/// candidates repeat it. What has no id belongs to whatever goes on.
final class Negotiation {
  /// What is to be done with a signal.
  enum Verdict: Equatable {
    case relay
    /// Its offer has not come yet.
    case hold
    /// Its negotiation is over, or was never offered to who answers.
    case drop
  }

  /// The bounds of what is remembered.
  enum Limits {
    /// The ids that were replaced.
    static let formerIDs = 4
    /// How long two offers count as crossing: later ones show that nobody answers the first.
    static let crossingMilliseconds: Int64 = 10_000
  }

  /// Who made the first offer.
  let opener: String
  /// The id of the offer that counts; nil when it had none, or when none has come.
  private(set) var id: String?
  /// Who made that offer; nil before the first.
  private(set) var offerer: String?
  private var isAnswered = false
  private var offeredAt = Timestamp(milliseconds: 0)
  /// The ids that counted before, the newest last.
  private var formerIDs: [String] = []

  init(opener: String) { self.opener = opener }

  /// An offer is always relayed. It counts from now on, unless the two offers cross and this is the polite side's: that side
  /// takes its own back (perfect negotiation).
  func offer(_ offered: String?, from peer: String, isPolite: Bool, at now: Timestamp) {
    let isCrossing =
      offerer != nil && offerer != peer && !isAnswered
      && now.milliseconds(since: offeredAt) <= Limits.crossingMilliseconds
    if isCrossing, isPolite {
      if let offered, offered != id { noteFormer(offered) }
      return
    }
    if let id, id != offered { noteFormer(id) }
    formerIDs.removeAll { $0 == offered }
    (id, offerer, isAnswered, offeredAt) = (offered, peer, false, now)
  }

  /// An answer belongs to the offer that counts, and that is the other side's.
  func answer(_ answered: String?, from peer: String) -> Verdict {
    guard let answered else { return .relay }
    guard offerer != nil, offerer != peer, answered == id else { return .drop }
    isAnswered = true
    return .relay
  }

  /// A candidate, or the end of them.
  func candidate(_ candidate: String?) -> Verdict {
    guard let candidate else { return .relay }
    if offerer != nil, candidate == id { return .relay }
    return formerIDs.contains(candidate) ? .drop : .hold
  }

  private func noteFormer(_ former: String) {
    formerIDs.removeAll { $0 == former }
    formerIDs.append(former)
    if formerIDs.count > Limits.formerIDs { formerIDs.removeFirst() }
  }
}

/// A candidate that came before its offer.
struct HeldSignal {
  var target: String
  var kind: SignalKind
  var negotiation: String
  var payload: [UInt8]
  var at: Timestamp
}

/// The candidates of one sender that wait for their offers, in the order in which they came.
struct HeldSignals {
  /// The bounds of what waits.
  enum Limits {
    static let signals = 64
    static let bytes = 65_536
    /// How long a candidate waits for its offer.
    static let milliseconds: Int64 = 30_000
  }

  private var signals: [HeldSignal] = []

  var count: Int { signals.count }
  var isEmpty: Bool { signals.isEmpty }

  /// - Returns: false when that is too much, and nothing has changed.
  mutating func hold(_ signal: HeldSignal) -> Bool {
    let bytes = signals.reduce(signal.payload.count) { $0 + $1.payload.count }
    guard signals.count < Limits.signals, bytes <= Limits.bytes else { return false }
    signals.append(signal)
    return true
  }

  /// Lets go of what has waited for too long.
  /// - Returns: how many that were.
  mutating func expire(at now: Timestamp) -> Int {
    let before = signals.count
    signals.removeAll { now.milliseconds(since: $0.at) > Limits.milliseconds }
    return before - signals.count
  }

  /// Takes out what waits for this negotiation with that peer.
  mutating func take(for target: String, negotiation: String) -> [HeldSignal] {
    let taken = signals.filter { $0.target == target && $0.negotiation == negotiation }
    if !taken.isEmpty { signals.removeAll { $0.target == target && $0.negotiation == negotiation } }
    return taken
  }

  /// Lets go of everything for that peer.
  /// - Returns: how many that were.
  mutating func drop(for target: String) -> Int {
    let before = signals.count
    signals.removeAll { $0.target == target }
    return before - signals.count
  }
}

/// What became of signals, since the shard began.
public struct SignalFigures: Sendable, Equatable {
  /// Candidates and answers of negotiations that are over.
  public internal(set) var stale: UInt64 = 0
  /// Candidates that were held for their offer.
  public internal(set) var held: UInt64 = 0
  /// Held candidates whose offer never came.
  public internal(set) var abandoned: UInt64 = 0

  /// Nothing has come.
  public init() {}

  init(stale: UInt64, held: UInt64, abandoned: UInt64) {
    (self.stale, self.held, self.abandoned) = (stale, held, abandoned)
  }
}
