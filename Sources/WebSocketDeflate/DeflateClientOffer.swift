import WebSocketCore

/// Why a client cannot take the server's answer to its offer: it "MUST _Fail the WebSocket Connection_" (RFC 7692 7.1).
public enum DeflateRefusal: Error, Hashable, Sendable {
  /// An unknown or repeated parameter, or a value that is none.
  case malformedResponse
  /// The extension is named more than once.
  case repeatedExtension
  /// What was asked for is not granted, or a window is larger than asked for.
  case offerNotKept
  /// `client_max_window_bits`, which was not offered.
  case unrequestedParameter
}

/// What a client offers.
public struct DeflateClientOffer: Hashable, Sendable {
  /// Ask the server to begin anew with each message.
  public var serverNoContextTakeover: Bool
  /// Say that the client begins anew with each message.
  public var clientNoContextTakeover: Bool
  /// The largest window that the server may use, 8…15; nil leaves it to the server.
  public var serverMaxWindowBits: Int?
  /// The largest window that the client uses, 9…15, offered so that the server may make it smaller; nil offers nothing.
  public var clientMaxWindowBits: Int?

  public init(
    serverNoContextTakeover: Bool = false, clientNoContextTakeover: Bool = false, serverMaxWindowBits: Int? = nil,
    clientMaxWindowBits: Int? = 15
  ) {
    precondition(serverMaxWindowBits.map(PermessageDeflate.windowBits.contains) ?? true)
    precondition(clientMaxWindowBits.map(PermessageDeflate.usableWindowBits.contains) ?? true)
    self.serverNoContextTakeover = serverNoContextTakeover
    self.clientNoContextTakeover = clientNoContextTakeover
    self.serverMaxWindowBits = serverMaxWindowBits
    self.clientMaxWindowBits = clientMaxWindowBits
  }

  /// The element for ``WebSocketClientHandshake``.
  public var element: WebSocketExtensionOffer {
    var agreement = DeflateAgreement()
    agreement.serverNoContextTakeover = serverNoContextTakeover
    agreement.clientNoContextTakeover = clientNoContextTakeover
    agreement.serverMaxWindowBits = serverMaxWindowBits ?? 15
    var element = WebSocketExtensionOffer(
      agreement, namesServerBits: serverMaxWindowBits != nil, namesClientBits: false)
    if let clientMaxWindowBits {
      // RFC 7692 7.1.2.2: without a value it says only that the server may choose.
      element.add(PermessageDeflate.clientMaxWindowBits, clientMaxWindowBits == 15 ? nil : "\(clientMaxWindowBits)")
    }
    return element
  }

  /// Checks what the server answered to this offer.
  ///
  /// - Parameter extensions: those of the response.
  /// - Returns: what is agreed on; nil when the server did not take it.
  public func agreement(from extensions: [WebSocketExtensionOffer]) throws(DeflateRefusal) -> DeflateAgreement? {
    let named = extensions.filter { $0.name == PermessageDeflate.name }
    guard let response = named.first else { return nil }
    guard named.count == 1 else { throw .repeatedExtension }
    guard let granted = DeflateParameters(response) else { throw .malformedResponse }

    var agreement = DeflateAgreement()
    // RFC 7692 7.1.1.1: who accepts the offer names the parameter too.
    guard granted.serverNoContextTakeover || !serverNoContextTakeover else { throw .offerNotKept }
    agreement.serverNoContextTakeover = granted.serverNoContextTakeover
    agreement.clientNoContextTakeover = granted.clientNoContextTakeover || clientNoContextTakeover
    if let limit = serverMaxWindowBits {
      // RFC 7692 7.1.2.1: "the same or smaller value".
      guard let bits = granted.serverMaxWindowBits, bits <= limit else { throw .offerNotKept }
    }
    agreement.serverMaxWindowBits = granted.serverMaxWindowBits ?? 15
    agreement.clientMaxWindowBits = clientMaxWindowBits ?? 15
    switch granted.clientMaxWindowBits {
    case nil: break
    // RFC 7692 7.1.2.2: in a response it has a value.
    case .unnamed: throw .malformedResponse
    case .bits(let bits):
      guard let limit = clientMaxWindowBits else { throw .unrequestedParameter }
      guard bits <= limit else { throw .offerNotKept }
      agreement.clientMaxWindowBits = bits
    }
    return agreement
  }
}
