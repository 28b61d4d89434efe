import Classroom
import JSON
import Persistence
import SignalingProtocol

/// Makes classrooms of what the data folder holds.
struct RecoveredState: RecoveryConsumer {
  private var reader = ReaderBox()
  /// By session.
  private(set) var classrooms: [String: Classroom] = [:]
  /// The last time that anything on disk knows of.
  private(set) var lastTime = Timestamp(milliseconds: 0)
  /// When the server was last known to be alive.
  private(set) var lastAlive = Timestamp(milliseconds: 0)
  /// Whether the last run said good-bye: then ``lastAlive`` is exact.
  private(set) var endedCleanly = false

  mutating func restore(_ entry: RecordHeader, payload: RawSpan) throws(PayloadError) {
    let reader = reader
    try reader.read(payload) { view throws(PayloadError) in
      if entry.kind == RecordKind.alive.rawValue {
        noteAlive(view)
        return
      }
      do throws(UnreadableRecord) {
        try SnapshotCodec.decode(
          view, kind: entry.kind, session: entry.session, sequence: entry.sequence, into: &classrooms[entry.session])
      } catch {
        throw PayloadError("field \(error.field)")
      }
    }
  }

  mutating func replay(_ record: RecordHeader, payload: RawSpan) throws(PayloadError) {
    let reader = reader
    try reader.read(payload) { view throws(PayloadError) in
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
      if let classroom = classrooms[record.session], record.sequence <= classroom.sequence { return }
      try apply(event)
    }
  }

  private mutating func apply(_ event: RecordedEvent) throws(PayloadError) {
    if case .created = event.event {
      guard classrooms[event.session] == nil, event.sequence == 1 else { throw PayloadError("session created twice") }
      classrooms[event.session] = Classroom(event)
      return
    }
    guard let sequence = classrooms[event.session]?.sequence, event.sequence == sequence + 1 else {
      throw PayloadError("event \(event.sequence) does not follow in its session")
    }
    classrooms[event.session]?.apply(event)
  }

  private mutating func noteAlive(_ view: JSONView) {
    guard let milliseconds = view["at"]?.integer else { return }
    let time = Timestamp(milliseconds: milliseconds)
    note(time)
    lastAlive = max(lastAlive, time)
    endedCleanly = view["clean"]?.boolean ?? false
  }

  private mutating func note(_ time: Timestamp) { lastTime = max(lastTime, time) }

  /// The record that says that the server lives.
  static func alive(at now: Timestamp, isGoodbye: Bool) -> PendingRecord {
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

  func read(_ payload: RawSpan, _ body: (JSONView) throws(PayloadError) -> Void) throws(PayloadError) {
    try payload.withUnsafeBytes { bytes throws(PayloadError) in
      let view: JSONView
      do throws(JSONError) {
        view = try reader.read(bytes, maximumDepth: ProtocolLimits.jsonDepth)
      } catch {
        throw PayloadError("not JSON")
      }
      try body(view)
    }
  }
}
