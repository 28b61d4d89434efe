import JSON
import SignalingProtocol
import Testing
@testable import WebSocketCore

@testable import SignalingClient

/// A client on a line to a server that says what a test wants it to say.
struct ScriptedServer: ~Copyable {
  var client: SignalingClient
  var workspace: ClientWorkspace
  var now: Int64 = 1000
  private var machine = WebSocketConnection(role: .server)

  init(
    credential: ClientMessage.Hello = .token("t"), presence: PresenceMode = .full, random: UInt64 = 7,
    _ change: (inout SignalingClientConfiguration) -> Void = { _ in }
  ) {
    var configuration = SignalingClientConfiguration(
      host: "h:1", credential: credential, session: "algebra", presence: presence)
    change(&configuration)
    client = SignalingClient(configuration, firstAttempt: 0)
    workspace = ClientWorkspace(random: { random })
  }

  /// Connects and takes the client's request; says nothing yet.
  mutating func connect() throws {
    machine = WebSocketConnection(role: .server)
    client.connect(at: now)
    client.transportConnected(at: now, using: &workspace)
    let request = String(decoding: client.takeOutput(), as: UTF8.self)
    let line = try #require(request.split(separator: "\r\n").first { $0.hasPrefix("Sec-WebSocket-Key: ") })
    let accept = WebSocketHandshake.acceptKey(for: line.dropFirst(19).utf8)
    let events = receive(
      Array(
        ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          + "Sec-WebSocket-Accept: \(accept)\r\nSec-WebSocket-Protocol: rollcall.v1\r\n\r\n").utf8))
    #expect(events.last == "opened")
  }

  /// Hands bytes to the client; what happened, in words.
  mutating func receive(_ bytes: [UInt8]) -> [String] {
    var bytes = bytes
    var events: [String] = []
    bytes.withUnsafeMutableBytes { input in
      var consumed = 0
      while let event = client.next(input, consumed: &consumed, at: now, using: &workspace) {
        events.append(Self.describe(event))
      }
    }
    return events
  }

  /// Sends messages to the client, all in one piece.
  mutating func say(_ messages: String...) -> [String] {
    receive(messages.flatMap { WebSocketFrame.bytes(.text, payload: Array($0.utf8)) })
  }

  mutating func close(_ code: UInt16) -> [String] {
    let payload = [UInt8(code >> 8), UInt8(code & 255)]
    return receive(WebSocketFrame.bytes(.close, payload: payload))
  }

  /// What came without input.
  mutating func events() -> [String] {
    var events: [String] = []
    while let event = client.nextEvent() { events.append(Self.describe(event)) }
    return events
  }

  /// The messages that the client has sent since the last call; a Close is `close <code>`, a Pong is `pong`.
  mutating func heard() -> [String] {
    var bytes = client.takeOutput()
    var messages: [String] = []
    bytes.withUnsafeMutableBytes { input in
      var consumed = 0
      while let event = machine.next(input, consumed: &consumed) {
        switch event {
        case .text(let text): messages.append(String(decoding: text, as: UTF8.self))
        case .close(let code, _): messages.append("close \(code?.rawValue ?? 0)")
        case .pong: messages.append("pong")
        default: messages.append("something else")
        }
      }
    }
    return messages
  }

  /// Brings the client in; its user is u1, its address p1.
  mutating func join(state: String = "present", _ fields: String = Joined().text) throws {
    try connect()
    let id = try lastID()
    _ = say(Self.welcome, Self.ready(id - 1), Self.joined(id, fields))
  }

  /// The id of the last command.
  mutating func lastID() throws -> Int64 {
    var reader = JSONReader()
    let message = try #require(heard().last)
    let id: Int64? = try reader.read(Array(message.utf8)) { (view) throws(JSONError) in view["id"]?.integer }
    return try #require(id)
  }

  static func describe(_ event: ClientEvent) -> String {
    switch event {
    case .opened: "opened"
    case .ready(let user, _): "ready \(user)"
    case .joined(let event):
      "joined \(event.place.rawValue)\(event.isRecovered ? " recovered" : "")"
        + (event.notRecovered.map { " \($0.rawValue)" } ?? "")
    case .joinRefused(let refusal, let next): "join refused \(refusal.code.rawValue)\(next == nil ? "" : ", again")"
    case .waiting(let count): "waiting \(count)"
    case .chat(let event): "chat \(event.sequence) \(event.user): \(event.text)"
    case .status(let event): "status \(event.sequence.map { "\($0) " } ?? "")\(event.change.status.rawValue)"
    case .lobby(let count): "lobby \(count)"
    case .updated(let event): "updated \(event.change.revision)"
    case .starting: "starting"
    case .reminder(let minutes): "reminder \(minutes)"
    case .dismissed(let dismissal): "dismissed \(dismissal)"
    case .presenceChanged: "presence"
    case .signal(let event): "signal \(event.sequence) from \(event.from)"
    case .answered(_, .done): "done"
    case .answered(_, .said(let sequence, _)): "said \(sequence)"
    case .answered(_, .status(let status)): "now \(status.rawValue)"
    case .answered(_, .history(let page)): "history \(page.map(\.sequence))"
    case .answered(_, .refused(let refusal)): "refused \(refusal.code.rawValue)"
    case .delayed(_, let refusal): "delayed \(refusal.code.rawValue)"
    case .lost: "lost"
    case .refused(let refusal): "refused \(refusal.code.rawValue), nothing named"
    case .conduct(let event): "\(event.stream.text) \(event.sequence) \(event.kind.rawValue)"
    case .typing(let users, let count): "typing \(users) of \(count)"
    case .iceServers(let servers): "\(servers.servers.count) servers for calls"
    case .draining(let delay): "draining \(delay)"
    case .problem(let violation): "PROBLEM \(violation.kind.rawValue)"
    case .tokenExpiring(_, let delay): "expiring \(delay)"
    case .attendance(let figures): "attendance \(figures.attended) of \(figures.total), \(figures.present) here"
    case .answered(_, .attendance(let page)): "attendance of \(page.people.map(\.user))"
    case .notified(let notification): "notified \(notification.id) \(notification.kind.rawValue)"
    case .disconnected(let end): "disconnected, next \(end.nextAttempt.map(String.init) ?? "never")"
    }
  }

  // MARK: Messages

  static let welcome = """
    {"type": "welcome", "version": "rollcall.v1", "server": "s", "features": [], "limits": {"message_bytes": 65536, \
    "chat_text_bytes": 4096}, "ping_interval_ms": 25000, "hello_timeout_ms": 5000}
    """

  static func ready(_ id: Int64, user: String = "u1") -> String {
    """
    {"type": "ready", "id": \(id), "user": {"id": "\(user)", "name": "Ada", "role": "participant", "guest": false}, \
    "connection_id": "c1", "expires_at": "2026-01-01T00:00:00.000Z", "at": 5}
    """
  }

  static func joined(_ id: Int64?, _ fields: String) -> String {
    #"{"type": "session.joined", \#(id.map { #""id": \#($0), "# } ?? "")"at": 5, \#(fields)}"#
  }

  static func participant(_ user: String, peer: String? = nil, role: String = "participant") -> String {
    """
    {"user": "\(user)", "name": "N", "role": "\(role)", "joined_at": "2026-01-01T00:00:00.000Z", "audio_enabled": false, \
    "video_enabled": false, "screen_enabled": false, "peers": [\(peer.map { "\"\($0)\"" } ?? "")], "reconnecting": \
    \(peer == nil)}
    """
  }

  static let own = participant("u1", peer: "p1")

  static func chat(_ sequence: Int, by user: String = "u2", _ text: String = "hi", id: String? = nil) -> String {
    """
    {"type": "chat.message", "stream": "room", "seq": \(sequence), "at": 5, "message_id": "\(id ?? "m\(sequence)")", \
    "user": "\(user)", "name": "N", "role": "participant", "text": "\(text)"}
    """
  }

  static func status(_ sequence: Int?, _ status: String, rev: Int) -> String {
    """
    {"type": "session.status", \(sequence.map { "\"stream\": \"room\", \"seq\": \($0), " } ?? "")"at": 5, "session": \
    "algebra", "status": "\(status)", "is_live": \(status == "ongoing"), "rev": \(rev), "by": null, "started_at": \
    \(status == "scheduled" ? "null" : date), "ended_at": \(status == "completed" ? date : "null")}
    """
  }

  static func difference(_ sequence: Int, count: Int, joined: [String] = [], left: [String] = []) -> String {
    let left = left.map { #"{"user": "\#($0)"}"# }.joined(separator: ", ")
    return """
      {"type":"presence.diff","at":5,"presence_seq":\(sequence),"count":\(count),"joined":[\(joined.joined(separator: ","))],\
      "updated":[],"left":[\(left)]}
      """
  }

  static func signal(_ sequence: Int, from peer: String = "p2", polite: Bool = true) -> String {
    """
    {"type": "signal", "from": "\(peer)", "polite": \(polite), "kind": "offer", "signal_seq": \(sequence), "payload": 1}
    """
  }

  static func error(_ id: Int64?, _ code: String, retryable: Bool = false) -> String {
    """
    {"type": "error", \(id.map { "\"id\": \($0), " } ?? "")"code": "\(code)", "message": "No.", "retryable": \(retryable), \
    "details": {}}
    """
  }
}

