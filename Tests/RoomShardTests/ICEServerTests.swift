import Classroom
import Testing

@testable import RoomShard

/// Credentials that say for whom and when they were made.
private struct TestServers: ICEServerSource {
  var lifetimeMilliseconds: Int64? = 3_600_000
  var isRelayOnly = false
  var name = "turn:t.example"

  var renewalMilliseconds: Int64? { lifetimeMilliseconds.map { $0 / 4 * 3 } }

  func configuration(for user: String, at now: Timestamp) -> ICEConfiguration {
    ICEConfiguration(
      servers: [.init(urls: [name], username: "\(now.milliseconds):\(user)", credential: "secret of \(user)")],
      isRelayOnly: isRelayOnly, expiresAt: lifetimeMilliseconds.map { now.advanced(byMilliseconds: $0) })
  }
}

@Suite("Servers for calls")
struct ICEServerTests {
  private func live(_ source: TestServers = TestServers()) throws -> (ShardFixture, ConnectionID) {
    let (fixture, host) = try ShardFixture.live()
    fixture.shard.iceServers = source
    return (fixture, host)
  }

  @Test("who comes into a class gets credentials of their own, and is told the policy")
  func joined() throws {
    let (fixture, _) = try live(TestServers(isRelayOnly: true))
    let ada = fixture.join("ada")
    try fixture.sync()
    let joined = try #require(fixture.take(ada, "session.joined").first)
    let server = try #require(joined.list("ice_servers").first)
    #expect(server.list("urls") == [.string("turn:t.example")])
    #expect(server.text("username") == "\(fixture.now.milliseconds):ada")
    #expect(server.text("credential") == "secret of ada")
    #expect(joined.text("ice_transport_policy") == "relay")
    #expect(joined.text("ice_expires_at") == RFC3339.format(fixture.now.advanced(byMilliseconds: 3_600_000)))
  }

  @Test("who has no address has no credentials: observers, those who wait, those who read")
  func withoutAddress() throws {
    let (fixture, host) = try live()
    let observer = fixture.join(ShardFixture.identity("olga", .observer, session: "algebra"))
    try fixture.sync()
    #expect(fixture.take(observer, "session.joined").first?.list("ice_servers").isEmpty == true)
    try fixture.send(host, #"{"type":"session.end","id":3}"#)
    try fixture.sync()
    let reader = fixture.join("ada")
    try fixture.sync()
    let joined = try #require(fixture.take(reader, "session.joined").first)
    #expect(joined.list("ice_servers").isEmpty && joined.text("ice_transport_policy") == "all")
  }

  @Test("credentials are renewed before they end, again and again, each for their own user")
  func renewal() throws {
    let (fixture, _) = try live()
    let (ada, bob) = (fixture.join("ada"), fixture.join("bob"))
    try fixture.sync()
    _ = (fixture.take(ada), fixture.take(bob))
    var ends = fixture.now.advanced(byMilliseconds: 3_600_000)
    for _ in 0..<3 {
      fixture.advance(45 * 60_000)
      try fixture.release()
      for (connection, user) in [(ada, "ada"), (bob, "bob")] {
        let told = fixture.take(connection, "ice_servers")
        #expect(told.count == 1)
        let server = try #require(told.first?.list("ice_servers").first)
        #expect(server.text("credential") == "secret of \(user)")
        let made = Timestamp(milliseconds: try #require(told.first?.int("at")))
        #expect(made < ends, "the old ones had ended")
        ends = max(ends, made.advanced(byMilliseconds: 3_600_000))
      }
    }
  }

  @Test("who has left is not told, and without anybody there is no timer")
  func gone() throws {
    let (fixture, host) = try live()
    let ada = fixture.join("ada")
    try fixture.sync()
    try fixture.send(ada, #"{"type":"session.leave","id":3}"#)
    try fixture.sync()
    _ = fixture.take(ada)
    fixture.advance(2 * 3_600_000)
    try fixture.release()
    #expect(fixture.take(ada).isEmpty)
    _ = host
    #expect(fixture.isResting)
  }

  @Test("other servers are told at once to everybody who may have calls")
  func changed() throws {
    let (fixture, host) = try live()
    let ada = fixture.join("ada")
    try fixture.sync()
    _ = (fixture.take(ada), fixture.take(host))
    fixture.shard.changeICEServers(
      to: TestServers(lifetimeMilliseconds: nil, isRelayOnly: true, name: "turn:u.example"), at: fixture.now)
    try fixture.release()
    for connection in [ada, host] {
      let told = fixture.take(connection, "ice_servers")
      #expect(told.first?.list("ice_servers").first?.list("urls") == [.string("turn:u.example")])
      #expect(told.first?.text("ice_transport_policy") == "relay")
      #expect(told.first?["ice_expires_at"] == .null)
    }
  }
}
