import Classroom
import JSON

/// Writes the messages of the server, each a JSON object, in the order of fields that `protocol/README.md` shows.
public enum ServerMessage {
  /// What a server is and allows; the first message.
  /// - Parameters:
  ///   - graceMilliseconds: how long a peer whose connection is lost is kept.
  ///   - limits: what the server's settings allow one connection.
  public static func welcome(
    server: String, pingIntervalMilliseconds: Int64, graceMilliseconds: Int64,
    limits: AnnouncedLimits = AnnouncedLimits(), into writer: inout JSONWriter
  ) {
    writer.beginObject()
    writer.field("type", "welcome")
    writer.field("version", "rollcall.v1")
    writer.field("server", server)
    writer.key("features")
    writer.beginArray()
    writer.string("guests")
    writer.string("chat")
    writer.string("presence")
    writer.string("signal")
    writer.string("resume")
    writer.string("renewal")
    writer.string("moderation")
    writer.endArray()
    writer.key("limits")
    writer.beginObject()
    writer.field("message_bytes", limits.messageBytes)
    if limits.messagesPerSecond > 0 {
      writer.field("messages_per_second", limits.messagesPerSecond)
      writer.field("message_burst", limits.messageBurst)
    }
    writer.field("chat_text_bytes", ProtocolLimits.chatTextBytes)
    writer.field("name_bytes", ProtocolLimits.nameBytes)
    writer.field("key_bytes", ProtocolLimits.keyBytes)
    writer.field("history_page", ProtocolLimits.historyPage)
    writer.field("presence_page", ProtocolLimits.presencePage)
    writer.field("resume_ms", graceMilliseconds)
    writer.field("resume_token_ms", ProtocolLimits.resumeTokenMilliseconds)
    writer.field("resume_events", StreamTail.Limits.events)
    writer.field("resume_signals", ProtocolLimits.signalsKept)
    writer.field("token_warning_ms", limits.tokenWarningMilliseconds)
    writer.endObject()
    writer.field("ping_interval_ms", pingIntervalMilliseconds)
    writer.field("hello_timeout_ms", limits.helloTimeoutMilliseconds)
    writer.endObject()
  }

  /// Who the client is to the server; the answer to `hello`.
  public static func ready(
    id: Int64?, identity: Identity, connection: String, guestToken: String?, at now: Timestamp,
    into writer: inout JSONWriter
  ) {
    begin("ready", id: id, into: &writer)
    writer.key("user")
    writer.beginObject()
    writer.field("id", identity.user)
    writer.field("name", identity.name)
    writer.field("role", identity.role.rawValue)
    writer.field("guest", identity.isGuest)
    if let profile = identity.profile {
      if let name = profile.firstName { writer.field("first_name", name) }
      if let name = profile.lastName { writer.field("last_name", name) }
      if let name = profile.username { writer.field("username", name) }
      if let address = profile.avatar { writer.field("avatar", address) }
    }
    writer.endObject()
    writer.field("connection_id", connection)
    writer.field("expires_at", RFC3339.format(identity.expiresAt))
    if let guestToken { writer.field("guest_token", guestToken) }
    writer.field("at", now.milliseconds)
    writer.endObject()
  }

  /// The token that somebody came with ends soon.
  public static func tokenExpiring(_ expiry: Timestamp, at now: Timestamp, into writer: inout JSONWriter) {
    begin("token.expiring", id: nil, into: &writer)
    writer.field("at", now.milliseconds)
    writer.field("expires_at", RFC3339.format(expiry))
    writer.field("in_ms", max(0, expiry.milliseconds(since: now)))
    writer.endObject()
  }

  /// The answer to `token.renew`.
  /// - Parameter guestToken: with which the same guest comes back later.
  public static func renewed(id: Int64, until expiry: Timestamp, guestToken: String?, into writer: inout JSONWriter) {
    begin("ok", id: id, into: &writer)
    writer.field("expires_at", RFC3339.format(expiry))
    if let guestToken { writer.field("guest_token", guestToken) }
    writer.endObject()
  }

  /// The answer to `ping`.
  public static func pong(id: Int64?, at now: Timestamp, into writer: inout JSONWriter) {
    begin("pong", id: id, into: &writer)
    writer.field("at", now.milliseconds)
    writer.endObject()
  }

