import EventLoop
import Foundation
import TLS
import Testing

@testable import Diagnosis
@testable import Persistence
@testable import SignalingServer

@Suite("rollcall doctor")
struct DoctorTests {
  /// A place for what a set-up needs, which goes with the test.
  private final class Place {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("rollcall-doctor-\(UUID().uuidString)")
      .path

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The path of a file with these bytes that only its owner may read.
    func file(_ name: String, _ bytes: some Sequence<UInt8>, mode: Int = 0o600) throws -> String {
      let file = "\(path)/\(name)"
      try Data(bytes).write(to: URL(fileURLWithPath: file))
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
      return file
    }

    /// The path of a folder for data that nobody has used.
    func folder() throws -> String {
      let folder = "\(path)/data"
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      return folder
    }

    /// A certificate for these names, and its key, as files.
    func certificate(_ hosts: [String], days: ClosedRange<Int64> = -1...90) throws -> (certificate: String, key: String)
    {
      let now = Int64(Date().timeIntervalSince1970)
      let made = try SelfSignedCertificate(
        hosts: hosts, validFromUnixSeconds: now + days.lowerBound * 86_400, to: now + days.upperBound * 86_400)
      let name = UUID().uuidString
      return (try file("\(name).crt", made.certificate), try file("\(name).key", made.privateKey))
    }
  }

  private static let secret = "f4Hq9ZpX2vL7sKd0wTnB8yRcE5mJgU3a"

  /// What is found for a server with these options; the port is free unless another is named.
  private func examine(
    _ options: [String] = [], environment: [String: String] = ["ROLLCALL_SECRET": DoctorTests.secret],
    url: String? = nil,
    data: String? = nil
  ) throws -> [Finding] {
    let place = try Place()
    let folder = try data ?? place.folder()
    var words = ["--data", folder] + options
    if !options.contains("--port") { words += ["--port", "0"] }
    let resolved = ResolvedSettings(options: words, environment: environment) { _ in
      .failure(ConfigurationFileFailure(reason: "no file"))
    }
    #expect(resolved.problems.isEmpty, "\(resolved.problems)")
    var findings: [Finding] = []
    Examination(resolved, url: url, patienceMilliseconds: 300).run { findings.append($0) }
    for finding in findings where finding.level != .ok { #expect(finding.advice?.isEmpty == false, "\(finding)") }
    return findings
  }

  private func expect(
    _ findings: [Finding], _ level: Finding.Level, _ subject: String, _ text: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let isThere = findings.contains { $0.level == level && $0.subject == subject && $0.text.contains(text) }
    #expect(isThere, "\(findings.filter { $0.subject == subject })", sourceLocation: sourceLocation)
  }

  @Test("a good set-up has no problem")
  func good() throws {
    let findings = try examine()
    #expect(!findings.contains { $0.level == .problem }, "\(findings)")
    expect(findings, .ok, "port", "the system chooses a port")
    expect(findings, .ok, "secret", "looks random")
    expect(findings, .ok, "data folder", "is empty")
    expect(findings, .ok, "disk", "a sync takes")
  }

  @Test("nothing is left behind in the data folder")
  func leavesNothing() throws {
    let folder = try Place().folder()
    let place = try Place()
    let data = try place.folder()
    _ = try examine(data: data)
    #expect(try FileManager.default.contentsOfDirectory(atPath: data).isEmpty)
    _ = folder
  }

  // MARK: Ports

  @Test("a port that is taken is a problem; an address of another machine is, too")
  func ports() throws {
    let taken = try Listener.open(host: "127.0.0.1", port: 0, count: 1)
    let port = try #require(taken.first?.address.port)
    expect(try examine(["--port", "\(port)"]), .problem, "port", "is in use by another program")
    expect(try examine(["--host", "192.0.2.1"]), .problem, "port", "is not an address of this machine")
    expect(try examine(["--host", "no.such.host.invalid"]), .problem, "port", "cannot resolve")
    expect(try examine(["--metrics-port", "\(port)"]), .problem, "metrics port", "is in use by another program")
    _ = taken.count
  }

  @Test("figures for everybody are a warning, and so is http for other machines")
  func openPlaces() throws {
    expect(
      try examine(["--metrics-port", "0", "--metrics-host", "0.0.0.0"]), .warning, "metrics port", "without a token")
    expect(try examine(["--host", "0.0.0.0"]), .warning, "https", "camera and microphone")
  }

  // MARK: The data folder

  @Test("a server that runs on the folder is seen, and its port is no problem")
  func inUse() throws {
    let place = try Place()
    let data = try place.folder()
    let folder = try DataFolder(path: data)
    let taken = try Listener.open(host: "127.0.0.1", port: 0, count: 1)
    let port = try #require(taken.first?.address.port)
    let findings = try examine(["--port", "\(port)"], data: data)
    expect(findings, .ok, "data folder", "a server uses")
    expect(findings, .ok, "port", "by the server that uses the data folder")
    _ = (folder.path, taken.count)
  }

  @Test("a folder that cannot be, is a file, is of a newer build, or lacks its format is a problem")
  func folders() throws {
    let place = try Place()
    expect(try examine(data: "\(place.path)/no/such/folder"), .problem, "data folder", "does not exist, nor does")
    expect(try examine(data: "\(place.path)/new"), .ok, "data folder", "will be made")
    expect(try examine(data: try place.file("file", [])), .problem, "data folder", "is not a folder")
    let data = try place.folder()
    _ = try place.file("data/format", Array("rollcall-data 999\n".utf8))
    expect(try examine(data: data), .problem, "data folder", "has format 999")
    _ = try place.file("data/format", Array("something else\n".utf8))
    expect(try examine(data: data), .problem, "data folder", "missing or damaged")
  }

  @Test("a folder into which others may look is a warning")
  func openFolder() throws {
    let place = try Place()
    let data = try place.folder()
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: data)
    expect(try examine(data: data), .warning, "data folder", "others on this machine may look into")
  }

