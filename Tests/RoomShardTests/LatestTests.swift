import Classroom
import SignalingProtocol
import Testing

@testable import RoomShard

@Suite("Who was spared presence is told how things stand")
struct LatestTests {
  @Test("everybody in their mode: the people, the count, or nothing")
  func present() throws {
    let fixture = ShardFixture()
    fixture.create()
    let full = fixture.join(ShardFixture.identity("emmy", .host))
    let count = fixture.join("ada", mode: .count)
    let none = fixture.join("bo", mode: PresenceMode.none)
    let waiting = fixture.join(ShardFixture.identity("ivy", .observer))
    try fixture.settle()
    for connection in [full, count, none, waiting] { _ = fixture.take(connection) }
    fixture.tellLatest(to: waiting)
    try fixture.settle()
    #expect(fixture.take(waiting).map(\.type) == ["waiting.count"])

    try fixture.send(full, #"{"type":"session.start","id":5}"#)
    try fixture.settle()
    for connection in [full, count, none, waiting] { _ = fixture.take(connection) }
    for connection in [full, count, none] { fixture.tellLatest(to: connection) }
    try fixture.settle()
    let states = fixture.take(full)
    #expect(states.map(\.type) == ["waiting.state", "presence.state"])
    #expect(states[1].text("mode") == "full" && states[1]["id"] == nil)
    #expect(fixture.take(count).map { $0.text("mode") } == ["count"])
    #expect(fixture.take(none).isEmpty)
  }

  @Test("a connection that is gone is told nothing")
  func gone() throws {
    let fixture = ShardFixture()
    fixture.tellLatest(to: ConnectionID(rawValue: 99))
    try fixture.settle()
    #expect(fixture.take(ConnectionID(rawValue: 99)).isEmpty)
  }
}

extension ShardFixture {
  fileprivate func tellLatest(to connection: ConnectionID) { shard.tellLatest(to: connection, at: now) }
}
