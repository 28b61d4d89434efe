/// What a frame carries (RFC 6455 5.2). Opcodes 3–7 and 11–15 are reserved and have no case here.
public enum WebSocketOpcode: UInt8, Sendable {
  case continuation = 0x0
  case text = 0x1
  case binary = 0x2
  case close = 0x8
  case ping = 0x9
  case pong = 0xA

  /// Whether this is a control frame: at most 125 bytes, never fragmented (RFC 6455 5.5).
  public var isControl: Bool { rawValue & 0x8 != 0 }
}

/// The three reserved bits of a frame (RFC 6455 5.2). Each must be zero unless an extension was agreed on that
/// gives it a meaning.
public struct WebSocketReservedBits: OptionSet, Hashable, Sendable {
  public let rawValue: UInt8

  /// The bits as they stand in the first byte of a frame; other bits than 0x70 are left out.
  public init(rawValue: UInt8) {
    self.rawValue = rawValue & 0x70
  }

  /// RSV1; permessage-deflate marks a compressed message with it (RFC 7692 6).
  public static let rsv1 = WebSocketReservedBits(rawValue: 0x40)
  public static let rsv2 = WebSocketReservedBits(rawValue: 0x20)
  public static let rsv3 = WebSocketReservedBits(rawValue: 0x10)
}
