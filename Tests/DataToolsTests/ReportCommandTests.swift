import Foundation
import Testing

/// The commands about attendance reports as a school uses them, with the built program.
@Suite("The commands for attendance reports", .serialized)
struct ReportCommandTests {
  private let folder: TemporaryFolder
  private let data: String
  private let secret: String

  init() throws {
    folder = try TemporaryFolder()
    data = folder.path + "/data"
    secret = try folder.secretFile()
  }

  private func token(_ user: String, role: String = "participant") throws -> String {
    let run = try Program.run("token", "--secret-file", secret, "--sub", user, "--role", role)
    try #require(run.code == 0, "\(run.complaint)")
    return String(run.output.dropLast())
  }

  private func write(_ text: String, _ name: String) throws -> String {
    let path = "\(folder.path)/\(name)"
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    return path
  }

  /// A class that two people came to, over HTTP; its report, and the certificate of one of them.
  private func hold() throws -> (report: String, certificate: String, keys: String) {
    let server = try RunningServer(data: data, secret: secret)
    defer { server.stop() }
    let (host, ada, bo) = (try token("emmy", role: "host"), try token("ada"), try token("bo"))
    let body = #"{"id": "algebra", "title": "Algebra", "admission": "open"}"#
    try #require(try server.request("POST", "/api/sessions/", token: host, body: body).status == 201)
    let path = "/api/sessions/algebra"
    try #require(try server.request("POST", "\(path)/start/", token: host).status == 200)
    for token in [ada, bo] { #expect(try server.request("POST", "\(path)/join_live/", token: token).status == 200) }
    #expect(try server.request("POST", "\(path)/leave_live/", token: bo).status == 200)
    try #require(try server.request("POST", "\(path)/end/", token: host).status == 200)
    let report = try server.request("GET", "\(path)/attendance/", token: host)
    let certificate = try server.request("GET", "\(path)/attendance/", token: ada)
    let keys = try server.request("GET", "/.well-known/rollcall-report-keys.json", token: ada)
    #expect(report.status == 200 && certificate.status == 200 && keys.status == 200)
    return (report.body, certificate.body, keys.body)
  }

  @Test("a report is valid by the school's key in each of its forms, and by no other")
  func verify() throws {
    let (report, certificate, keys) = try hold()
    let set = try write(keys, "keys.json")
    let pem = try Program.run("report-key", "--data", data)
    #expect(pem.code == 0 && pem.output.hasPrefix("-----BEGIN PUBLIC KEY-----\n"))
    let key = try write(pem.output, "key.pem")
    #expect(try Program.run("report-key", "--data", data, "--jwks").output == keys + "\n")
    for document in [try write(report, "report.json"), try write(certificate, "certificate.json")] {
      for path in [set, key, "\(data)/report-key.pem"] {
        let run = try Program.run("verify-report", document, "--key", path)
        #expect(run.code == 0 && run.output.hasPrefix("valid: "), "\(run.output)\(run.complaint)")
        #expect(run.output.contains("\"algebra\" (completed)"))
      }
      let unvouched = try Program.run("verify-report", document)
      #expect(unvouched.code == 3 && unvouched.output.hasPrefix("intact: "))
      let other = try write(
        #"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#, "other.json")
      let foreign = try Program.run("verify-report", document, "--key", other)
      #expect(foreign.code == 1 && foreign.output.hasPrefix("not valid: "))
      #expect(try Program.run("verify-report", document, "--key", other, "--key", set).code == 0)
    }
    let changed = try write(report.replacingOccurrences(of: "\"bo\"", with: "\"bob\""), "changed.json")
    let run = try Program.run("verify-report", changed, "--key", set)
    #expect(run.code == 1 && run.output.contains("changed after it was signed"))
    #expect(try Program.run("verify-report", folder.path + "/none", "--key", set).code == 1)
    #expect(try Program.run("verify-report", changed, "--key", changed).complaint.contains("holds no Ed25519 key"))
    #expect(try Program.run("verify-report").code == 2)
  }

  @Test("a report is made from the data folder as the server makes it, and can be checked")
  func report() throws {
    let (report, _, _) = try hold()
    let made = try Program.run("report", "algebra", "--data", data)
    #expect(made.code == 0, "\(made.complaint)")
    func people(_ text: String) throws -> NSArray? {
      (try JSONSerialization.jsonObject(with: Data(text.utf8)) as? NSDictionary)?["participants"] as? NSArray
    }
    #expect(try people(made.output) == people(report))
    let document = try write(made.output, "made.json")
    #expect(try Program.run("verify-report", document, "--key", "\(data)/report-key.pem").code == 0)
    let csv = try Program.run("report", "algebra", "--data", data, "--csv")
    #expect(csv.output.split(whereSeparator: \.isNewline).count == 4 && csv.output.hasPrefix("user,name,email,role,"))
    let one = try Program.run("report", "algebra", "--data", data, "--user", "ada", "--late-after", "0s")
    #expect(try people(one.output)?.count == 1 && one.output.contains(#""late_after_milliseconds":0"#))
    #expect(try Program.run("report", "music", "--data", data).code == 1)
    #expect(try Program.run("report", "algebra", "--data", folder.path).code == 1)
    #expect(try Program.run("report-key").code == 2)
  }

  @Test("a key of the school's own signs, and a file without one keeps the server from starting")
  func ownKey() throws {
    _ = try hold()
    let other = folder.path + "/other.pem"
    try FileManager.default.moveItem(atPath: "\(data)/report-key.pem", toPath: other)
    let unsigned = try Program.run("report", "algebra", "--data", data)
    #expect(unsigned.code == 0 && !unsigned.output.contains("signature"))
    let signed = try Program.run("report", "algebra", "--data", data, "--report-key", other)
    #expect(try Program.run("verify-report", try write(signed.output, "r.json"), "--key", other).code == 0)
    let refused = try Program.run("serve", "--data", data, "--port", "0", "--report-key", secret)
    #expect(refused.code == 1 && refused.complaint.contains("holds no Ed25519 key"))
    for arguments in [["--heartbeat-timeout", "0s"], ["--late-after", "2d"], ["--attendance-interval", "0s"]] {
      #expect(try Program.run(["serve", "--data", data, "--port", "0"] + arguments).code == 2)
    }
  }
}
