import SignalingProtocol
import Testing

@testable import RoomShard

/// A client that knows only what it was sent, and follows the rules of `protocol/README.md`.
///
/// It notes everything that a correct server never does.
struct ClientModel {
  enum State: Equatable {
    case outside
    case waiting
    case present
    case ended
  }

  enum Asked {
    case plain
    case resume
    case resumeWithForgedToken
  }

  let user: String
  /// The session that was asked for last; everything received must be about it.
  var session = ""
  var state = State.outside
  var mode = "full"
  private(set) var peer: String?
  private(set) var status: String?
  private(set) var room: Int64 = 0
  /// The number of the last event of the stream `hosts`, nil for who does not get it, and of the own stream.
  private(set) var hosts: Int64?
  private(set) var own: Int64 = 0
  private(set) var presenceSequence: Int64 = 0
  private(set) var count: Int64 = 0
  private(set) var participants: [String: Message] = [:]
  private(set) var chat: [Int64: String] = [:]
  /// The message from which on ``chat`` has every one.
  private(set) var chatFrom: Int64 = 0
  private(set) var signals: [String: [Int64]] = [:]
  private(set) var signalSequence: Int64 = 0
  private(set) var token: String?
  /// How the join that is under way was asked for.
  private var asked = Asked.plain
  /// Whether it waits, or waited last, and has nothing of the class: then it is given the whole state, not what was missed.
  private var hadNoState = false
  private(set) var faults: [String] = []
  /// Joins that were sent and are not answered.
  var pendingJoins = 0
  /// What was asked under which id and is not answered: the text of a chat message, nothing of anything else.
  private(set) var questions: [Int64: String] = [:]
  /// The chat messages that the server acknowledged, and those that it refused and knows not to be done.
  private(set) var acknowledged: Set<String> = []
  private(set) var refused: Set<String> = []
  /// The answer to the newest `session.leave`.
  private(set) var farewell: Message?

  init(user: String) { self.user = user }

  mutating func ask(_ id: Int64, text: String = "") {
    if id == Self.farewellID { farewell = nil }
    questions[id] = text
  }

  private mutating func answer(_ message: Message) {
    guard let id = message.int("id"), id != 1 else { return }
    guard let text = questions.removeValue(forKey: id) else {
      faults.append("an answer to nothing, or the second: \(message)")
      return
    }
    if id == Self.farewellID { farewell = message }
    guard !text.isEmpty else { return }
    if message.type == "ok" {
      acknowledged.insert(text)
    } else if message.text("details.outcome") != "unknown" {
      refused.insert(text)
    }
  }

  /// The id under which every client leaves.
  static let farewellID: Int64 = 99

  mutating func forget() {
    state = .outside
    peer = nil
    token = nil
    participants = [:]
    chat = [:]
    signals = [:]
  }

  /// A join without a word of what was before.
  mutating func joins(_ session: String) {
    self.session = session
    asked = .plain
    token = nil
    pendingJoins += 1
  }

  /// The connection is lost, and all that was on its way.
  mutating func disconnect() {
    state = .outside
    pendingJoins = 0
    questions = [:]
  }

  /// What it says when it comes back.
  mutating func resumes(withForgedToken isForged: Bool) -> ClientMessage.Resume? {
    guard let token else { return nil }
    asked = isForged ? .resumeWithForgedToken : .resume
    pendingJoins += 1
    return ClientMessage.Resume(
      token: isForged ? token + "1" : token, epoch: "e-\(session)", room: UInt64(room),
      signalSequence: UInt64(signalSequence), hosts: hosts.map { UInt64($0) },
      own: ClientMessage.Resume.OwnStream(user: user, sequence: UInt64(own)))
  }

  mutating func receive(_ message: Message) {
    answer(message)
    switch message.type {
    case "session.joined": enter(message)
    case "session.status": statusChanged(message)
    case "chat.message" where message["to"] != nil: conduct(message)
    case "chat.message":
      guard isNext(message) else { return }
      noteChat(message)
    case "presence.diff": difference(message)
    case "presence.state":
      expect(state == .present, "a state of presence in state \(state)")
      snapshot(message)
    case "presence.count":
      expect(state == .present && mode == "count", "a count for mode \(mode)")
      takeCount(message)
    case "waiting.state":
      // A host is told that nobody waits any more when the end has sent them away.
      expect(
        state == .waiting || state == .present || state == .ended && message.int("count") == 0,
        "a waiting room in state \(state)")
      expect(message.text("session") == session, "a waiting room of another session")
      expect(Int64(message.list("people").count) <= message.int("count") ?? -1, "more people wait than the count says")
    case "waiting.count":
      expect(state == .waiting, "a waiting count in state \(state)")
      expect(message.text("session") == session, "a count of another session")
    case "attendance.summary": expect(state == .present, "a summary of attendance in state \(state)")
    case "signal":
      expect(state == .present, "a signal in state \(state)")
      if let from = message.text("from"), let number = message.int("payload.n") {
        expect(message.text("payload.session") == session, "a signal from another session")
        expect(message.text("payload.to") == peer, "a signal for another peer")
        expect(message.int("signal_seq") == signalSequence + 1, "a signal is missing or came twice")
        signalSequence = message.int("signal_seq") ?? -1
        expect((signals[from]?.last ?? -1) < number, "a signal overtook another")
        signals[from, default: []].append(number)
      }
    case "room.policy", "room.spotlight", "chat.edited", "chat.deleted", "chat.reaction", "chat.pinned",
      "participant.muted", "participant.unmute_asked", "participant.role", "participant.removed", "participant.banned",
      "hand.lowered", "hands.lowered":
      conduct(message)
    case "chat.typing": break
    case "error": if message.int("id") == 1 { pendingJoins -= 1 }
    case "ok": break
    default: faults.append("unexpected \(message.type)")
    }
  }