  // MARK: TLS

  @Test("a certificate that fits is good but for being its own issuer; one of another key is a problem")
  func certificates() throws {
    let place = try Place()
    let (first, second) = (try place.certificate(["school.example"]), try place.certificate(["school.example"]))
    let good = try examine(["--tls-cert", first.certificate, "--tls-key", first.key])
    expect(good, .ok, "certificate", "days: school.example")
    expect(good, .warning, "certificate", "signed by nobody but itself")
    let bad = try examine(["--tls-cert", first.certificate, "--tls-key", second.key])
    expect(bad, .problem, "certificate", "is not that of the certificate")
    let missing = try examine(["--tls-cert", "\(place.path)/none", "--tls-key", first.key])
    expect(missing, .problem, "certificate", "cannot be read")
  }

  @Test(
    "when a certificate holds is told",
    arguments: [
      (-10...(-2), Finding.Level.problem, "it ended 2 days ago"), (2...9, .problem, "it does not hold yet"),
      (-1...5, .warning, "it ends in"),
    ])
  func times(_ days: ClosedRange<Int64>, _ level: Finding.Level, _ text: String) throws {
    let place = try Place()
    let pair = try place.certificate(["school.example"], days: days)
    expect(try examine(["--tls-cert", pair.certificate, "--tls-key", pair.key]), level, "certificate", text)
  }

