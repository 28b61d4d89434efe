import Classroom
import JSON

// What people are told of those who wait, and of sessions that come up or go.
extension ServerMessage {
  /// How many people wait who may come in, and when they are few, who.
  public static func waitingCount(
    _ count: Int, people: [Lobby.Waiter]? = nil, session: String, at time: Timestamp, into writer: inout JSONWriter
  ) {
    beginEvent("waiting.count", at: time, into: &writer)
    writer.field("session", session)
    writeFellows(people, count: count, into: &writer)
    writer.endObject()
  }

  /// `count` and, when they are known, `people` with names alone, as fields of an open object.
  public static func writeFellows(_ people: [Lobby.Waiter]?, count: Int, into writer: inout JSONWriter) {
    writer.field("count", count)
    guard let people else { return }
    writer.array("people") { writer in
      for person in people {
        writer.object { writer in
          writer.field("user", person.user)
          writer.field("name", person.name)
        }
      }
    }
  }

  /// Who waits, for those who lead the class.
  public static func waitingState(
    _ lobby: Lobby, session: String, at time: Timestamp, into writer: inout JSONWriter
  ) {
    beginEvent("waiting.state", at: time, into: &writer)
    writer.field("session", session)
    writeWaiters(of: lobby, into: &writer)
    writer.endObject()
  }

  /// `count` and `people`, those who have waited longest, as fields of an open object.
  public static func writeWaiters(of lobby: Lobby, into writer: inout JSONWriter) {
    writer.field("count", lobby.count)
    writer.array("people") { writer in
      for person in lobby.waiting.prefix(ProtocolLimits.waitingPage) {
        writer.object { writer in
          writer.field("user", person.user)
          writer.field("name", person.name)
          writer.field("role", person.role.rawValue)
          writer.field("since", RFC3339.format(person.since))
          writer.field("approved", person.isApproved)
        }
      }
    }
  }

  /// Somebody on the list of a session, for those who lead the class.
  public static func writeRegistration(_ entry: Roster.Entry, into writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("user", entry.user)
      writer.field("name", entry.name)
      writer.field("email", entry.email)
      writer.field("state", entry.state.rawValue)
      writer.field("at", RFC3339.format(entry.at))
    }
  }

  /// A host has turned the reader away.
  public static func waitingDenied(session: String, at time: Timestamp, into writer: inout JSONWriter) {
    beginEvent("waiting.denied", at: time, into: &writer)
    writer.field("session", session)
    writer.endObject()
  }

  /// The reader, who read what was said, cannot come in to a session that goes on.
  public static func sessionDismissed(
    _ session: String, for refusal: Refusal, at time: Timestamp, into writer: inout JSONWriter
  ) {
    beginEvent("session.dismissed", at: time, into: &writer)
    writer.field("session", session)
    writer.field("code", ProtocolError(refusal).code.rawValue)
    writer.endObject()
  }

  /// The session does not exist any more for the reader.
  public static func sessionDeleted(_ session: String, at time: Timestamp, into writer: inout JSONWriter) {
    beginEvent("session.deleted", at: time, into: &writer)
    writer.field("session", session)
    writer.endObject()
  }

  /// So many minutes are left until the start.
  public static func reminder(
    minutes: Int, of view: SessionView, at time: Timestamp, into writer: inout JSONWriter
  ) {
    beginEvent("session.reminder", at: time, into: &writer)
    writer.field("session", view.details.id)
    writer.field("title", view.details.title)
    writer.field("minutes", minutes)
    writer.field("scheduled_at", RFC3339.format(view.details.scheduledAt))
    writer.endObject()
  }

  /// The host says that the class begins now.
  public static func starting(
    text: String?, session: String, by user: String?, sequence: UInt64?, at time: Timestamp,
    into writer: inout JSONWriter
  ) {
    beginEvent("session.starting", sequence: sequence, at: time, into: &writer)
    writer.field("session", session)
    writer.field("by", user)
    writer.field("text", text)
    writer.endObject()
  }

  /// A session as the list shows it, with how many people are in, and ever were.
  public static func writeListed(_ view: SessionView, into writer: inout JSONWriter) {
    writeSession(view, includingRoomName: false, hasCounts: true, into: &writer)
  }

  /// The session's fields have changed.
  public static func updated(
    _ view: SessionView, by user: String?, sequence: UInt64?, at time: Timestamp, into writer: inout JSONWriter
  ) {
    beginEvent("session.updated", sequence: sequence, at: time, into: &writer)
    writer.field("by", user)
    writer.key("session")
    writeSession(view, includingRoomName: false, into: &writer)
    writer.endObject()
  }
}
