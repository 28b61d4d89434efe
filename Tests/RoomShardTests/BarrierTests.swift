import Classroom
import Testing

@testable import RoomShard

@Suite("The barrier")
struct BarrierTests {
  /// Whether the outputs of `action` wait for the sync, and how many there are once it is done.
  private func outputs(
    _ fixture: ShardFixture, of connections: [ConnectionID] = [], _ action: () throws -> Void
  ) throws -> (before: Int, after: [Message]) {
    try fixture.sync()
    for connection in connections { _ = fixture.take(connection) }
    let (published, answered) = (fixture.published.count, fixture.answerCount)
    // A record that is not synced, of the same room: everything about this room rests on it.
    fixture.join("unsynced-\(fixture.journal.count)")
    try action()
    fixture.append()
    try fixture.release()
    var before = fixture.published.count - published + fixture.answerCount - answered
    for connection in connections { before += fixture.take(connection).count }
    #expect(fixture.shard.isHolding)
    try fixture.sync()
    #expect(!fixture.shard.isHolding)
    return (before, connections.flatMap { fixture.take($0) })
  }

  @Test("every kind of message waits for the record it rests on")
  func messages() throws {
    let commands: [(String, String)] = [
      (#"{"type":"chat.send","id":7,"text":"Hi"}"#, "ok"), (#"{"type":"chat.send","id":7,"text":""}"#, "error"),
      (#"{"type":"chat.history","id":7}"#, "ok"), (#"{"type":"media.set","id":7,"audio":true}"#, "ok"),
      (#"{"type":"presence.subscribe","id":7,"mode":"count"}"#, "presence.state"),
      (#"{"type":"presence.page","id":7,"after":0}"#, "ok"),
      (#"{"type":"session.start","id":7}"#, "error"),
      (#"{"type":"signal","id":7,"to":"p","kind":"bye","payload":0}"#, "error"),
      (#"{"type":"session.leave","id":7}"#, "ok"), (#"{"type":"session.end","id":7}"#, "ok"),
    ]
    for (command, type) in commands {
      let (fixture, host) = try ShardFixture.live()
      let (before, after) = try outputs(fixture, of: [host]) { try fixture.send(host, command) }
      #expect(before == 0, "\(command)")
      #expect(after.contains { $0.type == type && $0.int("id") == 7 }, "\(command) \(after)")
    }
  }

  @Test("joined, refused, differences and counts wait")
  func presence() throws {
    let (fixture, host) = try ShardFixture.live()
    let counter = fixture.join("ada", mode: .count)
    let (before, after) = try outputs(fixture, of: [host, counter]) {
      fixture.join("bob")
      fixture.join("bob", on: counter)
      fixture.advance(250)
    }
    #expect(before == 0)
    #expect(Set(after.map(\.type)) == ["presence.diff", "presence.count", "error"])

    let newcomer = fixture.newConnection()
    let joined = try outputs(fixture, of: [newcomer]) { fixture.join("cyd", on: newcomer) }
    #expect(joined.before == 0)
    #expect(joined.after.map(\.type) == ["session.joined"])
  }

  @Test("requests and the catalog wait, refusals too")
  func requests() throws {
    let requests: [RoomRequest] = [.read, .join, .attendance, .start(key: nil), .end(key: nil)]
    for request in requests {
      let (fixture, _) = try ShardFixture.live()
      let emmy = ShardFixture.identity("emmy", .host)
      var id: UInt64 = 0
      let (before, _) = try outputs(fixture) { id = fixture.request(request, by: emmy) }
      #expect(before == 0, "\(request)")
      #expect(fixture.answers[id] != nil, "\(request)")
    }
  }

  @Test("a new session is answered and listed after its creation is synced, the list first")
  func creation() throws {
    let fixture = ShardFixture()
    let id = fixture.create()
    let again = fixture.create()
    fixture.append()
    try fixture.release()
    #expect(fixture.answers.isEmpty && fixture.published.isEmpty)
    try fixture.sync()
    #expect(fixture.published.map(\.details.id) == ["algebra"])
    guard case .success(.session(let view, mayJoin: true))? = fixture.answers[id] else {
      Issue.record("not created")
      return
    }
    #expect(view.details.host == "emmy")
    guard case .failure(.sessionExists)? = fixture.answers[again] else {
      Issue.record("created twice")
      return
    }
  }

  @Test("what is synced leaves, what is not stays, and the order is kept")
  func order() throws {
    let (fixture, host) = try ShardFixture.live()
    for number in 1...5 { try fixture.send(host, #"{"type":"chat.send","id":\#(number),"text":"m\#(number)"}"#) }
    fixture.append()
    let end = UInt64(fixture.journal.count)
    for step in 1...5 {
      try fixture.sync(through: end - 5 + UInt64(step))
      let got = fixture.take(host)
      #expect(got.map(\.type) == ["ok", "chat.message"])
      #expect(got.first?.int("id") == Int64(step))
      #expect(got.last?.text("text") == "m\(step)")
    }
  }

  @Test("memory for held messages does not grow while there is always something held")
  func heldMemory() throws {
    let (fixture, host) = try ShardFixture.live()
    let text = String(repeating: "x", count: 4000)
    for number in 0..<2000 {
      try fixture.send(host, #"{"type":"chat.send","text":"\#(text)"}"#)
      fixture.append()
      // The journal is always one record behind.
      try fixture.sync(through: UInt64(fixture.journal.count) - 1)
      let got = fixture.take(host)
      #expect(got.count == (number == 0 ? 0 : 1))
      #expect(got.first?.text("text")?.utf8.count ?? 4000 == 4000)
    }
    #expect(fixture.shard.isHolding)
    #expect(fixture.shard.outbox.heldByteCount < 1 << 20)
  }

  @Test("what waits for a connection that closed is not told to the room's next members")
  func closedWhileHeld() throws {
    let (fixture, host) = try ShardFixture.live()
    let ada = fixture.join("ada")
    fixture.close(ada)
    try fixture.send(host, #"{"type":"chat.send","text":"Hi"}"#)
    try fixture.sync()
    #expect(fixture.take(ada, "chat.message").isEmpty)
    #expect(try fixture.room().audience.hasEntered(ada) == false)
  }

  @Test("a late joiner's state and its events meet without gap or overlap")
  func lateJoiner() throws {
    let (fixture, host) = try ShardFixture.live()
    for number in 0..<60 { try fixture.send(host, #"{"type":"chat.send","text":"\#(number)"}"#) }
    let ada = fixture.join("ada")
    for number in 60..<70 { try fixture.send(host, #"{"type":"chat.send","text":"\#(number)"}"#) }
    try fixture.sync()
    try fixture.send(host, #"{"type":"chat.send","text":"70"}"#)
    try fixture.sync()
    let got = fixture.take(ada)
    let joined = try #require(got.first)
    #expect(joined.text("state") == "present")
    #expect(joined.int("streams.room") == 61)
    #expect(joined.list("chat.messages").compactMap { $0.int("seq") } == Array(12...61))
    #expect(joined.flag("chat.has_more") == true)
    #expect(joined.text("epoch") == "e-algebra")
    #expect(got.dropFirst().compactMap { $0.int("seq") } == Array(62...72))
  }

  @Test("a connection goes to another loop only after everything that is on its way to it")
  func handOver() throws {
    let (fixture, host) = try ShardFixture.live()
    let ada = fixture.join("ada")
    try fixture.sync()
    _ = fixture.take(ada)
    try fixture.send(host, #"{"type":"chat.send","text":"Hi"}"#)
    try fixture.send(ada, #"{"type":"session.leave","id":1}"#)
    #expect(!fixture.shard.isMember(ada))
    fixture.shard.handOver(ada)
    fixture.append()
    try fixture.release()
    #expect(fixture.handedOver.isEmpty)
    try fixture.sync()
    #expect(fixture.handedOver == [ada])
    #expect(fixture.take(ada).last?.type == "ok")
  }
}
