import JSON
import SignalingProtocol

/// What one tab knows of how people behave in a session, made only of what it was sent.
struct ConductView {
  /// The number of the last event in the stream `hosts`; nil while the tab does not get it.
  var hosts: Int64?
  /// The number of the last event in the user's own stream.
  var own: Int64 = 0
  var policy = ""
  var spotlight: String?
  var stage = ""
  /// What messages say, by id; empty for one that was taken back.
  var texts: [String: String] = [:]
  /// By message and emoji.
  var reactions: [String: [String: Int64]] = [:]
  var pins: [String] = []
  var slowMode = SlowMode()

  /// The policy without what is said of the event around it.
  static func policy(_ view: JSONView?) -> String {
    guard let view else { return "" }
    let flags = ["muted", "unmute_allowed", "locked"].map { view[$0]?.boolean == true ? "1" : "0" }.joined()
    return "\(flags) \(view["chat"]?.string ?? "") \(view["slow_mode_seconds"]?.integer ?? -1)"
  }
}

/// Whether people wait from one message to the next as long as the room wants it, as far as one tab can tell.
struct SlowMode {
  private var milliseconds: Int64 = 0
  /// By user: when the last message was dated that came in slow mode.
  private var lastSaid: [String: Int64] = [:]

  mutating func setPolicy(_ policy: JSONView?) {
    milliseconds = (policy?["slow_mode_seconds"]?.integer ?? 0) * 1000
    if milliseconds == 0 { lastSaid = [:] }
  }

  mutating func saw(_ message: JSONView, _ report: (String) -> Void) {
    guard milliseconds > 0, let user = message["user"]?.string, let at = message["at"]?.integer else { return }
    if message["role"]?.string == "participant", let last = lastSaid[user], at - last < milliseconds {
      report("\(user) wrote at \(last) and at \(at)")
    }
    lastSaid[user] = at
  }
}

// What a tab is told of people's conduct, and the rules that a correct server keeps in it.
extension TabView {
  func joinedConduct(_ message: JSONView, isRecovered: Bool) {
    let streams = message["streams"]
    let hosts = streams?["hosts"]?.integer
    let role = message["you"]?["role"]?.string ?? ""
    expect((hosts != nil) == ["host", "cohost", "admin"].contains(role), "streams", "\(role) with \(hosts ?? -1)")
    guard let own = streams?["user:\(user)"]?.integer else { return report("form", "no own stream") }
    if isRecovered {
      expect(own == conduct.own, "resume", "\(user) resumed the own stream at \(conduct.own), the server says \(own)")
      if let hosts, let known = conduct.hosts {
        expect(hosts >= known, "resume", "\(user) resumed the hosts' stream at \(known), the server says \(hosts)")
      }
    }
    conduct.hosts = hosts
    conduct.own = own
    guard message["policy"] != nil else { return }
    conduct.policy = ConductView.policy(message["policy"])
    conduct.spotlight = message["spotlight"]?.string
    conduct.stage = ConductView.stage(message["stage"])
    // To who goes on where it stopped the policy is told as it is after all that was missed.
    if isRecovered { return }
    conduct.slowMode = SlowMode()
    conduct.slowMode.setPolicy(message["policy"])
    conduct.texts = [:]
    conduct.reactions = [:]
    conduct.pins = message["chat"]?["pinned"].map { $0.elements.compactMap { $0["message_id"]?.string } } ?? []
    for message in message["chat"]?["messages"].map({ Array($0.elements) }) ?? [] { noteMessage(message) }
  }

  /// Remembers what a message says now.
  func noteMessage(_ message: JSONView) {
    guard let id = message["message_id"]?.string else { return }
    conduct.texts[id] = message["text"]?.string
    for reaction in message["reactions"].map({ Array($0.elements) }) ?? [] {
      if let emoji = reaction["emoji"]?.string {
        conduct.reactions[id, default: [:]][emoji] = reaction["count"]?.integer
      }
    }
  }

  /// An event about people, the policy or messages.
  func conductEvent(_ type: String, _ message: JSONView) {
    guard let stream = message["stream"]?.string, let number = message["seq"]?.integer else {
      return report("form", "\(type) without a number")
    }
    if stream == "room" {
      guard isNext(message) else { return }
      sawRoomEvent(type, message, number: number)
    } else {
      guard isNext(in: stream, number) else { return }
      history.saw(String(decoding: message.raw, as: UTF8.self), number: number, stream: stream, session: session)
      if type == "participant.role", stream != "hosts" { conduct.hosts = message["streams"]?["hosts"]?.integer }
    }
  }

  private func isNext(in stream: String, _ number: Int64) -> Bool {
    guard state == .present || state == .ended else {
      report("form", "an event of \(stream) in state \(state)")
      return false
    }
    if stream == "hosts" {
      guard let last = conduct.hosts else {
        report("streams", "\(user) got an event of the hosts")
        return false
      }
      expect(number == last + 1, "gap-free", "\(user) in \(session) had \(last) of the hosts, then came \(number)")
      conduct.hosts = number
    } else {
      expect(stream == "user:\(user)", "streams", "\(user) got an event of \(stream)")
      expect(number == conduct.own + 1, "gap-free", "\(user) had \(conduct.own) of the own stream, then \(number)")
      conduct.own = number
    }
    return true
  }

  private func sawRoomEvent(_ type: String, _ message: JSONView, number: Int64) {
    let id = message["message_id"]?.string ?? ""
    var raw = String(decoding: message.raw, as: UTF8.self)
    switch type {
    case "room.policy":
      conduct.policy = ConductView.policy(message)
      conduct.slowMode.setPolicy(message)
    case "room.stage": conduct.stage = ConductView.stage(message)
    case "room.spotlight": conduct.spotlight = message["user"]?.string
    case "chat.edited":
      let text = message["text"]?.string ?? ""
      // What was changed and then taken back is said without a text.
      if !text.isEmpty {
        history.sawText(of: id, session: session, cameAt: cameAt)
        history.sawAltered(id, text: text, session: session)
      }
      if conduct.texts[id] != nil, conduct.texts[id] != "" || !text.isEmpty { conduct.texts[id] = text }
      raw = "edited \(id) by \(message["by"]?.string ?? "")"
    case "chat.deleted":
      history.sawAltered(id, text: nil, session: session)
      if conduct.texts[id] != nil { conduct.texts[id] = "" }
      conduct.reactions[id] = nil
      conduct.pins.removeAll { $0 == id }
    case "chat.reaction":
      guard let emoji = message["emoji"]?.string, let count = message["count"]?.integer else { break }
      if conduct.texts[id] != nil { conduct.reactions[id, default: [:]][emoji] = count > 0 ? count : nil }
      if conduct.reactions[id]?.isEmpty == true { conduct.reactions[id] = nil }
    case "chat.pinned":
      conduct.pins.removeAll { $0 == id }
      if message["on"]?.boolean == true { conduct.pins.append(id) }
    default: break
    }
    history.saw(
      History.NumberedEvent(at: message["at"]?.integer ?? 0, content: .other(raw)), number: number, session: session)
  }

  /// The hands that are shown to be up, the longest first.
  var hands: [String] {
    participants.filter { $0.value.hand != nil }.sorted { ($0.value.hand ?? 0) < ($1.value.hand ?? 0) }.map(\.key)
  }
}
