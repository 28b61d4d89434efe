import WebSocketCore

/// SplitMix64: the same numbers on every run.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &self) }
  }
}

/// An event with its payload copied.
enum Received: Equatable {
  case text(String)
  case binary([UInt8])
  case ping([UInt8])
  case pong([UInt8])
  case close(UInt16?, String)
  case failure(WebSocketFailure)

  init(_ event: WebSocketEvent) {
    switch event {
    case .text(let payload): self = .text(String(decoding: payload, as: UTF8.self))
    case .binary(let payload): self = .binary([UInt8](payload))
    case .ping(let payload): self = .ping([UInt8](payload))
    case .pong(let payload): self = .pong([UInt8](payload))
    case .close(let code, let reason): self = .close(code?.rawValue, String(decoding: reason, as: UTF8.self))
    case .failure(let failure): self = .failure(failure)
    }
  }
}

extension WebSocketConnection {
  /// Takes in one piece of the stream; every event it brings.
  mutating func receive(_ bytes: [UInt8]) -> [Received] {
    var bytes = bytes
    return bytes.withUnsafeMutableBytes { input in
      var events: [Received] = []
      var consumed = 0
      while let event = next(input, consumed: &consumed) { events.append(Received(event)) }
      precondition(consumed == input.count, "the machine left bytes to its caller")
      return events
    }
  }

  mutating func receive(_ pieces: [[UInt8]]) -> [Received] {
    pieces.flatMap { receive($0) }
  }
}

let testKey = WebSocketMaskingKey(0x37, 0xFA, 0x21, 0x3D)

/// A frame as a client sends it.
func masked(
  _ opcode: WebSocketOpcode, _ payload: [UInt8], final isFinal: Bool = true, bits: WebSocketReservedBits = [],
  key: WebSocketMaskingKey = testKey
) -> [UInt8] {
  WebSocketFrame.bytes(opcode, payload: payload, isFinal: isFinal, reservedBits: bits, maskingKey: key)
}

func masked(_ opcode: WebSocketOpcode, _ payload: String, final isFinal: Bool = true) -> [UInt8] {
  masked(opcode, [UInt8](payload.utf8), final: isFinal)
}

func closePayload(_ code: UInt16, _ reason: String = "") -> [UInt8] {
  [UInt8(code >> 8), UInt8(code & 0xFF)] + [UInt8](reason.utf8)
}

func chopped(_ bytes: [UInt8], everyByte: Void) -> [[UInt8]] {
  bytes.map { [$0] }
}

func chopped(_ bytes: [UInt8], using generator: inout SeededGenerator, most: Int = 40) -> [[UInt8]] {
  var pieces: [[UInt8]] = []
  var start = 0
  while start < bytes.count {
    let end = min(bytes.count, start + Int.random(in: 1...most, using: &generator))
    pieces.append([UInt8](bytes[start..<end]))
    start = end
  }
  return pieces
}
