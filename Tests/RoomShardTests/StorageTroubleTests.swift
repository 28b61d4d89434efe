import Classroom
import SignalingProtocol
import Testing

@testable import RoomShard

@Suite("When the storage fails")
struct StorageTroubleTests: StorageTroubleSetting {
  // MARK: What is void

  @Test("a command whose record is void is answered once, with its id, and nobody hears of it")
  func voidCommand() throws {
    let (fixture, host, ada, _) = try populated()
    try fixture.send(host, #"{"type":"chat.send","id":7,"text":"void"}"#)
    try fixture.send(ada, #"{"type":"chat.history","id":8}"#)
    try fixture.send(ada, #"{"type":"chat.send","id":9,"text":""}"#)
    try fixture.failStorage()
    let told = fixture.take(host)
    #expect(told.count == 1 && isRefused(told.first) && told.first?.int("id") == 7)
    let answers = fixture.take(ada)
    #expect(answers.compactMap { $0.int("id") } == [8, 9], "what rests on the void record, too")
    #expect(answers.allSatisfy { isRefused($0) })
    try fixture.healStorage()
    try fixture.settle()
    #expect(fixture.take(host, "chat.message").isEmpty && fixture.take(ada, "chat.message").isEmpty)
    #expect(fixture.shard.classroom("algebra")?.chat.messages.isEmpty == true)
    try fixture.send(host, #"{"type":"chat.send","id":10,"text":"again"}"#)
    try fixture.sync()
    #expect(fixture.take(ada, "chat.message").first?.int("seq") == 2, "the number of the void message")
  }

  @Test("the answer says when nobody knows whether it was done")
  func unknown() throws {
    let (fixture, host, _, _) = try populated()
    try fixture.send(host, #"{"type":"chat.send","id":7,"text":"perhaps"}"#)
    let request = fixture.request(.attendance, by: ShardFixture.identity("emmy", .host))
    try fixture.failStorage(isCertain: false)
    #expect(isRefused(fixture.take(host).first, outcome: "unknown"))
    guard case .failure(.storageUnavailable(isCertain: false))? = fixture.answers[request] else {
      Issue.record("answered otherwise")
      return
    }
  }

  @Test("what rests on synced records leaves, in its order, and only once")
  func keptOutputs() throws {
    let (fixture, host, ada, _) = try populated()
    for number in 1...4 { try fixture.send(host, #"{"type":"chat.send","id":\#(number),"text":"m\#(number)"}"#) }
    fixture.append()
    let position = UInt64(fixture.journal.count) - 2
    fixture.shard.didSync(through: position)
    fixture.noteSynced(position)
    try fixture.failStorage()
    let told = fixture.take(host)
    #expect(told.map(\.type) == ["ok", "chat.message", "ok", "chat.message", "error", "error"])
    #expect(told.compactMap { $0.int("id") } == [1, 2, 3, 4])
    #expect(fixture.take(ada).compactMap { $0.text("text") } == ["m1", "m2"])
    try fixture.healStorage()
    try fixture.send(host, #"{"type":"chat.send","text":"m5"}"#)
    try fixture.sync()
    #expect(fixture.take(ada, "chat.message").map { $0.int("seq") } == [4])
  }

  @Test("whatever is said late of void records is not believed")
  func lateSync() throws {
    let (fixture, host, ada, _) = try populated()
    try fixture.send(host, #"{"type":"chat.send","text":"void"}"#)
    fixture.append()
    let void = fixture.shard.position
    let incarnation = fixture.shard.incarnation
    try fixture.failStorage()
    #expect(fixture.shard.incarnation == incarnation + 1)
    try fixture.healStorage()
    try fixture.send(host, #"{"type":"chat.send","id":1,"text":"real"}"#)
    fixture.shard.didSync(through: void)
    try fixture.release()
    #expect(fixture.take(host, "ok").isEmpty)
    #expect(fixture.shard.isHolding)
    try fixture.sync()
    #expect(fixture.take(ada, "chat.message").map { $0.text("text") } == ["real"])
  }

  @Test("requests are answered once; the catalog is told nothing void, and what is durable after the healing")
  func requests() throws {
    let fixture = ShardFixture()
    fixture.create()
    try fixture.sync()
    let published = fixture.published.count
    let emmy = ShardFixture.identity("emmy", .host)
    let start = fixture.request(.start(key: nil), by: emmy)
    let create = fixture.create("geometry")
    try fixture.failStorage()
    #expect(isRefused(fixture.answers[start]) && isRefused(fixture.answers[create]))
    #expect(fixture.published.count == published)
    #expect(fixture.shard.frozenSessions == ["algebra", "geometry"])
    let count = fixture.answerCount
    try fixture.healStorage()
    #expect(fixture.answerCount == count)
    #expect(fixture.published.last?.details.id == "algebra" && fixture.published.last?.status == .scheduled)
    #expect(fixture.retracted == ["geometry"])
    #expect(fixture.shard.sessions == ["algebra"])
    let again = fixture.create("geometry")
    try fixture.sync()
    guard case .success? = fixture.answers[again] else {
      Issue.record("not created")
      return
    }
  }

  // MARK: Coming and going

  @Test("whose join is void is out of the room, is told, and may join later")
  func voidJoin() throws {
    let (fixture, host, ada, _) = try populated()
    let cyd = fixture.join("cyd")
    fixture.advance(250)
    try fixture.send(cyd, #"{"type":"media.set","id":2,"audio":true}"#)
    try fixture.failStorage()
    let told = fixture.take(cyd)
    #expect(told.compactMap { $0.int("id") } == [1, 2] && told.allSatisfy { isRefused($0) })
    #expect(!fixture.shard.isMember(cyd))
    fixture.advance(250)
    try fixture.release()
    #expect(!fixture.take(ada).contains { $0.list("joined").contains { $0.text("user") == "cyd" } })
    try fixture.healStorage()
    #expect(fixture.take(host, "presence.state").last?.int("count") == 3)
    #expect(fixture.segments("cyd").isEmpty)
    fixture.join("cyd", on: cyd)
    try fixture.settle()
    #expect(fixture.take(cyd).first?.text("state") == "present")
    #expect(fixture.take(ada, "presence.diff").last?.int("count") == 4)
  }

  @Test("whose leaving is void is in the room still, with address, mode and what was switched on")
  func voidLeave() throws {
    let (fixture, host, ada, bob) = try populated()
    try fixture.send(ada, #"{"type":"media.set","audio":true}"#)
    try fixture.send(ada, #"{"type":"presence.subscribe","mode":"count"}"#)
    try fixture.settle()
    let peer = try #require(fixture.take(bob, "presence.diff").last?.list("updated").first?.list("peers").first)
    for connection in [host, ada] { _ = fixture.take(connection) }
    try fixture.send(ada, #"{"type":"session.leave","id":3}"#)
    fixture.advance(250)
    try fixture.failStorage()
    let told = fixture.take(ada)
    #expect(told.count == 1 && isRefused(told.first) && told.first?.int("id") == 3)
    #expect(fixture.shard.isMember(ada))
    fixture.advance(250)
    try fixture.release()
    try fixture.healStorage()
    let state = try #require(fixture.take(host, "presence.state").last)
    let entry = try #require(state.list("participants").first { $0.text("user") == "ada" })
    #expect(entry.list("peers") == [peer] && entry.flag("audio_enabled") == true)
    let own = try #require(fixture.take(ada, "presence.state").last)
    #expect(own.text("mode") == "count" && own.int("count") == 3)
    #expect(fixture.segments("ada").map(\.to) == [nil])
    try fixture.send(ada, #"{"type":"session.leave","id":4}"#)
    try fixture.sync()
    #expect(fixture.take(ada).map(\.type) == ["ok"])
  }

  @Test("whose leaving is void has missed nothing in between")
  func voidLeaveWithoutGap() throws {
    let (fixture, host, ada, _) = try populated()
    try fixture.send(host, #"{"type":"chat.send","text":"1"}"#)
    fixture.append()
    let position = UInt64(fixture.journal.count)
    try fixture.send(ada, #"{"type":"session.leave","id":3}"#)
    try fixture.sync(through: position)
    try fixture.send(host, #"{"type":"chat.send","text":"void"}"#)
    try fixture.failStorage()
    try fixture.healStorage()
    try fixture.send(host, #"{"type":"chat.send","text":"2"}"#)
    try fixture.sync()
    #expect(fixture.take(ada, "chat.message").map { $0.text("text") } == ["1", "2"])
  }

  @Test("leaving one room and joining another on void ground: in the old one still, and one answer to each")
  func voidMove() throws {
    let (fixture, _, ada, _) = try populated()
    fixture.create("geometry")
    try fixture.sync()
    try fixture.send(ada, #"{"type":"session.leave","id":3}"#)
    fixture.join("ada", "geometry", on: ada)
    try fixture.send(ada, #"{"type":"presence.subscribe","id":5,"mode":"none"}"#)
    try fixture.failStorage()
    let told = fixture.take(ada)
    #expect(told.compactMap { $0.int("id") } == [3, 1, 5] && told.allSatisfy { isRefused($0) })
    #expect(fixture.shard.members[ada]?.room === (try fixture.room()))
    #expect(try fixture.room("geometry").waiting.isEmpty)
    try fixture.healStorage()
    try fixture.settle()
    #expect(fixture.take(ada, "presence.state").count == 1)
  }

  @Test("who was let in by a void start waits again, is told the count, and comes in with the next start")
  func voidStart() throws {
    let fixture = ShardFixture()
    fixture.create()
    let host = fixture.join(ShardFixture.identity("emmy", .host))
    let ada = fixture.join("ada", mode: .hosts)
    try fixture.settle()
    for connection in [host, ada] { _ = fixture.take(connection) }
    try fixture.send(host, #"{"type":"session.start","id":2}"#)
    fixture.advance(250)
    try fixture.failStorage()
    let told = fixture.take(host)
    #expect(told.count == 1 && isRefused(told.first))
    #expect(fixture.take(ada).isEmpty)
    try fixture.healStorage()
    try fixture.settle()
    #expect(fixture.take(ada).map(\.type) == ["waiting.count"])
    #expect(fixture.shard.classroom("algebra")?.status == .scheduled)
    #expect(fixture.segments("emmy").isEmpty)
    _ = fixture.take(host)
    try fixture.send(host, #"{"type":"session.start","id":3}"#)
    try fixture.settle()
    #expect(fixture.take(host).map(\.type).prefix(3) == ["ok", "session.status", "session.joined"])
    #expect(fixture.take(ada, "session.joined").first?.text("presence.mode") == "hosts")
  }

  @Test("a void end: everybody is present as before, and who was lost before has the grace")
  func voidEnd() throws {
    let (fixture, host, ada, bob) = try populated()
    let lastHeard = fixture.now
    fixture.close(bob, lastHeard: lastHeard)
    try fixture.settle()
    for connection in [host, ada] { _ = fixture.take(connection) }
    try fixture.send(host, #"{"type":"session.end","id":2}"#)
    try fixture.failStorage()
    #expect(isRefused(fixture.take(host).first))
    try fixture.send(ada, #"{"type":"media.set","id":3,"video":true}"#)
    try fixture.settle()
    #expect(fixture.take(ada).map(\.type).sorted() == ["ok", "presence.diff"])
    #expect(fixture.take(host, "presence.diff").first?.int("count") == 3)
    try fixture.healStorage()
    #expect(fixture.take(host, "presence.state").last?.list("participants").count == 3)
    #expect(fixture.segments("bob").map(\.to) == [nil])
    fixture.advance(20_000)
    try fixture.settle()
    #expect(fixture.segments("bob").map(\.to) == [lastHeard])
    #expect(fixture.segments("ada").map(\.to) == [nil])
  }

  @Test("what had changed before a void end is told after all, and presence does not go back")
  func changesBeforeVoidEnd() throws {
    let (fixture, host, ada, bob) = try populated()
    try fixture.send(ada, #"{"type":"session.leave"}"#)
    try fixture.sync()
    let before = try fixture.room().presence.sequence
    try fixture.send(host, #"{"type":"session.end","id":2}"#)
    try fixture.failStorage()
    fixture.advance(250)
    try fixture.release()
    let diff = try #require(fixture.take(bob, "presence.diff").last)
    #expect(diff.list("left").map { $0.text("user") } == ["ada"])
    #expect(diff.int("count") == 2 && (diff.int("presence_seq") ?? 0) > Int64(before))
  }

  @Test("a void takeover: nobody is lost, the signals are kept, and the next connection has the address")
  func voidTakeover() throws {
    let fixture = ShardFixture()
    fixture.create()
    let host = fixture.join(ShardFixture.identity("emmy", .host))
    try fixture.send(host, #"{"type":"session.start"}"#)
    try fixture.settle()
    let ada = fixture.join("ada")
    try fixture.settle()
    let joined = try #require(fixture.take(ada, "session.joined").last)
    let (token, peer) = try (#require(joined.text("resume_token")), #require(joined.text("peer")))
    let resume = ClientMessage.Resume(token: token, epoch: "e-algebra", room: 1)
    try fixture.send(host, #"{"type":"chat.send","text":"void"}"#)
    let newer = fixture.join(ShardFixture.identity("ada"), resume: resume)
    try fixture.send(host, #"{"type":"signal","to":"\#(peer)","kind":"offer","payload":1}"#)
    try fixture.failStorage()
    #expect(isRefused(fixture.take(newer, "error").first) && !fixture.shard.isMember(newer))
    #expect(fixture.closed[ada] == .resumedElsewhere)
    fixture.close(ada)
    try fixture.healStorage()
    try fixture.settle()
    #expect(fixture.segments("ada").map(\.to) == [nil])
    let again = fixture.join(ShardFixture.identity("ada"), resume: resume)
    try fixture.sync()
    let told = fixture.take(again)
    #expect(told.first?.text("peer") == peer && told.first?.flag("signals_recovered") == true)
    #expect(told.filter { $0.type == "signal" }.map { $0.int("signal_seq") } == [1])
  }

  @Test("missed events stop at what is durable while the room is frozen, and go on after the healing")
  func catchUp() throws {
    var configuration = ShardConfiguration()
    configuration.catchUpEvents = 2
    let (fixture, host) = try ShardFixture.live(configuration: configuration)
    let ada = fixture.join("ada")
    try fixture.settle()
    let token = try #require(fixture.take(ada, "session.joined").last?.text("resume_token"))
    fixture.close(ada)
    for number in 2...7 { try fixture.send(host, #"{"type":"chat.send","text":"\#(number)"}"#) }
    try fixture.sync()
    let resume = ClientMessage.Resume(token: token, epoch: "e-algebra", room: 1)
    let again = fixture.join(ShardFixture.identity("ada"), resume: resume)
    try fixture.sync()
    #expect(fixture.take(again, "chat.message").map { $0.int("seq") } == [2, 3])
    try fixture.send(host, #"{"type":"chat.send","text":"void"}"#)
    fixture.shard.continueCatchingUp(again)
    try fixture.failStorage()
    #expect(fixture.shard.catchingUp.isEmpty)
    fixture.shard.continueCatchingUp(again)
    try fixture.release()
    #expect(fixture.take(again, "chat.message").isEmpty)
    try fixture.healStorage()
    while let connection = fixture.shard.catchingUp.first {
      fixture.shard.continueCatchingUp(connection)
      try fixture.sync()
    }
    try fixture.send(host, #"{"type":"chat.send","text":"8"}"#)
    try fixture.sync()
    #expect(fixture.take(again, "chat.message").map { $0.text("text") } == ["4", "5", "6", "7", "8"])
  }

  @Test("who had left for good on a void record leaves at the same time again")
  func voidDeparture() throws {
    let (fixture, host, ada, _) = try populated()
    let lastHeard = fixture.now
    fixture.close(ada, lastHeard: lastHeard)
    try fixture.settle()
    fixture.advance(20_000)
    try fixture.failStorage()
    fixture.advance(60_000)
    try fixture.release()
    #expect(fixture.take(host).allSatisfy { ($0.int("count") ?? 3) == 3 })
    try fixture.healStorage()
    #expect(fixture.take(host, "presence.state").last?.int("count") == 3, "as long as that is not written")
    try fixture.settle()
    #expect(fixture.segments("ada").map(\.to) == [lastHeard])
    #expect(fixture.take(host, "presence.diff").last?.int("count") == 2)
  }
}
