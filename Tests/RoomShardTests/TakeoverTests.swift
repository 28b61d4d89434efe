import Testing

@testable import RoomShard

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
