import Classroom
import JSON
import Testing

@testable import Persistence

@Suite("Events as journal payloads")
struct EventCodecTests {
  private static let details = SessionDetails(
    id: "algebra", title: "Algèbre \"1\"\n", description: "\u{0}\u{1F9D1}", instructor: "", kind: .audio, host: "emmy",
    scheduledAt: Timestamp(milliseconds: -5), timeZone: "Europe/Berlin", durationMinutes: 1440, capacity: nil,
    admission: .registered, visibility: .members, allowsGuests: true, roomName: "r",
    createdAt: Timestamp(milliseconds: 0))

  private static let events: [(RecordKind, Event)] = {
    var limited = details
    limited.capacity = 1_000_000
    limited.kind = .inPerson
    var events: [(RecordKind, Event)] = [
      (.created, .created(details, epoch: "e1")), (.created, .created(limited, epoch: "")),
      (.left, .left(user: "u", at: Timestamp(milliseconds: .min), isEstimated: true)),
      (.left, .left(user: "u", at: Timestamp(milliseconds: .max), isEstimated: false)),
      (.lost, .lost(user: "u", since: Timestamp(milliseconds: 7), isEstimated: true)),
      (.returned, .returned(user: "u")),
      (.epochChanged, .epochChanged("e2")),
      (.erased, .erased(user: "u", pseudonym: "erased-1")),
      (.chatSent, .chatSent(user: "u", name: "N", role: .admin, text: "\r\n\t\\\"/\u{2028}\u{10FFFF}")),
    ]
    for status in SessionStatus.allCases { events.append((.statusChanged, .statusChanged(status))) }
    for role in Role.allCases { events.append((.joined, .joined(user: "u\(role)", name: "é", role: role))) }
    return events
  }()

  private func decode(_ bytes: [UInt8], kind: UInt8) throws -> RecordedEvent {
    var reader = JSONReader()
    var result: Result<RecordedEvent, UnreadableRecord>?
    try reader.read(bytes) { view in
      result = Result { () throws(UnreadableRecord) in
        try EventCodec.decode(view, kind: kind, session: "algebra", sequence: 42)
      }
    }
    return try #require(result).get()
  }

  @Test("every event comes back as it was, with and without key and author", arguments: events.indices)
  func roundTrip(index: Int) throws {
    let (kind, event) = Self.events[index]
    let digests = [.max, 1 << 63, event.commandDigest ?? 0]
    for by in [nil, "emmy", "u"] {
      for use in [nil] + digests.map({ RecordedEvent.KeyUse(key: "k\"", digest: $0) }) {
        let recorded = RecordedEvent(
          session: "algebra", sequence: 42, at: Timestamp(milliseconds: 1_767_225_600_123), by: by, keyUse: use,
          event: event)
        var writer = JSONWriter()
        #expect(EventCodec.encode(recorded, into: &writer) == kind)
        #expect(try decode(writer.bytes, kind: kind.rawValue) == recorded)
      }
    }
  }

  @Test("the numbers of the kinds never change")
  func kinds() {
    let kinds: [RecordKind] = [
      .created, .statusChanged, .joined, .left, .chatSent, .lost, .returned, .epochChanged, .erased, .alive,
      .snapshotCore, .snapshotAttendance,
      .snapshotChat,
      .snapshotKey, .snapshotTail, .snapshotForgottenKeys,
    ]
    #expect(kinds == RecordKind.allCases.sorted { $0.rawValue < $1.rawValue })
    #expect(kinds.map(\.rawValue) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 32, 64, 65, 66, 67, 68, 69])
  }

