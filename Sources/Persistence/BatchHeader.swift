/// The first bytes of a batch: the records that were written and synced together.
struct BatchHeader {
  static let size = 36
  /// The most bytes of records in one batch.
  static let largestBody = 64 << 20

  /// Bytes of records that follow.
  var bodySize: Int
  var count: Int
  var firstLSN: UInt64
  /// The header's CRC, from which each record's CRC continues: so a record is valid in its own batch only.
  var crc: UInt32

  /// Appends a header.
  /// - Returns: its CRC.
  static func encode(
    id: SegmentID, bodySize: Int, count: Int, firstLSN: UInt64, to bytes: inout [UInt8]
  ) -> UInt32 {
    let start = bytes.count
    id.append(to: &bytes)
    bytes.appendLittleEndian(UInt32(truncatingIfNeeded: bodySize))
    bytes.appendLittleEndian(UInt32(truncatingIfNeeded: count))
    bytes.appendLittleEndian(firstLSN)
    let crc = CRC32C.of(bytes.span.bytes.extracting(start..<bytes.count))
    bytes.appendLittleEndian(crc)
    return crc
  }

  /// The header at `offset`, which must leave room for one; nil when it is not that of a batch of segment `id`.
  static func decode(_ bytes: RawSpan, at offset: Int, id: SegmentID) -> BatchHeader? {
    let crc = bytes.littleEndian(UInt32.self, at: offset + 32)
    guard SegmentID(bytes, at: offset) == id, CRC32C.of(bytes.extracting(offset..<offset + 32)) == crc
    else { return nil }
    let header = BatchHeader(
      bodySize: Int(bytes.littleEndian(UInt32.self, at: offset + 16)),
      count: Int(bytes.littleEndian(UInt32.self, at: offset + 20)),
      firstLSN: bytes.littleEndian(UInt64.self, at: offset + 24),
      crc: crc)
    guard header.bodySize <= largestBody, header.count > 0, header.firstLSN <= SegmentHeader.largestLSN
    else { return nil }
    return header
  }

  /// Whether `body` holds exactly the records that this header promises.
  func admits(_ body: RawSpan) -> Bool {
    var offset = 0
    for index in 0..<count {
      guard let record = RecordCoding.verify(body, at: offset, continuing: crc),
        record.lsn == firstLSN &+ UInt64(index)
      else { return false }
      offset = record.payload.upperBound
    }
    return offset == body.byteCount
  }
}
