import EventLoop
import Foundation
import Logging
import TLS
import Testing

@testable import SignalingServer

/// The server behind TLS, over real sockets.
@Suite("A server with TLS")
struct SecureServerTests {
  private func readAll(_ socket: TestSocket) throws -> String {
    var all: [UInt8] = []
    while let bytes = try socket.receiveAsIs() { all += bytes }
    return String(decoding: all, as: UTF8.self)
  }

  private static let health = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n"

  @Test("requests behind each other on one connection are answered in order, however the records are cut")
  func keepAlive() throws {
    let server = try TestServer.secure()
    for piece in [1, 3, 100, Int.max] {
      let socket = try server.connect()
      socket.pieceBytes = piece
      try socket.send(Self.health + Self.health)
      try socket.send("GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
      let all = String(decoding: try socket.receiveAll(), as: UTF8.self)
      #expect(all.components(separatedBy: #"{"status":"ok"}"#).count == 4)
    }
  }

  @Test("the end is said by close_notify, so that nobody can cut an answer short unnoticed")
  func closeNotify() throws {
    let server = try TestServer.secure()
    let tls = try TestTLS(#require(server.trust))
    let socket = try TestSocket(port: server.port)
    try socket.sendAsIs(tls.takeOutput())
    while !tls.isEstablished { _ = try tls.decrypt(try #require(try socket.receiveAsIs())) }
    try socket.sendAsIs(tls.takeOutput())
    try socket.sendAsIs(tls.encrypt(Array("GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".utf8)))
    var hasEnded = false
    while let bytes = try socket.receiveAsIs() { hasEnded = try tls.decrypt(bytes) == nil || hasEnded }
    // What came with the end was the answer; the end itself is told by the next look.
    #expect(try hasEnded || tls.decrypt([]) == nil)
  }

  @Test("who has sent all requests and says so by close_notify gets all answers")
  func clientEnds() throws {
    let server = try TestServer.secure()
    try server.createSession("algebra")
    // Answered by a room of another loop, so that the second waits when the end is there.
    let read = "GET /api/sessions/algebra HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(server.token("u"))\r\n\r\n"
    let socket = try server.connect()
    try socket.send(read + read + Self.health)
    socket.finishSending()
    let all = String(decoding: try socket.receiveAll(), as: UTF8.self)
    #expect(all.components(separatedBy: "HTTP/1.1 200 OK").count >= 2)
  }

  @Test("a big answer and big messages come whole")
  func bigMessages() throws {
    let server = try TestServer.secure()
    let script = try server.get("/sdk/client.js")
    #expect(script.status == 200 && script.body.count > 16_384)
    try server.createSession("algebra")
    try server.startSession("algebra")
    let speaker = try TestClient(server, as: server.token("speaker"))
    let reader = try TestClient(server, as: server.token("reader"))
    let peer = try #require(try reader.join("algebra")["peer"]?.string)
    try speaker.join("algebra")
    let text = String(repeating: "x", count: 50_000)
    try speaker.send(#"{"type":"signal","to":"\#(peer)","kind":"offer","payload":{"sdp":"\#(text)"}}"#)
    #expect(try reader.receive("signal")["payload"]?["sdp"]?.string == text)
  }

  @Test("links and addresses say https and wss")
  func addresses() throws {
    let server = try TestServer.secure()
    #expect(server.url == "https://127.0.0.1:\(server.port)")
    try server.createSession("algebra")
    try server.startSession("algebra")
    let answer = try server.post("/api/sessions/algebra/join/", as: server.token("u")).json
    #expect(answer["url"]?.string == "wss://127.0.0.1:\(server.port)/ws")
    let plain = try TestServer()
    #expect(plain.url == "http://127.0.0.1:\(plain.port)")
  }

  @Test("Strict-Transport-Security is said when asked for, and only over TLS")
  func strictTransportSecurity() throws {
    #expect(try TestServer.secure().get("/health").headers["strict-transport-security"] == nil)
    let server = try TestServer.secure { $0.strictTransportSecurity = "max-age=60" }
    #expect(try server.get("/health").headers["strict-transport-security"] == "max-age=60")
    let refused = try VectorHTTPResponse("GET", "/health", headers: [:], body: nil, port: server.port)
    #expect(refused.status == 400 && refused.headers["strict-transport-security"] == nil)
  }

  @Test("HTTP without TLS is told so, without TLS", arguments: ["GET", "POST", "DELETE", "OPTIONS", "PRI"])
  func plainHTTP(method: String) throws {
    let server = try TestServer.secure()
    let answer = try VectorHTTPResponse(method, "/health", headers: [:], body: nil, port: server.port)
    #expect(answer.status == 400)
    #expect(try answer.json["message"]?.string?.contains("https://") == true)
  }

  @Test("handshakes are counted: in full, resumed, failed, too slow")
  func counts() throws {
    let server = try TestServer.secure { $0.patience.request = 1000 }
    let silent = try TestSocket(port: server.port)
    let first = try server.connect()
    try first.send(Self.health)
    _ = try first.receive()
    _ = try TestSocket(port: server.port, trust: server.trust, resuming: #require(first.tls?.resumption))
    _ = try VectorHTTPResponse("GET", "/health", headers: [:], body: nil, port: server.port)
    #expect(try silent.receive() == nil)
    let metrics = String(decoding: try server.get("/metrics").body, as: UTF8.self)
    for line in [
      #"rollcall_tls_handshakes_total{result="full"} 2"#, #"rollcall_tls_handshakes_total{result="resumed"} 1"#,
      #"rollcall_tls_handshakes_total{result="failed"} 1"#, #"rollcall_limit_reached_total{limit="handshake_time"}"#,
    ] {
      #expect(metrics.contains(line))
    }
    #expect(!metrics.contains(#"limit="handshake_time"} 0"#))
  }

  @Test("what is neither TLS nor HTTP gets an alert at most, and the end")
  func rubbish() throws {
    let server = try TestServer.secure()
    for bytes in [[0x00, 0x01, 0x02, 0x03, 0x04, 0x05], [0x16, 0x03, 0x01, 0x00, 0x02, 0x02, 0x00]] as [[UInt8]] {
      let socket = try TestSocket(port: server.port)
      try socket.sendAsIs(bytes)
      #expect(try readAll(socket).utf8.count < 10)
    }
    #expect(try server.get("/ready").status == 200)
  }

  @Test(
    "a handshake that stalls is cut: with nothing said, with half a hello, with a hello alone, byte by byte",
    arguments: 0..<4)
  func stalled(kind: Int) throws {
    let server = try TestServer.secure { $0.patience.request = 1000 }
    let honest = try TestClient(server, as: server.token("u"))
    let socket = try TestSocket(port: server.port)
    let hello = try TestTLS(#require(server.trust)).takeOutput()
    switch kind {
    case 1: try socket.sendAsIs(Array(hello.prefix(hello.count / 2)))
    case 2: try socket.sendAsIs(hello)
    case 3:
      for byte in hello.prefix(5) {
        try socket.sendAsIs([byte])
        _ = socket.isReady(for: Int32(POLLIN), within: 10)
      }
    default: break
    }
    while try socket.receiveAsIs() != nil {}
    #expect(try honest.ask(#"{"type":"ping","id":1}"#, id: 1)["type"]?.string == "pong")
  }

  @Test("a session is resumed, on whichever loop the connection comes in")
  func resumption() throws {
    let server = try TestServer.secure(loops: 4)
    let first = try server.connect()
    try first.send(Self.health)
    _ = try first.receive()
    let resumption = try #require(first.tls?.resumption)
    for _ in 0..<8 {
      let again = try TestSocket(port: server.port, trust: server.trust, resuming: resumption)
      #expect(again.tls?.isResumed == true)
      try again.send(Self.health)
      #expect(try again.receive() != nil)
    }
  }

  @Test("a new certificate is for new connections; who is in the class stays in it, and a broken file changes nothing")
  func reload() throws {
    let files = try TemporaryFolder()
    let (certificate, key) = (files.path + "/a.crt", files.path + "/a.key")
    func put(_ made: SelfSignedCertificate) throws {
      try Data(made.certificate).write(to: URL(fileURLWithPath: certificate))
      try Data(made.privateKey).write(to: URL(fileURLWithPath: key))
    }
    func trust(_ made: SelfSignedCertificate) throws -> TLSClientContext {
      try TLSClientContext(trust: .certificates(pem: made.certificate))
    }
    let old = try SelfSignedCertificate(hosts: ["127.0.0.1"], validFromUnixSeconds: 0, to: 4_000_000_000)
    let new = try SelfSignedCertificate(hosts: ["127.0.0.1"], validFromUnixSeconds: 0, to: 4_000_000_000)
    try put(old)
    let server = try TestServer { $0.tls = .files(certificate: certificate, key: key) }
    let socket = try TestSocket(port: server.port, trust: trust(old))
    try socket.send(Self.health)
    #expect(try socket.receive() != nil)
    #expect(throws: VectorFailure.self) { try TestSocket(port: server.port, trust: trust(new)) }

    try put(new)
    #expect(server.reloadCertificate())
    _ = try TestSocket(port: server.port, trust: trust(new))
    #expect(throws: VectorFailure.self) { try TestSocket(port: server.port, trust: trust(old)) }
    try socket.send(Self.health)
    #expect(try socket.receive() != nil)

    try Data("no certificate".utf8).write(to: URL(fileURLWithPath: certificate))
    #expect(!server.reloadCertificate())
    try Data(old.certificate).write(to: URL(fileURLWithPath: certificate))
    #expect(!server.reloadCertificate(), "it does not match the key")
    _ = try TestSocket(port: server.port, trust: trust(new))
  }

  @Test("certificates change while people talk, and nobody is dropped")
  func reloadWhileTalking() throws {
    let server = try TestServer.secure()
    let sessions = [0, 1].map { server.sessionID(onLoop: $0) }
    let clients = try sessions.flatMap { session in
      try server.createSession(session)
      try server.startSession(session)
      return try (0..<3).map { number in
        let client = try TestClient(server, as: server.token("u\(number)"))
        try client.join(session)
        return client
      }
    }
    for round in 1...20 {
      for client in clients { try client.send(#"{"type":"chat.send","id":\#(round + 1),"text":"\#(round)"}"#) }
      #expect(server.reloadCertificate())
      _ = try server.get("/health")
      for client in clients { #expect(try client.answer(to: round + 1)["type"]?.string == "ok") }
    }
  }

  @Test("a server that ends says good-bye over TLS, and closes")
  func drain() throws {
    let server = try TestServer.secure()
    let client = try TestClient(server, as: server.token("u"))
    let silent = try TestSocket(port: server.port)
    try server.stop {
      try client.receive("server.draining")
      #expect(try client.awaitClose() == 1012)
      try client.sendClose()
      #expect(try client.awaitEnd())
      #expect(try silent.receive() == nil)
    }
  }
}

@Suite("The files of a certificate")
struct TLSFilesTests {
  private let folder: TemporaryFolder
  private let now: Int64 = 1_800_000_000

  init() throws { folder = try TemporaryFolder() }

  private func selfSigned(host: String = "0.0.0.0") -> TLSFiles {
    TLSFiles(source: .selfSigned, dataFolder: folder.path, host: host)
  }

  private func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/\(name)")))
  }

  @Test("a certificate of our own is the owner's alone, and stays the same as long as it is good")
  func kept() throws {
    #expect(try selfSigned().load(atUnixSeconds: now).isValidNow)
    #expect(folder.names == ["self-signed.crt", "self-signed.key"])
    for name in folder.names {
      let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder.path)/\(name)")
      #expect(attributes[.posixPermissions] as? Int == 0o600)
    }
    let first = try bytes("self-signed.crt")
    _ = try selfSigned().load(atUnixSeconds: now + 300 * 86_400)
    #expect(try bytes("self-signed.crt") == first)
  }

  @Test(
    "it is made anew before it expires, for a host that it is not for, and when either file is broken or of another")
  func remade() throws {
    _ = try selfSigned().load(atUnixSeconds: now)
    var last = try bytes("self-signed.crt")
    func expectNew(_ files: TLSFiles, at time: Int64, _ what: String) throws {
      #expect(try files.load(atUnixSeconds: time).isValidNow)
      let next = try bytes("self-signed.crt")
      #expect(next != last, "\(what)")
      last = next
    }
    try expectNew(selfSigned(), at: now + 365 * 86_400, "expired")
    try expectNew(selfSigned(), at: now, "not valid yet")
    try expectNew(selfSigned(host: "school.example"), at: now, "another host")
    try Data().write(to: URL(fileURLWithPath: folder.path + "/self-signed.key"))
    try expectNew(selfSigned(), at: now, "no key")
    let other = try SelfSignedCertificate(hosts: ["a"], validFromUnixSeconds: now, to: now + 1)
    try Data(other.privateKey).write(to: URL(fileURLWithPath: folder.path + "/self-signed.key"))
    try expectNew(selfSigned(), at: now, "another key")
    try Data("-----BEGIN CERTIFICATE-----\nAAAA".utf8).write(to: URL(fileURLWithPath: folder.path + "/self-signed.crt"))
    try expectNew(selfSigned(), at: now, "broken")
  }

  @Test("it is for the host, for localhost and for the addresses of the machine")
  func names() throws {
    _ = try selfSigned(host: "school.example").load(atUnixSeconds: now)
    let certificate = try TLSCertificate(pem: bytes("self-signed.crt"))
    let hosts = ["school.example", "localhost", "127.0.0.1", "::1"] + HostNames.ownAddresses().map(\.host)
    let uncovered = hosts.filter { !certificate.covers($0) }
    #expect(uncovered == [])
  }

  @Test("what is wrong with a file is said with its name")
  func failures() throws {
    let made = try SelfSignedCertificate(hosts: ["a"], validFromUnixSeconds: now, to: now + 100)
    let other = try SelfSignedCertificate(hosts: ["a"], validFromUnixSeconds: now, to: now + 100)
    func file(_ name: String, _ bytes: [UInt8]) throws -> String {
      let path = "\(folder.path)/\(name)"
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      return path
    }
    let certificate = try file("a.crt", made.certificate)
    let key = try file("a.key", made.privateKey)
    let otherKey = try file("b.key", other.privateKey)
    let encrypted = try file(
      "c.key", Array("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n".utf8))
    let long = try file("long.crt", [UInt8](repeating: 0x0A, count: TLSFiles.maximumBytes + 1))
    func message(_ certificate: String, _ key: String) -> String {
      let files = TLSFiles(source: .files(certificate: certificate, key: key), dataFolder: folder.path, host: "a")
      let error = #expect(throws: TLSFileError.self) { try files.load(atUnixSeconds: now) }
      return error.map { "\($0)" } ?? ""
    }
    #expect(message(folder.path + "/none", key).contains("none cannot be read: No such file"))
    #expect(message(certificate, folder.path + "/none").contains("none cannot be read: No such file"))
    #expect(message(folder.path, key).contains("cannot be read: Is a directory"))
    #expect(message(long, key).contains("too long"))
    #expect(message(key, key).contains("a.key holds no certificate"))
    #expect(message(certificate, certificate).contains("a.crt holds no private key"))
    #expect(message(certificate, otherKey).contains("is not that of the certificate"))
    #expect(message(certificate, encrypted).contains("c.key"))
    let files = TLSFiles(source: .files(certificate: certificate, key: key), dataFolder: folder.path, host: "a")
    #expect(try files.load(atUnixSeconds: now).isValidNow)
    #expect(try !files.load(atUnixSeconds: now + 101).isValidNow)
    let nowhere = TLSFiles(source: .selfSigned, dataFolder: folder.path + "/none", host: "a")
    #expect(throws: TLSFileError.self) { try nowhere.load(atUnixSeconds: now) }
  }

  @Test("a server without a usable certificate does not start, and says why")
  func start() throws {
    var configuration = ServerConfiguration(dataFolder: folder.path, secret: TestServer.secret, loops: 1)
    configuration.port = 0
    configuration.tls = .files(certificate: "none.crt", key: "none.key")
    let error = #expect(throws: StartFailure.self) { try Server(configuration, logger: TestServer.silence) }
    #expect(error.map { "\($0)" } == "there is no TLS: the file none.crt cannot be read: No such file or directory")
  }
}
