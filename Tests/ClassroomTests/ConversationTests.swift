import Testing

@testable import Classroom

@Suite("What becomes of messages")
struct ConversationTests {
  /// A class in which a student has said something.
  private static func lesson() throws -> (Classroom, message: UInt64) {
    var classroom = try Classroom.sample(in: .ongoing)
    for actor in [Actor.student, .named("bo")] { _ = try classroom.handle(.join, by: actor, at: .after(2000)) }
    _ = try classroom.handle(.sendChat(text: "Helo"), by: .student, at: .after(3000))
    return (classroom, try #require(classroom.chat.messages.last?.sequence))
  }

  private func edit(_ message: UInt64, _ text: String = "Hello") -> Command { .editChat(message: message, text: text) }

  @Test("authors change what they said, for ten minutes")
  func edit() throws {
    var (classroom, message) = try Self.lesson()
    #expect(classroom.refusal(of: edit(message), by: .named("bo")) == .forbidden)
    #expect(classroom.refusal(of: edit(message), by: .host) == .forbidden)
    #expect(classroom.refusal(of: edit(message), by: .student, at: .after(3000 + 600_000)) == nil)
    #expect(classroom.chat.message(message)?.text == "Hello")
    #expect(classroom.chat.message(message)?.editedAt == .after(603_000))
    #expect(classroom.refusal(of: edit(message, "Later"), by: .student, at: .after(3001 + 600_000)) == .forbidden)
    #expect(classroom.refusal(of: edit(9999), by: .student) == .noSuchMessage)
    let last = try #require(classroom.stream.events.last)
    #expect(last.content == .edited(message: message, text: "Hello"))
  }

  @Test("what was taken back is said to nobody again, in any form, and keeps its place")
  func delete() throws {
    var (classroom, message) = try Self.lesson()
    _ = try classroom.handle(edit(message, "Secret"), by: .student, at: .after(3000))
    _ = try classroom.handle(
      .reactToChat(message: message, emoji: "👍", isOn: true), by: .named("bo"), at: .after(3000))
    _ = try classroom.handle(.pinChat(message: message, isOn: true), by: .host, at: .after(3000))
    let before = classroom.streamSequence
    #expect(classroom.refusal(of: .deleteChat(message: message), by: .named("bo")) == .forbidden)
    #expect(classroom.refusal(of: .deleteChat(message: message), by: .student) == nil)
    let everything = String(reflecting: classroom)
    #expect(!everything.contains("Secret") && !everything.contains("Helo"))
    let kept = try #require(classroom.chat.message(message))
    #expect(kept.isDeleted && kept.text.isEmpty && kept.reactions.isEmpty && kept.user == "ada")
    #expect(classroom.chat.pins.isEmpty && classroom.streamSequence == before + 1)
    #expect(classroom.stream.covers(after: 0) && classroom.stream.textBytes == 0)
    #expect(classroom.restoredFromParts == classroom)
    #expect(try classroom.handle(.deleteChat(message: message), by: .host, at: .after(4000)).events.isEmpty)
    #expect(classroom.refusal(of: edit(message), by: .student) == .noSuchMessage)
  }

  @Test("who leads the class deletes also after its end")
  func deleteAfterTheEnd() throws {
    var (classroom, message) = try Self.lesson()
    _ = try classroom.handle(.end, by: .host, at: .after(4000))
    #expect(classroom.refusal(of: .deleteChat(message: message), by: .student) == .wrongState(.completed))
    #expect(classroom.refusal(of: .deleteChat(message: message), by: .host) == nil)
  }

  @Test("a reaction is one character; each person has one of each kind, and kinds are bounded")
  func reactions() throws {
    var (classroom, message) = try Self.lesson()
    func react(_ emoji: String, _ isOn: Bool = true) -> Command {
      .reactToChat(message: message, emoji: emoji, isOn: isOn)
    }
    for text in ["", " ", "ab", "👍👍", "\u{0}", "\n", "e" + String(repeating: "\u{301}", count: 16)] {
      guard case .invalidField("emoji", _)? = classroom.refusal(of: react(text), by: .host) else {
        Issue.record("\(text) is accepted")
        continue
      }
    }
    for emoji in ["👍", "🇩🇪", "👩‍🏫", "1️⃣"] { #expect(classroom.refusal(of: react(emoji), by: .host) == nil) }
    #expect(classroom.refusal(of: react("👍"), by: .student) == nil)
    #expect(try classroom.handle(react("👍"), by: .student, at: .after(4000)).events.isEmpty)
    #expect(classroom.chat.message(message)?.reactions.map { ($0.users.count) } == [2, 1, 1, 1])
    #expect(classroom.refusal(of: react("👍", false), by: .host) == nil)
    #expect(classroom.refusal(of: react("🇩🇪", false), by: .host) == nil)
    #expect(classroom.chat.message(message)?.reactions.map(\.emoji) == ["👍", "👩‍🏫", "1️⃣"])
    guard case .reaction(message, "🇩🇪", 0, "emmy", false)? = classroom.stream.events.last?.content else {
      Issue.record("the last event is another")
      return
    }
    for number in 0..<17 {
      let emoji = String(UnicodeScalar(0x1F600 + number).map(Character.init) ?? "x")
      #expect(classroom.refusal(of: react(emoji), by: .named("bo")) == nil)
    }
    guard case .limitReached? = classroom.refusal(of: react("🎓"), by: .host) else {
      Issue.record("a message has 21 kinds of reaction")
      return
    }
    #expect(classroom.refusal(of: react("1️⃣"), by: .named("bo")) == nil, "a kind that is there is no new one")
    #expect(classroom.restoredFromParts == classroom)
  }

  @Test("five messages are pinned at most, and the order of pinning is kept")
  func pins() throws {
    var (classroom, message) = try Self.lesson()
    #expect(classroom.refusal(of: .pinChat(message: message, isOn: true), by: .student) == .forbidden)
    for number in 0..<5 { _ = try classroom.handle(.sendChat(text: "m\(number)"), by: .host, at: .after(3000)) }
    let all = classroom.chat.messages.map(\.sequence)
    for pin in all.reversed().prefix(5) {
      #expect(classroom.refusal(of: .pinChat(message: pin, isOn: true), by: .host) == nil)
    }
    #expect(classroom.chat.pins == Array(all.reversed().prefix(5)))
    guard case .limitReached? = classroom.refusal(of: .pinChat(message: message, isOn: true), by: .host) else {
      Issue.record("six messages are pinned")
      return
    }
    #expect(classroom.refusal(of: .pinChat(message: all[3], isOn: false), by: .host) == nil)
    #expect(classroom.refusal(of: .pinChat(message: message, isOn: true), by: .host) == nil)
    #expect(classroom.chat.pins.last == message && classroom.chat.pins.count == 5)
  }

  @Test("an answer is to a message that its readers can read")
  func replies() throws {
    var (classroom, message) = try Self.lesson()
    #expect(classroom.refusal(of: .sendChat(text: "x", replyTo: message), by: .named("bo")) == nil)
    #expect(classroom.chat.messages.last?.replyTo == message)
    #expect(classroom.refusal(of: .sendChat(text: "x", replyTo: 9999), by: .host) == .noSuchMessage)
    _ = try classroom.handle(.sendChat(text: "Help", isPrivate: true), by: .student, at: .after(4000))
    let help = try #require(classroom.conduct.privateChat.messages.last?.sequence)
    #expect(classroom.refusal(of: .sendChat(text: "x", replyTo: help), by: .host) == .noSuchMessage)
    #expect(
      classroom.refusal(of: .sendChat(text: "x", replyTo: help, isPrivate: true), by: .named("bo")) == .noSuchMessage)
    #expect(classroom.refusal(of: .sendChat(text: "x", replyTo: help, isPrivate: true), by: .host) == nil)
  }

  @Test("a message to the hosts is in their stream and in that of its author, numbered in each")
  func privateMessages() throws {
    var (classroom, _) = try Self.lesson()
    let before = classroom.streamSequence
    let first = try classroom.handle(
      .sendChat(text: "One", isPrivate: true), by: .named("bo"), key: "k", at: .after(4000))
    let second = try classroom.handle(.sendChat(text: "Two", isPrivate: true), by: .student, at: .after(4000))
    _ = try classroom.handle(.sendChat(text: "Three", isPrivate: true), by: .host, at: .after(4000))
    #expect(classroom.streamSequence == before && classroom.chat.messages.count == 1)
    #expect(classroom.conduct.hosts.last == 3)
    #expect(first.answer == .chat(streamSequence: 1, sequence: first.events[0].sequence, at: .after(4000)))
    #expect(second.answer == .chat(streamSequence: 1, sequence: second.events[0].sequence, at: .after(4000)))
    let again = try classroom.handle(
      .sendChat(text: "One", isPrivate: true), by: .named("bo"), key: "k", at: .after(5000))
    #expect(again.answer == first.answer && again.events.isEmpty)
    #expect(throws: Refusal.keyConflict) {
      try classroom.handle(.sendChat(text: "One"), by: .named("bo"), key: "k", at: .after(5000))
    }
    let own = classroom.conduct.privateChat.page(of: "bo", before: nil, limit: 10, textBytes: 100)
    #expect(own.messages.map(\.text) == ["One"] && !own.hasMore)
    #expect(classroom.restoredFromParts == classroom)
  }

