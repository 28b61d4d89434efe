import EventLoop
import Foundation
import Logging
import TLS

@testable import Classroom
@testable import SignalingServer
@testable import Tokens

/// A folder that goes with its owner.
final class TemporaryFolder {
  let path = FileManager.default.temporaryDirectory.appendingPathComponent("rollcall-\(UUID().uuidString)").path

  init() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  /// A copy of another folder, as the file system shows it now.
  init(copying other: String) throws {
    try FileManager.default.copyItem(atPath: other, toPath: path)
  }

  deinit {
    // What remains of a test is not worth a second failure.
    try? FileManager.default.removeItem(atPath: path)
  }

  /// The certificate that a server has made in it.
  var certificate: [UInt8] {
    get throws { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path + "/self-signed.crt"))) }
  }

  /// The names of the files in it, sorted.
  var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? [] }
}

/// A server of a test's own, on a port that the system chose, that ends with its owner.
final class TestServer {
  static let secret = Array("the secret of the tests, 32 bytes and more".utf8)

  let folder: TemporaryFolder
  let loops: Int
  let port: UInt16
  /// Where the figures are, if that is a port of its own.
  let metricsPort: UInt16?
  let clock: ServerClock
  /// Whom its clients trust; nil when it speaks without TLS.
  let trust: TLSClientContext?
  private let authority: TokenAuthority
  private let manualClock: ManualClock?
  /// Let go when it has stopped, and with it the lock of the folder and the port.
  private var server: Server?

  init(
    loops: Int = 2, folder: TemporaryFolder? = nil, faults: DiskFaults? = nil,
    _ configure: (inout ServerConfiguration) -> Void = { _ in }
  ) throws {
    let folder = try folder ?? TemporaryFolder()
    var configuration = ServerConfiguration(dataFolder: folder.path, secret: Self.secret, loops: loops)
    configuration.port = 0
    // Clients that vanish are lingered for; no test waits for that.
    configuration.patience.linger = 200
    configure(&configuration)
    let server =
      if let faults {
        try Server(configuration, logger: Self.silence) { FailingStorage(base: $0, faults: faults) }
      } else {
        try Server(configuration, logger: Self.silence)
      }
    (self.server, self.folder, self.loops) = (server, folder, loops)
    manualClock = configuration.manualClock
    (port, clock, authority) = (server.address.port, server.clock, server.authority)
    trust =
      try configuration.tls == .selfSigned ? TLSClientContext(trust: .certificates(pem: folder.certificate)) : nil
    metricsPort = server.metricsAddress?.port
  }

  deinit { stop() }

  /// Like the other, with TLS.
  static func secure(loops: Int = 2, _ configure: (inout ServerConfiguration) -> Void = { _ in }) throws -> TestServer {
    try TestServer(loops: loops) {
      $0.tls = .selfSigned
      configure(&$0)
    }
  }

  static let silence = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }

  /// Changes what can be changed while it runs.
  func reconfigure(_ configuration: ServerConfiguration) { server?.reconfigure(configuration) }

  func stop() {
    // The end has its own times.
    manualClock?.letGo()
    server?.stop()
    server = nil
  }

  /// Reads the certificate anew.
  func reloadCertificate() -> Bool { server?.reloadCertificate() ?? false }

  /// The address for people.
  var url: String { server?.url ?? "" }

  /// A new connection.
  func connect(receiveBytes: Int32? = nil) throws -> TestSocket {
    try TestSocket(port: port, receiveBytes: receiveBytes, trust: trust)
  }

  /// Stops while the body goes on.
  func stop(during body: () throws -> Void) throws {
    guard let server else { return }
    let thread = try spawnThread(name: "stop") { server.stop() }
    defer {
      thread.join()
      self.server = nil
    }
    try body()
  }

  // MARK: Identities

  /// The time by the server's clock.
  var time: Timestamp { manualClock.map { clock.timestamp(atMonotonic: $0.milliseconds) } ?? clock.now }

  /// A token for somebody, valid for an hour, or for so many seconds and up to one more.
  func token(_ user: String, role: Role = .participant, session: String? = nil, seconds: Int64 = 3600) -> String {
    let now = time
    let identity = Identity(
      user: user, name: user.capitalized, role: role, session: session, isGuest: false,
      expiresAt: now.advanced(byMilliseconds: seconds * 1000 + 999))
    return authority.issue(identity, at: now)
  }

  // MARK: Sessions

  /// Makes a session that belongs to `teacher` and that any user may enter.
  func createSession(_ id: String, fields: [String: VectorJSON] = [:]) throws {
    var body: [String: VectorJSON] = ["id": .string(id), "title": .string("Algebra"), "admission": .string("open")]
    body.merge(fields) { $1 }
    let response = try post("/api/sessions/", as: token("teacher", role: .host), body: .object(body))
    guard response.status == 201 else { throw VectorFailure("\(id) was not made: \(response.status)") }
  }

  func startSession(_ id: String) throws {
    let response = try post("/api/sessions/\(id)/start/", as: token("teacher", role: .host))
    guard response.status == 200 else { throw VectorFailure("\(id) was not started: \(response.status)") }
  }

  /// An id of a session whose room lives on this loop.
  func sessionID(onLoop loop: Int, prefix: String = "room") -> String {
    var number = 0
    while RoomPlacement.loop(of: "\(prefix)-\(number)", count: loops) != loop { number += 1 }
    return "\(prefix)-\(number)"
  }

  // MARK: HTTP

  func get(_ path: String, as token: String? = nil, headers: [String: String] = [:]) throws -> VectorHTTPResponse {
    try exchange("GET", path, headers: Self.headers(headers, token), body: nil)
  }

  func post(_ path: String, as token: String? = nil, body: VectorJSON? = nil) throws -> VectorHTTPResponse {
    let bytes = try body.map { [UInt8](try $0.data) }
    return try exchange("POST", path, headers: Self.headers([:], token), body: bytes)
  }

  private func exchange(
    _ method: String, _ path: String, headers: [String: String], body: [UInt8]?
  ) throws -> VectorHTTPResponse {
    let socket = try connect()
    try socket.send(VectorHTTPResponse.request(method, path, headers: headers, body: body, port: port))
    return try VectorHTTPResponse(isHead: method == "HEAD") { try socket.receive() }
  }

  private static func headers(_ headers: [String: String], _ token: String?) -> [String: String] {
    guard let token else { return headers }
    return headers.merging(["Authorization": "Bearer \(token)"]) { $1 }
  }
}

extension VectorHTTPResponse {
  /// The body as JSON.
  var json: VectorJSON {
    get throws { try VectorJSON(parsing: Data(body)) }
  }
}
