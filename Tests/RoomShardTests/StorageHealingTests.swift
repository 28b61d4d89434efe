import Classroom
import Testing

@testable import RoomShard

@Suite("When the storage has healed")
struct StorageHealingTests: StorageTroubleSetting {

  @Test("a message that is on the disk after all is told, and the numbers go on behind it")
  func survivingMessage() throws {
    let (fixture, host, ada, bob) = try frozen(isCertain: false, surviving: 1)
    try fixture.healStorage()
    for connection in [host, ada, bob] {
      let told = fixture.take(connection)
      #expect(told.first { $0.type == "chat.message" }?.int("seq") == 2)
      #expect(told.filter { $0.type == "presence.state" && $0["id"] == nil }.count == 1)
    }
    try fixture.send(host, #"{"type":"chat.send","text":"next"}"#)
    try fixture.sync()
    #expect(fixture.take(ada, "chat.message").map { $0.int("seq") } == [3])
  }

  @Test("a start that is on the disk after all lets in who waits")
  func survivingStart() throws {
    let fixture = ShardFixture()
    fixture.create()
    let ada = fixture.join("ada")
    try fixture.settle()
    _ = fixture.take(ada)
    let start = fixture.request(.start(key: "k"), by: ShardFixture.identity("emmy", .host))
    try fixture.failStorage(isCertain: false, surviving: 2)
    #expect(fixture.take(ada).isEmpty)
    try fixture.healStorage()
    try fixture.settle()
    #expect(
      fixture.take(ada).map(\.type).filter { $0 != "waiting.count" } == [
        "session.status", "session.joined", "presence.diff",
      ])
    #expect(fixture.published.last?.status == .ongoing)
    let again = fixture.request(.start(key: "k"), by: ShardFixture.identity("emmy", .host))
    try fixture.sync()
    guard case .failure(.storageUnavailable(isCertain: false))? = fixture.answers[start],
      case .success(.started(let change, _, _))? = fixture.answers[again]
    else {
      Issue.record("the repetition was not answered")
      return
    }
    #expect(change.revision == 2)
    fixture.advance(120_000)
    try fixture.settle()
    #expect(
      fixture.shard.classroom("algebra")?.attendance.isActive("emmy") == false, "the host never came with a socket")
  }

  @Test("an end that is on the disk after all is told")
  func survivingEnd() throws {
    let (fixture, host, ada, _) = try populated()
    try fixture.send(host, #"{"type":"session.end","id":1}"#)
    try fixture.failStorage(isCertain: false, surviving: 1)
    #expect(isRefused(fixture.take(host).first, outcome: "unknown"))
    try fixture.healStorage()
    try fixture.settle()
    #expect(fixture.take(ada).map(\.type) == ["session.status"])
    try fixture.send(ada, #"{"type":"chat.history","id":2}"#)
    try fixture.sync()
    #expect(fixture.take(ada).map(\.type) == ["ok"])
  }

  @Test("whose leaving is on the disk after all, and who is still connected, comes in again")
  func survivingLeave() throws {
    let (fixture, host, ada, _) = try populated()
    try fixture.send(ada, #"{"type":"session.leave","id":1}"#)
    try fixture.failStorage(isCertain: false, surviving: 1)
    #expect(isRefused(fixture.take(ada).first, outcome: "unknown"))
    try fixture.healStorage()
    #expect(fixture.take(host, "presence.state").last?.int("count") == 2)
    try fixture.settle()
    #expect(fixture.take(host, "presence.diff").last?.list("joined").first?.text("user") == "ada")
    #expect(fixture.segments("ada").count == 2)
  }

  @Test("a disk that has lost what was told: everybody is to come again")
  func lostHistory() throws {
    let (fixture, host, ada, _) = try populated()
    let older = try fixture.classrooms()["algebra"]
    try fixture.send(host, #"{"type":"chat.send","text":"told"}"#)
    try fixture.sync()
    try fixture.send(host, #"{"type":"chat.send","text":"void"}"#)
    try fixture.failStorage()
    fixture.shard.storageHealed(["algebra": older], at: fixture.now)
    try fixture.release()
    #expect(fixture.closed[host] == .serviceRestart && fixture.closed[ada] == .serviceRestart)
    #expect(!fixture.shard.isMember(ada))
    #expect(try fixture.room().detachments.keys.sorted() == ["ada", "bob", "emmy"])
  }

  @Test("a room that the disk does not know is gone, and who is in it is sent away")
  func goneRoom() throws {
    let (fixture, host, _, _) = try frozen()
    fixture.shard.storageHealed(["algebra": nil as Classroom?], at: fixture.now)
    try fixture.release()
    #expect(fixture.closed[host] == .serviceRestart)
    #expect(fixture.retracted == ["algebra"] && fixture.shard.sessions.isEmpty)
    fixture.advance(60_000)
    let cyd = fixture.join("cyd")
    try fixture.release()
    #expect(fixture.take(cyd).first?.text("code") == "not_found")
  }

  @Test("a room that the healing does not name stays frozen until it does")
  func partly() throws {
    let (fixture, host, ada, _) = try frozen()
    fixture.shard.storageHealed([:], at: fixture.now)
    #expect(fixture.shard.frozenSessions == ["algebra"] && !fixture.shard.hasStorageFailed)
    try fixture.send(host, #"{"type":"chat.send","id":1,"text":"no"}"#)
    try fixture.release()
    #expect(isRefused(fixture.take(host).first))
    fixture.close(ada)
    fixture.advance(60_000)
    try fixture.healStorage()
    try fixture.send(host, #"{"type":"chat.send","id":2,"text":"yes"}"#)
    try fixture.settle()
    #expect(fixture.take(host, "ok").map { $0.int("id") } == [2])
    #expect(fixture.shard.classroom("algebra")?.attendance.isActive("ada") == false)
  }

  @Test("a second failure right after the healing takes back what the healing wrote, and nothing is done twice")
  func again() throws {
    let (fixture, host, ada, _) = try frozen()
    let lastHeard = fixture.now
    fixture.close(ada, lastHeard: lastHeard)
    fixture.advance(30_000)
    try fixture.healStorage()
    try fixture.send(host, #"{"type":"chat.send","id":1,"text":"void again"}"#)
    try fixture.failStorage()
    #expect(isRefused(fixture.take(host).last { $0.type == "error" }))
    fixture.advance(5000)
    try fixture.healStorage()
    try fixture.settle()
    #expect(fixture.segments("ada").map(\.to) == [lastHeard])
    #expect(fixture.shard.classroom("algebra")?.chat.messages.isEmpty == true)
    #expect(fixture.take(host, "presence.diff").last?.int("count") == 2)
  }
}
