import Testing

@testable import Classroom

@Suite("Idempotency keys")
struct IdempotencyTests {
  private let lifetime = IdempotencyKeys.Limits.lifetimeMilliseconds

  @Test("the same command with the same key gets the first answer, and nothing is done twice")
  func repetition() throws {
    var classroom = try Classroom.sample(in: .ongoing)
    let first = try classroom.handle(.sendChat(text: "Hi"), by: .host, key: "k", at: .after(2000))
    _ = try classroom.handle(.sendChat(text: "Other"), by: .host, at: .after(2500))
    let again = try classroom.handle(.sendChat(text: "Hi"), by: .host, key: "k", at: .after(3000))
    #expect(first.events.count == 1)
    #expect(again.events.isEmpty)
    #expect(again.answer == first.answer)
    #expect(classroom.chat.messages.count == 2)
  }

  @Test("start and end are answered again with the state they made, also after the end")
  func lifeCycle() throws {
    var classroom = try Classroom.sample()
    let start = try classroom.handle(.start, by: .host, key: "s", at: .after(1000))
    let end = try classroom.handle(.end, by: .host, key: "e", at: .after(2000))
    #expect(try classroom.handle(.start, by: .host, key: "s", at: .after(3000)).answer == start.answer)
    #expect(try classroom.handle(.end, by: .host, key: "e", at: .after(3000)).answer == end.answer)
    #expect(classroom.revision == 3)
    #expect(classroom.refusal(of: .end, by: .host, key: "other") == .wrongState(.completed))
  }

  @Test("the same key with different content is a conflict")
  func conflict() throws {
    var classroom = try Classroom.sample(in: .ongoing)
    _ = try classroom.handle(.sendChat(text: "Hi"), by: .host, key: "k", at: .after(2000))
    let before = classroom
    #expect(classroom.refusal(of: .sendChat(text: "Hi!"), by: .host, key: "k") == .keyConflict)
    #expect(classroom.refusal(of: .end, by: .host, key: "k") == .keyConflict)
    #expect(classroom.refusal(of: .sendChat(text: ""), by: .host, key: "k") == .keyConflict)
    #expect(classroom == before)
  }

  @Test("a key belongs to its user")
  func perUser() throws {
    var classroom = try Classroom.sample(in: .ongoing)
    _ = try classroom.handle(.join, by: .student, at: .after(1500))
    _ = try classroom.handle(.sendChat(text: "Hi"), by: .host, key: "k", at: .after(2000))
    #expect(try classroom.handle(.sendChat(text: "Hi"), by: .student, key: "k", at: .after(2000)).events.count == 1)
    #expect(try classroom.handle(.sendChat(text: "Yo"), by: .student, key: "k2", at: .after(2000)).events.count == 1)
  }

  @Test("a refused command does not use up its key")
  func refusedCommand() throws {
    var classroom = try Classroom.sample(in: .ongoing)
    #expect(classroom.refusal(of: .sendChat(text: "Hi"), by: .student, key: "k") == .notPresent)
    _ = try classroom.handle(.join, by: .student, at: .after(3000))
    #expect(classroom.refusal(of: .sendChat(text: "Something else"), by: .student, key: "k") == nil)
  }

  @Test("the newest 256 keys are remembered")
  func count() throws {
    var classroom = try Classroom.sample(in: .ongoing)
    for number in 0..<257 {
      _ = try classroom.handle(.sendChat(text: "m"), by: .host, key: "k\(number)", at: .after(2000 + Int64(number)))
    }
    #expect(classroom.keys["emmy"]?.uses.count == 256)
    for number in 1..<257 {
      #expect(try classroom.handle(.sendChat(text: "m"), by: .host, key: "k\(number)", at: .after(3000)).events.isEmpty)
    }
    let before = classroom
    #expect(classroom.refusal(of: .sendChat(text: "m"), by: .host, key: "k0", at: .after(3000)) == .keyExpired)
    #expect(classroom.refusal(of: .sendChat(text: "other"), by: .host, key: "k0", at: .after(3000)) == .keyExpired)
    #expect(classroom == before, "nothing is done twice")
  }

