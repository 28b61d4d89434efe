import Foundation
import Testing

@testable import Persistence
@testable import SignalingServer

/// Sessions that are over leave the server's memory, and come back when somebody asks.
@Suite("The history under a server")
struct HistoryTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func start(_ configure: (inout ServerConfiguration) -> Void = { _ in }) throws -> TestServer {
    try TestServer(folder: folder) {
      $0.shard.archiveAfterMilliseconds = 0
      $0.patience.archiving = 10
      $0.snapshotBytes = 1
      configure(&$0)
    }
  }

  private var files: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path + "/history")) ?? []).sorted()
  }

  /// Lets the server do something until this is so.
  private func poll(_ server: TestServer, _ isSo: () throws -> Bool) throws {
    var attempts = 0
    while try !isSo() {
      attempts += 1
      guard attempts < 20_000 else { throw VectorFailure("it does not come to that") }
      _ = try server.get("/health")
    }
  }

  /// Whether a start would find the session in the history alone. A segment that goes while it is looked for is no answer.
  private func isArchived(_ session: String) -> Bool {
    guard let storage = try? FileStorage(path: folder.path) else { return false }
    var state = RecoveredState<FileStorage>()
    guard (try? Recovery.read(storage, into: &state)) != nil else { return false }
    return state.archived[session] != nil && state.classrooms[session] == nil
  }

  /// A session in which things were said and that is over.
  private func complete(_ session: String, on server: TestServer) throws {
    try server.createSession(session)
    try server.startSession(session)
    let client = try TestClient(server, as: server.token("speaker"))
    try client.join(session)
    for id in 2...4 { try client.ask(#"{"type":"chat.send","id":\#(id),"text":"\#(id)"}"#, id: id) }
    #expect(try server.post("/api/sessions/\(session)/end/", as: server.token("teacher", role: .host)).status == 200)
    try client.ask(#"{"type":"session.leave","id":9}"#, id: 9)
  }

  private func chat(of session: String, on server: TestServer) throws -> [String] {
    let client = try TestClient(server, as: server.token("reader"))
    return try client.join(session)["chat"]?["messages"]?.array?.compactMap { $0["text"]?.string } ?? []
  }

  private func list(of server: TestServer) throws -> [String] {
    let page = try server.get("/api/sessions/?limit=100", as: server.token("root", role: .admin)).json
    return (page["sessions"]?.array ?? []).compactMap { $0["id"]?.string }.sorted()
  }

  @Test("a session that is over rests in a file, is listed, read on demand, and found by the next server")
  func archive() throws {
    var server = try start()
    try complete("over", on: server)
    try server.createSession("planned")
    try poll(server) { files == ["over.rch"] }
    let teacher = server.token("teacher", role: .host)
    let report = try server.get("/api/sessions/over/attendance/", as: teacher).json
    #expect((report["participants"]?.array ?? []).contains { $0["user"]?.string == "speaker" })
    #expect(try chat(of: "over", on: server) == ["2", "3", "4"])
    // A snapshot is taken when something was journaled since the last.
    var number = 0
    try poll(server) {
      number += 1
      if number % 50 == 1 { try server.createSession("more-\(number)") }
      return isArchived("over")
    }
    let all = try list(of: server)
    server.stop()
    server = try start()
    #expect(try list(of: server) == all)
    #expect(try chat(of: "over", on: server) == ["2", "3", "4"])
    #expect(
      try server.get("/api/sessions/over/attendance/", as: teacher).json["participants"] == report["participants"])
  }

  @Test("a session whose file cannot be read is listed, and asking for it is refused as trouble of the server")
  func damagedFile() throws {
    var server = try start()
    try complete("over", on: server)
    var number = 0
    try poll(server) {
      number += 1
      if number % 50 == 1 { try server.createSession("more-\(number)") }
      return isArchived("over")
    }
    server.stop()
    try Data([1, 2, 3]).write(to: URL(fileURLWithPath: folder.path + "/history/over.rch"))
    server = try start()
    #expect(try list(of: server).contains("over"))
    let client = try TestClient(server, as: server.token("reader"))
    let answer = try client.ask(TestClient.join("over", id: 1), id: 1)
    #expect(answer["code"]?.string == "storage_unavailable")
    #expect(try server.get("/ready").status == 200)
  }

  @Test("sessions are kept as long as the operator says, and gone with their files after that")
  func retention() throws {
    var server = try start()
    try complete("over", on: server)
    var number = 0
    try poll(server) {
      number += 1
      if number % 50 == 1 { try server.createSession("more-\(number)") }
      return isArchived("over")
    }
    server.stop()
    server = try start { $0.keepMilliseconds = 3_600_000 }
    #expect(try list(of: server).contains("over") && files == ["over.rch"])
    server.stop()
    server = try start { $0.keepMilliseconds = 0 }
    #expect(try !list(of: server).contains("over") && files.isEmpty)
    let reader = server.token("reader")
    #expect(try server.get("/api/sessions/over/", as: reader).status == 404)
    // One that ends now goes with a snapshot, without a start.
    try complete("late", on: server)
    try poll(server) {
      number += 1
      if number % 50 == 1 { try server.createSession("more-\(number)") }
      return try !list(of: server).contains("late") && files.isEmpty
    }
    server.stop()
    server = try start()
    #expect(try !list(of: server).contains { ["over", "late"].contains($0) })
  }
}
