import Classroom
import Foundation
import Persistence
import Testing

@testable import DataTools

/// The commands as an operator uses them, with the built program.
@Suite("The commands for a data folder", .serialized)
struct CommandTests {
  private let folder: TemporaryFolder
  private let data: String
  private let secret: String

  init() throws {
    folder = try TemporaryFolder()
    data = folder.path + "/data"
    secret = try folder.secretFile()
  }

  private func token(_ user: String, name: String) throws -> String {
    let run = try Program.run("token", "--secret-file", secret, "--sub", user, "--name", name, "--role", "host")
    try #require(run.code == 0, "\(run.complaint)")
    return String(run.output.dropLast())
  }

  /// Two hosts with a class each, which they start.
  private func fill(_ server: RunningServer) throws {
    for (user, name, session) in [("t-ada", "Ada Lovelace", "algebra"), ("t-ben", "Ben", "music")] {
      let token = try token(user, name: name)
      let body = #"{"id": "\#(session)", "title": "Class of \#(session)", "admission": "open"}"#
      try #require(try server.request("POST", "/api/sessions/", token: token, body: body).status == 201)
      try #require(try server.request("POST", "/api/sessions/\(session)/start/", token: token).status == 200)
    }
  }

  @Test("beside a running server it is inspected, verified and backed up, and nobody is erased")
  func running() throws {
    let server = try RunningServer(data: data, secret: secret)
    try fill(server)
    let summary = try Program.run("inspect", data)
    #expect(summary.code == 0 && summary.complaint.isEmpty)
    #expect(summary.output.contains("held: a server runs on this folder"))
    #expect(summary.output.contains("algebra  ongoing       1"))
    #expect(try Program.run("inspect", data, "--verify").code == 0)
    let history = try Program.run("inspect", data, "--session", "algebra")
    #expect(history.output.contains("Ada Lovelace (t-ada) joined as host"))

    let copy = folder.path + "/copy"
    let backup = try Program.run("backup", data, copy)
    #expect(backup.code == 0 && backup.output.contains("sessions  2"), "\(backup.complaint)")
    #expect(try Program.run("inspect", copy, "--verify").code == 0)
    #expect(try Program.run("backup", data, copy).code == 1, "a target is never replaced")

    let erase = try Program.run("erase", "--user", "t-ada", "--data", data)
    #expect(erase.code == 1 && erase.complaint.contains("in use by another server"))
    let findings = try Program.run("erase", "--user", "t-ada", "--data", data, "--dry-run")
    #expect(findings.code == 0 && findings.output.contains("would erase user \"t-ada\" from 1 session;"))

    let before = try server.request("GET", "/api/sessions/algebra/", token: try token("t-ada", name: "Ada"))
    server.stop()
    let restored = try RunningServer(data: copy, secret: secret)
    let after = try restored.request("GET", "/api/sessions/algebra/", token: try token("t-ada", name: "Ada"))
    #expect(before.status == 200 && before.body == after.body)
    restored.stop()
    func epoch(of data: String) throws -> Substring? {
      try Program.run("inspect", data, "--session", "algebra").output.split(separator: "\n").first {
        $0.hasPrefix("epoch")
      }
    }
    #expect(try epoch(of: data) != nil && epoch(of: data) != epoch(of: copy), "clients must load everything anew")
  }

  @Test("with the server stopped a person is erased, and no byte of id and name is left")
  func erasing() throws {
    let server = try RunningServer(data: data, secret: secret)
    try fill(server)
    server.stop()
    #expect(try folder.contains("t-ada") && folder.contains("Ada Lovelace"))
    let erased = try Program.run("erase", "--user", "t-ada", "--data", data)
    #expect(erased.code == 0 && erased.output.contains("erased user \"t-ada\" from 1 session"), "\(erased.complaint)")
    #expect(try !folder.contains("t-ada") && !folder.contains("Ada Lovelace"))
    #expect(try folder.contains("t-ben"))
    let again = try Program.run("erase", "--user", "t-ada", "--data", data)
    #expect(again.code == 0 && again.output.hasPrefix("nothing to erase: user \"t-ada\" occurs nowhere"))

    let next = try RunningServer(data: data, secret: secret)
    let session = try next.request("GET", "/api/sessions/music/", token: try token("t-ben", name: "Ben"))
    #expect(session.status == 200)
    next.stop()
    #expect(try Program.run("inspect", data, "--verify").code == 0)
  }

  @Test("damage is an exit code of 1 with file and offset, wrong use one of 2, and no folder is made")
  func failures() throws {
    var school = try School(try storage(), history: try storage("history"))
    try school.open("algebra")
    try school.say("algebra", "ada", "hello")
    let file = data + "/journal-00000000000000000001.rcj"
    var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
    bytes[130] ^= 1
    try bytes.write(to: URL(fileURLWithPath: file))
    for arguments in [["inspect", data], ["inspect", data, "--verify"], ["inspect", data, "--records"]] {
      let run = try Program.run(arguments)
      #expect(run.code == 1)
      #expect((run.output + run.complaint).contains("journal-00000000000000000001.rcj at byte 96"))
    }
    #expect(try Program.run("backup", data, folder.path + "/copy").code == 1)
    #expect(try Program.run("erase", "--user", "ada", "--data", data).code == 1)
    #expect(try Program.run("erase", "--user", "ada", "--data", folder.path + "/none").code == 1)
    #expect(try Program.run("inspect", folder.path).complaint.contains("is not a data folder"))
    #expect(try Set(FileManager.default.contentsOfDirectory(atPath: folder.path)) == ["data", "secret"])
    for arguments in [["inspect"], ["inspect", data, "--from", "3"], ["backup", data], ["erase", "--data", data]] {
      #expect(try Program.run(arguments).code == 2)
    }
  }

  @Test("a history that cannot be read is not taken for none")
  func historyThatCannotBeRead() throws {
    var school = try School(try storage(), history: try storage("history"))
    try school.open("algebra")
    try FileManager.default.removeItem(atPath: data + "/history")
    #expect(try Program.run("inspect", data).code == 0, "a folder in which no session ended has none")
    try Data("not a folder".utf8).write(to: URL(fileURLWithPath: data + "/history"))
    for arguments in [
      ["inspect", data], ["inspect", data, "--verify"], ["erase", "--user", "ada", "--data", data],
      ["erase", "--user", "ada", "--data", data, "--dry-run"],
    ] {
      let run = try Program.run(arguments)
      #expect(run.code == 1 && run.output.isEmpty, "\(arguments)")
      #expect(run.complaint.contains("the history of \(data) cannot be read"), "\(arguments): \(run.complaint)")
    }
  }

  private func storage(_ name: String = "") throws -> FileStorage {
    try FileManager.default.createDirectory(atPath: data + "/" + name, withIntermediateDirectories: true)
    return try FileStorage(path: data + "/" + name)
  }
}