  @Test("a certificate for another name than people type is a problem; one that others may read the key of, a warning")
  func names() throws {
    let place = try Place()
    let pair = try place.certificate(["school.example", "192.0.2.7"])
    let options = ["--tls-cert", pair.certificate, "--tls-key", pair.key]
    let other = try examine(options, url: "https://other.invalid")
    expect(other, .problem, "certificate", "it is not for other.invalid, but for school.example, 192.0.2.7")
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: pair.key)
    expect(try examine(options), .warning, "certificate", "others on this machine may read the key")
  }

  // MARK: Secrets

  @Test(
    "a secret that could be guessed is told",
    arguments: [
      ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", Finding.Level.warning, "about 0 bits"),
      ("abcdefghijklmnopqrstuvwxyzabcdefghijklmn", .warning, "could be guessed"),
      ("changemechangemechangemechangeme", .warning, "could be guessed"), ("short", .problem, "less than 32 bytes"),
    ])
  func weakSecrets(_ secret: String, _ level: Finding.Level, _ text: String) throws {
    expect(try examine(environment: ["ROLLCALL_SECRET": secret]), level, "secret", text)
  }

  @Test("random secrets in the usual writings look random")
  func strongSecrets() throws {
    for _ in 0..<50 {
      let bytes = (0..<32).map { _ in UInt8.random(in: 0...255) }
      #expect(SecretStrength.bits(bytes) >= SecretStrength.sufficientBits)
      let text = Data(bytes).base64EncodedString()
      #expect(SecretStrength.bits(Array(text.utf8)) >= SecretStrength.sufficientBits)
      let digits = bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
      #expect(SecretStrength.bits(Array(digits.utf8)) >= SecretStrength.sufficientBits)
    }
  }

  @Test("a secret's file that is missing or short is a problem, one that others may read a warning")
  func secretFiles() throws {
    let place = try Place()
    let missing = try examine(["--secret-file", "\(place.path)/none"], environment: [:])
    expect(missing, .problem, "secret", "cannot be read")
    let short = try place.file("short", Array("tiny\n".utf8))
    expect(try examine(["--secret-file", short], environment: [:]), .problem, "secret", "less than 32 bytes")
    let open = try place.file("open", Array(Self.secret.utf8), mode: 0o644)
    expect(
      try examine(["--secret-file", open], environment: [:]), .warning, "secret", "others on this machine may read")
    expect(try examine(environment: [:]), .ok, "secret", "will be made")
  }

  // MARK: Proxies and limits

  @Test("who trusts everybody is told so")
  func proxies() throws {
    expect(try examine(["--trusted-proxy", "0.0.0.0/0"]), .problem, "proxy", "trusts everybody")
    expect(try examine(["--trusted-proxy", "10.0.0.0/8"]), .ok, "proxy", "10.0.0.0/8")
    expect(try examine(), .warning, "proxy", "would count as the proxy")
  }

  @Test("more connections than files is a problem")
  func descriptors() throws {
    expect(try examine(["--connections", "9000000"]), .problem, "open files", "too few for 9000000 connections")
  }

  // MARK: TURN

  private func examineCalls(_ server: TURNServer, secret: String) throws -> [Finding] {
    let environment = ["ROLLCALL_SECRET": Self.secret, "ROLLCALL_TURN_SECRET": secret]
    return try examine(
      ["--turn-url", "turn:127.0.0.1:\(server.port)", "--stun-url", "stun:127.0.0.1:\(server.port)"],
      environment: environment)
  }

  private static let turnSecret = "K1x8QbYt6ZsW0vRj4LpDn3Hc9UfGm7Ea"

  @Test("a TURN server that takes our credentials is good")
  func turn() throws {
    let server = try TURNServer(secret: Self.turnSecret)
    defer { server.stop() }
    let findings = try examineCalls(server, secret: Self.turnSecret)
    expect(findings, .ok, "calls", "takes our credentials")
    expect(findings, .ok, "calls", "relays from 203.0.113.7")
    expect(findings, .ok, "calls", "it sees us as 127.0.0.1")
  }

  @Test("one with another secret refuses them, which is a problem")
  func otherSecret() throws {
    let server = try TURNServer(secret: "another")
    defer { server.stop() }
    expect(
      try examineCalls(server, secret: Self.turnSecret), .problem, "calls", "refuses our credentials: 401 Unauthorized")
  }

  @Test("one that relays from an address of its own network is a warning")
  func privateRelay() throws {
    let server = try TURNServer(secret: Self.turnSecret, relayed: [10, 1, 2, 3])
    defer { server.stop() }
    expect(try examineCalls(server, secret: Self.turnSecret), .warning, "calls", "10.1.2.3, which only its own network")
  }

  @Test("one that does not answer, or is not there, is a problem")
  func silent() throws {
    let server = try TURNServer(secret: Self.turnSecret, answers: false)
    expect(try examineCalls(server, secret: Self.turnSecret), .problem, "calls", "does not answer")
    server.stop()
    expect(try examineCalls(server, secret: Self.turnSecret), .problem, "calls", "cannot be reached")
  }

  @Test("the secret of tokens given to the TURN server is a problem")
  func sharedSecret() throws {
    let server = try TURNServer(secret: Self.secret)
    defer { server.stop() }
    expect(try examineCalls(server, secret: Self.secret), .problem, "secret", "the same secret")
  }

  @Test("no TURN server is a warning")
  func noTurn() throws { expect(try examine(), .warning, "calls", "there is no TURN server") }
}
