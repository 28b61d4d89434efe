import Classroom
import Testing

@testable import RoomShard

@Suite("Signals")
struct RelayTests {
  private func signal(_ peer: String, _ text: String, id: Int64? = nil) -> String {
    let id = id.map { #","id":\#($0)"# } ?? ""
    return #"{"type":"signal"\#(id),"to":"\#(peer)","kind":"offer","negotiation":"n1","payload":{"sdp":"\#(text)"}}"#
  }

  /// A live session with two people whose joins are synced.
  private func pair() throws -> (ShardFixture, ConnectionID, ConnectionID, String, String) {
    let (fixture, _) = try ShardFixture.live()
    let (ada, bob) = (fixture.join("ada"), fixture.join("bob"))
    try fixture.sync()
    return (fixture, ada, bob, try fixture.takePeer(ada), try fixture.takePeer(bob))
  }

  @Test("a signal reaches its peer untouched, with the sender stamped, beside the barrier")
  func relay() throws {
    let (fixture, ada, bob, adasPeer, bobsPeer) = try pair()
    fixture.join("cyd")
    fixture.append()
    try fixture.send(ada, signal(bobsPeer, "v=0"))
    try fixture.release()
    let got = fixture.take(bob)
    #expect(got.map(\.type) == ["signal"])
    #expect(got.first?.text("from") == adasPeer)
    #expect(got.first?.text("kind") == "offer")
    #expect(got.first?.text("negotiation") == "n1")
    #expect(got.first?["payload"] == .object(["sdp": .string("v=0")]))
    #expect(fixture.take(ada).isEmpty)
  }

  @Test("the polite side is the same for every signal of a pair, and the opposite for the other side")
  func politeness() throws {
    for seed in UInt64(1)...20 {
      let (fixture, host) = try ShardFixture.live(seed: seed)
      let ada = fixture.join("ada")
      try fixture.sync()
      let peers = try (fixture.takePeer(ada), #require(fixture.room().peers.first { $0.value.connection == host }?.key))
      var heard: Set<[Bool?]> = []
      for _ in 0..<3 {
        try fixture.send(ada, signal(peers.1, "x"))
        try fixture.send(host, signal(peers.0, "y"))
        try fixture.release()
        heard.insert([
          fixture.take(host, "signal").first?.flag("polite"), fixture.take(ada, "signal").first?.flag("polite"),
        ])
      }
      #expect(heard == [[true, false]] || heard == [[false, true]])
    }
  }

  @Test("a signal of somebody whose join is not synced waits for it, and so does an answer")
  func notYetSafe() throws {
    let (fixture, ada, _, adasPeer, _) = try pair()
    let cyd = fixture.join("cyd")
    let cydsPeer = try #require(try fixture.room().peers.first { $0.value.connection == cyd }?.key)
    try fixture.send(cyd, signal(adasPeer, "early"))
    // Nobody can know this address yet; whoever guesses it learns nothing.
    try fixture.send(ada, signal(cydsPeer, "guess", id: 5))
    fixture.append()
    try fixture.release()
    #expect(fixture.take(ada).isEmpty && fixture.take(cyd).isEmpty)
    try fixture.sync()
    #expect(fixture.take(cyd).map(\.type) == ["session.joined"])
    let got = fixture.take(ada)
    #expect(got.filter { $0.type == "signal" }.count == 1)
    #expect(got.first { $0.type == "error" }?.text("code") == "peer_unavailable")
  }

  @Test("a later signal does not overtake one that waits for the disk")
  func orderOfHeldSignals() throws {
    let (fixture, ada, _, adasPeer, _) = try pair()
    let cyd = fixture.join("cyd")
    fixture.append()
    let joinOfCyd = UInt64(fixture.journal.count)
    try fixture.send(ada, #"{"type":"chat.send","text":"Hi"}"#)
    try fixture.send(cyd, signal(adasPeer, "1"))
    fixture.append()
    try fixture.sync(through: joinOfCyd)
    #expect(fixture.take(cyd).map(\.type) == ["session.joined"])
    try fixture.send(cyd, signal(adasPeer, "2"))
    try fixture.release()
    try fixture.sync()
    try fixture.send(cyd, signal(adasPeer, "3"))
    try fixture.release()
    #expect(fixture.take(ada, "signal").compactMap { $0.text("payload.sdp") } == ["1", "2", "3"])
  }

  @Test("who leaves and joins again in one tick speaks with the new address only when the new join is synced")
  func rejoinInOneTick() throws {
    let (fixture, ada, bob, adasPeer, bobsPeer) = try pair()
    try fixture.send(ada, #"{"type":"session.leave","id":3}"#)
    fixture.join("ada", on: ada)
    try fixture.send(ada, signal(bobsPeer, "new"))
    let newPeer = try #require(try fixture.room().peers.first { $0.value.connection == ada }?.key)
    try fixture.send(bob, signal(newPeer, "guess"))
    fixture.append()
    try fixture.release()
    #expect(fixture.take(bob).isEmpty && fixture.take(ada).isEmpty, "nothing passes before the join is synced")
    try fixture.sync()
    #expect(fixture.take(ada).map(\.type).prefix(2) == ["ok", "session.joined"])
    let got = fixture.take(bob, "signal")
    #expect(got.map { $0.text("from") } == [newPeer])
    #expect(newPeer != adasPeer)
  }

  @Test("nobody at the address: peer_unavailable names it")
  func unavailable() throws {
    let (fixture, ada, bob, adasPeer, bobsPeer) = try pair()
    fixture.create("biology")
    let other = fixture.join(ShardFixture.identity("emmy", .host), "biology")
    try fixture.send(other, #"{"type":"session.start"}"#)
    try fixture.sync()
    let elsewhere = try fixture.takePeer(other)
    func expectUnavailable(_ peer: String) throws {
      try fixture.send(ada, signal(peer, "x", id: 9))
      try fixture.sync()
      let errors = fixture.take(ada, "error")
      #expect(errors.map { $0.text("code") } == ["peer_unavailable"])
      #expect(errors.first?.text("details.peer") == peer)
      #expect(errors.first?.int("id") == 9)
    }
    try expectUnavailable("nobody")
    try expectUnavailable(elsewhere)
    try expectUnavailable(adasPeer)
    try fixture.send(bob, #"{"type":"session.leave"}"#)
    try expectUnavailable(bobsPeer)
    #expect(fixture.take(other).isEmpty)
  }

  @Test("who waits, observes or reads sends no signals")
  func notPresent() throws {
    let (fixture, _, _, _, bobsPeer) = try pair()
    let observer = fixture.join(ShardFixture.identity("ivy", .observer))
    try fixture.send(observer, signal(bobsPeer, "x"))
    try fixture.sync()
    #expect(fixture.take(observer, "error").map { $0.text("code") } == ["forbidden"])
    let emmy = ShardFixture.identity("emmy", .host)
    fixture.request(.end(key: nil), by: emmy)
    try fixture.send(observer, signal(bobsPeer, "x"))
    try fixture.sync()
    #expect(fixture.take(observer, "error").map { $0.text("code") } == ["wrong_state"])
  }
}
