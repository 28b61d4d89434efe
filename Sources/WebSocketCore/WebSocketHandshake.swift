/// What the server's side of the opening handshake reads of a parsed HTTP request (RFC 6455 4.2.1).
public struct WebSocketUpgradeRequest: Sendable {
  /// The method, in the case it was sent.
  public var method: String
  /// Whether the version is HTTP/1.1 or later.
  public var isHTTP11OrLater: Bool
  /// The field lines in their order, each as often as it came. Names in any case.
  public var fields: [(name: String, value: String)]

  public init(method: String, isHTTP11OrLater: Bool, fields: [(name: String, value: String)]) {
    self.method = method
    self.isHTTP11OrLater = isHTTP11OrLater
    self.fields = fields
  }
}

/// A handshake that the server may accept.
public struct WebSocketAcceptance: Hashable, Sendable {
  /// The value of `Sec-WebSocket-Accept`.
  public var acceptKey: String
  /// The subprotocol chosen: the first the client named that the server has; nil when it named none.
  public var subprotocol: String?
  /// The extensions offered, in the client's order. None is in use unless the response names it.
  public var extensionOffers: [WebSocketExtensionOffer]

  /// The head of the 101 response (RFC 6455 4.2.2).
  ///
  /// - Parameters:
  ///   - extensions: those in use from now on; without any there is no field for them.
  ///   - extraFields: further field lines; names and values are our own, and go in as they are.
  public func responseHead(
    extensions: [WebSocketExtensionOffer] = [], extraFields: [(name: String, value: String)] = []
  ) -> [UInt8] {
    var head: [UInt8] = []
    head.reserveCapacity(256)
    func append(_ name: StaticString, _ value: String) {
      name.withUTF8Buffer { head.append(contentsOf: $0) }
      head.append(contentsOf: value.utf8)
    }
    append(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ",
      acceptKey)
    if let subprotocol { append("\r\nSec-WebSocket-Protocol: ", subprotocol) }
    if !extensions.isEmpty {
      append("\r\nSec-WebSocket-Extensions: ", extensions.map(\.fieldValue).joined(separator: ", "))
    }
    for field in extraFields { append("\r\n", "\(field.name): \(field.value)") }
    append("\r\n\r\n", "")
    return head
  }
}

/// Why a handshake cannot be accepted (RFC 6455 4.2.1, 4.2.2).
public enum WebSocketRejection: Error, Hashable, Sendable {
  /// No `Upgrade` field, or none with the token `websocket`: an ordinary HTTP request.
  case notAnUpgrade
  case methodNotGet
  case httpVersionTooOld
  /// `Connection` without the token `upgrade`.
  case connectionWithoutUpgrade
  /// `Sec-WebSocket-Version` other than one 13, or none.
  case unsupportedVersion
  case missingKey
  case repeatedKey
  /// A `Sec-WebSocket-Key` that is not the base64 of 16 bytes.
  case malformedKey
  /// A `Sec-WebSocket-Protocol` with something that is not a token.
  case malformedSubprotocols
  /// The client named subprotocols, the server has some, and none is the same.
  case noCommonSubprotocol
  case malformedExtensions

  /// The status to answer with: 426 where the client is told how to do it, else 400.
  public var status: Int {
    switch self {
    case .notAnUpgrade, .unsupportedVersion: 426
    default: 400
    }
  }

