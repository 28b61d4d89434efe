import Testing

@testable import Classroom
@testable import SignalingProtocol
@testable import Tokens

/// What a platform's claims make of their bearer.
@Suite("Claims")
struct ClaimTests {
  private func open(_ claims: String, _ configure: (inout TokenSettings) -> Void = { _ in }) throws -> Identity {
    let authority = Forge.authority([VerificationKey(secret: TokenKey(Forge.secret))], configure)
    let token = Forge.token(#"{"alg":"HS256"}"#, #"{"exp":\#(Forge.exp)\#(claims.isEmpty ? "" : ",")\#(claims)}"#) {
      TokenKey(Forge.secret).sign($0)
    }
    return try authority.open(token, at: Forge.now).identity
  }

  private func refusal(
    _ claims: String, _ configure: (inout TokenSettings) -> Void = { _ in }
  ) -> TokenRefusal.Reason? {
    do {
      _ = try open(claims, configure)
      return nil
    } catch {
      return (error as? TokenRefusal)?.reason
    }
  }

  @Test("the id of a user may be an integer, under another name than sub")
  func integers() throws {
    let user = #""user_id":17"#
    #expect(try open(user) { $0.claims[.user] = ["user_id"] }.user == "17")
    #expect(try open(#""user_id":-5"#) { $0.claims[.user] = ["user_id"] }.user == "-5")
    #expect(try open(#""user_id":"u17""#) { $0.claims[.user] = ["user_id"] }.user == "u17")
    for claims in [
      #""user_id":1.5"#, #""user_id":1e3"#, #""user_id":true"#, #""user_id":[17]"#, #""sub":"u""#, #""user_id":"""#,
    ] {
      #expect(refusal(claims) { $0.claims[.user] = ["user_id"] } == .claims)
    }
    #expect(refusal(#""sub":17"#) == .claims)
    #expect(refusal(#""sub":"a\u0000b""#) == .claims)
  }

  @Test("of several names, the first that the token has counts")
  func severalNames() throws {
    let names: (inout TokenSettings) -> Void = { $0.claims[.user] = ["uid", "sub"] }
    #expect(try open(#""sub":"s","uid":"u""#, names).user == "u")
    #expect(try open(#""sub":"s""#, names).user == "s")
    #expect(try open(#""sub":"s","uid":null"#, names).user == "s")
  }

