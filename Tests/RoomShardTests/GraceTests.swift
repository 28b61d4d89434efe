import Classroom
import Testing

@testable import RoomShard

@Suite("Losing a socket is not leaving")
struct GraceTests {
  private func changes(_ messages: [Message]) -> (joined: [String], updated: [String], left: [String]) {
    let diffs = messages.filter { $0.type == "presence.diff" }
    func users(_ list: String) -> [String] { diffs.flatMap { $0.list(list).compactMap { $0.text("user") } } }
    return (users("joined"), users("updated"), users("left"))
  }

  @Test("back within the grace: no leave, no join, no gap in attendance; the old socket's late close changes nothing")
  func back() throws {
    let (fixture, host) = try ShardFixture.live()
    let old = fixture.join("ada")
    try fixture.settle()
    _ = fixture.take(host)
    let start = fixture.segments("ada")
    fixture.close(old)
    try fixture.settle()
    #expect(changes(fixture.take(host)).updated == ["ada"])
    fixture.advance(19_000)
    let records = fixture.journal.count
    let new = fixture.join("ada")
    try fixture.settle()
    #expect(fixture.journal.dropFirst(records).map(\.event) == [.returned(user: "ada")])
    var told = changes(fixture.take(host))
    #expect(told.joined == [] && told.left == [] && told.updated == ["ada"])
    #expect(fixture.take(new).first?.list("presence.participants").count == 2)
    fixture.close(old)
    fixture.advance(60_000)
    try fixture.sync()
    told = changes(fixture.take(host))
    #expect(told.left == [])
    #expect(fixture.segments("ada") == start)
  }

  @Test("not back within the grace: gone since last heard")
  func gone() throws {
    let (fixture, host) = try ShardFixture.live()
    let ada = fixture.join("ada")
    try fixture.settle()
    _ = fixture.take(host)
    let lastHeard = fixture.now
    fixture.advance(10_000)
    fixture.close(ada, lastHeard: lastHeard)
    fixture.advance(19_999)
    try fixture.sync()
    #expect(fixture.shard.classroom("algebra")?.attendance.isActive("ada") == true)
    fixture.advance(1)
    try fixture.settle()
    #expect(fixture.segments("ada").last?.to == lastHeard)
    #expect(fixture.segments("ada").last?.isEstimated == false)
    #expect(changes(fixture.take(host)).left == ["ada"])
    fixture.join("ada")
    #expect(fixture.segments("ada").count == 2, "later it is a new join")
  }

