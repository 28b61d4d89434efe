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
    writer.object { writer in
      write(view, into: &writer)
      if !view.roster.members.isEmpty { writer.strings("members", view.roster.members) }
      if !view.attendees.isEmpty { writer.strings("attendees", view.attendees) }
      NoticeCodec.write(view.notices, into: &writer)
    }
    return writer.bytes
  }

  /// The session itself as members of an object.
  static func write(_ view: SessionView, into writer: inout JSONWriter) {
    writer.field("status", view.status.rawValue)
    writer.field("rev", view.revision)
    if let time = view.startedAt { writer.field("started_at", time.milliseconds) }
    if let time = view.endedAt { writer.field("ended_at", time.milliseconds) }
    if let user = view.startedBy { writer.field("started_by", user) }
    if let reason = view.reason { writer.field("reason", reason) }
    if view.isHidden { writer.field("hidden", true) }
    DetailsCodec.encode(view.details, into: &writer)
  }

  static func decode(
    _ payload: JSONView, session: String, sequence: UInt64
  ) throws(UnreadableRecord) -> SessionView {
    let fields = RecordFields(payload, session: session, sequence: sequence, kind: kind)
    var view = try read(fields)
    view.roster = Roster(members: fields.has("members") ? try fields.strings("members") : [])
    view.attendees = fields.has("attendees") ? try fields.strings("attendees") : []
    view.joinedCount = view.attendees.count
    try NoticeCodec.read(fields, into: &view.notices)
    return view
  }

  static func read(_ fields: RecordFields) throws(UnreadableRecord) -> SessionView {
    var view = SessionView(
      details: try DetailsCodec.decode(fields), status: try fields.choice("status"),
      revision: Int(try fields.integer("rev")), startedAt: fields.optionalTimestamp("started_at"),
      endedAt: fields.optionalTimestamp("ended_at"), startedBy: fields.optionalString("started_by"))
    view.reason = try fields.givenString("reason")
    view.isHidden = fields.optionalBoolean("hidden") ?? false
    return view
  }
}
