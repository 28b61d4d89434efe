import CLinux
import Glibc

/// What a server asks of its process at the start.
public enum ProcessSettings {
  /// Raises the soft limit of open files (`RLIMIT_NOFILE`) to the hard one.
  ///
  /// - Returns: the limit now.
  @discardableResult
  public static func raiseOpenFileLimit() throws(SystemError) -> UInt64 {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      throw SystemError.last("getrlimit")
    }
    if limit.rlim_cur < limit.rlim_max {
      limit.rlim_cur = limit.rlim_max
      guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
        throw SystemError.last("setrlimit")
      }
    }
    return UInt64(limit.rlim_cur)
  }

  /// Gives the system back what the process has freed: after reading a large folder that is as much as it keeps. Takes
  /// milliseconds for each 100 MB.
  public static func giveMemoryBack() { malloc_trim(0) }

  /// Makes a write to a closed pipe or socket an error (`EPIPE`), and one past the largest file size (`EFBIG`), instead of the
  /// end of the process.
  public static func ignoreSignalsOfWrites() {
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
  }
}
