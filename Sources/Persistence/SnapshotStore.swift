/// The snapshots of a data folder.
public struct SnapshotStore<S: Storage>: Sendable {
  /// How many whole snapshots are kept.
  public static var kept: Int { 2 }

  private let storage: S

  /// The snapshots in `storage`.
  public init(_ storage: S) { self.storage = storage }

  /// The newest snapshot that is whole, and those newer than it that are damaged, newest first. Writes nothing.
  public func newestWhole() throws(RecoveryError) -> (whole: SnapshotSummary?, damaged: [RecoveryError]) {
    var damaged: [RecoveryError] = []
    for name in try FileName.sorted(storage, FileName.snapshotLSN).reversed() {
      if let summary = try verify(name, &damaged) { return (summary, damaged) }
    }
    return (nil, damaged)
  }

  /// Keeps the two newest whole snapshots, and removes those that are older.
  /// - Returns: the LSN that the older of the two covers: the journal up to there is needed no more. Nil when there
  ///   are not two.
  public func prune() throws(RecoveryError) -> UInt64? {
    var whole: [SnapshotSummary] = []
    var superfluous: [String] = []
    var damaged: [RecoveryError] = []
    for name in try FileName.sorted(storage, FileName.snapshotLSN).reversed() {
      if whole.count == Self.kept {
        superfluous.append(name)
      } else if let summary = try verify(name, &damaged) {
        whole.append(summary)
      } else if !whole.isEmpty {
        superfluous.append(name)
      }
    }
    guard whole.count == Self.kept else { return nil }
    do throws(StorageError) {
      // Not synced: one that comes back after a crash does no harm.
      for name in superfluous { try storage.remove(name) }
    } catch {
      throw .storage(error)
    }
    return whole.last?.lsn
  }

  private func verify(_ name: String, _ damaged: inout [RecoveryError]) throws(RecoveryError) -> SnapshotSummary? {
    do throws(RecoveryError) {
      return try SnapshotReader(storage, file: name).verify()
    } catch {
      guard case .damaged = error else { throw error }
      damaged.append(error)
      return nil
    }
  }
}
