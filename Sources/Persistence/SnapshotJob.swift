import Classroom

#if PLANTED_BUGS
  import PlantedBugs
#endif

/// One session of a snapshot.
public enum SnapshotRoom: Sendable {
  /// A session as it is in memory.
  case classroom(Classroom)
  /// A session that rests in its history file.
  case archived(ArchivedSession)
}

/// Writes one snapshot from the sessions that it is given, entry by entry, and then removes the snapshots that it makes
/// superfluous. It needs no thread of its own, but may well have one: nothing waits for it.
public struct SnapshotJob<S: Storage>: ~Copyable, Sendable {
  private let storage: S
  private let lsn: UInt64
  private var writer: SnapshotWriter<S>
  /// How many sessions were added.
  public private(set) var count = 0

  /// Begins a snapshot.
  /// - Parameters:
  ///   - coveredLSN: the LSN up to which every session is covered.
  ///   - alive: what it says of when the server was alive; nil for now.
  public init(
    _ storage: S, coveredLSN: UInt64, at now: Timestamp, alive: PendingRecord? = nil
  ) throws(SnapshotError) {
    #if PLANTED_BUGS
      let coveredLSN = PlantedBugs.isActive(.snapshotAheadOfItself) ? coveredLSN + 1 : coveredLSN
    #endif
    var writer = try SnapshotWriter(storage, lsn: coveredLSN, now: now.milliseconds)
    let alive = alive ?? AliveRecord.make(at: now, isGoodbye: false)
    let header = RecordHeader(lsn: coveredLSN, session: "", sequence: 0, kind: alive.kind)
    do throws(SnapshotError) {
      try writer.append(header, payload: alive.payload.span.bytes)
    } catch {
      writer.discard()
      throw error
    }
    self.storage = storage
    lsn = coveredLSN
    self.writer = writer
  }

  /// Adds a session, which rests on synced records only. After an error the job is to be discarded.
  public mutating func add(_ room: SnapshotRoom) throws(SnapshotError) {
    count += 1
    switch room {
    case .classroom(let classroom): try writer.append(classroom)
    case .archived(let session):
      let header = RecordHeader(lsn: lsn, session: session.id, sequence: session.sequence, kind: ArchiveCodec.kind)
      try writer.append(header, payload: ArchiveCodec.encode(session.view).span.bytes)
    }
  }

  /// Makes the snapshot durable under its name, and keeps the newest two.
  /// - Returns: the LSN up to which the journal is no longer needed; nil when all of it is.
  public consuming func finish() throws(SnapshotError) -> UInt64? {
    let storage = storage
    try writer.finish()
    do throws(RecoveryError) {
      return try SnapshotStore(storage).prune()
    } catch {
      throw .notWhole(error)
    }
  }

  /// Gives the snapshot up and removes what was written of it: it would take the room that the journal needs.
  public consuming func discard() { writer.discard() }
}
