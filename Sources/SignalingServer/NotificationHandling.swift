import Bytes
import Classroom
import HTTPCore
import JSON
import RoomShard
import SignalingProtocol

/// Something that somebody was told of a session.
struct Notification: Sendable {
  /// The session as it is now.
  var session: SessionView
  var notice: Notice
  var isRead: Bool

  /// The newest of a user that are shown.
  static let maximumCount = 200

  /// Names it, among all of all sessions.
  var id: String { "\(session.details.id).\(notice.number)" }

  /// The session and the number that an id names; nil for what is no id.
  static func parts(of id: String) -> (session: String, number: UInt64)? {
    guard let dot = id.lastIndex(of: "."), let number = UInt64(id[id.index(after: dot)...]) else { return nil }
    let session = String(id[..<dot])
    return SessionID.isValid(session) ? (session, number) : nil
  }

  /// Writes its fields into an open object.
  func write(into writer: inout JSONWriter) {
    writer.field("id", id)
    writer.field("kind", notice.kind.rawValue)
    writer.field("session", session.details.id)
    writer.field("text", text)
    writer.field("created_at", RFC3339.format(notice.at))
    writer.field("read", isRead)
  }

  /// What it says to a person.
  private var text: String {
    let title = session.details.title
    let sentence =
      switch notice.kind {
      case .requested: "\(title): somebody asks for your approval"
      case .approved: "\(title): approved"
      case .declined: "\(title): declined"
      case .rescheduled: "\(title) has another time"
      case .cancelled: "\(title) is cancelled"
      case .reminder: "\(title) begins in \(notice.minutes.map(Self.span) ?? "a moment")"
      case .starting: "\(title) begins now"
      case .live: "\(title) is live"
      case .ended: "\(title) has ended"
      case .recordingReady: "\(title): the recording is there"
      case .review: "\(title): a review"
      }
    return notice.reason.map { "\(sentence): \($0)" } ?? sentence
  }

  private static func span(_ minutes: Int) -> String {
    func count(_ number: Int, _ unit: String) -> String { "\(number) \(unit)\(number == 1 ? "" : "s")" }
    if minutes % 1440 == 0 { return count(minutes / 1440, "day") }
    return minutes % 60 == 0 ? count(minutes / 60, "hour") : count(minutes, "minute")
  }
}

// What people were told: over HTTP whenever they ask, and on their sockets when it happens.
extension ServerLoop {
  func listNotifications(_ call: RouteCall) throws(ProtocolError) {
    let identity = try call.user()
    let limit = try call.limit(defaultLimit: 50, maximum: Notification.maximumCount)
    let isUnreadOnly = try call.flag("unread")
    let before = try call.request.target.queryValue("cursor").map { text throws(ProtocolError) in
      guard let parts = context.cursors.open(text, of: Self.list(of: identity)) else {
        throw ProtocolError(.invalidField, "The cursor is not one that a page of this list gave.", field: "cursor")
      }
      return parts
    }
    let all = context.catalog.notifications(for: identity)
    let shown = all.filter { notification in
      (!isUnreadOnly || !notification.isRead) && before.map { notification.isBehind($0) } ?? true
    }
    let page = shown.prefix(limit)
    let next =
      shown.count > limit ? page.last.map { context.cursors.seal($0.position, of: Self.list(of: identity)) } : nil
    let answer = HTTPAnswer(status: 200) { writer in
      writer.object { writer in
        writer.array("notifications") { writer in
          for notification in page { writer.object { notification.write(into: &$0) } }
        }
        writer.field("unread", all.count { !$0.isRead })
        writer.field("next", next)
      }
    }
    respond(to: call.request, with: answer, of: call.connection)
  }

  private static func list(of identity: Identity) -> String {
    "notifications\0\(identity.user)\0\(identity.session ?? "")"
  }

  func countUnread(_ call: RouteCall) throws(ProtocolError) {
    let unread = context.catalog.notifications(for: try call.user()).count { !$0.isRead }
    respond(
      to: call.request, with: HTTPAnswer(status: 200) { $0.object { $0.field("unread", unread) } }, of: call.connection)
  }

  /// Marks one as read.
  func readNotification(_ call: RouteCall) throws(ProtocolError) {
    guard let parts = Notification.parts(of: call.parameter("notification")) else {
      throw ProtocolError(.notFound, "There is no such notification.")
    }
    ask(.readNotices([parts.number]), session: parts.session, .done("It is read."), call)
  }

  /// Marks all as read, session by session.
  func readAllNotifications(_ call: RouteCall) throws(ProtocolError) {
    let unread = context.catalog.notifications(for: try call.user()).filter { !$0.isRead }
    var numbers: [String: [UInt64]] = [:]
    for notification in unread {
      numbers[notification.session.details.id, default: []].append(notification.notice.number)
    }
    var step: NextStep?
    for (session, numbers) in numbers.sorted(by: { $0.key < $1.key }) {
      let following = step
      // A session that has gone meanwhile has nothing to read.
      step = NextStep(session: session, request: .readNotices(numbers)) { _ in following }
    }
    guard let step else {
      return respond(to: call.request, with: .done("There was nothing to read."), of: call.connection)
    }
    ask(step.request, session: step.session, .done("All are read."), call, then: step.then)
  }

  /// A session of this loop has new notices, perhaps: those whom they are for are told, on whichever loop they are.
  func passNotices(of session: SessionView, after old: SessionView?) {
    let last = old?.notices.list.last?.number ?? 0
    let new = session.notices.list.filter { $0.number > last }
    guard !new.isEmpty else { return }
    for mailbox in context.mailboxes { mailbox.post(.notices(new, session)) }
  }

  /// Tells those of this loop's connections whom new notices are for.
  func tell(_ notices: [Notice], of session: SessionView) {
    var receivers: [(SlotID, String)] = []
    connections.forEach { id, connection in
      guard let identity = connection.pointee.webSocket?.identity, !identity.isGuest else { return }
      receivers.append((id, identity.user))
    }
    for (id, user) in receivers {
      for notice in notices where session.isAddressed(notice, to: user) {
        let notification = Notification(session: session, notice: notice, isRead: false)
        say(to: id) { writer in
          ServerMessage.beginEvent("notification", at: notice.at, into: &writer)
          notification.write(into: &writer)
          writer.endObject()
        }
      }
    }
  }
}

extension Notification {
  /// Where it stands in the list.
  fileprivate var position: SlotPosition { SlotPosition(time: notice.at.milliseconds, id: id) }

  fileprivate func isBehind(_ other: SlotPosition) -> Bool {
    position.time != other.time ? position.time < other.time : position.id > other.id
  }
}
