/// What one connection may make its peer hold.
public struct WebSocketLimits: Hashable, Sendable {
  /// The most payload bytes in one message, all its fragments together. A frame that declares more fails the
  /// connection with 1009 before anything is allocated for it.
  public var maximumMessageBytes: Int

  /// The most bytes a compressed message may have when it is inflated; one with more fails the connection with 1009, and
  /// nothing beyond is kept.
  public var maximumInflatedMessageBytes: Int

  /// The most frames one message may be cut into; more fail the connection with 1008. It bounds the work that empty
  /// and tiny fragments can ask for.
  public var maximumFramesPerMessage: Int

  /// - Parameter maximumInflatedMessageBytes: as many as any message has, when nothing is said.
  public init(
    maximumMessageBytes: Int = 65_536, maximumInflatedMessageBytes: Int? = nil, maximumFramesPerMessage: Int = 1_024
  ) {
    precondition(maximumMessageBytes >= 0 && maximumFramesPerMessage >= 1)
    self.maximumMessageBytes = maximumMessageBytes
    self.maximumInflatedMessageBytes = maximumInflatedMessageBytes ?? maximumMessageBytes
    self.maximumFramesPerMessage = maximumFramesPerMessage
  }

  /// The most bytes that a message of ``maximumMessageBytes`` has when it is compressed: DEFLATE with fixed codes makes
  /// the worst data longer by an eighth at most (RFC 1951 3.2.6).
  public var maximumCompressedMessageBytes: Int {
    let (sum, overflows) = maximumMessageBytes.addingReportingOverflow(maximumMessageBytes / 8 + 64)
    return overflows ? .max : sum
  }

  /// The most payload bytes of a control frame (RFC 6455 5.5).
  public static let maximumControlPayloadBytes = 125

  /// The most bytes of a Close frame's reason: a control payload less the two of the code (RFC 6455 5.5.1).
  public static let maximumCloseReasonBytes = 123

  /// The longest frame header: two bytes, a 64-bit length, a masking key (RFC 6455 5.2).
  public static let maximumHeaderBytes = 14

  /// The most bytes of the head of a handshake response that a client reads.
  public static let maximumHandshakeHeadBytes = 16_384

  /// The most extensions, and the most parameters of one extension, in a handshake.
  public static let maximumExtensionOffers = 32
}
