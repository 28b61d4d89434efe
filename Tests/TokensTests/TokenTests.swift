import Foundation
import Testing

@testable import Classroom
@testable import SignalingProtocol
@testable import Tokens

/// Tokens as RFC 7515 and RFC 7519 define them, signed with a secret. Key pairs and attacks have suites of their own.
@Suite("Tokens")
struct TokenTests {
  private static let secret = Array("a secret of at least thirty-two bytes".utf8)
  private let authority = TokenAuthority(secret: Self.secret)
  private let now = Timestamp(milliseconds: 1_767_225_600_000)
  private var exp: Int64 { now.milliseconds / 1000 + 60 }

  private func encoded(_ text: String) -> String { String(decoding: Base64URL.encode(Array(text.utf8)), as: UTF8.self) }

  /// A token of this header and these claims, signed with the key.
  private func token(header: String = #"{"alg":"HS256"}"#, _ claims: String, key: [UInt8] = secret) -> String {
    let text = "\(encoded(header)).\(encoded(claims))"
    let signature = Base64URL.encode(TokenKey(key).sign(Array(text.utf8)))
    return "\(text).\(String(decoding: signature, as: UTF8.self))"
  }

  private func verify(_ token: String, at time: Timestamp? = nil) throws -> Identity {
    try authority.verify(token, at: time ?? now)
  }

  private func expectBad(_ token: String, _ code: ErrorCode = .badToken, _ location: SourceLocation = #_sourceLocation)
  {
    let error = #expect(throws: ProtocolError.self, sourceLocation: location) { try verify(token) }
    #expect(error?.code == code, sourceLocation: location)
  }

  @Test("the example of RFC 7515, A.1 has a valid signature")
  func example() throws {
    let key = try #require(
      Base64URL.decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow".utf8))
    let input =
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    let signature = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    #expect(TokenKey(key).verify(try #require(Base64URL.decode(signature.utf8)), of: Array(input.utf8)))
    let error = #expect(throws: ProtocolError.self) {
      try TokenAuthority(secret: key).verify("\(input).\(signature)", at: now)
    }
    #expect(error?.code == .tokenExpired, "its exp is of 2011")
  }

  @Test("what is issued is verified, with all its claims")
  func roundTrip() throws {
    let identity = Identity(
      user: "u1", name: "Äda", role: .cohost, session: "algebra", isGuest: false,
      expiresAt: Timestamp(milliseconds: exp * 1000))
    #expect(try verify(authority.issue(identity, at: now)) == identity)
  }

