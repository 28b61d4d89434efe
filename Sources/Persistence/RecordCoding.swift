#if PLANTED_BUGS
  import PlantedBugs
#endif

/// What a journal record or a snapshot entry says about its payload.
public struct RecordHeader: Sendable, Equatable {
  /// Of a journal record its log sequence number. Of a snapshot entry the last LSN that the entry's state includes:
  /// a journal record of the same session with an LSN up to this one is already in it.
  public var lsn: UInt64
  /// The session that the payload belongs to; at most 65,535 bytes of UTF-8.
  public var session: String
  /// The session's own sequence number, of the record or the last one in the entry's state.
  public var sequence: UInt64
  /// What the payload is; the meaning is the writer's.
  public var kind: UInt8

  /// Creates a header.
  public init(lsn: UInt64, session: String, sequence: UInt64, kind: UInt8) {
    self.lsn = lsn
    self.session = session
    self.sequence = sequence
    self.kind = kind
  }
}

/// The encoding that journal records and snapshot entries share:
/// length (4), CRC-32C (4), LSN (8), sequence (8), kind (1), session length (2), session, payload.
/// The length counts what follows the CRC; the CRC continues from a given one over length and what follows the CRC.
enum RecordCoding {
  /// Bytes of length and CRC.
  static let prefixSize = 8
  /// Bytes between the CRC and the session.
  static let fixedSize = 19

  /// Appends a record.
  /// - Returns: its CRC.
  static func append(
    _ header: RecordHeader, payload: RawSpan, continuing crc: UInt32, to bytes: inout [UInt8]
  ) -> UInt32 {
    let start = bytes.count
    bytes.appendLittleEndian(UInt32(0))
    bytes.appendLittleEndian(UInt32(0))
    bytes.appendLittleEndian(header.lsn)
    bytes.appendLittleEndian(header.sequence)
    bytes.append(header.kind)
    bytes.appendLittleEndian(UInt16(truncatingIfNeeded: header.session.utf8.count))
    bytes.append(contentsOf: header.session.utf8)
    payload.withUnsafeBytes { bytes.append(contentsOf: $0) }
    bytes.replaceLittleEndian(at: start, with: UInt32(truncatingIfNeeded: bytes.count - start - prefixSize))
    let crc = checksum(of: bytes.span.bytes.extracting(start..<bytes.count), continuing: crc)
    bytes.replaceLittleEndian(at: start + 4, with: crc)
    return crc
  }

  /// The bytes that a record takes; nil when the session or the sum cannot be represented.
  static func size(sessionBytes: Int, payloadBytes: Int) -> Int? {
    guard sessionBytes <= Int(UInt16.max), payloadBytes <= 1 << 30 else { return nil }
    return prefixSize + fixedSize + sessionBytes + payloadBytes
  }

  /// The CRC of a whole record, leaving out the field that holds it.
  static func checksum(of record: RawSpan, continuing crc: UInt32) -> UInt32 {
    let length = CRC32C.of(record.extracting(0..<4), continuing: crc)
    return CRC32C.of(record.extracting(prefixSize..<record.byteCount), continuing: length)
  }

  /// A record whose bounds and CRC are right, by offsets into the span it was found in.
  struct Verified {
    var lsn: UInt64
    var sequence: UInt64
    var kind: UInt8
    var session: Range<Int>
    var payload: Range<Int>
    var crc: UInt32
  }

  /// The record that starts at `offset`, or nil if none is there or its CRC differs.
  static func verify(_ bytes: RawSpan, at offset: Int, continuing crc: UInt32) -> Verified? {
    let available = bytes.byteCount - offset
    guard available >= prefixSize + fixedSize else { return nil }
    let length = Int(bytes.littleEndian(UInt32.self, at: offset))
    guard length >= fixedSize, length <= available - prefixSize else { return nil }
    let end = offset + prefixSize + length
    let computed = checksum(of: bytes.extracting(offset..<end), continuing: crc)
    #if PLANTED_BUGS
      if PlantedBugs.isActive(.checksumUnchecked) { return locate(bytes, at: offset, end: end) }
    #endif
    guard computed == bytes.littleEndian(UInt32.self, at: offset + 4),
      let located = locate(bytes, at: offset, end: end)
    else { return nil }
    return located
  }

  /// The fields of a record whose length has been checked; nil when the session runs past its end.
  static func locate(_ bytes: RawSpan, at offset: Int, end: Int) -> Verified? {
    let session = offset + prefixSize + fixedSize
    let sessionLength = Int(bytes.littleEndian(UInt16.self, at: session - 2))
    guard sessionLength <= end - session else { return nil }
    return Verified(
      lsn: bytes.littleEndian(UInt64.self, at: offset + 8),
      sequence: bytes.littleEndian(UInt64.self, at: offset + 16),
      kind: bytes.littleEndian(UInt8.self, at: offset + 24),
      session: session..<session + sessionLength,
      payload: session + sessionLength..<end,
      crc: bytes.littleEndian(UInt32.self, at: offset + 4))
  }
}
