import Testing

@testable import Tokens

/// The examples of the RFCs, and each algorithm with keys of its own.
@Suite("Signature algorithms")
struct AlgorithmTests {
  private static let claims =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
  private static let modulus =
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgN"
    + "MsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xs"
    + "mtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"

  private func expectSignature(_ set: String, _ input: String, _ signature: String) throws {
    let key = try #require(try JSONWebKeySet(Array(#"{"keys":[\#(set)]}"#.utf8)).keys.first)
    let bytes = try #require(Base64URL.decode(signature.utf8))
    #expect(key.verify(bytes, of: Array(input.utf8)))
    #expect(!key.verify(bytes, of: Array("\(input)x".utf8)))
    for index in bytes.indices {
      var other = bytes
      other[index] ^= 1
      #expect(!key.verify(other, of: Array(input.utf8)))
    }
  }

  @Test("RS256: the example of RFC 7515, A.2")
  func rs256() throws {
    try expectSignature(
      #"{"kty":"RSA","n":"\#(Self.modulus)","e":"AQAB"}"#, "eyJhbGciOiJSUzI1NiJ9.\(Self.claims)",
      "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t"
        + "1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12"
        + "jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlU"
        + "PQGe77Rw")
  }

  @Test("ES256: the example of RFC 7515, A.3")
  func es256() throws {
    try expectSignature(
      """
      {"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
      "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}
      """, "eyJhbGciOiJFUzI1NiJ9.\(Self.claims)",
      "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")
  }

  @Test("EdDSA: the example of RFC 8037, A.4")
  func edDSA() throws {
    try expectSignature(
      #"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
      "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
      "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg")
  }

  @Test(
    "a token signed with a pair is taken by its public half, in PEM and as a JWK, and by no other",
    arguments: TokenAlgorithm.allCases.filter { $0 != .hs256 })
  func pairs(_ algorithm: TokenAlgorithm) throws {
    let pair = try KeyPair.of(algorithm)
    let token = try Forge.token(of: pair)
    #expect(try Forge.authority(pair.verificationKeys()).open(token, at: Forge.now).identity.user == "u")
    let set = try JSONWebKeySet(pair.set(id: "one"))
    #expect(set.skipped == [] && set.keys.map(\.id) == ["one"] && set.keys.map(\.algorithm) == [algorithm])
    #expect(Forge.authority(set.keys).refusal(of: token) == nil)
    let other = try KeyPair(algorithm).verificationKeys()
    #expect(Forge.authority(other).refusal(of: token) == .signature)
    let others = try KeyPair.all.values.filter { $0 !== pair }.flatMap { try $0.verificationKeys() }
    #expect(Forge.authority(others).refusal(of: token) == .key)
  }

  @Test("Ed25519 is another name of EdDSA (RFC 9864)")
  func fullySpecified() throws {
    let pair = try KeyPair.of(.edDSA)
    let token = try Forge.token(#"{"alg":"Ed25519"}"#) { try pair.sign($0) }
    #expect(Forge.authority(try pair.verificationKeys()).refusal(of: token) == nil)
  }

  @Test("the thumbprint of a key is the one of RFC 7638 for all who know it")
  func thumbprint() throws {
    let pair = try KeyPair.of(.es256)
    #expect(pair.thumbprint.count == 43)
    #expect(try KeyPair(.es256).thumbprint != pair.thumbprint)
  }

  @Test("the signer of the command line makes tokens that are taken")
  func signer() throws {
    var signer = try TokenSigner(PrivateKey(generatingFor: .es384), algorithm: nil)
    signer.issuer = "school"
    signer.audience = "rollcall"
    signer.keyID = "k"
    #expect(signer.algorithm == .es384)
    #expect(throws: KeyFailure.wrongAlgorithm(.rs256)) {
      _ = try TokenSigner(PrivateKey(generatingFor: .es384), algorithm: .rs256)
    }
  }
}