private let date = #""2026-01-01T00:00:00.000Z""#

/// The fields of a `session.joined`.
struct Joined {
  var state = "present"
  var peer: String? = "p1"
  var epoch = "e1"
  var room = 3
  var own = 0
  var hosts: Int?
  var role = "participant"
  var signals = 0
  var participants: [String]? = [ScriptedServer.own]
  var count: Int?
  var mode = "full"
  var next = "null"
  var hasChat = true
  var more = #""recovered": false"#
  /// Nil for the one that goes with the state.
  var status: String?
  var revision: Int?

  /// The session as it is described to the client.
  var session: String {
    let status = status ?? ["waiting": "scheduled", "present": "ongoing", "ended": "completed"][state] ?? ""
    let revision = revision ?? ["scheduled": 1, "ongoing": 2, "completed": 3][status] ?? 0
    return """
      {"id": "algebra", "title": "T", "description": "", "instructor": "", "kind": "video", "status": "\(status)", \
      "is_live": \(status == "ongoing"), "rev": \(revision), "host": "h", "scheduled_at": \(date), "time_zone": "UTC", \
      "duration_minutes": 60, "capacity": null, "admission": "open", "visibility": "listed", "guests": false, \
      "created_at": \(date), "started_at": \(status == "scheduled" ? "null" : date), "ended_at": \
      \(status == "completed" ? date : "null"), "started_by": null}
      """
  }

  var text: String {
    var text = """
      "state": "\(state)", "you": {"user": "u1", "name": "Ada", "role": "\(role)"}, "session": \(session), "epoch": "\(epoch)", "streams": {"room": \(room), "user:u1": \(own)\(hosts.map { ", \"hosts\": \($0)" } ?? "")}, \
      "resume_token": "r1", \(more)
      """
    if state == "present" {
      if let peer { text += #", "peer": "\#(peer)", "signal_seq": \#(signals)"# }
      let list = participants ?? []
      text += """
        , "presence": {"mode": "\(mode)", "presence_seq": 4, "count": \(count ?? list.count), "participants": \
        [\(list.joined(separator: ", "))], "next": \(next)}
        """
    }
    if state == "waiting" {
      text += #", "waiting": {"count": 1}"#
    } else {
      if hasChat { text += #", "chat": {"messages": [], "has_more": false}"# }
      text +=
        #", "ice_servers": [], "ice_transport_policy": "all", "ice_expires_at": null, "stage": {"mode": "open", "places": null, "invited": []}, "policy": {"muted": false, "unmute_allowed": false, "locked": false, "#
      text += #""chat": "open", "slow_mode_seconds": 0}, "spotlight": null"#
    }
    return text
  }
}
