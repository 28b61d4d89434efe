/// The first and the last bytes of a snapshot. Every CRC in the file continues from the one before it, so that the
/// footer's covers the whole file.
struct SnapshotHeader {
  static let size = 48
  static let footerSize = 16
  static let currentVersion: UInt32 = 1
  private static let magic = Array("RCSNAPSH".utf8)

  /// The LSN up to which every session is covered.
  var lsn: UInt64
  /// Unix milliseconds.
  var createdAt: Int64

  enum Decoded {
    case whole(SnapshotHeader, crc: UInt32)
    case newer(version: UInt32)
    case damaged
  }

  /// The header's bytes and its CRC.
  func encoded() -> (bytes: [UInt8], crc: UInt32) {
    var bytes = Self.magic
    bytes.appendLittleEndian(Self.currentVersion)
    bytes.appendLittleEndian(UInt32(0))
    bytes.appendLittleEndian(lsn)
    bytes.appendLittleEndian(createdAt)
    bytes.append(contentsOf: repeatElement(0, count: Self.size - 4 - bytes.count))
    let crc = CRC32C.of(bytes.span.bytes)
    bytes.appendLittleEndian(crc)
    return (bytes, crc)
  }

  /// Decodes exactly ``size`` bytes.
  static func decode(_ bytes: RawSpan) -> Decoded {
    guard bytes.byteCount == size else { return .damaged }
    let crc = bytes.littleEndian(UInt32.self, at: size - 4)
    guard CRC32C.of(bytes.extracting(0..<size - 4)) == crc,
      magic.indices.allSatisfy({ bytes.littleEndian(UInt8.self, at: $0) == magic[$0] })
    else { return .damaged }
    let version = bytes.littleEndian(UInt32.self, at: 8)
    guard version <= currentVersion else { return .newer(version: version) }
    let header = SnapshotHeader(
      lsn: bytes.littleEndian(UInt64.self, at: 16), createdAt: bytes.littleEndian(Int64.self, at: 24))
    guard version > 0, header.lsn <= SegmentHeader.largestLSN else { return .damaged }
    return .whole(header, crc: crc)
  }

  /// A length of zero, which no entry has; the CRC; the number of entries.
  static func footer(entries: UInt64, continuing crc: UInt32) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendLittleEndian(UInt32(0))
    bytes.appendLittleEndian(UInt32(0))
    bytes.appendLittleEndian(entries)
    bytes.replaceLittleEndian(at: 4, with: RecordCoding.checksum(of: bytes.span.bytes, continuing: crc))
    return bytes
  }
}