  /// The server goes down and will be back.
  public static func draining(retryAfterMilliseconds: Int64, into writer: inout JSONWriter) {
    begin("server.draining", id: nil, into: &writer)
    writer.field("retry_after_ms", retryAfterMilliseconds)
    writer.endObject()
  }

  /// Why a command was not done.
  public static func error(_ error: ProtocolError, id: Int64?, into writer: inout JSONWriter) {
    begin("error", id: id, into: &writer)
    writeFields(of: error, into: &writer)
    writer.endObject()
  }

  /// The fields `code`, `message`, `retryable` and `details` of an error, shared with HTTP.
  public static func writeFields(of error: ProtocolError, into writer: inout JSONWriter) {
    writer.field("code", error.code.rawValue)
    writer.field("message", error.message)
    writer.field("retryable", error.code.isRetryable)
    writer.key("details")
    writer.beginObject()
    if let field = error.field { writer.field("field", field) }
    if let peer = error.peer { writer.field("peer", peer) }
    if let outcome = error.outcome { writer.field("outcome", outcome.rawValue) }
    if let delay = error.retryAfterMilliseconds { writer.field("retry_after_ms", delay) }
    writer.endObject()
  }

  /// A success without fields of its own; others begin with ``begin(_:id:into:)`` and `ok`.
  public static func ok(id: Int64, into writer: inout JSONWriter) {
    begin("ok", id: id, into: &writer)
    writer.endObject()
  }

  /// What a command is answered with.
  /// - Parameter view: the session after it.
  public static func answer(_ answer: Answer, id: Int64, session view: SessionView, into writer: inout JSONWriter) {
    begin("ok", id: id, into: &writer)
    switch answer {
    case .done: break
    case .chat(let streamSequence, let sequence, let time):
      writer.field("seq", streamSequence)
      writer.field("at", time.milliseconds)
      writer.field("message_id", messageID(sequence))
    case .status(let change):
      writer.key("session")
      writeSession(view.inState(change), includingRoomName: false, into: &writer)

    case .registration(let state): writer.field("registration", state.rawValue)
    case .count(let count): writer.field("count", count)
    }
    writer.endObject()
  }

  /// Opens an object with `type` and `id`; the caller writes the rest and ends it.
  public static func begin(_ type: StaticString, id: Int64?, into writer: inout JSONWriter) {
    writer.beginObject()
    writer.field("type", type)
    if let id { writer.field("id", id) }
  }

  /// Opens an event, numbered when it has a number; the caller writes the rest and ends it.
  public static func beginEvent(
    _ type: StaticString, in stream: StreamName = .room, sequence: UInt64? = nil, at time: Timestamp,
    into writer: inout JSONWriter
  ) {
    writer.beginObject()
    writer.field("type", type)
    if let sequence {
      switch stream {
      case .room: writer.field("stream", "room")
      case .hosts: writer.field("stream", "hosts")
      case .user: writer.field("stream", stream.text)
      }
      writer.field("seq", sequence)
    }
    writer.field("at", time.milliseconds)
  }

  // MARK: Events

  /// The session went on to another state. Those who wait get it without a number.
  public static func sessionStatus(
    _ change: StatusChange, session: String, by user: String?, sequence: UInt64?, at time: Timestamp,
    into writer: inout JSONWriter
  ) {
    beginEvent("session.status", sequence: sequence, at: time, into: &writer)
    writer.field("session", session)
    writer.field("status", change.status.rawValue)
    writer.field("is_live", change.status.isLive)
    writer.field("rev", change.revision)
    writer.field("by", user)
    writer.field("started_at", change.startedAt.map(RFC3339.format))
    writer.field("ended_at", change.endedAt.map(RFC3339.format))
    if let reason = change.reason { writer.field("reason", reason) }
    if let schedule = change.schedule {
      writer.field("scheduled_at", RFC3339.format(schedule.scheduledAt))
      writer.field("time_zone", schedule.timeZone)
      writer.field("duration_minutes", schedule.durationMinutes)
    }
    writer.endObject()
  }

  /// Somebody said something.
  public static func chatMessage(_ message: ChatMessage, into writer: inout JSONWriter) {
    beginEvent("chat.message", sequence: message.streamSequence, at: message.at, into: &writer)
    writeFields(of: message, into: &writer)
    writer.endObject()
  }

