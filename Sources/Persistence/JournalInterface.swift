import Classroom

/// The settings of a journal pipeline.
public struct JournalSettings: Sendable {
  /// How many event loops append to it; they are numbered from 0.
  public var loops: Int
  /// A snapshot is taken when so many bytes were journaled since the last.
  public var snapshotBytes = 16 << 20
  /// A snapshot is taken when so much time went by and something was journaled.
  public var snapshotIntervalMilliseconds: Int64 = 300_000

  /// The defaults for so many loops.
  public init(loops: Int) { self.loops = loops }
}

/// The bounds of a journal pipeline.
public enum JournalLimits {
  /// How often the journal says that the server lives, while anybody is in a class.
  public static let aliveIntervalMilliseconds: Int64 = 1000
  /// How long a relaxed journal leaves something unsynced.
  public static let relaxedSyncMilliseconds: Int64 = 200
  /// The first pause before a failed disk is tried again; each later one is twice as long.
  public static let firstRetryMilliseconds: Int64 = 100
  /// The longest pause.
  public static let longestRetryMilliseconds: Int64 = 5000
  /// A disk that fails again so soon after it was back is given the longer pause.
  public static let relapseMilliseconds: Int64 = 10_000
  /// The pause after a snapshot could not be begun or was not written; each later one is twice as long, up to the interval.
  public static let snapshotRetryMilliseconds: Int64 = 1000
  /// What must fit on a disk that was full before it counts as working.
  public static let probeBytes = 1 << 20
}

/// What a journal pipeline tells whoever drives it, to be passed on in this order.
public enum JournalNotice: Sendable {
  /// To a loop: its records up to this position are safe.
  case synced(loop: Int, through: UInt64)
  /// To a loop: its records that are not safe by now are void. With `isCertain` they are not on the disk and never will be;
  /// otherwise they may turn up when the disk is back. From here on the loop appends under the new incarnation, and says
  /// by ``JournalPipeline/freeze(loop:incarnation:sessions:)`` which sessions it must have back.
  case failed(loop: Int, incarnation: UInt64, isCertain: Bool)
  /// To a loop: the disk works again, and this is what it holds of the loop's frozen sessions. One that is missing here
  /// does not exist.
  case healed(loop: Int, incarnation: UInt64, classrooms: [String: Classroom])
  /// To whoever writes snapshots: one begins. All loops are then to be asked for their sessions.
  case beginSnapshot(round: Int, coveredLSN: UInt64, at: Timestamp)
  /// To whoever writes snapshots: sessions of the one that has begun.
  case addToSnapshot([SnapshotRoom])
  /// To whoever writes snapshots: all is there.
  case finishSnapshot
  /// To whoever writes snapshots: this one is given up.
  case abandonSnapshot
  /// To the operator.
  case report(isError: Bool, String)
}

/// What a journal pipeline has done so far.
public struct JournalCounters: Sendable, Equatable {
  /// Batches on stable storage (written, in a relaxed journal).
  public var batches: UInt64 = 0
  /// Their records.
  public var records: UInt64 = 0
  /// The bytes of their records.
  public var bytes: UInt64 = 0
  /// How often writing or syncing failed.
  public var failures: UInt64 = 0
  /// Snapshots that were completed.
  public var snapshots: UInt64 = 0
  /// Snapshots that were begun and given up, or could not be begun.
  public var abandonedSnapshots: UInt64 = 0
  /// How many syncs took at most so long, by ``syncBounds``, each counted once; the last place is for longer ones.
  public var syncs = [UInt64](repeating: 0, count: syncBounds.count + 1)
  /// Nanoseconds spent in syncs.
  public var syncNanoseconds: UInt64 = 0

  /// The upper bounds of ``syncs`` in nanoseconds.
  public static let syncBounds: [UInt64] = [
    100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000,
    250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000,
  ]

  /// Nothing done.
  public init() {}

  mutating func noteSync(nanoseconds: UInt64) {
    let index = Self.syncBounds.firstIndex { nanoseconds <= $0 } ?? Self.syncBounds.count
    syncs[index] += 1
    syncNanoseconds &+= nanoseconds
  }
}
