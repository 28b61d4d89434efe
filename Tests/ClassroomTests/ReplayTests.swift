import Testing

@testable import Classroom

@Suite("Replay")
struct ReplayTests {
  /// A random history: its events, and the classroom it left behind after each of them.
  private static func history(seed: UInt64, steps: Int) throws -> (events: [RecordedEvent], final: Classroom) {
    var random = SeededGenerator(seed: seed)
    let creation = Classroom.creation(
      .sample(capacity: Bool.random(using: &random) ? nil : 4), epoch: "e\(seed)", by: "emmy")
    var classroom = try #require(Classroom(creation))
    var events = [creation]
    var now: Int64 = 1000
    let actors = [
      Actor.host, .student, .named("bob"), .named("cyd"), .named("dan", .cohost), .named("eve", .observer),
      .named("root", .admin), .named("fay"),
    ]
    for step in 0..<steps {
      now += .random(in: -50...2000, using: &random)
      let actor = actors[Int.random(in: 0..<actors.count, using: &random)]
      let command: Command
      switch Int.random(in: 0..<100, using: &random) {
      case 0..<3: command = .start
      case 3 where step > steps / 2: command = .end
      case 3..<40: command = .join
      case 60..<70:
        command = .lose(
          since: .after(now - .random(in: -10...3000, using: &random)), isEstimated: .random(using: &random))
      case 70..<85:
        command = .randomConduct(about: actors.randomElement(using: &random)?.user ?? "", classroom, &random)
      case 40..<60:
        command = .leave(
          at: .after(now - .random(in: -10...3000, using: &random)), isEstimated: .random(using: &random))
      default: command = .sendChat(text: "text \(Int.random(in: 0..<4, using: &random))")
      }
      if Int.random(in: 0..<60, using: &random) == 0 {
        let user = Bool.random(using: &random) ? actor.user : "gone-1"
        let pseudonym = "gone-\(Int.random(in: 1...2, using: &random))"
        if let event = classroom.erase(user, as: pseudonym, at: .after(now)) { events.append(event) }
        if user != pseudonym { #expect(!classroom.names(user)) }
        #expect(classroom.attendance.activeCount == classroom.attendance.rows.values.count(where: \.isActive))
      }
      if Int.random(in: 0..<60, using: &random) == 0 {
        events.append(classroom.changeEpoch(to: "e\(step)", at: .after(now)))
      }
      let key = Int.random(in: 0..<3, using: &random) == 0 ? "k\(Int.random(in: 0..<20, using: &random))" : nil
      let before = classroom
      do throws(Refusal) {
        let outcome = try classroom.handle(command, by: actor, key: key, at: .after(now))
        events += outcome.events
        if outcome.events.isEmpty { #expect(classroom == before) }
      } catch {
        #expect(classroom == before, "a refusal changes nothing")
      }
      if Int.random(in: 0..<50, using: &random) == 0 { classroom = classroom.restoredFromParts }
    }
    return (events, classroom)
  }

  @Test("the events alone make the same classroom", arguments: 0..<40)
  func replay(seed: UInt64) throws {
    let (events, final) = try Self.history(seed: seed, steps: 400)
    #expect(events.map(\.sequence) == Array(1...UInt64(events.count)))
    var replayed = try #require(Classroom(events[0]))
    for event in events.dropFirst() { replayed.apply(event) }
    #expect(replayed == final)
    #expect(replayed.attendance.rows.values.map(\.user) == final.attendance.rows.values.map(\.user))
  }

  @Test("a snapshot at any moment and the events after it make the same classroom", arguments: 0..<20)
  func snapshot(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed &+ 1000)
    let (events, final) = try Self.history(seed: seed, steps: 300)
    let cut = Int.random(in: 1...events.count, using: &random)
    var classroom = try #require(Classroom(events[0]))
    for event in events[1..<cut] { classroom.apply(event) }
    var restored = classroom.restoredFromParts
    #expect(restored == classroom)
    #expect(restored.attendance.activeCount == classroom.attendance.activeCount)
    for event in events[cut...] { restored.apply(event) }
    #expect(restored == final)
  }

  @Test("the stream numbers of chat are gap-free with the transitions", arguments: 0..<10)
  func numbers(seed: UInt64) throws {
    let (events, final) = try Self.history(seed: seed, steps: 300)
    let numbered = events.filter(\.event.isNumbered)
    #expect(final.streamSequence == UInt64(numbered.count))
    let expected = numbered.enumerated().compactMap { index, event -> UInt64? in
      if case .chatSent = event.event { UInt64(index + 1) } else { nil }
    }
    #expect(final.chat.messages.map(\.streamSequence) == expected)
  }
}
