import Classroom
import EventLoop
import JSON
import Persistence

/// usage: make-folder FOLDER SESSIONS PARTICIPANTS RECORDS
///
/// Writes a data folder as a server leaves it that was killed in the middle of live classes: the participants, in all
/// sessions together, are in, each record beyond is a chat message with a key. No snapshot covers any of it, so a start has
/// to read all.
@main
enum FolderGenerator {
  static func main() throws {
    let numbers = CommandLine.arguments.dropFirst(2).compactMap { Int($0) }
    guard CommandLine.arguments.count == 5, numbers.count == 3, numbers.allSatisfy({ $0 > 0 }) else {
      print("usage: make-folder FOLDER SESSIONS PARTICIPANTS RECORDS")
      throw WrongArguments()
    }
    let folder = try DataFolder(path: CommandLine.arguments[1])
    var state = RecoveredState<FileStorage>()
    var random = SystemRandomNumberGenerator()
    let journal = try Recovery.open(
      folder.storage, segmentID: SegmentID(using: &random), now: WallClock.milliseconds(),
      clock: { UInt64(MonotonicClock.nanoseconds()) }, into: &state)
    var generated = GeneratedFolder(folder, journal.takeWriter(), recordCount: numbers[2])
    try generated.fill(sessions: numbers[0], participants: numbers[1])
    print("\(generated.written) records, \(generated.textBytes) bytes of text")
  }

  private struct WrongArguments: Error {}
}

private struct GeneratedFolder: ~Copyable {
  private let folder: DataFolder
  private var writer: JournalWriter<FileStorage>
  private var batch: [PendingRecord] = []
  private var json = JSONWriter(reserving: 512)
  private let recordCount: Int
  private(set) var written = 0
  private(set) var textBytes = 0
  private let began = Timestamp(milliseconds: WallClock.milliseconds() - 3_600_000)

  init(_ folder: DataFolder, _ writer: consuming JournalWriter<FileStorage>, recordCount: Int) {
    self.folder = folder
    self.writer = writer
    self.recordCount = recordCount
  }

  mutating func fill(sessions: Int, participants: Int) throws {
    var rooms: [Classroom] = []
    for number in 1...sessions { rooms.append(try makeRoom(number)) }
    for person in 0..<participants {
      try perform(.join, by: Self.person(person, role: .participant), key: nil, in: &rooms[person % sessions])
    }
    var message = 0
    while written < recordCount {
      let person = message % participants
      let text = "Message \(message): as long as what people say in a class, which is a short sentence."
      textBytes += text.utf8.count
      // Each person has the newest 256 keys remembered, like everybody who chats.
      try perform(
        .sendChat(text: text), by: Self.person(person, role: .participant), key: "k\(message)",
        in: &rooms[person % sessions])
      message += 1
    }
    try flush()
  }

  private static func person(_ number: Int, role: Role) -> Actor {
    Actor(user: "user-\(number)", name: "Attendee \(number)", role: role)
  }

  private mutating func makeRoom(_ number: Int) throws -> Classroom {
    let id = "bench-\(number)"
    let details = SessionDetails(
      id: id, title: "Bench \(number)", description: "", instructor: "", kind: .video, host: "host-\(number)",
      scheduledAt: began, timeZone: "UTC", durationMinutes: 60, capacity: nil, admission: .open, visibility: .listed,
      allowsGuests: false, roomName: "room-\(number)", createdAt: began)
    let creation = Classroom.creation(details, epoch: "e-\(number)", by: details.host)
    guard var room = Classroom(creation) else { preconditionFailure("a creation makes a classroom") }
    try record(creation)
    try perform(.start, by: Actor(user: details.host, name: "Host", role: .host), key: nil, in: &room)
    return room
  }

  private mutating func perform(_ command: Command, by actor: Actor, key: String?, in room: inout Classroom) throws {
    // A millisecond for each, so that an hour has more than three million.
    let now = began.advanced(byMilliseconds: Int64(written))
    for event in try room.handle(command, by: actor, key: key, at: now).events { try record(event) }
  }

  private mutating func record(_ event: RecordedEvent) throws {
    json.removeAll()
    let kind = EventCodec.encode(event, into: &json)
    batch.append(
      PendingRecord(session: event.session, sequence: event.sequence, kind: kind.rawValue, payload: json.bytes))
    written += 1
    if batch.count == 4096 { try flush() }
  }

  private mutating func flush() throws {
    guard !batch.isEmpty else { return }
    _ = try writer.append(batch)
    batch.removeAll(keepingCapacity: true)
  }
}
