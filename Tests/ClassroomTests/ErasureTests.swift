import Testing

@testable import Classroom

@Suite("Forgetting a user")
struct ErasureTests {
  /// A class in which the host and a student came, spoke and used keys.
  private static func lesson() throws -> Classroom {
    var classroom = try Classroom.sample(in: .ongoing)
    _ = try classroom.handle(.join, by: .student, at: .after(2000))
    for number in 0..<300 {
      _ = try classroom.handle(.sendChat(text: "Question \(number)"), by: .student, key: "k\(number)", at: .after(3000))
    }
    _ = try classroom.handle(.sendChat(text: "Forty-two"), by: .host, key: "k", at: .after(4000))
    _ = try classroom.handle(.leave(at: .after(5000), isEstimated: false), by: .student, at: .after(5000))
    return classroom
  }

  /// Whether anything in a classroom still tells of these words.
  private func mentions(_ words: [String], _ classroom: Classroom) -> Bool {
    // A dump goes into what copies share, too.
    var everything = ""
    dump(classroom, to: &everything)
    return words.contains { everything.contains($0) }
  }

  @Test("nothing tells of a student any more, in any part of the session")
  func student() throws {
    var classroom = try Self.lesson()
    for word in ["\"ada\"", "\"Ada\"", "Question"] {
      let isMentioned = mentions([word], classroom)
      #expect(isMentioned, "the sample tells of it")
    }
    let before = classroom
    let erasure = classroom.erase("ada", as: "erased-1", at: .after(6000))
    let event = try #require(erasure)
    #expect(event.event == .erased(user: "ada", pseudonym: "erased-1") && event.by == nil && event.keyUse == nil)
    let isMentioned = mentions(["\"ada\"", "\"Ada\"", "Question"], classroom)
    #expect(!isMentioned)
    #expect(!classroom.names("ada"))
    #expect(classroom.keys["ada"] == nil && classroom.keys["emmy"] == before.keys["emmy"])
    #expect(classroom.stream.textBytes == "Forty-two".utf8.count)
    #expect(classroom.restoredFromParts == classroom)
  }

  @Test("messages keep their numbers, and history and the newest events go on without a gap")
  func numbers() throws {
    var classroom = try Self.lesson()
    let before = classroom
    _ = classroom.erase("ada", as: "erased-1", at: .after(6000))
    #expect(classroom.streamSequence == before.streamSequence)
    #expect(classroom.chat.messages.map(\.streamSequence) == before.chat.messages.map(\.streamSequence))
    #expect(classroom.chat.messages.map(\.sequence) == before.chat.messages.map(\.sequence))
    #expect(classroom.chat.messages.map(\.at) == before.chat.messages.map(\.at))
    let page = classroom.chat.page(before: 10, limit: 3, textBytes: 100)
    #expect(page.hasMore && page.messages.map(\.streamSequence) == [7, 8, 9])
    #expect(
      page.messages.allSatisfy { $0.isErased && $0.text.isEmpty && $0.user == "erased-1" && $0.name == "erased-1" })
    #expect(classroom.stream.covers(after: 0))
    let events = classroom.stream.events(after: 1, limit: 2, textBytes: 100)
    #expect(events.map(\.sequence) == [2, 3] && events.allSatisfy { $0.by == "erased-1" })
    let last = try #require(classroom.chat.messages.last)
    #expect(!last.isErased && last.text == "Forty-two")
  }

  @Test("the minutes stay, under the pseudonym")
  func minutes() throws {
    var classroom = try Self.lesson()
    let row = try #require(classroom.attendance["ada"])
    _ = classroom.erase("ada", as: "erased-1", at: .after(6000))
    let pseudonymous = try #require(classroom.attendance["erased-1"])
    #expect(pseudonymous.segments == row.segments && pseudonymous.role == row.role)
    #expect(classroom.attendance.rows.values.map(\.user) == ["emmy", "erased-1"], "at the same place")
  }

  @Test("a host is forgotten as owner, as who started, and as instructor where the name says so")
  func host() throws {
    var classroom = try Self.lesson()
    _ = try classroom.handle(.end, by: .host, at: .after(7000))
    #expect(classroom.startedBy == "emmy")
    _ = classroom.erase("emmy", as: "erased-2", at: .after(8000))
    let isMentioned = mentions(["emmy", "Emmy", "Forty-two"], classroom)
    #expect(!isMentioned)
    #expect(classroom.details.host == "erased-2" && classroom.startedBy == "erased-2")
    #expect(classroom.details.instructor.isEmpty && classroom.details.title == "Algebra")
    let ended = try #require(classroom.stream.events.last)
    #expect(ended.by == "erased-2" && ended.content == .status(classroom.statusChange))

    var other = try Self.lesson()
    _ = other.erase("ada", as: "erased-1", at: .after(6000))
    #expect(other.details.instructor == "Emmy" && other.details.host == "emmy")
  }

  @Test("who is here when forgotten is gone from then on, or since the connection was lost")
  func present() throws {
    for isAbsent in [false, true] {
      var classroom = try Classroom.sample(in: .ongoing)
      _ = try classroom.handle(.join, by: .student, at: .after(2000))
      if isAbsent {
        _ = try classroom.handle(.lose(since: .after(3000), isEstimated: true), by: .student, at: .after(3500))
      }
      _ = classroom.erase("ada", as: "erased-1", at: .after(4000))
      let end = Timestamp.after(isAbsent ? 3000 : 4000)
      #expect(
        classroom.attendance["erased-1"]?.segments == [.init(from: .after(2000), to: end, isEstimated: isAbsent)])
      #expect(classroom.attendance.activeCount == 1)
    }
  }

  @Test("forgetting again changes nothing, and who comes back is forgotten under the same pseudonym")
  func again() throws {
    var classroom = try Self.lesson()
    _ = classroom.erase("ada", as: "erased-1", at: .after(6000))
    let once = classroom
    for (user, pseudonym) in [("ada", "erased-1"), ("nobody", "erased-9")] {
      let event = classroom.erase(user, as: pseudonym, at: .after(6500))
      #expect(event == nil && classroom == once)
    }
    classroom.apply(
      RecordedEvent(
        session: classroom.id, sequence: classroom.sequence + 1, at: .after(6500), by: nil, keyUse: nil,
        event: .erased(user: "ada", pseudonym: "erased-1")))
    #expect(classroom.attendance == once.attendance && classroom.chat == once.chat && classroom.stream == once.stream)

    _ = try classroom.handle(.join, by: .student, at: .after(7000))
    _ = try classroom.handle(.sendChat(text: "Hi"), by: .student, at: .after(7000))
    _ = classroom.erase("ada", as: "erased-1", at: .after(9000))
    #expect(
      classroom.attendance["erased-1"]?.segments == [
        .init(from: .after(2000), to: .after(5000), isEstimated: false),
        .init(from: .after(7000), to: .after(9000), isEstimated: false),
      ])
    #expect(classroom.attendance.rows.count == 2 && classroom.chat.messages.last?.isErased == true)
  }

  @Test("the name of the history changes, its numbers go on")
  func epoch() throws {
    var classroom = try Self.lesson()
    let (stream, sequence) = (classroom.stream, classroom.sequence)
    let event = classroom.changeEpoch(to: "e2", at: .after(6000))
    #expect(event.event == .epochChanged("e2") && event.sequence == sequence + 1)
    #expect(classroom.epoch == "e2" && classroom.stream == stream)
    _ = try classroom.handle(.end, by: .host, at: .after(7000))
    #expect(classroom.streamSequence == stream.last + 1)
  }
}
