import WebSocketCore

/// The extension permessage-deflate (RFC 7692): its name, its parameters, and what one side makes of them.
///
/// What was agreed on is a ``DeflateAgreement``; the server reaches it with a ``DeflateServerPolicy``, the client with a
/// ``DeflateClientOffer``. Messages are compressed by a ``MessageDeflater`` and inflated by a ``MessageInflater``.
public enum PermessageDeflate {
  /// The name in `Sec-WebSocket-Extensions`.
  public static let name = "permessage-deflate"

  /// The windows that there are, as powers of two (RFC 7692 7.1.2).
  public static let windowBits = 8...15

  /// The windows that zlib can compress with: a raw stream with 256 bytes it has not.
  public static let usableWindowBits = 9...15

  static let serverNoContextTakeover = "server_no_context_takeover"
  static let clientNoContextTakeover = "client_no_context_takeover"
  static let serverMaxWindowBits = "server_max_window_bits"
  static let clientMaxWindowBits = "client_max_window_bits"
}

/// What both sides have agreed on (RFC 7692 7.1).
public struct DeflateAgreement: Hashable, Sendable {
  /// Whether the server begins anew with each message.
  public var serverNoContextTakeover = false
  /// Whether the client begins anew with each message.
  public var clientNoContextTakeover = false
  /// The window that the server stays in, 8…15 as a power of two.
  public var serverMaxWindowBits = 15
  /// The window that the client stays in, 8…15 as a power of two.
  public var clientMaxWindowBits = 15

  public init() {}
}

/// The parameters of one element, each checked by itself (RFC 7692 7.1.1, 7.1.2).
struct DeflateParameters {
  enum WindowBits: Equatable {
    /// The name without a value.
    case unnamed
    case bits(Int)
  }

  var serverNoContextTakeover = false
  var clientNoContextTakeover = false
  var serverMaxWindowBits: Int?
  var clientMaxWindowBits: WindowBits?

  /// Nil for what RFC 7692 7.1 has declined: an unknown name, one that is there twice, a value that is none.
  init?(_ element: WebSocketExtensionOffer) {
    var names: Set<String> = []
    for parameter in element.parameters {
      guard names.insert(parameter.name).inserted else { return nil }
      switch (parameter.name, parameter.value) {
      case (PermessageDeflate.serverNoContextTakeover, nil): serverNoContextTakeover = true
      case (PermessageDeflate.clientNoContextTakeover, nil): clientNoContextTakeover = true
      case (PermessageDeflate.serverMaxWindowBits, let value?):
        guard let bits = Self.windowBits(value) else { return nil }
        serverMaxWindowBits = bits
      case (PermessageDeflate.clientMaxWindowBits, nil): clientMaxWindowBits = .unnamed
      case (PermessageDeflate.clientMaxWindowBits, let value?):
        guard let bits = Self.windowBits(value) else { return nil }
        clientMaxWindowBits = .bits(bits)
      default: return nil
      }
    }
  }

  /// RFC 7692 7.1.2.1: "a decimal integer value without leading zeroes between 8 to 15, inclusive".
  private static func windowBits(_ value: String) -> Int? {
    guard value.utf8.first != UInt8(ascii: "0"), value.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let bits = Int(value),
      PermessageDeflate.windowBits.contains(bits)
    else { return nil }
    return bits
  }
}

extension WebSocketExtensionOffer {
  /// An element with these parameters in the order of the RFC.
  init(_ agreement: DeflateAgreement, namesServerBits: Bool, namesClientBits: Bool) {
    self.init(name: PermessageDeflate.name)
    if agreement.serverNoContextTakeover { add(PermessageDeflate.serverNoContextTakeover) }
    if agreement.clientNoContextTakeover { add(PermessageDeflate.clientNoContextTakeover) }
    if namesServerBits { add(PermessageDeflate.serverMaxWindowBits, "\(agreement.serverMaxWindowBits)") }
    if namesClientBits { add(PermessageDeflate.clientMaxWindowBits, "\(agreement.clientMaxWindowBits)") }
  }

  mutating func add(_ name: String, _ value: String? = nil) {
    parameters.append(Parameter(name: name, value: value))
  }
}
