import Foundation
import JSON
import Testing

@testable import Classroom
@testable import EventLoop
@testable import Persistence
@testable import SignalingServer

/// What a server finds again of an earlier one's data.
@Suite("Starting again")
struct RestartTests {
  /// What a client sees of a session when it joins, without what belongs to the visit.
  private func state(of session: String, in server: TestServer) throws -> [String: VectorJSON] {
    let client = try TestClient(server, as: server.token("teacher", role: .host))
    let joined = try client.join(session)
    try client.ask(#"{"type":"session.leave","id":2}"#, id: 2)
    var state: [String: VectorJSON] = [:]
    for name in ["state", "session", "epoch", "streams", "chat"] { state[name] = joined[name] }
    return state
  }

  /// The list without how many are in, which comes a moment later.
  private func list(of server: TestServer) throws -> [VectorJSON] {
    let page = try server.get("/api/sessions/?limit=100", as: server.token("root", role: .admin)).json
    return (page["sessions"]?.array ?? []).map { session in
      guard case .object(var fields) = session else { return session }
      fields["participants"] = nil
      fields["watching"] = nil
      return .object(fields)
    }
  }

  private func attendance(of session: String, in server: TestServer) throws -> [String: VectorJSON] {
    let report = try server.get("/api/sessions/\(session)/attendance/", as: server.token("teacher", role: .host)).json
    let rows = (report["participants"]?.array ?? []).map { ($0["user"]?.string ?? "", $0) }
    return Dictionary(uniqueKeysWithValues: rows)
  }

  private func isEstimated(_ row: VectorJSON?) -> [Bool] {
    (row?["segments"]?.array ?? []).map { $0["estimated"] == .bool(true) }
  }

  /// Sessions in every state, with chat and people.
  private func fill(_ server: TestServer) throws {
    for session in ["planned", "live", "over"] { try server.createSession(session) }
    try server.createSession("hidden", fields: ["visibility": .string("members")])
    for session in ["live", "over"] {
      try server.startSession(session)
      let client = try TestClient(server, as: server.token("speaker"))
      try client.join(session)
      for id in 1...60 {
        try client.ask(#"{"type":"chat.send","id":\#(id),"text":"\#(id) \n\u0001 😀","key":"k\#(id)"}"#, id: id)
      }
      try client.ask(#"{"type":"session.leave","id":99}"#, id: 99)
    }
    _ = try server.post("/api/sessions/over/end/", as: server.token("teacher", role: .host))
  }

  private let sessions = ["planned", "live", "over", "hidden"]

  @Test(
    "after a stop everything is there: sessions, chat, numbers, epochs, attendance",
    arguments: [(1, 1), (2, 4), (4, 2)])
  func stop(_ before: Int, _ after: Int) throws {
    let folder = try TemporaryFolder()
    let first = try TestServer(loops: before, folder: folder)
    try fill(first)
    let states = try sessions.map { try state(of: $0, in: first) }
    let (reports, all) = (try sessions.map { try attendance(of: $0, in: first) }, try list(of: first))
    first.stop()
    let second = try TestServer(loops: after, folder: folder)
    #expect(try sessions.map { try attendance(of: $0, in: second) } == reports)
    #expect(try list(of: second) == all)
    #expect(try sessions.map { try state(of: $0, in: second) } == states)
  }

  @Test("the first list after a start is whole, whichever loop answers")
  func firstList() throws {
    let folder = try TemporaryFolder()
    let first = try TestServer(loops: 4, folder: folder)
    for number in 1...60 { try first.createSession("s\(number)") }
    let all = try list(of: first)
    first.stop()
    for _ in 1...5 {
      let server = try TestServer(loops: 8, folder: folder)
      #expect(try list(of: server) == all)
      server.stop()
    }
  }

  @Test("a key that was used is known after a start, and numbers go on")
  func keys() throws {
    let folder = try TemporaryFolder()
    let first = try TestServer(folder: folder)
    try fill(first)
    first.stop()
    let second = try TestServer(folder: folder)
    let client = try TestClient(second, as: second.token("speaker"))
    try client.join("live")
    let text = #""text":"60 \n\u0001 😀","key":"k60""#
    let again = try client.ask(#"{"type":"chat.send","id":1,\#(text)}"#, id: 1)
    #expect(again["seq"] == .number(61) && again["message_id"] != nil)
    #expect(
      try client.ask(#"{"type":"chat.send","id":2,"text":"other","key":"k60"}"#, id: 2)["code"]?.string
        == "key_conflict")
    #expect(try client.ask(#"{"type":"chat.send","id":3,"text":"new"}"#, id: 3)["seq"] == .number(62))
  }

  @Test("who was in a class at a clean end, and does not come back, left at that end, exactly")
  func cleanEnd() throws {
    let folder = try TemporaryFolder()
    let first = try TestServer(folder: folder)
    try first.createSession("live")
    try first.startSession("live")
    let client = try TestClient(first, as: first.token("student"))
    try client.join("live")
    first.stop()
    let end = first.clock.now
    let second = try TestServer(folder: folder) { $0.shard.graceMilliseconds = 0 }
    let row = try departed("student", from: "live", in: second)
    #expect(isEstimated(row) == [false])
    let left = try #require(row["last_leave"]?.string.flatMap(RFC3339.parse))
    #expect(left <= end)
  }

  /// The attendance of somebody, once it has ended.
  private func departed(_ user: String, from session: String, in server: TestServer) throws -> VectorJSON {
    let watcher = try TestClient(server, as: server.token("watcher"))
    var present = try watcher.join(session)["presence"]?["participants"]?.array?.compactMap { $0["user"]?.string } ?? []
    while present.contains(user) {
      let diff = try watcher.await { $0["type"]?.string == "presence.diff" }
      for gone in diff["left"]?.array ?? [] { present.removeAll { $0 == gone["user"]?.string } }
    }
    return try attendance(of: session, in: server)[user] ?? .null
  }

  @Test(
    "after an unclean end the end of attendance is estimated, and whoever comes back has not left", arguments: [1, 2])
  func uncleanEnd(_ loops: Int) throws {
    let first = try TestServer(loops: loops)
    try fill(first)
    let (gone, back) = (try TestClient(first, as: first.token("gone")), try TestClient(first, as: first.token("back")))
    let joinedAt = try #require(try gone.join("live")["at"]?.number)
    try back.join("live")
    let answered = try back.ask(#"{"type":"chat.send","id":1,"text":"the last word"}"#, id: 1)
    // A copy of what the disk shows while it runs is what a crash at this moment leaves.
    let second = try TestServer(loops: 3, folder: try TemporaryFolder(copying: first.folder.path)) {
      $0.shard.graceMilliseconds = 2000
    }
    let client = try TestClient(second, as: second.token("back"))
    let joined = try client.join("live")
    #expect(joined["chat"]?["messages"]?.array?.last?["seq"] == answered["seq"])
    let row = try departed("gone", from: "live", in: second)
    #expect(isEstimated(row) == [true])
    let left = try #require(row["last_leave"]?.string.flatMap(RFC3339.parse)?.milliseconds)
    #expect(Double(left) >= joinedAt && left <= second.clock.now.milliseconds)
    let stayed = try attendance(of: "live", in: second)["back"]
    #expect(isEstimated(stayed) == [false] && stayed?["is_active"] == .bool(true))
  }

  @Test("what was acknowledged is in a copy of the running folder, at any moment")
  func copies() throws {
    let first = try TestServer(loops: 2)
    try first.createSession("live")
    try first.startSession("live")
    let client = try TestClient(first, as: first.token("speaker"))
    try client.join("live")
    for round in 1...8 {
      // Unanswered commands are under way while the copy is made.
      let acknowledged = try #require(
        try client.ask(#"{"type":"chat.send","id":\#(round),"text":"x"}"#, id: round)["seq"]?.integer)
      for _ in 0..<20 { try client.send(#"{"type":"chat.send","text":"y"}"#) }
      let copy = try TemporaryFolder(copying: first.folder.path)
      let second = try TestServer(loops: 1, folder: copy)
      let sequence = try state(of: "live", in: second)["streams"]?["room"]?.integer
      #expect(try #require(sequence) >= acknowledged)
    }
  }

  @Test("snapshots replace segments, round after round, and nothing changes", arguments: [1, 3])
  func snapshots(_ loops: Int) throws {
    var folder = try TemporaryFolder()
    var expected: [[String: VectorJSON]] = []
    for round in 0..<4 {
      let server = try TestServer(loops: loops, folder: folder) { $0.snapshotBytes = 4096 }
      if round == 0 {
        try fill(server)
      } else {
        #expect(try sessions.map { try state(of: $0, in: server) } == expected)
      }
      let client = try TestClient(server, as: server.token("speaker"))
      try client.join("live")
      // Until a segment that was there is gone: a snapshot has taken its place.
      let old = Set(folder.names.filter { $0.hasPrefix("journal-") })
      var id = 1
      while old.isSubset(of: Set(folder.names)), id < 3000 {
        try client.ask(
          #"{"type":"chat.send","id":\#(id),"text":"round \#(round) \#(String(repeating: "x", count: 500))"}"#, id: id)
        id += 1
      }
      #expect(!old.isSubset(of: Set(folder.names)), "\(folder.names)")
      expected = try sessions.map { try state(of: $0, in: server) }
      if round % 2 == 0 { server.stop() } else { folder = try copy(of: folder) }
    }
    let last = try TestServer(loops: 2, folder: folder)
    #expect(try sessions.map { try state(of: $0, in: last) } == expected)
  }

  /// A copy of a folder from which files may vanish meanwhile.
  private func copy(of folder: TemporaryFolder) throws -> TemporaryFolder {
    for _ in 0..<100 {
      // A segment that has gone since the folder was read: read it again.
      if let copy = try? TemporaryFolder(copying: folder.path) { return copy }
    }
    return try TemporaryFolder(copying: folder.path)
  }

  @Test("the clock never goes back behind what is on disk")
  func clock() throws {
    let clock = ServerClock(notBefore: Timestamp(milliseconds: WallClock.milliseconds() + 3_600_000))
    #expect(clock.now.milliseconds >= WallClock.milliseconds() + 3_500_000)
    let past = ServerClock(notBefore: Timestamp(milliseconds: 0))
    #expect(abs(past.now.milliseconds - WallClock.milliseconds()) < 60_000)
  }

  @Test("records that a snapshot includes still say what time it was")
  func timeOfIncludedRecords() throws {
    let now = Timestamp(milliseconds: 1_767_225_600_000)
    let details = try SessionDraft(title: "T").validated(id: "s", roomName: "s", host: "h", at: now)
    var classroom = try #require(Classroom(Classroom.creation(details, epoch: "e", by: "h")))
    let host = Actor(user: "h", name: "H", role: .host)
    let later = now.advanced(byMilliseconds: 5000)
    let outcome = try classroom.handle(.start, by: host, key: nil, at: later)
    var state = RecoveredState<FileStorage>()
    var failure: (any Error)?
    SnapshotCodec.encode(classroom) { kind, payload in
      do {
        try state.restore(
          RecordHeader(lsn: 1, session: "s", sequence: classroom.sequence, kind: kind.rawValue),
          payload: payload.span.bytes)
      } catch {
        failure = error
      }
    }
    #expect(failure == nil)
    for event in outcome.events {
      var writer = JSONWriter(reserving: 64)
      let kind = EventCodec.encode(event, into: &writer)
      let header = RecordHeader(lsn: 2, session: "s", sequence: event.sequence, kind: kind.rawValue)
      try state.replay(header, payload: writer.bytes.span.bytes)
    }
    #expect(state.classrooms["s"]?.view == classroom.view, "not done twice")
    #expect(state.lastTime == later && state.lastAlive == later && !state.endedCleanly)
  }

  // MARK: What cannot be started

  @Test("a data folder that another server has is refused, and free again after its stop")
  func folderInUse() throws {
    let folder = try TemporaryFolder()
    let first = try TestServer(folder: folder)
    let error = #expect(throws: StartFailure.self) { try TestServer(folder: folder) }
    guard case .dataFolder(.inUse) = error else { throw VectorFailure("another error: \(error.map { "\($0)" } ?? "")") }
    #expect("\(error.map { "\($0)" } ?? "")".contains("in use by another server"))
    #expect(try first.get("/health").status == 200)
  }

  @Test("a port that another server has is refused", arguments: [1, 2])
  func portInUse(_ loops: Int) throws {
    let first = try TestServer(loops: loops)
    let error = #expect(throws: StartFailure.self) { try TestServer(loops: loops) { $0.port = first.port } }
    guard case .listening(.portInUse) = error else {
      throw VectorFailure("another error: \(error.map { "\($0)" } ?? "")")
    }
    #expect(try first.get("/health").status == 200)
  }

  @Test("a folder that is a file is refused")
  func notAFolder() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/file"
    try Data().write(to: URL(fileURLWithPath: path))
    let configuration = ServerConfiguration(dataFolder: path, secret: TestServer.secret, loops: 1)
    let error = #expect(throws: StartFailure.self) { try Server(configuration, logger: TestServer.silence) }
    guard case .dataFolder(.notADirectory) = error else {
      throw VectorFailure("another error: \(error.map { "\($0)" } ?? "")")
    }
  }
}
