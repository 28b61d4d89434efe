import Testing

@testable import Classroom

@Suite("Capacity")
struct CapacityTests {
  @Test("as many as the capacity come in; host, cohost and admin pass")
  func capacity() throws {
    var classroom = try Classroom.sample(.sample(capacity: 2), in: .ongoing)
    #expect(classroom.refusal(of: .join, by: .named("a")) == nil)
    #expect(classroom.attendance.activeCount == 2)
    #expect(classroom.refusal(of: .join, by: .named("b")) == .sessionFull)
    #expect(classroom.refusal(of: .join, by: .named("a")) == nil, "a second tab takes no seat")
    #expect(classroom.refusal(of: .join, by: .named("i", .observer)) == nil, "an observer takes no seat")
    for role in [Role.host, .cohost, .admin] {
      #expect(classroom.refusal(of: .join, by: .named("x-\(role)", role)) == nil)
    }
    #expect(classroom.attendance.activeCount == 5)
  }

  @Test("a seat is free again when somebody leaves")
  func seatIsFreed() throws {
    var classroom = try Classroom.sample(.sample(capacity: 2), in: .ongoing)
    _ = try classroom.handle(.join, by: .named("a"), at: .after(2000))
    #expect(classroom.refusal(of: .join, by: .named("b")) == .sessionFull)
    _ = try classroom.handle(.leave(at: .after(3000), isEstimated: false), by: .named("a"), at: .after(3000))
    #expect(classroom.refusal(of: .join, by: .named("b")) == nil)
    #expect(classroom.refusal(of: .join, by: .named("a")) == .sessionFull, "who left has no right to the seat")
  }
}

@Suite("Chat")
struct ChatTests {
  @Test("only who is in a live session writes")
  func whoWrites() throws {
    for status in [SessionStatus.scheduled, .completed] {
      var classroom = try Classroom.sample(in: status)
      #expect(classroom.refusal(of: .sendChat(text: "Hi"), by: .host) == .wrongState(status))
    }
    var classroom = try Classroom.sample(in: .ongoing)
    #expect(classroom.refusal(of: .sendChat(text: "Hi"), by: .student) == .notPresent)
    #expect(classroom.refusal(of: .sendChat(text: "Hi"), by: .host) == nil)
    for role in Role.allCases where role.isVisible {
      _ = try classroom.handle(.join, by: .named("x-\(role)", role), at: .after(2000))
      #expect(classroom.refusal(of: .sendChat(text: "Hi"), by: .named("x-\(role)", role)) == nil)
    }
  }

  @Test("a text has 1 to 4096 bytes and is not only white space")
  func text() throws {
    var classroom = try Classroom.sample(in: .ongoing)
    let before = classroom
    for text in [
      "", " ", "\n\t \u{00A0}\u{2003}", String(repeating: "x", count: 4097), String(repeating: "é", count: 2049),
    ] {
      guard case .invalidField("text", _)? = classroom.refusal(of: .sendChat(text: text), by: .host) else {
        Issue.record("accepted \(text.utf8.count) bytes")
        continue
      }
    }
    #expect(classroom == before)
    for text in ["x", String(repeating: "x", count: 4096), String(repeating: "é", count: 2048), " x ", "\u{0}"] {
      #expect(classroom.refusal(of: .sendChat(text: text), by: .host) == nil)
      #expect(classroom.chat.messages.last?.text == text, "text is kept as it came")
    }
  }

  @Test("a page holds the newest below a number, ascending")
  func pages() throws {
    var classroom = try Classroom.sample(in: .ongoing)
    for number in 0..<10 { _ = try classroom.handle(.sendChat(text: "m\(number)"), by: .host, at: .after(2000)) }
    func numbers(_ before: UInt64?, _ limit: Int) -> ([UInt64], Bool) {
      let page = classroom.chat.page(before: before, limit: limit, textBytes: .max)
      return (page.messages.map(\.streamSequence), page.hasMore)
    }
    #expect(numbers(nil, 3) == ([9, 10, 11], true))
    #expect(numbers(9, 3) == ([6, 7, 8], true))
    #expect(numbers(4, 3) == ([2, 3], false))
    #expect(numbers(5, 3) == ([2, 3, 4], false))
    #expect(numbers(2, 3) == ([], false))
    #expect(numbers(0, 3) == ([], false))
    #expect(numbers(.max, 100) == (Array(2...11), false))
    #expect(numbers(nil, 0) == ([], true))
    #expect(numbers(nil, -1) == ([], true))
  }

  @Test("a page of long messages ends after so many bytes of text, but has at least one message")
  func longPages() throws {
    var classroom = try Classroom.sample(in: .ongoing)
    _ = try classroom.handle(.join, by: .student, at: .after(2000))
    for length in [10, 4000, 10, 4000] {
      _ = try classroom.handle(.sendChat(text: String(repeating: "x", count: length)), by: .student, at: .after(3000))
    }
    func lengths(_ bytes: Int) -> [Int] {
      classroom.chat.page(before: nil, limit: 50, textBytes: bytes).messages.map(\.text.utf8.count)
    }
    #expect(lengths(8020) == [10, 4000, 10, 4000])
    #expect(lengths(8019) == [4000, 10, 4000])
    #expect(lengths(4010) == [10, 4000])
    #expect(lengths(0) == [4000])
    #expect(classroom.chat.page(before: nil, limit: 50, textBytes: 4010).hasMore)
  }

  @Test("walking back by pages sees every message once")
  func walk() throws {
    var classroom = try Classroom.sample(in: .ongoing)
    for number in 0..<23 {
      _ = try classroom.handle(.sendChat(text: "m\(number)"), by: .host, at: .after(2000))
      _ = try classroom.handle(.join, by: .named("u\(number)"), at: .after(2000))
    }
    var seen: [ChatMessage] = []
    var before: UInt64?
    while true {
      let page = classroom.chat.page(before: before, limit: 4, textBytes: .max)
      seen.insert(contentsOf: page.messages, at: 0)
      before = page.messages.first?.streamSequence
      if !page.hasMore { break }
    }
    #expect(seen == Array(classroom.chat.messages))
    #expect(seen.count == 23)
  }
}
