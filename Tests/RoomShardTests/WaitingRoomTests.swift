import Classroom
import SignalingProtocol
import Testing

@testable import RoomShard

@Suite("The waiting room")
struct WaitingRoomTests {
  private func fixture(
    admission: SessionDetails.Admission = .open, capacity: Int? = nil, isLive: Bool = true
  ) throws -> (ShardFixture, host: ConnectionID) {
    let fixture = ShardFixture()
    var draft = SessionDraft(title: "Algebra")
    draft.admission = admission
    draft.capacity = capacity
    draft.hasWaitingRoom = true
    fixture.request(
      .create(draft, id: "algebra", roomName: "r", epoch: "e", key: nil), by: ShardFixture.identity("emmy", .host))
    let host = fixture.join(ShardFixture.identity("emmy", .host))
    if isLive { try fixture.send(host, #"{"type":"session.start"}"#) }
    try fixture.settle()
    _ = fixture.take(host)
    return (fixture, host)
  }

  @Test("who comes to a live class waits for a host; the host sees who, and lets one in")
  func admitOne() throws {
    let (fixture, host) = try fixture()
    let ada = fixture.join("ada")
    let bob = fixture.join("bob")
    try fixture.settle()
    let state = try #require(fixture.take(host, "waiting.state").last)
    #expect(state.int("count") == 2)
    #expect(fixture.take(ada).first?.text("state") == "waiting")
    #expect(fixture.segments("ada").isEmpty)

    try fixture.send(host, #"{"type":"waiting.admit","id":3,"user":"ada"}"#)
    try fixture.settle()
    #expect(fixture.take(host).first { $0.type == "ok" }?.int("count") == 1)
    #expect(fixture.take(ada).first { $0.type == "session.joined" }?.text("state") == "present")
    #expect(!fixture.take(bob).contains { $0.text("state") == "present" })
    #expect(fixture.segments("ada").count == 1)
    #expect(fixture.shard.classroom("algebra")?.lobby.waiting.map(\.user) == ["bob"])
  }

  @Test("who was let in comes back without asking, after the grace and after a crash too")
  func comesBack() throws {
    let (fixture, host) = try fixture()
    let ada = fixture.join("ada")
    try fixture.send(host, #"{"type":"waiting.admit","all":true}"#)
    try fixture.settle()
    fixture.close(ada)
    fixture.advance(30_000)
    try fixture.settle()
    let again = fixture.join("ada")
    try fixture.settle()
    #expect(fixture.take(again).first?.text("state") == "present")
    try fixture.crash()
    let later = fixture.join("ada")
    try fixture.settle()
    #expect(fixture.take(later).first?.text("state") == "present")
    #expect(fixture.join("bob") != later)
  }

  @Test("who is turned away hears it, is out, and stays out")
  func deny() throws {
    let (fixture, host) = try fixture()
    let ada = fixture.join("ada")
    try fixture.settle()
    _ = fixture.take(ada)
    try fixture.send(host, #"{"type":"waiting.deny","id":3,"user":"ada"}"#)
    try fixture.settle()
    #expect(fixture.take(ada).map(\.type) == ["waiting.denied"])
    #expect(!fixture.shard.isMember(ada))
    fixture.join(ShardFixture.identity("ada"), on: ada)
    try fixture.sync()
    #expect(fixture.take(ada).map { $0.text("code") } == ["denied"])
  }

  @Test("a full class keeps who was let in waiting, until a place is free")
  func capacity() throws {
    let (fixture, host) = try fixture(capacity: 2)
    let (ada, bob) = (fixture.join("ada"), fixture.join("bob"))
    try fixture.send(host, #"{"type":"waiting.admit","all":true}"#)
    try fixture.settle()
    #expect(fixture.take(ada).contains { $0.text("state") == "present" })
    #expect(fixture.take(bob).contains { $0.text("code") == "session_full" })
    try fixture.send(ada, #"{"type":"session.leave"}"#)
    try fixture.settle()
    #expect(fixture.take(bob).contains { $0.text("state") == "present" })
  }

  @Test("who may not come in may knock, and hears nothing but the session's own events")
  func knock() throws {
    let (fixture, host) = try fixture(admission: .approval, isLive: false)
    let ada = fixture.join("ada")
    let guest = fixture.join(ShardFixture.identity("g", guest: true))
    try fixture.settle()
    #expect(fixture.take(guest).map { $0.text("code") } == ["not_found"])
    let joined = fixture.take(ada)
    #expect(joined.map(\.type) == ["session.joined"] && joined[0].flag("waiting.approved") == false)
    #expect(joined[0]["waiting.count"] == nil)
    try fixture.send(host, #"{"type":"session.start"}"#)
    try fixture.settle()
    #expect(fixture.take(ada).map(\.type) == ["session.status"], "the start lets in who may come in")
    try fixture.send(host, #"{"type":"waiting.admit","user":"ada"}"#)
    try fixture.settle()
    #expect(fixture.take(ada).first?.text("state") == "present")
  }

  @Test("approving a registration lets in who knocks")
  func approvalLetsIn() throws {
    let (fixture, _) = try fixture(admission: .approval)
    let ada = fixture.join("ada")
    try fixture.settle()
    _ = fixture.take(ada)
    let emmy = ShardFixture.identity("emmy", .host)
    let asked = fixture.request(.perform(.register, key: nil), by: ShardFixture.identity("ada"))
    let approved = fixture.request(.perform(.approveRegistration(user: "ada"), key: nil), by: emmy)
    try fixture.settle()
    guard case .success(.performed(.registration(.requested), _, participants: 1))? = fixture.answers[asked],
      case .success(.performed(.registration(.approved), _, _))? = fixture.answers[approved]
    else {
      Issue.record("not answered")
      return
    }
    #expect(fixture.shard.classroom("algebra")?.lobby["ada"]?.isApproved == true, "the room is guarded all the same")
    let host = fixture.join(emmy)
    try fixture.send(host, #"{"type":"waiting.admit","all":true}"#)
    try fixture.settle()
    #expect(fixture.take(ada).contains { $0.text("state") == "present" })
  }

  @Test("switching the waiting room off lets everybody in who may come")
  func switchedOff() throws {
    let (fixture, host) = try fixture()
    let ada = fixture.join("ada")
    try fixture.settle()
    _ = fixture.take(ada)
    try fixture.send(host, #"{"type":"session.update","id":1,"waiting_room":false}"#)
    try fixture.settle()
    #expect(
      fixture.take(ada).filter { $0.type == "session.updated" || $0.type == "session.joined" }.map(\.type)
        == ["session.updated", "session.joined"])
  }

  @Test("HTTP gives a ticket for the waiting room, and opens no attendance")
  func http() throws {
    let (fixture, _) = try fixture()
    let request = fixture.request(.join, by: ShardFixture.identity("ada"))
    try fixture.sync()
    guard case .success(.joined(_, .participant, participants: 1))? = fixture.answers[request] else {
      Issue.record("no ticket")
      return
    }
    #expect(fixture.segments("ada").isEmpty)
  }

  @Test("waiting is written down, and ends with the tab, with a crash, and with coming in")
  func journal() throws {
    let (fixture, host) = try fixture()
    func events() -> [String] {
      fixture.journal.compactMap { event in
        switch event.event {
        case .knocked(let waiter): "knocked \(waiter.user)"
        case .waitingEnded(let user, _): "ended \(user)"
        default: nil
        }
      }
    }
    let ada = fixture.join("ada")
    let second = fixture.join("ada")
    fixture.close(ada)
    try fixture.sync()
    #expect(events() == ["knocked emmy", "knocked ada"])
    fixture.close(second)
    fixture.join("bob")
    try fixture.sync()
    #expect(events() == ["knocked emmy", "knocked ada", "ended ada", "knocked bob"])
    try fixture.crash()
    #expect(events() == ["ended bob"])
    #expect(fixture.shard.classroom("algebra")?.lobby.waiting.isEmpty == true)
    _ = host
  }
}
