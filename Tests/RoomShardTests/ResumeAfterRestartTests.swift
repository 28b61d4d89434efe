import Classroom
import Testing

@testable import RoomShard

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

  @Test("an address from before the end of the class does not come back when the class goes on")
  func reopened() throws {
    let (fixture, host) = try ShardFixture.live()
    let ada = fixture.join("ada")
    try fixture.settle()
    let joined = try fixture.takeJoined(ada)
    for type in ["session.end", "session.start"] {
      fixture.advance(1000)
      try fixture.send(host, #"{"type":"\#(type)"}"#)
      try fixture.settle()
    }
    let again = try fixture.takeJoined(ada)
    #expect(again.text("peer") != joined.text("peer"))
    try fixture.crash(downFor: 1000)
    let old = fixture.resume("ada", try resume(joined))
    try fixture.sync()
    let got = try fixture.takeJoined(old)
    #expect(got.flag("recovered") == true && got["signals_recovered"] == nil)
    #expect(![joined.text("peer"), again.text("peer")].contains(got.text("peer")))
    let new = fixture.resume("ada", try resume(again))
    try fixture.sync()
    #expect(try fixture.takeJoined(new).text("peer") == again.text("peer"))
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