  @Test("the policy says who may write, and slow mode how soon again")
  func policy() throws {
    var (classroom, _) = try Self.lesson()
    func set(_ chat: RoomPolicy.Chat, slow: Int) throws {
      var change = PolicyChange()
      change.chat = chat
      change.slowModeSeconds = slow
      _ = try classroom.handle(.setPolicy(change), by: .host, at: .after(4000))
    }
    let say = Command.sendChat(text: "x")
    try set(.hosts, slow: 0)
    #expect(classroom.refusal(of: say, by: .student) == .chatClosed)
    #expect(classroom.refusal(of: .sendChat(text: "x", isPrivate: true), by: .student) == nil)
    #expect(classroom.refusal(of: say, by: .host) == nil)
    try set(.off, slow: 0)
    #expect(classroom.refusal(of: say, by: .host) == .chatClosed)
    try set(.open, slow: 30)
    #expect(classroom.refusal(of: say, by: .student, at: .after(10_000)) == nil)
    #expect(classroom.refusal(of: say, by: .student, at: .after(12_000)) == .slowMode(28_000))
    #expect(classroom.refusal(of: say, by: .named("bo"), at: .after(12_000)) == nil)
    #expect(classroom.refusal(of: say, by: .host, at: .after(12_000)) == nil)
    #expect(classroom.refusal(of: say, by: .host, at: .after(12_000)) == nil, "who leads does not wait")
    #expect(classroom.restoredFromParts == classroom)
    #expect(classroom.refusal(of: say, by: .student, at: .after(40_000)) == nil)
    guard
      case .invalidField("slow_mode_seconds", _)? = classroom.refusal(
        of: .setPolicy(
          {
            var change = PolicyChange()
            change.slowModeSeconds = 601
            return change
          }()), by: .host)
    else {
      Issue.record("slow mode of 601 seconds")
      return
    }
  }
}
