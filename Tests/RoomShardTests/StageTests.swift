import Classroom
import Testing

@testable import RoomShard

@Suite("The stage")
struct StageTests {
  private func live(
    places: Int = 2, kind: SessionDetails.Kind = .video
  ) throws -> (ShardFixture, host: ConnectionID) {
    var configuration = ShardConfiguration()
    configuration.rules.conduct.stagePlaces = places
    let fixture = ShardFixture(configuration: configuration)
    var draft = SessionDraft(title: "Algebra")
    draft.admission = .open
    draft.kind = kind
    fixture.request(
      .create(draft, id: "algebra", roomName: "room", epoch: "e", key: nil), by: ShardFixture.identity("emmy", .host))
    let host = fixture.join(ShardFixture.identity("emmy", .host))
    try fixture.send(host, #"{"type":"session.start","id":2}"#)
    try fixture.settle()
    _ = fixture.take(host)
    return (fixture, host)
  }

  private func people(_ fixture: ShardFixture, _ users: [String]) throws -> [ConnectionID] {
    let connections = users.map { fixture.join($0) }
    try fixture.settle()
    for connection in connections { _ = fixture.take(connection) }
    return connections
  }

  /// What a command is answered with: `ok`, or the code of the refusal.
  private func say(_ fixture: ShardFixture, _ connection: ConnectionID, _ command: String) throws -> String {
    _ = fixture.take(connection)
    try fixture.send(connection, "{\"id\":77,\(command)}")
    try fixture.sync()
    let answer = fixture.take(connection).first { $0.int("id") == 77 }
    return answer?.text("code") ?? answer?.type ?? "nothing"
  }

  private func onStage(_ fixture: ShardFixture) throws -> [String] {
    try fixture.room().presence.page(limit: .max).participants.filter(\.isOnStage).map(\.user).sorted()
  }

  @Test("who begins to send takes a place while one is free, and gives it back by stopping; the host needs none")
  func open() throws {
    let (fixture, host) = try live()
    let people = try people(fixture, ["ada", "bob", "cyd"])
    #expect(try say(fixture, host, #""type":"media.set","video":true"#) == "ok")
    #expect(try say(fixture, people[0], #""type":"media.set","audio":true"#) == "ok")
    #expect(try say(fixture, people[1], #""type":"media.set","video":true"#) == "ok")
    #expect(try onStage(fixture) == ["ada", "bob", "emmy"])
    for what in ["audio", "video", "screen"] {
      #expect(try say(fixture, people[2], #""type":"media.set","\#(what)":true"#) == "stage_full")
    }
    #expect(try say(fixture, people[2], #""type":"media.set","audio":false"#) == "ok")
    // Who has a place may send more.
    #expect(try say(fixture, people[0], #""type":"media.set","screen":true"#) == "ok")
    #expect(try say(fixture, people[1], #""type":"media.set","video":false"#) == "ok")
    #expect(try say(fixture, people[2], #""type":"media.set","audio":true"#) == "ok")
    #expect(try onStage(fixture) == ["ada", "cyd", "emmy"])
  }

  @Test("a second tab of somebody who sends takes no second place, and who leaves makes room")
  func tabs() throws {
    let (fixture, _) = try live(places: 1)
    let people = try people(fixture, ["ada", "ada", "bob"])
    #expect(try say(fixture, people[0], #""type":"media.set","audio":true"#) == "ok")
    #expect(try say(fixture, people[1], #""type":"media.set","video":true"#) == "ok")
    #expect(try say(fixture, people[2], #""type":"media.set","video":true"#) == "stage_full")
    try fixture.send(people[0], #"{"type":"session.leave","id":3}"#)
    try fixture.sync()
    #expect(try say(fixture, people[2], #""type":"media.set","video":true"#) == "stage_full")
    try fixture.send(people[1], #"{"type":"session.leave","id":3}"#)
    try fixture.sync()
    #expect(try say(fixture, people[2], #""type":"media.set","video":true"#) == "ok")
  }

  @Test("a stage for the invited refuses everybody else, and takes those off who sent")
  func invited() throws {
    let (fixture, host) = try live()
    let people = try people(fixture, ["ada", "bob"])
    #expect(try say(fixture, people[0], #""type":"media.set","audio":true,"video":true"#) == "ok")
    #expect(try say(fixture, host, #""type":"stage.set","mode":"invited""#) == "ok")
    try fixture.settle()
    #expect(try onStage(fixture) == ["emmy"])
    #expect(fixture.take(people[0], "room.stage").first?.text("mode") == "invited")
    #expect(try say(fixture, people[0], #""type":"media.set","audio":true"#) == "stage_closed")
    #expect(try say(fixture, host, #""type":"stage.invite","user":"bob""#) == "ok")
    #expect(try onStage(fixture) == ["bob", "emmy"])
    #expect(try say(fixture, people[1], #""type":"media.set","video":true"#) == "ok")
    #expect(try say(fixture, host, #""type":"stage.remove","user":"bob""#) == "ok")
    #expect(try onStage(fixture) == ["emmy"])
    #expect(fixture.take(people[1]).contains { $0.type == "stage.removed" && $0.text("by") == "emmy" })
    #expect(try say(fixture, people[1], #""type":"media.set","video":true"#) == "stage_closed")
  }

  @Test("invitations are bounded by the places, hold for who comes back, and are given back by stage.leave")
  func invitations() throws {
    let (fixture, host) = try live(places: 1)
    let people = try people(fixture, ["ada", "bob"])
    #expect(try say(fixture, host, #""type":"stage.invite","user":"ada""#) == "ok")
    #expect(try say(fixture, host, #""type":"stage.invite","user":"bob""#) == "stage_full")
    #expect(try say(fixture, host, #""type":"stage.invite","user":"nobody""#) == "no_such_participant")
    try fixture.send(people[0], #"{"type":"session.leave","id":3}"#)
    try fixture.sync()
    // Who is away takes no place.
    #expect(try say(fixture, host, #""type":"stage.invite","user":"bob""#) == "ok")
    #expect(try say(fixture, people[1], #""type":"stage.leave""#) == "ok")
    let back = fixture.join("ada")
    try fixture.settle()
    #expect(try onStage(fixture) == ["ada", "emmy"])
    #expect(fixture.take(back, "session.joined").first?.list("stage.invited") == [.string("ada")])
  }

  @Test("the number of places is the session's own when it is set, and within bounds")
  func places() throws {
    let (fixture, host) = try live(places: 1)
    let people = try people(fixture, ["ada", "bob"])
    #expect(try say(fixture, host, #""type":"stage.set","places":0"#) == "ok")
    #expect(try say(fixture, people[0], #""type":"media.set","audio":true"#) == "stage_full")
    #expect(try say(fixture, host, #""type":"stage.set","places":2"#) == "ok")
    for person in people { #expect(try say(fixture, person, #""type":"media.set","audio":true"#) == "ok") }
  }

  @Test("only those who lead the class decide about the stage")
  func rights() throws {
    let (fixture, _) = try live()
    let people = try people(fixture, ["ada", "bob"])
    for command in [
      #""type":"stage.set","places":3"#, #""type":"stage.invite","user":"ada""#, #""type":"stage.remove","user":"bob""#,
    ] {
      #expect(try say(fixture, people[0], command) == "forbidden")
    }
    let cohost = fixture.join(ShardFixture.identity("cora", .cohost, session: "algebra"))
    try fixture.settle()
    #expect(try say(fixture, cohost, #""type":"stage.invite","user":"ada""#) == "ok")
  }

  @Test("a class held by sound alone refuses cameras and screens, of the host too")
  func audioOnly() throws {
    let (fixture, host) = try live(kind: .audio)
    let people = try people(fixture, ["ada"])
    for connection in [host, people[0]] {
      #expect(try say(fixture, connection, #""type":"media.set","video":true"#) == "audio_only")
      #expect(try say(fixture, connection, #""type":"media.set","screen":true,"audio":true"#) == "audio_only")
      #expect(try say(fixture, connection, #""type":"media.set","audio":true"#) == "ok")
    }
  }

  @Test("the stage survives a crash of the server")
  func durable() throws {
    let (fixture, host) = try live()
    _ = try people(fixture, ["ada"])
    #expect(try say(fixture, host, #""type":"stage.set","mode":"invited","places":3"#) == "ok")
    #expect(try say(fixture, host, #""type":"stage.invite","user":"ada""#) == "ok")
    try fixture.crash()
    let stage = try fixture.room().conduct.stage
    #expect(stage == Stage(mode: .invited, places: 3, invited: ["ada"]))
    let back = fixture.join("ada")
    try fixture.sync()
    #expect(try say(fixture, back, #""type":"media.set","audio":true"#) == "ok")
  }
}
