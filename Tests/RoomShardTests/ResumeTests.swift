import Classroom
import SignalingProtocol
import Testing

@testable import RoomShard

/// What a client says that has got `joined` and what came after it.
private func resume(
  _ joined: Message, room: Int64? = nil, signals: Int64? = nil, epoch: String? = nil, token: String? = nil
) throws -> ClientMessage.Resume {
  ClientMessage.Resume(
    token: try token ?? #require(joined.text("resume_token")), epoch: try epoch ?? #require(joined.text("epoch")),
    room: UInt64(try room ?? #require(joined.int("streams.room"))),
    signalSequence: UInt64(signals ?? joined.int("signal_seq") ?? 0))
}

extension ShardFixture {
  fileprivate func takeJoined(_ connection: ConnectionID) throws -> Message {
    try #require(take(connection, "session.joined").last)
  }

  fileprivate func say(_ connection: ConnectionID, _ texts: some Sequence<String>) throws {
    for text in texts { try send(connection, #"{"type":"chat.send","text":"\#(text)"}"#) }
    try sync()
  }

  fileprivate func signal(_ connection: ConnectionID, to peer: String, _ numbers: some Sequence<Int>) throws {
    for number in numbers {
      try send(connection, #"{"type":"signal","to":"\#(peer)","kind":"candidate","payload":\#(number)}"#)
    }
    try release()
  }

  fileprivate func resume(
    _ user: String, _ resume: ClientMessage.Resume, mode: PresenceMode = .full, on connection: ConnectionID? = nil
  ) -> ConnectionID {
    join(Self.identity(user), mode: mode, on: connection, resume: resume)
  }
}

@Suite("Going on after a lost connection")
struct ResumeTests {
  @Test("the address stays, every missed event and signal comes in order and once, then the live ones")
  func recovered() throws {
    let (fixture, host) = try ShardFixture.live()
    let old = fixture.join("ada")
    try fixture.settle()
    let joined = try fixture.takeJoined(old)
    let peer = try #require(joined.text("peer"))
    try fixture.signal(host, to: peer, [1])
    try fixture.say(host, ["a"])
    #expect(fixture.take(old).map(\.type) == ["signal", "chat.message"])
    fixture.close(old)
    try fixture.say(host, ["b", "c"])
    _ = fixture.take(host)
    try fixture.signal(host, to: peer, [2, 3])
    try fixture.sync()
    #expect(fixture.take(host).isEmpty, "a signal to who is away is no error")
    let records = fixture.journal.count

    let new = fixture.resume("ada", try resume(joined, room: 2, signals: 1))
    // One event more, decided before anything of this is shown.
    try fixture.say(host, ["d"])
    try fixture.signal(host, to: peer, [4])
    let got = fixture.take(new)
    #expect(
      got.map(\.type) == ["session.joined", "chat.message", "chat.message"] + Array(repeating: "signal", count: 2)
        + ["chat.message", "signal"])
    #expect(got.compactMap { $0.int("seq") } == [3, 4, 5])
    #expect(got.compactMap { $0.text("text") } == ["b", "c", "d"])
    #expect(got.compactMap { $0.type == "signal" ? $0.int("signal_seq") : nil } == [2, 3, 4])
    #expect(got.compactMap { $0.int("payload") } == [2, 3, 4])
    let again = got[0]
    #expect(again.text("peer") == peer && again.int("streams.room") == 2 && again.int("signal_seq") == 1)
    #expect(again.flag("recovered") == true && again.flag("signals_recovered") == true)
    #expect(again["not_recovered"] == nil && again["chat"] == nil)
    #expect(again.list("presence.participants").count == 2)
    #expect(fixture.journal.dropFirst(records).first?.event == .returned(user: "ada"))
    #expect(fixture.segments("ada").count == 1)
  }

  @Test("others see that somebody is reconnecting, and neither a leave nor a join")
  func presence() throws {
    let (fixture, host) = try ShardFixture.live()
    let old = fixture.join("ada")
    try fixture.send(old, #"{"type":"media.set","audio":true}"#)
    try fixture.settle()
    let joined = try fixture.takeJoined(old)
    _ = fixture.take(host)
    func told() throws -> Message? {
      try fixture.settle()
      let diffs = fixture.take(host, "presence.diff")
      #expect(diffs.count == 1)
      #expect(diffs[0].list("joined").isEmpty && diffs[0].list("left").isEmpty)
      #expect(diffs[0].list("updated").first?.list("peers").map { .some($0) } == [joined["peer"]])
      #expect(diffs[0].list("updated").first?.flag("audio_enabled") == true)
      return diffs[0].list("updated").first
    }
    fixture.close(old)
    #expect(try told()?.flag("reconnecting") == true)
    _ = fixture.resume("ada", try resume(joined))
    #expect(try told()?.flag("reconnecting") == false)
  }

  private static let forgedToken = "x"

  @Test(
    "what cannot be honoured is answered with the whole state and a reason",
    arguments: [
      ("forged", "token_invalid", false), ("of another user", "token_invalid", false),
      ("of another session", "token_invalid", false), ("expired", "token_expired", false),
      ("other epoch", "epoch_changed", true), ("ahead", "ahead", true),
    ])
  func denied(what: String, reason: String, keepsPeer: Bool) throws {
    let (fixture, host) = try ShardFixture.live()
    try fixture.say(host, ["a", "b"])
    let (old, bob) = (fixture.join("ada"), fixture.join("bob"))
    fixture.create("other", host: "ada")
    let elsewhere = fixture.join(ShardFixture.identity("ada", .host), "other")
    try fixture.settle()
    let joined = try fixture.takeJoined(old)
    let (bobs, others) = (try fixture.takeJoined(bob), try fixture.takeJoined(elsewhere))
    fixture.close(old)
    let wish =
      switch what {
      case "forged": try resume(joined, token: joined.text("resume_token").map { $0 + "0" })
      case "of another user": try resume(joined, token: bobs.text("resume_token"))
      case "of another session": try resume(joined, token: others.text("resume_token"))
      case "other epoch": try resume(joined, epoch: "e-other")
      case "ahead": try resume(joined, room: 4)
      default: try resume(joined)
      }
    if what == "expired" { fixture.now = fixture.now.advanced(byMilliseconds: ProtocolLimits.resumeTokenMilliseconds) }
    let new = fixture.resume("ada", wish)
    try fixture.sync()
    let got = fixture.take(new)
    let again = got[0]
    #expect(got.count == 1 && again.type == "session.joined")
    #expect(again.flag("recovered") == false && again.text("not_recovered") == reason)
    #expect(again.list("chat.messages").count == 2 && again.int("streams.room") == 3)
    #expect((again.text("peer") == joined.text("peer")) == keepsPeer)
    #expect(again.flag("signals_recovered") == (keepsPeer ? true : nil))
    try fixture.say(host, ["c"])
    #expect(fixture.take(new).compactMap { $0.int("seq") } == [4])
  }

  @Test("a token is good until its last millisecond")
  func expiry() throws {
    let (fixture, host) = try ShardFixture.live()
    _ = fixture.take(host)
    let ada = fixture.join("ada")
    try fixture.sync()
    let joined = try fixture.takeJoined(ada)
    fixture.now = fixture.now.advanced(byMilliseconds: ProtocolLimits.resumeTokenMilliseconds - 1)
    let again = fixture.resume("ada", try resume(joined))
    try fixture.sync()
    #expect(try fixture.takeJoined(again).flag("recovered") == true)
  }

  @Test("as many events as are kept can be missed, and not one more")
  func tail() throws {
    let (fixture, host) = try ShardFixture.live()
    let ada = fixture.join("ada")
    try fixture.settle()
    let joined = try fixture.takeJoined(ada)
    fixture.close(ada)
    try fixture.say(host, (0..<StreamTail.Limits.events).map { "\($0)" })
    let first = fixture.resume("ada", try resume(joined))
    try fixture.sync()
    var got: [Message] = []
    while got.count <= StreamTail.Limits.events {
      let chunk = fixture.take(first)
      try #require(!chunk.isEmpty)
      #expect(chunk.count <= 257)
      got += chunk
      for connection in fixture.shard.catchingUp { fixture.shard.continueCatchingUp(connection) }
      try fixture.sync()
    }
    #expect(got[0].flag("recovered") == true)
    #expect(got.compactMap { $0.int("seq") } == Array(2...Int64(StreamTail.Limits.events + 1)))
    #expect(fixture.shard.catchingUp.isEmpty)
    try fixture.say(host, ["one more"])
    let second = fixture.resume("ada", try resume(joined))
    try fixture.sync()
    let again = try fixture.takeJoined(second)
    #expect(again.text("not_recovered") == "too_old" && again.list("chat.messages").count == 50)
    #expect(again.text("peer") == joined.text("peer"))
  }

  @Test(
    "after the grace it is a new join with a new address; the capacity is judged anew, and events are still recovered")
  func afterGrace() throws {
    let (fixture, host) = try ShardFixture.live(capacity: 2)
    let ada = fixture.join("ada")
    try fixture.settle()
    let joined = try fixture.takeJoined(ada)
    fixture.close(ada)
    fixture.advance(20_000)
    let bob = fixture.join("bob")
    try fixture.say(host, ["a"])
    let refused = fixture.resume("ada", try resume(joined))
    try fixture.sync()
    #expect(fixture.take(refused).map { $0.text("code") } == ["session_full"])
    try fixture.send(bob, #"{"type":"session.leave"}"#)
    fixture.join("ada", on: refused)
    try fixture.sync()
    #expect(try fixture.takeJoined(refused).flag("recovered") == false, "a refused resume leaves nothing behind")
    try fixture.send(refused, #"{"type":"session.leave"}"#)
    let back = fixture.resume("ada", try resume(joined))
    try fixture.sync()
    let got = fixture.take(back)
    #expect(got.map(\.type) == ["session.joined", "chat.message"])
    #expect(got[0].flag("recovered") == true && got[0]["signals_recovered"] == nil)
    #expect(got[0].text("peer") != joined.text("peer"))
    #expect(fixture.segments("ada").count == 3)
  }

  @Test("who may not enter any more is refused as for any join")
  func notAllowed() throws {
    let fixture = ShardFixture()
    fixture.create(admission: .registered)
    let invited = ShardFixture.identity("ada", session: "algebra")
    let ada = fixture.join(invited)
    try fixture.sync()
    let joined = try fixture.takeJoined(ada)
    fixture.close(ada)
    let again = fixture.resume("ada", try resume(joined))
    try fixture.sync()
    #expect(fixture.take(again).map { $0.text("code") } == ["forbidden"])
  }

  @Test("who waits resumes before the start and after it, who reads after the end")
  func states() throws {
    let fixture = ShardFixture()
    fixture.create()
    let host = fixture.join(ShardFixture.identity("emmy", .host))
    let first = fixture.join("ada")
    try fixture.settle()
    let joined = try fixture.takeJoined(first)
    fixture.close(first)
    let second = fixture.resume("ada", try resume(joined))
    try fixture.settle()
    let waiting = try fixture.takeJoined(second)
    #expect(waiting.text("state") == "waiting" && waiting.flag("recovered") == true && waiting.int("streams.room") == 0)
    fixture.close(second)
    try fixture.send(host, #"{"type":"session.start","id":1}"#)
    try fixture.say(host, ["a"])
    let third = fixture.resume("ada", try resume(joined))
    try fixture.sync()
    var got = fixture.take(third)
    #expect(got.map(\.type) == ["session.joined", "session.status", "chat.message"])
    #expect(got[0].text("state") == "present" && got[0].flag("recovered") == true)
    #expect(got[0].text("peer") != nil && got[0]["signals_recovered"] == nil)
    #expect(got[1].text("status") == "ongoing" && got[1].int("seq") == 1 && got[1].int("rev") == 2)
    #expect(got[1].text("by") == "emmy")
    fixture.close(third)
    try fixture.say(host, ["b"])
    try fixture.send(host, #"{"type":"session.end","id":1}"#)
    try fixture.sync()
    let fourth = fixture.resume("ada", try resume(got[0], room: 2))
    try fixture.sync()
    got = fixture.take(fourth)
    #expect(got.map(\.type) == ["session.joined", "chat.message", "session.status"])
    #expect(got[0].text("state") == "ended" && got[0].flag("recovered") == true && got[0]["peer"] == nil)
    #expect(got.last?.text("status") == "completed")
    let fifth = fixture.resume("ada", try resume(got[0], room: 4))
    try fixture.sync()
    #expect(fixture.take(fifth).map { $0.flag("recovered") } == [true])
    #expect(fixture.closed.isEmpty, "who has no address is not driven out")
  }

  @Test("observers have no address and miss no event")
  func observer() throws {
    let (fixture, host) = try ShardFixture.live()
    let ivy = ShardFixture.identity("ivy", .observer)
    let old = fixture.join(ivy)
    try fixture.sync()
    let joined = try fixture.takeJoined(old)
    fixture.close(old)
    try fixture.say(host, ["a"])
    let new = fixture.join(ivy, resume: try resume(joined))
    try fixture.sync()
    let got = fixture.take(new)
    #expect(got.map(\.type) == ["session.joined", "chat.message"])
    #expect(got[0].flag("recovered") == true && got[0]["peer"] == nil && got[0]["signal_seq"] == nil)
    #expect(fixture.journal.allSatisfy { $0.by != "ivy" })
  }

  @Test("a tab keeps its address for the grace while another tab goes on, and attendance does not notice")
  func twoTabs() throws {
    let (fixture, host) = try ShardFixture.live()
    let (first, second) = (fixture.join("ada"), fixture.join("ada"))
    try fixture.settle()
    let joined = try fixture.takeJoined(first)
    _ = fixture.take(host)
    let records = fixture.journal.count
    fixture.close(first)
    fixture.advance(19_999)
    try fixture.sync()
    #expect(try fixture.room().presence["ada"]?.peers.count == 2)
    #expect(fixture.take(host, "presence.diff").last?.list("updated").first?.flag("reconnecting") == false)
    let back = fixture.resume("ada", try resume(joined))
    try fixture.sync()
    #expect(try fixture.takeJoined(back).text("peer") == joined.text("peer"))
    fixture.close(back)
    fixture.advance(19_999)
    #expect(try fixture.room().presence["ada"]?.peers.count == 2)
    fixture.advance(1)
    #expect(try fixture.room().presence["ada"]?.peers.map(\.id) == [try fixture.takePeer(second)])
    #expect(fixture.journal.count == records)
  }

  @Test("who says good-bye gives the address up at once, and keeps the grace")
  func goodbye() throws {
    let (fixture, host) = try ShardFixture.live()
    let ada = fixture.join("ada")
    try fixture.settle()
    let joined = try fixture.takeJoined(ada)
    _ = fixture.take(host)
    fixture.close(ada, isGoodbye: true)
    try fixture.settle()
    let gone = try #require(fixture.take(host, "presence.diff").last?.list("updated").first)
    #expect(gone.list("peers").isEmpty && gone.flag("reconnecting") == true)
    let back = fixture.resume("ada", try resume(joined))
    try fixture.sync()
    let again = try fixture.takeJoined(back)
    #expect(again.flag("recovered") == true && again.text("peer") != joined.text("peer"))
    #expect(fixture.segments("ada").map(\.to) == [nil])
  }

  @Test("leaving and the end of the class give the address up at once")
  func leave() throws {
    let (fixture, host) = try ShardFixture.live()
    let ada = fixture.join("ada")
    try fixture.settle()
    let joined = try fixture.takeJoined(ada)
    try fixture.send(ada, #"{"type":"session.leave"}"#)
    let back = fixture.resume("ada", try resume(joined))
    try fixture.sync()
    #expect(try fixture.takeJoined(back).text("peer") != joined.text("peer"))
    fixture.close(back)
    try fixture.send(host, #"{"type":"session.end"}"#)
    #expect(try fixture.room().peers.isEmpty)
    fixture.advance(60_000)
    try fixture.sync()
  }
}

@Suite("Taking over from a connection that is still there")
struct TakeoverTests {
  @Test("the older connection is closed behind what was on its way, and its end changes nothing")
  func takeover() throws {
    let (fixture, host) = try ShardFixture.live()
    let old = fixture.join("ada")
    try fixture.settle()
    let joined = try fixture.takeJoined(old)
    let peer = try #require(joined.text("peer"))
    // On its way to the old connection, and not yet safe.
    try fixture.send(host, #"{"type":"chat.send","text":"a"}"#)
    let new = fixture.resume("ada", try resume(joined))
    try fixture.send(old, #"{"type":"chat.send","id":9,"text":"late"}"#)
    fixture.append()
    try fixture.release()
    #expect(fixture.closed.isEmpty && fixture.take(new).isEmpty)
    try fixture.sync()
    #expect(fixture.closed == [old: .resumedElsewhere])
    #expect(fixture.take(new).map(\.type) == ["session.joined", "chat.message"])
    #expect(fixture.take(old).map(\.type) == ["chat.message"], "what was on its way")
    try fixture.send(old, #"{"type":"chat.send","id":9,"text":"later"}"#)
    fixture.join("ada", on: old)
    let records = fixture.journal.count
    fixture.close(old)
    fixture.advance(60_000)
    try fixture.signal(host, to: peer, [1])
    try fixture.sync()
    #expect(fixture.take(old).isEmpty && fixture.journal.count == records)
    #expect(fixture.take(new, "signal").count == 1)
    #expect(fixture.segments("ada").map(\.to) == [nil])
  }

  @Test("a token used again and again: the latest connection counts, whatever the others have heard")
  func again() throws {
    let (fixture, host) = try ShardFixture.live()
    let first = fixture.join("ada")
    try fixture.settle()
    let joined = try fixture.takeJoined(first)
    try fixture.say(host, ["a"])
    var latest = first
    for round in 0..<5 {
      let next = fixture.resume("ada", try resume(joined))
      if round % 2 == 0 { try fixture.sync() }
      latest = next
    }
    try fixture.sync()
    #expect(fixture.closed.count == 5 && fixture.closed[latest] == nil)
    let got = fixture.take(latest)
    #expect(got.map(\.type) == ["session.joined", "chat.message"] && got[0].text("peer") == joined.text("peer"))
    #expect(try fixture.room().presence["ada"]?.peers.count == 1)
    #expect(try fixture.room().audience.members(of: .everyone).count == 2)
  }

  @Test("another person's token takes nothing over")
  func stranger() throws {
    let (fixture, _) = try ShardFixture.live()
    let ada = fixture.join("ada")
    try fixture.settle()
    let joined = try fixture.takeJoined(ada)
    let bob = fixture.resume("bob", try resume(joined))
    try fixture.sync()
    #expect(fixture.closed.isEmpty)
    #expect(try fixture.takeJoined(bob).text("not_recovered") == "token_invalid")
    #expect(try fixture.room().peers[#require(joined.text("peer"))]?.connection == ada)
  }

  @Test("the signals that were on their way to the older connection reach the newer one, once")
  func signals() throws {
    let (fixture, host) = try ShardFixture.live()
    let old = fixture.join("ada")
    try fixture.settle()
    let joined = try fixture.takeJoined(old)
    let peer = try #require(joined.text("peer"))
    try fixture.signal(host, to: peer, 1...3)
    // The second and the third were lost with the connection.
    #expect(fixture.take(old).count == 3)
    let new = fixture.resume("ada", try resume(joined, signals: 1))
    try fixture.send(host, #"{"type":"signal","to":"\#(peer)","kind":"candidate","payload":4}"#)
    try fixture.sync()
    #expect(fixture.take(new, "signal").compactMap { $0.int("payload") } == [2, 3, 4])
    #expect(fixture.take(old).isEmpty)
  }
}

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

@Suite("Signals for who is away")
struct KeptSignalTests {
  private func away() throws -> (ShardFixture, host: ConnectionID, joined: Message, peer: String) {
    let (fixture, host) = try ShardFixture.live()
    let ada = fixture.join("ada")
    try fixture.settle()
    let joined = try fixture.takeJoined(ada)
    fixture.close(ada)
    return (fixture, host, joined, try #require(joined.text("peer")))
  }

  private func signals(_ fixture: ShardFixture, _ joined: Message) throws -> (areRecovered: Bool?, numbers: [Int64]) {
    let back = fixture.resume("ada", try resume(joined))
    try fixture.sync()
    let got = fixture.take(back)
    return (got.first?.flag("signals_recovered"), got.compactMap { $0.type == "signal" ? $0.int("signal_seq") : nil })
  }

  @Test("as many are kept as the limit says; when one more is gone, all are said to be lost, and numbers go on")
  func count() throws {
    let (fixture, host, joined, peer) = try away()
    try fixture.signal(host, to: peer, 1...ProtocolLimits.signalsKept)
    var (areRecovered, numbers) = try signals(fixture, joined)
    #expect(areRecovered == true && numbers == Array(1...Int64(ProtocolLimits.signalsKept)))
    try fixture.signal(host, to: peer, [0])
    (areRecovered, numbers) = try signals(fixture, joined)
    #expect(areRecovered == false && numbers.isEmpty)
    let back = fixture.resume("ada", try resume(joined))
    try fixture.signal(host, to: peer, [0])
    try fixture.sync()
    let got = fixture.take(back)
    #expect(got[0].int("signal_seq") == 257 && got[1].int("signal_seq") == 258)
  }

  @Test("their bytes are bounded, too")
  func bytes() throws {
    let (fixture, host, joined, peer) = try away()
    let text = String(repeating: "x", count: 60_000)
    func send(_ count: Int) throws {
      for _ in 0..<count {
        try fixture.send(host, #"{"type":"signal","to":"\#(peer)","kind":"offer","payload":"\#(text)"}"#)
      }
      try fixture.release()
    }
    try send(4)
    var (areRecovered, numbers) = try signals(fixture, joined)
    #expect(areRecovered == true && numbers == [1, 2, 3, 4])
    #expect(try #require(fixture.room().peers[peer]).signals.byteCount <= ProtocolLimits.signalBytesKept)
    try send(1)
    (areRecovered, numbers) = try signals(fixture, joined)
    #expect(areRecovered == false && numbers.isEmpty)
    #expect(try #require(fixture.room().peers[peer]).signals.count == 4)
  }

  @Test("what is older than anybody can be away does not fill the memory")
  func age() throws {
    let (fixture, host) = try ShardFixture.live()
    let ada = fixture.join("ada")
    try fixture.settle()
    let peer = try fixture.takePeer(ada)
    try fixture.signal(host, to: peer, 1...100)
    fixture.advance(120_000)
    try fixture.signal(host, to: peer, [101])
    #expect(try #require(fixture.room().peers[peer]).signals.count == 101)
    fixture.advance(1)
    try fixture.signal(host, to: peer, [102])
    #expect(try #require(fixture.room().peers[peer]).signals.count == 2)
  }

  @Test("a signal gets its number when it is let out, so that held ones and others have no gap and no twins")
  func heldSignals() throws {
    let (fixture, host) = try ShardFixture.live()
    let ada = fixture.join("ada")
    try fixture.settle()
    let peer = try fixture.takePeer(ada)
    let cyd = fixture.join("cyd")
    try fixture.signal(cyd, to: peer, [1])
    try fixture.signal(host, to: peer, [2])
    #expect(fixture.take(ada).compactMap { $0.int("payload") } == [2])
    try fixture.sync()
    let got = fixture.take(ada, "signal")
    #expect(got.compactMap { $0.int("payload") } == [1] && got.compactMap { $0.int("signal_seq") } == [2])
  }

  @Test("nobody can signal an address that was never shown")
  func unknown() throws {
    let (fixture, host) = try ShardFixture.live()
    let ada = fixture.join("ada")
    let peer = try #require(try fixture.room().peers.values.first { $0.connection == ada }?.id)
    fixture.close(ada)
    try fixture.signal(host, to: peer, [1])
    try fixture.sync()
    #expect(fixture.take(host, "error").map { $0.text("code") } == ["peer_unavailable"])
    try fixture.signal(host, to: peer, [2])
    try fixture.sync()
    #expect(fixture.take(host, "error").isEmpty)
  }
}

@Suite("Resuming after a restart of the server")
struct ResumeAfterRestartTests {
  private func crashed() throws -> (ShardFixture, joined: Message) {
    let (fixture, host) = try ShardFixture.live()
    let ada = fixture.join("ada")
    fixture.join("bob")
    try fixture.settle()
    let joined = try fixture.takeJoined(ada)
    try fixture.say(host, ["a", "b"])
    try fixture.crash(downFor: 3_600_000)
    return (fixture, joined)
  }

  @Test("the token brings address and missed events back; others see neither a leave nor a join")
  func restored() throws {
    let (fixture, joined) = try crashed()
    let host = fixture.join(ShardFixture.identity("emmy", .host))
    try fixture.settle()
    _ = fixture.take(host)
    let ada = fixture.resume("ada", try resume(joined, signals: 3))
    try fixture.settle()
    let got = fixture.take(ada)
    #expect(got.map(\.type).prefix(3) == ["session.joined", "chat.message", "chat.message"])
    #expect(got[0].text("peer") == joined.text("peer"))
    #expect(got[0].flag("recovered") == true && got[0].flag("signals_recovered") == false)
    #expect(got[0].int("signal_seq") == 0)
    let diff = try #require(fixture.take(host, "presence.diff").last)
    #expect(diff.list("joined").isEmpty && diff.list("left").isEmpty)
    #expect(diff.list("updated").first?.list("peers").map { .some($0) } == [joined["peer"]])
    try fixture.signal(host, to: try #require(joined.text("peer")), [7])
    try fixture.sync()
    #expect(fixture.take(ada, "signal").map { $0.int("signal_seq") } == [1])
    let again = fixture.resume("ada", try resume(joined))
    try fixture.sync()
    #expect(fixture.closed == [ada: .resumedElsewhere])
    #expect(try fixture.takeJoined(again).flag("signals_recovered") == true)
  }

  @Test("who is away reconnects, with no address as long as the server knows none")
  func unknownPeers() throws {
    let (fixture, joined) = try crashed()
    let host = fixture.join(ShardFixture.identity("emmy", .host))
    try fixture.sync()
    let people = try fixture.takeJoined(host).list("presence.participants")
    let bob = try #require(people.first { $0.text("user") == "bob" })
    #expect(bob.list("peers").isEmpty && bob.flag("reconnecting") == true)
    try fixture.signal(host, to: try #require(joined.text("peer")), [7])
    try fixture.sync()
    #expect(fixture.take(host, "error").map { $0.text("code") } == ["peer_unavailable"])
  }

  @Test("after the grace the address is gone")
  func tooLate() throws {
    let (fixture, joined) = try crashed()
    fixture.advance(20_000)
    let ada = fixture.resume("ada", try resume(joined))
    try fixture.sync()
    let got = fixture.take(ada)
    #expect(got[0].text("peer") != joined.text("peer") && got[0].flag("recovered") == true)
    #expect(got.compactMap { $0.int("seq") } == [2, 3])
  }

  @Test("what was not synced was never seen, so nobody is ahead")
  func unsynced() throws {
    let (fixture, host) = try ShardFixture.live()
    let ada = fixture.join("ada")
    try fixture.settle()
    let joined = try fixture.takeJoined(ada)
    try fixture.say(host, ["seen"])
    #expect(fixture.take(ada).compactMap { $0.int("seq") } == [2])
    try fixture.send(host, #"{"type":"chat.send","text":"lost"}"#)
    fixture.append()
    try fixture.release()
    try fixture.crash()
    let back = fixture.resume("ada", try resume(joined, room: 2))
    try fixture.sync()
    #expect(fixture.take(back).map { $0.flag("recovered") } == [true])
  }
}