  @Test("a key is remembered for ten minutes")
  func lifetimeEnds() throws {
    var classroom = try Classroom.sample(in: .ongoing)
    _ = try classroom.handle(.sendChat(text: "m"), by: .host, key: "k", at: .after(2000))
    #expect(
      try classroom.handle(.sendChat(text: "m"), by: .host, key: "k", at: .after(2000 + lifetime)).events.isEmpty)
    #expect(classroom.keys["emmy"]?.uses.count == 1, "nobody has swept yet")
    #expect(
      classroom.refusal(of: .sendChat(text: "m"), by: .host, key: "k", at: .after(2001 + lifetime)) == .keyExpired)
    #expect(
      classroom.refusal(of: .sendChat(text: "n"), by: .host, key: "k", at: .after(2001 + lifetime)) == .keyExpired)
  }

  @Test("old keys are forgotten when a new one comes")
  func oldKeysGo() throws {
    var classroom = try Classroom.sample(in: .ongoing)
    for number in 0..<10 {
      _ = try classroom.handle(.sendChat(text: "m"), by: .host, key: "k\(number)", at: .after(2000))
    }
    _ = try classroom.handle(.sendChat(text: "m"), by: .host, key: "new", at: .after(2001 + lifetime))
    #expect(classroom.keys["emmy"].map { Array($0.uses.keys) } == ["new"])
    for number in 0..<10 {
      #expect(
        classroom.refusal(of: .sendChat(text: "m"), by: .host, key: "k\(number)", at: .after(2002 + lifetime))
          == .keyExpired)
    }
  }

  @Test("a forgotten key belongs to its user, and is forgotten for the life of the session")
  func forgotten() throws {
    var classroom = try Classroom.sample(in: .ongoing)
    _ = try classroom.handle(.join, by: .student, at: .after(1500))
    for number in 0..<3000 {
      _ = try classroom.handle(.sendChat(text: "m"), by: .host, key: "k\(number)", at: .after(2000))
    }
    let later: Int64 = 365 * 86_400_000
    for number in stride(from: 0, to: 3000, by: 7) {
      #expect(
        classroom.refusal(of: .sendChat(text: "m"), by: .host, key: "k\(number)", at: .after(later)) == .keyExpired)
    }
    #expect(classroom.keys["emmy"]?.forgotten.count == 3000 - 256)
    #expect(try classroom.handle(.sendChat(text: "m"), by: .student, key: "k0", at: .after(later)).events.count == 1)
    #expect(try classroom.handle(.sendChat(text: "m"), by: .host, key: "k3000", at: .after(later)).events.count == 1)
  }

  @Test("a journal of an older build that did a command anew is replayed as it happened")
  func keyUsedAnew() throws {
    var classroom = try Classroom.sample(in: .ongoing)
    for (offset, text) in [(0, "first"), (lifetime + 1, "second")] {
      classroom.apply(
        RecordedEvent(
          session: classroom.id, sequence: classroom.sequence + 1, at: .after(offset), by: "emmy",
          keyUse: .init(key: "again", digest: Command.sendChat(text: text).digest),
          event: .chatSent(user: "emmy", name: "Emmy", role: .host, text: text)))
    }
    #expect(classroom.chat.messages.map(\.text) == ["first", "second"])
    let again = try classroom.handle(.sendChat(text: "second"), by: .host, key: "again", at: .after(lifetime + 2))
    #expect(again.events.isEmpty)
    #expect(classroom.restoredFromParts == classroom)
  }

  @Test("a creation is known again by user, key and content")
  func creation() throws {
    var draft = SessionDraft(title: "Algebra")
    draft.capacity = 10
    let use = draft.keyUse("c")
    let creation = Classroom.creation(.sample(), epoch: "e", by: "emmy", keyUse: use)
    let classroom = try #require(Classroom(creation))
    #expect(try classroom.isCreated(by: "emmy", with: use, at: .after(lifetime)))
    #expect(try !classroom.isCreated(by: "ada", with: use, at: .after(1)))
    #expect(try !classroom.isCreated(by: "emmy", with: draft.keyUse("d"), at: .after(1)))
    #expect(throws: Refusal.keyExpired) { try classroom.isCreated(by: "emmy", with: use, at: .after(lifetime + 1)) }
    #expect(throws: Refusal.keyConflict) {
      try classroom.isCreated(by: "emmy", with: SessionDraft(title: "Algebra").keyUse("c"), at: .after(1))
    }
    #expect(classroom.restoredFromParts == classroom)
    let without = try #require(Classroom(Classroom.creation(.sample(), epoch: "e", by: "emmy")))
    #expect(try !without.isCreated(by: "emmy", with: use, at: .after(1)))
  }

  @Test("every field of a draft counts as its content")
  func draftDigests() {
    let changes: [(inout SessionDraft) -> Void] = [
      { _ in }, { $0.id = "a" }, { $0.title = "T2" }, { $0.description = "d" }, { $0.instructor = "d" },
      { $0.kind = .audio }, { $0.scheduledAt = .after(0) }, { $0.timeZone = "Europe/Berlin" },
      { $0.durationMinutes = 61 }, { $0.capacity = 60 }, { $0.admission = .open }, { $0.visibility = .members },
      { $0.allowsGuests = true },
    ]
    let digests = changes.map { change in
      var draft = SessionDraft(title: "T")
      change(&draft)
      return draft.keyUse("k").digest
    }
    #expect(Set(digests).count == changes.count)
  }

  @Test("keys survive a snapshot")
  func snapshot() throws {
    var classroom = try Classroom.sample(in: .ongoing)
    let first = try classroom.handle(.sendChat(text: "Hi"), by: .host, key: "k", at: .after(2000))
    var restored = classroom.restoredFromParts
    #expect(restored == classroom)
    let again = try restored.handle(.sendChat(text: "Hi"), by: .host, key: "k", at: .after(3000))
    #expect(again.events.isEmpty)
    #expect(again.answer == first.answer)
    #expect(restored.refusal(of: .sendChat(text: "Ho"), by: .host, key: "k") == .keyConflict)
  }

  @Test("two commands never share a digest by joining kind and content")
  func digests() {
    let commands: [Command] = [
      .start, .end, .join, .leave(at: .after(0), isEstimated: false), .sendChat(text: ""),
      .sendChat(text: "start"),
      .sendChat(text: "\u{0}"), .sendChat(text: "a"), .sendChat(text: "b"),
    ]
    #expect(Set(commands.map(\.digest)).count == commands.count)
  }
}
