import Testing

@testable import Classroom
@testable import SignalingProtocol
@testable import Tokens

/// The attacks of RFC 8725 ("JSON Web Token Best Current Practices"), each by its clause, and others that were seen.
@Suite("Attacks on tokens")
struct AttackTests {
  private let rsa: KeyPair
  private let elliptic: KeyPair
  private let edwards: KeyPair
  private let authority: TokenAuthority

  init() throws {
    rsa = try KeyPair.of(.rs256)
    elliptic = try KeyPair.of(.es256)
    edwards = try KeyPair.of(.edDSA)
    authority = Forge.authority(
      [VerificationKey(secret: TokenKey(Forge.secret))] + (try rsa.verificationKeys(id: "rsa"))
        + (try elliptic.verificationKeys(id: "ec")) + (try edwards.verificationKeys(id: "ed")))
  }

  @Test(
    "2.1: an unsigned token is refused, however it spells none",
    arguments: ["none", "None", "NONE", "nOnE", "", "HS256", "RS256", "ES256", "EdDSA"])
  func none(_ name: String) {
    let reason = authority.refusal(of: Forge.token(#"{"alg":"\#(name)"}"#) { _ in [] })
    #expect(reason == (TokenAlgorithm(name: name) == nil ? .algorithm : .signature))
  }

  @Test("2.1: a public key is not taken for a secret: RS256 to HS256, ES256 to HS256, EdDSA to HS256")
  func confusion() throws {
    for pair in [rsa, elliptic, edwards] {
      for key in [pair.publicPEM, Array(pair.publicPEM.dropLast()), pair.set(id: "k")] {
        for id in ["", #","kid":"rsa""#, #","kid":"ec""#] {
          let token = Forge.token(#"{"alg":"HS256"\#(id)}"#) { TokenKey(key).sign($0) }
          #expect(authority.refusal(of: token) == .signature)
          let without = Forge.authority(try pair.verificationKeys())
          #expect(without.refusal(of: token) == .key)
        }
      }
    }
  }

  @Test("3.1: a key checks one algorithm only, also of its own kind")
  func boundAlgorithm() throws {
    let probabilistic = try KeyPair.of(.ps256)
    let keys = try VerificationKey.keys(pem: probabilistic.publicPEM)  // for RS256
    #expect(Forge.authority(keys).refusal(of: try Forge.token(of: probabilistic)) == .key)
    let renamed = try Forge.token(#"{"alg":"RS256"}"#) { try probabilistic.sign($0) }
    #expect(Forge.authority(keys).refusal(of: renamed) == .signature)
    for (pair, name) in [(rsa, "RS384"), (rsa, "PS256"), (elliptic, "ES384"), (edwards, "ES256"), (elliptic, "EdDSA")] {
      let token = try Forge.token(#"{"alg":"\#(name)"}"#) { try pair.sign($0) }
      #expect(authority.refusal(of: token) != nil)
    }
  }

  @Test("3.1: the kid of one key with the signature of another")
  func otherKey() throws {
    #expect(authority.refusal(of: try Forge.token(of: rsa, header: #","kid":"rsa""#)) == nil)
    #expect(authority.refusal(of: try Forge.token(of: rsa, header: #","kid":"ec""#)) == .key)
    #expect(authority.refusal(of: try Forge.token(of: elliptic, header: #","kid":"rsa""#)) == .key)
  }

  @Test(
    "3.10: a kid is a name and nothing else",
    arguments: [
      "../../dev/null", "' OR 1=1 --", "http://127.0.0.1/key", "/etc/passwd", "rsa\\u0000", "RSA", "rsa ", "*", "$(id)",
    ])
  func strangeNames(_ id: String) throws {
    #expect(authority.refusal(of: try Forge.token(of: rsa, header: #","kid":"\#(id)""#)) == .key)
  }

  @Test("a kid that is empty, huge or no string is refused")
  func badNames() throws {
    for id in [#""""#, "7", "null", "[]", "\"\(String(repeating: "k", count: 257))\""] {
      #expect(authority.refusal(of: try Forge.token(of: rsa, header: #","kid":\#(id)"#)) == .header)
    }
  }

  @Test("2.4 and 3.10: a header that brings its key, or says where one is, is refused, signed well or not")
  func embeddedKeys() throws {
    let attacker = try KeyPair(.es256)
    let jwk = String(decoding: attacker.set(id: "evil").dropFirst(9).dropLast(2), as: UTF8.self)
    for extra in [
      #""jwk":\#(jwk)"#, #""jku":"https://evil.example/keys""#, #""x5u":"https://evil.example/chain""#,
      #""x5c":["MIIB"]"#,
      #""jwk":null"#,
    ] {
      #expect(authority.refusal(of: try Forge.token(of: attacker, header: ",\(extra)")) == .header)
      #expect(authority.refusal(of: try Forge.token(of: elliptic, header: ",\(extra)")) == .header)
    }
    // A thumbprint of a certificate names a key and brings none.
    #expect(authority.refusal(of: try Forge.token(of: elliptic, header: #","x5t":"AAAA","x5t#S256":"AAAA""#)) == nil)
  }

  @Test("RFC 7515, 4.1.11: extensions that must be understood are not, and neither are other payloads, zip and enc")
  func extensions() throws {
    for extra in [
      #""crit":["exp"]"#, #""crit":[]"#, #""crit":["b64"],"b64":false"#, #""b64":false"#, #""b64":true"#,
      #""zip":"DEF""#,
      #""zip":null"#, #""enc":"A128GCM""#,
    ] {
      #expect(authority.refusal(of: try Forge.token(of: elliptic, header: ",\(extra)")) == .header)
    }
  }

  @Test("2.6 and 3.4: duplicate names in header or claims are refused")
  func duplicates() throws {
    let twice = try Forge.token(#"{"alg":"ES256","alg":"none"}"#) { try elliptic.sign($0) }
    #expect(authority.refusal(of: twice) == .malformed)
    let escaped = try Forge.token(#"{"alg":"ES256","\u0061lg":"none"}"#) { try elliptic.sign($0) }
    #expect(authority.refusal(of: escaped) == .malformed)
    for claims in [
      #"{"sub":"u","sub":"admin","exp":\#(Forge.exp)}"#, #"{"sub":"u","exp":\#(Forge.exp),"exp":99999999999}"#,
      #"{"sub":"u","exp":\#(Forge.exp),"role":"participant","role":"admin"}"#,
    ] {
      #expect(authority.refusal(of: try Forge.token(of: elliptic, claims)) == .malformed)
    }
  }

  @Test("a token with two headers, six parts (JWE) or of JSON serialization is refused")
  func otherForms() throws {
    let token = try Forge.token(of: elliptic)
    let parts = token.split(separator: ".").map(String.init)
    for form in [
      "\(parts[0]).\(token)", "\(parts[0]).\(parts[0]).\(parts[1]).\(parts[2]).\(parts[2])",
      #"{"payload":"\#(parts[1])","protected":"\#(parts[0])","signature":"\#(parts[2])"}"#,
    ] { #expect(authority.refusal(of: form) == .malformed) }
  }

  @Test("ECDSA: a signature in ASN.1, too short, too long, or with its numbers changed about is refused")
  func signatureForms() throws {
    let input = Array(
      "\(Forge.encoded(#"{"alg":"ES256"}"#)).\(Forge.encoded(#"{"sub":"u","exp":\#(Forge.exp)}"#))".utf8)
    let good = try elliptic.sign(input)
    func refusal(_ signature: [UInt8]) -> TokenRefusal.Reason? {
      authority.refusal(of: "\(String(decoding: input, as: UTF8.self)).\(Forge.encoded(signature))")
    }
    #expect(refusal(good) == nil && good.count == 64)
    let der = try #require(ECDSASignature.der(Array(good[..<32]), Array(good[32...])))
    #expect(refusal(der) == .signature)
    #expect(refusal(good + [0]) == .signature && refusal([0] + good) == .signature)
    #expect(refusal(Array(good.dropLast())) == .signature && refusal(Array(good.prefix(32))) == .signature)
    #expect(refusal(Array(good[32...] + good[..<32])) == .signature)
    #expect(refusal([]) == .signature)
  }

  @Test("ECDSA: zero, and what is not below the order of the curve, is no signature (CVE-2022-21449)")
  func psychicSignatures() throws {
    let order: [UInt8] = [
      0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6, 0xFA, 0xAD, 0xA7,
      0x17,
      0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
    ]
    let zero = [UInt8](repeating: 0, count: 32)
    let one = [UInt8](repeating: 0, count: 31) + [1]
    for signature in [zero + zero, zero + one, one + zero, order + order, order + one, one + order] {
      #expect(authority.refusal(of: Forge.token(#"{"alg":"ES256"}"#) { _ in signature }) == .signature)
    }
    for algorithm in ["ES384", "ES512", "EdDSA", "RS256", "PS256"] {
      let keys = try KeyPair.of(try #require(TokenAlgorithm(name: algorithm))).verificationKeys()
      for count in [0, 64, 96, 132, 256] {
        let token = Forge.token(#"{"alg":"\#(algorithm)"}"#) { _ in [UInt8](repeating: 0, count: count) }
        #expect(Forge.authority(keys).refusal(of: token) == .signature)
      }
    }
  }

  @Test("ECDSA: a key on another curve is no key for the algorithm")
  func wrongCurve() throws {
    let other = try KeyPair.of(.es384)
    let renamed = try Forge.token(#"{"alg":"ES256"}"#) { try other.sign($0) }
    #expect(Forge.authority(try other.verificationKeys()).refusal(of: renamed) == .key)
    #expect(authority.refusal(of: renamed) == .signature)
  }

  @Test("RSA: PKCS #1 v1.5 is not taken for PSS, nor the other way round")
  func paddings() throws {
    let probabilistic = try KeyPair.of(.ps256)
    let keys = try VerificationKey.keys(pem: rsa.publicPEM, algorithm: .ps256)
    let renamed = try Forge.token(#"{"alg":"PS256"}"#) { try rsa.sign($0) }
    #expect(Forge.authority(keys).refusal(of: renamed) == .signature)
    #expect(
      Forge.authority(try probabilistic.verificationKeys()).refusal(of: try Forge.token(of: probabilistic)) == nil)
  }

  @Test("a huge token is refused before anything is done with it")
  func huge() throws {
    let long = String(repeating: "x", count: 9000)
    #expect(authority.refusal(of: try Forge.token(of: elliptic, #"{"x":"\#(long)"}"#)) == .malformed)
    #expect(authority.refusal(of: try Forge.token(of: elliptic, header: #","x":"\#(long)""#)) == .malformed)
    #expect(authority.refusal(of: String(repeating: "A", count: 1 << 20)) == .malformed)
  }

  @Test("3.8: issuers, when they are asked for, are required, exact, and bound to their keys")
  func issuers() throws {
    func claims(_ issuer: String) -> String { #"{"sub":"u","exp":\#(Forge.exp)\#(issuer)}"# }
    let asked = Forge.authority(try rsa.verificationKeys()) { $0.issuers = ["https://a.example", "https://b.example"] }
    #expect(asked.refusal(of: try Forge.token(of: rsa, claims(#","iss":"https://b.example""#))) == nil)
    for issuer in [
      "", #","iss":null"#, #","iss":"https://a.example/""#, #","iss":"https://A.example""#,
      #","iss":["https://a.example"]"#,
      #","iss":"https://a.example.evil.example""#, #","iss":"""#,
    ] { #expect(asked.refusal(of: try Forge.token(of: rsa, claims(issuer))) == .issuer) }

    // The keys of one issuer do not speak for the users of another, whatever `sub` and `iss` say.
    let bound = Forge.authority(
      try rsa.verificationKeys(issuer: "https://a.example") + elliptic.verificationKeys(issuer: "https://b.example"))
    let (a, b) = (claims(#","iss":"https://a.example""#), claims(#","iss":"https://b.example""#))
    #expect(bound.refusal(of: try Forge.token(of: rsa, a)) == nil)
    #expect(bound.refusal(of: try Forge.token(of: elliptic, b)) == nil)
    #expect(bound.refusal(of: try Forge.token(of: rsa, b)) == .issuer)
    #expect(bound.refusal(of: try Forge.token(of: elliptic, a)) == .issuer)
    #expect(bound.refusal(of: try Forge.token(of: rsa, claims(""))) == .issuer)
  }

  @Test("3.9: audiences, when they are asked for, are required and exact")
  func audiences() throws {
    let asked = Forge.authority(try rsa.verificationKeys()) { $0.audiences = ["rollcall", "class"] }
    func refusal(_ audience: String) throws -> TokenRefusal.Reason? {
      asked.refusal(of: try Forge.token(of: rsa, #"{"sub":"u","exp":\#(Forge.exp)\#(audience)}"#))
    }
    for audience in [#","aud":"rollcall""#, #","aud":["other","class"]"#] { #expect(try refusal(audience) == nil) }
    for audience in [
      "", #","aud":null"#, #","aud":[]"#, #","aud":"Rollcall""#, #","aud":["other"]"#, #","aud":"rollcall class""#,
      #","aud":{"rollcall":1}"#, #","aud":[["rollcall"]]"#,
    ] { #expect(try refusal(audience) == .audience) }
  }

  @Test("3.11: a token of another type is none for this")
  func types() throws {
    for type in ["JWT", "jwt", "at+jwt", "application/at+jwt", "application/JWT"] {
      #expect(authority.refusal(of: try Forge.token(of: rsa, header: #","typ":"\#(type)""#)) == nil)
    }
    for type in ["logout+jwt", "dpop+jwt", "secevent+jwt", "JOSE", "", "id_token", "application/dpop+jwt"] {
      #expect(authority.refusal(of: try Forge.token(of: rsa, header: #","typ":"\#(type)""#)) == .type)
    }
    for type in ["7", "null", "[]"] {
      #expect(authority.refusal(of: try Forge.token(of: rsa, header: #","typ":\#(type)"#)) == .header)
    }
    let asked = Forge.authority(try rsa.verificationKeys()) { $0.types = ["class+jwt"] }
    #expect(asked.refusal(of: try Forge.token(of: rsa, header: #","typ":"class+jwt""#)) == nil)
    #expect(asked.refusal(of: try Forge.token(of: rsa, header: #","typ":"JWT""#)) == .type)
    #expect(asked.refusal(of: try Forge.token(of: rsa)) == .type)
  }

  @Test("3.12: the server's own tokens and the platform's are not taken for each other")
  func ownTokens() throws {
    let guest = Identity(
      user: "guest-1", name: "Grace", role: .participant, session: nil, isGuest: true,
      expiresAt: Timestamp(milliseconds: Forge.exp * 1000))
    let own = authority.issue(guest, at: Forge.now)
    let opened = try authority.open(own, at: Forge.now)
    #expect(opened.isOwn && opened.identity == guest)

    // The secret of the platform does not make the server's own tokens.
    let parts = own.split(separator: ".").map(String.init)
    let forged = "\(parts[0]).\(Forge.encoded(#"{"sub":"guest-1","exp":\#(Forge.exp),"guest":true}"#))"
    let signature = TokenKey(Forge.secret).sign(Array(forged.utf8))
    #expect(authority.refusal(of: "\(forged).\(Forge.encoded(signature))") == .signature)
    // The signature of the server's own token is none for the same claims under another type.
    let renamed = "\(Forge.encoded(#"{"alg":"HS256","typ":"JWT"}"#)).\(parts[1]).\(parts[2])"
    #expect(authority.refusal(of: renamed) == .signature)
    // Nor does another key of the platform make them.
    let typed = try Forge.token(#"{"alg":"ES256","typ":"rollcall+jwt"}"#) { try elliptic.sign($0) }
    #expect(authority.refusal(of: typed) == .signature)

    // They are taken whatever is asked of the platform's tokens, and need no key of the platform's.
    let strict = Forge.authority(try rsa.verificationKeys()) {
      $0.issuers = ["a"]
      $0.audiences = ["b"]
      $0.types = ["class+jwt"]
      $0.requiresKeyID = true
      $0.claims[.user] = ["user_id"]
    }
    #expect(try strict.open(own, at: Forge.now).identity == guest)
  }

  @Test("without the secret among the keys, tokens signed with it are not taken")
  func secretNotTaken() throws {
    let token = Forge.token(#"{"alg":"HS256"}"#) { TokenKey(Forge.secret).sign($0) }
    #expect(authority.refusal(of: token) == nil)
    #expect(Forge.authority(try rsa.verificationKeys()).refusal(of: token) == .key)
  }

  @Test("a token must name its key when that is asked for")
  func requiredKeyID() throws {
    let asked = Forge.authority(try rsa.verificationKeys(id: "k")) { $0.requiresKeyID = true }
    #expect(asked.refusal(of: try Forge.token(of: rsa)) == .header)
    #expect(asked.refusal(of: try Forge.token(of: rsa, header: #","kid":"k""#)) == nil)
  }

  @Test("no token with one bit of its signature changed is a token", arguments: TokenAlgorithm.allCases)
  func changedSignatures(_ algorithm: TokenAlgorithm) throws {
    guard algorithm != .hs256 else { return }
    let pair = try KeyPair.of(algorithm)
    let authority = Forge.authority(try pair.verificationKeys())
    let parts = try Forge.token(of: pair).split(separator: ".").map(String.init)
    var signature = try #require(Base64URL.decode(parts[2].utf8))
    for index in stride(from: 0, to: signature.count, by: 7) {
      signature[index] ^= 1 << UInt8(index % 8)
      #expect(authority.refusal(of: "\(parts[0]).\(parts[1]).\(Forge.encoded(signature))") == .signature)
      signature[index] ^= 1 << UInt8(index % 8)
    }
  }
}
