import Classroom
import JSON
import Testing

@testable import Persistence

@Suite("The stage on disk")
struct StageCodecTests {
  private static let stages = [
    Stage(), Stage(mode: .invited, places: nil, invited: []), Stage(mode: .open, places: 0, invited: ["ada", "b\"ö"]),
    Stage(mode: .invited, places: 64, invited: (0..<64).map { "user-\($0)" }),
  ]

  @Test("what happens on the stage comes back from the journal as it was", arguments: stages)
  func journal(_ stage: Stage) throws {
    for event in [Event.stageChanged(stage), .takenOffStage(user: "ada")] {
      let recorded = RecordedEvent(
        session: "algebra", sequence: 3, at: Timestamp(milliseconds: 5), by: "emmy", keyUse: nil, event: event)
      var writer = JSONWriter()
      let kind = EventCodec.encode(recorded, into: &writer)
      var reader = JSONReader()
      var read: RecordedEvent?
      try reader.read(writer.bytes) { view in
        read = try? EventCodec.decode(view, kind: kind.rawValue, session: "algebra", sequence: 3)
      }
      #expect(read == recorded)
    }
    #expect(RecordKind.stageChanged.rawValue == 110 && RecordKind.takenOffStage.rawValue == 111)
    #expect(RecordKind.snapshotStage.rawValue == 115)
  }

  @Test("a snapshot keeps the stage, and the events of it")
  func snapshot() throws {
    let details = SessionDetails(
      id: "algebra", title: "Algebra", description: "", instructor: "", kind: .video, host: "emmy",
      scheduledAt: Timestamp(milliseconds: 0), timeZone: "UTC", durationMinutes: 60, capacity: nil, admission: .open,
      visibility: .listed, allowsGuests: true, roomName: "r", createdAt: Timestamp(milliseconds: 0))
    var classroom = try #require(Classroom(Classroom.creation(details, epoch: "e1", by: "emmy")))
    let (host, ada) = (Actor(user: "emmy", name: "E", role: .host), Actor(user: "ada", name: "A", role: .participant))
    let now = Timestamp(milliseconds: 1000)
    _ = try classroom.handle(.start, by: host, at: now)
    _ = try classroom.handle(.join, by: ada, at: now)
    _ = try classroom.handle(.setStage(StageChange(mode: .invited, places: 3)), by: host, at: now)
    _ = try classroom.handle(.inviteToStage(user: "ada"), by: host, at: now)
    _ = try classroom.handle(.removeFromStage(user: "ada"), by: host, at: now)
    _ = try classroom.handle(.inviteToStage(user: "ada"), by: host, at: now)

    var restored: Classroom?
    var entries: [(RecordKind, [UInt8])] = []
    SnapshotCodec.encode(classroom) { entries.append(($0, $1)) }
    for (kind, bytes) in entries {
      var reader = JSONReader()
      try reader.read(bytes) { view in
        try? SnapshotCodec.decode(
          view, kind: kind.rawValue, session: "algebra", sequence: classroom.sequence, into: &restored)
      }
    }
    #expect(restored == classroom)
    #expect(restored?.conduct.stage == Stage(mode: .invited, places: 3, invited: ["ada"]))
  }

  @Test("who is erased is on the stage under the pseudonym")
  func erasure() throws {
    var stage = Stage(mode: .open, places: nil, invited: ["ada", "bob"])
    stage = Self.erased(stage)
    #expect(stage.invited == ["erased-1", "bob"])
  }

  private static func erased(_ stage: Stage) -> Stage {
    let details = SessionDetails(
      id: "algebra", title: "Algebra", description: "", instructor: "", kind: .video, host: "emmy",
      scheduledAt: Timestamp(milliseconds: 0), timeZone: "UTC", durationMinutes: 60, capacity: nil, admission: .open,
      visibility: .listed, allowsGuests: true, roomName: "r", createdAt: Timestamp(milliseconds: 0))
    guard var classroom = Classroom(Classroom.creation(details, epoch: "e1", by: "emmy")) else { return stage }
    classroom.restore(stage)
    _ = classroom.erase("ada", as: "erased-1", at: Timestamp(milliseconds: 9))
    return classroom.conduct.stage
  }
}
