/// The names of the files in a data folder.
enum FileName {
  static let temporarySuffix = ".tmp"
  /// Written and removed to see whether a disk that was full has room again.
  static let probe = "probe.tmp"

  /// `journal-<20 digits>.rcj`, the digits being the LSN of the segment's first record.
  static func segment(firstLSN: UInt64) -> String { "journal-\(padded(firstLSN)).rcj" }

  /// `snapshot-<20 digits>.rcs`, the digits being the LSN that the snapshot covers.
  static func snapshot(lsn: UInt64) -> String { "snapshot-\(padded(lsn)).rcs" }

  static func segmentLSN(_ name: String) -> UInt64? { number(in: name, after: "journal-", before: ".rcj") }

  static func snapshotLSN(_ name: String) -> UInt64? { number(in: name, after: "snapshot-", before: ".rcs") }

  /// Whether a crash left this file behind before it got its final name.
  static func isLeftover(_ name: String) -> Bool {
    guard name.hasSuffix(temporarySuffix) else { return false }
    if name == probe { return true }
    let final = String(name.dropLast(temporarySuffix.count))
    return segmentLSN(final) != nil || snapshotLSN(final) != nil
  }

  /// The names in `storage` that `number` reads an LSN from, lowest first.
  static func sorted<S: Storage>(
    _ storage: S, _ number: (String) -> UInt64?
  ) throws(RecoveryError) -> [String] {
    do throws(StorageError) {
      return try storage.list().filter { number($0) != nil }.sorted()
    } catch {
      throw .storage(error)
    }
  }

  private static func padded(_ number: UInt64) -> String {
    let digits = String(number)
    return String(repeating: "0", count: 20 - digits.utf8.count) + digits
  }

  private static func number(in name: String, after prefix: String, before suffix: String) -> UInt64? {
    guard name.utf8.count == prefix.utf8.count + 20 + suffix.utf8.count, name.hasPrefix(prefix), name.hasSuffix(suffix)
    else { return nil }
    let digits = name.dropFirst(prefix.count).dropLast(suffix.count)
    guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return UInt64(digits)
  }
}
