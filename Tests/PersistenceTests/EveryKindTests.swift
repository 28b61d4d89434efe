import Classroom
import JSON
import Testing

@testable import Persistence

/// A kind that somebody adds fails here until it is shown to survive the journal.
@Suite("Every kind of command and event")
struct EveryKindTests {
  /// The place of a command's kind; a new case does not compile until it has one.
  private static func place(of command: Command) -> Int {
    switch command {
    case .start: 0
    case .end: 1
    case .join: 2
    case .lose: 3
    case .leave: 4
    case .sendChat: 5
    }
  }
  private static let commandKinds = 6

  /// The kinds of event: the records that belong to a session and are no part of a snapshot.
  private static let eventKinds = Set(RecordKind.allCases.filter { $0.rawValue < RecordKind.alive.rawValue })

  /// A lesson in which everything happens that can.
  private static func lesson() throws -> (events: [RecordedEvent], final: Classroom, commands: Set<Int>) {
    func time(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: 1_767_225_600_000 + milliseconds) }
    var draft = SessionDraft(title: "Algebra \"1\"")
    draft.capacity = 30
    let details = try draft.validated(id: "algebra", roomName: "r", host: "emmy", at: time(0))
    let creation = Classroom.creation(details, epoch: "e1", by: "emmy", keyUse: draft.keyUse("c"))
    var classroom = try #require(Classroom(creation))
    var events = [creation]
    var commands: Set<Int> = []
    let host = Actor(user: "emmy", name: "Emmy", role: .host)
    let student = Actor(user: "ada", name: "Ada", role: .participant)
    var now: Int64 = 0
    func run(_ command: Command, by actor: Actor, key: String? = nil) throws {
      now += 1000
      commands.insert(place(of: command))
      let outcome = try classroom.handle(command, by: actor, key: key, at: time(now))
      #expect(!outcome.events.isEmpty, "\(command) does something")
      events += outcome.events
    }
    try run(.start, by: host, key: "s")
    try run(.join, by: student)
    for number in 0..<300 { try run(.sendChat(text: "Text \(number) é\n"), by: student, key: "k\(number)") }
    try run(.sendChat(text: "No key"), by: host)
    try run(.lose(since: time(now), isEstimated: true), by: student)
    try run(.join, by: student)
    try run(.leave(at: time(now), isEstimated: false), by: student)
    events.append(classroom.changeEpoch(to: "e2", at: time(now)))
    let erasure = classroom.erase("ada", as: "erased-1", at: time(now))
    events.append(try #require(erasure))
    try run(.join, by: Actor(user: "bo", name: "Bo", role: .cohost))
    try run(.lose(since: time(now), isEstimated: false), by: Actor(user: "bo", name: "Bo", role: .cohost))
    try run(.end, by: host, key: "e")
    return (events, classroom, commands)
  }

  @Test("every event comes back from its payload as it was, and all of them make the same classroom")
  func journal() throws {
    let (events, final, commands) = try Self.lesson()
    #expect(commands == Set(0..<Self.commandKinds), "every command is used")
    var kinds: Set<RecordKind> = []
    var replayed: Classroom?
    var reader = JSONReader()
    for event in events {
      var writer = JSONWriter()
      let kind = EventCodec.encode(event, into: &writer)
      kinds.insert(kind)
      var decoded: RecordedEvent?
      try reader.read(writer.bytes) { view in
        decoded = try? EventCodec.decode(view, kind: kind.rawValue, session: event.session, sequence: event.sequence)
      }
      #expect(decoded == event)
      let read = try #require(decoded)
      if replayed == nil { replayed = Classroom(read) } else { replayed?.apply(read) }
    }
    #expect(kinds == Self.eventKinds, "every event is made")
    #expect(replayed == final)
  }

  @Test("every kind of snapshot entry is written, and all of them make the same classroom")
  func snapshot() throws {
    let final = try Self.lesson().final
    let host = Actor(user: "emmy", name: "Emmy", role: .host)
    var busy = try #require(Classroom(Classroom.creation(final.details, epoch: "e", by: "emmy")))
    _ = try busy.handle(.start, by: host, at: Timestamp(milliseconds: 1))
    for number in 0..<300 {
      _ = try busy.handle(.sendChat(text: "m"), by: host, key: "k\(number)", at: Timestamp(milliseconds: 2))
    }
    var kinds: Set<RecordKind> = []
    for classroom in [final, busy] {
      var restored: Classroom?
      var reader = JSONReader()
      var entries: [(RecordKind, [UInt8])] = []
      SnapshotCodec.encode(classroom) { entries.append(($0, $1)) }
      for (kind, bytes) in entries {
        kinds.insert(kind)
        var failure: UnreadableRecord?
        try reader.read(bytes) { view in
          do throws(UnreadableRecord) {
            try SnapshotCodec.decode(
              view, kind: kind.rawValue, session: "algebra", sequence: classroom.sequence, into: &restored)
          } catch {
            failure = error
          }
        }
        #expect(failure == nil)
      }
      #expect(restored == classroom)
    }
    #expect(kinds == Set(RecordKind.allCases.filter { $0.rawValue > RecordKind.alive.rawValue }))
  }
}