  /// Who is typing: the first of them by name, and how many.
  public static func typing(
    _ people: [(user: String, name: String)], count: Int, at time: Timestamp, into writer: inout JSONWriter
  ) {
    beginEvent("chat.typing", at: time, into: &writer)
    writer.array("users") { writer in
      for person in people {
        writer.object { writer in
          writer.field("user", person.user)
          writer.field("name", person.name)
        }
      }
    }
    writer.field("count", count)
    writer.endObject()
  }

  /// What changed in presence; `isIncluded` picks whom this mode shows.
  public static func presenceDifference(
    _ difference: Presence.Difference, at time: Timestamp, where isIncluded: (Role) -> Bool,
    into writer: inout JSONWriter
  ) {
    beginEvent("presence.diff", at: time, into: &writer)
    writer.field("presence_seq", difference.sequence)
    writer.field("count", difference.count)
    let changes = difference.changes(where: isIncluded)
    writer.key("joined")
    writeArray(changes.joined, into: &writer)
    writer.key("updated")
    writeArray(changes.updated, into: &writer)
    writer.key("left")
    writer.beginArray()
    for user in changes.left {
      writer.beginObject()
      writer.field("user", user)
      writer.endObject()
    }
    writer.endArray()
    writer.endObject()
  }

  /// How many people are here.
  public static func presenceCount(
    _ count: Int, sequence: UInt64, at time: Timestamp, into writer: inout JSONWriter
  ) {
    beginEvent("presence.count", at: time, into: &writer)
    writer.field("presence_seq", sequence)
    writer.field("count", count)
    writer.endObject()
  }

  /// A signal from another peer without its end, which ``signalEnd(sequence:)`` makes once its number is known; `payload` is
  /// passed through untouched.
  public static func beginSignal(
    from peer: String, isReaderPolite: Bool, kind: SignalKind, negotiation: String?, payload: UnsafeRawBufferPointer,
    into writer: inout JSONWriter
  ) {
    begin("signal", id: nil, into: &writer)
    writer.field("from", peer)
    writer.field("polite", isReaderPolite)
    writer.field("kind", kind.rawValue)
    if let negotiation { writer.field("negotiation", negotiation) }
    writer.key("payload")
    writer.raw(payload)
  }

