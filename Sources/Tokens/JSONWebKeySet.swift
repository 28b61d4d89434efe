import JSON

/// The public keys of a JWK set (RFC 7517, 5), as a platform or an identity provider publishes them.
public struct JSONWebKeySet: Sendable {
  /// Why a text is no key set; the description is the end of a sentence for the operator.
  public enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
    case notJSON
    case noKeys
    case tooManyKeys

    public var description: String {
      switch self {
      case .notJSON: "is not JSON"
      case .noKeys: "is no JWK set: an object with an array `keys`"
      case .tooManyKeys: "has more than \(JSONWebKeySet.maximumKeys) keys"
      }
    }
  }

  /// The bytes of a set.
  public static let maximumBytes = 256 * 1024
  /// The keys of a set.
  public static let maximumKeys = 100

  /// Those that check tokens.
  public private(set) var keys: [VerificationKey] = []
  /// Why others are left out, each a sentence for the operator.
  public private(set) var skipped: [String] = []

  /// Reads a set. Keys that are for something else, or cannot be used, are left out.
  ///
  /// - Parameter issuer: whose keys they are; nil when that is not told.
  public init(_ text: [UInt8], issuer: String? = nil) throws(Failure) {
    var reader = JSONReader()
    var keys: [VerificationKey] = []
    var skipped: [String] = []
    try reader.read(text, maximumDepth: 16, failure: { _ in .notJSON }) { view throws(Failure) in
      guard let list = view["keys"], list.kind == .array else { throw .noKeys }
      guard list.count <= Self.maximumKeys else { throw .tooManyKeys }
      for (index, element) in list.elements.enumerated() {
        let id = element["kid"]?.string
        do throws(Unusable) {
          var key = try Self.key(element)
          key.id = id
          key.issuer = issuer
          keys.append(key)
        } catch {
          let name = id.map { "the key \($0.debugDescription)" } ?? "key number \(index + 1)"
          skipped.append("\(name) is left out: \(error.reason)")
        }
      }
    }
    self.keys = keys
    self.skipped = skipped
  }

  private struct Unusable: Error {
    var reason: String
    init(_ reason: String) { self.reason = reason }
  }

  private static func key(_ view: JSONView) throws(Unusable) -> VerificationKey {
    guard view.kind == .object, let type = view["kty"]?.string else { throw Unusable("it has no kty") }
    if let id = view["kid"] {
      guard let count = id.utf8Count, (1...JSONWebToken.keyIDBytes).contains(count) else {
        throw Unusable("its kid is not 1 to \(JSONWebToken.keyIDBytes) bytes")
      }
    }
    // RFC 7517, 4.2 and 4.3: what a key is for.
    if let use = view["use"], !use.equals("sig") { throw Unusable("it is not for signatures") }
    if let operations = view["key_ops"], !operations.elements.contains(where: { $0.equals("verify") }) {
      throw Unusable("it is not to verify with")
    }
    // RFC 7518, 6.2.2, 6.3.2, 6.4: who can read this could sign.
    guard view["d"] == nil, view["k"] == nil else { throw Unusable("it is a secret or private key") }
    var algorithm: TokenAlgorithm?
    if let claim = view["alg"] {
      guard let known = claim.string.flatMap(TokenAlgorithm.init(name:)) else {
        throw Unusable("its algorithm is not taken")
      }
      algorithm = known
    }
    let numbers = try numbers(of: view, type)
    do throws(KeyFailure) {
      return try VerificationKey(try numbers.key(), algorithm: algorithm, id: nil, issuer: nil)
    } catch {
      throw Unusable("it \(error)")
    }
  }

  /// What a key is made of.
  private enum Numbers {
    case rsa(modulus: [UInt8], exponent: [UInt8])
    case ellipticCurve(KeyKind, x: [UInt8], y: [UInt8])
    case ed25519([UInt8])

    func key() throws(KeyFailure) -> PublicKey {
      switch self {
      case .rsa(let modulus, let exponent): try .rsa(modulus: modulus, exponent: exponent)
      case .ellipticCurve(let kind, let x, let y): try .ellipticCurve(kind, x: x, y: y)
      case .ed25519(let bytes): try .ed25519(bytes)
      }
    }
  }

  private static func numbers(of view: JSONView, _ type: String) throws(Unusable) -> Numbers {
    func bytes(_ name: StaticString) throws(Unusable) -> [UInt8] {
      guard let text = view[name]?.string, let bytes = Base64URL.decode(text.utf8), !bytes.isEmpty else {
        throw Unusable("it lacks \(name)")
      }
      return bytes
    }
    switch (type, view["crv"]?.string) {
    case ("RSA", _): return .rsa(modulus: try bytes("n"), exponent: try bytes("e"))
    case ("EC", "P-256"): return .ellipticCurve(.p256, x: try bytes("x"), y: try bytes("y"))
    case ("EC", "P-384"): return .ellipticCurve(.p384, x: try bytes("x"), y: try bytes("y"))
    case ("EC", "P-521"): return .ellipticCurve(.p521, x: try bytes("x"), y: try bytes("y"))
    case ("OKP", "Ed25519"): return .ed25519(try bytes("x"))
    default: throw Unusable("its kty or crv is not taken")
    }
  }
}
