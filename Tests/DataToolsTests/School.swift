import Classroom
import JSON
import Persistence
import Testing

@testable import DataTools

/// A data folder as a server fills it, without the server.
struct School<S: Storage>: ~Copyable {
  let storage: S
  var writer: JournalWriter<S>
  var classrooms: [String: Classroom] = [:]
  /// Milliseconds after the beginning of the tests' time.
  var now: Int64 = 0
  /// The sessions that rest in history files.
  private(set) var archived: Set<String> = []
  /// All sessions as they were after each batch, by its last LSN.
  private(set) var states: [UInt64: [String: Classroom]] = [0: [:]]
  private let history: S
  private var ids: UInt64 = 1

  init(_ storage: S, history: S, durability: Durability = .strict) throws {
    self.storage = storage
    self.history = history
    try FolderFormat.ensure(storage)
    var state = RecoveredState<S>()
    writer = try Recovery.open(
      storage, segmentID: SegmentID(1, 1), now: Timestamp.after(0).milliseconds, clock: { 0 },
      mode: JournalMode(durability, boot: 1), into: &state
    ).takeWriter()
    classrooms = state.classrooms
  }

  /// Creates a session and starts it.
  mutating func open(_ session: String, title: String = "Algebra", host: String = "emmy") throws {
    let details = SessionDetails(
      id: session, title: title, description: "", instructor: "Emmy", kind: .video, host: host, scheduledAt: time,
      timeZone: "UTC", durationMinutes: 60, capacity: nil, admission: .open, visibility: .listed, allowsGuests: true,
      roomName: "room", createdAt: time)
    let event = Classroom.creation(details, epoch: "e1", by: host)
    classrooms[session] = Classroom(event)
    try append([event])
    try tell(session, .start, Actor(user: host, name: host.capitalized, role: .host))
  }

  /// Gives a command a second after the last one, and journals what follows from it.
  mutating func tell(_ session: String, _ command: Command, _ actor: Actor, key: String? = nil) throws {
    now += 1000
    let time = time
    let outcome = try classrooms[session]?.handle(command, by: actor, key: key, at: time)
    try append(outcome?.events ?? [])
  }

  mutating func say(_ session: String, _ user: String, _ text: String, key: String? = nil) throws {
    let actor = Actor(user: user, name: user.capitalized, role: .participant)
    if classrooms[session]?.attendance.isActive(user) == false { try tell(session, .join, actor) }
    try tell(session, .sendChat(text: text), actor, key: key)
  }

  private mutating func append(_ events: [RecordedEvent]) throws {
    guard !events.isEmpty else { return }
    _ = try writer.write(
      events.map { event in
        var json = JSONWriter()
        let kind = EventCodec.encode(event, into: &json)
        return PendingRecord(
          session: event.session, sequence: event.sequence, kind: kind.rawValue, payload: json.bytes)
      })
    // A relaxed one is synced later, if at all.
    if writer.durability == .strict { try writer.sync() }
    states[writer.nextLSN - 1] = classrooms
  }

  /// Puts a session into its history file; the next snapshot holds what stays of it.
  mutating func archive(_ session: String) throws {
    guard let classroom = classrooms[session] else { return }
    try HistoryStore(history).write(classroom, at: time)
    archived.insert(session)
  }

  /// Takes a snapshot of everything, as a server does: a new segment, the entries, then what is superfluous goes.
  mutating func snapshot() throws {
    ids += 1
    if writer.hasUnsynced { try writer.sync() }
    try writer.rotate(segmentID: SegmentID(ids, ids), now: time.milliseconds)
    let lsn = writer.nextLSN - 1
    var job = try SnapshotJob(storage, coveredLSN: lsn, at: time)
    for session in classrooms.keys.sorted() {
      guard let classroom = classrooms[session] else { continue }
      if archived.contains(session) {
        try job.add(.archived(ArchivedSession(view: classroom.archiveView, sequence: classroom.sequence)))
      } else {
        try job.add(.classroom(classroom))
      }
    }
    if let needless = try job.finish() { try writer.removeSegments(coveredThrough: needless) }
  }

  private var time: Timestamp { .after(now) }
}

extension Timestamp {
  /// A moment so many milliseconds after the tests' beginning, 2026-01-01T00:00:00Z.
  static func after(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: 1_767_225_600_000 + milliseconds) }
}

extension String {
  var capitalized: String { prefix(1).uppercased() + dropFirst() }
}
