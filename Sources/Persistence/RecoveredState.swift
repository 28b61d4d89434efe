import Classroom
import JSON

#if PLANTED_BUGS
  import PlantedBugs
#endif

/// Makes classrooms of what the data folder holds.
public struct RecoveredState<S: Storage>: RecoveryConsumer {
  /// Record payloads are at most this deep.
  private static var maximumDepth: Int { 8 }

  private let history: HistoryStore<S>?
  private let wanted: Set<String>?
  private var reader = ReaderBox()
  /// By session.
  public private(set) var classrooms: [String: Classroom] = [:]
  /// The sessions that rest in their history files, by id; none of them is in ``classrooms``.
  public private(set) var archived: [String: ArchivedSession] = [:]
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

  public mutating func restore(_ entry: RecordHeader, payload: RawSpan) throws(PayloadError) {
    guard isWanted(entry) else { return }
    let reader = reader
    try reader.read(payload, Self.maximumDepth) { view throws(PayloadError) in
      do throws(UnreadableRecord) {
        switch entry.kind {
        case RecordKind.alive.rawValue:
          noteAlive(view)
        case ArchiveCodec.kind:
          archived[entry.session] = ArchivedSession(
            view: try ArchiveCodec.decode(view, session: entry.session, sequence: entry.sequence),
            sequence: entry.sequence)
        default:
          try SnapshotCodec.decode(
            view, kind: entry.kind, session: entry.session, sequence: entry.sequence, into: &classrooms[entry.session])
        }
      } catch {
        throw PayloadError("field \(error.field)")
      }
    }
  }

  public mutating func replay(_ record: RecordHeader, payload: RawSpan) throws(PayloadError) {
    guard isWanted(record) else { return }
    let reader = reader
    try reader.read(payload, Self.maximumDepth) { view throws(PayloadError) in
      if record.kind == RecordKind.alive.rawValue {
        noteAlive(view)
        return
      }
      let event: RecordedEvent
      do throws(UnreadableRecord) {
        event = try EventCodec.decode(view, kind: record.kind, session: record.session, sequence: record.sequence)
      } catch {
        throw PayloadError("field \(error.field)")
      }
      note(event.at)
      lastAlive = max(lastAlive, event.at)
      endedCleanly = false
      // A room's part of a snapshot may be newer than the snapshot: what it includes is not done twice.
      #if PLANTED_BUGS
        if PlantedBugs.isActive(.replayOverlaps) {
          try apply(event)
          return
        }
      #endif
      if let sequence = classrooms[record.session]?.sequence ?? archived[record.session]?.sequence,
        record.sequence <= sequence
      {
        return
      }
      try load(record.session)
      if missing.contains(record.session) { return }
      try apply(event)
    }
  }

  /// Something happened to a session after it was put into its history file: it is in use again.
  private mutating func load(_ session: String) throws(PayloadError) {
    guard archived[session] != nil, !missing.contains(session), let history else { return }
    do throws(HistoryError) {
      classrooms[session] = try history.read(session)
    } catch .missing {
      missing.insert(session)
      return
    } catch {
      throw PayloadError("\(error)")
    }
    archived[session] = nil
  }

  /// Gives every session in ``classrooms`` a new epoch, so that nobody goes on with numbers that may be given again.
  /// - Parameter makeEpoch: makes one that was never used.
  /// - Returns: the records of it, to be journaled before anything is shown.
  public mutating func changeEpochs(at now: Timestamp, makeEpoch: () -> String) -> [PendingRecord] {
    var records: [PendingRecord] = []
    var writer = JSONWriter(reserving: 64)
    for session in classrooms.keys.sorted() {
      guard let sequence = classrooms[session]?.sequence else { continue }
      let event = RecordedEvent(
        session: session, sequence: sequence + 1, at: now, by: nil, keyUse: nil, event: .epochChanged(makeEpoch()))
      classrooms[session]?.apply(event)
      writer.removeAll()
      let kind = EventCodec.encode(event, into: &writer)
      records.append(
        PendingRecord(session: session, sequence: event.sequence, kind: kind.rawValue, payload: writer.bytes))
    }
    return records
  }

  private mutating func apply(_ event: RecordedEvent) throws(PayloadError) {
    if case .created = event.event {
      guard classrooms[event.session] == nil, event.sequence == 1 else { throw PayloadError("session created twice") }
      classrooms[event.session] = Classroom(event)
      return
    }
    guard let sequence = classrooms[event.session]?.sequence else {
      throw PayloadError("event \(event.sequence) belongs to no session")
    }
    // The history file may be newer than what the snapshot says of the session.
    if event.sequence <= sequence { return }
    guard event.sequence == sequence + 1 else {
      throw PayloadError("event \(event.sequence) does not follow in its session")
    }
    classrooms[event.session]?.apply(event)
  }

  private func isWanted(_ record: RecordHeader) -> Bool {
    guard let wanted else { return true }
    return wanted.contains(record.session) || record.kind == RecordKind.alive.rawValue
  }

  private mutating func noteAlive(_ view: JSONView) {
    guard let milliseconds = view["at"]?.integer else { return }
    let time = Timestamp(milliseconds: milliseconds)
    note(time)
    lastAlive = max(lastAlive, time)
    endedCleanly = view["clean"]?.boolean ?? false
  }

  private mutating func note(_ time: Timestamp) { lastTime = max(lastTime, time) }
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

/// A JSON reader that outlives single records, so that its memory is allocated once.
private final class ReaderBox {
  private var reader = JSONReader()

  func read(
    _ payload: RawSpan, _ maximumDepth: Int, _ body: (JSONView) throws(PayloadError) -> Void
  ) throws(PayloadError) {
    try payload.withUnsafeBytes { bytes throws(PayloadError) in
      let view: JSONView
      do throws(JSONError) {
        view = try reader.read(bytes, maximumDepth: maximumDepth)
      } catch {
        throw PayloadError("not JSON")
      }
      try body(view)
    }
  }
}
