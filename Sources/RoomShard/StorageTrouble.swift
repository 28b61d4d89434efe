import Classroom
import SignalingProtocol

// What a shard does while the disk cannot be written.
extension RoomShard {
  /// Whether the storage has failed and not healed.
  public var hasStorageFailed: Bool { trouble != nil }

  /// How many times the storage has failed. Appends carry it, so that the journal can tell records that were on their way
  /// when it failed: those of an earlier incarnation are void, and the loop may not hear of them as synced.
  ///
  /// Positions are never used again: ``position`` goes on after a failure, and what was made before and not synced is
  /// skipped. A position that is reported as synced too late is not believed.
  public var incarnation: UInt64 { failureCount }

  /// The sessions whose state in memory rests on records that are void, sorted: they refuse everything but what is live
  /// until ``storageHealed(_:at:)`` brings what the disk has.
  public var frozenSessions: [String] { rooms.values.filter(\.isFrozen).map(\.classroom.id).sorted() }

  /// The storage could not write: every record after the last synced position is void.
  ///
  /// Whoever asked for something that rests on them is told that the storage is unavailable; what others would have been
  /// told is dropped. Until ``storageHealed(_:at:)`` no record is made.
  /// - Parameter isCertain: whether it is certain that the void records are not on the disk.
  public func storageFailed(isCertain: Bool, at now: Timestamp) {
    failureCount += 1
    trouble = StorageTrouble(isCertain: isCertain)
  }

  /// The storage can be written again.
  /// - Parameter stored: every session of ``frozenSessions`` as the disk has it; nil when the disk does not know it.
  public func storageHealed(_ stored: [String: Classroom?], at now: Timestamp) {
    trouble = nil
  }
}

/// That the storage has failed.
struct StorageTrouble {
  /// Whether it is certain that the void records are not on the disk.
  var isCertain: Bool
}
