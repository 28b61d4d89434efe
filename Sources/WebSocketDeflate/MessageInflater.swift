import CZlib
import WebSocketCore

/// Inflates messages of permessage-deflate (RFC 7692 7.2.2), and stops where a message would become too big.
///
/// Holds no memory until the first message, then about 8 KiB, 32 KiB of window where messages are longer than one
/// step, and what the last message needed.
public struct MessageInflater: ~Copyable, WebSocketInflater {
  /// Whether a message may refer to those before it.
  private let keepsContext: Bool
  /// zlib keeps the address of its stream, so that it must not move.
  private var stream: UnsafeMutablePointer<z_stream>?
  private var output = UnsafeMutableRawBufferPointer(start: nil, count: 0)

  /// What is kept allocated for the next message.
  private static let retainedBytes = 256 * 1024

  /// - Parameter keepsContext: whether the peer may carry its context from message to message. An inflater that keeps
  ///   none can serve any number of peers that carry none.
  public init(keepsContext: Bool) {
    self.keepsContext = keepsContext
  }

  deinit {
    if let stream {
      inflateEnd(stream)
      stream.deallocate()
    }
    output.deallocate()
  }

  /// The bytes allocated for the message that was inflated last.
  public var outputCapacity: Int { output.count }

  public mutating func inflate(
    _ payload: UnsafeRawBufferPointer, maximumBytes: Int
  ) throws(WebSocketFailure) -> UnsafeRawBufferPointer {
    let stream = try begin()
    if output.count > Self.retainedBytes {
      output.deallocate()
      output = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }
    var count = 0
    // What is there is often the larger part of what comes of it.
    try makeRoom(for: min(max(payload.count, 64) &* 4, 64 * 1024), limit: maximumBytes, keeping: 0)
    try take(payload, stream, &count, maximumBytes)
    // RFC 7692 7.2.2: the end of the last block was cut off by who compressed. It holds nothing, and the message ends
    // with it: else the peer's data broke off in the middle of a block.
    let whole = count
    let end: InlineArray<4, UInt8> = [0x00, 0x00, 0xFF, 0xFF]
    for index in 0..<4 {
      var byte = end[index]
      try withUnsafeBytes(of: &byte) { (byte) throws(WebSocketFailure) in
        try take(byte, stream, &count, maximumBytes)
      }
    }
    guard count == whole, stream.pointee.data_type & Self.isBetweenBlocks != 0 else { throw .invalidCompressedData }
    return UnsafeRawBufferPointer(rebasing: output[..<count])
  }

  /// zlib's `data_type` has this bit when the last block is wholly decoded.
  private static let isBetweenBlocks: Int32 = 128

  private mutating func begin() throws(WebSocketFailure) -> UnsafeMutablePointer<z_stream> {
    if let stream {
      // A state that a message broke has been left to its connection: only one without context is used again.
      if !keepsContext { inflateReset(stream) }
      return stream
    }
    let fresh = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    fresh.initialize(to: z_stream())
    // The largest window reads what was written with any.
    let result = inflateInit2_(fresh, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard result == Z_OK else {
      // Without memory for a window no message can be taken.
      fresh.deallocate()
      throw .messageTooBig
    }
    stream = fresh
    return fresh
  }

  /// Decodes `input` behind the first `count` bytes of the output.
  private mutating func take(
    _ input: UnsafeRawBufferPointer, _ stream: UnsafeMutablePointer<z_stream>, _ count: inout Int, _ maximumBytes: Int
  ) throws(WebSocketFailure) {
    guard let start = input.baseAddress else { return }
    // zlib counts in 32 bits. It does not write to its input.
    guard input.count <= Int(UInt32.max) else { throw .messageTooBig }
    stream.pointee.next_in = UnsafeMutablePointer(mutating: start.assumingMemoryBound(to: UInt8.self))
    stream.pointee.avail_in = UInt32(input.count)
    while true {
      if count == output.count { try makeRoom(for: count &* 2, limit: maximumBytes, keeping: count) }
      let room = min(output.count &- count, 1 << 30)
      stream.pointee.next_out = output.baseAddress.map { ($0 + count).assumingMemoryBound(to: UInt8.self) }
      stream.pointee.avail_out = UInt32(room)
      let result = CZlib.inflate(stream, Z_SYNC_FLUSH)
      count &+= room &- Int(stream.pointee.avail_out)
      guard count <= maximumBytes else { throw .messageTooBig }
      switch result {
      case Z_OK: break
      // Nothing could be done: the input is used up.
      case Z_BUF_ERROR: return
      case Z_STREAM_END:
        // RFC 7692 7.2.3.4: a message may have a final block; the next one goes on with its window.
        guard inflateResetKeep(stream) == Z_OK else { throw .invalidCompressedData }
      default: throw .invalidCompressedData
      }
      if stream.pointee.avail_in == 0, stream.pointee.avail_out > 0 { return }
    }
  }

  /// Allocates for `capacity` bytes, at most one more than the message may have: the one that shows that it is too big.
  private mutating func makeRoom(for capacity: Int, limit: Int, keeping count: Int) throws(WebSocketFailure) {
    let allowed = min(capacity, limit == .max ? limit : limit + 1)
    guard allowed > output.count else {
      if count == 0 { return }
      throw .messageTooBig
    }
    let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: allowed, alignment: 16)
    larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: output[..<count]))
    output.deallocate()
    output = larger
  }
}
