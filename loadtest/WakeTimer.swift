import CLinux
import EventLoop
import Glibc

/// A timer to poll, finer than the milliseconds of a poller's time limit.
struct WakeTimer: ~Copyable {
  private let descriptor: FileDescriptor

  init() throws(SystemError) {
    let raw = timerfd_create(CLOCK_MONOTONIC, Int32(TFD_NONBLOCK | TFD_CLOEXEC))
    guard raw >= 0 else { throw SystemError(code: errno, call: "timerfd_create") }
    descriptor = FileDescriptor(owning: raw)
  }

  /// What a poller watches for reading.
  var rawValue: Int32 { descriptor.rawValue }

  /// Makes the timer readable at a time of the monotonic clock, in nanoseconds; what was set before is forgotten.
  func set(_ nanoseconds: Int64) throws(SystemError) {
    // Zero would switch it off.
    let time = max(1, nanoseconds)
    var setting = itimerspec()
    setting.it_value.tv_sec = Int(time / 1_000_000_000)
    setting.it_value.tv_nsec = Int(time % 1_000_000_000)
    guard timerfd_settime(descriptor.rawValue, Int32(TFD_TIMER_ABSTIME), &setting, nil) == 0 else {
      throw SystemError(code: errno, call: "timerfd_settime")
    }
  }
}
