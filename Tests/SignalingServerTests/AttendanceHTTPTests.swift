import Foundation
import Testing

@testable import Classroom
@testable import SignalingServer

@Suite("Attendance over HTTP")
struct AttendanceHTTPTests {
  private static let routes: [(method: String, path: String)] = [
    ("GET", "attendance/"), ("GET", "attendance.csv"), ("GET", "attendance/ada/"), ("POST", "join_live/"),
    ("POST", "leave/"), ("POST", "leave_live/"), ("POST", "heartbeat/"), ("GET", "check_in_code/"),
    ("POST", "check_in/"), ("POST", "participants/ada/check_in/"), ("POST", "participants/ada/check_out/"),
  ]

  private func ask(
    _ method: String, _ path: String, _ server: TestServer, as token: String?
  ) throws -> VectorHTTPResponse {
    method == "GET" ? try server.get(path, as: token) : try server.post(path, as: token)
  }

  @Test(
    "hidden and unknown sessions look alike on every route, and nobody does anything without a token",
    arguments: Self.routes)
  func hidden(method: String, path: String) throws {
    let server = try TestServer()
    try server.createSession("secret", fields: ["visibility": .string("members"), "admission": .string("registered")])
    try server.startSession("secret")
    let stranger = server.token("eve")
    let hidden = try ask(method, "/api/sessions/secret/\(path)", server, as: stranger)
    let unknown = try ask(method, "/api/sessions/nothing/\(path)", server, as: stranger)
    #expect(hidden.status == 404 && unknown.status == 404)
    #expect(hidden.body == unknown.body)
    let foreign = server.token("eve", role: .host, session: "other")
    #expect(try ask(method, "/api/sessions/secret/\(path)", server, as: foreign).body == unknown.body)
    #expect(try ask(method, "/api/sessions/secret/\(path)", server, as: nil).status == 401)
  }

  @Test("what is for hosts is refused to everybody else")
  func roles() throws {
    let server = try TestServer()
    try server.createSession("algebra")
    try server.startSession("algebra")
    let (ada, host) = (server.token("ada"), server.token("teacher", role: .host))
    for (method, path) in [
      ("GET", "check_in_code/"), ("GET", "attendance/bo/"), ("POST", "participants/bo/check_in/"),
      ("POST", "participants/bo/check_out/"),
    ] {
      #expect(try ask(method, "/api/sessions/algebra/\(path)", server, as: ada).status == 403, "\(path)")
      #expect(try ask(method, "/api/sessions/algebra/\(path)", server, as: host).status == 200, "\(path)")
    }
    #expect(try server.get("/api/sessions/algebra/heartbeat/", as: ada).status == 405)
    #expect(try server.post("/api/sessions/algebra/attendance/", as: ada).status == 405)
  }

  @Test("the report is the same after the server was started anew, and signed by the same key")
  func restart() throws {
    let folder = try TemporaryFolder()
    var reports: [VectorJSON] = []
    for round in 0..<2 {
      let server = try TestServer(folder: folder)
      let host = server.token("teacher", role: .host)
      if round == 0 {
        try server.createSession("algebra")
        try server.startSession("algebra")
        for user in ["ada", "bo"] {
          #expect(try server.post("/api/sessions/algebra/join_live/", as: server.token(user)).status == 200)
        }
        #expect(try server.post("/api/sessions/algebra/participants/dan/check_in/", as: host).status == 200)
        #expect(try server.post("/api/sessions/algebra/end/", as: host).status == 200)
      }
      let answer = try server.get("/api/sessions/algebra/attendance/", as: host)
      let keys = ReportPublicKey.read(
        Array(try server.get("/.well-known/rollcall-report-keys.json").body))
      guard case .valid = SignedReport.verify(Array(answer.body), keys: keys) else {
        Issue.record("round \(round): not valid")
        return
      }
      reports.append(try answer.json)
      server.stop()
    }
    for name in ["participants", "totals", "series", "live_spans"] {
      #expect(reports[0][name] != nil && reports[0][name] == reports[1][name], "\(name)")
    }
    #expect(reports[0]["signature"]?["key_id"] == reports[1]["signature"]?["key_id"])
  }
}
