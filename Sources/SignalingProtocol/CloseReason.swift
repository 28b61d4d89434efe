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
  case badToken = 4500

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
    case .badToken: "token or ticket not valid"
    }
  }
}
