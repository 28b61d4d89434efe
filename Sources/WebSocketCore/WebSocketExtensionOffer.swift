/// One element of the field `Sec-WebSocket-Extensions` (RFC 6455 9.1).
public struct WebSocketExtensionOffer: Hashable, Sendable {
  public struct Parameter: Hashable, Sendable {
    public var name: String
    /// Without its quotes, if it had any.
    public var value: String?

    /// - Parameter value: a token, if there is one.
    public init(name: String, value: String? = nil) {
      self.name = name
      self.value = value
    }
  }

  public var name: String
  /// In the order given; a name may be there twice.
  public var parameters: [Parameter]

  /// - Parameter name: a token, as all names of the parameters are.
  public init(name: String, parameters: [Parameter] = []) {
    self.name = name
    self.parameters = parameters
  }

  /// The element as it stands in the field.
  public var fieldValue: String {
    parameters.reduce(name) { text, parameter in
      "\(text); \(parameter.name)" + (parameter.value.map { "=\($0)" } ?? "")
    }
  }

  var isWellFormed: Bool {
    HeaderFieldSyntax.isToken(name.utf8)
      && parameters.allSatisfy { parameter in
        HeaderFieldSyntax.isToken(parameter.name.utf8)
          && parameter.value.map { HeaderFieldSyntax.isToken($0.utf8) } ?? true
      }
  }

  /// Reads the value of one field line, in linear time.
  ///
  /// - Returns: what is offered, in the order of preference; nil when it is not what RFC 6455 9.1 allows, or when it
  ///   has more than ``WebSocketLimits/maximumExtensionOffers`` offers, or parameters of one offer.
  public static func parse(_ value: String) -> [WebSocketExtensionOffer]? {
    var parser = ExtensionListParser(bytes: [UInt8](value.utf8))
    return parser.list()
  }
}

private struct ExtensionListParser {
  let bytes: [UInt8]
  var index = 0

  init(bytes: [UInt8]) {
    self.bytes = bytes
  }

  mutating func list() -> [WebSocketExtensionOffer]? {
    var offers: [WebSocketExtensionOffer] = []
    while true {
      // RFC 9110 5.6.1.2: empty elements are passed over.
      while skip(UInt8(ascii: ",")) {}
      guard index < bytes.count else { return offers }
      guard offers.count < WebSocketLimits.maximumExtensionOffers, let offer = offer() else { return nil }
      offers.append(offer)
      guard index == bytes.count || skip(UInt8(ascii: ",")) else { return nil }
    }
  }

  private mutating func offer() -> WebSocketExtensionOffer? {
    guard let name = token() else { return nil }
    var offer = WebSocketExtensionOffer(name: name, parameters: [])
    while skip(UInt8(ascii: ";")) {
      guard offer.parameters.count < WebSocketLimits.maximumExtensionOffers, let name = token() else { return nil }
      var value: String?
      if skip(UInt8(ascii: "=")) {
        value = index < bytes.count && bytes[index] == UInt8(ascii: "\"") ? quotedToken() : token()
        guard value != nil else { return nil }
      }
      offer.parameters.append(.init(name: name, value: value))
    }
    return offer
  }

  /// Passes over `byte` and the white space on both sides of it.
  private mutating func skip(_ byte: UInt8) -> Bool {
    skipWhitespace()
    guard index < bytes.count, bytes[index] == byte else { return false }
    index += 1
    skipWhitespace()
    return true
  }

  private mutating func skipWhitespace() {
    while index < bytes.count, HeaderFieldSyntax.isWhitespace(bytes[index]) { index += 1 }
  }

  private mutating func token() -> String? {
    let start = index
    while index < bytes.count, HeaderFieldSyntax.isTokenCharacter(bytes[index]) { index += 1 }
    return start == index ? nil : String(decoding: bytes[start..<index], as: UTF8.self)
  }

  /// RFC 6455 9.1: "the value after quoted-string unescaping MUST conform to the 'token' ABNF".
  private mutating func quotedToken() -> String? {
    var content: [UInt8] = []
    index += 1
    while index < bytes.count {
      var byte = bytes[index]
      index += 1
      if byte == UInt8(ascii: "\"") {
        return content.isEmpty ? nil : String(decoding: content, as: UTF8.self)
      }
      if byte == UInt8(ascii: "\\") {
        guard index < bytes.count else { return nil }
        byte = bytes[index]
        index += 1
      }
      guard HeaderFieldSyntax.isTokenCharacter(byte) else { return nil }
      content.append(byte)
    }
    return nil
  }
}
