import Classroom
import SignalingProtocol
import Testing

@testable import RoomShard

@Suite("Sessions that are over leave memory and come back")
struct ArchiveTests {
  /// A session that is over, with a message in it, nobody connected, and ready for the archive.
  private func over() throws -> (ShardFixture, host: ConnectionID) {
    var configuration = ShardConfiguration()
    // What is over stays so.
    configuration.rules.times.reopenWithinMilliseconds = -1
    let (fixture, host) = try ShardFixture.live(configuration: configuration)
    let ada = fixture.join("ada")
    try fixture.send(host, #"{"type":"chat.send","text":"Hi","key":"k"}"#)
    try fixture.send(host, #"{"type":"session.end"}"#)
    try fixture.sync()
    fixture.close(host)
    fixture.close(ada)
    try fixture.settle()
    fixture.advance(10 * 60_000)
    try fixture.sync()
    return (fixture, host)
  }

  /// A fixture whose session is in the archive, and what the archive has.
  private func archived() throws -> (ShardFixture, Classroom) {
    let (fixture, _) = try over()
    #expect(fixture.shard.archivable(at: fixture.now) == ["algebra"])
    let classroom = try #require(fixture.shard.classroom("algebra"))
    fixture.shard.didArchive("algebra", sequence: classroom.sequence)
    #expect(fixture.shard.sessions.isEmpty)
    return (fixture, classroom)
  }

  private func load(_ fixture: ShardFixture, _ classroom: Classroom) throws {
    #expect(fixture.shard.takeLoads() == [classroom.id])
    fixture.shard.didLoad(classroom, at: fixture.now)
    try fixture.release()
  }

  private func isUnavailable(_ message: Message?) -> Bool { message?.text("code") == "storage_unavailable" }

  // MARK: Out

  @Test("a session may go when it has been over for a while; it is named once, and again if it was not archived")
  func archivable() throws {
    let (fixture, host) = try ShardFixture.live()
    fixture.create("geometry")
    try fixture.send(host, #"{"type":"session.end"}"#)
    try fixture.sync()
    fixture.close(host)
    fixture.advance(10 * 60_000 - 1)
    #expect(fixture.shard.archivable(at: fixture.now) == [])
    fixture.advance(1)
    #expect(fixture.shard.archivable(at: fixture.now) == ["algebra"])
    #expect(fixture.shard.archivable(at: fixture.now) == [])
    fixture.advance(RoomShard.ArchiveLimits.retryMilliseconds)
    #expect(fixture.shard.archivable(at: fixture.now) == ["algebra"])
  }

  @Test("a session that somebody reads stays, and one that rests on a record that is not synced")
  func occupied() throws {
    let (fixture, host) = try ShardFixture.live()
    fixture.advance(60_000)
    try fixture.send(host, #"{"type":"session.end"}"#)
    fixture.append()
    fixture.advance(10 * 60_000)
    #expect(fixture.shard.archivable(at: fixture.now) == [], "not synced")
    try fixture.sync()
    fixture.advance(60_000)
    #expect(fixture.shard.archivable(at: fixture.now) == [], "the host reads")
    fixture.close(host)
    fixture.advance(60_000)
    #expect(fixture.shard.archivable(at: fixture.now) == ["algebra"])
  }

  @Test("who comes while the session is on its way to the archive keeps it in memory, and so does another number")
  func visitorMeanwhile() throws {
    let (fixture, _) = try over()
    let sequence = try #require(fixture.shard.classroom("algebra")?.sequence)
    #expect(fixture.shard.archivable(at: fixture.now) == ["algebra"])
    fixture.shard.didArchive("algebra", sequence: sequence - 1)
    #expect(fixture.shard.sessions == ["algebra"])
    let ada = fixture.join("ada")
    fixture.shard.didArchive("algebra", sequence: sequence)
    #expect(fixture.shard.sessions == ["algebra"] && fixture.shard.archived.isEmpty)
    try fixture.sync()
    #expect(fixture.take(ada).first?.text("state") == "ended")
  }

  @Test("what stays is a stub with the view; nothing is published or retracted")
  func stub() throws {
    let (fixture, _) = try over()
    let published = fixture.published.count
    let classroom = try #require(fixture.shard.classroom("algebra"))
    _ = fixture.shard.archivable(at: fixture.now)
    fixture.shard.didArchive("algebra", sequence: classroom.sequence)
    try fixture.release()
    #expect(fixture.shard.archived == [ArchiveStub(view: classroom.archiveView, sequence: classroom.sequence)])
    #expect(fixture.shard.archived("algebra")?.view == classroom.archiveView)
    #expect(fixture.shard.classroom("algebra") == nil && fixture.shard.liveCounts == (0, 0))
    #expect(fixture.published.count == published && fixture.retracted.isEmpty)
    #expect(fixture.shard.takeLoads() == [])
  }

  @Test("after a restart stubs are there again, and sessions in memory may go")
  func restart() throws {
    let (fixture, classroom) = try archived()
    let next = RoomShard(
      configuration: ShardConfiguration(), random: SeededGenerator(seed: 3), sealer: TestSealer())
    next.restoreArchived(ArchiveStub(view: classroom.archiveView, sequence: classroom.sequence))
    next.resume(lastAlive: fixture.now, isEstimated: false, at: fixture.now)
    #expect(next.archived.count == 1 && next.sessions.isEmpty)
    let other = RoomShard(
      configuration: ShardConfiguration(), random: SeededGenerator(seed: 3), sealer: TestSealer())
    other.restore(classroom)
    other.resume(lastAlive: fixture.now, isEstimated: false, at: fixture.now)
    #expect(other.archivable(at: fixture.now) == ["algebra"])
  }

  // MARK: And back

  @Test("joins and requests are answered as if the session were in memory, in their order, only later")
  func parking() throws {
    let emmy = ShardFixture.identity("emmy", .host)
    func ask(_ fixture: ShardFixture) throws -> (ConnectionID, [UInt64]) {
      let ada = fixture.join("ada")
      try fixture.send(ada, #"{"type":"chat.history","id":2}"#)
      try fixture.send(ada, #"{"type":"signal","id":3,"to":"p","kind":"offer","payload":{"a":1}}"#)
      try fixture.send(ada, #"{"type":"chat.send","id":4,"text":"late"}"#)
      fixture.join("ada", on: ada)
      let requests: [RoomRequest] = [.attendance, .start(key: nil), .end(key: "x"), .join, .read]
      let ids = requests.map { fixture.request($0, by: emmy) }
      try fixture.send(ada, #"{"type":"session.leave","id":5}"#)
      return (ada, ids)
    }
    let (inMemory, _) = try over()
    let (expected, requests) = try ask(inMemory)
    try inMemory.release()

    let (fixture, classroom) = try archived()
    fixture.advance(inMemory.now.milliseconds(since: fixture.now))
    let (ada, ids) = try ask(fixture)
    try fixture.release()
    #expect(fixture.take(ada).isEmpty)
    #expect(fixture.shard.isMember(ada), "it stays with this shard")
    try load(fixture, classroom)
    #expect(!fixture.shard.isMember(ada))
    let told = fixture.take(ada)
    #expect(told == inMemory.take(expected))
    #expect(told.map(\.type) == ["session.joined", "ok", "error", "error", "error", "ok"])
    for (id, request) in zip(ids, requests) {
      let (answer, other) = (fixture.answers[id], inMemory.answers[request])
      #expect(answer != nil && "\(answer as Any)" == "\(other as Any)")
    }
    #expect(fixture.shard.takeLoads() == [])
  }

  @Test("what the stub can tell needs no load: the session itself, and who may not come in")
  func withoutLoad() throws {
    let (fixture, _) = try archived()
    let read = fixture.request(.read, by: ShardFixture.identity("ada"))
    let create = fixture.create("algebra")
    let foreign = ShardFixture.identity("eve", session: "geometry")
    let start = fixture.request(.start(key: nil), by: foreign)
    let eve = fixture.join(foreign)
    try fixture.release()
    guard case .success(.session(let view, mayJoin: true))? = fixture.answers[read],
      case .failure(.sessionExists)? = fixture.answers[create], case .failure(.notFound)? = fixture.answers[start]
    else {
      Issue.record("answered otherwise")
      return
    }
    #expect(view.status == .completed)
    #expect(fixture.take(eve).first?.text("code") == "not_found")
    #expect(fixture.shard.takeLoads() == [])
  }

  @Test("a key that was used before the session went to the archive is known when it is back")
  func keys() throws {
    let (fixture, host) = try ShardFixture.live()
    fixture.create("geometry", key: "c")
    let end = fixture.request(.end(key: "e"), by: ShardFixture.identity("emmy", .host))
    try fixture.sync()
    fixture.close(host)
    fixture.advance(10 * 60_000)
    let classroom = try #require(fixture.shard.classroom("algebra"))
    _ = fixture.shard.archivable(at: fixture.now)
    fixture.shard.didArchive("algebra", sequence: classroom.sequence)
    let again = fixture.request(.end(key: "e"), by: ShardFixture.identity("emmy", .host))
    try load(fixture, classroom)
    guard case .success(.ended(let first, _))? = fixture.answers[end],
      case .success(.ended(let second, _))? = fixture.answers[again]
    else {
      Issue.record("not answered again")
      return
    }
    #expect(first == second)
  }

  @Test("who closes while waiting for the load is forgotten")
  func closedMeanwhile() throws {
    let (fixture, classroom) = try archived()
    let (ada, bob) = (fixture.join("ada"), fixture.join("bob"))
    fixture.close(ada)
    try load(fixture, classroom)
    #expect(fixture.take(ada).isEmpty && !fixture.shard.isMember(ada))
    #expect(fixture.take(bob).first?.text("state") == "ended")
  }

  @Test("a session that cannot be loaded: everybody who waits is told once, and may ask again")
  func failedLoad() throws {
    let (fixture, classroom) = try archived()
    let ada = fixture.join("ada")
    try fixture.send(ada, #"{"type":"chat.history","id":2}"#)
    let report = fixture.request(.attendance, by: ShardFixture.identity("emmy", .host))
    #expect(fixture.shard.takeLoads() == ["algebra"])
    fixture.shard.didFailToLoad("algebra", at: fixture.now)
    try fixture.release()
    let told = fixture.take(ada)
    #expect(told.compactMap { $0.int("id") } == [1, 2] && told.allSatisfy { isUnavailable($0) })
    guard case .failure(.storageUnavailable(isCertain: true))? = fixture.answers[report] else {
      Issue.record("answered otherwise")
      return
    }
    fixture.join("ada", on: ada)
    try load(fixture, classroom)
    #expect(fixture.take(ada).first?.text("state") == "ended")
  }

  @Test("what is loaded must be what was archived")
  func otherHistory() throws {
    let (fixture, _) = try archived()
    let ada = fixture.join("ada")
    _ = fixture.shard.takeLoads()
    let creation = try #require(fixture.journal.first)
    fixture.shard.didLoad(try #require(Classroom(creation)), at: fixture.now)
    try fixture.release()
    #expect(isUnavailable(fixture.take(ada).first) && fixture.shard.sessions.isEmpty)
  }

  @Test("what waits is bounded; beyond that it is refused at once, and the rest is answered")
  func bounds() throws {
    let (fixture, classroom) = try archived()
    let connections = (0..<ParkingLimits.inputsPerSession + 10).map { fixture.join("u\($0)") }
    let report = fixture.request(.attendance, by: ShardFixture.identity("emmy", .host))
    try fixture.release()
    #expect(connections.suffix(10).allSatisfy { isUnavailable(fixture.take($0).first) })
    #expect(fixture.answers[report] != nil)
    try load(fixture, classroom)
    #expect(connections.dropLast(10).allSatisfy { fixture.take($0).first?.type == "session.joined" })
    #expect(connections.suffix(10).allSatisfy { !fixture.shard.isMember($0) })

    let (other, _) = try archived()
    let ada = other.join("ada")
    let text = String(repeating: "x", count: 4000)
    for _ in 0..<ParkingLimits.inputsPerSession { try other.send(ada, #"{"type":"chat.send","text":"\#(text)"}"#) }
    try other.release()
    #expect(other.take(ada).allSatisfy { isUnavailable($0) })
  }

  @Test("a loaded session leaves memory when nobody has used it for a while, and comes back again")
  func eviction() throws {
    let (fixture, classroom) = try archived()
    let ada = fixture.join("ada")
    try load(fixture, classroom)
    fixture.advance(10 * 60_000)
    #expect(fixture.shard.sessions == ["algebra"], "ada reads")
    #expect(fixture.shard.archivable(at: fixture.now) == [], "it lies in the archive")
    #expect(fixture.shard.archived.count == 1)
    fixture.close(ada)
    fixture.advance(120_000)
    #expect(fixture.shard.sessions.isEmpty)
    let report = fixture.request(.attendance, by: ShardFixture.identity("emmy", .host))
    try load(fixture, classroom)
    #expect(fixture.answers[report] != nil)
    fixture.advance(50_000)
    _ = fixture.request(.read, by: ShardFixture.identity("emmy", .host))
    fixture.advance(50_000)
    #expect(fixture.shard.sessions == ["algebra"], "used meanwhile")
    fixture.advance(120_000)
    #expect(fixture.shard.sessions.isEmpty)
    #expect(fixture.isResting)
  }

  @Test("a forgotten session does not exist, and the catalog hears so; one that is in use is not forgotten")
  func forget() throws {
    let (fixture, classroom) = try archived()
    let ada = fixture.join("ada")
    #expect(!fixture.shard.forget("algebra", at: fixture.now), "ada waits for it")
    try load(fixture, classroom)
    #expect(!fixture.shard.forget("algebra", at: fixture.now), "ada reads it")
    fixture.close(ada)
    #expect(fixture.shard.forget("algebra", at: fixture.now))
    #expect(!fixture.shard.forget("algebra", at: fixture.now))
    let bob = fixture.join("bob")
    try fixture.release()
    #expect(fixture.retracted == ["algebra"])
    #expect(fixture.take(bob).first?.text("code") == "not_found")
    #expect(fixture.shard.archived.isEmpty && fixture.shard.sessions.isEmpty)
    let again = fixture.create("algebra")
    try fixture.sync()
    guard case .success? = fixture.answers[again] else {
      Issue.record("not created")
      return
    }
  }

  @Test("a join behind one that is refused is not lost")
  func secondJoin() throws {
    let (fixture, classroom) = try archived()
    fixture.create("geometry")
    try fixture.sync()
    let ada = fixture.join("ada")
    fixture.join("ada", "geometry", on: ada)
    try load(fixture, classroom)
    let told = fixture.take(ada)
    #expect(told.map(\.type) == ["session.joined", "error"])
    #expect(told.last?.text("code") == "already_joined")
  }

  @Test("while the storage has failed archived sessions are read as ever")
  func trouble() throws {
    let (fixture, classroom) = try archived()
    try fixture.failStorage()
    let ada = fixture.join("ada")
    try fixture.send(ada, #"{"type":"chat.history","id":2}"#)
    try load(fixture, classroom)
    #expect(fixture.take(ada).map(\.type) == ["session.joined", "ok"])
  }
}
