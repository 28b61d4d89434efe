import Classroom
import JSON
import Testing

@testable import Persistence

@Suite("Classrooms as entries of a snapshot")
struct SnapshotCodecTests {
  private struct Entry {
    var kind: RecordKind
    var bytes: [UInt8]
  }

  private struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state ^ (state >> 29)) &* 0x9e37_79b9_7f4a_7c15
    }
  }

  private static func classroom(seed: UInt64, steps: Int) throws -> Classroom {
    var random = Generator(state: seed)
    let details = SessionDetails(
      id: "algebra", title: "Algebra", description: "\"", instructor: "Emmy", kind: .video, host: "emmy",
      scheduledAt: Timestamp(milliseconds: 0), timeZone: "UTC", durationMinutes: 60,
      capacity: Bool.random(using: &random) ? nil : 5, admission: .open, visibility: .listed, allowsGuests: true,
      roomName: "r", createdAt: Timestamp(milliseconds: 0))
    var classroom = try #require(Classroom(Classroom.creation(details, epoch: "e", by: "emmy")))
    var now: Int64 = 0
    for step in 0..<steps {
      now += .random(in: 0...5000, using: &random)
      let user = "u\(Int.random(in: 0..<6, using: &random))"
      let role: Role = user == "u0" ? .host : .participant
      let command: Command =
        switch Int.random(in: 0..<20, using: &random) {
        case 0: .start
        case 1 where step > steps - 20: .end
        case 2..<8: .join
        case 11..<13: .lose(since: Timestamp(milliseconds: now - 7), isEstimated: .random(using: &random))
        case 8..<11: .leave(at: Timestamp(milliseconds: now - 10), isEstimated: .random(using: &random))
        case 13..<17: Self.conduct(of: "u\(Int.random(in: 0..<6, using: &random))", classroom, &random)
        default: .sendChat(text: "Text \"\(step)\" é\n")
        }
      let key = Bool.random(using: &random) ? "k\(Int.random(in: 0..<400, using: &random))" : nil
      do throws(Refusal) {
        _ = try classroom.handle(
          command, by: Actor(user: user, name: "N \(step)", role: role), key: key, at: Timestamp(milliseconds: now))
      } catch {
        continue  // refused: the history is random, and a refusal changes nothing
      }
    }
    return classroom
  }

  private static func conduct(of user: String, _ classroom: Classroom, _ random: inout Generator) -> Command {
    let message = classroom.chat.messages.randomElement(using: &random)?.sequence ?? 0
    let isOn = Bool.random(using: &random)
    var policy = PolicyChange()
    policy.slowModeSeconds = isOn ? 1 : 0
    policy.chat = RoomPolicy.Chat.allCases.randomElement(using: &random)
    policy.hasWaitingRoom = isOn
    let commands: [Command] = [
      .raiseHand, .raiseHand, .raiseHand, .lowerHand(.user(user)), .mute(user: user, isOn: isOn),
      .muteAll(isOn: isOn, isUnmuteAllowed: false), .askToUnmute(user: user), .remove(user: user),
      .ban(user: user, isOn: isOn), .promote(user: user), .demote(user: user), .spotlight(user: user),
      .setPolicy(policy), .editChat(message: message, text: "new \(message) \(isOn)"), .deleteChat(message: message),
      .reactToChat(message: message, emoji: isOn ? "👍" : "é", isOn: true), .pinChat(message: message, isOn: isOn),
      .sendChat(text: "private \(message)", isPrivate: true), .sendChat(text: "reply", replyTo: message),
    ]
    return commands.randomElement(using: &random) ?? .raiseHand
  }

  private func entries(of classroom: Classroom) -> [Entry] {
    var entries: [Entry] = []
    SnapshotCodec.encode(classroom) { entries.append(Entry(kind: $0, bytes: $1)) }
    return entries
  }

  private func decode(_ entries: [Entry], sequence: UInt64) throws -> Classroom? {
    var classroom: Classroom?
    for entry in entries { try decode(entry.bytes, kind: entry.kind.rawValue, sequence: sequence, into: &classroom) }
    return classroom
  }

  private func decode(_ bytes: [UInt8], kind: UInt8, sequence: UInt64, into classroom: inout Classroom?) throws {
    var reader = JSONReader()
    var failure: UnreadableRecord?
    var copy = classroom
    classroom = nil
    try reader.read(bytes) { view in
      do throws(UnreadableRecord) {
        try SnapshotCodec.decode(view, kind: kind, session: "algebra", sequence: sequence, into: &copy)
      } catch {
        failure = error
      }
    }
    classroom = copy
    if let failure { throw failure }
  }

  @Test("a classroom comes back as it was", arguments: [0, 1, 30, 400, 1500])
  func roundTrip(steps: Int) throws {
    for seed in UInt64(1)...6 {
      let classroom = try Self.classroom(seed: seed, steps: steps)
      let entries = entries(of: classroom)
      #expect(entries.first?.kind == .snapshotCore)
      let restored = try #require(try decode(entries, sequence: classroom.sequence))
      #expect(restored == classroom)
      #expect(restored.attendance.rows.values.map(\.user) == classroom.attendance.rows.values.map(\.user))
      #expect(restored.attendance.activeCount == classroom.attendance.activeCount)
    }
  }

  @Test("idempotency keys answer the same after a snapshot")
  func keys() throws {
    var classroom = try Self.classroom(seed: 9, steps: 0)
    let host = Actor(user: "u0", name: "N", role: .host)
    let start = try classroom.handle(.start, by: host, key: "s", at: Timestamp(milliseconds: 10))
    let chat = try classroom.handle(.sendChat(text: "x"), by: host, key: "c", at: Timestamp(milliseconds: 20))
    var restored = try #require(try decode(entries(of: classroom), sequence: classroom.sequence))
    #expect(try restored.handle(.start, by: host, key: "s", at: Timestamp(milliseconds: 30)).answer == start.answer)
    #expect(
      try restored.handle(.sendChat(text: "x"), by: host, key: "c", at: Timestamp(milliseconds: 30)).answer
        == chat.answer)
    #expect(throws: Refusal.keyConflict) {
      try restored.handle(.sendChat(text: "y"), by: host, key: "c", at: Timestamp(milliseconds: 30))
    }
  }

  @Test("an entry before its core is unreadable")
  func noCore() throws {
    let classroom = try Self.classroom(seed: 3, steps: 400)
    let entries = entries(of: classroom)
    let kinds = Set(entries.map(\.kind))
    #expect(
      kinds == [
        .snapshotCore, .snapshotAttendance, .snapshotChat, .snapshotKey, .snapshotTail, .snapshotForgottenKeys,
        .snapshotConduct, .snapshotPerson, .snapshotHands, .snapshotPrivateChat, .snapshotStream, .snapshotNotices,
      ],
      "the sample has everything")
    for kind in kinds where kind != .snapshotCore {
      let entry = try #require(entries.first { $0.kind == kind })
      var empty: Classroom?
      #expect(throws: UnreadableRecord.self) {
        try decode(entry.bytes, kind: kind.rawValue, sequence: 1, into: &empty)
      }
    }
  }

  @Test("an entry without one of its required fields is unreadable and names it")
  func damaged() throws {
    let classroom = try Self.classroom(seed: 3, steps: 400)
    let entries = entries(of: classroom)
    let optional: Set = [
      "started_by", "started_at", "ended_at", "capacity", "muted", "unmute_allowed", "locked", "chat",
      "slow_mode_seconds", "waiting_room", "muted_all_at", "spotlight", "role", "hosts_from", "asked_at", "banned_at",
      "last_said", "stream_seq", "reply_to", "edited_at", "deleted", "reactions", "own_seq", "reason",
      "reminders_since", "reminded",
    ]
    for kind in Set(entries.map(\.kind)) {
      let entry = try #require(entries.first { $0.kind == kind })
      var members: [(name: String, text: String)] = []
      var reader = JSONReader()
      try reader.read(entry.bytes) { view in
        for (key, value) in view.members {
          let name = key.string ?? ""
          members.append((name, "\"\(name)\":" + String(decoding: value.raw, as: UTF8.self)))
        }
      }
      for skipped in members.indices where !optional.contains(members[skipped].name) {
        // The stream without a user is that of the hosts.
        if kind == .snapshotStream, members[skipped].name == "user" { continue }
        let rest = members.indices.filter { $0 != skipped }.map { members[$0].text }
        var copy: Classroom? = classroom
        #expect(
          throws: UnreadableRecord(
            session: "algebra", sequence: 7, kind: kind.rawValue, field: members[skipped].name)
        ) {
          try decode(Array("{\(rest.joined(separator: ","))}".utf8), kind: kind.rawValue, sequence: 7, into: &copy)
        }
      }
    }
  }

  @Test("an event's kind is no entry of a snapshot", arguments: [0, 1, 2, 3, 4, 5, 32, 127, 255] as [UInt8])
  func wrongKind(kind: UInt8) throws {
    var classroom: Classroom? = try Self.classroom(seed: 1, steps: 3)
    #expect(throws: UnreadableRecord(session: "algebra", sequence: 7, kind: kind, field: "kind")) {
      try decode(Array("{}".utf8), kind: kind, sequence: 7, into: &classroom)
    }
  }
}
