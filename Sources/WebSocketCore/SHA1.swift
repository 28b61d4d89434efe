/// SHA-1 (RFC 3174), for `Sec-WebSocket-Accept` alone: it proves that the server read the handshake, and no secret
/// rests on it.
enum SHA1 {
  /// The 20 bytes of the digest.
  static func digest(_ message: [UInt8]) -> [UInt8] {
    var state: InlineArray<5, UInt32> = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0]
    // RFC 3174 4: a one bit, zeros, and the length in bits as 64 bits fill the last block.
    var padded = message
    padded.append(0x80)
    while padded.count % 64 != 56 { padded.append(0) }
    let bitCount = UInt64(message.count) &* 8
    for shift in stride(from: 56, through: 0, by: -8) {
      padded.append(UInt8(truncatingIfNeeded: bitCount >> UInt64(shift)))
    }
    padded.withUnsafeBytes { padded in
      for start in stride(from: 0, to: padded.count, by: 64) {
        mix(UnsafeRawBufferPointer(rebasing: padded[start..<start + 64]), into: &state)
      }
    }
    var digest: [UInt8] = []
    digest.reserveCapacity(20)
    for index in state.indices {
      let word = state[index]
      for shift in stride(from: 24, through: 0, by: -8) {
        digest.append(UInt8(truncatingIfNeeded: word >> UInt32(shift)))
      }
    }
    return digest
  }

  /// RFC 3174 6.1: the method with all eighty words.
  private static func mix(_ block: UnsafeRawBufferPointer, into state: inout InlineArray<5, UInt32>) {
    var words = InlineArray<80, UInt32>(repeating: 0)
    for index in 0..<16 {
      words[index] = UInt32(bigEndian: block.loadUnaligned(fromByteOffset: index &* 4, as: UInt32.self))
    }
    for index in 16..<80 {
      words[index] = rotated(
        words[index &- 3] ^ words[index &- 8] ^ words[index &- 14] ^ words[index &- 16], by: 1)
    }
    var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
    // Apart for each function, so that no step has to find out which is its own.
    for step in 0..<20 {
      let sum = rotated(a, by: 5) &+ ((b & c) | (~b & d)) &+ e &+ words[step] &+ 0x5A82_7999
      (a, b, c, d, e) = (sum, a, rotated(b, by: 30), c, d)
    }
    for step in 20..<40 {
      let sum = rotated(a, by: 5) &+ (b ^ c ^ d) &+ e &+ words[step] &+ 0x6ED9_EBA1
      (a, b, c, d, e) = (sum, a, rotated(b, by: 30), c, d)
    }
    for step in 40..<60 {
      let sum = rotated(a, by: 5) &+ ((b & c) | (b & d) | (c & d)) &+ e &+ words[step] &+ 0x8F1B_BCDC
      (a, b, c, d, e) = (sum, a, rotated(b, by: 30), c, d)
    }
    for step in 60..<80 {
      let sum = rotated(a, by: 5) &+ (b ^ c ^ d) &+ e &+ words[step] &+ 0xCA62_C1D6
      (a, b, c, d, e) = (sum, a, rotated(b, by: 30), c, d)
    }
    state[0] &+= a
    state[1] &+= b
    state[2] &+= c
    state[3] &+= d
    state[4] &+= e
  }

  @inline(__always)
  private static func rotated(_ word: UInt32, by bits: UInt32) -> UInt32 {
    word &<< bits | word &>> (32 &- bits)
  }
}
