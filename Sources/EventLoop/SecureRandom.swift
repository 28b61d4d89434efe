import CLinux
import Glibc

/// Random bytes fit for secrets, from the kernel.
public enum SecureRandom {
  /// Fills `buffer`. Early at boot it waits until the kernel has gathered enough.
  public static func fill(_ buffer: UnsafeMutableRawBufferPointer) {
    var filled = 0
    while filled < buffer.count {
      guard let base = buffer.baseAddress else { return }
      let count = getrandom(base + filled, buffer.count - filled, 0)
      if count > 0 {
        filled += count
      } else if errno != EINTR {
        // Only a kernel before 3.17 or a sandbox without getrandom. To go on with guessable secrets would be worse.
        preconditionFailure("getrandom: \(SystemError.message(for: errno))")
      }
    }
  }

  /// `count` random bytes.
  public static func bytes(count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    bytes.withUnsafeMutableBytes { fill($0) }
    return bytes
  }
}
