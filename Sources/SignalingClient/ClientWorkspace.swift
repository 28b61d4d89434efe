import JSON
import WebSocketCore

/// Working memory that any number of clients of one thread share, and their source of randomness.
public struct ClientWorkspace: ~Copyable {
  var reader = JSONReader()
  var writer = JSONWriter(reserving: 512)
  var differences = DifferenceCache()
  var inflater: SharedInflater
  let random: () -> UInt64

  /// - Parameters:
  ///   - random: evenly distributed bits, new ones for each call. Masking keys and delays are made of them, so a real client
  ///     takes them from a strong source (RFC 6455 5.3), a simulation from its seed.
  ///   - inflate: inflates one whole message up to a size, needed when compression is offered. What it returns is valid until
  ///     it is called again.
  public init(random: @escaping () -> UInt64, inflate: @escaping Inflate = ClientWorkspace.refuse) {
    self.random = random
    inflater = SharedInflater(inflate: inflate)
  }

  /// See ``WebSocketInflater/inflate(_:maximumBytes:)``.
  public typealias Inflate = (UnsafeRawBufferPointer, Int) throws(WebSocketFailure) -> UnsafeRawBufferPointer

  /// The inflater of those who offer no compression.
  public static func refuse(_: UnsafeRawBufferPointer, _: Int) throws(WebSocketFailure) -> UnsafeRawBufferPointer {
    throw .invalidCompressedData
  }
}

/// One inflater for all clients of a workspace: none of their servers carries a context from message to message.
struct SharedInflater: WebSocketInflater {
  let inflate: ClientWorkspace.Inflate

  mutating func inflate(
    _ payload: UnsafeRawBufferPointer, maximumBytes: Int
  ) throws(WebSocketFailure) -> UnsafeRawBufferPointer {
    try inflate(payload, maximumBytes)
  }
}
