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
        // A sandbox without getrandom: the standard library's generator is as secure and knows /dev/urandom.
        var generator = SystemRandomNumberGenerator()
        for index in filled..<buffer.count { buffer[index] = UInt8.random(in: .min ... .max, using: &generator) }
        return
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
