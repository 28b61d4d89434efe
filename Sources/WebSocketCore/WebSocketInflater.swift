/// What inflates the messages that a peer compressed with permessage-deflate (RFC 7692 7.2.2). A machine that speaks of
/// compression needs one; how it is done is no part of this module.
public protocol WebSocketInflater: ~Copyable {
  /// Inflates one whole message.
  ///
  /// - Parameters:
  ///   - payload: the application data of all its frames, as they came.
  ///   - maximumBytes: the most that the message may have; nothing beyond it is kept, on the way neither.
  /// - Returns: the message, valid until the next call.
  /// - Throws: ``WebSocketFailure/messageTooBig`` or ``WebSocketFailure/invalidCompressedData``; the inflater is of no use
  ///   to this connection after that.
  mutating func inflate(
    _ payload: UnsafeRawBufferPointer, maximumBytes: Int
  ) throws(WebSocketFailure) -> UnsafeRawBufferPointer
}
