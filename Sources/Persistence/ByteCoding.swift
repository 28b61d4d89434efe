import CLinux

/// CRC-32C (Castagnoli) as in RFC 3720 appendix B.4.
enum CRC32C {
  /// The checksum of what `crc` was computed over followed by `bytes`; `crc` is 0 to begin.
  static func of(_ bytes: RawSpan, continuing crc: UInt32 = 0) -> UInt32 {
    bytes.withUnsafeBytes { clinux_crc32c(crc, $0.baseAddress, $0.count) }
  }
}

extension [UInt8] {
  mutating func appendLittleEndian<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }

  /// Overwrites four bytes that are there already.
  mutating func replaceLittleEndian(at offset: Int, with value: UInt32) {
    for shift in 0..<4 { self[offset + shift] = UInt8(truncatingIfNeeded: value >> (8 * UInt32(shift))) }
  }
}

extension RawSpan {
  /// The integer at `offset`, which the caller has checked to lie inside.
  @inline(__always)
  func littleEndian<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type, at offset: Int) -> Value {
    Value(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: type))
  }
}