  /// Field lines that belong to the answer.
  public var fields: [(name: String, value: String)] {
    switch self {
    // RFC 9110 15.5.22: a 426 names the protocol; RFC 6455 4.4: and the version.
    case .notAnUpgrade, .unsupportedVersion:
      [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13")]
    default: []
    }
  }

  /// A sentence for who debugs the client.
  public var reason: String {
    switch self {
    case .notAnUpgrade: "This address takes WebSocket connections only."
    case .methodNotGet: "A WebSocket handshake is a GET request."
    case .httpVersionTooOld: "A WebSocket handshake needs HTTP/1.1."
    case .connectionWithoutUpgrade: "The Connection field lacks the token upgrade."
    case .unsupportedVersion: "Only Sec-WebSocket-Version 13 is supported."
    case .missingKey: "Sec-WebSocket-Key is missing."
    case .repeatedKey: "Sec-WebSocket-Key is there more than once."
    case .malformedKey: "Sec-WebSocket-Key is not the base64 of 16 bytes."
    case .malformedSubprotocols: "Sec-WebSocket-Protocol is malformed."
    case .noCommonSubprotocol: "None of the subprotocols named is supported."
    case .malformedExtensions: "Sec-WebSocket-Extensions is malformed."
    }
  }
}

/// The opening handshake, the server's side (RFC 6455 4.2). The client's is ``WebSocketClientHandshake``.
public enum WebSocketHandshake {
  /// Judges a request, in time linear in its length.
  ///
  /// - Parameter subprotocols: those the server has; when empty, what the client names is not looked at.
  public static func accept(
    _ request: WebSocketUpgradeRequest, subprotocols: [String] = []
  ) throws(WebSocketRejection) -> WebSocketAcceptance {
    var isUpgrade = false
    var isConnectionUpgrade = false
    var key: String?
    var versions: [String] = []
    var extensionOffers: [WebSocketExtensionOffer] = []
    var choice = SubprotocolChoice(supported: subprotocols)
    var rejection: WebSocketRejection?

    for field in request.fields {
      let name = field.name.utf8
      if HeaderFieldSyntax.equal(name, ignoringCaseOf: "upgrade") {
        isUpgrade = isUpgrade || listNames("websocket", in: field.value)
      } else if HeaderFieldSyntax.equal(name, ignoringCaseOf: "connection") {
        isConnectionUpgrade = isConnectionUpgrade || listNames("upgrade", in: field.value)
      } else if HeaderFieldSyntax.equal(name, ignoringCaseOf: "sec-websocket-key") {
        // RFC 6455 11.3.1: the field "MUST NOT appear more than once in an HTTP request".
        if key != nil { rejection = rejection ?? .repeatedKey }
        key = field.value
      } else if HeaderFieldSyntax.equal(name, ignoringCaseOf: "sec-websocket-version") {
        versions.append(field.value)
      } else if HeaderFieldSyntax.equal(name, ignoringCaseOf: "sec-websocket-protocol") {
        if !choice.read(field.value) { rejection = rejection ?? .malformedSubprotocols }
      } else if HeaderFieldSyntax.equal(name, ignoringCaseOf: "sec-websocket-extensions") {
        // RFC 6455 9.1: field lines are one list.
        if let offers = WebSocketExtensionOffer.parse(field.value),
          extensionOffers.count + offers.count <= WebSocketLimits.maximumExtensionOffers
        {
          extensionOffers += offers
        } else {
          rejection = rejection ?? .malformedExtensions
        }
      }
    }

    // RFC 6455 4.2.1, in the order in which an answer helps most.
    guard isUpgrade else { throw .notAnUpgrade }
    guard request.method == "GET" else { throw .methodNotGet }
    guard request.isHTTP11OrLater else { throw .httpVersionTooOld }
    guard isConnectionUpgrade else { throw .connectionWithoutUpgrade }
    // RFC 6455 4.4: with another version the server answers 426 and names those it has.
    guard versions.count == 1, isThirteen(versions[0]) else { throw .unsupportedVersion }
    guard let key else { throw .missingKey }
    if let rejection { throw rejection }
    let keyBytes = HeaderFieldSyntax.trimmed([UInt8](key.utf8)[...])
    guard Base64.encodesSixteenBytes(keyBytes) else { throw .malformedKey }
    if choice.hasOffer, choice.chosen == nil, !subprotocols.isEmpty { throw .noCommonSubprotocol }
    return WebSocketAcceptance(
      acceptKey: acceptKey(for: keyBytes), subprotocol: choice.chosen, extensionOffers: extensionOffers)
  }

  /// The answer to a key: the SHA-1 of it and a fixed text, in base64 (RFC 6455 4.2.2).
  static func acceptKey(for key: some Sequence<UInt8>) -> String {
    Base64.encode(SHA1.digest([UInt8](key) + [UInt8]("258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8)))
  }

  static func listNames(_ lowercased: StaticString, in value: String) -> Bool {
    HeaderFieldSyntax.listContains(value) { HeaderFieldSyntax.equal($0, ignoringCaseOf: lowercased) }
  }

  private static func isThirteen(_ value: String) -> Bool {
    HeaderFieldSyntax.trimmed([UInt8](value.utf8)[...]).elementsEqual("13".utf8)
  }
}

/// Picks the first subprotocol the client names that the server has.
private struct SubprotocolChoice {
  let supported: [String]
  private(set) var chosen: String?
  private(set) var hasOffer = false

  init(supported: [String]) {
    self.supported = supported
  }

  /// Reads one field line; false when something in it is not a token (RFC 6455 4.1).
  mutating func read(_ value: String) -> Bool {
    let hasMalformed = HeaderFieldSyntax.listContains(value) { element in
      guard HeaderFieldSyntax.isToken(element) else { return true }
      hasOffer = true
      if chosen == nil { chosen = supported.first { element.elementsEqual($0.utf8) } }
      return false
    }
    return !hasMalformed
  }
}
