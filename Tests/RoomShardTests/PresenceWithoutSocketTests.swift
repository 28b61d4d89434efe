import Classroom
import SignalingProtocol
import Testing

@testable import RoomShard

@Suite("In a room without a socket")
struct PresenceWithoutSocketTests {
  private static let ada = ShardFixture.identity("ada")
  private static let emmy = ShardFixture.identity("emmy", .host)

  /// The answer to a request, everything synced.
  private func ask(
    _ request: RoomRequest, by identity: Identity, _ fixture: ShardFixture
  ) throws -> Result<RoomAnswer, Refusal> {
    let id = fixture.request(request, by: identity)
    try fixture.sync()
    return try #require(fixture.answers[id])
  }

  private func refusal(_ request: RoomRequest, by identity: Identity, _ fixture: ShardFixture) throws -> Refusal? {
    guard case .failure(let refusal) = try ask(request, by: identity, fixture) else { return nil }
    return refusal
  }

  private func participant(_ user: String, seenBy host: ConnectionID, _ fixture: ShardFixture) throws -> Message? {
    try fixture.settle()
    let diffs = fixture.take(host, "presence.diff")
    return diffs.flatMap { $0.list("joined") + $0.list("updated") }.last { $0.text("user") == user }
  }

  @Test("who came in over HTTP is there as long as heartbeats come, and gone since the last when they do not")
  func heartbeats() throws {
    let (fixture, host) = try ShardFixture.live()
    #expect(try refusal(.heartbeat, by: Self.ada, fixture) == .notPresent)
    #expect(try refusal(.joinLive, by: Self.ada, fixture) == nil)
    let seen = try #require(try participant("ada", seenBy: host, fixture))
    #expect(seen.flag("reconnecting") == false && seen.list("peers").isEmpty)
    for _ in 0..<5 {
      fixture.advance(110_000)
      #expect(try refusal(.heartbeat, by: Self.ada, fixture) == nil)
    }
    let last = fixture.now
    fixture.advance(119_999)
    #expect(fixture.segments("ada").map(\.to) == [nil])
    fixture.advance(1)
    try fixture.settle()
    #expect(fixture.segments("ada").map(\.to) == [last])
    #expect(fixture.take(host, "presence.diff").last?.list("left").first?.text("user") == "ada")
    #expect(try refusal(.heartbeat, by: Self.ada, fixture) == .notPresent)
    #expect(try refusal(.joinLive, by: Self.ada, fixture) == nil, "comes in anew")
    #expect(fixture.segments("ada").count == 2)
  }

