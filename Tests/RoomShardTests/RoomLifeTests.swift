import Classroom
import SignalingProtocol
import Testing

@testable import RoomShard

@Suite("A room from waiting to reading")
struct RoomLifeTests {
  @Test("those who wait are told the count and the start, and are then present")
  func waiting() throws {
    let fixture = ShardFixture()
    fixture.create()
    let host = fixture.join(ShardFixture.identity("emmy", .host))
    let ada = fixture.join("ada")
    let secondTab = fixture.join("ada", mode: .count)
    let observer = fixture.join(ShardFixture.identity("ivy", .observer))
    try fixture.settle()
    let first = fixture.take(host)
    #expect(first.map(\.type) == ["session.joined", "waiting.count", "waiting.state"])
    #expect(first[0].text("state") == "waiting" && first[0]["peer"] == nil && first[0]["presence"] == nil)
    #expect(first[0].int("streams.room") == 0 && first[0]["chat"] == nil)
    #expect(first[1].int("count") == 2, "tabs and observers do not count")
    for connection in [ada, secondTab, observer] { _ = fixture.take(connection) }
    #expect(fixture.segments("ada").isEmpty, "waiting is not attendance")

    try fixture.send(ada, #"{"type":"session.start","id":6}"#)
    try fixture.send(ada, #"{"type":"chat.send","id":7,"text":"Hi"}"#)
    try fixture.sync()
    #expect(fixture.take(ada).map { $0.text("code") } == ["forbidden", "wrong_state"])

    try fixture.send(host, #"{"type":"session.start","id":8,"key":"k"}"#)
    fixture.append()
    try fixture.release()
    #expect(!fixture.hasNews)
    try fixture.settle()
    let started = fixture.take(host)
    #expect(started.prefix(3).map(\.type) == ["ok", "session.status", "session.joined"])
    #expect(started[0].text("session.status") == "ongoing")
    for connection in [ada, secondTab, observer] {
      let got = fixture.take(connection)
      #expect(got.prefix(2).map(\.type) == ["session.status", "session.joined"])
      #expect(got[0]["seq"] == nil && got[0]["stream"] == nil && got[0].text("by") == "emmy")
      #expect(got[1].text("state") == "present" && got[1]["id"] == nil && got[1].int("streams.room") == 1)
      #expect((got[1]["peer"] == nil) == (connection == observer))
      #expect(!got.dropFirst(2).contains { $0["seq"] != nil }, "the start is in the state already")
    }
    #expect(fixture.shard.classroom("algebra")?.attendance.activeCount == 2)
    #expect(fixture.shard.liveCounts == (1, 2))
  }

  @Test("starting twice with the same key is answered twice and done once")
  func keyedStart() throws {
    let fixture = ShardFixture()
    fixture.create()
    let host = fixture.join(ShardFixture.identity("emmy", .host))
    for id in 1...2 { try fixture.send(host, #"{"type":"session.start","id":\#(id),"key":"k"}"#) }
    try fixture.send(host, #"{"type":"session.end","id":3,"key":"k"}"#)
    let request = fixture.request(.start(key: "k"), by: ShardFixture.identity("emmy", .host))
    try fixture.sync()
    let got = fixture.take(host)
    #expect(got.filter { $0.type == "ok" }.compactMap { $0.int("session.rev") } == [2, 2])
    #expect(got.filter { $0.type == "session.status" }.count == 1)
    #expect(got.first { $0.type == "error" }?.text("code") == "key_conflict")
    guard case .success(.started(let change, session: "algebra", participants: 1))? = fixture.answers[request] else {
      Issue.record("not answered again")
      return
    }
    #expect(change.revision == 2)
  }

  @Test("when seats are few, who waited longest comes in first, and the host always")
  func admissionOrder() throws {
    let fixture = ShardFixture()
    fixture.create(capacity: 3)
    let people = ["ada", "bob", "cyd", "dan"].map { ($0, fixture.join($0)) }
    let host = fixture.join(ShardFixture.identity("emmy", .host))
    try fixture.settle()
    for (_, connection) in people { _ = fixture.take(connection) }
    try fixture.send(host, #"{"type":"session.start"}"#)
    try fixture.settle()
    for (name, connection) in people {
      let got = fixture.take(connection)
      let isIn = name == "ada" || name == "bob"
      #expect(got.contains { $0.text("state") == "present" } == isIn, "\(name)")
      #expect(got.contains { $0.text("code") == "session_full" } == !isIn, "\(name)")
    }
    #expect(fixture.take(host).contains { $0.text("state") == "present" })

    // A seat that becomes free goes to who waits, before anybody new.
    try fixture.send(people[0].1, #"{"type":"session.leave"}"#)
    let newcomer = fixture.join("eve")
    try fixture.settle()
    #expect(fixture.take(people[2].1).contains { $0.text("state") == "present" })
    #expect(fixture.take(newcomer).map { $0.text("code") } == ["session_full"])
    #expect(!fixture.take(people[3].1).contains { $0.type == "error" }, "told once is enough")

    // The end reaches also who still waits: there is a chat to read.
    try fixture.send(host, #"{"type":"session.end"}"#)
    try fixture.sync()
    let got = fixture.take(people[3].1)
    #expect(got.map(\.type) == ["session.status", "session.joined"])
    #expect(got.last?.text("state") == "ended")
    try fixture.send(people[3].1, #"{"type":"chat.history","id":1}"#)
    try fixture.sync()
    #expect(fixture.take(people[3].1).map(\.type) == ["ok"])
  }

  @Test("who stops waiting is no longer counted")
  func stopsWaiting() throws {
    let fixture = ShardFixture()
    fixture.create()
    let (ada, bob, cyd) = (fixture.join("ada"), fixture.join("bob"), fixture.join("cyd"))
    try fixture.settle()
    #expect(fixture.take(ada, "waiting.count").map { $0.int("count") } == [3])
    fixture.close(bob)
    try fixture.send(cyd, #"{"type":"session.leave"}"#)
    try fixture.settle()
    #expect(fixture.take(ada, "waiting.count").map { $0.int("count") } == [1])
  }

  @Test("the end empties presence, closes attendance, and leaves the chat to read")
  func end() throws {
    let (fixture, host) = try ShardFixture.live()
    let ada = fixture.join("ada")
    let lost = fixture.join("bob")
    let observer = fixture.join(ShardFixture.identity("ivy", .observer))
    try fixture.send(ada, #"{"type":"chat.send","text":"Hi"}"#)
    try fixture.settle()
    fixture.close(lost)
    for connection in [host, ada, observer] { _ = fixture.take(connection) }
    try fixture.send(host, #"{"type":"session.end","id":1}"#)
    fixture.advance(60_000)
    try fixture.sync()
    #expect(fixture.take(host).map(\.type) == ["ok", "session.status"])
    let status = fixture.take(ada)
    #expect(status.map(\.type) == ["session.status"], "no diff says that everybody is gone")
    #expect(status.first?.int("seq") == 3 && status.first?.text("status") == "completed")
    #expect(try fixture.room().presence.count == 0)
    #expect(try fixture.room().peers.isEmpty)
    #expect(fixture.shard.classroom("algebra")?.attendance.activeCount == 0)
    #expect(fixture.shard.classroom("algebra")?.attendance.rows.values.allSatisfy { $0.segments.count == 1 } == true)
    for connection in [host, ada, observer] {
      try fixture.send(connection, #"{"type":"chat.history","id":2}"#)
      try fixture.send(connection, #"{"type":"presence.page","id":3,"after":0}"#)
      try fixture.sync()
      let got = fixture.take(connection)
      #expect(got.last?.text("code") == "wrong_state")
      #expect(got.last { $0.type == "ok" }?.list("messages").map { $0.text("text") } == ["Hi"])
    }
    fixture.close(ada)
    fixture.advance(60_000)
    #expect(fixture.journal.count == Int(fixture.shard.position), "a reader who goes leaves no record")

    let late = fixture.join("cyd")
    try fixture.sync()
    let joined = try #require(fixture.take(late).first)
    #expect(joined.text("state") == "ended" && joined["peer"] == nil && joined["presence"] == nil)
    #expect(joined.int("streams.room") == 3)
    #expect(joined.list("chat.messages").count == 1)
  }

  @Test("a connection is in one session at a time")
  func oneSession() throws {
    let (fixture, host) = try ShardFixture.live()
    fixture.create("biology")
    fixture.join("emmy", "biology")
    fixture.join(ShardFixture.identity("emmy", .host), "biology", on: host)
    fixture.join(ShardFixture.identity("emmy", .host), "algebra", on: host)
    try fixture.sync()
    #expect(fixture.take(host).map { $0.text("code") } == ["already_joined", "already_joined"])
  }

  @Test("unknown sessions, and those one may not enter")
  func refusedJoins() throws {
    let fixture = ShardFixture()
    fixture.create("closed", admission: .approval, guests: false)
    let results = [
      (fixture.join("ada", "nowhere"), "not_found"), (fixture.join("ada", "closed"), "forbidden"),
      (fixture.join(ShardFixture.identity("g", guest: true), "closed"), "not_found"),
    ]
    try fixture.sync()
    for (connection, code) in results { #expect(fixture.take(connection).map { $0.text("code") } == [code]) }
    let ticket = fixture.join(ShardFixture.identity("ada", session: "closed"), "closed")
    try fixture.sync()
    #expect(fixture.take(ticket).map { $0.text("state") } == ["waiting"])
  }

  @Test("presence modes: full, hosts, count and none, and changing between them")
  func modes() throws {
    let (fixture, host) = try ShardFixture.live()
    let modes: [PresenceMode] = [.full, .hosts, .count, .none]
    let readers = modes.map { mode in
      fixture.join(ShardFixture.identity("reader-\(mode)", .observer), mode: mode)
    }
    try fixture.settle()
    let joined = readers.map { fixture.take($0).first }
    #expect(joined.map { $0?.list("presence.participants").count } == [1, 1, 0, 0])
    #expect(joined.map { $0?.int("presence.count") } == [1, 1, 1, 1])
    fixture.join("ada")
    try fixture.settle()
    var got = readers.map { fixture.take($0) }
    #expect(got.map { $0.map(\.type) } == [["presence.diff"], ["presence.diff"], ["presence.count"], []])
    #expect(got[0].first?.list("joined").count == 1)
    #expect(got[1].first?.list("joined").count == 0 && got[1].first?.int("count") == 2)
    #expect(got[2].first?.int("count") == 2)
    // A change that is not one of the number is not for those who count.
    try fixture.send(host, #"{"type":"media.set","audio":true}"#)
    try fixture.settle()
    got = readers.map { fixture.take($0) }
    #expect(got.map(\.count) == [1, 1, 0, 0])
    try fixture.send(readers[3], #"{"type":"presence.subscribe","id":1,"mode":"full"}"#)
    try fixture.send(readers[0], #"{"type":"presence.subscribe","id":1,"mode":"none"}"#)
    fixture.join("bob")
    try fixture.settle()
    got = readers.map { fixture.take($0) }
    #expect(got[0].map(\.type) == ["presence.state"])
    #expect(got[3].map(\.type) == ["presence.state", "presence.diff"])
    #expect(got[3].first?.list("participants").count == 2)
    #expect(got[3].last?.list("joined").first?.text("user") == "bob")
  }

  @Test("who counts is told the number again when the own state showed another than was told before")
  func countAfterSnapshot() throws {
    let (fixture, _) = try ShardFixture.live()
    try fixture.settle()
    let ada = fixture.join("ada")
    let counter = fixture.join(ShardFixture.identity("ivy", .observer), mode: .count)
    try fixture.send(ada, #"{"type":"session.leave"}"#)
    try fixture.settle()
    let got = fixture.take(counter)
    #expect(got.first?.int("presence.count") == 2)
    #expect(got.last?.int("count") == 1, "ada left before the change was told")
  }

  @Test("a question without an id is refused, for there is no telling its answer")
  func questionsWithoutID() throws {
    let (fixture, host) = try ShardFixture.live()
    _ = fixture.take(host)
    for question in [#"{"type":"chat.history"}"#, #"{"type":"presence.page","after":0}"#] {
      try fixture.send(host, question)
      try fixture.settle()
      let error = try #require(fixture.take(host, "error").first)
      #expect(error.text("code") == "missing_field" && error.text("details.field") == "id")
    }
  }

  @Test("a big room comes in pages")
  func pages() throws {
    let (fixture, host) = try ShardFixture.live()
    for number in 0..<1200 { fixture.join("s\(number)", mode: .none) }
    try fixture.settle()
    _ = fixture.take(host)
    let ada = fixture.join("ada")
    try fixture.sync()
    let joined = try #require(fixture.take(ada).first)
    var users = joined.list("presence.participants").compactMap { $0.text("user") }
    #expect(users.count == 200)
    #expect(joined.int("presence.count") == 1202)
    var next = joined.int("presence.next")
    while let cursor = next {
      try fixture.send(ada, #"{"type":"presence.page","id":1,"after":\#(cursor)}"#)
      try fixture.sync()
      let page = try #require(fixture.take(ada, "ok").first)
      users += page.list("participants").compactMap { $0.text("user") }
      next = page.int("next")
    }
    #expect(users.count == 1202 && Set(users).count == 1202)
  }

  @Test("the report: everything for who may read it, the own row for others")
  func report() throws {
    let (fixture, _) = try ShardFixture.live()
    fixture.join("ada")
    func rows(_ identity: Identity) throws -> [String]? {
      let id = fixture.request(.attendance, by: identity)
      try fixture.sync()
      guard case .success(.attendance(let report))? = fixture.answers[id] else { return nil }
      #expect(report.at == fixture.now)
      return report.people.map(\.user)
    }
    #expect(try rows(ShardFixture.identity("emmy", .host)) == ["emmy", "ada"])
    #expect(try rows(ShardFixture.identity("root", .admin)) == ["emmy", "ada"])
    #expect(try rows(ShardFixture.identity("ada")) == ["ada"])
    #expect(try rows(ShardFixture.identity("bob")) == [])
  }
}

@Suite("After a restart")
struct RestartTests {
  @Test(
    "who is back within the grace from readiness never left; who is not left when the server was last alive, estimated")
  func restart() throws {
    let (fixture, _) = try ShardFixture.live()
    fixture.join("ada")
    fixture.join("bob")
    try fixture.settle()
    fixture.advance(5000)
    let lastAlive = fixture.now
    try fixture.crash(lastAlive: lastAlive, downFor: 3_600_000)
    #expect(try fixture.room().presence.count == 3)
    fixture.advance(19_000)
    let ada = fixture.join("ada")
    try fixture.settle()
    let joined = try #require(fixture.take(ada).first)
    #expect(joined.text("state") == "present" && joined.text("epoch") == "e-algebra")
    #expect(joined.int("streams.room") == 1)
    #expect(joined.int("presence.count") == 3)
    fixture.advance(20_000)
    try fixture.settle()
    #expect(fixture.segments("ada").map(\.to) == [nil])
    #expect(fixture.segments("bob").map(\.to) == [lastAlive])
    #expect(fixture.segments("bob").map(\.isEstimated) == [true])
    #expect(fixture.take(ada, "presence.diff").flatMap { $0.list("left") }.count == 2)
  }

  @Test("an orderly restart estimates nothing, and nobody left before coming")
  func orderly() throws {
    let (fixture, _) = try ShardFixture.live()
    fixture.join("ada")
    try fixture.sync()
    let came = fixture.now
    try fixture.crash(lastAlive: came.advanced(byMilliseconds: -500), isEstimated: false)
    fixture.advance(20_000)
    #expect(fixture.segments("ada").map(\.to) == [came])
    #expect(fixture.segments("ada").map(\.isEstimated) == [false])
  }

  @Test("what was not synced is gone, and nobody ever saw it")
  func unsynced() throws {
    let (fixture, host) = try ShardFixture.live()
    try fixture.send(host, #"{"type":"chat.send","id":1,"text":"lost"}"#)
    fixture.join("ada")
    fixture.append()
    try fixture.release()
    #expect(!fixture.hasNews)
    try fixture.crash()
    #expect(fixture.shard.classroom("algebra")?.chat.messages.isEmpty == true)
    #expect(fixture.segments("ada").isEmpty)
    #expect(try fixture.room().presence.count == 1)
  }

  @Test("a repeated key is answered again")
  func keys() throws {
    let (fixture, host) = try ShardFixture.live()
    try fixture.send(host, #"{"type":"chat.send","id":1,"text":"Hi","key":"k"}"#)
    try fixture.sync()
    let first = try #require(fixture.take(host, "ok").first)
    try fixture.crash()
    let again = fixture.join(ShardFixture.identity("emmy", .host))
    try fixture.send(again, #"{"type":"chat.send","id":1,"text":"Hi","key":"k"}"#)
    try fixture.sync()
    #expect(fixture.take(again, "ok") == [first])
  }
}
