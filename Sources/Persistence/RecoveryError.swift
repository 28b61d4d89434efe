/// Why a data folder's files cannot be read. Nothing has been written to them.
public enum RecoveryError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What is wrong at a place in a file.
  public enum Damage: String, Sendable {
    case header = "the header is damaged"
    case name = "the header does not agree with the file's name"
    case truncated = "the file is shorter than it was"
    case batch = "a batch is damaged and others follow it"
    case sequence = "records are missing or doubled"
    case session = "a session id is not UTF-8"
    case entry = "an entry is damaged"
    case trailing = "something follows the end"
  }

  /// The storage failed.
  case storage(StorageError)
  /// The file is damaged at byte `offset`, in a place that no crash damages.
  case damaged(file: String, offset: UInt64, Damage)
  /// A newer build wrote the file.
  case newerFormat(file: String, version: UInt32, supported: UInt32)
  /// The records from `first` on, up to where `file` begins, are in no file.
  case missingRecords(from: UInt64, before: String)
  /// There is a snapshot, but no journal beside it.
  case missingJournal(snapshot: String)
  /// The newest snapshot is damaged at byte `offset`, and the journal does not reach back to an older whole one.
  case damagedSnapshot(file: String, offset: UInt64, Damage)
  /// A session that is over cannot be read from its history file.
  indirect case history(HistoryError)
  /// The consumer could not read a payload that is just as it was written.
  case unreadablePayload(file: String, offset: UInt64, reason: String)

  public var description: String {
    switch self {
    case .storage(let error): "\(error)"
    case .damaged(let file, let offset, let damage): "\(file) at byte \(offset): \(damage.rawValue)"
    case .newerFormat(let file, let version, let supported):
      "\(file) has format \(version), this build reads up to \(supported)"
    case .missingRecords(let first, let file): "the journal's records from \(first) up to \(file) are missing"
    case .missingJournal(let snapshot): "\(snapshot) is there, but no journal"
    case .damagedSnapshot(let file, let offset, let damage):
      "\(file) at byte \(offset): \(damage.rawValue), and the journal does not reach back to an older snapshot"
    case .history(let error): "\(error)"
    case .unreadablePayload(let file, let offset, let reason):
      "\(file) at byte \(offset): unreadable payload: \(reason)"
    }
  }
}

/// A payload that its consumer cannot read.
public struct PayloadError: Error, Sendable, Equatable {
  /// What is wrong with it, without its content.
  public var reason: String

  /// An error for `reason`.
  public init(_ reason: String) { self.reason = reason }
}
