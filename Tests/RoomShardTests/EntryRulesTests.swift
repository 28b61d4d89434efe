import Classroom
import SignalingProtocol
import Testing

@testable import RoomShard

/// Where what hosts decide about the room and about people meets the waiting room.
@Suite("Rules of entry")
struct EntryRulesTests {
  /// A live session with its host; everything synced and taken.
  private static func lesson(
    hasWaitingRoom: Bool, admission: SessionDetails.Admission = .open
  ) throws -> (ShardFixture, host: ConnectionID) {
    let fixture = ShardFixture()
    var draft = SessionDraft(title: "Algebra")
    draft.hasWaitingRoom = hasWaitingRoom
    draft.admission = admission
    fixture.request(
      .create(draft, id: "algebra", roomName: "r", epoch: "e", key: nil), by: ShardFixture.identity("emmy", .host))
    let host = fixture.join(ShardFixture.identity("emmy", .host))
    try fixture.send(host, #"{"type":"session.start"}"#)
    try fixture.settle()
    _ = fixture.take(host)
    return (fixture, host)
  }

  @Test("a waiting room that is put up in the class keeps who comes then, and lets them in when it is taken down")
  func policy() throws {
    let (fixture, host) = try Self.lesson(hasWaitingRoom: false)
    let ada = fixture.join("ada")
    try fixture.send(host, #"{"type":"room.policy","id":3,"waiting_room":true}"#)
    let bo = fixture.join("bo")
    try fixture.settle()
    #expect(fixture.take(ada).contains { $0.text("state") == "present" })
    #expect(fixture.take(bo).first?.text("state") == "waiting")
    try fixture.crash()
    let again = fixture.join("bo")
    let teacher = fixture.join(ShardFixture.identity("emmy", .host))
    try fixture.settle()
    #expect(fixture.take(again).first?.text("state") == "waiting", "after a restart, too")
    try fixture.send(teacher, #"{"type":"room.policy","id":3,"waiting_room":false}"#)
    try fixture.settle()
    #expect(fixture.take(again).contains { $0.text("state") == "present" })
  }

  @Test("a lock keeps out whom a host admits, until it is taken off")
  func lock() throws {
    let (fixture, host) = try Self.lesson(hasWaitingRoom: true)
    let ada = fixture.join("ada")
    try fixture.send(host, #"{"type":"room.lock","id":3,"on":true}"#)
    try fixture.send(host, #"{"type":"waiting.admit","id":4,"user":"ada"}"#)
    try fixture.settle()
    #expect(fixture.take(ada).last { $0.type == "error" }?.text("code") == "locked")
    #expect(fixture.segments("ada").isEmpty)
    try fixture.send(host, #"{"type":"room.lock","id":5,"on":false}"#)
    try fixture.settle()
    #expect(fixture.take(ada).contains { $0.text("state") == "present" })
  }

  @Test("who is banned waits no longer, and may not even knock")
  func ban() throws {
    let (fixture, host) = try Self.lesson(hasWaitingRoom: true, admission: .registered)
    let ada = fixture.join("ada")
    try fixture.settle()
    #expect(fixture.take(ada).first?.text("state") == "waiting")
    try fixture.send(host, #"{"type":"participant.ban","id":3,"user":"ada"}"#)
    try fixture.settle()
    #expect(fixture.closed[ada] == .banned)
    #expect(fixture.shard.classroom("algebra")?.lobby.waiting.isEmpty == true)
    fixture.close(ada)
    let again = fixture.join("ada")
    try fixture.sync()
    #expect(fixture.take(again).first?.text("code") == "forbidden")
    #expect(fixture.take(host, "waiting.state").last?.int("count") == 0)
  }

  @Test("who is promoted while waiting comes in, and is told who else waits")
  func promotion() throws {
    let (fixture, host) = try Self.lesson(hasWaitingRoom: true)
    let (ada, bo) = (fixture.join("ada"), fixture.join("bo"))
    try fixture.settle()
    _ = (fixture.take(ada), fixture.take(bo))
    try fixture.send(host, #"{"type":"participant.promote","id":3,"user":"ada"}"#)
    try fixture.settle()
    let messages = fixture.take(ada)
    let joined = try #require(messages.first { $0.type == "session.joined" })
    #expect(joined.text("state") == "present" && joined["you"]?.text("role") == "cohost")
    #expect(messages.last { $0.type == "waiting.state" }?.list("people").map { $0.text("user") } == ["bo"])
    try fixture.send(ada, #"{"type":"waiting.admit","id":4,"user":"bo"}"#)
    try fixture.settle()
    #expect(fixture.take(bo).contains { $0.text("state") == "present" })
    try fixture.send(host, #"{"type":"participant.demote","id":5,"user":"ada"}"#)
    try fixture.settle()
    _ = fixture.take(ada)
    _ = fixture.join("cy")
    try fixture.settle()
    #expect(fixture.take(ada, "waiting.state").isEmpty, "who leads no longer is told no longer")
  }
}
