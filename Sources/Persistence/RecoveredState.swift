import Classroom
import JSON

#if PLANTED_BUGS
  import PlantedBugs
#endif

/// Makes classrooms of what the data folder holds.
public struct RecoveredState<S: Storage>: RecoveryConsumer {
  /// What is known of one session.
  ///
  /// Slots are changed where they are: taking a classroom out, even to ask it something, copies its parts.
  private struct Slot: Sendable {
    var classroom: Classroom?
    /// The number of the last event in the classroom, or in the history file when there is no classroom.
    var sequence: UInt64 = 0
    /// What the snapshot says, when the session is in the history and nothing happened since.
    var archived: ArchivedSession?
    /// Whether it was deleted: its id may be given again.
    var isDeleted = false
  }

  private let history: HistoryStore<S>?
  private let wanted: Set<String>?
  private var decoder = RecordDecoder()
  private var slots: [Slot] = []
  private var slotNumbers: [String: Int] = [:]
  /// Sessions to which something happened after they were put into history files that are no longer there, as happens when
  /// their time is over and a snapshot from before that has to be used.
  public private(set) var missing: Set<String> = []
  /// The last time that anything on disk knows of.
  public private(set) var lastTime = Timestamp(milliseconds: 0)
  /// When the server was last known to be alive.
  public private(set) var lastAlive = Timestamp(milliseconds: 0)
  /// Whether the last run said good-bye: then ``lastAlive`` is exact.
  public private(set) var endedCleanly = false

  /// Begins with nothing.
  /// - Parameters:
  ///   - history: where sessions are read from to which something happened after they were put there.
  ///   - wanted: the sessions to keep; nil for all.
  public init(history: HistoryStore<S>? = nil, wanted: Set<String>? = nil) {
    self.history = history
    self.wanted = wanted
  }

  /// By session.
  public var classrooms: [String: Classroom] {
    slots.reduce(into: [:]) { all, slot in
      if let classroom = slot.classroom { all[classroom.id] = classroom }
    }
  }

  /// The sessions that rest in their history files, by id; none of them is in ``classrooms``.
  public var archived: [String: ArchivedSession] {
    slots.reduce(into: [:]) { all, slot in
      if let session = slot.archived { all[session.id] = session }
    }
  }

  public mutating func restore(_ entry: RecordHeader, payload: RawSpan) throws(PayloadError) {
    guard isWanted(entry) else { return }
    let decoder = decoder
    try decoder.read(payload) { view throws(PayloadError) in
      do throws(UnreadableRecord) {
        switch entry.kind {
        case RecordKind.alive.rawValue:
          note(RecordDecoder.alive(view))
        case ArchiveCodec.kind:
          let number = slotNumber(of: entry.session)
          slots[number].archived = ArchivedSession(
            view: try ArchiveCodec.decode(view, session: entry.session, sequence: entry.sequence),
            sequence: entry.sequence)
          slots[number].sequence = entry.sequence
        default:
          let number = slotNumber(of: entry.session)
          slots[number].sequence = entry.sequence
          try SnapshotCodec.decode(
            view, kind: entry.kind, session: entry.session, sequence: entry.sequence,
            into: &slots[number].classroom)
          if slots[number].classroom?.isDeleted == true {
            slots[number].classroom = nil
            slots[number].isDeleted = true
          }
        }
      } catch {
        throw PayloadError("field \(error.field)")
      }
    }
  }

  public mutating func replay(_ record: RecordHeader, payload: RawSpan) throws(PayloadError) {
    guard isWanted(record) else { return }
    try replay(decoder.decode(record, payload: payload))
  }

  /// Does again what a record says.
  mutating func replay(_ record: DecodedRecord) throws(PayloadError) {
    switch record {
    case .alive(let alive): note(alive)
    case .event(let event):
      lastTime = max(lastTime, event.at)
      lastAlive = max(lastAlive, event.at)
      endedCleanly = false
      try apply(event)
    }
  }

