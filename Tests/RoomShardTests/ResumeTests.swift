import Classroom
import SignalingProtocol
import Testing

@testable import RoomShard

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

  @Test("who waited in a class that was on has nothing to go on from, and gets the whole state when coming back")
  func waitedInLiveClass() throws {
    let fixture = ShardFixture()
    fixture.create(hasWaitingRoom: true)
    let host = fixture.join(ShardFixture.identity("emmy", .host))
    try fixture.send(host, #"{"type":"session.start","id":1}"#)
    try fixture.say(host, ["a", "b"])
    let first = fixture.join("ada")
    try fixture.settle()
    let waiting = try fixture.takeJoined(first)
    #expect(waiting.text("state") == "waiting" && waiting.int("streams.room") == 0)
    fixture.close(first)
    try fixture.send(host, #"{"type":"session.end","id":2}"#)
    try fixture.sync()
    let second = fixture.resume("ada", try resume(waiting))
    try fixture.sync()
    let got = fixture.take(second)
    #expect(got.map(\.type) == ["session.joined"])
    #expect(got[0].text("state") == "ended" && got[0].text("not_recovered") == "too_old")
    #expect(got[0].list("chat.messages").map { $0.text("text") } == ["a", "b"])
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
