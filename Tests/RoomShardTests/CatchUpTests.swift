import Classroom
import Testing

@testable import RoomShard

@Suite("Catching up")
struct CatchUpTests {
  private func configuration(events: Int) -> ShardConfiguration {
    var configuration = ShardConfiguration()
    configuration.catchUpEvents = events
    return configuration
  }

  /// A client that is about to get 10 missed events, 3 at a time, and what it said when it came back.
  private func behind() throws -> (ShardFixture, host: ConnectionID, ada: ConnectionID, joined: Message) {
    let (fixture, host) = try ShardFixture.live(configuration: configuration(events: 3))
    let old = fixture.join("ada")
    try fixture.settle()
    let joined = try fixture.takeJoined(old)
    fixture.close(old)
    try fixture.say(host, (1...10).map { "\($0)" })
    return (fixture, host, fixture.resume("ada", try resume(joined)), joined)
  }

  @Test("missed events come as they are taken; presence comes at once, live events wait their turn, signals come last")
  func chunks() throws {
    let (fixture, host, ada, joined) = try behind()
    let peer = try #require(joined.text("peer"))
    try fixture.sync()
    #expect(fixture.take(ada).map(\.type) == ["session.joined", "chat.message", "chat.message", "chat.message"])
    fixture.join("bob")
    try fixture.signal(host, to: peer, [1])
    try fixture.settle()
    #expect(fixture.take(ada).map(\.type) == ["presence.diff"])
    var seen: [Int64] = []
    for round in 0..<3 {
      #expect(fixture.shard.catchingUp == [ada])
      fixture.shard.continueCatchingUp(ada)
      // Decided after the chunk, which is not safe to show before this is.
      try fixture.say(host, ["live \(round)"])
      seen += fixture.take(ada, "chat.message").compactMap { $0.int("seq") }
    }
    #expect(seen == Array(5...14).map(Int64.init))
    #expect(fixture.shard.catchingUp.isEmpty)
  }

