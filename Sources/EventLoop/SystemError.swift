import Glibc

/// A system call that failed.
public struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The error number, for example `EMFILE`.
  public let code: Int32
  /// The name of the call, for example `epoll_ctl`.
  public let call: String

  /// An error of this number and call.
  public init(code: Int32, call: String) {
    self.code = code
    self.call = call
  }

  /// The failure that `errno` tells of now; to be taken right after the call.
  static func last(_ call: String) -> SystemError { SystemError(code: errno, call: call) }

  /// For example `bind: Address already in use (errno 98)`.
  public var description: String { "\(call): \(SystemError.message(for: code)) (errno \(code))" }

  /// The system's own words for an error number.
  public static func message(for code: Int32) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
      guard let base = buffer.baseAddress, strerror_r(code, base, buffer.count) == 0 else { return "unknown error" }
      return String(cString: base)
    }
  }
}
