import Classroom
import JSON

/// What a join said about coming back.
struct ResumeAttempt {
  var room: Int64
  /// Whether the peer and its signals must still be there.
  var mustKeepPeer: Bool
  /// Why it cannot succeed, when it was made so.
  var mustFail: String?
  /// Whether it may count as that of somebody who came after the start: the tab has nothing, and its token is from before
  /// the clock was set back and the machine stopped.
  var mayHaveNothing = false
}

/// What one tab knows of a session, made only of what it was sent, and every rule that a correct server keeps towards it.
final class TabView {
  enum State: String {
    case outside
    case waiting
    case present
    case ended
  }

  /// Somebody as presence shows them.
  struct Participant: Equatable {
    var name: String
    var role: String
    var joinedAt: Int64
    var audio: Bool
    var video: Bool
    var screen: Bool
    var peers: [String]
    var isReconnecting: Bool
    var hand: Int64?
    var isMuted: Bool
    var isAway: Bool
  }

  var user: String
  let history: History
  let report: (String, String) -> Void
  /// How people behave, as far as it was told.
  var conduct = ConductView()
  /// The session that was asked for last; everything received must be about it.
  var session = ""
  var state = State.outside
  private(set) var mode = "full"
  private(set) var peer: String?
  private(set) var status = ""
  private(set) var revision: Int64 = 0
  /// The revision of the last numbered change; who waits is told without a number.
  private var numberedRevision: Int64 = 0
  /// The revision with which the tab was let in: an end that it missed before is over.
  private var enteredRevision: Int64 = 0
  private(set) var epoch = ""
  /// The number of the last event in the stream `room`.
  private(set) var room: Int64 = 0
  private(set) var presenceSequence: Int64 = 0
  private(set) var count: Int64 = 0
  private(set) var participants: [String: Participant] = [:]
  private(set) var waitingCount: Int64 = 0
  /// The users who wait, as who leads the class was told last.
  private(set) var waitingPeople: [String] = []
  /// What to come back with.
  private(set) var resumeToken: String?
  /// The number of the last signal that arrived.
  private(set) var signalSequence: Int64 = 0
  /// The address that a resume must bring back.
  private var oldPeer: String?
  /// By sender: the number of its newest signal.
  private var signals: [String: Int64] = [:]
  private(set) var receivedSignals: Set<Int64> = []
  /// Since when, by the server, every signal to this peer must arrive.
  private(set) var signalsSince: Int64 = .max
  /// Whether it came to wait in a class that had begun, and knows nothing of it.
  private(set) var lacksState = false
  /// When it came to wait: its token says no more, so that of the millisecond of the start counts as one from after it.
  private var cameToWait: Int64?
  /// When it last asked to come in, by the world's clock.
  var cameAt: Int64 = 0
  /// Whether it was in the class when its connection was lost.
  private(set) var wasPresent = false

  init(user: String, history: History, report: @escaping (String, String) -> Void) {
    self.user = user
    self.history = history
    self.report = report
  }

  func forget() {
    wasPresent = state == .present
    state = .outside
    if let peer { oldPeer = peer }
    peer = nil
    participants = [:]
  }

  /// A resume would be refused, or has no sense any more.
  func forgetResume() {
    resumeToken = nil
    oldPeer = nil
  }

  func expect(_ condition: Bool, _ invariant: String, _ detail: @autoclosure () -> String) {
    if !condition { report(invariant, detail()) }
  }

  // MARK: Joining

