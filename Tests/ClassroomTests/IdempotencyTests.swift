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
    #expect(classroom.refusal(of: .start, by: .host, key: "other") == .wrongState(.completed))
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
    #expect(classroom.keys.uses["emmy"]?.count == 256)
    for number in 1..<257 {
      #expect(try classroom.handle(.sendChat(text: "m"), by: .host, key: "k\(number)", at: .after(3000)).events.isEmpty)
    }
    #expect(try classroom.handle(.sendChat(text: "m"), by: .host, key: "k0", at: .after(3000)).events.count == 1)
  }

  @Test("a key is remembered for ten minutes")
  func lifetimeEnds() throws {
    var classroom = try Classroom.sample(in: .ongoing)
    _ = try classroom.handle(.sendChat(text: "m"), by: .host, key: "k", at: .after(2000))
    #expect(
      try classroom.handle(.sendChat(text: "m"), by: .host, key: "k", at: .after(2000 + lifetime)).events.isEmpty)
    #expect(
      try classroom.handle(.sendChat(text: "n"), by: .host, key: "k", at: .after(2001 + lifetime)).events.count == 1)
    #expect(classroom.keys.uses["emmy"]?.count == 1)
  }

  @Test("old keys are forgotten when a new one comes")
  func oldKeysGo() throws {
    var classroom = try Classroom.sample(in: .ongoing)
    for number in 0..<10 {
      _ = try classroom.handle(.sendChat(text: "m"), by: .host, key: "k\(number)", at: .after(2000))
    }
    _ = try classroom.handle(.sendChat(text: "m"), by: .host, key: "new", at: .after(2001 + lifetime))
    #expect(classroom.keys.uses["emmy"].map { Array($0.keys) } == ["new"])
  }

  @Test("a key used anew after its time is the newest, not the oldest")
  func keyUsedAnew() throws {
    var classroom = try Classroom.sample(in: .ongoing)
    _ = try classroom.handle(.sendChat(text: "m"), by: .host, key: "again", at: .after(0))
    _ = try classroom.handle(.sendChat(text: "m"), by: .host, key: "other", at: .after(lifetime))
    _ = try classroom.handle(.sendChat(text: "m"), by: .host, key: "again", at: .after(lifetime + 1))
    #expect(classroom.keys.uses["emmy"].map { Array($0.keys) } == ["other", "again"])
    for number in 0..<255 {
      _ = try classroom.handle(.sendChat(text: "m"), by: .host, key: "k\(number)", at: .after(lifetime + 2))
    }
    #expect(
      try classroom.handle(.sendChat(text: "m"), by: .host, key: "again", at: .after(lifetime + 3)).events.isEmpty)
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