  private mutating func expect(_ condition: Bool, _ fault: String) {
    if !condition { faults.append(fault) }
  }

  private mutating func enter(_ message: Message) {
    let isRecovered = message.flag("recovered") == true
    if message.int("id") == 1 {
      expect(state == .outside, "joined twice")
      pendingJoins -= 1
      let reason = message.text("not_recovered")
      let mayLackState = hadNoState && reason == "too_old"
      expect(
        isRecovered == (asked == .resume) || mayLackState, "recovered: \(isRecovered), \(reason ?? "without a reason")")
      expect((reason == "token_invalid") == (asked == .resumeWithForgedToken), "not recovered: \(reason ?? "-")")
    } else {
      expect(state == .waiting, "let in from \(state)")
      expect(!isRecovered, "recovered without having asked")
    }
    expect(message.text("session.id") == session, "joined another session")
    expect(message.text("you.user") == user, "joined as another")
    expect(message.text("epoch") == "e-\(session)", "another epoch")
    status = message.text("session.status")
    switch message.text("state") {
    case "waiting": state = .waiting
    case "present": state = .present
    case "ended": state = .ended
    default: faults.append("no state")
    }
    token = message.text("resume_token")
    enterSignals(message)
    if isRecovered {
      expect(message.int("streams.room") == room, "recovered from \(message.int("streams.room") ?? -1), not \(room)")
      expect(message["chat"] == nil, "recovered, and a page of chat")
    } else {
      room = message.int("streams.room") ?? -1
      chat = [:]
      for message in message.list("chat.messages") { noteChat(message) }
      expect((chat.keys.max() ?? 0) <= room, "a message beyond the state")
      chatFrom = message.flag("chat.has_more") == true ? chat.keys.min() ?? 0 : 0
    }
    if isRecovered { expect(message.int("streams.user:\(user)") == own, "recovered at another own event") }
    hosts = message.int("streams.hosts")
    own = message.int("streams.user:\(user)") ?? -1
    hadNoState = state == .waiting && room == 0
    guard state != .waiting else { return }
    if let presence = message["presence"] { snapshot(presence) }
  }

  /// An event about people, the policy or messages: in its stream, without a gap.
  private mutating func conduct(_ message: Message) {
    switch message.text("stream") {
    case "room":
      _ = isNext(message)
    case "hosts":
      expect(hosts != nil && message.int("seq") == (hosts ?? 0) + 1, "\(hosts ?? -1) of the hosts, then \(message)")
      hosts = message.int("seq")
    case "user:\(user)":
      expect(message.int("seq") == own + 1, "\(own) of the own stream, then \(message)")
      own = message.int("seq") ?? own
      if message.type == "participant.role" { hosts = message.int("streams.hosts") }
    default: faults.append("a stream that is not the client's: \(message)")
    }
  }

  private mutating func enterSignals(_ message: Message) {
    let former = peer
    peer = message.text("peer")
    if let areRecovered = message.flag("signals_recovered") {
      expect(peer == former, "another peer, with its signals")
      if areRecovered {
        expect(message.int("signal_seq") == signalSequence, "signals go on from another number")
        return
      }
    }
    if peer != former { signals = [:] }
    signalSequence = message.int("signal_seq") ?? 0
  }

  private mutating func isNext(_ message: Message) -> Bool {
    expect(state == .present || state == .ended, "an event in state \(state)")
    expect(message.text("stream") == "room", "no stream")
    expect(message.int("seq") == room + 1, "after \(room) came \(message.int("seq") ?? -1)")
    room = message.int("seq") ?? room
    return true
  }

  private mutating func noteChat(_ message: Message) {
    guard let sequence = message.int("seq"), let text = message.text("text") else {
      faults.append("a message without number or text")
      return
    }
    expect(text.hasPrefix("\(session):"), "chat of another session")
    expect(!refused.contains(text), "a refused message came back")
    chat[sequence] = text
  }

  private mutating func statusChanged(_ message: Message) {
    expect(message.text("session") == session, "status of another session")
    status = message.text("status")
    guard state != .waiting else {
      expect(message["seq"] == nil, "a number for who waits")
      return
    }
    guard isNext(message) else { return }
    if status == "completed" {
      state = .ended
      peer = nil
      participants = [:]
    }
  }

  private mutating func snapshot(_ presence: Message) {
    mode = presence.text("mode") ?? ""
    presenceSequence = presence.int("presence_seq") ?? -1
    count = presence.int("count") ?? -1
    participants = [:]
    for entry in presence.list("participants") { participants[entry.text("user") ?? ""] = entry }
    expect(presence["next"] == .null, "the rooms of this test are small")
    checkCount()
  }

  private mutating func takeCount(_ message: Message) {
    expect(message.int("presence_seq") ?? -1 > presenceSequence, "presence went back")
    presenceSequence = message.int("presence_seq") ?? -1
    count = message.int("count") ?? -1
  }

  private mutating func difference(_ message: Message) {
    expect(state == .present && (mode == "full" || mode == "hosts"), "a difference in \(state), mode \(mode)")
    takeCount(message)
    for entry in message.list("joined") + message.list("updated") { participants[entry.text("user") ?? ""] = entry }
    for entry in message.list("left") { participants[entry.text("user") ?? ""] = nil }
    checkCount()
  }

  private mutating func checkCount() {
    if mode == "full" { expect(participants.count == count, "\(participants.count) people, and count says \(count)") }
    if mode == "hosts" {
      expect(
        participants.values.allSatisfy { ["host", "cohost"].contains($0.text("role") ?? "") },
        "mode hosts shows somebody else")
    }
  }
}