  @Test(
    "a payload without one of its fields, or with a wrong one, is unreadable and names it", arguments: events.indices)
  func damaged(index: Int) throws {
    let (kind, event) = Self.events[index]
    var writer = JSONWriter()
    _ = EventCodec.encode(
      RecordedEvent(
        session: "algebra", sequence: 42, at: Timestamp(milliseconds: 1), by: nil,
        keyUse: RecordedEvent.KeyUse(key: "k", digest: 3), event: event),
      into: &writer)
    var members: [(name: String, value: String)] = []
    var reader = JSONReader()
    try reader.read(writer.bytes) { view in
      for (key, value) in view.members {
        members.append((key.string ?? "", String(decoding: value.raw, as: UTF8.self)))
      }
    }
    for skipped in members.indices where !["key", "capacity"].contains(members[skipped].name) {
      for replacement in [nil, "[]"] {
        if members[skipped].name == "digest", replacement == nil, event.commandDigest != nil { continue }
        let fields = members.enumerated().compactMap { index, member -> String? in
          if index != skipped { return "\"\(member.name)\":\(member.value)" }
          return replacement.map { "\"\(member.name)\":\($0)" }
        }
        let text = "{" + fields.joined(separator: ",") + "}"
        #expect(
          throws: UnreadableRecord(
            session: "algebra", sequence: 42, kind: kind.rawValue, field: members[skipped].name)
        ) {
          try decode(Array(text.utf8), kind: kind.rawValue)
        }
      }
    }
  }

  @Test("a kind that is not an event's is unreadable", arguments: [0, 31, 32, 64, 65, 66, 67, 68, 69, 255] as [UInt8])
  func unknownKind(kind: UInt8) {
    #expect(throws: UnreadableRecord(session: "algebra", sequence: 42, kind: kind, field: "kind")) {
      try decode(Array(#"{"at":1,"user":"u","name":"n","role":"host"}"#.utf8), kind: kind)
    }
  }

  @Test("a payload that is no object, or has a word nobody knows, is unreadable")
  func nonsense() {
    for text in ["[]", "1", "null", "{}", #"{"at":1,"status":"paused"}"#, #"{"at":1.5,"status":"ongoing"}"#] {
      #expect(throws: UnreadableRecord.self) {
        try decode(Array(text.utf8), kind: RecordKind.statusChanged.rawValue)
      }
    }
  }

  @Test("what version 0.1 wrote out in full is read, and a user or digest of a wrong type is not passed over")
  func fullForm() throws {
    let text =
      #"{"at":5,"by":"u","key":"k","digest":-7,"user":"u","name":"N","role":"host","text":"Hi"}"#
    let event = Event.chatSent(user: "u", name: "N", role: .host, text: "Hi")
    let recorded = RecordedEvent(
      session: "algebra", sequence: 42, at: Timestamp(milliseconds: 5), by: "u",
      keyUse: .init(key: "k", digest: UInt64(bitPattern: -7)), event: event)
    #expect(try decode(Array(text.utf8), kind: 5) == recorded)
    for (field, wrong) in [("user", #""user":3"#), ("digest", #""digest":"x""#)] {
      let text = #"{"at":5,"by":"u","key":"k","name":"N","role":"host","text":"Hi",\#(wrong)}"#
      #expect(throws: UnreadableRecord(session: "algebra", sequence: 42, kind: 5, field: field)) {
        try decode(Array(text.utf8), kind: 5)
      }
    }
  }

  @Test(
    "a chat message with a key takes at most half as much again in the journal as on the wire",
    arguments: [20, 60, 200], ["u17", "0b6cdd3e-5a0b-4f0e-9d3f-0123456789ab"])
  func size(textBytes: Int, user: String) throws {
    let text = String(repeating: "x", count: textBytes)
    let event = Event.chatSent(user: user, name: "Ada", role: .participant, text: text)
    let recorded = RecordedEvent(
      session: "abcdefghijklmnopqrstuvwxyz", sequence: 456, at: Timestamp(milliseconds: 1_767_225_600_123), by: user,
      keyUse: .init(
        key: "0b6cdd3e-5a0b-4f0e-9d3f-0123456789ab", digest: try #require(event.commandDigest)), event: event)
    var writer = JSONWriter()
    _ = EventCodec.encode(recorded, into: &writer)
    let record = try #require(RecordCoding.size(sessionBytes: recorded.session.utf8.count, payloadBytes: writer.count))
    // The event as the protocol describes it: chat.message with stream, seq, at, message_id, user, name, role and text.
    let wire =
      #"{"type":"chat.message","stream":"room","seq":123,"at":1767225600123,"message_id":"m456","user":"\#(user)","#
      + #""name":"Ada","role":"participant","text":"\#(text)"}"#
    #expect(Double(record + BatchHeader.size(.strict)) <= 1.5 * Double(wire.utf8.count), "even in a batch of its own")
  }
}