  /// The end of a signal that is number `sequence` of its receiver.
  public static func signalEnd(sequence: UInt64) -> [UInt8] { Array(#","signal_seq":\#(sequence)}"#.utf8) }

  /// An event of a stream, as it was sent when it happened.
  /// - Parameter isNumbered: false for those who wait, to whom the stream's numbers mean nothing.
  public static func streamEvent(
    _ event: StreamEvent, in stream: StreamName = .room, session: String, isNumbered: Bool = true,
    into writer: inout JSONWriter
  ) {
    let number = isNumbered ? event.sequence : nil
    switch event.content {
    case .status(let change):
      sessionStatus(change, session: session, by: event.by, sequence: number, at: event.at, into: &writer)
    case .chat(let message) where stream == .room: chatMessage(message, into: &writer)
    case .updated(let view): updated(view, by: event.by, sequence: number, at: event.at, into: &writer)
    case .starting(let text):
      starting(text: text, session: session, by: event.by, sequence: number, at: event.at, into: &writer)
    default: conductEvent(event, in: stream, into: &writer)
    }
  }

  // MARK: Shared objects

  /// The presence that a client holds from here on, as fields of an open object.
  public static func writePresence(
    mode: PresenceMode, sequence: UInt64, count: Int, page: Presence.Page, into writer: inout JSONWriter
  ) {
    writer.field("mode", mode.rawValue)
    writer.field("presence_seq", sequence)
    writer.field("count", count)
    writePage(page, into: &writer)
  }

  /// `participants` and `next` of a page.
  public static func writePage(_ page: Presence.Page, into writer: inout JSONWriter) {
    writer.key("participants")
    writeArray(page.participants, into: &writer)
    writer.field("next", page.next)
  }

  private static func writeArray(_ participants: [Presence.Participant], into writer: inout JSONWriter) {
    writer.beginArray()
    for participant in participants {
      writer.beginObject()
      writer.field("user", participant.user)
      writer.field("name", participant.name)
      writer.field("role", participant.role.rawValue)
      writer.field("joined_at", RFC3339.format(participant.joinedAt))
      let media = participant.media
      writer.field("audio_enabled", media.audio)
      writer.field("video_enabled", media.video)
      writer.field("screen_enabled", media.screen)
      writer.key("peers")
      writer.beginArray()
      for peer in participant.peers { writer.string(peer.id) }
      writer.endArray()
      writer.field("reconnecting", participant.isReconnecting)
      writeMarks(participant.marks, into: &writer)
      if participant.isOnStage { writer.field("on_stage", true) }
      if participant.isAway { writer.field("away", true) }
      writer.endObject()
    }
    writer.endArray()
  }

  /// `messages` and `has_more` of a page of chat.
  /// - Parameter reader: the user for whom a reaction is `mine`.
  public static func writeChat(_ page: ChatLog.Page, for reader: String? = nil, into writer: inout JSONWriter) {
    writer.key("messages")
    writer.beginArray()
    for message in page.messages { writeMessage(message, for: reader, into: &writer) }
    writer.endArray()
    writer.field("has_more", page.hasMore)
  }

  /// A message with its number, as pages have it.
  static func writeMessage(_ message: ChatMessage, for reader: String?, into writer: inout JSONWriter) {
    writer.beginObject()
    writer.field("seq", message.streamSequence)
    writer.field("at", message.at.milliseconds)
    writeFields(of: message, into: &writer)
    writeReactions(to: message, for: reader, into: &writer)
    writer.endObject()
  }

  static func writeFields(of message: ChatMessage, into writer: inout JSONWriter) {
    writer.field("message_id", messageID(message.sequence))
    writer.field("user", message.user)
    writer.field("name", message.name)
    writer.field("role", message.role.rawValue)
    writer.field("text", message.text)
    if message.isErased { writer.field("erased", true) }
    if message.isDeleted { writer.field("deleted", true) }
    if let answered = message.replyTo { writer.field("reply_to", messageID(answered)) }
    if let time = message.editedAt { writer.field("edited_at", RFC3339.format(time)) }
  }

  /// The id of the chat message that is event number `sequence` of its session.
  public static func messageID(_ sequence: UInt64) -> String { "m\(sequence)" }

  /// A session object; `room_name` and `meeting_url` only where the reader may join.
  /// - Parameter template: what meeting addresses are made of where the session has none of its own.
  public static func writeSession(
    _ view: SessionView, includingRoomName: Bool, meetings template: MeetingTemplate? = nil, hasCounts: Bool = false,
    into writer: inout JSONWriter
  ) {
    let details = view.details
    writer.beginObject()
    writer.field("id", details.id)
    writer.field("title", details.title)
    writer.field("description", details.description)
    writer.field("instructor", details.instructor)
    writer.field("kind", details.kind.rawValue)
    writer.field("status", view.status.rawValue)
    writer.field("is_live", view.status.isLive)
    writer.field("rev", view.revision)
    writer.field("host", details.host)
    writer.field("scheduled_at", details.isTimeFixed ? RFC3339.format(details.scheduledAt) : nil)
    writer.field("time_zone", details.timeZone)
    writer.field("duration_minutes", details.durationMinutes)
    writer.field("capacity", details.capacity)
    writer.field("admission", details.admission.rawValue)
    writer.field("visibility", details.visibility.rawValue)
    writer.field("guests", details.allowsGuests)
    writer.field("created_at", RFC3339.format(details.createdAt))
    writer.field("started_at", view.startedAt.map(RFC3339.format))
    writer.field("ended_at", view.endedAt.map(RFC3339.format))
    writer.field("started_by", view.startedBy)
    writeExtras(of: view, into: &writer)
    if hasCounts {
      writer.field("participants", view.joinedCount)
      writer.field("watching", view.presentCount)
    }
    if includingRoomName {
      writer.field("room_name", details.roomName)
      writer.field("meeting_url", details.meetingURL ?? template?.address(of: details.roomName))
    }
    writer.endObject()
  }

  private static func writeExtras(of view: SessionView, into writer: inout JSONWriter) {
    let details = view.details
    writer.field("proposed_by", details.proposer)
    writer.field("reason", view.reason)
    writer.field("waiting_room", details.hasWaitingRoom)
    writer.array("reminders") { writer in
      for minutes in details.reminders { writer.integer(minutes) }
    }
    writer.field("course", details.course)
    writer.array("tags") { writer in
      for tag in details.tags { writer.string(tag) }
    }
    writer.array("materials") { writer in
      for material in details.materials {
        writer.object { writer in
          writer.field("title", material.title)
          writer.field("url", material.url)
        }
      }
    }
    writer.field("video_url", details.videoURL)
    writer.field("thumbnail", details.thumbnailURL)
    writer.field("recording_url", details.recordingURL)
  }
}