  @Test("who is not back when the class ends was there until last heard, and the end is answered by its key again")
  func goneAtTheEnd() throws {
    let (fixture, host) = try ShardFixture.live()
    let ada = fixture.join("ada")
    try fixture.settle()
    let lastHeard = fixture.now
    fixture.close(ada, lastHeard: lastHeard)
    fixture.advance(5000)
    try fixture.send(host, #"{"type":"session.end","id":3,"key":"k"}"#)
    try fixture.settle()
    #expect(fixture.segments("ada").last?.to == lastHeard)
    let ok = fixture.take(host).first { $0.type == "ok" }
    #expect(ok?.text("session.status") == "completed")
    try fixture.send(host, #"{"type":"session.end","id":3,"key":"k"}"#)
    try fixture.settle()
    #expect(fixture.take(host).first { $0.type == "ok" } == ok)
  }

  @Test("several crashes within the grace do not make anybody stay longer than heard")
  func crashUponCrash() throws {
    let (fixture, _) = try ShardFixture.live()
    let ada = fixture.join("ada")
    fixture.join("bob")
    try fixture.settle()
    let adaHeard = fixture.now
    fixture.close(ada, lastHeard: adaHeard)
    fixture.advance(5000)
    try fixture.settle()
    let bobHeard = fixture.now
    for _ in 0..<5 {
      try fixture.crash(lastAlive: fixture.now, downFor: 1000)
      fixture.advance(7000)
      try fixture.settle()
    }
    fixture.advance(20_000)
    try fixture.settle()
    #expect(fixture.segments("ada").map(\.to) == [adaHeard] && fixture.segments("ada").map(\.isEstimated) == [false])
    #expect(fixture.segments("bob").map(\.to) == [bobHeard] && fixture.segments("bob").map(\.isEstimated) == [true])
  }

  @Test("a second drop begins a new grace")
  func secondDrop() throws {
    let (fixture, _) = try ShardFixture.live()
    fixture.close(fixture.join("ada"))
    fixture.advance(15_000)
    fixture.close(fixture.join("ada"))
    fixture.advance(15_000)
    #expect(fixture.shard.classroom("algebra")?.attendance.isActive("ada") == true)
    fixture.advance(5000)
    #expect(fixture.shard.classroom("algebra")?.attendance.isActive("ada") == false)
  }

  @Test("two tabs count once, and the person is there until the last one is gone")
  func twoTabs() throws {
    let (fixture, host) = try ShardFixture.live()
    let (first, second) = (fixture.join("ada"), fixture.join("ada"))
    try fixture.settle()
    let diff = try #require(fixture.take(host, "presence.diff").last)
    #expect(diff.int("count") == 2)
    #expect(diff.list("joined").first?.list("peers").count == 2)
    try fixture.send(first, #"{"type":"media.set","audio":true}"#)
    try fixture.send(second, #"{"type":"media.set","video":true}"#)
    try fixture.settle()
    let both = try #require(fixture.take(host, "presence.diff").last?.list("updated").first)
    #expect(both.flag("audio_enabled") == true && both.flag("video_enabled") == true)
    fixture.close(first)
    fixture.advance(60_000)
    try fixture.sync()
    let one = try #require(fixture.take(host, "presence.diff").last?.list("updated").first)
    #expect(one.flag("audio_enabled") == false && one.flag("video_enabled") == true)
    #expect(fixture.shard.classroom("algebra")?.attendance.isActive("ada") == true)
    try fixture.send(second, #"{"type":"session.leave"}"#)
    #expect(fixture.segments("ada").map(\.to) == [fixture.now])
  }

  @Test("of two lost tabs the one that was heard last counts, in whatever order they close")
  func lastHeardOfTabs() throws {
    let (fixture, _) = try ShardFixture.live()
    let (first, second) = (fixture.join("ada"), fixture.join("ada"))
    let early = fixture.now.advanced(byMilliseconds: 5000)
    fixture.advance(10_000)
    let late = fixture.now
    fixture.close(first, lastHeard: late)
    fixture.advance(15_000)
    fixture.close(second, lastHeard: early)
    fixture.advance(20_000)
    #expect(fixture.segments("ada").map(\.to) == [late])
  }

  @Test("a tab that leaves was heard, also when another one was lost before")
  func leaveAndLostTab() throws {
    let (fixture, _) = try ShardFixture.live()
    let (first, second) = (fixture.join("ada"), fixture.join("ada"))
    fixture.advance(10_000)
    let left = fixture.now
    try fixture.send(first, #"{"type":"session.leave"}"#)
    fixture.advance(5000)
    fixture.close(second, lastHeard: left.advanced(byMilliseconds: -7000))
    fixture.advance(20_000)
    #expect(fixture.segments("ada").map(\.to) == [left])
  }

  @Test("session.leave ends attendance at once, and nothing more of the session comes")
  func leave() throws {
    let (fixture, host) = try ShardFixture.live()
    let ada = fixture.join("ada")
    try fixture.settle()
    _ = fixture.take(ada)
    try fixture.send(ada, #"{"type":"session.leave","id":4}"#)
    try fixture.send(host, #"{"type":"chat.send","text":"Bye"}"#)
    try fixture.settle()
    #expect(fixture.take(ada) == [.object(["type": .string("ok"), "id": .integer(4)])])
    #expect(fixture.segments("ada").map(\.to).first ?? nil == fixture.now.advanced(byMilliseconds: -250))
    try fixture.send(ada, #"{"type":"chat.history","id":5}"#)
    try fixture.sync()
    #expect(fixture.take(ada).first?.text("code") == "not_joined")
    fixture.join("ada", on: ada)
    try fixture.sync()
    #expect(fixture.take(ada).first?.text("state") == "present")
  }

  @Test("leaving and joining again within one tick: others see an update with a new address")
  func rejoin() throws {
    let (fixture, host) = try ShardFixture.live()
    let ada = fixture.join("ada")
    try fixture.settle()
    _ = fixture.take(host)
    let old = try fixture.takePeer(ada)
    try fixture.send(ada, #"{"type":"session.leave","id":3}"#)
    fixture.join("ada", on: ada)
    try fixture.send(host, #"{"type":"chat.send","text":"Hi"}"#)
    try fixture.settle()
    let got = fixture.take(ada)
    #expect(got.map(\.type) == ["ok", "session.joined", "chat.message", "presence.diff"])
    #expect(got[2].int("seq") == got[1].int("streams.room").map { $0 + 1 })
    let diff = try #require(fixture.take(host, "presence.diff").last)
    #expect(diff.int("count") == 2)
    #expect(diff.list("left").isEmpty)
    let peers = diff.list("updated").first?.list("peers") ?? []
    #expect(peers.count == 1 && peers != [.string(old)])
  }

  @Test("a request to join opens attendance, and a socket takes it over within the grace")
  func requestThenSocket() throws {
    let (fixture, host) = try ShardFixture.live()
    let request = fixture.request(.join, by: ShardFixture.identity("ada"))
    try fixture.settle()
    guard case .success(.joined("algebra", .participant, participants: 2))? = fixture.answers[request] else {
      Issue.record("not joined")
      return
    }
    #expect(fixture.take(host, "presence.diff").last?.list("joined").first?.list("peers") == [])
    fixture.advance(15_000)
    fixture.join("ada")
    fixture.advance(60_000)
    #expect(fixture.segments("ada").map(\.to) == [nil])
  }

  @Test("a request to join within the grace is a word from there, and the time for the next begins")
  func requestWithinGrace() throws {
    let (fixture, _) = try ShardFixture.live()
    let ada = fixture.join("ada")
    fixture.advance(1000)
    fixture.close(ada)
    fixture.advance(19_000)
    let asked = fixture.now
    fixture.request(.join, by: ShardFixture.identity("ada"))
    fixture.advance(119_999)
    #expect(fixture.segments("ada").map(\.to) == [nil])
    fixture.advance(1)
    #expect(fixture.segments("ada").map(\.to) == [asked])
  }

  @Test("a request of somebody who is connected changes nothing when the socket is there")
  func requestWhileConnected() throws {
    let (fixture, _) = try ShardFixture.live()
    fixture.join("ada")
    fixture.request(.join, by: ShardFixture.identity("ada"))
    fixture.advance(60_000)
    #expect(fixture.segments("ada").map(\.to) == [nil])
  }

  @Test("the seat is kept within the grace and given on after it")
  func seat() throws {
    let (fixture, _) = try ShardFixture.live(capacity: 2)
    let ada = fixture.join("ada")
    fixture.close(ada)
    let bob = fixture.join("bob")
    try fixture.sync()
    #expect(fixture.take(bob).map { $0.text("code") } == ["session_full"])
    fixture.join("ada")
    try fixture.sync()
    fixture.request(.join, by: ShardFixture.identity("cyd"))
    try fixture.sync()
    guard
      case .failure(.sessionFull)? = fixture.answers.values.first(where: {
        if case .failure = $0 { true } else { false }
      })
    else {
      Issue.record("a request goes past the capacity")
      return
    }
  }
}
