import Classroom
import SignalingProtocol
import Testing

@testable import RoomShard

/// What decisions about people do to those who are connected.
@Suite("Leading a class, in a room")
struct ConductTests {
  /// A live session with its host, and students who are in; everything synced and taken.
  private static func lesson(_ students: String...) throws -> (ShardFixture, host: ConnectionID, [ConnectionID]) {
    let (fixture, host) = try ShardFixture.live()
    let connections = students.map { fixture.join($0) }
    try fixture.settle()
    for connection in [host] + connections { _ = fixture.take(connection) }
    return (fixture, host, connections)
  }

  @Test("who is removed gets the Close only when that is safe, and is gone for the others in the same moment")
  func remove() throws {
    let (fixture, host, students) = try Self.lesson("ada", "bo")
    try fixture.send(host, #"{"type":"participant.remove","id":5,"user":"ada"}"#)
    fixture.advance(250)
    try fixture.release()
    #expect(fixture.closed.isEmpty && fixture.take(students[1]).isEmpty && fixture.take(host).isEmpty)
    try fixture.sync()
    #expect(fixture.closed[students[0]] == .removed)
    #expect(fixture.take(host).map(\.type) == ["ok", "participant.removed", "presence.diff"])
    let difference = try #require(fixture.take(students[1]).first)
    #expect(difference.type == "presence.diff" && difference.list("left").map { $0.text("user") } == ["ada"])
    try fixture.send(students[0], #"{"type":"chat.send","id":6,"text":"still here"}"#)
    fixture.close(students[0])
    try fixture.settle()
    #expect(fixture.take(students[1]).isEmpty, "who is sent out is not heard any more")
    let again = fixture.join("ada")
    try fixture.sync()
    #expect(fixture.take(again).first?.text("state") == "present")
  }

  @Test("a ban ends every connection, those that wait too, and every way back")
  func ban() throws {
    let fixture = ShardFixture()
    fixture.create()
    let host = fixture.join(ShardFixture.identity("emmy", .host))
    let tabs = [fixture.join("ada"), fixture.join("ada")]
    try fixture.send(host, #"{"type":"participant.ban","id":5,"user":"ada"}"#)
    try fixture.settle()
    #expect(tabs.allSatisfy { fixture.closed[$0] == .banned })
    for tab in tabs { fixture.close(tab) }
    let again = fixture.join("ada")
    let request = fixture.request(.join, by: ShardFixture.identity("ada"))
    try fixture.sync()
    #expect(fixture.take(again).first?.text("code") == "banned")
    guard case .failure(.banned)? = fixture.answers[request] else {
      Issue.record("let in over HTTP")
      return
    }
    try fixture.crash()
    let later = fixture.join("ada")
    try fixture.sync()
    #expect(fixture.take(later).first?.text("code") == "banned", "after a restart, too")
  }

  @Test("mute-all is one event, and presence tells only of those who were heard")
  func muteAll() throws {
    let (fixture, host, students) = try Self.lesson("ada", "bo", "cy")
    try fixture.send(host, #"{"type":"media.set","audio":true}"#)
    try fixture.send(students[0], #"{"type":"media.set","audio":true,"video":true}"#)
    try fixture.settle()
    for connection in [host] + students { _ = fixture.take(connection) }
    try fixture.send(host, #"{"type":"room.mute_all","id":5,"on":true}"#)
    try fixture.settle()
    let told = fixture.take(students[2])
    #expect(told.map(\.type) == ["room.policy", "presence.diff"])
    #expect(told[1].list("updated").map { $0.text("user") } == ["ada"])
    #expect(told[1].list("updated").first?.flag("audio_enabled") == false)
    #expect(told[1].list("updated").first?.flag("video_enabled") == true)
    try fixture.send(students[0], #"{"type":"media.set","id":6,"audio":true}"#)
    try fixture.send(students[0], #"{"type":"media.set","id":7,"audio":false}"#)
    try fixture.settle()
    let answers = fixture.take(students[0]).filter { $0["id"] != nil }
    #expect(answers.map { $0.text("code") ?? $0.type } == ["muted", "ok"])
  }

  @Test("an older tab with a stronger token may not say what the person may not any more")
  func olderTab() throws {
    let (fixture, host, _) = try Self.lesson("ada")
    let older = fixture.join(ShardFixture.identity("bo", .cohost, session: "algebra"))
    _ = fixture.join(ShardFixture.identity("bo", .participant, session: "algebra"))
    try fixture.send(host, #"{"type":"room.mute_all","on":true}"#)
    try fixture.settle()
    #expect(try fixture.room().presence["bo"]?.role == .participant)
    try fixture.send(older, #"{"type":"media.set","id":6,"audio":true}"#)
    try fixture.settle()
    #expect(fixture.take(older).first { $0.int("id") == 6 }?.text("code") == "muted")
    #expect(try fixture.room().presence["bo"]?.media.audio == false)
  }

  @Test("who leads the class can ask who is banned, in pages that a ban that ends meanwhile does not shift")
  func bans() throws {
    let (fixture, host, students) = try Self.lesson("ada")
    for number in 0..<120 { try fixture.send(host, #"{"type":"participant.ban","user":"u\#(number)"}"#) }
    try fixture.settle()
    _ = fixture.take(host)
    func page(_ fields: String) throws -> (users: [String], next: Int64?) {
      try fixture.send(host, #"{"type":"participant.bans","id":5\#(fields)}"#)
      try fixture.sync()
      let page = try #require(fixture.take(host, "ok").last)
      #expect(page.list("banned").allSatisfy { $0.text("since") != nil })
      return (page.list("banned").compactMap { $0.text("user") }, page.int("next"))
    }
    let first = try page("")
    #expect(first.users == (0..<100).map { "u\($0)" })
    try fixture.send(host, #"{"type":"participant.unban","user":"u7"}"#)
    try fixture.send(host, #"{"type":"participant.unban","user":"u110"}"#)
    let second = try page(#","after":\#(try #require(first.next))"#)
    #expect(second.users == (100..<120).filter { $0 != 110 }.map { "u\($0)" } && second.next == nil)
    let short = try page(#","limit":7"#)
    #expect(short.users.last == "u6")
    #expect(try page(#","limit":1,"after":\#(try #require(short.next))"#).users == ["u8"])
    #expect(try page(#","after":2147483647"#).users.isEmpty)
    try fixture.send(students[0], #"{"type":"participant.bans","id":6}"#)
    try fixture.send(host, #"{"type":"participant.bans"}"#)
    try fixture.sync()
    #expect(fixture.take(students[0]).last?.text("code") == "forbidden")
    #expect(fixture.take(host).last?.text("code") == "missing_field")
  }

  @Test("a promotion brings the stream of the hosts from there on, in every tab, and presence shows it")
  func promotion() throws {
    let (fixture, host, students) = try Self.lesson("ada", "ada", "bo")
    try fixture.send(host, #"{"type":"participant.ban","user":"x"}"#)
    try fixture.send(host, #"{"type":"participant.promote","user":"ada"}"#)
    try fixture.send(host, #"{"type":"participant.ban","user":"y"}"#)
    try fixture.settle()
    for tab in students[..<2] {
      let told = fixture.take(tab)
      #expect(told.map(\.type) == ["participant.role", "participant.banned", "waiting.state", "presence.diff"])
      #expect(told[0].text("stream") == "user:ada" && told[0].int("streams.hosts") == 2)
      #expect(told[1].int("seq") == 3)
      #expect(told[3].list("updated").first?.text("role") == "cohost")
    }
    #expect(fixture.take(students[2]).map(\.type) == ["presence.diff"])
    try fixture.send(students[0], #"{"type":"room.lock","id":9,"on":true}"#)
    try fixture.send(host, #"{"type":"participant.demote","user":"ada"}"#)
    try fixture.send(host, #"{"type":"participant.ban","user":"z"}"#)
    try fixture.settle()
    #expect(
      fixture.take(students[1]).map(\.type) == ["room.policy", "participant.role", "participant.role", "presence.diff"])
  }

  @Test("who leads the class no longer stops sending what others may not")
  func demotionStops() throws {
    let (fixture, host, students) = try Self.lesson("ada", "bo")
    for command in [
      #""participant.promote","user":"ada""#, #""room.mute_all","on":true"#, #""stage.set","mode":"invited""#,
    ] { try fixture.send(host, #"{"type":\#(command)}"#) }
    try fixture.settle()
    try fixture.send(students[0], #"{"type":"media.set","audio":true,"video":true}"#)
    try fixture.settle()
    #expect(try fixture.room().presence["ada"]?.media.audio == true)
    try fixture.send(host, #"{"type":"participant.demote","user":"ada"}"#)
    try fixture.settle()
    #expect(try fixture.room().presence["ada"]?.media == Presence.Media())
  }

  @Test("a typist is named once, forgotten after a while, and told of only when that changes")
  func typing() throws {
    let (fixture, host, students) = try Self.lesson("ada")
    try fixture.send(students[0], #"{"type":"chat.typing","id":5,"on":true}"#)
    try fixture.settle()
    #expect(fixture.take(host).map { $0.int("count") } == [1])
    fixture.advance(3000)
    try fixture.send(students[0], #"{"type":"chat.typing","on":true}"#)
    fixture.advance(3500)
    try fixture.sync()
    #expect(!fixture.take(host).map(\.type).contains("chat.typing"))
    fixture.advance(3000)
    try fixture.sync()
    #expect(fixture.take(host).filter { $0.type == "chat.typing" }.map { $0.int("count") } == [0])
    #expect(fixture.isResting)
  }

  @Test("a removal that never became safe is none: the person is there, and is told to come again")
  func voidRemoval() throws {
    let (fixture, host, students) = try Self.lesson("ada")
    try fixture.send(host, #"{"type":"participant.remove","id":5,"user":"ada"}"#)
    try fixture.failStorage()
    #expect(fixture.take(host).map { $0.text("code") } == ["storage_unavailable"])
    #expect(fixture.closed[students[0]] == .serviceRestart)
    #expect(try fixture.room().presence["ada"]?.isReconnecting == true)
    try fixture.healStorage()
    #expect(fixture.shard.classroom("algebra")?.attendance.isActive("ada") == true)
    let again = fixture.join("ada")
    try fixture.settle()
    #expect(fixture.take(again).first?.text("state") == "present")
  }

  @Test("a mute that never became safe is taken back, and so is a promotion")
  func voidDecisions() throws {
    let (fixture, host, students) = try Self.lesson("ada", "bo")
    try fixture.send(host, #"{"type":"participant.mute","id":5,"user":"ada"}"#)
    try fixture.send(host, #"{"type":"participant.promote","id":6,"user":"bo"}"#)
    try fixture.failStorage()
    fixture.advance(300)
    try fixture.release()
    try fixture.send(students[0], #"{"type":"media.set","id":7,"audio":true}"#)
    try fixture.release()
    #expect(fixture.take(students[0]).contains { $0.type == "ok" && $0.int("id") == 7 })
    let room = try fixture.room()
    #expect(room.presence["ada"]?.marks == Presence.Marks() && room.presence["bo"]?.role == .participant)
    try fixture.healStorage()
    _ = fixture.take(students[1])
    try fixture.send(students[1], #"{"type":"room.lock","id":8,"on":true}"#)
    try fixture.settle()
    #expect(fixture.take(students[1]).first?.text("code") == "forbidden")
  }

  @Test("decisions that turn out to be on the disk are told when it has healed")
  func survivingDecisions() throws {
    let (fixture, host, students) = try Self.lesson("ada", "bo")
    try fixture.send(host, #"{"type":"participant.mute","id":5,"user":"ada"}"#)
    try fixture.send(host, #"{"type":"participant.promote","id":6,"user":"bo"}"#)
    try fixture.send(host, #"{"type":"participant.ban","id":7,"user":"x"}"#)
    try fixture.failStorage(isCertain: false, surviving: 3)
    try fixture.send(students[0], #"{"type":"media.set","id":7,"audio":true}"#)
    try fixture.release()
    for connection in [host] + students { _ = fixture.take(connection) }
    try fixture.healStorage()
    try fixture.settle()
    #expect(fixture.take(host).filter { $0.text("stream") == "hosts" }.map { $0.int("seq") } == [1, 2])
    let muted = fixture.take(students[0])
    #expect(muted.first?.type == "participant.muted" && muted.first?.int("seq") == 1)
    let room = try fixture.room()
    #expect(room.presence["ada"]?.media.audio == false && room.presence["ada"]?.marks.isMuted == true)
    let promoted = fixture.take(students[1])
    #expect(promoted.filter { $0.text("stream") != nil }.map(\.type) == ["participant.role", "participant.banned"])
    #expect(promoted.first?.int("streams.hosts") == 1)
  }

  @Test("a resume goes on in every stream; a promotion meanwhile brings the hosts' from there on")
  func resume() throws {
    let (fixture, host) = try ShardFixture.live()
    let first = fixture.join("ada")
    try fixture.settle()
    let joined = try #require(fixture.take(first).first)
    let token = try #require(joined.text("resume_token"))
    fixture.close(first)
    for command in [
      #""participant.ban","user":"x""#, #""participant.mute","user":"ada""#, #""participant.promote","user":"ada""#,
      #""participant.ban","user":"y""#,
    ] { try fixture.send(host, #"{"type":\#(command)}"#) }
    try fixture.sync()
    let again = fixture.join(
      ShardFixture.identity("ada"),
      resume: ClientMessage.Resume(token: token, epoch: "e-algebra", room: UInt64(joined.int("streams.room") ?? 0)))
    try fixture.sync()
    let told = fixture.take(again)
    #expect(told[0].flag("recovered") == true && told[0].text("you.role") == "cohost")
    #expect(told[0].int("streams.user:ada") == 0 && told[0].int("streams.hosts") == 2)
    let events = told.filter { $0.text("stream") != nil }
    #expect(events.map(\.type) == ["participant.muted", "participant.role", "participant.banned"])
    #expect(events.map { $0.int("seq") } == [1, 2, 3])
    #expect(events[1].int("streams.hosts") == 2)
  }
}
