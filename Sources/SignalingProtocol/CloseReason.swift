/// Why the server closes a WebSocket: the application's part of the registry `protocol/close-codes.json`.
///
/// 4000–4499: the client should reconnect; 4500–4999: it should not.
public enum CloseReason: UInt16, Sendable, CaseIterable {
  case unsupportedData = 1003
  case internalError = 1011
  case serviceRestart = 1012
  case tryAgainLater = 1013
  case slowConsumer = 4001
  case noPong = 4002
  case resumedElsewhere = 4003
  case helloTimeout = 4005
  case rateLimited = 4006
  case badToken = 4500
  case removed = 4502
  case banned = 4503

  case roleChanged = 4007
  case tokenExpired = 4501
  case leftElsewhere = 4510

  /// The reason text of the Close frame; at most 123 bytes (RFC 6455, 5.5.1).
  public var text: String {
    switch self {
    case .unsupportedData: "text messages only"
    case .internalError: "internal error"
    case .serviceRestart: "server restarting"
    case .tryAgainLater: "try again later"
    case .slowConsumer: "reading too slowly"
    case .noPong: "nothing heard"
    case .resumedElsewhere: "resumed on another connection"
    case .helloTimeout: "no hello in time"
    case .rateLimited: "sending too much"
    case .badToken: "token or ticket not valid"
    case .roleChanged: "role changed"
    case .tokenExpired: "token expired"
    case .leftElsewhere: "left the session elsewhere"
    case .removed: "removed from the session"
    case .banned: "banned from the session"
    }
  }

  /// Its name in the registry.
  public var name: String {
    switch self {
    case .unsupportedData: "unsupported_data"
    case .internalError: "internal_error"
    case .serviceRestart: "service_restart"
    case .tryAgainLater: "try_again_later"
    case .slowConsumer: "slow_consumer"
    case .noPong: "no_pong"
    case .resumedElsewhere: "resumed_elsewhere"
    case .helloTimeout: "hello_timeout"
    case .rateLimited: "rate_limited"
    case .badToken: "bad_token"
    case .roleChanged: "role_changed"
    case .tokenExpired: "token_expired"
    case .leftElsewhere: "left_elsewhere"
    case .removed: "removed"
    case .banned: "banned"
    }
  }
}
