import SignalingProtocol
import WebSocketCore

/// Who a client is and where it wants to be.
public struct SignalingClientConfiguration: Sendable {
  /// The value of the `Host` field.
  public var host: String
  /// The path of the WebSocket.
  public var path = "/ws"
  public var credential: ClientMessage.Hello
  public var session: String
  public var presence: PresenceMode
  public var delay = ReconnectDelay()
  /// How long it may take from the first packet until the session is joined.
  public var openingTimeoutMilliseconds: Int64 = 15_000
  /// How long the server's Close may take.
  public var closingTimeoutMilliseconds: Int64 = 5000
  /// What is offered to have the server compress its messages (RFC 7692): with `server_no_context_takeover`, for one inflater
  /// of the workspace serves all connections. Nil offers nothing. The client's own messages are never compressed.
  public var compressionOffer: WebSocketExtensionOffer?
  /// Whether a lost connection is made anew, and the session joined again.
  public var reconnects = true

  /// A client that comes with this credential for this session.
  public init(
    host: String, credential: ClientMessage.Hello, session: String, presence: PresenceMode = .full
  ) {
    self.host = host
    self.credential = credential
    self.session = session
    self.presence = presence
  }
}
