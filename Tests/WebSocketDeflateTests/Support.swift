import WebSocketCore
import WebSocketDeflate

/// Bytes of a fixed sequence that looks random.
struct RandomBytes: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    // splitmix64
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// Text that repeats itself here and there, as chat does, or noise.
  mutating func message(count: Int, isNoise: Bool) -> [UInt8] {
    var message: [UInt8] = []
    while message.count < count {
      if !isNoise, message.count > 8, Bool.random(using: &self) {
        let start = Int.random(in: 0..<message.count, using: &self)
        message += message[start..<min(message.count, start + Int.random(in: 3...300, using: &self))]
      } else {
        message.append(isNoise ? .random(in: 0...255, using: &self) : .random(in: 97...122, using: &self))
      }
    }
    return Array(message.prefix(count))
  }
}

extension MessageInflater {
  mutating func inflate(_ bytes: [UInt8], maximumBytes: Int = 1 << 24) throws(WebSocketFailure) -> [UInt8] {
    let result = bytes.withUnsafeBytes { bytes -> Result<[UInt8], WebSocketFailure> in
      do throws(WebSocketFailure) {
        return .success([UInt8](try inflate(bytes, maximumBytes: maximumBytes)))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }
}

extension MessageDeflater {
  mutating func deflate(_ bytes: [UInt8]) -> [UInt8] {
    bytes.withUnsafeBytes { message in deflate(message).map { [UInt8]($0) } ?? [] }
  }
}
