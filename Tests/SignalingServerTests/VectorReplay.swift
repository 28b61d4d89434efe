import Foundation
import Logging
import SignalingServer

/// Replays one golden conversation of `protocol/vectors` against a server of its own, over real sockets.
struct VectorReplay {
  private static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("protocol/vectors")

  /// The names of all vectors.
  static let names: [String] =
    // No folder, no names: the test of their number fails then.
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
    .filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()

  private let vector: VectorJSON
  private let port: UInt16
  private var values = VectorValues()
  private var clients: [String: VectorClient] = [:]

  private init(_ vector: VectorJSON, port: UInt16) throws {
    self.vector = vector
    self.port = port
    for (name, actor) in vector["clients"]?.object ?? [:] {
      clients[name] = try VectorClient(name: name, actor: actor, values: &values)
    }
  }

  /// Starts a server, replays, and stops the server. Blocks its thread.
  /// - Throws: ``VectorFailure`` that names the step.
  static func run(_ name: String) throws {
    let vector = try VectorJSON(parsing: try Data(contentsOf: folder.appendingPathComponent("\(name).json")))
    let data = FileManager.default.temporaryDirectory.appendingPathComponent("rollcall-vector-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
    defer {
      // What remains of a test is not worth a second failure.
      try? FileManager.default.removeItem(at: data)
    }
    var configuration = try configuration(vector["server"])
    (configuration.dataFolder, configuration.secret, configuration.loops) = (data.path, VectorValues.secret, 2)
    configuration.port = 0
    if let seconds = vector["server"]?["grace_seconds"]?.number {
      configuration.shard.graceMilliseconds = Int64(seconds * 1000)
    }
    if let seconds = vector["server"]?["attendance_interval_seconds"]?.number {
      configuration.shard.attendanceSummaryMilliseconds = Int64(seconds * 1000)
    }
    if let seconds = vector["server"]?["heartbeat_timeout_seconds"]?.number {
      configuration.shard.heartbeatTimeoutMilliseconds = Int64(seconds * 1000)
    }
    let server = try Server(configuration, logger: Logger(label: "vectors") { _ in SwiftLogNoOpLogHandler() })
    defer { server.stop() }
    var replay = try VectorReplay(vector, port: server.address.port)
    try replay.createSessions()
    for (index, step) in (vector["steps"]?.array ?? []).enumerated() {
      do {
        try replay.carryOut(step)
      } catch {
        throw VectorFailure("step \(index + 1), \(step): \(error)")
      }
    }
  }

  /// What the settings of a vector come to.
  private static func configuration(_ server: VectorJSON?) throws -> ServerConfiguration {
    let options = (server?["options"]?.object ?? [:]).map { "--\($0.key)=\($0.value.string ?? "")" }
    let environment = (server?["environment"]?.object ?? [:]).compactMapValues(\.string)
    let resolved = ResolvedSettings(options: options, environment: environment) { _ in
      .failure(ConfigurationFileFailure(reason: "a vector has no file"))
    }
    guard resolved.problems.isEmpty else { throw VectorFailure("\(resolved.problems)") }
    var configuration = resolved.settings.configured()
    configuration.calls.secret = Array((resolved.settings.turnSecret ?? "").utf8)
    return configuration
  }

  private mutating func createSessions() throws {
    for session in vector["sessions"]?.array ?? [] {
      let request: [String: VectorJSON] = [
        "method": .string("POST"), "path": .string("/api/sessions/"), "as": session["as"] ?? .null,
        "body": session["body"] ?? .null,
      ]
      try exchange(.object(["http": .object(request), "expect": .object(["status": .number(201)])]))
    }
  }

  private mutating func carryOut(_ step: VectorJSON) throws {
    if step["http"] != nil || step["http_raw"] != nil { return try exchange(step) }
    guard let client = step["client"]?.string.flatMap({ clients[$0] }) else { throw VectorFailure("no such client") }
    if step["connect"] != nil {
      try client.connect(step, port: port, values: &values)
    } else if let message = step["send"] {
      try client.send(try values.build(message))
    } else if let text = step["send_text"] {
      try client.send(.text, Array(try values.text(text).utf8))
    } else if let data = step["send_text_base64"]?.string.flatMap({ Data(base64Encoded: $0) }) {
      try client.send(.text, [UInt8](data))
    } else if let data = step["send_binary_base64"]?.string.flatMap({ Data(base64Encoded: $0) }) {
      try client.send(.binary, [UInt8](data))
    } else if let pattern = step["receive"] {
      let skipping = Set(step["skip"]?.array?.compactMap(\.string) ?? [])
      try client.receive(pattern, skipping: skipping, values: &values)
    } else if let users = step["presence"]?.object {
      try client.awaitPresence(users, values: &values)
    } else if step["nothing"] != nil {
      try client.expectNothing(values: &values)
    } else if let code = step["closed"]?["code"]?.integer {
      try client.awaitClose(code: code)
    } else if let how = step["disconnect"]?.string {
      try client.disconnect(how)
    } else {
      throw VectorFailure("not a step")
    }
  }

  private mutating func exchange(_ step: VectorJSON) throws {
    let response: VectorHTTPResponse
    if let raw = step["http_raw"] {
      response = try VectorHTTPResponse(to: Array(try values.text(raw).utf8), port: port)
    } else {
      response = try send(step["http"] ?? .null)
    }
    let expected = step["expect"] ?? .null
    let text = String(decoding: response.body, as: UTF8.self)
    guard response.status == expected["status"]?.integer else {
      throw VectorFailure("answered \(response.status): \(text.prefix(400))")
    }
    for (name, pattern) in expected["headers"]?.object ?? [:] {
      if let reason = values.mismatch(response.headers[name.lowercased()].map(VectorJSON.string), pattern) {
        throw VectorFailure("\(name): \(reason)")
      }
    }
    if let pattern = expected["body"] {
      let body = try VectorJSON(parsing: Data(response.body))
      if let reason = values.mismatch(body, pattern) { throw VectorFailure("\(reason) in \(text.prefix(400))") }
    }
  }

  private func send(_ request: VectorJSON) throws -> VectorHTTPResponse {
    guard let method = request["method"]?.string, let path = request["path"]?.string else {
      throw VectorFailure("a request has a method and a path")
    }
    var headers = try (request["headers"]?.object ?? [:]).mapValues(values.text)
    if let client = request["as"]?.string {
      headers["Authorization"] = "Bearer \(try values.value(of: "\(client).token").string ?? "")"
    }
    var body: [UInt8]?
    if let document = request["body"] { body = [UInt8](try values.build(document).data) }
    if let text = request["body_text"] { body = Array(try values.text(text).utf8) }
    return try VectorHTTPResponse(method, try expand(path), headers: headers, body: body, port: port)
  }

  /// A path with `${name}` replaced by what was captured, percent-encoded.
  private func expand(_ path: String) throws -> String {
    var expanded = ""
    var rest = path[...]
    while let start = rest.firstRange(of: "${"), let end = rest[start.upperBound...].firstIndex(of: "}") {
      let value = try values.value(of: String(rest[start.upperBound..<end])).string ?? ""
      expanded += rest[..<start.lowerBound] + (value.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")
      rest = rest[rest.index(after: end)...]
    }
    return expanded + rest
  }
}
