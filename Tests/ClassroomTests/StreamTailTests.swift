import Testing

@testable import Classroom

@Suite("The newest numbered events")
struct StreamTailTests {
  private func event(_ sequence: UInt64, textBytes: Int = 1) -> StreamEvent {
    StreamEvent(
      sequence: sequence, at: .after(Int64(sequence)), by: "ada",
      content: .chat(
        ChatMessage(
          streamSequence: sequence, sequence: sequence, at: .after(Int64(sequence)), user: "ada", name: "Ada",
          role: .participant, text: String(repeating: "x", count: textBytes))))
  }

  private func tail(_ count: Int, textBytes: Int = 1) -> StreamTail {
    var tail = StreamTail()
    for number in 0..<UInt64(count) { tail.append(event(number + 1, textBytes: textBytes)) }
    return tail
  }

  @Test("transitions and messages are kept as everybody saw them, with number, time and author; attendance is not")
  func contents() throws {
    var classroom = try Classroom.sample()
    _ = try classroom.handle(.start, by: .host, at: .after(1000))
    _ = try classroom.handle(.join, by: .student, at: .after(1500))
    _ = try classroom.handle(.sendChat(text: "Hi"), by: .student, at: .after(2000))
    _ = try classroom.handle(.end, by: .host, at: .after(3000))
    let message = try #require(classroom.chat.messages.last)
    let started = StatusChange(status: .ongoing, revision: 2, startedAt: .after(1000), endedAt: nil)
    let ended = StatusChange(status: .completed, revision: 3, startedAt: .after(1000), endedAt: .after(3000))
    #expect(
      Array(classroom.stream.events) == [
        StreamEvent(sequence: 1, at: .after(1000), by: "emmy", content: .status(started)),
        StreamEvent(sequence: 2, at: .after(2000), by: "ada", content: .chat(message)),
        StreamEvent(sequence: 3, at: .after(3000), by: "emmy", content: .status(ended)),
      ])
    #expect(classroom.stream.last == 3 && classroom.streamSequence == 3)
  }

  @Test("4,096 events are kept, and one more pushes out the oldest")
  func countLimit() {
    var tail = tail(StreamTail.Limits.events)
    #expect(tail.events.count == 4096 && tail.covers(after: 0))
    tail.append(event(4097))
    #expect(tail.events.count == 4096 && tail.events.first?.sequence == 2)
    #expect(!tail.covers(after: 0) && tail.covers(after: 1))
  }

  @Test("1 MiB of text is kept, and one byte more pushes out as many events as it takes")
  func textLimit() {
    var tail = tail(256, textBytes: 4096)
    #expect(tail.textBytes == StreamTail.Limits.textBytes && tail.events.count == 256)
    tail.append(event(257, textBytes: 1))
    #expect(tail.textBytes == 255 * 4096 + 1)
    #expect(tail.events.map(\.sequence) == Array(2...257))
    tail.append(event(258, textBytes: 4096))
    #expect(tail.events.first?.sequence == 3)
  }

  @Test("what is covered: all after a number that is kept or just before; never a number from the future")
  func coverage() {
    #expect(StreamTail().covers(after: 0) && !StreamTail().covers(after: 1))
    let tail = tail(5000)
    #expect(tail.events.first?.sequence == 905)
    #expect(!tail.covers(after: 903) && tail.covers(after: 904) && tail.covers(after: 5000))
    #expect(!tail.covers(after: 5001) && !tail.covers(after: .max))
    let forgotten = StreamTail(last: 7)
    #expect(forgotten.covers(after: 7) && !forgotten.covers(after: 6) && !forgotten.covers(after: 8))
  }

  @Test("events come in order from any number, in pages bounded by count and text, and at least one")
  func pages() {
    let tail = tail(5000, textBytes: 100)
    var seen: [UInt64] = []
    while case let page = tail.events(after: seen.last ?? 904, limit: 70, textBytes: 6000), !page.isEmpty {
      #expect(page.count == min(60, 5000 - Int(seen.last ?? 904)))
      seen += page.map(\.sequence)
    }
    #expect(seen == Array(905...5000))
    #expect(tail.events(after: 904, limit: 7, textBytes: 6000).map(\.sequence) == Array(905...911))
    #expect(tail.events(after: 4000, limit: 7, textBytes: 0).map(\.sequence) == [4001])
    #expect(tail.events(after: 5000, limit: 7, textBytes: 1000).isEmpty)
    #expect(tail.events(after: .max, limit: 7, textBytes: 1000).isEmpty)
    #expect(StreamTail(last: 3).events(after: 0, limit: 7, textBytes: 1000).isEmpty)
  }

  @Test("a snapshot's events must follow each other and end within the stream")
  func restoring() {
    var tail = StreamTail(last: 9)
    #expect(tail.restore(event(8)) && !tail.restore(event(8)) && !tail.restore(event(10)))
    #expect(!tail.covers(after: 7), "the last one is still missing")
    #expect(tail.restore(event(9)) && !tail.restore(event(10)))
    #expect(tail.covers(after: 7) && !tail.covers(after: 6))
    #expect(tail.events.map(\.sequence) == [8, 9])
  }
}
