import Classroom
import JSON
import SignalingProtocol
import Testing

@testable import RoomShard

@Suite("Following the list of sessions")
struct SessionWatchTests {
  private let emmy = ShardFixture.identity("emmy", .host)
  private let now = Timestamp(milliseconds: 1_767_225_600_000)

  private func view(
    _ id: String, visibility: SessionDetails.Visibility = .listed, members: [String] = [], revision: Int = 1
  ) throws -> SessionView {
    var draft = SessionDraft(title: id)
    draft.visibility = visibility
    let details = try draft.validated(id: id, roomName: "r", host: "emmy", at: now)
    var view = SessionView(
      details: details, status: .scheduled, revision: revision, startedAt: nil, endedAt: nil, startedBy: nil)
    view.roster = Roster(members: members)
    return view
  }

  private func watch(_ people: [Identity]) -> SessionWatch {
    var watch = SessionWatch()
    for (index, identity) in people.enumerated() {
      watch.watch(ConnectionID(rawValue: UInt64(index)), as: identity)
    }
    return watch
  }

  private func told(_ messages: [SessionWatch.Message]) throws -> [UInt64: Message] {
    var told: [UInt64: Message] = [:]
    for message in messages {
      for connection in message.to { told[connection.rawValue] = try Message(parsing: message.bytes) }
    }
    return told
  }

  private func ids(_ message: Message?) -> [String]? { message?.list("sessions").compactMap { $0.text("id") } }

  @Test("changes of an interval come as one message, the newest state of each session, to each what the list shows")
  func coalesced() throws {
    var watch = watch([emmy, ShardFixture.identity("ada"), ShardFixture.identity("g", guest: true)])
    for revision in 1...50 {
      _ = watch.take(.changed("a", old: nil, view: try view("a", revision: revision)), at: now)
    }
    _ = watch.take(.changed("b", old: nil, view: try view("b", visibility: .members)), at: now)
    #expect(watch.advance(to: now.advanced(byMilliseconds: 999)).isEmpty)
    #expect(watch.nextDeadline == now.advanced(byMilliseconds: 1000))
    let told = try told(watch.advance(to: now.advanced(byMilliseconds: 1000)))
    #expect(told.keys.sorted() == [0, 1], "a guest is shown no list")
    #expect(ids(told[0]) == ["a", "b"] && ids(told[1]) == ["a"])
    #expect(watch.advance(to: now.advanced(byMilliseconds: 9000)).isEmpty && watch.nextDeadline == nil)
  }

  @Test("what leaves the list is named to those who saw it, and to nobody else")
  func removed() throws {
    var watch = watch([emmy, ShardFixture.identity("ada"), ShardFixture.identity("bob")])
    let shown = try view("a", visibility: .members, members: ["ada"])
    _ = watch.take(.changed("a", old: shown, view: nil), at: now)
    let told = try told(watch.advance(to: now.advanced(byMilliseconds: 1000)))
    #expect(told.keys.sorted() == [0, 1])
    #expect(told[1]?.list("removed") == [.string("a")] && ids(told[1]) == [])
  }

  @Test("a transition is told at once to who sees the session, a reminder only to whom it concerns")
  func notices() throws {
    var watch = watch([emmy, ShardFixture.identity("ada"), ShardFixture.identity("bob")])
    let session = try view("a", members: ["ada"])
    let change = StatusChange(status: .ongoing, revision: 2, startedAt: now, endedAt: nil)
    let status = watch.take(.notice(.status(change, by: "emmy", at: now), session), at: now)
    #expect(status?.to.count == 3)
    let reminder = watch.take(.notice(.reminder(minutes: 30, at: now), session), at: now)
    #expect(reminder?.to.map(\.rawValue) == [0, 1])
    #expect(watch.unwatch(ConnectionID(rawValue: 0)) && !watch.unwatch(ConnectionID(rawValue: 0)))
    #expect(watch.take(.notice(.starting(text: nil, by: "emmy", at: now), session), at: now)?.to.count == 2)
  }
}