  /// - Parameters:
  ///   - isAnswer: whether it answers a join, not lets in somebody who waits.
  ///   - resume: what the join said about a resume.
  func joined(_ message: JSONView, isAnswer: Bool, resume: ResumeAttempt?) {
    if isAnswer {
      expect(state == .outside, "joining", "joined in state \(state)")
    } else {
      expect(state == .waiting || state == .ended, "joining", "let in from \(state)")
    }
    let described = message["session"]
    expect(described?["id"]?.string == session, "sessions", "joined another session than \(session)")
    expect(message["you"]?["user"]?.string == user, "identity", "joined as another than \(user)")
    if let described { sawSession(described) }
    wasPresent = false
    enteredRevision = described?["rev"]?.integer ?? 0
    switch message["state"]?.string {
    case "waiting": state = .waiting
    case "present": state = .present
    case "ended": state = .ended
    default: report("form", "a join without a state")
    }
    if let epoch = message["epoch"]?.string {
      self.epoch = epoch
      history.sawEpoch(epoch, session: session, mayChange: false)
    }
    waitingCount = message["waiting"]?["count"]?.integer ?? 0
    resumeToken = message["resume_token"]?.string
    let isRecovered = message["recovered"]?.boolean == true
    let areSignalsRecovered = message["signals_recovered"]?.boolean == true
    checkRecovery(message, isRecovered: isRecovered, resume: resume)
    if !isRecovered {
      status = described?["status"]?.string ?? ""
      revision = described?["rev"]?.integer ?? 0
      if state != .waiting { numberedRevision = revision }
    }
    joinedConduct(message, isRecovered: isRecovered)
    let number = message["streams"]?["room"]?.integer ?? -1
    if isRecovered {
      expect(number == room, "resume", "\(user) resumed \(session) at \(room), the server says \(number)")
      expect(message["chat"] == nil, "resume", "a recovered state has chat")
    } else {
      room = number
    }
    if state == .waiting { cameToWait = message["at"]?.integer }
    lacksState = state == .waiting && room == 0 && !(described?["started_at"]?.isNull ?? true)
    guard state != .waiting else { return }
    peer = message["peer"]?.string
    if message["signals_recovered"]?.boolean != nil {
      expect(peer == oldPeer, "resume", "\(user) had the peer \(oldPeer ?? "none") and has \(peer ?? "none")")
    }
    let signalNumber = message["signal_seq"]?.integer ?? 0
    if areSignalsRecovered {
      expect(signalNumber == signalSequence, "signals", "resumed at signal \(signalSequence), is \(signalNumber)")
    } else {
      signals = [:]
      receivedSignals = []
      signalSequence = signalNumber
      signalsSince = message["at"]?.integer ?? .max
      if let mustKeepPeer = resume?.mustKeepPeer, mustKeepPeer, state == .present, oldPeer != nil {
        report("resume", "\(user) came back in time, and signals of \(oldPeer ?? "none") are gone")
      }
    }
    if let chat = message["chat"] { page(chat, through: room) }
    if let presence = message["presence"] { presenceState(presence) }
  }

  private func checkRecovery(_ message: JSONView, isRecovered: Bool, resume: ResumeAttempt?) {
    let reason = message["not_recovered"]?.string
    if !isRecovered, reason == nil { return }
    guard let resume else {
      return expect(!isRecovered && reason == nil, "resume", "\(user) did not ask for a resume and got one")
    }
    if let expected = resume.mustFail {
      return expect(
        reason == expected && !isRecovered, "resume", "a resume must be \(expected), is \(reason ?? "good")")
    }
    guard !isRecovered else { return expect(reason == nil, "resume", "recovered and not") }
    let missed = history.missed(after: resume.room, session: session)
    // What is no longer kept cannot be given again; nothing else excuses a correct resume that fails.
    let isTie = resume.room == 0 && cameToWait != nil && cameToWait == time(message["session"]?["started_at"])
    let isFar = missed.events > 4000 || missed.textBytes > 500_000
    expect(
      reason == "too_old" && (isFar || isTie || resume.mayHaveNothing), "resume",
      "\(user) was not recovered in \(session): \(reason ?? "no reason")")
  }

  /// A session object, wherever it is shown.
  func sawSession(_ view: JSONView) {
    guard let id = view["id"]?.string, let revision = view["rev"]?.integer, let status = view["status"]?.string else {
      return report("form", "a session without id, revision or status")
    }
    history.saw(
      History.StatusFact(status: status, startedAt: time(view["started_at"]), endedAt: time(view["ended_at"])),
      revision: revision, session: id)
  }

  private func time(_ value: JSONView?) -> Int64? { value?.string.flatMap(RFC3339.parse)?.milliseconds }

  // MARK: Numbered events

  func isNext(_ message: JSONView) -> Bool {
    let number = message["seq"]?.integer ?? -1
    guard state == .present || state == .ended, message["stream"]?.equals("room") == true else {
      report("form", "an event in state \(state), number \(number)")
      return false
    }
    expect(number == room + 1, "gap-free", "\(user) in \(session) had \(room), then came \(number)")
    room = number
    return true
  }

  func chatMessage(_ message: JSONView) {
    if message["to"] != nil { return conductEvent("chat.message", message) }
    guard isNext(message) else { return }
    sawChat(message)
    noteMessage(message)
    conduct.slowMode.saw(message) { report("slow mode", "\(user) in \(session): \($0)") }
  }

