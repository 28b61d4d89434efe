import Classroom
import SignalingProtocol
import Testing

@testable import RoomShard

@Suite("The life of a session in its room")
struct SessionAgendaTests {
  private static let minute: Int64 = 60_000

  private func planned(
    _ fixture: ShardFixture, inMinutes minutes: Int64, _ change: (inout SessionDraft) -> Void = { _ in }
  ) throws {
    var draft = SessionDraft(title: "Algebra")
    draft.admission = .open
    draft.scheduledAt = fixture.now.advanced(byMilliseconds: minutes * Self.minute)
    change(&draft)
    fixture.request(
      .create(draft, id: "algebra", roomName: "r", epoch: "e", key: nil), by: ShardFixture.identity("emmy", .host))
    try fixture.sync()
  }

  @Test("a reminder goes to who waits, once, also across a crash")
  func reminders() throws {
    let fixture = ShardFixture()
    try planned(fixture, inMinutes: 100)
    let ada = fixture.join("ada")
    fixture.advance(41 * Self.minute)
    try fixture.sync()
    #expect(fixture.take(ada, "session.reminder").map { $0.int("minutes") } == [60])
    try fixture.crash()
    let again = fixture.join("ada")
    fixture.advance(28 * Self.minute)
    try fixture.sync()
    #expect(fixture.take(again, "session.reminder").isEmpty)
    fixture.advance(2 * Self.minute)
    try fixture.sync()
    #expect(fixture.take(again, "session.reminder").map { $0.int("minutes") } == [30])
  }

  @Test("a session that was never live expires, and who waits is out")
  func expiry() throws {
    let fixture = ShardFixture()
    try planned(fixture, inMinutes: 0)
    let ada = fixture.join("ada")
    fixture.advance(61 * Self.minute + SessionTimes().expireAfterMilliseconds)
    try fixture.sync()
    #expect(fixture.take(ada, "session.status").map { $0.text("status") } == ["expired"])
    #expect(fixture.published.last?.status == .expired)
    fixture.join(ShardFixture.identity("ada"), on: ada)
    try fixture.sync()
    #expect(fixture.take(ada).map { $0.text("code") } == ["wrong_state"])
  }

  @Test("a class that everybody has left is completed after a while; who comes back before is in time")
  func completion() throws {
    let (fixture, host) = try ShardFixture.live()
    let limit = SessionTimes().completeAfterMilliseconds
    fixture.close(host)
    fixture.advance(21_000 + limit / 2)
    let ada = fixture.join("ada")
    try fixture.settle()
    #expect(fixture.take(ada).first?.text("state") == "present")
    fixture.advance(limit)
    #expect(fixture.shard.classroom("algebra")?.status == .ongoing)
    fixture.close(ada)
    fixture.advance(20_000 + limit - 1000)
    #expect(fixture.shard.classroom("algebra")?.status == .ongoing)
    fixture.advance(2000)
    try fixture.sync()
    #expect(fixture.shard.classroom("algebra")?.status == .completed)
    #expect(fixture.published.last?.status == .completed && fixture.published.last?.startedBy == "emmy")
  }

  @Test("after a restart nobody is in, and the time until completion begins anew")
  func completionAfterRestart() throws {
    let (fixture, _) = try ShardFixture.live()
    try fixture.crash(downFor: 3_600_000)
    fixture.advance(20_000 + SessionTimes().completeAfterMilliseconds - 1000)
    #expect(fixture.shard.classroom("algebra")?.status == .ongoing)
    fixture.advance(2000)
    #expect(fixture.shard.classroom("algebra")?.status == .completed)
  }

  @Test("a proposal is approved by the host over HTTP, and nobody else sees it before")
  func booking() throws {
    let fixture = ShardFixture()
    var draft = SessionDraft(title: "Help")
    draft.host = "emmy"
    draft.scheduledAt = fixture.now.advanced(byMilliseconds: 3_600_000)
    let (ada, emmy) = (ShardFixture.identity("ada"), ShardFixture.identity("emmy", .host))
    fixture.request(.create(draft, id: "help", roomName: "r", epoch: "e", key: "k"), "help", by: ada)
    let guess = fixture.request(.read, "help", by: ShardFixture.identity("bob"))
    let wrong = fixture.request(.perform(.approve, key: nil), "help", by: ada)
    let right = fixture.request(.perform(.approve, key: "a"), "help", by: emmy)
    try fixture.sync()
    #expect(fixture.published.first?.status == .pendingApproval)
    guard case .failure(.notFound)? = fixture.answers[guess], case .failure(.forbidden)? = fixture.answers[wrong],
      case .success(.performed(.status(let change), let view, participants: 0))? = fixture.answers[right]
    else {
      Issue.record("\(fixture.answers)")
      return
    }
    #expect(change.status == .scheduled && view.status == .scheduled && view.details.proposer == "ada")
    #expect(try fixture.replay().first?.status == .scheduled)
  }

