import Glibc

/// Which run of the machine this is: what is in the system's memory survives a crash of the server, but not a restart of
/// the machine.
public enum BootID {
  /// The first half of the kernel's random `boot_id`; 0 when it cannot be read.
  public static func current() -> UInt64 {
    guard let file = retryingOnInterrupt({ open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC) }) else {
      return 0
    }
    defer { _ = close(file) }
    var bytes = [UInt8](repeating: 0, count: 64)
    guard let count = retryingOnInterrupt({ read(file, &bytes, bytes.count) }) else { return 0 }
    let digits = bytes.prefix(count).filter { $0 != UInt8(ascii: "-") }.prefix(16)
    return UInt64(String(decoding: digits, as: UTF8.self), radix: 16) ?? 0
  }
}
