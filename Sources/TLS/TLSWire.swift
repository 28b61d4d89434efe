import COpenSSL

/// The ciphertext side of all TLS sessions of one thread: one BIO that reads from the bytes just received and writes behind
/// the bytes to be sent.
///
/// Sessions own no buffers for the wire, so an idle one costs none, and what several calls write for one connection lies in
/// one piece, ready for one `send`. Only the thread that made it may use it.
public final class TLSWire {
  /// What the BIO sees. Its address is the BIO's data, so it never moves.
  struct Window {
    var input: UnsafeRawBufferPointer
    var output: UnsafeMutableRawPointer
    var outputCount = 0
    var outputCapacity: Int

    /// Grows by doubling: a tick's output for one connection.
    mutating func append(_ bytes: UnsafeRawPointer, count: Int) {
      if count > outputCapacity - outputCount {
        let capacity = max(outputCapacity * 2, outputCount + count)
        let moved = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 64)
        moved.copyMemory(from: output, byteCount: outputCount)
        output.deallocate()
        output = moved
        outputCapacity = capacity
      }
      (output + outputCount).copyMemory(from: bytes, byteCount: count)
      outputCount += count
    }

    /// Copies what is left of the input, as far as it fits.
    mutating func take(into target: UnsafeMutableRawPointer, count: Int) -> Int {
      let taken = min(count, input.count)
      guard taken > 0, let source = input.baseAddress else { return 0 }
      target.copyMemory(from: source, byteCount: taken)
      input = UnsafeRawBufferPointer(rebasing: input[taken...])
      return taken
    }
  }

  /// The output buffer that is kept while nothing is to be sent.
  private static let retainedCapacity = 256 * 1024

  private let window: UnsafeMutablePointer<Window>
  let bio: OpaquePointer

  /// A wire with nothing on it.
  public init() {
    window = .allocate(capacity: 1)
    window.initialize(
      to: Window(
        input: UnsafeRawBufferPointer(start: nil, count: 0),
        output: .allocate(byteCount: Self.retainedCapacity, alignment: 64), outputCapacity: Self.retainedCapacity))
    guard let bio = BIO_new(Self.method) else { preconditionFailure("no memory for a BIO") }
    BIO_set_data(bio, window)
    self.bio = bio
  }

  deinit {
    // Sessions that were not detached still hold the BIO; what they read or write from now on fails.
    BIO_set_data(bio, nil)
    BIO_free(bio)
    window.pointee.output.deallocate()
    window.deinitialize(count: 1)
    window.deallocate()
  }

  /// What the calls since the last ``removeOutput()`` have to send, valid until the next call.
  public var output: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: window.pointee.output, count: window.pointee.outputCount)
  }

  /// Forgets the output, once it is sent or kept elsewhere.
  public func removeOutput() {
    window.pointee.outputCount = 0
    guard window.pointee.outputCapacity > 4 * Self.retainedCapacity else { return }
    window.pointee.output.deallocate()
    window.pointee.output = .allocate(byteCount: Self.retainedCapacity, alignment: 64)
    window.pointee.outputCapacity = Self.retainedCapacity
  }

  /// Lets sessions read these bytes while `body` runs. What they leave is dropped: they have failed, or ended.
  func withInput<Result>(_ bytes: UnsafeRawBufferPointer, _ body: () -> Result) -> Result {
    window.pointee.input = bytes
    defer { window.pointee.input = UnsafeRawBufferPointer(start: nil, count: 0) }
    return body()
  }

  // MARK: The BIO

  private static func window(of bio: OpaquePointer?) -> UnsafeMutablePointer<Window>? {
    BIO_get_data(bio)?.assumingMemoryBound(to: Window.self)
  }

  /// Made once and never freed. `nonisolated(unsafe)` because OpenSSL only reads it after this.
  private nonisolated(unsafe) static let method: OpaquePointer = {
    guard let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "rollcall wire") else {
      preconditionFailure("no memory for a BIO method")
    }
    BIO_meth_set_create(method) { bio in
      BIO_set_init(bio, 1)
      return 1
    }
    BIO_meth_set_write_ex(method) { bio, bytes, count, written in
      guard let window = TLSWire.window(of: bio), let bytes else { return 0 }
      window.pointee.append(bytes, count: count)
      written?.pointee = count
      return 1
    }
    BIO_meth_set_read_ex(method) { bio, target, count, read in
      guard let window = TLSWire.window(of: bio), let target else { return 0 }
      let taken = window.pointee.take(into: target, count: count)
      read?.pointee = taken
      if taken == 0 { copenssl_set_retry_read(bio) }
      return taken > 0 ? 1 : 0
    }
    BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
    return method
  }()
}
