import WebSocketCore

/// How long a client waits before it connects again: exponential back-off with full jitter.
public struct ReconnectDelay: Sendable {
  /// The bound of the first delay.
  public var baseMilliseconds: Int64
  /// The bound of every delay.
  public var capMilliseconds: Int64

  /// Bounds in milliseconds.
  public init(baseMilliseconds: Int64 = 1000, capMilliseconds: Int64 = 10_000) {
    self.baseMilliseconds = max(1, baseMilliseconds)
    self.capMilliseconds = max(1, capMilliseconds)
  }

  /// The delay before an attempt, evenly spread from 0 to a bound that doubles with each failure.
  ///
  /// - Parameters:
  ///   - failures: how many attempts have failed since the client was last in.
  ///   - random: evenly distributed bits.
  public func milliseconds(afterFailures failures: Int, random: UInt64) -> Int64 {
    let exponent = Int64(min(max(failures, 0), 20))
    let (scaled, overflows) = baseMilliseconds.multipliedReportingOverflow(by: 1 << exponent)
    let bound = overflows ? capMilliseconds : min(scaled, capMilliseconds)
    return Int64(random % UInt64(bound + 1))
  }
}

/// What the registry `protocol/close-codes.json` tells a client to do.
enum CloseRule: Equatable {
  case reconnect
  /// Reconnect without the resume token.
  case joinAnew
  case stop
  /// The server must not use the code.
  case unknown

  init(_ code: WebSocketCloseCode?) {
    switch code?.rawValue {
    case nil, 1001, 1002, 1003, 1007, 1009, 1011, 1012, 1013: self = .reconnect
    case 4001, 4002, 4005, 4006, 4007: self = .reconnect
    case 4003: self = .joinAnew
    case 1000, 1008, 4500, 4501, 4502, 4503, 4510: self = .stop
    default: self = .unknown
    }
  }

  /// What to do about a code that is in no registry: what its range says.
  static func byRange(_ code: UInt16) -> CloseRule {
    switch code {
    case 1008: .stop
    case 1001...1013, 4000...4499: .reconnect
    default: .stop
    }
  }
}
