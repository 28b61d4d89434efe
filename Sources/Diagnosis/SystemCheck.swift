import CLinux
import EventLoop
import Glibc
import SignalingServer

// What the system grants the process.
extension Examination {
  func checkDescriptors(_ tell: (Finding) -> Void) {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    // The server raises its own limit up to the hard one.
    let files = Int(clamping: limit.rlim_max)
    let wanted = Int(clamping: LimitSetting.connections.value(in: configuration))
    let possible = configuration.maximumConnections(descriptors: files)
    let advice = "raise the hard limit of open files: LimitNOFILE= of systemd, --ulimit nofile= of a container"
    if wanted > 0, wanted + 64 > files {
      tell(.problem("open files", "\(files) may be open, which is too few for \(wanted) connections", advice))
    } else if possible < 1000 {
      tell(.warning("open files", "\(files) may be open: at most \(possible) connections", advice))
    } else {
      tell(.ok("open files", "\(files) may be open: up to \(possible) connections"))
    }
  }

  func checkKernel(_ tell: (Finding) -> Void) {
    if let longest = FileFacts.number("/proc/sys/net/core/somaxconn") {
      if longest < Int(Listener.backlog) {
        tell(
          .warning(
            "kernel", "net.core.somaxconn is \(longest): when a whole school comes at once, some are refused",
            "sysctl -w net.core.somaxconn=\(Listener.backlog)"))
      } else {
        tell(.ok("kernel", "net.core.somaxconn is \(longest)"))
      }
    }
    let wanted = configuration.maximumConnections(descriptors: ProcessFigures().maximumDescriptors)
    if let tracked = FileFacts.number("/proc/sys/net/netfilter/nf_conntrack_max"), tracked < wanted {
      tell(
        .warning(
          "kernel", "the firewall tracks at most \(tracked) connections, fewer than the \(wanted) of the server",
          "sysctl -w net.netfilter.nf_conntrack_max=\(wanted * 2)"))
    }
    let cores = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    if configuration.loops > cores {
      tell(
        .warning(
          "kernel", "\(configuration.loops) event loops on \(cores) cores get in each other's way", "leave loops out"))
    }
  }
}

/// Looks at the clock while the other checks run: whether it jumps, and whether it is kept right.
struct ClockWatch {
  private let difference = Self.now()

  private static func now() -> Int64 { WallClock.milliseconds() - MonotonicClock.milliseconds() }

  /// Before this build's time no clock can be: 2025-01-01.
  private static let earliest: Int64 = 1_735_689_600_000

  func check(_ tell: (Finding) -> Void) {
    let jump = Self.now() - difference
    let advice = "let one service keep it (chrony, systemd-timesyncd), and no other"
    if WallClock.milliseconds() < Self.earliest {
      tell(.problem("clock", "it says a time before 2025: tokens and certificates will not hold", advice))
    } else if abs(jump) > 100 {
      tell(
        .warning(
          "clock", "it jumped by \(jump) ms while this ran; durations stay right, times that people see do not", advice)
      )
    } else {
      switch clinux_clock_state() {
      case 0: tell(.ok("clock", "it is kept right by the network, and did not jump while this ran"))
      case 1:
        tell(
          .warning(
            "clock",
            "nothing keeps it right as far as the kernel knows: tokens that others make may seem too early or late",
            advice))
      default: tell(.ok("clock", "it did not jump while this ran; whether anything keeps it right cannot be seen here"))
      }
    }
  }
}
