import Foundation
import Testing

@testable import Classroom
@testable import HTTPClient
@testable import SignalingServer
@testable import Tokens

/// Keys of the platform that come and go while the server runs.
@Suite("Keys that are kept fresh")
struct KeyRefreshTests {
  /// A key pair of the platform.
  private final class Issuer: Sendable {
    let id: String
    private let key: PrivateKey

    init(_ id: String, _ algorithm: TokenAlgorithm = .es256) throws {
      self.id = id
      key = try PrivateKey(generatingFor: algorithm)
    }

    var publicPEM: [UInt8] { key.publicPEM }

    /// Its public half as an element of a set.
    var jwk: String {
      let set = String(decoding: key.publicKeySet(id: id, algorithm: key.defaultAlgorithm), as: UTF8.self)
      return String(set.dropFirst(#"{"keys":["#.count).dropLast(2))
    }

    func token(_ user: String, issuer: String = "school") throws -> String {
      let claims = #"{"iss":"\#(issuer)","sub":"\#(user)","exp":\#(Int(Date().timeIntervalSince1970) + 600)}"#
      return try JSONWebToken.signed(
        algorithm: key.defaultAlgorithm, keyID: id, type: "JWT", claims: Array(claims.utf8)
      ) { try key.sign($0, by: key.defaultAlgorithm) }
    }
  }

  private static func set(_ issuers: Issuer...) -> [UInt8] {
    Array(#"{"keys":[\#(issuers.map(\.jwk).joined(separator: ","))]}"#.utf8)
  }

  private func server(
    _ sources: KeySource..., configure: (inout TokenKeySettings) -> Void = { _ in }
  ) throws -> TestServer {
    try TestServer {
      $0.tokenKeys.sources = sources
      $0.tokenKeys.takesSecret = false
      $0.tokenKeys.permitsPlainLoopback = true
      $0.tokenKeys.refreshMilliseconds = 20
      $0.tokenKeys.fileMilliseconds = 20
      $0.tokenKeys.retryMilliseconds = 20
      configure(&$0.tokenKeys)
    }
  }

  private func status(_ server: TestServer, _ token: String) throws -> Int {
    try server.get("/api/sessions/", as: token).status
  }

  /// Asks until the answer has this status.
  private func expect(_ status: Int, _ server: TestServer, _ token: String) throws {
    let deadline = Date().addingTimeInterval(30)
    while try self.status(server, token) != status {
      guard Date() < deadline else { throw VectorFailure("the token is never answered with \(status)") }
    }
  }

  private func figure(_ server: TestServer, _ result: String) throws -> Int {
    try Exposition(of: server).value("rollcall_key_loads_total", ["result": result])
  }

  @Test("at an address: a new key works without a restart, a removed one stops working")
  func rotation() throws {
    let (old, new) = (try Issuer("old"), try Issuer("new", .edDSA))
    let keys = try KeyServer(.body(Self.set(old)))
    let server = try server(KeySource(.address(keys.address)))
    try expect(200, server, try old.token("u"))
    #expect([401, 503].contains(try status(server, try new.token("u"))))
    keys.say(.body(Self.set(old, new)))
    try expect(200, server, try new.token("u"))
    #expect(try status(server, try old.token("u")) == 200)
    keys.say(.body(Self.set(new)))
    try expect(401, server, try old.token("u"))
    #expect(try status(server, try new.token("u")) == 200)
    keys.say(.body(Array(#"{"keys":[]}"#.utf8)))
    try expect(401, server, try new.token("u"))
  }

  @Test(
    "a token with a key that is not known has the set fetched: it is put off, then taken, and strangers cost no more")
  func unknownKey() throws {
    let (old, new) = (try Issuer("old"), try Issuer("new"))
    let keys = try KeyServer(.body(Self.set(old)))
    let server = try server(KeySource(.address(keys.address))) {
      $0.refreshMilliseconds = 3_600_000
      $0.cooldownMilliseconds = 3_600_000
    }
    try expect(200, server, try old.token("u"))
    #expect(keys.requests == 1)
    keys.say(.body(Self.set(old, new)))
    let first = try server.get("/api/sessions/", as: try new.token("u"))
    #expect(first.status == 503 && first.headers["retry-after"] == "1")
    #expect(try first.json["error"]?["code"]?.string == "unavailable")
    try expect(200, server, try new.token("u"))
    #expect(keys.requests == 2)
    for number in 1...20 { #expect(try status(server, try Issuer("stranger-\(number)").token("u")) == 401) }
    #expect(keys.requests == 2)
  }

  @Test("a socket with such a token is asked to come again (1013), and may come when the set is there")
  func unknownKeyOnSocket() throws {
    let issuer = try Issuer("k")
    let keys = try KeyServer(.silence)
    let server = try server(KeySource(.address(keys.address)))
    let early = try TestClient(server)
    try early.send(#"{"type":"hello","id":1,"token":"\#(try issuer.token("u"))"}"#)
    let refusal = try early.answer(to: 1)
    #expect(refusal["code"]?.string == "unavailable" && refusal["retryable"] == .bool(true))
    #expect(try early.awaitClose() == 1013)
    let others = try KeyServer(.body(Self.set(issuer)))
    let later = try self.server(KeySource(.address(others.address)))
    try expect(200, later, try issuer.token("u"))
    let client = try TestClient(later)
    try client.send(TestClient.hello(try issuer.token("u")))
    try client.receive("ready")
  }

  @Test("when it cannot be fetched, the keys that there were stay")
  func failures() throws {
    let issuer = try Issuer("k")
    let keys = try KeyServer(.body(Self.set(issuer)))
    let server = try server(KeySource(.address(keys.address)))
    try expect(200, server, try issuer.token("u"))
    for answer in [
      KeyServer.Answer.status(500), .status(404), .status(302, header: "Location: http://127.0.0.1:1/\r\n"),
      .body(Array("<html>".utf8)), .body([]), .endless,
    ] {
      let before = try figure(server, "failed")
      keys.say(answer)
      while try figure(server, "failed") < before + 2 {}
      #expect(try status(server, try issuer.token("u")) == 200)
    }
    keys.say(.body(Self.set(issuer)))
    let before = try figure(server, "loaded")
    while try figure(server, "loaded") == before {}
    #expect(try Exposition(of: server).value("rollcall_token_keys") == 1)
    #expect(try Exposition(of: server).value("rollcall_keys_age_seconds") >= 0)
  }

  @Test("a server ends while a fetch hangs")
  func ending() throws {
    let keys = try KeyServer(.silence)
    let server = try server(KeySource(.address(keys.address)))
    while keys.requests == 0 { _ = try status(server, "nobody") }
    server.stop()
  }

  @Test("files, PEM and sets, are read anew when they change; what is no key leaves the earlier one in use")
  func files() throws {
    let folder = try TemporaryFolder()
    func write(_ name: String, _ bytes: [UInt8]) throws {
      try Data(bytes).write(to: URL(fileURLWithPath: "\(folder.path)/\(name)"), options: .atomic)
    }
    let (first, second, third) = (try Issuer("1"), try Issuer("2"), try Issuer("3", .edDSA))
    try write("key.pem", first.publicPEM)
    try write("set.json", Self.set(third))
    let server = try server(
      KeySource(.pem(path: "\(folder.path)/key.pem", algorithm: nil, id: nil)),
      KeySource(.set(path: "\(folder.path)/set.json"), issuer: "school"))
    #expect(try status(server, try first.token("u")) == 200 && status(server, try third.token("u")) == 200)
    #expect(try status(server, try third.token("u", issuer: "other")) == 401)
    #expect(try status(server, try second.token("u")) == 401)
    try write("key.pem", Array("no key".utf8))
    while try figure(server, "failed") == 0 {}
    #expect(try status(server, try first.token("u")) == 200)
    try write("key.pem", second.publicPEM)
    try expect(200, server, try second.token("u"))
    #expect(try status(server, try first.token("u")) == 401)
    try write("set.json", Self.set(first, third))
    try expect(200, server, try first.token("u"))
  }

  @Test("a server does not start with files that hold no keys, nor with addresses that are not https")
  func starts() throws {
    let folder = try TemporaryFolder()
    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
      let path = "\(folder.path)/\(name)"
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      return path
    }
    let pair = try PrivateKey(generatingFor: .es256)
    let sources = [
      (KeySource(.pem(path: "/nowhere/key.pem", algorithm: nil, id: nil)), "cannot be read"),
      (KeySource(.pem(path: try write("private.pem", pair.pem), algorithm: nil, id: nil)), "private key"),
      (KeySource(.pem(path: try write("es.pem", pair.publicPEM), algorithm: .rs256, id: nil)), "RS256"),
      (KeySource(.set(path: try write("set.json", Array("{}".utf8)))), "no JWK set"),
      (KeySource(.address("http://school.example/keys")), "https"),
      (KeySource(.address("ftp://school.example/keys")), "https"),
      (KeySource(.address("https://user:password@school.example/keys")), "must not hold a name"),
      (KeySource(.address("https://")), "no address"),
    ]
    for (source, reason) in sources {
      let error = #expect(throws: StartFailure.self) { try server(source) }
      #expect(error.map { "\($0)" }?.contains(reason) == true, "\(error.map { "\($0)" } ?? "")")
    }
    let keys = try KeyServer(.silence)
    #expect(throws: StartFailure.self) {
      _ = try server(KeySource(.address(keys.address))) { $0.permitsPlainLoopback = false }
    }
  }

  @Test("beside other keys the secret counts only when it is named")
  func secret() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/key.pem"
    try Data(try Issuer("1").publicPEM).write(to: URL(fileURLWithPath: path))
    let token = try TokenSigner(secret: TestServer.secret).sign(Array(#"{"sub":"u","exp":99999999999}"#.utf8))
    let source = KeySource(.pem(path: path, algorithm: nil, id: nil))
    #expect(try status(try server(source), token) == 401)
    #expect(try status(try server(source) { $0.takesSecret = true }, token) == 200)
  }
}

/// Fetching over https.
@Suite("Downloads")
struct DownloadTests {
  private func failure(_ body: () throws -> [UInt8]) -> HTTPDownload.Failure? {
    do {
      _ = try body()
      return nil
    } catch {
      return error as? HTTPDownload.Failure
    }
  }

  @Test("a certificate must be of an authority that is trusted, and for the name")
  func certificates() throws {
    let server = try TestServer {
      $0.tls = .selfSigned
      $0.host = "0.0.0.0"
    }
    var download = try HTTPDownload(address: "https://127.0.0.1:\(server.port)/health")
    guard case .transfer = failure({ try download.body() }) else {
      Issue.record("a certificate that nobody trusts was taken")
      return
    }
    download.authorityFile = server.folder.path + "/self-signed.crt"
    #expect(String(decoding: try download.body(), as: UTF8.self).contains("ok"))
    var other = try HTTPDownload(address: "https://127.0.0.2:\(server.port)/health")
    other.authorityFile = download.authorityFile
    guard case .transfer = failure({ try other.body() }) else {
      Issue.record("a certificate for another name was taken")
      return
    }
    download.authorityFile = server.folder.path + "/nothing"
    #expect(failure { try download.body() } != nil)
  }

  @Test("what is too long, too slow, elsewhere or given up has no body")
  func bounds() throws {
    let web = try KeyServer(.endless)
    var download = try HTTPDownload(address: web.address, permitsPlainLoopback: true)
    download.maximumBytes = 100_000
    #expect(failure { try download.body() } == .tooLong(maximumBytes: 100_000))
    web.say(.body([UInt8](repeating: 65, count: 100_001)))
    #expect(failure { try download.body() } != nil)
    web.say(.body([UInt8](repeating: 65, count: 100_000)))
    #expect(try download.body().count == 100_000)
    for status in [204, 301, 302, 401, 500] {
      web.say(.status(status, header: "Location: http://127.0.0.1:\(web.port)/keys\r\n"))
      #expect(failure { try download.body() } == .status(status))
    }
    web.say(.silence)
    download.totalMilliseconds = 100
    guard case .transfer = failure({ try download.body() }) else {
      Issue.record("silence has an end")
      return
    }
    download.totalMilliseconds = 60_000
    #expect(failure { try download.body { true } } == .cancelled)
  }
}
