import Classroom
import JSON

/// Notices, and who has read them, as fields of records and of entries of a snapshot.
enum NoticeCodec {
  /// The readers that share an entry.
  private static let readersPerEntry = 256

  /// Writes the notices of a session as entries of a snapshot; none when there are none.
  static func encode(_ notices: Notices, entry: (RecordKind, (inout JSONWriter) -> Void) -> Void) {
    guard !notices.isEmpty else { return }
    entry(.snapshotNotices) { writeList(of: notices, into: &$0) }
    let reads = notices.allReads
    var start = 0
    while start < reads.count {
      let chunk = reads[start..<min(start + readersPerEntry, reads.count)]
      entry(.snapshotNotices) { write(chunk, into: &$0) }
      start += readersPerEntry
    }
  }

  /// Writes all of it into an open object.
  static func write(_ notices: Notices, into writer: inout JSONWriter) {
    guard !notices.isEmpty else { return }
    writeList(of: notices, into: &writer)
    write(notices.allReads[...], into: &writer)
  }

  private static func writeList(of notices: Notices, into writer: inout JSONWriter) {
    writer.array("notices") { writer in
      for notice in notices.list { writer.object { write(notice, into: &$0) } }
    }
  }

  private static func write(_ reads: ArraySlice<(user: String, numbers: [UInt64])>, into writer: inout JSONWriter) {
    writer.array("notices_read") { writer in
      for read in reads {
        writer.object { writer in
          writer.field("user", read.user)
          write(read.numbers, into: &writer)
        }
      }
    }
  }

  private static func write(_ notice: Notice, into writer: inout JSONWriter) {
    writer.field("number", notice.number)
    writer.field("kind", notice.kind.rawValue)
    writer.field("at", notice.at.milliseconds)
    if let by = notice.by { writer.field("by", by) }
    switch notice.audience {
    case .everybody: break
    case .host: writer.field("to", "host")
    case .user(let user): writer.field("user", user)
    }
    if let reason = notice.reason { writer.field("reason", reason) }
    if let minutes = notice.minutes { writer.field("minutes", minutes) }
  }

  /// Writes the numbers of notices as a field of an open object.
  static func write(_ numbers: [UInt64], into writer: inout JSONWriter) {
    writer.array("numbers") { writer in
      for number in numbers { writer.integer(number) }
    }
  }

  /// Reads what ``write(_:into:)`` or an entry of a snapshot has of notices.
  static func read(_ fields: RecordFields, into notices: inout Notices) throws(UnreadableRecord) {
    if fields.has("notices") {
      for notice in try fields.elements("notices", notice) { notices.restore(notice) }
    }
    guard fields.has("notices_read") else { return }
    let reads = try fields.elements("notices_read") { read throws(UnreadableRecord) in
      (user: try read.string("user"), numbers: try numbers(read))
    }
    for read in reads { notices.restore(read: read.numbers, by: read.user) }
  }

  /// The numbers of notices.
  static func numbers(_ fields: RecordFields) throws(UnreadableRecord) -> [UInt64] {
    var numbers: [UInt64] = []
    for number in try fields.integers("numbers") {
      guard let number = UInt64(exactly: number) else { throw fields.unreadable("numbers") }
      numbers.append(number)
    }
    return numbers
  }

  private static func notice(_ fields: RecordFields) throws(UnreadableRecord) -> Notice {
    let audience: Notice.Audience =
      if let user = fields.optionalString("user") { .user(user) } else { fields.has("to") ? .host : .everybody }
    return Notice(
      number: try fields.sequence("number"), kind: try fields.choice("kind"), at: try fields.timestamp("at"),
      by: fields.optionalString("by"), audience: audience, reason: fields.optionalString("reason"),
      minutes: fields.optionalInteger("minutes").flatMap(Int.init(exactly:)))
  }
}
