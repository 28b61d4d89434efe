import Foundation
import Testing

@testable import Tokens

/// Which keys are taken, and which are not.
@Suite("Keys")
struct KeyTests {
  private func set(_ keys: String) throws -> JSONWebKeySet { try JSONWebKeySet(Array(#"{"keys":[\#(keys)]}"#.utf8)) }

  private func expectSkipped(
    _ key: String, because reason: String, _ location: SourceLocation = #_sourceLocation
  ) throws {
    let set = try set(key)
    #expect(set.keys.isEmpty, sourceLocation: location)
    #expect(set.skipped.count == 1 && set.skipped[0].contains(reason), "\(set.skipped)", sourceLocation: location)
  }

  /// A public JWK with some members replaced or added.
  private func jwk(_ algorithm: TokenAlgorithm, _ changes: [String: Any?]) throws -> String {
    let set = try JSONSerialization.jsonObject(with: Data(KeyPair.of(algorithm).set(id: "k"))) as? [String: Any]
    var key = try #require((set?["keys"] as? [[String: Any]])?.first)
    for (name, value) in changes { key[name] = value }
    return String(decoding: try JSONSerialization.data(withJSONObject: key), as: UTF8.self)
  }

  @Test("RSA keys of less than 2048 bits are refused, in PEM and as a JWK (RFC 7518, 3.3)")
  func weakRSA() throws {
    let weak = try KeyPair(.rs256, bitsOfRSA: 1024)
    #expect(throws: KeyFailure.weakRSA(bits: 1024)) { try weak.verificationKeys() }
    let set = try JSONWebKeySet(weak.set(id: "weak"))
    #expect(set.keys.isEmpty && set.skipped == ["the key \"weak\" is left out: it \(KeyFailure.weakRSA(bits: 1024))"])
  }

  @Test("RSA keys whose exponent is 1, even or long are refused")
  func exponents() throws {
    for exponent in ["AQ", "Ag", "AQAAAAAAAAAAAQ"] {
      try expectSkipped(try jwk(.rs256, ["e": exponent]), because: "it")
    }
  }

  @Test("points that are not on the curve, and coordinates of a wrong length, are refused")
  func invalidCurve() throws {
    let zero = Forge.encoded([UInt8](repeating: 0, count: 32))
    try expectSkipped(try jwk(.es256, ["y": zero]), because: "it holds a key that cannot be used")
    try expectSkipped(try jwk(.es256, ["x": zero, "y": zero]), because: "it holds a key that cannot be used")
    try expectSkipped(try jwk(.es256, ["x": Forge.encoded([1, 2, 3])]), because: "wrong length")
    try expectSkipped(try jwk(.edDSA, ["x": Forge.encoded([1, 2, 3])]), because: "wrong length")
    // A point of P-256 said to be on P-384.
    try expectSkipped(try jwk(.es256, ["crv": "P-384", "alg": nil]), because: "wrong length")
  }

  @Test("keys that are for something else, secret, private or unknown are left out, the others stay")
  func purposes() throws {
    try expectSkipped(try jwk(.rs256, ["use": "enc"]), because: "not for signatures")
    try expectSkipped(try jwk(.rs256, ["key_ops": ["encrypt"]]), because: "not to verify with")
    try expectSkipped(try jwk(.rs256, ["alg": "RSA-OAEP"]), because: "algorithm is not taken")
    try expectSkipped(try jwk(.rs256, ["alg": "none"]), because: "algorithm is not taken")
    try expectSkipped(try jwk(.rs256, ["alg": "ES256"]), because: "does not go with ES256")
    try expectSkipped(try jwk(.es256, ["alg": "HS256"]), because: "does not go with HS256")
    try expectSkipped(try jwk(.es256, ["d": "AQ"]), because: "secret or private")
    try expectSkipped(#"{"kty":"oct","k":"AAAA","kid":"s"}"#, because: "secret or private")
    try expectSkipped(#"{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}"#, because: "kty or crv")
    try expectSkipped(#"{"kty":"OKP","crv":"X25519","x":"AA"}"#, because: "kty or crv")
    try expectSkipped(#"{"kid":"x"}"#, because: "no kty")
    try expectSkipped("17", because: "no kty")
    try expectSkipped(try jwk(.es256, ["kid": ""]), because: "kid")
    try expectSkipped(try jwk(.es256, ["kid": 7]), because: "kid")
    let both = try set("\(jwk(.es256, ["use": "enc"])),\(jwk(.edDSA, ["key_ops": ["verify"], "kid": nil]))")
    #expect(both.keys.map(\.algorithm) == [.edDSA] && both.keys[0].id == nil && both.skipped.count == 1)
  }

  @Test("without alg a key is for the usual algorithm of its kind")
  func defaults() throws {
    for (from, to) in [(TokenAlgorithm.ps512, TokenAlgorithm.rs256), (.es384, .es384), (.edDSA, .edDSA)] {
      #expect(try set(jwk(from, ["alg": nil])).keys.map(\.algorithm) == [to])
    }
  }

  @Test("what is no key set says so; an empty one is one")
  func forms() throws {
    for (text, failure) in [
      ("", JSONWebKeySet.Failure.notJSON), ("{", .notJSON), ("[]", .noKeys), ("{}", .noKeys),
      (#"{"keys":{}}"#, .noKeys),
      (#"{"keys":[],"keys":[]}"#, .notJSON),
      ("<html>", .notJSON),
      (#"{"keys":[\#(Array(repeating: "{}", count: 101).joined(separator: ","))]}"#, .tooManyKeys),
    ] {
      #expect(throws: failure) { try JSONWebKeySet(Array(text.utf8)) }
    }
    #expect(try set("").keys.isEmpty)
  }

  @Test("a private key is refused where the public one belongs, and what is none of them too")
  func wrongFiles() throws {
    let pair = try PrivateKey(generatingFor: .es256)
    #expect(throws: KeyFailure.privateKey) { try VerificationKey.keys(pem: pair.pem) }
    #expect(throws: KeyFailure.noKey) { try VerificationKey.keys(pem: Array("no key".utf8)) }
    #expect(throws: KeyFailure.noKey) { try VerificationKey.keys(pem: []) }
    #expect(throws: KeyFailure.noPrivateKey) { _ = try PrivateKey(pem: KeyPair.of(.es256).publicPEM) }
    #expect(throws: KeyFailure.wrongAlgorithm(.es384)) {
      try VerificationKey.keys(pem: KeyPair.of(.es256).publicPEM, algorithm: .es384)
    }
  }

  @Test("a file may hold several keys")
  func severalKeys() throws {
    let (one, two) = (try KeyPair.of(.es256), try KeyPair.of(.edDSA))
    let keys = try VerificationKey.keys(pem: one.publicPEM + two.publicPEM, id: "k")
    #expect(keys.map(\.algorithm) == [.es256, .edDSA] && keys.allSatisfy { $0.id == "k" })
  }

  @Test("a private key comes back from its PEM")
  func roundTrip() throws {
    let pair = try PrivateKey(generatingFor: .edDSA)
    let again = try PrivateKey(pem: pair.pem)
    #expect(again.thumbprint == pair.thumbprint && again.defaultAlgorithm == .edDSA)
  }

  @Test("keys of a source are replaced as a whole: a new one counts, a removed one does not")
  func ring() throws {
    let (old, new) = (try KeyPair.of(.es256), try KeyPair(.es256))
    let ring = KeyRing([], sources: 2)
    let authority = TokenAuthority(secret: Forge.secret, settings: TokenSettings(), keys: ring)
    let (oldToken, newToken) = (try Forge.token(of: old), try Forge.token(of: new))
    #expect(authority.refusal(of: oldToken) == .key)
    ring.replace(try old.verificationKeys(), of: 1)
    #expect(authority.refusal(of: oldToken) == nil && authority.refusal(of: newToken) == .signature)
    ring.replace(try old.verificationKeys() + new.verificationKeys(), of: 1)
    #expect(authority.refusal(of: oldToken) == nil && authority.refusal(of: newToken) == nil && ring.count == 2)
    ring.replace(try new.verificationKeys(), of: 1)
    #expect(authority.refusal(of: oldToken) == .signature && authority.refusal(of: newToken) == nil)
  }
}