  @Test("heartbeats one upon the other leave one record, and those of who has a socket none")
  func manyHeartbeats() throws {
    let (fixture, _) = try ShardFixture.live()
    #expect(try refusal(.join, by: Self.ada, fixture) == nil)
    let records = fixture.shard.position
    for _ in 0..<20 { #expect(try refusal(.heartbeat, by: Self.ada, fixture) == nil) }
    #expect(fixture.shard.position == records)
    fixture.advance(1000)
    #expect(try refusal(.heartbeat, by: Self.ada, fixture) == nil)
    #expect(fixture.shard.position == records + 1)
    fixture.join("ada")
    fixture.advance(1000)
    #expect(try refusal(.heartbeat, by: Self.ada, fixture) == nil)
    #expect(fixture.shard.position == records + 2)
  }

  @Test("a socket takes over, and its loss follows the grace")
  func takeover() throws {
    let (fixture, host) = try ShardFixture.live()
    #expect(try refusal(.joinLive, by: Self.ada, fixture) == nil)
    fixture.advance(60_000)
    let socket = fixture.join("ada")
    #expect(try participant("ada", seenBy: host, fixture)?.list("peers").count == 1)
    fixture.advance(300_000)
    #expect(fixture.segments("ada").map(\.to) == [nil])
    let heard = fixture.now
    fixture.close(socket)
    #expect(try participant("ada", seenBy: host, fixture)?.flag("reconnecting") == true)
    fixture.advance(20_000)
    #expect(fixture.segments("ada").map(\.to) == [heard])
  }

  @Test("who is in is told so by join_live, who lost the connection comes back, and join gives another ticket")
  func alreadyIn() throws {
    let (fixture, _) = try ShardFixture.live()
    #expect(try refusal(.joinLive, by: Self.ada, fixture) == nil)
    #expect(try refusal(.joinLive, by: Self.ada, fixture) == .alreadyIn)
    #expect(try refusal(.join, by: Self.ada, fixture) == nil)
    #expect(try refusal(.joinLive, by: Self.emmy, fixture) == .alreadyIn, "with a socket")
    #expect(try refusal(.join, by: Self.emmy, fixture) == nil)
    let bob = fixture.join("bob")
    fixture.close(bob)
    #expect(try refusal(.joinLive, by: ShardFixture.identity("bob"), fixture) == nil)
    #expect(fixture.segments("bob").count == 1)
  }

  @Test("nobody comes in live before the start or after the end")
  func notLive() throws {
    let fixture = ShardFixture()
    fixture.create()
    #expect(try refusal(.joinLive, by: Self.ada, fixture) == .wrongState(.scheduled))
    #expect(try refusal(.leave, by: Self.ada, fixture) == nil, "leaving is never wrong")
    #expect(try refusal(.start(key: nil), by: Self.emmy, fixture) == nil)
    #expect(try refusal(.joinLive, by: Self.emmy, fixture) == nil, "who started it may say that it comes in")
    #expect(try refusal(.end(key: nil), by: Self.emmy, fixture) == nil)
    #expect(try refusal(.joinLive, by: Self.ada, fixture) == .wrongState(.completed))
    #expect(try refusal(.heartbeat, by: Self.ada, fixture) == .wrongState(.completed))
    #expect(try refusal(.leave, by: Self.ada, fixture) == nil)
  }

  @Test("who starts a class over HTTP is in it for as long as heartbeats come")
  func startedOverHTTP() throws {
    let fixture = ShardFixture()
    fixture.create()
    #expect(try refusal(.start(key: nil), by: Self.emmy, fixture) == nil)
    fixture.advance(100_000)
    #expect(try refusal(.heartbeat, by: Self.emmy, fixture) == nil)
    fixture.advance(100_000)
    #expect(fixture.shard.classroom("algebra")?.attendance.isActive("emmy") == true)
    #expect(try refusal(.end(key: nil), by: Self.emmy, fixture) == nil)
    #expect(fixture.segments("emmy").map(\.to) == [fixture.now], "until the end, not until the last heartbeat")
  }

  @Test("leaving over HTTP ends every connection, and is done also by who was not there")
  func leave() throws {
    let (fixture, host) = try ShardFixture.live(capacity: 2)
    let (first, second) = (fixture.join("ada"), fixture.join("ada"))
    try fixture.settle()
    let waiting = fixture.join("bob")
    #expect(try refusal(.leave, by: Self.ada, fixture) == nil)
    #expect(fixture.closed[first] == .leftElsewhere && fixture.closed[second] == .leftElsewhere)
    #expect(fixture.segments("ada").map(\.to) == [fixture.now])
    #expect(try fixture.room().peers.count == 1)
    fixture.close(first)
    fixture.close(second)
    try fixture.settle()
    #expect(fixture.take(host, "presence.diff").last?.int("count") == 1)
    fixture.advance(60_000)
    #expect(fixture.segments("ada").count == 1)
    #expect(try refusal(.leave, by: ShardFixture.identity("eve"), fixture) == nil)
    _ = waiting
  }

  @Test("who is vouched for is seen without a socket, and no loss and no crash ends it")
  func vouched() throws {
    let (fixture, host) = try ShardFixture.live()
    let mark = RoomRequest.perform(.markPresent(user: "ada", name: "Ada"), key: nil)
    #expect(try refusal(mark, by: Self.ada, fixture) == .forbidden)
    #expect(try refusal(mark, by: Self.emmy, fixture) == nil)
    let seen = try #require(try participant("ada", seenBy: host, fixture))
    #expect(seen.text("name") == "Ada" && seen.flag("reconnecting") == false)
    let socket = fixture.join("ada")
    fixture.advance(1000)
    fixture.close(socket)
    fixture.advance(600_000)
    #expect(fixture.segments("ada").map(\.to) == [nil])
    #expect(try participant("ada", seenBy: host, fixture)?.flag("reconnecting") == false)
    try fixture.crash(lastAlive: fixture.now, downFor: 600_000)
    fixture.advance(600_000)
    try fixture.settle()
    #expect(fixture.segments("ada").map(\.to) == [nil] && fixture.segments("ada").map(\.isCheckedIn) == [true])
    #expect(try fixture.room().presence["ada"]?.isReconnecting == false)
    #expect(try refusal(.perform(.markGone(user: "ada"), key: nil), by: Self.emmy, fixture) == nil)
    #expect(fixture.segments("ada").map(\.to) == [fixture.now])
    #expect(try fixture.room().presence["ada"] == nil)
  }

  @Test("checking in takes the code, the right role and a live class")
  func checkIn() throws {
    let (fixture, _) = try ShardFixture.live()
    guard case .invalidField("code", _)? = try refusal(.checkIn(isCodeRight: false), by: Self.ada, fixture) else {
      Issue.record("a wrong code is good")
      return
    }
    #expect(fixture.segments("ada").isEmpty)
    #expect(try refusal(.checkIn(isCodeRight: true), by: Self.ada, fixture) == nil)
    #expect(fixture.segments("ada").map(\.isCheckedIn) == [true])
    #expect(try refusal(.checkInCode, by: Self.ada, fixture) == .forbidden)
    guard case .success(.checkInCode("algebra")) = try ask(.checkInCode, by: Self.emmy, fixture) else {
      Issue.record("no code for the host")
      return
    }
    let stranger = ShardFixture.identity("eve", session: "other")
    for isRight in [true, false] {
      #expect(try refusal(.checkIn(isCodeRight: isRight), by: stranger, fixture) == .notFound, "a code tells nothing")
    }
  }

  @Test("a crash keeps who came in over HTTP, for the time of a heartbeat from when the server is back")
  func crash() throws {
    let (fixture, _) = try ShardFixture.live()
    #expect(try refusal(.joinLive, by: Self.ada, fixture) == nil)
    let last = fixture.now
    fixture.advance(60_000)
    try fixture.crash(lastAlive: fixture.now, downFor: 300_000)
    fixture.advance(100_000)
    #expect(try refusal(.heartbeat, by: Self.ada, fixture) == nil)
    #expect(fixture.segments("ada").map(\.to) == [nil], "was there all the time")
    try fixture.crash(lastAlive: fixture.now, downFor: 300_000)
    fixture.advance(120_000)
    #expect(fixture.segments("ada").first?.to.map { $0 > last } == true)
    #expect(fixture.segments("ada").map(\.isEstimated) == [false], "the last word is known exactly")
  }

  @Test("a heartbeat that cannot be written down is refused, and ends nobody's attendance")
  func trouble() throws {
    let (fixture, _) = try ShardFixture.live()
    #expect(try refusal(.joinLive, by: Self.ada, fixture) == nil)
    fixture.advance(30_000)
    try fixture.failStorage()
    let beat = fixture.request(.heartbeat, by: Self.ada)
    try fixture.release()
    guard case .failure(.storageUnavailable(isCertain: true))? = fixture.answers[beat] else {
      Issue.record("taken without a disk")
      return
    }
    fixture.advance(300_000)
    try fixture.healStorage()
    try fixture.settle()
    #expect(fixture.segments("ada").map(\.to) == [nil])
    #expect(try refusal(.heartbeat, by: Self.ada, fixture) == nil)
    #expect(fixture.segments("ada").map(\.to) == [nil])
  }
}
