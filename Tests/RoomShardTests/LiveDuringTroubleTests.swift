import Classroom
import Testing

@testable import RoomShard

@Suite("While the storage has failed")
struct LiveDuringTroubleTests: StorageTroubleSetting {
  @Test("commands that need a record are refused at once, also in rooms that lost nothing")
  func refusedAtOnce() throws {
    let (fixture, host, ada, _) = try populated()
    try fixture.failStorage()
    #expect(fixture.shard.frozenSessions.isEmpty)
    let position = fixture.shard.position
    for command in [
      #"{"type":"chat.send","id":5,"text":"Hi"}"#, #"{"type":"session.end","id":5}"#,
      #"{"type":"session.leave","id":5}"#,
    ] {
      try fixture.send(host, command)
      try fixture.release()
      let told = fixture.take(host)
      #expect(told.count == 1 && isRefused(told.first) && told.first?.int("id") == 5, "\(command)")
    }
    let emmy = ShardFixture.identity("emmy", .host)
    let requests = [fixture.request(.end(key: nil), by: emmy), fixture.create("geometry")]
    let cyd = fixture.join("cyd")
    try fixture.release()
    #expect(requests.allSatisfy { isRefused(fixture.answers[$0]) })
    #expect(isRefused(fixture.take(cyd).first) && !fixture.shard.isMember(cyd))
    #expect(fixture.shard.position == position)
    try fixture.send(ada, #"{"type":"session.start","id":6}"#)
    try fixture.release()
    #expect(fixture.take(ada).first?.text("code") == "forbidden", "what is refused anyway says why")
    try fixture.healStorage()
    try fixture.send(host, #"{"type":"chat.send","id":7,"text":"Hi"}"#)
    try fixture.sync()
    #expect(fixture.take(host, "ok").map { $0.int("id") } == [7])
  }

  @Test("an answer that was given before is given again")
  func repetition() throws {
    let (fixture, host, ada, _) = try populated()
    try fixture.send(host, #"{"type":"chat.send","id":5,"text":"Hi","key":"k"}"#)
    try fixture.sync()
    let first = try #require(fixture.take(host, "ok").first)
    _ = fixture.take(ada)
    try fixture.failStorage()
    try fixture.send(host, #"{"type":"chat.send","id":5,"text":"Hi","key":"k"}"#)
    try fixture.release()
    #expect(fixture.take(host) == [first])
    #expect(fixture.take(ada).isEmpty)
  }

  @Test("reads, waiting, reading, second tabs and media go on in rooms that lost nothing")
  func cleanRooms() throws {
    let (fixture, host, ada, bob) = try populated()
    fixture.create("geometry")
    try fixture.sync()
    try fixture.failStorage()
    try fixture.send(host, #"{"type":"chat.history","id":5}"#)
    try fixture.send(host, #"{"type":"presence.page","id":6,"after":0}"#)
    try fixture.send(host, #"{"type":"presence.subscribe","id":7,"mode":"hosts"}"#)
    let report = fixture.request(.attendance, by: ShardFixture.identity("emmy", .host))
    let second = fixture.join("ada")
    let waiting = fixture.join("cyd", "geometry")
    try fixture.send(ada, #"{"type":"media.set","id":8,"audio":true}"#)
    fixture.close(second)
    let third = fixture.join("ada")
    fixture.advance(250)
    try fixture.release()
    #expect(fixture.take(host).filter { $0.type != "presence.diff" }.compactMap { $0.int("id") } == [5, 6, 7])
    guard case .success(.attendance)? = fixture.answers[report] else {
      Issue.record("no report")
      return
    }
    #expect(fixture.take(third).first?.text("state") == "present")
    #expect(fixture.take(waiting).map(\.type) == ["session.joined", "waiting.count"])
    let diff = try #require(fixture.take(bob, "presence.diff").last?.list("updated").first)
    #expect(diff.text("user") == "ada" && diff.flag("audio_enabled") == true && diff.list("peers").count == 3)
    try fixture.send(third, #"{"type":"session.leave","id":9}"#)
    try fixture.release()
    #expect(fixture.take(third, "ok").count == 1, "it is not the last tab")
  }

  @Test("in a frozen room signals, media, pages and the tabs of those who were shown go on, and nothing else")
  func frozenRoom() throws {
    let (fixture, host, ada, bob) = try frozen()
    let peer = try #require(fixture.shard.members[bob]?.peer?.id)
    try fixture.send(ada, #"{"type":"signal","id":1,"to":"\#(peer)","kind":"offer","payload":{"n":1}}"#)
    try fixture.send(ada, #"{"type":"media.set","id":2,"audio":true}"#)
    try fixture.send(ada, #"{"type":"presence.page","id":3,"after":0}"#)
    try fixture.send(ada, #"{"type":"presence.subscribe","id":4,"mode":"full"}"#)
    fixture.advance(250)
    try fixture.release()
    let told = fixture.take(ada)
    #expect(told.filter { $0.type != "presence.diff" }.map(\.type) == ["ok", "ok", "ok", "presence.state"])
    #expect(told.first { $0.int("id") == 3 }?.list("participants").count == 3)
    #expect(fixture.take(bob, "signal").count == 1)
    #expect(fixture.take(host, "presence.diff").last?.list("updated").first?.flag("audio_enabled") == true)

    try fixture.send(ada, #"{"type":"chat.history","id":5}"#)
    let requests: [RoomRequest] = [.read, .join, .attendance, .start(key: nil)]
    let answers = requests.map { fixture.request($0, by: ShardFixture.identity("emmy", .host)) }
    let second = fixture.join("ada")
    try fixture.release()
    #expect(isRefused(fixture.take(ada).first) && isRefused(fixture.take(second).first))
    #expect(answers.allSatisfy { isRefused(fixture.answers[$0]) })
    #expect(fixture.shard.classroom("algebra") == nil, "no snapshot of a state that never was")
  }

  @Test("a signal that has gone is answered as gone, though a record before it is void")
  func liveAnswers() throws {
    let (fixture, host, ada, bob) = try populated()
    let peer = try #require(fixture.shard.members[bob]?.peer?.id)
    try fixture.send(host, #"{"type":"chat.send","id":1,"text":"void"}"#)
    try fixture.send(ada, #"{"type":"signal","id":2,"to":"\#(peer)","kind":"offer","payload":0}"#)
    try fixture.send(ada, #"{"type":"media.set","id":3,"audio":true}"#)
    try fixture.failStorage()
    #expect(fixture.take(ada).map(\.type) == ["ok", "ok"])
    #expect(fixture.take(bob, "signal").count == 1)
    fixture.advance(250)
    try fixture.release()
    #expect(fixture.take(bob, "presence.diff").last?.list("updated").first?.flag("audio_enabled") == true)
  }

  @Test("media flags whose telling was dropped are told after all")
  func droppedDifference() throws {
    let (fixture, host, ada, bob) = try populated()
    try fixture.send(host, #"{"type":"chat.send","id":1,"text":"void"}"#)
    try fixture.send(ada, #"{"type":"media.set","screen":true}"#)
    fixture.advance(250)
    try fixture.failStorage()
    #expect(fixture.take(bob).isEmpty)
    fixture.advance(250)
    try fixture.release()
    #expect(fixture.take(bob, "presence.diff").last?.list("updated").first?.flag("screen_enabled") == true)
  }

  @Test("who is lost meanwhile is gone since last heard; who comes back in time never left")
  func lostMeanwhile() throws {
    for isFrozen in [false, true] {
      let (fixture, host, ada, bob) = isFrozen ? try frozen() : try populated()
      if !isFrozen { try fixture.failStorage() }
      let lastHeard = fixture.now
      fixture.advance(3000)
      fixture.close(ada, lastHeard: lastHeard)
      fixture.close(bob, lastHeard: lastHeard)
      fixture.advance(5000)
      try fixture.release()
      #expect(fixture.take(host, "presence.diff").allSatisfy { $0.int("count") == 3 })
      #expect(!fixture.hasRecords)
      try fixture.healStorage()
      try fixture.settle()
      #expect(
        fixture.journal.suffix(2).map(\.event) == [
          .lost(user: "ada", since: lastHeard, isEstimated: false),
          .lost(user: "bob", since: lastHeard, isEstimated: false),
        ])
      let again = fixture.join("bob")
      fixture.advance(20_000)
      try fixture.settle()
      #expect(fixture.segments("ada").map(\.to) == [lastHeard])
      #expect(fixture.segments("bob").map(\.to) == [nil])
      #expect(fixture.take(again, "presence.diff").last?.int("count") == 2)
    }
  }

  @Test("a grace that ends meanwhile ends attendance after the healing, since last heard, and gives the seat on")
  func graceEnds() throws {
    let (fixture, host) = try ShardFixture.live(capacity: 2)
    let ada = fixture.join("ada")
    try fixture.settle()
    let lastHeard = fixture.now
    fixture.close(ada, lastHeard: lastHeard)
    try fixture.settle()
    try fixture.failStorage()
    fixture.advance(60_000)
    try fixture.release()
    #expect(fixture.shard.classroom("algebra")?.attendance.isActive("ada") == true)
    _ = fixture.take(host)
    try fixture.healStorage()
    fixture.join("bob")
    try fixture.settle()
    #expect(fixture.segments("ada").map(\.to) == [lastHeard])
    #expect(fixture.take(host, "presence.diff").last?.int("count") == 2)
  }
}