  @Test("an admin claim makes an admin when it is true, and only where it is asked for")
  func admins() throws {
    let asked: (inout TokenSettings) -> Void = { $0.claims[.admin] = ["is_staff"] }
    #expect(try open(#""sub":"u","is_staff":true"#, asked).isAdministrator)
    #expect(try open(#""sub":"u","is_staff":false"#, asked).role == .participant)
    #expect(try open(#""sub":"u","is_staff":true"#).role == .participant)
    #expect(try open(#""sub":"u","admin":true"#).role == .participant)
    for value in ["1", #""true""#, "[]"] { #expect(refusal(#""sub":"u","is_staff":\#(value)"#, asked) == .claims) }
    #expect(try open(#""sub":"u","is_staff":true,"guest":true"#, asked).role == .participant)
  }

  @Test("the roles of a platform are what they are said to be here")
  func roles() throws {
    let mapped: (inout TokenSettings) -> Void = { $0.roles = ["teacher": .host, "student": .participant] }
    #expect(try open(#""sub":"u","role":"teacher""#, mapped).role == .host)
    #expect(try open(#""sub":"u","role":"cohost""#, mapped).role == .cohost)
    #expect(refusal(#""sub":"u","role":"parent""#, mapped) == .claims)
    let catching: (inout TokenSettings) -> Void = {
      $0.roles = ["teacher": .host]
      $0.otherRole = .observer
    }
    #expect(try open(#""sub":"u","role":"parent""#, catching).role == .observer)
    #expect(try open(#""sub":"u""#, catching).role == .participant)
    #expect(try open(#""sub":"u","role":["x","student","teacher"]"#, mapped).role == .host)
    #expect(refusal(#""sub":"u","role":["x"]"#, mapped) == .claims)
    #expect(refusal(#""sub":"u","role":[]"#, mapped) == .claims)
    #expect(try open(#""sub":"u","role":["x"]"#, catching).role == .observer)
    #expect(refusal(#""sub":"u","role":7"#, catching) == .claims)
    #expect(refusal(#""sub":"u","role":{}"#, catching) == .claims)
  }

  @Test("the profile: our names, those of OpenID Connect, and those that are set")
  func profiles() throws {
    let ours = try open(
      #""sub":"u","first_name":"Ada","last_name":"Lovelace","username":"ada","email":"ada@x.example","avatar":"https://x/a.png""#
    )
    #expect(
      ours.profile
        == Profile(
          firstName: "Ada", lastName: "Lovelace", username: "ada", email: "ada@x.example", avatar: "https://x/a.png"))
    let theirs = try open(
      #""sub":"u","given_name":"Ada","family_name":"Lovelace","preferred_username":"ada","picture":"http://x/a.png""#)
    #expect(
      theirs.profile == Profile(firstName: "Ada", lastName: "Lovelace", username: "ada", avatar: "http://x/a.png"))
    #expect(
      try open(#""sub":"u","photo":"https://x/a""#) { $0.claims[.avatar] = ["photo"] }.profile?.avatar == "https://x/a")
    #expect(try open(#""sub":"u""#).profile == nil)
  }

  @Test("what cannot be shown is left out, and turns nobody away")
  func unusableProfiles() throws {
    for claims in [
      #""avatar":"javascript:alert(1)""#, #""avatar":"data:image/png;base64,AA""#, #""avatar":"https://x/ y""#,
      #""avatar":7"#,
      #""email":"no address""#, #""email":"a@b\n""#, #""email":["a@b"]"#, #""first_name":"\u0007""#, #""username":{}"#,
      #""avatar":"https://x/\#(String(repeating: "y", count: 2048))""#,
    ] { #expect(try open(#""sub":"u",\#(claims)"#).profile == nil) }
  }

  @Test("without a name there are first and last name, the user name, and the id")
  func names() throws {
    #expect(try open(#""sub":"u","name":"N","first_name":"F""#).name == "N")
    #expect(try open(#""sub":"u","first_name":"F","last_name":"L","username":"x""#).name == "F L")
    #expect(try open(#""sub":"u","last_name":"L""#).name == "L")
    #expect(try open(#""sub":"u","username":"x""#).name == "x")
    #expect(try open(#""sub":"u","name":"  ""#).name == "u")
    #expect(try open(#""sub":"u","name":7"#).name == "u")
    let long = String(repeating: "n", count: 119)
    #expect(try open(#""sub":"u","first_name":"\#(long)","last_name":"\#(long)""#).name == long)
  }

  @Test("names lose what is not to be shown")
  func cleanedNames() {
    #expect(PersonName.cleaned(" Ada\t Lovelace\u{A0}\n") == "Ada Lovelace")
    #expect(PersonName.cleaned("A\u{0}\u{7}\u{1B}[31md\u{7F}\u{85}a") == "A[31mda")
    #expect(PersonName.cleaned("Ada\u{202E}nimda\u{2066}\u{2028}\u{FEFF}") == "Adanimda")
    #expect(PersonName.cleaned("👩‍🏫 É\u{301}") == "👩‍🏫 É\u{301}")
    #expect(PersonName.cleaned("\u{202E} \u{3000}\u{7}") == nil && PersonName.cleaned("") == nil)
    #expect(PersonName.cleaned(String(repeating: "ä", count: 100)) == String(repeating: "ä", count: 60))
    #expect(PersonName.cleaned(String(repeating: " ", count: 200) + "x") == "x")
  }
}
