/// A file in the data folder that tells the next start to give every session a new epoch.
public enum FolderMarker: String, Sendable, CaseIterable {
  /// The end of a relaxed journal was cut off: numbers that somebody saw may be given again.
  case endLost = "end-lost"
  /// The folder was made from a backup: somebody may have seen what came after it.
  case backupRestored = "backup-restored"

  /// The file's name.
  public var fileName: String { rawValue }

  /// Puts the file there durably.
  /// - Parameter note: what stands in it, for people: that it is there is all that counts.
  public func set<S: Storage>(in storage: S, note: String = "") throws(StorageError) {
    _ = try storage.install(Array(note.utf8).span.bytes, as: fileName)
  }

  /// The markers that are there.
  public static func present<S: Storage>(in storage: S) throws(StorageError) -> [FolderMarker] {
    let names = try storage.list()
    return allCases.filter { names.contains($0.fileName) }
  }

  /// Removes the file durably.
  public func clear<S: Storage>(in storage: S) throws(StorageError) {
    try storage.remove(fileName)
    try storage.syncDirectory()
  }
}
