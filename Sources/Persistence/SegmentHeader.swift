/// The random name of a journal segment, which also marks each of its batches.
public struct SegmentID: Sendable, Equatable {
  let high: UInt64
  let low: UInt64

  /// An id of 128 random bits. It must be unpredictable to clients and different for every segment; all zero is no id.
  public init(_ high: UInt64, _ low: UInt64) {
    precondition(high != 0 || low != 0, "a segment id of zero would match the holes of a file")
    self.high = high
    self.low = low
  }

  /// An id drawn from `generator`.
  public init(using generator: inout some RandomNumberGenerator) {
    self.init(generator.next(), generator.next() | 1)
  }

  init?(_ bytes: RawSpan, at offset: Int) {
    let high = bytes.littleEndian(UInt64.self, at: offset)
    let low = bytes.littleEndian(UInt64.self, at: offset + 8)
    guard high != 0 || low != 0 else { return nil }
    self.init(high, low)
  }

  func append(to bytes: inout [UInt8]) {
    bytes.appendLittleEndian(high)
    bytes.appendLittleEndian(low)
  }
}

/// The first bytes of a journal segment.
struct SegmentHeader: Sendable, Equatable {
  static let size = 96
  static let currentVersion: UInt32 = 1
  /// LSNs stay far below the end of UInt64, so that no sum of one and a count can overflow.
  static let largestLSN = UInt64.max >> 2
  private static let magic = Array("RCJOURNL".utf8)
  private static let relaxedFlag: UInt32 = 1

  /// Where the segment before this one ends. What follows there was refused to whoever asked for it.
  struct Previous: Sendable, Equatable {
    var id: SegmentID
    /// The byte after the last durable batch.
    var end: UInt64
    /// The last durable LSN.
    var lastLSN: UInt64
  }

  var id: SegmentID
  var firstLSN: UInt64
  /// Unix milliseconds.
  var createdAt: Int64
  /// Nil in the first segment of a journal.
  var previous: Previous?
  /// How its batches are synced.
  var durability = Durability.strict
  /// Which run of the machine it was begun in; 0 when that is not known.
  var boot: UInt64 = 0

  enum Decoded {
    case whole(SegmentHeader)
    case newer(version: UInt32)
    case damaged
  }

  func encoded() -> [UInt8] {
    var bytes = Self.magic
    bytes.appendLittleEndian(Self.currentVersion)
    bytes.appendLittleEndian(durability == .relaxed ? Self.relaxedFlag : 0)
    id.append(to: &bytes)
    bytes.appendLittleEndian(firstLSN)
    bytes.appendLittleEndian(createdAt)
    bytes.appendLittleEndian(previous?.id.high ?? 0)
    bytes.appendLittleEndian(previous?.id.low ?? 0)
    bytes.appendLittleEndian(previous?.end ?? 0)
    bytes.appendLittleEndian(previous?.lastLSN ?? 0)
    bytes.appendLittleEndian(boot)
    bytes.append(contentsOf: repeatElement(0, count: Self.size - 4 - bytes.count))
    bytes.appendLittleEndian(CRC32C.of(bytes.span.bytes))
    return bytes
  }

  /// Decodes exactly ``size`` bytes.
  static func decode(_ bytes: RawSpan) -> Decoded {
    guard bytes.byteCount == size,
      CRC32C.of(bytes.extracting(0..<size - 4)) == bytes.littleEndian(UInt32.self, at: size - 4),
      magic.indices.allSatisfy({ bytes.littleEndian(UInt8.self, at: $0) == magic[$0] })
    else { return .damaged }
    let version = bytes.littleEndian(UInt32.self, at: 8)
    guard version <= currentVersion else { return .newer(version: version) }
    let flags = bytes.littleEndian(UInt32.self, at: 12)
    guard version > 0, flags <= relaxedFlag, let id = SegmentID(bytes, at: 16) else { return .damaged }
    var header = SegmentHeader(
      id: id,
      firstLSN: bytes.littleEndian(UInt64.self, at: 32),
      createdAt: bytes.littleEndian(Int64.self, at: 40))
    header.durability = flags == relaxedFlag ? .relaxed : .strict
    header.boot = bytes.littleEndian(UInt64.self, at: 80)
    if let previous = SegmentID(bytes, at: 48) {
      header.previous = Previous(
        id: previous,
        end: bytes.littleEndian(UInt64.self, at: 64),
        lastLSN: bytes.littleEndian(UInt64.self, at: 72))
    }
    guard (1...largestLSN).contains(header.firstLSN), header.previous.map({ $0.lastLSN < header.firstLSN }) ?? true
    else { return .damaged }
    return .whole(header)
  }
}
