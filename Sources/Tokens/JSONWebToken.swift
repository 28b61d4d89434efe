import JSON
import SignalingProtocol

/// A token in the one form that is taken: JWS compact (RFC 7515, 7.1), taken apart and not believed yet.
struct JSONWebToken {
  /// The bytes of a `kid`.
  static let keyIDBytes = 256

  /// The name of the algorithm, for which the caller has a key or not.
  let algorithm: TokenAlgorithm
  let keyID: String?
  /// The `typ` in lower case, without `application/`; nil when there is none.
  let type: String?
  let payload: [UInt8]
  let signature: [UInt8]
  /// What is signed (RFC 7515, 5.1).
  let signingInput: [UInt8]

  init(_ token: String) throws(TokenRefusal) {
    guard token.utf8.count <= ProtocolLimits.tokenBytes else {
      throw TokenRefusal(.malformed, "The token is too long.")
    }
    let text = Array(token.utf8)
    let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 3, let header = Base64URL.decode(parts[0]), let payload = Base64URL.decode(parts[1]),
      let signature = Base64URL.decode(parts[2])
    else { throw TokenRefusal(.malformed, "The token is not a JSON Web Token.") }
    self.payload = payload
    self.signature = signature
    signingInput = Array(text[..<parts[1].endIndex])
    (algorithm, keyID, type) = try Self.read(header) { view throws(TokenRefusal) in try Self.header(view) }
  }

  /// Header parameters that would have the token judged by what it brings along itself, or read otherwise than it looks:
  /// keys and addresses of keys (RFC 8725, 3.10), compression (3.6), extensions (RFC 7515, 4.1.11), another payload
  /// (RFC 7797), encryption.
  private static let refusedParameters: [StaticString] = ["jwk", "jku", "x5u", "x5c", "zip", "crit", "b64", "enc"]

  private static func header(
    _ view: JSONView
  ) throws(TokenRefusal) -> (TokenAlgorithm, keyID: String?, type: String?) {
    for name in refusedParameters where view[name] != nil {
      throw TokenRefusal(.header, "The token's header has \(name), which is not taken.")
    }
    // RFC 8725, 3.1 and 3.2.
    guard let algorithm = view["alg"]?.string.flatMap(TokenAlgorithm.init(name:)) else {
      throw TokenRefusal(.algorithm, "The token's algorithm is not taken.")
    }
    var keyID: String?
    if let parameter = view["kid"] {
      guard let count = parameter.utf8Count, (1...keyIDBytes).contains(count), let text = parameter.string else {
        throw TokenRefusal(.header, "The token's kid is not a string of 1 to \(keyIDBytes) bytes.")
      }
      keyID = text
    }
    var type: String?
    if let parameter = view["typ"] {
      guard let text = parameter.string, text.utf8.count <= 64 else {
        throw TokenRefusal(.header, "The token's typ is no short string.")
      }
      // RFC 7515, 4.1.9: without "application/", in any case.
      let lowercased = text.lowercased()
      type = lowercased.hasPrefix("application/") ? String(lowercased.dropFirst(12)) : lowercased
    }
    return (algorithm, keyID, type)
  }

  /// Reads a JSON object of a token.
  static func read<Value>(
    _ json: [UInt8], _ body: (JSONView) throws(TokenRefusal) -> Value
  ) throws(TokenRefusal) -> Value {
    var reader = JSONReader()
    return try reader.read(
      json, maximumDepth: ProtocolLimits.jsonDepth,
      failure: { _ in TokenRefusal(.malformed, "The token does not hold JSON.") }
    ) { view throws(TokenRefusal) in
      guard view.kind == .object else { throw TokenRefusal(.malformed, "The token does not hold a JSON object.") }
      return try body(view)
    }
  }

  /// Puts a token together and has it signed.
  static func signed<Failure: Error>(
    algorithm: TokenAlgorithm, keyID: String?, type: String, claims: [UInt8],
    by sign: ([UInt8]) throws(Failure) -> [UInt8]
  ) throws(Failure) -> String {
    var header = JSONWriter(reserving: 128)
    header.beginObject()
    header.field("alg", algorithm.rawValue)
    header.field("typ", type)
    if let keyID { header.field("kid", keyID) }
    header.endObject()
    var token = Base64URL.encode(header.bytes)
    token.append(UInt8(ascii: "."))
    token += Base64URL.encode(claims)
    let signature = try sign(token)
    token.append(UInt8(ascii: "."))
    token += Base64URL.encode(signature)
    return String(decoding: token, as: UTF8.self)
  }
}
