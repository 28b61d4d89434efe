import Classroom
import JSON
import Testing

@testable import Persistence

@Suite("Sessions in the history")
struct HistoryTests {
  private let now = Timestamp(milliseconds: 1_767_225_600_000)
  private let host = Actor(user: "host", name: "Host", role: .host)

  /// A session that is over, in which so many messages were said.
  private func completed(_ id: String, messages: Int = 3) throws -> (classroom: Classroom, events: [RecordedEvent]) {
    let details = try SessionDraft(title: "T").validated(id: id, roomName: "r", host: "host", at: now)
    let creation = Classroom.creation(details, epoch: "e", by: "host")
    var room = try #require(Classroom(creation))
    var events = [creation] + (try room.handle(.start, by: host, at: now)).events
    for number in 0..<messages {
      events += try room.handle(.sendChat(text: "\(number)"), by: host, key: "k\(number)", at: now).events
    }
    events += try room.handle(.end, by: host, at: now).events
    return (room, events)
  }

  private func erasure(of room: Classroom) -> RecordedEvent {
    RecordedEvent(
      session: room.id, sequence: room.sequence + 1, at: now, by: nil, keyUse: nil,
      event: .erased(user: "host", pseudonym: "nobody"))
  }

  private func records(_ events: [RecordedEvent]) -> [PendingRecord] {
    events.map { event in
      var writer = JSONWriter(reserving: 128)
      let kind = EventCodec.encode(event, into: &writer)
      return PendingRecord(
        session: event.session, sequence: event.sequence, kind: kind.rawValue, payload: writer.bytes)
    }
  }

  @Test("a session comes back as it was, whatever its id looks like")
  func roundTrip() throws {
    let storage = VirtualStorage()
    let store = HistoryStore(storage)
    let ids = ["a", "-", "_", "A-b_9", "lock", "CON", String(repeating: "z", count: 64)]
    for (count, id) in ids.enumerated() { try store.write(completed(id, messages: count).classroom, at: now) }
    #expect(try store.sessions() == ids.sorted())
    for (count, id) in ids.enumerated() {
      #expect(try store.read(id) == completed(id, messages: count).classroom)
      try store.verify(id)
    }
    try store.remove("lock")
    try store.remove("lock")
    #expect(throws: HistoryError.missing(session: "lock")) { try store.read("lock") }
  }

  @Test("no file outside the folder can be named", arguments: ["", "..", "a/b", "../x", "a.b", "é"])
  func badIds(id: String) {
    let store = HistoryStore(VirtualStorage())
    #expect(throws: HistoryError.badSession) { try store.read(id) }
    #expect(throws: HistoryError.badSession) { try store.remove(id) }
  }

  @Test("each flipped bit is noticed")
  func damage() throws {
    let storage = VirtualStorage()
    try HistoryStore(storage).write(completed("a").classroom, at: now)
    let bytes = try #require(storage.files["a.rch"])
    for index in bytes.indices {
      var damaged = bytes
      damaged[index] ^= 1
      let store = HistoryStore(VirtualStorage(["a.rch": damaged]))
      #expect(throws: HistoryError.self, "byte \(index)") { try store.read("a") }
    }
    #expect(throws: HistoryError.self) { try HistoryStore(VirtualStorage(["b.rch": bytes])).read("b") }
  }

  @Test("a crash at every operation leaves the old file or the new one")
  func crashes() throws {
    let old = try completed("a", messages: 1).classroom
    let new = try completed("a", messages: 2).classroom
    for stop in 0..<20 {
      let storage = VirtualStorage()
      let store = HistoryStore(storage)
      try store.write(old, at: now)
      storage.stopsAt = storage.operations + stop
      let isWritten = (try? store.write(new, at: now)) != nil
      var generator = SeededGenerator(UInt64(stop))
      for disk in [storage.afterKill()] + (0..<5).map({ _ in storage.afterPowerLoss(using: &generator) }) {
        let after = HistoryStore(disk)
        try after.removeLeftovers()
        let found = try after.read("a")
        #expect(found == new || found == old && !isWritten, "stop \(stop)")
        #expect(disk.files.keys.sorted() == ["a.rch"])
      }
      if !storage.hasStopped { break }
    }
  }

  @Test("a full disk leaves what was there and nothing half")
  func fullDisk() throws {
    let storage = VirtualStorage()
    let store = HistoryStore(storage)
    try store.write(completed("a").classroom, at: now)
    storage.capacity = storage.files.values.reduce(0) { $0 + $1.count } + 100
    #expect(throws: HistoryError.self) { try store.write(completed("b", messages: 50).classroom, at: now) }
    #expect(storage.files.keys.sorted() == ["a.rch"])
  }

  /// A folder whose snapshot knows of the session only that it is in the history, with these events after it.
  private func folder(_ room: Classroom, _ before: [RecordedEvent], _ after: [RecordedEvent]) throws -> VirtualStorage {
    let storage = VirtualStorage()
    var collector = Collector()
    var writer = try open(storage, into: &collector).takeWriter()
    let lsn = try writer.append(records(before)).upperBound
    var job = try SnapshotJob(storage, coveredLSN: lsn, at: now)
    try job.add(.archived(ArchivedSession(view: room.archiveView, sequence: room.sequence)))
    _ = try job.finish()
    if !after.isEmpty { _ = try writer.append(records(after)) }
    return storage
  }

  private func recovered(_ storage: VirtualStorage, _ history: VirtualStorage) throws -> RecoveredState<VirtualStorage>
  {
    var state = RecoveredState(history: HistoryStore(history))
    _ = try Recovery.open(storage, segmentID: SegmentID(1, 2), now: 0, clock: { 0 }, into: &state)
    return state
  }

  @Test("a start knows an archived session without reading its file")
  func stub() throws {
    let (room, events) = try completed("a")
    let state = try recovered(folder(room, events, []), VirtualStorage())
    #expect(state.classrooms.isEmpty)
    #expect(state.archived == ["a": ArchivedSession(view: room.archiveView, sequence: room.sequence)])
  }

  @Test("what happened to an archived session later is done to what its file has, once")
  func replay() throws {
    let (room, events) = try completed("a")
    let erased = erasure(of: room)
    var after = room
    after.apply(erased)
    for inFile in [room, after] {
      let history = VirtualStorage()
      try HistoryStore(history).write(inFile, at: now)
      let state = try recovered(folder(room, events, [erased]), history)
      #expect(state.classrooms == ["a": after] && state.archived.isEmpty)
    }
  }

  @Test("a session whose file has gone with its time does not keep the server from starting")
  func missingFile() throws {
    let (room, events) = try completed("a")
    let state = try recovered(folder(room, events, [erasure(of: room)]), VirtualStorage())
    #expect(state.classrooms.isEmpty && state.missing == ["a"] && state.archived.keys.sorted() == ["a"])
  }

  @Test("a damaged file that is needed keeps the server from starting, and is named")
  func damagedFile() throws {
    let (room, events) = try completed("a")
    let history = VirtualStorage(["a.rch": [1, 2, 3]])
    let error = #expect(throws: RecoveryError.self) {
      try recovered(folder(room, events, [erasure(of: room)]), history)
    }
    #expect("\(error.map { "\($0)" } ?? "")".contains("a.rch"))
  }

  @Test("an archived session is read back from its file after a failure")
  func readBack() throws {
    let (room, events) = try completed("a")
    let history = VirtualStorage()
    try HistoryStore(history).write(room, at: now)
    let storage = try folder(room, events, [])
    let found = try Recovery.readBack(["a", "unknown"], from: storage, history: HistoryStore(history))
    #expect(found == ["a": room])
  }
}
