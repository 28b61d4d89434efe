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
      (.heartbeat, .heartbeat(user: "u")), (.checkedIn, .checkedIn(user: "u")),
      (
        .marked,
        .marked(
          user: "u", name: "N", role: .participant, from: Timestamp(milliseconds: 1), to: Timestamp(milliseconds: 2))
      ),
      (.emailKnown, .emailKnown(user: "u", email: "u@example.org")),
      (.chatSent, .chatSent(user: "u", name: "N", role: .admin, text: "\r\n\t\\\"/\u{2028}\u{10FFFF}")),
    ]
    var rich = details
    rich.proposer = "ada"
    rich.isTimeFixed = false
    rich.materials = [.init(title: "é", url: "https://example.org")]
    rich.meetingURL = "https://a"
    rich.videoURL = "https://b"
    rich.thumbnailURL = "https://c"
    rich.recordingURL = "https://d"
    rich.reminders = []
    rich.hasWaitingRoom = true
    rich.course = "c"
    rich.tags = ["t"]
    let schedule = Schedule(scheduledAt: Timestamp(milliseconds: 5), timeZone: "UTC", durationMinutes: 3)
    events += [
      (.created, .created(rich, epoch: "e")), (.updated, .updated(rich)), (.announced, .announced(text: "x")),
      (.announced, .announced(text: nil)), (.reminded, .reminded(minutes: 30, isLate: true)), (.deleted, .deleted),
      (.hidden, .hidden), (.waitingEnded, .waitingEnded(user: "u", at: Timestamp(milliseconds: 3))),
      (.admitted, .admitted(users: ["u", "v"])), (.denied, .denied(user: "u")),
      (
        .rosterChanged,
        .rosterChanged([
          .init(user: "u", name: "U", email: "u@x", state: .requested, at: Timestamp(milliseconds: 1)),
          .init(user: "v", name: "", state: .withdrawn, at: Timestamp(milliseconds: 2)),
        ])
      ),
      (
        .knocked,
        .knocked(
          .init(user: "u", name: "U", role: .observer, since: Timestamp(milliseconds: 9), isApproved: false))
      ),
      (.transitioned, .transitioned(Move(.approve, from: .pendingApproval, to: .approved))),
      (
        .transitioned,
        .transitioned(Move(.repropose, from: .scheduled, to: .pendingApproval, reason: "r", schedule: schedule))
      ),
    ]
    var policy = RoomPolicy()
    events.append((.policyChanged, .policyChanged(policy, mutesAll: false)))
    policy.isMuted = true
    policy.isUnmuteAllowed = true
    policy.isLocked = true
    policy.chat = .hosts
    policy.slowModeSeconds = 600
    policy.hasWaitingRoom = false
    events += [
      (.policyChanged, .policyChanged(policy, mutesAll: true)), (.muted, .muted(user: "u", isMuted: true)),
      (.muted, .muted(user: "u", isMuted: false)), (.askedToUnmute, .askedToUnmute(user: "u")),
      (.removed, .removed(user: "u", name: "")), (.banned, .banned(user: "u", name: "é", isBanned: true)),
      (.banned, .banned(user: "u", name: "", isBanned: false)), (.roleChanged, .roleChanged(user: "u", role: .cohost)),
      (.spotlit, .spotlit(user: "u")), (.spotlit, .spotlit(user: nil)), (.handRaised, .handRaised(user: "u")),
      (.handLowered, .handLowered(user: "u")), (.handLowered, .handLowered(user: nil)),
      (.chatEdited, .chatEdited(message: 7, text: "\"")), (.chatDeleted, .chatDeleted(message: 7)),
      (.chatReacted, .chatReacted(message: 7, user: "u", emoji: "👩‍🏫", isOn: true)),
      (.chatPinned, .chatPinned(message: 7, isOn: false)),
      (.chatSent, .chatSent(user: "u", name: "N", role: .host, text: "x", replyTo: 3)),
      (.privateChatSent, .privateChatSent(user: "u", name: "N", role: .host, text: "x", replyTo: nil)),
      (.privateChatSent, .privateChatSent(user: "u", name: "N", role: .host, text: "x", replyTo: 3)),
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
      .snapshotKey, .snapshotTail, .snapshotForgottenKeys, .heartbeat, .checkedIn, .marked, .emailKnown,
      .snapshotSpans, .snapshotWaits,
    ]
    let conduct: [RecordKind] = [
      .policyChanged, .muted, .askedToUnmute, .removed, .banned, .roleChanged, .spotlit, .handRaised, .handLowered,
      .chatEdited, .chatDeleted, .chatReacted, .chatPinned, .privateChatSent, .snapshotConduct, .snapshotPerson,
      .snapshotHands, .snapshotPrivateChat, .snapshotStream,
      .stageChanged, .takenOffStage, .snapshotStage,
    ]
    let life: [RecordKind] = [
      .transitioned, .updated, .announced, .reminded, .deleted, .hidden, .rosterChanged, .knocked, .waitingEnded,
      .admitted, .denied, .snapshotRoster, .snapshotWaiting, .snapshotVerdicts,
    ]
    let notices: [RecordKind] = [.noticesRead, .snapshotNotices]
    #expect(notices.map(\.rawValue) == [100, 105])
    #expect(life.map(\.rawValue) == Array(40...50) + [55, 56, 57])
    #expect(conduct.map(\.rawValue) == Array(60...63) + Array(70...79) + Array(81...85) + [110, 111, 115])
    #expect(
      (kinds + life + conduct + notices).sorted { $0.rawValue < $1.rawValue }
        == RecordKind.allCases.sorted { $0.rawValue < $1.rawValue })
    #expect(kinds.map(\.rawValue) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 32, 64, 65, 66, 67, 68, 69, 90, 91, 92, 93, 95, 96])
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
    for skipped in members.indices
    where !["key", "capacity", "time_fixed", "waiting_room"].contains(members[skipped].name) {
      let mayBeAbsent = [
        "proposer", "materials", "meeting_url", "video_url", "thumbnail", "recording_url", "reminders", "course",
        "tags",
        "text", "reason", "schedule",
      ]
      for replacement in [nil, "[{}]"] {
        if replacement == nil, ![.chatSent, .privateChatSent, .chatEdited].contains(kind),
          mayBeAbsent.contains(members[skipped].name)
        {
          continue
        }
        // What is wrong inside of something is named itself.
        if ["people", "materials"].contains(members[skipped].name), replacement != nil { continue }
        if members[skipped].name == "digest", replacement == nil, event.commandDigest != nil { continue }
        if replacement == nil, Self.mayLack(members[skipped].name, event) { continue }
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

  /// Whether an event is readable without that field, as another one.
  private static func mayLack(_ field: String, _ event: Event) -> Bool {
    switch event {
    case .policyChanged: field != "at" && field != "digest"
    case .spotlit, .handLowered: field == "user"
    default: field == "reply_to"
    }
  }

  @Test(
    "a kind that is not an event's is unreadable",
    arguments: [0, 31, 32, 55, 57, 64, 65, 66, 67, 68, 69, 81, 85, 95, 105, 255] as [UInt8])
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
