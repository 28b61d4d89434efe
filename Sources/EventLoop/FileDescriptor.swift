import Glibc

/// The owner of an open file descriptor: closed when the owner goes.
public struct FileDescriptor: ~Copyable, Sendable {
  /// The number the system knows it by; -1 when nothing is owned any more.
  public private(set) var rawValue: Int32

  /// Takes over `rawValue`, which nobody else may close.
  public init(owning rawValue: Int32) { self.rawValue = rawValue }

  deinit {
    // No retry on EINTR: Linux has released the number by then, and it may belong to someone else.
    if rawValue >= 0 { Glibc.close(rawValue) }
  }

  /// Whether there is a descriptor to close.
  public var isOpen: Bool { rawValue >= 0 }

  /// Closes it now.
  public consuming func close() {}

  /// Gives it up: the caller closes it.
  public consuming func release() -> Int32 {
    let released = rawValue
    rawValue = -1
    return released
  }

  /// Moves the ownership out of a place that stays behind, empty.
  public mutating func take() -> FileDescriptor {
    let taken = rawValue
    rawValue = -1
    return FileDescriptor(owning: taken)
  }
}
