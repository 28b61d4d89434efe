/// Why a connection was failed (RFC 6455 7.1.7): what the peer broke.
public enum WebSocketFailure: Error, Hashable, Sendable {
  /// A reserved bit that no extension gave a meaning in this frame (RFC 6455 5.2, RFC 7692 6).
  case reservedBitSet
  /// An opcode of 3–7 or 11–15 (RFC 6455 5.2).
  case reservedOpcode
  /// A control frame with FIN clear (RFC 6455 5.5).
  case fragmentedControlFrame
  /// A control frame of more than 125 bytes (RFC 6455 5.5).
  case controlFrameTooLong
  /// A length in more bytes than it needs (RFC 6455 5.2).
  case lengthNotMinimal
  /// A 64-bit length with its top bit set (RFC 6455 5.2).
  case lengthOutOfRange
  /// A frame from a client without a mask (RFC 6455 5.1).
  case unmaskedFrame
  /// A frame from a server with a mask (RFC 6455 5.1).
  case maskedFrame
  /// A continuation with no message to continue (RFC 6455 5.4).
  case unexpectedContinuation
  /// A new message inside a fragmented one (RFC 6455 5.4).
  case unfinishedMessage
  /// More frames in one message than ``WebSocketLimits/maximumFramesPerMessage``.
  case tooManyFrames
  /// More bytes in one message than ``WebSocketLimits/maximumMessageBytes``.
  case messageTooBig
  /// A compressed message that has more than ``WebSocketLimits/maximumInflatedMessageBytes`` when it is inflated.
  case inflatedMessageTooBig
  /// A text message or a close reason that is not UTF-8 (RFC 6455 8.1).
  case invalidUTF8
  /// A compressed message that is not what a DEFLATE encoder makes, or that breaks off (RFC 7692 7.2.2).
  case invalidCompressedData
  /// A Close frame with half a status code (RFC 6455 5.5.1).
  case truncatedCloseCode
  /// A Close frame with a status code that must not travel (RFC 6455 7.4).
  case invalidCloseCode

  /// The code of the Close frame to send.
  public var closeCode: WebSocketCloseCode {
    switch self {
    case .messageTooBig, .inflatedMessageTooBig: .messageTooBig
    case .invalidUTF8, .invalidCompressedData: .invalidPayloadData
    case .tooManyFrames: .policyViolation
    default: .protocolError
    }
  }

  /// The reason of the Close frame to send: a few words for who debugs the peer.
  public var reason: String {
    switch self {
    case .reservedBitSet: "reserved bit set"
    case .reservedOpcode: "reserved opcode"
    case .fragmentedControlFrame: "fragmented control frame"
    case .controlFrameTooLong: "control frame too long"
    case .lengthNotMinimal: "length not minimal"
    case .lengthOutOfRange: "length out of range"
    case .unmaskedFrame: "unmasked frame from a client"
    case .maskedFrame: "masked frame from a server"
    case .unexpectedContinuation: "continuation without a message"
    case .unfinishedMessage: "new message inside a fragmented one"
    case .tooManyFrames: "too many frames in a message"
    case .messageTooBig: "message too big"
    case .inflatedMessageTooBig: "inflated message too big"
    case .invalidUTF8: "invalid UTF-8"
    case .invalidCompressedData: "invalid compressed data"
    case .truncatedCloseCode: "truncated close code"
    case .invalidCloseCode: "invalid close code"
    }
  }
}
