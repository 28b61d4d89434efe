import Foundation
import Testing

@testable import Classroom

@Suite("Time zones and their clocks")
struct TimeZoneTests {
  private static let folder = "/usr/share/zoneinfo"

  private static func rules(_ name: String) throws -> TimeZoneRules {
    let file = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)"))
    return try #require(TimeZoneRules(Array(file)))
  }

  @Test(
    "offsets are those that the system knows, to the end of the century",
    arguments: [
      "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Casablanca",
      "America/Santiago", "Pacific/Apia", "Asia/Tehran", "Europe/Dublin", "America/Nuuk", "Etc/GMT+5",
    ])
  func offsets(name: String) throws {
    let rules = try Self.rules(name)
    let zone = try #require(TimeZone(identifier: name))
    var time: Int64 = 0
    while time < 4_000_000_000 {
      let expected = zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(time)))
      #expect(rules.offset(at: time) == Int64(expected), "\(name) at \(time)")
      time += 86_400 * 5 + 3601
    }
  }

  private func local(_ text: String) throws -> LocalTime {
    guard case .local(let local)? = ScheduledTime(text) else { throw CancellationError() }
    return local
  }

  @Test("what the clocks show is found, the first of two, and nothing in the gap")
  func instants() throws {
    let berlin = try Self.rules("Europe/Berlin")
    func instant(_ text: String) throws -> String? {
      try berlin.instant(of: local(text)).map { RFC3339.format(Timestamp(milliseconds: $0 * 1000)) }
    }
    #expect(try instant("2026-01-15T09:30") == "2026-01-15T08:30:00.000Z")
    #expect(try instant("2026-07-15T09:30:15") == "2026-07-15T07:30:15.000Z")
    #expect(try instant("2026-03-29T01:59:59") == "2026-03-29T00:59:59.000Z")
    #expect(try instant("2026-03-29T02:00") == nil)
    #expect(try instant("2026-03-29T02:59:59") == nil)
    #expect(try instant("2026-03-29T03:00") == "2026-03-29T01:00:00.000Z")
    #expect(try instant("2026-10-25T02:30") == "2026-10-25T00:30:00.000Z", "the first of the two")
    #expect(try instant("2060-03-28T02:30") == nil, "by the rule behind the table")
    #expect(try instant("2060-07-01T12:00") == "2060-07-01T10:00:00.000Z")
  }

  @Test("a damaged file is no time zone, wherever it is cut or changed")
  func damaged() throws {
    let file = Array(try Data(contentsOf: URL(fileURLWithPath: "\(Self.folder)/Europe/Berlin")))
    for length in stride(from: 0, to: file.count, by: 7) { #expect(TimeZoneRules(Array(file.prefix(length))) == nil) }
    for index in file.indices {
      var copy = file
      copy[index] ^= 0xFF
      let rules = TimeZoneRules(copy)  // must not trap; it may be another zone
      _ = rules?.offset(at: 1_767_225_600)
      _ = rules?.instant(of: LocalTime(seconds: .max))
      _ = rules?.instant(of: LocalTime(seconds: .min))
    }
  }

  @Test("texts of times, with an offset and without")
  func texts() {
    #expect(ScheduledTime("2026-01-01T00:00:00Z") == .instant(.after(0)))
    #expect(ScheduledTime("2026-01-01T01:00:00+01:00") == .instant(.after(0)))
    #expect(ScheduledTime("2026-01-01T00:00") == .local(LocalTime(seconds: 1_767_225_600)))
    #expect(ScheduledTime("2026-01-01T00:00:01") == .local(LocalTime(seconds: 1_767_225_601)))
    for text in ["", "2026-01-01", "2026-02-30T00:00", "2026-01-01T24:00", "2026-01-01T00:00:60", "tomorrow"] {
      #expect(ScheduledTime(text) == nil, "\(text)")
    }
  }

  @Test("addresses that a session may name")
  func addresses() {
    for good in ["https://example.org", "http://example.org:8080/a?b#c", "HTTPS://example.org/%20"] {
      #expect(WebAddress.isValid(good), "\(good)")
    }
    for bad in [
      "", "example.org", "ftp://example.org", "javascript:alert(1)", "https://", "https:///x", "https://a b",
      "http://é",
      "https://x/<script>", "https://user@host/", "data:text/html,x", "https://" + String(repeating: "a", count: 2048),
    ] {
      #expect(!WebAddress.isValid(bad), "\(bad)")
    }
    #expect(MeetingTemplate("https://meet.example.org/")?.address(of: "r1") == "https://meet.example.org/r1")
    #expect(MeetingTemplate("https://meet.example.org")?.address(of: "r1") == "https://meet.example.org/r1")
    #expect(MeetingTemplate("https://m.org/{room_name}?x=1")?.address(of: "r1") == "https://m.org/r1?x=1")
    #expect(MeetingTemplate("meet/{room_name}") == nil)
  }
}
