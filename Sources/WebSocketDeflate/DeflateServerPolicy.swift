import WebSocketCore

/// What a server asks for beyond what a client offers.
public struct DeflateServerPolicy: Hashable, Sendable {
  /// Begin anew with each message, whether the client asks for it or not (RFC 7692 7.1.1.1).
  public var serverNoContextTakeover: Bool
  /// Have the client begin anew with each message (RFC 7692 7.1.1.2).
  public var clientNoContextTakeover: Bool
  /// The largest window to compress with, 9…15.
  public var serverMaxWindowBits: Int
  /// The largest window that the client may use, 9…15, where it offers to be told; nil leaves it to the client.
  public var clientMaxWindowBits: Int?

  public init(
    serverNoContextTakeover: Bool = false, clientNoContextTakeover: Bool = false, serverMaxWindowBits: Int = 15,
    clientMaxWindowBits: Int? = nil
  ) {
    precondition(PermessageDeflate.usableWindowBits.contains(serverMaxWindowBits))
    precondition(clientMaxWindowBits.map(PermessageDeflate.usableWindowBits.contains) ?? true)
    self.serverNoContextTakeover = serverNoContextTakeover
    self.clientNoContextTakeover = clientNoContextTakeover
    self.serverMaxWindowBits = serverMaxWindowBits
    self.clientMaxWindowBits = clientMaxWindowBits
  }

  /// Accepts the first of the client's offers that can be kept (RFC 7692 5.1); those that are malformed, unknown or ask
  /// for a window of 256 bytes are passed over.
  ///
  /// - Returns: what is agreed on and the element that says so to the client; nil when nothing is.
  public func accept(
    _ offers: [WebSocketExtensionOffer]
  ) -> (agreement: DeflateAgreement, response: WebSocketExtensionOffer)? {
    for offer in offers where offer.name == PermessageDeflate.name {
      if let accepted = accept(offer) { return accepted }
    }
    return nil
  }

  private func accept(
    _ offer: WebSocketExtensionOffer
  ) -> (agreement: DeflateAgreement, response: WebSocketExtensionOffer)? {
    guard let asked = DeflateParameters(offer) else { return nil }
    var agreement = DeflateAgreement()
    agreement.serverNoContextTakeover = serverNoContextTakeover || asked.serverNoContextTakeover
    agreement.clientNoContextTakeover = clientNoContextTakeover || asked.clientNoContextTakeover
    // RFC 7692 7.1.2.1: "the same or smaller value"; the server may name one also when it was not asked.
    agreement.serverMaxWindowBits = min(serverMaxWindowBits, asked.serverMaxWindowBits ?? 15)
    guard PermessageDeflate.usableWindowBits.contains(agreement.serverMaxWindowBits) else { return nil }
    var namesClientBits = false
    switch asked.clientMaxWindowBits {
    // RFC 7692 7.1.2.2: without it in the offer, the response "MUST NOT include" it.
    case nil: break
    case .unnamed:
      agreement.clientMaxWindowBits = clientMaxWindowBits ?? 15
      namesClientBits = clientMaxWindowBits != nil
    case .bits(let bits):
      agreement.clientMaxWindowBits = min(clientMaxWindowBits ?? 15, bits)
      namesClientBits = clientMaxWindowBits != nil
    }
    let response = WebSocketExtensionOffer(
      agreement, namesServerBits: asked.serverMaxWindowBits != nil || agreement.serverMaxWindowBits < 15,
      namesClientBits: namesClientBits)
    return (agreement, response)
  }
}
