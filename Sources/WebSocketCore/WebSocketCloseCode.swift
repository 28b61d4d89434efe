/// The status code of a Close frame (RFC 6455 7.4 and the IANA registry of WebSocket close codes).
public struct WebSocketCloseCode: RawRepresentable, Hashable, Sendable {
  public let rawValue: UInt16

  public init(rawValue: UInt16) {
    self.rawValue = rawValue
  }

  public static let normalClosure = WebSocketCloseCode(rawValue: 1000)
  public static let goingAway = WebSocketCloseCode(rawValue: 1001)
  public static let protocolError = WebSocketCloseCode(rawValue: 1002)
  public static let unsupportedData = WebSocketCloseCode(rawValue: 1003)
  public static let invalidPayloadData = WebSocketCloseCode(rawValue: 1007)
  public static let policyViolation = WebSocketCloseCode(rawValue: 1008)
  public static let messageTooBig = WebSocketCloseCode(rawValue: 1009)
  public static let mandatoryExtension = WebSocketCloseCode(rawValue: 1010)
  public static let internalError = WebSocketCloseCode(rawValue: 1011)
  public static let serviceRestart = WebSocketCloseCode(rawValue: 1012)
  public static let tryAgainLater = WebSocketCloseCode(rawValue: 1013)
  public static let badGateway = WebSocketCloseCode(rawValue: 1014)

  /// Whether a Close frame may carry the code: 1000–1003 and 1007–1014 (registered), 3000–3999 (libraries and
  /// frameworks), 4000–4999 (private use). 1004, 1005, 1006 and 1015 never travel (RFC 6455 7.4.1, 7.4.2).
  public var isValidOnTheWire: Bool {
    switch rawValue {
    case 1000...1003, 1007...1014, 3000...4999: true
    default: false
    }
  }
}
