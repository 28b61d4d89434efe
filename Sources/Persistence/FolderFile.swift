/// What a file in a data folder is, by its name.
public enum FolderFile: Sendable, Equatable {
  /// A segment of the journal that begins at this LSN.
  case segment(firstLSN: UInt64)
  /// A snapshot that covers the journal up to this LSN.
  case snapshot(lsn: UInt64)
  /// Which format the folder has.
  case format
  /// What the running server holds its lock on.
  case lock
  /// Left behind by a crash before it got its final name; never read.
  case leftover
  /// None of ours, or none that a program that only reads needs to know.
  case other

  /// What the file called `name` is.
  public init(_ name: String) {
    if let lsn = FileName.segmentLSN(name) {
      self = .segment(firstLSN: lsn)
    } else if let lsn = FileName.snapshotLSN(name) {
      self = .snapshot(lsn: lsn)
    } else if name == FolderFormat.fileName {
      self = .format
    } else if name == DataFolder.lockName {
      self = .lock
    } else if name.hasSuffix(FileName.temporarySuffix) {
      self = .leftover
    } else {
      self = .other
    }
  }
}
