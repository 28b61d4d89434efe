/// The first bytes of a batch: the records that were written and synced together.
struct BatchHeader {
  /// The bytes of a header in a segment of this kind.
  static func size(_ durability: Durability) -> Int { durability == .strict ? 36 : 44 }
  /// The most bytes of records in one batch.
  static let largestBody = 64 << 20

  /// Bytes of records that follow.
  var bodySize: Int
  var count: Int
  var firstLSN: UInt64
  /// Of a relaxed segment: the byte up to which it was synced when this batch was written.
  var syncedEnd: UInt64?
  /// The header's CRC, from which each record's CRC continues: so a record is valid in its own batch only.
  var crc: UInt32

  /// Appends a header.
  /// - Parameter syncedEnd: as in a segment of this kind; nil in a strict one.
  /// - Returns: its CRC.
  static func encode(
    id: SegmentID, bodySize: Int, count: Int, firstLSN: UInt64, syncedEnd: UInt64?, to bytes: inout [UInt8]
  ) -> UInt32 {
    let start = bytes.count
    id.append(to: &bytes)
    bytes.appendLittleEndian(UInt32(truncatingIfNeeded: bodySize))
    bytes.appendLittleEndian(UInt32(truncatingIfNeeded: count))
    bytes.appendLittleEndian(firstLSN)
    if let syncedEnd { bytes.appendLittleEndian(syncedEnd) }
    let crc = CRC32C.of(bytes.span.bytes.extracting(start..<bytes.count))
    bytes.appendLittleEndian(crc)
    return crc
  }

  /// The header at `offset`, which must leave room for one; nil when it is not that of a batch of `segment`.
  static func decode(_ bytes: RawSpan, at offset: Int, of segment: SegmentHeader) -> BatchHeader? {
    let end = offset + size(segment.durability) - 4
    let crc = bytes.littleEndian(UInt32.self, at: end)
    guard SegmentID(bytes, at: offset) == segment.id, CRC32C.of(bytes.extracting(offset..<end)) == crc
    else { return nil }
    let header = BatchHeader(
      bodySize: Int(bytes.littleEndian(UInt32.self, at: offset + 16)),
      count: Int(bytes.littleEndian(UInt32.self, at: offset + 20)),
      firstLSN: bytes.littleEndian(UInt64.self, at: offset + 24),
      syncedEnd: segment.durability == .relaxed ? bytes.littleEndian(UInt64.self, at: offset + 32) : nil,
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