  private mutating func apply(_ event: RecordedEvent) throws(PayloadError) {
    let number = slotNumber(of: event.session)
    // A room's part of a snapshot may be newer than the snapshot: what it includes is not done twice.
    #if PLANTED_BUGS
      let isIncluded = !PlantedBugs.isActive(.replayOverlaps) && event.sequence <= slots[number].sequence
    #else
      let isIncluded = event.sequence <= slots[number].sequence
    #endif
    if isIncluded, !(slots[number].isDeleted && event.sequence == 1) { return }
    if slots[number].archived != nil {
      guard try load(event.session, number) else { return }
      // The history file may be newer than what the snapshot says of the session.
      if event.sequence <= slots[number].sequence { return }
    }
    if slots[number].isDeleted, event.sequence == 1, case .created = event.event { slots[number] = Slot() }
    guard event.sequence == slots[number].sequence + 1 else {
      throw PayloadError("event \(event.sequence) does not follow in its session")
    }
    if event.sequence == 1 {
      guard let classroom = Classroom(event) else { throw PayloadError("the session does not begin with its creation") }
      slots[number].classroom = classroom
    } else {
      if case .created = event.event { throw PayloadError("session created twice") }
      slots[number].classroom?.apply(event)
    }
    slots[number].sequence = event.sequence
    if slots[number].classroom?.isDeleted == true {
      slots[number] = Slot(sequence: event.sequence, isDeleted: true)
    }
  }

  /// Something happened to a session after it was put into its history file: it is in use again.
  /// - Returns: whether the file is there.
  private mutating func load(_ session: String, _ number: Int) throws(PayloadError) -> Bool {
    guard let history, !missing.contains(session) else { return false }
    do throws(HistoryError) {
      let classroom = try history.read(session)
      slots[number] = Slot(classroom: classroom, sequence: classroom.sequence)
      return true
    } catch .missing {
      missing.insert(session)
      return false
    } catch {
      throw PayloadError("\(error)")
    }
  }

  private mutating func slotNumber(of session: String) -> Int {
    if let number = slotNumbers[session] { return number }
    slotNumbers[session] = slots.count
    slots.append(Slot())
    return slots.count - 1
  }

  private func isWanted(_ record: RecordHeader) -> Bool {
    guard let wanted else { return true }
    return wanted.contains(record.session) || record.kind == RecordKind.alive.rawValue
  }

  private mutating func note(_ alive: DecodedRecord.Alive?) {
    guard let alive else { return }
    lastTime = max(lastTime, alive.at)
    lastAlive = max(lastAlive, alive.at)
    endedCleanly = alive.isGoodbye
  }

  /// Gives every session in ``classrooms`` a new epoch, so that nobody goes on with numbers that may be given again.
  /// - Parameter makeEpoch: makes one that was never used.
  /// - Returns: the records of it, to be journaled before anything is shown.
  public mutating func changeEpochs(at now: Timestamp, makeEpoch: () -> String) -> [PendingRecord] {
    var records: [PendingRecord] = []
    var writer = JSONWriter(reserving: 64)
    for (session, number) in slotNumbers.sorted(by: { $0.key < $1.key }) where slots[number].classroom != nil {
      let event = RecordedEvent(
        session: session, sequence: slots[number].sequence + 1, at: now, by: nil, keyUse: nil,
        event: .epochChanged(makeEpoch()))
      slots[number].classroom?.apply(event)
      slots[number].sequence = event.sequence
      writer.removeAll()
      let kind = EventCodec.encode(event, into: &writer)
      records.append(
        PendingRecord(session: session, sequence: event.sequence, kind: kind.rawValue, payload: writer.bytes))
    }
    return records
  }
}

/// The record that says that the server lives.
public enum AliveRecord {
  /// A record of this time, which with `isGoodbye` says that the server ends and that everybody has been told.
  public static func make(at now: Timestamp, isGoodbye: Bool) -> PendingRecord {
    var writer = JSONWriter(reserving: 48)
    writer.beginObject()
    writer.field("at", now.milliseconds)
    if isGoodbye { writer.field("clean", true) }
    writer.endObject()
    return PendingRecord(session: "", sequence: 0, kind: RecordKind.alive.rawValue, payload: writer.bytes)
  }
}
