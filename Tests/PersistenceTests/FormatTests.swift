import CLinux
import Testing

@testable import Persistence

/// The bytes that FORMAT.md promises. A change here is a new format version.
@Suite("Format")
struct FormatTests {
  private let id = SegmentID(0x0706_0504_0302_0100, 0x0F0E_0D0C_0B0A_0908)
  private let nextID = SegmentID(0x1716_1514_1312_1110, 0x1F1E_1D1C_1B1A_1918)
  private let now: Int64 = 1_767_225_600_123

  private func hexadecimal(_ bytes: [UInt8]?) -> String {
    let digits = Array("0123456789abcdef")
    return String((bytes ?? []).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
  }

  @Test("the checksum is the same whether the processor has an instruction for it or not")
  func checksumWays() {
    var random = SeededGenerator(7)
    for count in [0, 1, 7, 8, 9, 63, 64, 65, 4097] {
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      for start in [0, 0xFFFF_FFFF, 0x1234_5678] as [UInt32] {
        #expect(clinux_crc32c(start, bytes, count) == clinux_crc32c_by_tables(start, bytes, count), "\(count) bytes")
      }
    }
  }

  @Test("the checksum is CRC-32C")
  func checksum() {
    #expect(CRC32C.of(Array("123456789".utf8).span.bytes) == 0xE306_9283)
  }

  @Test("journal and snapshot are laid out byte for byte as FORMAT.md says")
  func golden() throws {
    let storage = VirtualStorage()
    var collector = Collector()
    var writer = try Recovery.open(storage, segmentID: id, now: now, clock: { 0 }, into: &collector).takeWriter()
    _ = try writer.append([
      PendingRecord(session: "math", sequence: 7, kind: 3, payload: Array("{}".utf8)),
      PendingRecord(session: "é", sequence: 8, kind: 255, payload: []),
    ])
    try writer.rotate(segmentID: nextID, now: now + 1)
    var snapshot = try SnapshotWriter(storage, lsn: 1, now: now)
    let payload = Array("state".utf8)
    try snapshot.append(RecordHeader(lsn: 2, session: "é", sequence: 8, kind: 1), payload: payload.span.bytes)
    try snapshot.finish()

    let first =
      "52434a4f55524e4c0100000000000000000102030405060708090a0b0c0d0e0f01000000000000007ba8da769b010000"
      + "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000b84e34ac"
      + "000102030405060708090a0b0c0d0e0f3e00000002000000010000000000000088fb021c19000000f4282dc401000000"
      + "0000000007000000000000000304006d6174687b7d150000000438f82702000000000000000800000000000000ff0200"
      + "c3a9"
    let second =
      "52434a4f55524e4c0100000000000000101112131415161718191a1b1c1d1e1f03000000000000007ca8da769b010000"
      + "000102030405060708090a0b0c0d0e0fc20000000000000002000000000000000000000000000000000000009d96c3e1"
    let third =
      "5243534e41505348010000000000000001000000000000007ba8da769b010000000000000000000000000000315171f7"
      + "1a0000000dc1df3802000000000000000800000000000000010200c3a97374617465000000000ec361cb010000000000"
      + "0000"
    #expect(hexadecimal(storage.files["journal-00000000000000000001.rcj"]) == first)
    #expect(hexadecimal(storage.files["journal-00000000000000000003.rcj"]) == second)
    #expect(hexadecimal(storage.files["snapshot-00000000000000000001.rcs"]) == third)
  }
}
