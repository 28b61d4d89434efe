import CLinux
import Glibc

/// The signals that tell the server something.
public enum ProcessSignal: Int32, Sendable, CaseIterable {
  case hangup = 1
  case interrupt = 2
  case terminate = 15
}

/// Signals as something to poll, so that they are handled in an event loop and not in the middle of anything.
public struct SignalDescriptor: ~Copyable {
  private let descriptor: FileDescriptor

  /// Blocks `signals` for the calling thread and those it starts from then on; so it is to be made before any thread is.
  public init(_ signals: [ProcessSignal] = ProcessSignal.allCases) throws(SystemError) {
    var set = sigset_t()
    sigemptyset(&set)
    for signal in signals { sigaddset(&set, signal.rawValue) }
    let code = pthread_sigmask(SIG_BLOCK, &set, nil)
    guard code == 0 else { throw SystemError(code: code, call: "pthread_sigmask") }
    let raw = signalfd(-1, &set, Int32(SFD_NONBLOCK | SFD_CLOEXEC))
    guard raw >= 0 else { throw SystemError.last("signalfd") }
    descriptor = FileDescriptor(owning: raw)
  }

  /// What a poller watches for reading.
  public var rawValue: Int32 { descriptor.rawValue }

  /// The next signal that has come, `nil` when there is none. Several of one kind may count as one.
  public func next() -> ProcessSignal? {
    var information = signalfd_siginfo()
    while true {
      let count = withUnsafeMutableBytes(of: &information) { read(descriptor.rawValue, $0.baseAddress, $0.count) }
      if count == MemoryLayout<signalfd_siginfo>.size { return ProcessSignal(rawValue: Int32(information.ssi_signo)) }
      if count >= 0 || errno != EINTR { return nil }
    }
  }
}