  private func sawChat(_ message: JSONView) {
    guard let number = message["seq"]?.integer, let text = message["text"]?.string, let at = message["at"]?.integer,
      let sender = message["user"]?.string, let id = message["message_id"]?.string
    else { return report("form", "a chat message that lacks a field") }
    let isDeleted = message["deleted"]?.boolean == true
    let isAltered = isDeleted || message["edited_at"] != nil
    if !isDeleted { history.sawText(of: id, session: session, cameAt: cameAt) }
    if isAltered { history.sawAltered(id, text: isDeleted ? nil : text, session: session) }
    history.saw(
      History.NumberedEvent(at: at, content: .chat(text: isAltered ? nil : text, user: sender, messageID: id)),
      number: number, session: session)
  }

  func page(_ view: JSONView, through last: Int64) {
    var numbers: [Int64] = []
    for message in view["messages"].map({ Array($0.elements) }) ?? [] {
      sawChat(message)
      numbers.append(message["seq"]?.integer ?? -1)
    }
    expect((numbers.last ?? .min) <= last, "history", "a page through \(last) has \(numbers.last ?? 0)")
    history.sawPage(numbers, through: last, hasMore: view["has_more"]?.boolean ?? false, session: session)
  }

  func statusChanged(_ message: JSONView) {
    expect(message["session"]?.string == session, "sessions", "the status of another session than \(session)")
    guard let status = message["status"]?.string, let revision = message["rev"]?.integer,
      let at = message["at"]?.integer
    else { return report("form", "a status that lacks a field") }
    if state == .waiting {
      expect(message["seq"] == nil, "form", "a number for who waits")
    } else {
      guard isNext(message) else { return }
      history.saw(
        History.NumberedEvent(at: at, content: .status(status: status, revision: revision)), number: room,
        session: session)
    }
    let isNumbered = state != .waiting
    let last = isNumbered ? numberedRevision : self.revision
    expect(revision > last, "order", "revision \(revision) of \(session) after \(last)")
    if isNumbered { numberedRevision = revision }
    self.status = status
    self.revision = revision
    history.saw(
      History.StatusFact(status: status, startedAt: time(message["started_at"]), endedAt: time(message["ended_at"])),
      revision: revision, session: session)
    if status == "completed", state == .present, revision > enteredRevision {
      state = .ended
      peer = nil
      participants = [:]
    }
  }

  /// Fields of the session changed.
  func updated(_ message: JSONView) {
    guard let described = message["session"], let revision = described["rev"]?.integer,
      let title = described["title"]?.string, let at = message["at"]?.integer
    else { return report("form", "an update that lacks a field") }
    sawSession(described)
    if state == .waiting {
      expect(message["seq"] == nil, "form", "a number for who waits")
      expect(revision > self.revision, "order", "an update of revision \(revision) after \(self.revision)")
    } else {
      guard isNext(message) else { return }
      history.saw(
        History.NumberedEvent(at: at, content: .other("\(title), \(revision)")), number: room, session: session)
      expect(revision > numberedRevision, "order", "an update of revision \(revision) after \(numberedRevision)")
      numberedRevision = revision
    }
    self.revision = revision
  }

  /// The host says that the class begins.
  func starting(_ message: JSONView) {
    expect(message["session"]?.string == session, "sessions", "an announcement of another session")
    guard state != .waiting else { return expect(message["seq"] == nil, "form", "a number for who waits") }
    guard isNext(message), let at = message["at"]?.integer else { return }
    history.saw(
      History.NumberedEvent(at: at, content: .other(message["text"]?.string ?? "begins")), number: room,
      session: session)
  }

  /// What changed in the list of sessions.
  func listed(_ message: JSONView) {
    for entry in message["sessions"].map({ Array($0.elements) }) ?? [] {
      expect(entry["room_name"] == nil, "hidden", "the list shows the room of a session")
      guard let id = entry["id"]?.string, history.sessions[id] != nil else { continue }
      sawSession(entry)
    }
  }

  /// Who waits, for who leads the class.
  func lobby(_ message: JSONView) {
    expect(message["session"]?.string == session, "sessions", "the waiting room of another session")
    let people: [String] = message["people"].map { list in list.elements.compactMap { $0["user"]?.string } } ?? []
    expect(Set(people).count == people.count, "waiting", "somebody waits twice")
    expect(Int64(people.count) <= message["count"]?.integer ?? -1, "waiting", "more people than the count")
    waitingPeople = people
  }

  // MARK: Presence

