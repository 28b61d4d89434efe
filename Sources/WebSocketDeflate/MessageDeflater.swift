import CZlib

/// Compresses messages for permessage-deflate (RFC 7692 7.2.1).
///
/// Holds no memory until the first message, then what zlib needs for the window and its tables (16 KiB for 9 bits,
/// 256 KiB for 15), and room for one compressed message.
public struct MessageDeflater: ~Copyable {
  private let windowBits: Int
  private let keepsContext: Bool
  private let level: Int32
  /// zlib keeps the address of its stream, so that it must not move.
  private var stream: UnsafeMutablePointer<z_stream>?
  private var output = UnsafeMutableRawBufferPointer(start: nil, count: 0)

  /// What is kept allocated for the next message.
  private static let retainedBytes = 256 * 1024
  /// What a flush may add: the bits that end a block and the empty block behind it.
  private static let flushBytes = 16

  /// - Parameters:
  ///   - windowBits: the window to stay in, 9…15 as a power of two.
  ///   - keepsContext: whether a message may refer to those before it. A deflater that keeps none makes the same bytes for
  ///     every receiver.
  ///   - level: 1 (fast) to 9 (small).
  public init(windowBits: Int, keepsContext: Bool, level: Int = 1) {
    precondition(PermessageDeflate.usableWindowBits.contains(windowBits) && (1...9).contains(level))
    self.windowBits = windowBits
    self.keepsContext = keepsContext
    self.level = Int32(level)
  }

  deinit {
    if let stream {
      deflateEnd(stream)
      stream.deallocate()
    }
    output.deallocate()
  }

  /// Compresses one whole message.
  ///
  /// - Returns: the application data of a frame with RSV1, valid until the next call; not always shorter than the message.
  ///   Nil when there is no memory, which says nothing about later messages. With context the caller has to send what it
  ///   gets: the next message may refer to it.
  public mutating func deflate(_ message: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    guard message.count <= Int(UInt32.max) / 2, let stream = begin() else { return nil }
    if output.count > Self.retainedBytes {
      output.deallocate()
      output = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }
    let bound = Int(deflateBound(stream, UInt(message.count))) &+ Self.flushBytes
    if output.count < bound {
      output.deallocate()
      output = .allocate(byteCount: max(bound, 1024), alignment: 16)
    }
    guard let start = message.baseAddress, message.count > 0 else {
      // RFC 7692 7.2.3.6: nothing, compressed, is an empty block without its end.
      output.storeBytes(of: 0, as: UInt8.self)
      return UnsafeRawBufferPointer(rebasing: output[..<1])
    }
    // zlib does not write to its input.
    stream.pointee.next_in = UnsafeMutablePointer(mutating: start.assumingMemoryBound(to: UInt8.self))
    stream.pointee.avail_in = UInt32(message.count)
    var count = 0
    repeat {
      if count == output.count { growOutput() }
      let room = min(output.count &- count, 1 << 30)
      stream.pointee.next_out = output.baseAddress.map { ($0 + count).assumingMemoryBound(to: UInt8.self) }
      stream.pointee.avail_out = UInt32(room)
      guard CZlib.deflate(stream, Z_SYNC_FLUSH) == Z_OK else { break }
      count &+= room &- Int(stream.pointee.avail_out)
      // A flush that has room left is complete.
    } while stream.pointee.avail_out == 0
    // RFC 7692 7.2.1: the 00 00 FF FF of the flush stays behind.
    return UnsafeRawBufferPointer(rebasing: output[..<max(0, count &- 4)])
  }

  private mutating func growOutput() {
    let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: output.count &* 2, alignment: 16)
    larger.copyMemory(from: UnsafeRawBufferPointer(output))
    output.deallocate()
    output = larger
  }

  private mutating func begin() -> UnsafeMutablePointer<z_stream>? {
    if let stream {
      if !keepsContext { deflateReset(stream) }
      return stream
    }
    let fresh = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    fresh.initialize(to: z_stream())
    // The tables are emptied for each message without context: no larger than the window has use for.
    let memoryLevel = Int32(min(8, windowBits - 7))
    let result = deflateInit2_(
      fresh, level, Z_DEFLATED, Int32(-windowBits), memoryLevel, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    guard result == Z_OK else {
      fresh.deallocate()
      return nil
    }
    stream = fresh
    return fresh
  }
}
