import Foundation
import Testing

@testable import Classroom
@testable import SignalingServer

@Suite("Signed attendance reports")
struct SignedReportTests {
  private let key: ReportKey

  init() throws { key = try #require(ReportKey(secret: (0..<32).map { UInt8($0) })) }

  private static func bytes(_ hex: String) -> [UInt8] {
    stride(from: 0, to: hex.count, by: 2).compactMap { offset in
      let start = hex.index(hex.startIndex, offsetBy: offset)
      return UInt8(hex[start..<hex.index(start, offsetBy: 2)], radix: 16)
    }
  }

  private static func report(_ scope: AttendanceReport.Scope = .everybody) throws -> AttendanceReport {
    let now = Timestamp(milliseconds: 1_767_225_600_000)
    let details = try SessionDraft(title: "Algebra").validated(id: "algebra", roomName: "r", host: "emmy", at: now)
    var classroom = try #require(Classroom(Classroom.creation(details, epoch: "e", by: "emmy")))
    _ = try classroom.handle(.start, by: Actor(user: "emmy", name: "Emmy", role: .host), at: now)
    for user in ["ada", "bo"] {
      _ = try classroom.handle(.join, by: Actor(user: user, name: user, role: .participant), at: now)
    }
    return classroom.report(scope, thresholds: .init(), at: now.advanced(byMilliseconds: 3_600_000))
  }

  /// RFC 8032, 7.1, tests 1 to 3.
  @Test(
    "keys and signatures are those of the standard",
    arguments: [
      (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
      ),
      (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
      ),
    ])
  func standard(secret: String, publicKey: String, message: String, signature: String) throws {
    let key = try #require(ReportKey(secret: Self.bytes(secret)))
    #expect(key.publicKey.bytes == Self.bytes(publicKey))
    #expect(key.sign(Self.bytes(message)) == Self.bytes(signature))
    #expect(key.publicKey.verify(Self.bytes(signature), of: Self.bytes(message)))
    #expect(!key.publicKey.verify(Self.bytes(signature), of: Self.bytes(message) + [0]))
  }

  /// RFC 8037, A.3.
  @Test("the name of a key is its thumbprint")
  func thumbprint() throws {
    let jwk = Array(#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#.utf8)
    let key = try #require(ReportPublicKey.read(jwk).first)
    #expect(key.id == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
  }

  @Test("a key comes back from each form in which it is written")
  func forms() throws {
    #expect(ReportKey(pem: key.pem)?.publicKey == key.publicKey)
    #expect(ReportPublicKey.read(key.pem) == [key.publicKey])
    #expect(ReportPublicKey.read(key.publicKey.pem) == [key.publicKey])
    #expect(ReportPublicKey.read(key.publicKey.pem + key.publicKey.pem).count == 2)
    #expect(ReportPublicKey.read(key.publicKey.set) == [key.publicKey])
    for text in ["", "nonsense", "{}", #"{"keys":[{"kty":"OKP","crv":"X25519","x":"AAAA"}]}"#, #"{"keys":7}"#] {
      #expect(ReportPublicKey.read(Array(text.utf8)).isEmpty)
    }
    #expect(ReportKey(secret: [1, 2, 3]) == nil && ReportKey(pem: key.publicKey.pem) == nil)
  }

  @Test(
    "a report is valid by its key, also when it is formatted anew",
    arguments: [AttendanceReport.Scope.everybody, .only("ada")])
  func valid(scope: AttendanceReport.Scope) throws {
    let text = SignedReport.make(try Self.report(scope), by: key)
    let other = try #require(ReportKey(secret: [UInt8](repeating: 7, count: 32)))
    let parsed = try JSONSerialization.jsonObject(with: Data(text))
    let pretty = try JSONSerialization.data(withJSONObject: parsed, options: [.prettyPrinted])
    for bytes in [text, Array(pretty)] {
      guard case .valid(let facts) = SignedReport.verify(bytes, keys: [other.publicKey, key.publicKey]) else {
        Issue.record("not valid")
        continue
      }
      #expect(facts.session == "algebra" && facts.keyID == key.publicKey.id)
      #expect(facts.people == (scope == .everybody ? 3 : 1))
      guard case .intact = SignedReport.verify(bytes, keys: nil) else {
        Issue.record("not intact")
        continue
      }
      guard case .invalid(let reason) = SignedReport.verify(bytes, keys: [other.publicKey]) else {
        Issue.record("valid by another key")
        continue
      }
      #expect(reason.contains("none of those"))
    }
  }

  @Test("whatever is changed, added or taken away breaks it")
  func changed() throws {
    let text = String(decoding: SignedReport.make(try Self.report(), by: key), as: UTF8.self)
    let changes: [(String, String)] = [
      (#""state":"attended""#, #""state":"absent""#), (#""milliseconds":3600000"#, #""milliseconds":3600001"#),
      (#""user":"ada""#, #""user":"eve""#), (#""late":false"#, #""late":true"#), (#""format":1"#, #""format":1,"x":1"#),
      (#""title":"Algebra","#, ""), (#""session":"algebra""#, #""session":"Algebra""#),
      (#""email":null,"#, ""), (#""live_milliseconds":3600000"#, #""live_milliseconds":3600000.0"#),
    ]
    for (from, to) in changes {
      let range = try #require(text.range(of: from), "\(from)")
      guard case .invalid = SignedReport.verify(Array(text.replacingCharacters(in: range, with: to).utf8), keys: nil)
      else {
        Issue.record("\(from) can be changed")
        continue
      }
    }
  }

  @Test("a signature of somebody else, or none, or what is no report is not valid, and says why")
  func reasons() throws {
    let text = String(decoding: SignedReport.make(try Self.report(), by: key), as: UTF8.self)
    let unsigned = String(decoding: SignedReport.unsigned(try Self.report()), as: UTF8.self)
    let forger = try #require(ReportKey(secret: [UInt8](repeating: 9, count: 32)))
    let forged = String(decoding: SignedReport.make(try Self.report(), by: forger), as: UTF8.self)
    let cases: [(String, String)] = [
      ("", "not JSON"), ("[]", "no attendance report"), (unsigned, "no signature"),
      (text.replacingOccurrences(of: "Ed25519", with: "none"), "algorithm"),
      (text.replacingOccurrences(of: #""format":1"#, with: #""format":2"#), "form that is not known"),
      (text.replacingOccurrences(of: key.publicKey.id, with: forger.publicKey.id), "not the name of the key"),
      (text.replacingOccurrences(of: key.publicKey.text, with: forger.publicKey.text), "not the name of the key"),
      (forged, "none of those"), (text + "x", "not JSON"),
      (text.replacingOccurrences(of: #""value":""#, with: #""value":"A"#), "64 bytes"),
    ]
    for (document, reason) in cases {
      guard case .invalid(let found) = SignedReport.verify(Array(document.utf8), keys: [key.publicKey]) else {
        Issue.record("\(reason): valid")
        continue
      }
      #expect(found.contains(reason), "\(found)")
    }
  }

  @Test("no bit of a report can be turned")
  func everyBit() throws {
    let text = SignedReport.make(try Self.report(.only("ada")), by: key)
    for index in text.indices {
      var changed = text
      changed[index] ^= 1 << UInt8(index % 8)
      if case .valid = SignedReport.verify(changed, keys: [key.publicKey]) {
        // Of the signature's last character two bits mean nothing, and are refused all the same.
        Issue.record("byte \(index) can be changed")
      }
    }
  }

  @Test("the key is made once, for its owner alone, and is the same after a restart")
  func file() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/report-key.pem"
    #expect(try ReportKeyFile.readIfPresent(path)?.publicKey == nil)
    let first = try ReportKeyFile.create(path)
    #expect(try ReportKeyFile.readIfPresent(path)?.publicKey == first.publicKey)
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
    #expect(folder.names == ["report-key.pem"])
    try Data("nothing".utf8).write(to: URL(fileURLWithPath: path))
    #expect(throws: ReportKeyFile.Failure.self) { try ReportKeyFile.readIfPresent(path) }
    #expect(throws: ReportKeyFile.Failure.self) { try ReportKeyFile.read(folder.path + "/none") }
  }
}

@Suite("Codes for checking in")
struct CheckInCodeTests {
  private let codes = CheckInCodes(secret: TestServer.secret)

  @Test("a code is right while it is shown and for as long again, for its session alone")
  func time() {
    let now = Timestamp(milliseconds: 1_767_225_600_000)
    let code = codes.code(for: "algebra", at: now)
    #expect(code.count == 6)
    #expect(codes.code(for: "algebra", at: now.advanced(byMilliseconds: 29_999)) == code)
    #expect(codes.code(for: "algebra", at: now.advanced(byMilliseconds: 30_000)) != code)
    #expect(codes.nextChange(after: now) == now.advanced(byMilliseconds: 30_000))
    for (later, isRight) in [(0, true), (59_999, true), (60_000, false), (-1, false)] as [(Int64, Bool)] {
      #expect(codes.isRight(code, for: "algebra", at: now.advanced(byMilliseconds: later)) == isRight, "\(later)")
    }
    #expect(!codes.isRight(code, for: "music", at: now))
    #expect(!CheckInCodes(secret: TestServer.secret + [1]).isRight(code, for: "algebra", at: now))
  }

  @Test("how it is typed does not matter, what is typed does")
  func typing() {
    let now = Timestamp(milliseconds: 1_767_225_600_000)
    let code = codes.code(for: "algebra", at: now)
    #expect(codes.isRight(code.lowercased(), for: "algebra", at: now))
    #expect(codes.isRight(" \(code.prefix(3))-\(code.suffix(3)) ", for: "algebra", at: now))
    for wrong in ["", " ", code + "A", String(code.dropLast()), String(code.reversed()), "\u{1F600}"]
    where wrong != code {
      #expect(!codes.isRight(wrong, for: "algebra", at: now), "\(wrong)")
    }
    #expect(codes.code(for: "x", at: Timestamp(milliseconds: -5)).count == 6)
  }
}