  private func participant(_ view: JSONView) -> (user: String, Participant)? {
    guard let user = view["user"]?.string, let joinedAt = time(view["joined_at"]) else {
      report("form", "a participant that lacks a field")
      return nil
    }
    history.sawPresence(of: user, since: joinedAt, session: session)
    expect(
      view["muted"]?.boolean != true || view["audio_enabled"]?.boolean != true, "muted",
      "\(user) is muted and can be heard")
    return (
      user,
      Participant(
        name: view["name"]?.string ?? "", role: view["role"]?.string ?? "", joinedAt: joinedAt,
        audio: view["audio_enabled"]?.boolean ?? false, video: view["video_enabled"]?.boolean ?? false,
        screen: view["screen_enabled"]?.boolean ?? false,
        peers: view["peers"].map { $0.elements.compactMap(\.string) } ?? [],
        isReconnecting: view["reconnecting"]?.boolean ?? false, hand: view["hand"]?.integer,
        isMuted: view["muted"]?.boolean ?? false, isAway: view["away"]?.boolean ?? false)
    )
  }

  func presenceState(_ view: JSONView) {
    mode = view["mode"]?.string ?? ""
    presenceSequence = view["presence_seq"]?.integer ?? -1
    count = view["count"]?.integer ?? -1
    participants = [:]
    for entry in view["participants"].map({ Array($0.elements) }) ?? [] {
      guard let (user, participant) = participant(entry) else { continue }
      expect(participants[user] == nil, "presence", "\(user) is in the state twice")
      participants[user] = participant
    }
    checkCount()
  }

  func presenceCount(_ view: JSONView) {
    expect(state == .present && mode == "count", "presence", "a count in \(state), mode \(mode)")
    takeCount(view)
  }

  private func takeCount(_ view: JSONView) {
    let sequence = view["presence_seq"]?.integer ?? -1
    expect(sequence > presenceSequence, "presence", "presence went from \(presenceSequence) to \(sequence)")
    presenceSequence = sequence
    count = view["count"]?.integer ?? -1
  }

  func presenceDifference(_ view: JSONView) {
    expect(
      state == .present && (mode == "full" || mode == "hosts"), "presence", "a difference in \(state), mode \(mode)")
    takeCount(view)
    for list in [view["joined"], view["updated"]] {
      guard let list else { continue }
      for entry in list.elements {
        if let (user, participant) = participant(entry) { participants[user] = participant }
      }
    }
    if let left = view["left"] {
      for entry in left.elements { if let user = entry["user"]?.string { participants[user] = nil } }
    }
    checkCount()
  }

  private func checkCount() {
    switch mode {
    case "full":
      expect(
        Int64(participants.count) == count, "presence",
        "\(user) in \(session) sees \(participants.count) people, and the count is \(count)")
    case "hosts":
      expect(participants.values.allSatisfy { $0.role == "host" || $0.role == "cohost" }, "presence", "not a host")
    default: expect(participants.isEmpty, "presence", "participants in mode \(mode)")
    }
  }

  func waiting(_ view: JSONView) {
    expect(state == .waiting, "form", "a waiting count in state \(state)")
    expect(view["session"]?.string == session, "sessions", "a waiting count of another session")
    waitingCount = view["count"]?.integer ?? -1
  }

  func attendanceSummary(_ view: JSONView) {
    expect(state == .present, "form", "a summary of attendance in state \(state)")
    expect(view["session"]?.string == session, "sessions", "a summary of another session")
    guard let totals = view["totals"], let total = totals["total"]?.integer, let attended = totals["attended"]?.integer,
      let absent = totals["absent"]?.integer, let present = totals["present"]?.integer
    else { return expect(false, "form", "a summary without its figures") }
    expect(total == attended + absent && present <= attended, "attendance", "\(attended) and \(absent) of \(total)")
  }

  // MARK: Signals

  func signal(_ view: JSONView) {
    expect(state == .present, "signals", "a signal in state \(state)")
    guard let from = view["from"]?.string, let payload = view["payload"], let number = payload["n"]?.integer else {
      return report("form", "a signal that lacks a field")
    }
    expect(payload["session"]?.string == session, "sessions", "a signal from another session")
    expect(payload["to"]?.string == peer, "signals", "a signal for another peer")
    expect(payload["from"]?.string == from, "identity", "a signal with a forged sender")
    expect(receivedSignals.insert(number).inserted, "signals", "the signal \(number) came twice")
    expect((signals[from] ?? -1) < number, "signals", "the signal \(number) was overtaken")
    signals[from] = number
    if let sequence = view["signal_seq"]?.integer {
      expect(sequence == signalSequence + 1, "signals", "after signal \(signalSequence) came \(sequence)")
      signalSequence = sequence
    }
  }
}
