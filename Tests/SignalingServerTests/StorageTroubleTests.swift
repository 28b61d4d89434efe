import Foundation
import Testing

@testable import EventLoop
@testable import Persistence
@testable import SignalingServer

/// What clients and operators see of a disk that fails.
@Suite("A failing disk under a server")
struct StorageTroubleTests {
  private let faults = DiskFaults()

  /// A server with a class that is on, and two people in it with their peers.
  private func classOf(
    two names: (String, String), loops: Int
  ) throws -> (server: TestServer, first: TestClient, second: TestClient, peers: [String]) {
    let server = try TestServer(loops: loops, faults: faults)
    try server.createSession("live")
    try server.startSession("live")
    let (first, second) = (
      try TestClient(server, as: server.token(names.0)), try TestClient(server, as: server.token(names.1))
    )
    let peers = try [first, second].map { try $0.join("live")["peer"]?.string ?? "" }
    return (server, first, second, peers)
  }

  private func say(_ text: String, id: Int, _ client: TestClient) throws -> VectorJSON {
    try client.ask(#"{"type":"chat.send","id":\#(id),"text":"\#(text)","key":"key \#(text)"}"#, id: id)
  }

  private func reason(of server: TestServer) throws -> String? {
    let response = try server.get("/ready")
    return response.status == 200 ? nil : try response.json["error"]?["details"]?["reason"]?.string
  }

  private func awaitHealing(of server: TestServer) throws {
    var attempts = 0
    while try reason(of: server) != nil, attempts < 100_000 { attempts += 1 }
    #expect(try reason(of: server) == nil)
  }

  private func chat(of session: String, in server: TestServer) throws -> [String] {
    let client = try TestClient(server, as: server.token("reader"))
    let messages = try client.join(session)["chat"]?["messages"]?.array ?? []
    return messages.compactMap { $0["text"]?.string }
  }

  @Test(
    "what must be kept is refused, what is live goes on, and everything acknowledged is there afterwards",
    arguments: [1, 3])
  func outage(loops: Int) throws {
    let (server, first, second, peers) = try classOf(two: ("first", "second"), loops: loops)
    #expect(try say("before", id: 2, first)["type"]?.string == "ok")
    faults.failWrites()
    let refused = try say("lost", id: 3, first)
    #expect(refused["code"]?.string == "storage_unavailable" && refused["retryable"] == .bool(true))
    #expect(refused["details"]?["outcome"]?.string == "unknown")
    #expect(try reason(of: server) == "storage")
    #expect(try server.get("/health").status == 200)
    let metrics = try server.get("/metrics")
    #expect(String(decoding: metrics.body, as: UTF8.self).contains("\nrollcall_storage_failed 1\n"))
    // At once, without waiting for a disk: and it was certainly not done.
    #expect(try say("later", id: 4, second)["details"]?["outcome"]?.string == "not_done")
    #expect(try server.post("/api/sessions/live/end/", as: server.token("teacher", role: .host)).status == 503)
    let signal = try first.ask(
      #"{"type":"signal","id":5,"to":"\#(peers[1])","kind":"offer","payload":{"sdp":"x"}}"#, id: 5)
    #expect(signal["type"]?.string == "ok")
    #expect(try second.await { $0["type"]?.string == "signal" }["from"]?.string == peers[0])
    faults.heal()
    try awaitHealing(of: server)
    for (id, text) in [(6, "lost"), (7, "later"), (8, "after")] {
      #expect(try say(text, id: id, first)["type"]?.string == "ok", "\(text)")
    }
    let expected = ["before", "lost", "after"]
    #expect(try chat(of: "live", in: server).filter(expected.contains) == expected)
    let copy = try TestServer(loops: 2, folder: try TemporaryFolder(copying: server.folder.path))
    #expect(try chat(of: "live", in: copy) == chat(of: "live", in: server))
  }

  @Test("one sync that fails refuses what it was for, with certainty, and nothing else")
  func oneFailure() throws {
    let (server, first, second, _) = try classOf(two: ("first", "second"), loops: 2)
    let left = Locked(1)
    faults.set { operation, file in
      guard operation == .sync, file.hasPrefix("journal") else { return nil }
      return left.withLock { left in
        defer { left -= 1 }
        return left > 0 ? 5 : nil
      }
    }
    let refused = try say("rejected", id: 2, first)
    #expect(refused["code"]?.string == "storage_unavailable")
    #expect(refused["details"]?["outcome"]?.string == "not_done")
    try awaitHealing(of: server)
    #expect(try say("second", id: 3, second)["type"]?.string == "ok")
    #expect(try say("rejected", id: 4, first)["type"]?.string == "ok")
    let copy = try TestServer(loops: 1, folder: try TemporaryFolder(copying: server.folder.path))
    #expect(try chat(of: "live", in: copy) == ["second", "rejected"])
  }

  @Test("a server that ends while its disk has failed ends, and has kept what it acknowledged")
  func stop() throws {
    let (server, first, _, _) = try classOf(two: ("first", "second"), loops: 2)
    #expect(try say("kept", id: 2, first)["type"]?.string == "ok")
    faults.failWrites(28)
    #expect(try say("lost", id: 3, first)["code"]?.string == "storage_unavailable")
    server.stop()
    let next = try TestServer(folder: server.folder)
    #expect(try chat(of: "live", in: next).first == "kept")
  }

  @Test("a disk that cannot be written at the start is a reason not to start")
  func atTheStart() throws {
    let folder = try TemporaryFolder()
    try TestServer(folder: folder).stop()
    faults.failWrites(30)
    let error = #expect(throws: StartFailure.self) { try TestServer(folder: folder, faults: faults) }
    #expect("\(error.map { "\($0)" } ?? "")".contains("read-only file system"))
    faults.heal()
    try TestServer(folder: folder, faults: faults).stop()
  }

  @Test("a folder from a backup gives every session a new epoch, once")
  func backup() throws {
    let folder = try TemporaryFolder()
    func epoch() throws -> String? {
      let server = try TestServer(folder: folder)
      defer { server.stop() }
      let client = try TestClient(server, as: server.token("teacher", role: .host))
      return try client.join("live")["epoch"]?.string
    }
    let first = try TestServer(folder: folder)
    try first.createSession("live")
    first.stop()
    let before = try epoch()
    #expect(try epoch() == before)
    try Data().write(to: URL(fileURLWithPath: folder.path + "/backup-restored"))
    let after = try epoch()
    #expect(after != nil && after != before)
    #expect(try epoch() == after)
    #expect(!folder.names.contains("backup-restored"))
  }

  @Test("a relaxed server keeps what it acknowledged through a kill, with the same epoch")
  func relaxed() throws {
    let server = try TestServer { $0.durability = .relaxed }
    try server.createSession("live")
    try server.startSession("live")
    let client = try TestClient(server, as: server.token("speaker"))
    let epoch = try client.join("live")["epoch"]
    for id in 2...30 {
      #expect(try say("\(id)", id: id, client)["type"]?.string == "ok")
      guard id % 7 == 0 else { continue }
      let copy = try TemporaryFolder(copying: server.folder.path)
      let next = try TestServer(folder: copy) { $0.durability = id % 2 == 0 ? .relaxed : .strict }
      #expect(try chat(of: "live", in: next).suffix(id - 1) == (2...id).map { "\($0)" })
      let reader = try TestClient(next, as: next.token("reader"))
      #expect(try reader.join("live")["epoch"] == epoch)
    }
  }

  // MARK: Figures

  @Test("figures are told to this machine and to administrators")
  func metrics() throws {
    let server = try TestServer()
    try server.createSession("live")
    let response = try server.get("/metrics")
    #expect(response.status == 200)
    let text = String(decoding: response.body, as: UTF8.self)
    #expect(text.contains("# HELP rollcall_journal_records_total "))
    #expect(text.contains("# TYPE rollcall_journal_sync_seconds histogram\n"))
    #expect(text.contains("rollcall_journal_sync_seconds_bucket{le=\"+Inf\"}"))
    let throughProxy = ["X-Forwarded-For": "192.0.2.1"]
    #expect(try server.get("/metrics", headers: throughProxy).status == 404)
    #expect(try server.get("/metrics", as: server.token("teacher", role: .host), headers: throughProxy).status == 404)
    #expect(try server.get("/metrics", as: server.token("root", role: .admin), headers: throughProxy).status == 200)
    #expect(try server.post("/metrics").status == 405)
  }
}
