import Classroom
import SignalingProtocol
import Testing

@testable import RoomShard

@Suite("Attendance over the socket")
struct AttendanceMessageTests {
  @Test("the report comes in pages to who leads the class, and the own row to others")
  func pages() throws {
    let (fixture, host) = try ShardFixture.live()
    for number in 0..<250 { fixture.join("u\(number)", mode: .none) }
    let ada = fixture.join("ada", mode: .none)
    try fixture.settle()
    _ = fixture.take(host)
    _ = fixture.take(ada)
    var users: [String] = []
    var after: Int64? = 0
    while let next = after {
      try fixture.send(host, #"{"type":"attendance.get","id":5,"after":\#(next)}"#)
      try fixture.sync()
      let page = try #require(fixture.take(host, "ok").first)
      #expect(page.int("report.totals.total") == 251 && page.text("report.document") == "attendance_report")
      #expect(page["report.participants"] == nil && page["report.signature"] == nil)
      users += page.list("participants").compactMap { $0.text("user") }
      after = page.int("next")
    }
    #expect(users.count == 252 && Set(users).count == 252 && users.first == "emmy")
    try fixture.send(ada, #"{"type":"attendance.get","id":6}"#)
    try fixture.sync()
    let own = try #require(fixture.take(ada, "ok").first)
    #expect(own.list("participants").compactMap { $0.text("user") } == ["ada"] && own["report.totals"] == nil)
    #expect(own.text("report.document") == "attendance_certificate" && own["next"] == .null)
    try fixture.send(host, #"{"type":"attendance.get","id":7,"after":100000,"limit":1}"#)
    try fixture.send(host, #"{"type":"attendance.get"}"#)
    try fixture.sync()
    let got = fixture.take(host)
    #expect(got.first { $0.int("id") == 7 }?.list("participants").isEmpty == true)
    #expect(got.last?.text("code") == "missing_field")
  }

  @Test("those who lead the class are told how attendance stands, at most every five seconds and only on a change")
  func summary() throws {
    let (fixture, host) = try ShardFixture.live()
    fixture.advance(10_000)
    try fixture.sync()
    _ = fixture.take(host)
    let ada = fixture.join("ada")
    for number in 0..<20 {
      fixture.join("u\(number)", mode: .none)
      fixture.advance(100)
    }
    fixture.advance(10_000)
    try fixture.sync()
    let told = fixture.take(host, "attendance.summary")
    #expect(told.map { $0.int("totals.present") } == [21])
    #expect(told.first?.text("session") == "algebra" && told.first?["seq"] == nil)
    #expect(fixture.take(ada, "attendance.summary").isEmpty)
    fixture.advance(60_000)
    try fixture.sync()
    #expect(fixture.take(host, "attendance.summary").isEmpty)
    try fixture.send(ada, #"{"type":"session.leave"}"#)
    fixture.advance(6000)
    try fixture.sync()
    #expect(fixture.take(host, "attendance.summary").map { $0.int("totals.present") } == [20])
    try fixture.send(host, #"{"type":"session.end"}"#)
    fixture.advance(60_000)
    try fixture.sync()
    #expect(fixture.take(host, "attendance.summary").isEmpty)
  }

  @Test("hosts say over the socket who is there and who has gone, once for a key")
  func marking() throws {
    let (fixture, host) = try ShardFixture.live()
    let ada = fixture.join("ada")
    try fixture.settle()
    try fixture.send(ada, #"{"type":"participant.check_in","id":1,"user":"bob"}"#)
    for id in 2...3 {
      try fixture.send(host, #"{"type":"participant.check_in","id":\#(id),"user":"bob","name":"Bob","key":"k"}"#)
    }
    try fixture.settle()
    #expect(fixture.take(ada, "error").map { $0.text("code") } == ["forbidden"])
    #expect(fixture.take(host, "ok").compactMap { $0.int("id") } == [2, 3])
    #expect(fixture.segments("bob").map(\.isCheckedIn) == [true])
    try fixture.send(host, #"{"type":"participant.check_out","id":4,"user":"ada"}"#)
    try fixture.settle()
    #expect(fixture.closed[ada] == .leftElsewhere && fixture.segments("ada").last?.to != nil)
  }
}