  @Test("a deleted session is gone for everybody; its id is free after two snapshots")
  func deletion() throws {
    let fixture = ShardFixture()
    fixture.create()
    let ada = fixture.join("ada")
    try fixture.sync()
    _ = fixture.take(ada)
    let emmy = ShardFixture.identity("emmy", .host)
    fixture.request(.perform(.delete, key: nil), by: emmy)
    #expect(fixture.retracted.isEmpty)
    try fixture.sync()
    #expect(fixture.take(ada).map(\.type) == ["session.deleted"] && fixture.retracted == ["algebra"])
    let read = fixture.request(.read, by: emmy)
    let taken = fixture.create()
    try fixture.sync()
    guard case .failure(.notFound)? = fixture.answers[read], case .failure(.sessionExists)? = fixture.answers[taken]
    else {
      Issue.record("\(fixture.answers)")
      return
    }
    fixture.shard.buryDeleted()
    #expect(fixture.shard.classroom("algebra")?.isDeleted == true, "the snapshot that begins now says so")
    fixture.shard.buryDeleted()
    #expect(fixture.shard.sessions.isEmpty)
    fixture.create()
    try fixture.release()
    #expect(fixture.shard.classroom("algebra")?.sequence == 1)
  }

  @Test("a deletion that is void leaves the session, and who was sent away is in again")
  func voidDeletion() throws {
    let fixture = ShardFixture()
    fixture.create()
    let ada = fixture.join("ada")
    try fixture.settle()
    _ = fixture.take(ada)
    fixture.request(.perform(.delete, key: nil), by: ShardFixture.identity("emmy", .host))
    try fixture.failStorage()
    try fixture.healStorage()
    try fixture.settle()
    #expect(fixture.retracted.isEmpty && fixture.shard.classroom("algebra")?.isDeleted == false)
    #expect(fixture.shard.isMember(ada))
    let host = fixture.join(ShardFixture.identity("emmy", .host))
    try fixture.send(host, #"{"type":"session.start"}"#)
    try fixture.settle()
    #expect(fixture.take(ada).contains { $0.text("state") == "present" })
  }

  @Test("a class that is opened again takes in who reads, and a full one sends the rest away")
  func reopened() throws {
    let (fixture, host) = try ShardFixture.live(capacity: 2)
    try fixture.send(host, #"{"type":"session.end"}"#)
    let (ada, bob) = (fixture.join("ada"), fixture.join("bob"))
    try fixture.settle()
    for connection in [host, ada, bob] { _ = fixture.take(connection) }
    try fixture.send(host, #"{"type":"session.start"}"#)
    try fixture.settle()
    #expect(fixture.take(host).contains { $0.text("state") == "present" })
    #expect(fixture.take(ada).contains { $0.text("state") == "present" })
    #expect(fixture.take(bob).first { $0.type == "session.dismissed" }?.text("code") == "session_full")
    #expect(fixture.segments("emmy").count == 2)
  }

  @Test("a hundred thousand sessions that wait for their time take at most a kilobyte each, with their timers")
  func manySessions() throws {
    // What a session takes beside its texts: the parts that are counted by the compiler.
    let fixed = MemoryLayout<Classroom>.size + MemoryLayout<AgendaQueue.Entry>.stride
    #expect(fixed <= 1100, "\(MemoryLayout<Classroom>.size)")
    let fixture = ShardFixture()
    for number in 0..<2000 {
      var draft = SessionDraft(title: "S")
      draft.scheduledAt = fixture.now.advanced(byMilliseconds: Int64(number + 100) * Self.minute)
      draft.reminders = []
      fixture.request(
        .create(draft, id: "s\(number)", roomName: "r", epoch: "e", key: nil), "s\(number)",
        by: ShardFixture.identity("emmy", .host))
    }
    try fixture.sync()
    #expect(fixture.shard.timers.agenda.count == 2000, "one timer each")
  }
}