  @Test("the last chunk and what follows it: no event is missing or comes twice, and kept signals are behind them")
  func seam() throws {
    let (fixture, host, ada, joined) = try behind()
    let peer = try #require(joined.text("peer"))
    try fixture.signal(host, to: peer, [1])
    try fixture.sync()
    var got = fixture.take(ada)
    var rounds = 0
    while fixture.shard.catchingUp == [ada] {
      fixture.shard.continueCatchingUp(ada)
      if rounds == 2 { try fixture.send(host, #"{"type":"chat.send","text":"with the last"}"#) }
      try fixture.sync()
      got += fixture.take(ada)
      rounds += 1
    }
    try fixture.say(host, ["live"])
    got += fixture.take(ada)
    #expect(got.compactMap { $0.int("seq") } == Array(2...13).map(Int64.init))
    #expect(got.filter { $0.type != "chat.message" }.map(\.type) == ["session.joined", "signal"])
    #expect(
      got.firstIndex { $0.type == "signal" } == 11,
      "behind what was missed, before what was said since: \(got.map(\.type))")
  }

  @Test("a chunk that waits for the disk is waited for")
  func barrier() throws {
    let (fixture, host) = try ShardFixture.live(configuration: configuration(events: 3))
    let old = fixture.join("ada")
    try fixture.settle()
    let joined = try fixture.takeJoined(old)
    fixture.close(old)
    for number in 1...10 { try fixture.send(host, #"{"type":"chat.send","text":"\#(number)"}"#) }
    let ada = fixture.resume("ada", try resume(joined))
    fixture.append()
    try fixture.release()
    #expect(fixture.take(ada).isEmpty && fixture.shard.catchingUp.isEmpty)
    fixture.shard.continueCatchingUp(ada)
    try fixture.sync()
    #expect(fixture.take(ada).compactMap { $0.int("seq") } == [2, 3, 4])
    #expect(fixture.shard.catchingUp == [ada])
  }

  @Test("the text of a chunk is bounded, but one message always comes")
  func text() throws {
    var configuration = ShardConfiguration()
    configuration.catchUpTextBytes = 10
    let (fixture, host) = try ShardFixture.live(configuration: configuration)
    let old = fixture.join("ada")
    try fixture.settle()
    let joined = try fixture.takeJoined(old)
    fixture.close(old)
    try fixture.say(host, ["12345", "12345", "1", "1234567890123", "1"])
    let ada = fixture.resume("ada", try resume(joined))
    try fixture.sync()
    var sizes = [fixture.take(ada, "chat.message").count]
    while fixture.shard.catchingUp == [ada] {
      fixture.shard.continueCatchingUp(ada)
      try fixture.sync()
      sizes.append(fixture.take(ada).count)
    }
    #expect(sizes == [2, 1, 1, 1])
  }

  @Test("a chunk is bounded also when the texts grow by being escaped")
  func escapedText() throws {
    var configuration = ShardConfiguration()
    configuration.catchUpMessageBytes = 30_000
    let (fixture, host) = try ShardFixture.live(configuration: configuration)
    let old = fixture.join("ada")
    try fixture.settle()
    let joined = try fixture.takeJoined(old)
    fixture.close(old)
    try fixture.say(host, Array(repeating: String(repeating: #"\u0001"#, count: 2000), count: 10))
    let ada = fixture.resume("ada", try resume(joined))
    try fixture.sync()
    var got = [fixture.take(ada, "chat.message")]
    while fixture.shard.catchingUp == [ada] {
      fixture.shard.continueCatchingUp(ada)
      try fixture.sync()
      got.append(fixture.take(ada))
    }
    #expect(got.map(\.count) == [3, 3, 3, 1])
    #expect(got.joined().compactMap { $0.int("seq") } == Array(2...11).map(Int64.init))
  }

  @Test("whom the class overtakes is closed as slow, and has the whole state afterwards")
  func overtaken() throws {
    let (fixture, host, ada, joined) = try behind()
    try fixture.sync()
    _ = fixture.take(ada)
    try fixture.say(host, (0..<StreamTail.Limits.events).map { "\($0)" })
    fixture.shard.continueCatchingUp(ada)
    try fixture.sync()
    #expect(fixture.take(ada).isEmpty)
    #expect(fixture.closed == [ada: .slowConsumer] && fixture.shard.catchingUp.isEmpty)
    let back = fixture.resume("ada", try resume(joined, room: 4))
    try fixture.sync()
    let again = try fixture.takeJoined(back)
    #expect(again.text("not_recovered") == "too_old" && again.text("peer") == joined.text("peer"))
    #expect(fixture.closed == [ada: .slowConsumer], "one Close is enough, and nothing follows it")
    fixture.close(ada)
    #expect(try fixture.room().presence["ada"]?.isReconnecting == false)
  }

  @Test("changing the mode of presence, the end of the class and a lost connection do not disturb it")
  func meanwhile() throws {
    let (fixture, host, ada, joined) = try behind()
    try fixture.send(ada, #"{"type":"presence.subscribe","id":5,"mode":"count"}"#)
    try fixture.say(host, ["live"])
    var got = fixture.take(ada)
    #expect(got.compactMap { $0.int("seq") } == [2, 3, 4])
    fixture.join("bob")
    try fixture.settle()
    #expect(fixture.take(ada).map(\.type) == ["presence.count"])
    try fixture.send(host, #"{"type":"session.end"}"#)
    try fixture.sync()
    while fixture.shard.catchingUp == [ada] {
      fixture.shard.continueCatchingUp(ada)
      try fixture.sync()
    }
    got += fixture.take(ada)
    #expect(got.compactMap { $0.int("seq") } == Array(2...13).map(Int64.init))
    #expect(got.last?.text("status") == "completed")

    let late = fixture.resume("ada", try resume(joined))
    try fixture.sync()
    #expect(fixture.shard.catchingUp == [late])
    fixture.close(late)
    #expect(fixture.shard.catchingUp.isEmpty)
    fixture.shard.continueCatchingUp(late)
    try fixture.sync()
  }
}
