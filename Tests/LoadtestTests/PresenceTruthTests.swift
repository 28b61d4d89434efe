import JSON
import SignalingProtocol
import Testing

@testable import SignalingClient
@testable import loadtest

@Suite("Whether a view of presence is what is so")
struct PresenceTruthTests {
  private let truth = PresenceTruth(users: ["host", "u1", "u2"], host: "host")

  private func view(_ mode: PresenceMode, _ users: [String], count: Int) throws -> PresenceView {
    var writer = JSONWriter()
    writer.object { writer in
      writer.field("mode", mode.rawValue)
      writer.field("presence_seq", 1)
      writer.field("count", count)
      writer.array("participants") { writer in
        for user in users {
          writer.object { writer in
            writer.field("user", user)
            writer.field("name", user)
            writer.field("role", user == "u1" ? "cohost" : "host")
            writer.field("joined_at", "2026-01-01T00:00:00.000Z")
            for flag in ["audio_enabled", "video_enabled", "screen_enabled", "reconnecting"] {
              writer.key(flag)
              writer.boolean(false)
            }
            writer.array("peers") { _ in }
          }
        }
      }
      writer.key("next")
      writer.null()
    }
    let bytes = writer.bytes
    var reader = JSONReader()
    return try bytes.withUnsafeBytes { bytes in
      PresenceView(try PresenceState(try MessageFields(try reader.read(bytes), "presence.state")))
    }
  }

  @Test("everybody, and nobody else")
  func full() throws {
    #expect(truth.fault(of: try view(.full, ["u2", "host", "u1"], count: 3)) == nil)
    #expect(truth.fault(of: try view(.full, ["host", "u1"], count: 3)) != nil)
    #expect(truth.fault(of: try view(.full, ["host", "u1", "u3"], count: 3)) != nil)
    #expect(truth.fault(of: try view(.full, ["host", "u1", "u2", "u3"], count: 3)) != nil)
    #expect(truth.fault(of: try view(.full, ["host", "u1", "u2"], count: 4)) != nil)
  }

  @Test("in the other modes the count, and of the people the hosts only")
  func otherModes() throws {
    #expect(truth.fault(of: try view(.count, [], count: 3)) == nil)
    #expect(truth.fault(of: try view(.count, [], count: 2)) != nil)
    #expect(truth.fault(of: try view(.hosts, ["host"], count: 3)) == nil)
    #expect(truth.fault(of: try view(.hosts, ["u1"], count: 3)) != nil)
    #expect(truth.fault(of: try view(.none, [], count: 0)) == nil)
  }
}

@Suite("Whether all know the same people after the same difference")
struct PresenceLedgerTests {
  @Test("the same set and count agree, and whoever knows the count only agrees with both")
  func same() {
    var ledger = PresenceLedger()
    expect(ledger.see(1, count: 2, digest: nil), is: true)
    expect(ledger.see(1, count: 2, digest: 7), is: true)
    expect(ledger.see(1, count: 2, digest: 7), is: true)
    expect(ledger.see(2, count: 3, digest: 9), is: true)
    #expect(ledger.compared == 2)
  }

  @Test("a wrong count, or another set of the same size, is found")
  func different() {
    var ledger = PresenceLedger()
    expect(ledger.see(1, count: 2, digest: 7), is: true)
    expect(ledger.see(1, count: 3, digest: nil), is: false)
    expect(ledger.see(1, count: 2, digest: 8), is: false)
  }

  @Test("a server that was started anew counts from the beginning, and is held to that again")
  func restarted() {
    var ledger = PresenceLedger()
    expect(ledger.see(2, count: 2, digest: 7), is: true)
    ledger.beginAnew()
    expect(ledger.see(2, count: 5, digest: 8), is: true)
    expect(ledger.see(2, count: 5, digest: 7), is: false)
  }
}

@Suite("What the tester is told while the server restarts")
struct HerdInputTests {
  @Test("a line tells when the server was back, and its process")
  func ready() throws {
    let ready = try #require(HerdInput.parse("ready 123456789 42"))
    #expect(ready.time == 123_456_789)
    #expect(ready.process == 42)
    for wrong in ["", "ready", "ready 1", "ready x 2", "steady 1 2", "ready 1 2 3"] {
      #expect(HerdInput.parse(wrong) == nil)
    }
  }
}