  @Test("a guest's token makes a guest and nobody with a role")
  func guest() throws {
    let identity = try verify(token(#"{"sub":"g","exp":\#(exp),"guest":true,"role":"admin"}"#))
    #expect(identity.isGuest && identity.role == .participant && !identity.mayCreateSessions)
  }

  @Test(
    "a token that says no algorithm, or another one than HS256, is refused",
    arguments: [
      #"{"alg":"none"}"#, #"{"alg":"None"}"#, #"{"alg":"hs256"}"#, #"{"alg":"HS384"}"#, #"{"alg":"RS256"}"#,
      #"{"alg":"ES256"}"#, #"{"alg":"EdDSA"}"#, #"{"alg":["HS256"]}"#, #"{"alg":null}"#, #"{"alg":"HS256 "}"#, "{}",
      "[]",
      "null", #""HS256""#, "", #"{"alg":"HS256""#, #"{"alg":"none","alg":"HS256"}"#,
    ])
  func algorithms(_ header: String) { expectBad(token(header: header, #"{"sub":"u","exp":\#(exp)}"#)) }

  @Test("an unsigned token is refused, whatever its header says", arguments: [#"{"alg":"none"}"#, #"{"alg":"HS256"}"#])
  func unsigned(_ header: String) { expectBad("\(encoded(header)).\(encoded(#"{"sub":"u","exp":\#(exp)}"#)).") }

  @Test("an extension that must be understood is not", arguments: [#"["b64"]"#, "[]", "null", #"["exp"]"#])
  func critical(_ value: String) {
    expectBad(token(header: #"{"alg":"HS256","crit":\#(value),"b64":false}"#, #"{"sub":"u","exp":\#(exp)}"#))
  }

  @Test(
    "a token without an expiry that is a number is refused",
    arguments: [
      "", #","exp":null"#, #","exp":"9999999999""#, #","exp":[9999999999]"#, #","exp":true"#, #","exp":1e300"#,
      #","exp":-1e300"#, #","exp":1e13"#,
    ])
  func expiryMissing(_ claim: String) { expectBad(token(#"{"sub":"u"\#(claim)}"#)) }

  @Test("at its expiry a token is expired, a millisecond before it is not")
  func expiry() throws {
    let text = token(#"{"sub":"u","exp":\#(exp)}"#)
    #expect(try verify(text, at: Timestamp(milliseconds: exp * 1000 - 1)).user == "u")
    let error = #expect(throws: ProtocolError.self) { try verify(text, at: Timestamp(milliseconds: exp * 1000)) }
    #expect(error?.code == .tokenExpired)
    expectBad(token(#"{"sub":"u","exp":0}"#), .tokenExpired)
    expectBad(token(#"{"sub":"u","exp":-5}"#), .tokenExpired)
  }

  @Test("a token is not valid before its time, give or take the leeway")
  func notBefore() throws {
    let seconds = now.milliseconds / 1000
    #expect(try verify(token(#"{"sub":"u","exp":\#(exp),"nbf":\#(seconds + 30)}"#)).user == "u")
    expectBad(token(#"{"sub":"u","exp":\#(exp),"nbf":\#(seconds + 31)}"#))
    expectBad(token(#"{"sub":"u","exp":\#(exp),"nbf":"\#(seconds)"}"#))
    expectBad(token(#"{"sub":"u","exp":\#(exp),"nbf":null}"#))
  }

  @Test("a token that was issued in the future is not valid, give or take the leeway")
  func issuedAt() throws {
    let seconds = now.milliseconds / 1000
    #expect(try verify(token(#"{"sub":"u","exp":\#(exp),"iat":\#(seconds + 30)}"#)).user == "u")
    expectBad(token(#"{"sub":"u","exp":\#(exp),"iat":\#(seconds + 31)}"#))
    expectBad(token(#"{"sub":"u","exp":\#(exp),"iat":"now"}"#))
  }

  @Test("an expiry that cannot be written is the end of the year 9999")
  func farExpiry() throws {
    #expect(try verify(token(#"{"sub":"u","exp":9999999999999}"#)).expiresAt.milliseconds == 253_402_300_799_000)
  }

  @Test(
    "claims of a wrong type are refused",
    arguments: [
      #"{"exp":EXP}"#, #"{"sub":"","exp":EXP}"#, #"{"sub":17,"exp":EXP}"#, #"{"sub":null,"exp":EXP}"#,
      #"{"sub":"u","exp":EXP,"role":"root"}"#, #"{"sub":"u","exp":EXP,"role":1}"#,
      #"{"sub":"u","exp":EXP,"session":"../x"}"#, #"{"sub":"u","exp":EXP,"session":7}"#,
      #"{"sub":"u","exp":EXP,"session":""}"#, #"["sub"]"#, "null", "", #"{"sub":"u","exp":EXP"#,
      #"{"sub":"a","sub":"u","exp":EXP}"#,
    ])
  func wrongTypes(_ claims: String) { expectBad(token(claims.replacingOccurrences(of: "EXP", with: "\(exp)"))) }

  @Test("a subject has at most 128 bytes")
  func subject() throws {
    #expect(try verify(token(#"{"sub":"\#(String(repeating: "u", count: 128))","exp":\#(exp)}"#)).user.count == 128)
    expectBad(token(#"{"sub":"\#(String(repeating: "u", count: 129))","exp":\#(exp)}"#))
  }

  @Test("a long name is cut, and never to nothing")
  func longNames() throws {
    let long = try verify(token(#"{"sub":"u","exp":\#(exp),"name":"\#(String(repeating: "ä", count: 100))"}"#))
    #expect(long.name == String(repeating: "ä", count: 60))
    let marks = try verify(token(#"{"sub":"u","exp":\#(exp),"name":"Z\#(String(repeating: "\u{301}", count: 200))"}"#))
    #expect(marks.name.unicodeScalars.starts(with: "Z\u{301}".unicodeScalars) && marks.name.utf8.count <= 120)
    #expect(try verify(token(#"{"sub":"u","exp":\#(exp),"name":""}"#)).name == "u")
  }

  @Test("no beginning of a token is a token")
  func truncated() {
    let text = token(#"{"sub":"u","exp":\#(exp)}"#)
    for count in 0..<text.count { expectBad(String(text.prefix(count))) }
  }

  @Test("no token with one bit changed is a token")
  func changed() {
    let text = Array(token(#"{"sub":"u","exp":\#(exp)}"#).utf8)
    for index in text.indices {
      for bit in 0..<7 {
        var bytes = text
        bytes[index] ^= 1 << UInt8(bit)
        expectBad(String(decoding: bytes, as: UTF8.self))
      }
    }
  }

  @Test("padding, spaces, other alphabets, more or fewer dots are refused")
  func shapes() {
    let text = token(#"{"sub":"u","exp":\#(exp)}"#)
    let parts = text.split(separator: ".").map(String.init)
    for shape in [
      "\(text)=", "\(parts[0])=.\(parts[1]).\(parts[2])", " \(text)", "\(text) ", "\(text)\n", "\(text).", ".\(text)",
      "\(text).x", "\(parts[0]).\(parts[1])", "\(parts[0])..\(parts[2])", "..", "", "....",
      "\(parts[0]).\(parts[1]).+/+/",
      "Bearer \(text)", #"{"payload":"\#(parts[1])"}"#,
    ] { expectBad(shape) }
  }

  @Test("a huge token is refused, one at the limit is not")
  func huge() throws {
    func text(_ padding: Int) -> String {
      token(#"{"sub":"u","exp":\#(exp),"x":"\#(String(repeating: "x", count: padding))"}"#)
    }
    var padding = 6000
    while text(padding + 1).utf8.count <= ProtocolLimits.tokenBytes { padding += 1 }
    #expect(try verify(text(padding)).user == "u")
    expectBad(text(padding + 1))
    expectBad(text(padding + 1_000_000))
    expectBad(String(repeating: ".", count: 1_000_000))
    let deep = String(repeating: "[", count: 3000) + String(repeating: "]", count: 3000)
    expectBad(token(#"{"sub":"u","exp":\#(exp),"x":\#(deep)}"#))
  }

  @Test("a token of another secret is refused")
  func otherSecret() {
    expectBad(token(#"{"sub":"u","exp":\#(exp)}"#, key: Array("another secret of thirty-two bytes!".utf8)))
  }
}
