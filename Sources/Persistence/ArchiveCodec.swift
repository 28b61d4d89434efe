import Classroom
import JSON

/// What a snapshot keeps of a session that is over and rests in its history file.
public struct ArchivedSession: Sendable, Equatable {
  /// The session as lists and answers show it.
  public var view: SessionView
  /// The number of the last event that the history file includes.
  public var sequence: UInt64

  /// An archived session with these facts.
  public init(view: SessionView, sequence: UInt64) {
    self.view = view
    self.sequence = sequence
  }

  public var id: String { view.details.id }
}

/// Such a session as the entry of a snapshot.
enum ArchiveCodec {
  /// The kind of the entry.
  static let kind: UInt8 = 80

  static func encode(_ view: SessionView) -> [UInt8] {
    var writer = JSONWriter(reserving: 512)
    writer.beginObject()
    writer.field("status", view.status.rawValue)
    writer.field("rev", view.revision)
    if let time = view.startedAt { writer.field("started_at", time.milliseconds) }
    if let time = view.endedAt { writer.field("ended_at", time.milliseconds) }
    if let user = view.startedBy { writer.field("started_by", user) }
    DetailsCodec.encode(view.details, into: &writer)
    writer.endObject()
    return writer.bytes
  }

  static func decode(
    _ payload: JSONView, session: String, sequence: UInt64
  ) throws(UnreadableRecord) -> SessionView {
    let fields = RecordFields(payload, session: session, sequence: sequence, kind: kind)
    return SessionView(
      details: try DetailsCodec.decode(fields), status: try fields.choice("status"),
      revision: Int(try fields.integer("rev")), startedAt: fields.optionalTimestamp("started_at"),
      endedAt: fields.optionalTimestamp("ended_at"), startedBy: fields.optionalString("started_by"))
  }
}
