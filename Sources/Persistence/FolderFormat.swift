/// The `format` file: which version of the layout a data folder has.
///
/// One line of ASCII, `rollcall-data <version>` and a line feed, so that a person can read it too.
public enum FolderFormat {
  /// The layout that this build writes, and the newest that it reads.
  public static let currentVersion: UInt32 = 3
  static let fileName = "format"
  private static let prefix = "rollcall-data "

  /// Why a folder's `format` file does not admit this build.
  public enum Failure: Error, Sendable, Equatable {
    /// Written by a newer build; this one would misread it.
    case newer(version: UInt32, supported: UInt32)
    /// The file is damaged or is something else.
    case unreadable
    /// There are journal or snapshot files, but no `format` file: part of the folder is missing.
    case missing
    /// The storage failed.
    case storage(StorageError)
  }

  /// The version that the folder states; nil when it has neither `format` file nor data. Writes nothing.
  public static func read<S: Storage>(_ storage: S) throws(Failure) -> UInt32? {
    let names: [String]
    var bytes = [UInt8](repeating: 0, count: 64)
    let count: Int
    do throws(StorageError) {
      names = try storage.list()
      if names.contains(fileName) {
        let file = try storage.open(fileName, .read)
        var span = bytes.mutableSpan
        var raw = span.mutableBytes
        count = try storage.read(file, at: 0, into: &raw)
      } else {
        count = 0
      }
    } catch {
      throw .storage(error)
    }
    guard names.contains(fileName) else {
      let hasData = names.contains { FileName.segmentLSN($0) != nil || FileName.snapshotLSN($0) != nil }
      if hasData { throw .missing }
      return nil
    }
    return try version(in: bytes.prefix(count))
  }

  /// Checks the version, and writes it durably in a new folder and in one of an older version: an older build would misread
  /// what this one is going to write.
  public static func ensure<S: Storage>(_ storage: S) throws(Failure) {
    guard try read(storage) != currentVersion else { return }
    do throws(StorageError) {
      let line = Array("\(prefix)\(currentVersion)\n".utf8)
      _ = try storage.install(line.span.bytes, as: fileName)
    } catch {
      throw .storage(error)
    }
  }

  private static func version(in bytes: ArraySlice<UInt8>) throws(Failure) -> UInt32 {
    guard bytes.starts(with: prefix.utf8), bytes.last == 0x0A else { throw .unreadable }
    let digits = bytes.dropFirst(prefix.utf8.count).dropLast()
    guard (1...10).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }),
      let version = UInt32(String(decoding: digits, as: UTF8.self)), version > 0
    else { throw .unreadable }
    guard version <= currentVersion else { throw .newer(version: version, supported: currentVersion) }
    return version
  }
}
