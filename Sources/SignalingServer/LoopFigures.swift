import SignalingProtocol
import Synchronization
import Tokens

/// What one loop counts and other threads read.
///
/// Only its loop writes, so that to count is a load, an addition and a store, without a locked instruction.
///
/// `@unchecked Sendable`: the cells are atomic and live as long as this does.
final class LoopFigures: @unchecked Sendable {
  enum Counter: Int, CaseIterable {
    case accepted, requests, upgrades, messagesIn, messagesOut, bytesIn, bytesOut, coalesced
    case fullHandshakes, resumedHandshakes, failedHandshakes
    case tokensTaken, tokensRenewed
    case staleSignals, heldSignals, abandonedSignals
  }

  enum Gauge: Int, CaseIterable {
    case connections, webSockets, queueBytes, people, liveSessions
  }

  /// The upper bounds of the tick's histogram, in nanoseconds; what took longer is counted behind them.
  static let tickBounds: [UInt64] = [
    50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000,
    250_000_000, 1_000_000_000,
  ]

  /// The codes that are counted by themselves: those that the server sends, and 1005 (a Close without one) and 1006 (no
  /// Close at all), which do not travel (RFC 6455, 7.4.1). All others, which are the client's, are counted together.
  static let closeCodes: [UInt16] =
    [1000, 1001, 1002, 1005, 1006, 1007, 1008, 1009] + CloseReason.allCases.map(\.rawValue)

  private static let limitsBegin = Counter.allCases.count
  private static let closesBegin = limitsBegin + Limit.allCases.count
  private static let ticksBegin = closesBegin + closeCodes.count + 1
  private static let gaugesBegin = ticksBegin + tickBounds.count + 2
  private static let refusalsBegin = gaugesBegin + Gauge.allCases.count
  private static let count = refusalsBegin + TokenRefusal.Reason.allCases.count

  private let cells: UnsafeMutablePointer<Atomic<UInt64>>
  private let storedWait = Atomic<Bool>(false)

  init() {
    cells = .allocate(capacity: Self.count)
    for index in 0..<Self.count { (cells + index).initialize(to: Atomic(0)) }
  }

  deinit {
    cells.deinitialize(count: Self.count)
    cells.deallocate()
  }

  private func add(_ amount: UInt64, at index: Int) {
    cells[index].store(cells[index].load(ordering: .relaxed) &+ amount, ordering: .relaxed)
  }

  // MARK: Writing, by the loop alone

  func count(_ counter: Counter, _ amount: Int = 1) { add(UInt64(amount), at: counter.rawValue) }

  func count(_ limit: Limit) { add(1, at: Self.limitsBegin + limit.index) }

  /// A token or a ticket was refused.
  func count(_ reason: TokenRefusal.Reason) { add(1, at: Self.refusalsBegin + Self.index(of: reason)) }

  private static func index(of reason: TokenRefusal.Reason) -> Int {
    TokenRefusal.Reason.allCases.firstIndex(of: reason) ?? 0
  }

  /// A WebSocket has ended with this code.
  func countClose(_ code: UInt16) {
    let index = Self.closeCodes.firstIndex(of: code) ?? Self.closeCodes.count
    add(1, at: Self.closesBegin + index)
  }

  func countTick(nanoseconds: UInt64) {
    let bucket = Self.tickBounds.firstIndex { nanoseconds <= $0 } ?? Self.tickBounds.count
    add(1, at: Self.ticksBegin + bucket)
    add(nanoseconds, at: Self.ticksBegin + Self.tickBounds.count + 1)
  }

  func set(_ gauge: Gauge, _ value: Int) {
    cells[Self.gaugesBegin + gauge.rawValue].store(UInt64(max(0, value)), ordering: .relaxed)
  }

  // MARK: Reading

  func value(of counter: Counter) -> UInt64 { cells[counter.rawValue].load(ordering: .relaxed) }

  func value(of limit: Limit) -> UInt64 { cells[Self.limitsBegin + limit.index].load(ordering: .relaxed) }

  /// How many tokens and tickets were refused for this reason.
  func value(of reason: TokenRefusal.Reason) -> UInt64 {
    cells[Self.refusalsBegin + Self.index(of: reason)].load(ordering: .relaxed)
  }

  func value(of gauge: Gauge) -> UInt64 { cells[Self.gaugesBegin + gauge.rawValue].load(ordering: .relaxed) }

  /// How many WebSockets ended with the code at this place of ``closeCodes``; behind the last, with any other.
  func closes(at index: Int) -> UInt64 { cells[Self.closesBegin + index].load(ordering: .relaxed) }

  /// How many ticks took so long, by bucket, and how long all took together.
  var ticks: (buckets: [UInt64], nanoseconds: UInt64) {
    let buckets = (0...Self.tickBounds.count).map { cells[Self.ticksBegin + $0].load(ordering: .relaxed) }
    return (buckets, cells[Self.ticksBegin + Self.tickBounds.count + 1].load(ordering: .relaxed))
  }

  // MARK: What the journal's thread asks

  /// People in live classes.
  var people: Int { Int(value(of: .people)) }

  /// Whether the loop has heard that the disk failed, and not yet that it works again.
  var isWaitingForDisk: Bool {
    get { storedWait.load(ordering: .acquiring) }
    set { storedWait.store(newValue, ordering: .releasing) }
  }
}

extension Limit {
  /// Its place among all.
  fileprivate var index: Int { Self.indices[self] ?? 0 }

  private static let indices = Dictionary(uniqueKeysWithValues: allCases.enumerated().map { ($1, $0) })
}
