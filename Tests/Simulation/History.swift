import Classroom
import JSON
import SignalingProtocol

/// What anybody was ever shown, and what was asked for: all that the checks know. It never looks into the server.
///
/// A fact that somebody saw stays true for ever: every other answer, every restart and every disk is held against it.
final class History {
  /// A numbered event of a session.
  struct NumberedEvent: Equatable {
    enum Content: Equatable {
      /// The text is nil as long as only what it was changed to is known.
      case chat(text: String?, user: String, messageID: String)
      case status(status: String, revision: Int64)
      /// Anything else, as it was sent.
      case other(String)
    }

    var at: Int64
    var content: Content
  }

  /// How a session looked at one revision.
  struct StatusFact: Equatable {
    var status: String
    var startedAt: Int64?
    var endedAt: Int64?
  }

  /// Something that somebody said, or tried to.
  struct Utterance {
    var session: String
    var user: String
    /// How often it was sent.
    var attempts = 0
    /// How often it was answered that it is not done.
    var refusals = 0
    /// The number, once it was answered that it is done.
    var sequence: Int64?
    var at: Int64?
    var sentAt: Int64
  }

  /// What is known of one session.
  final class SessionFacts {
    var isCreated = false
    var roomName: String?
    var epoch: String?
    var statuses: [Int64: StatusFact] = [:]
    var highestRevision: Int64 = 0
    var events: [Int64: NumberedEvent] = [:]
    var chatNumbers: [Int64] = []
    var highestNumber: Int64 = 0
    /// By user: the starts of attendance that presence has shown.
    var presence: [String: Set<Int64>] = [:]
    /// By user: the segments that are over, by their start.
    var segments: [String: [Int64: Int64]] = [:]
    /// By stream, of those that not everybody gets: the events as they were sent.
    var streams: [String: [Int64: String]] = [:]
    /// By message: what its author asked to change it to.
    var edits: [String: Set<String>] = [:]
    /// The messages that somebody asked to delete.
    var deletions: Set<String> = []
    /// By message: when somebody was first told that it is taken back.
    var deletedAt: [String: Int64] = [:]
    /// Whom hosts let in one by one, as they were answered.
    var admitted: Set<String> = []
    /// Whom somebody asked to turn away.
    var denials: Set<String> = []
  }

  private(set) var sessions: [String: SessionFacts] = [:]
  private(set) var utterances: [String: Utterance] = [:]
  /// Where a text appeared.
  private var places: [String: Int64] = [:]
  /// Called with the name of an invariant and what broke it.
  var report: (String, String) -> Void = { _, _ in }
  /// The time of the world, in microseconds.
  var now: () -> Int64 = { 0 }
  private(set) var factCount = 0
  private(set) var acknowledgedCount = 0

  init(sessions names: [String]) {
    for name in names { sessions[name] = SessionFacts() }
  }

  private func expect(_ condition: Bool, _ invariant: String, _ detail: @autoclosure () -> String) {
    if !condition { report(invariant, detail()) }
  }

  // MARK: What is asked

  func willSay(_ text: String, session: String, user: String, at time: Int64) {
    var utterance = utterances[text] ?? Utterance(session: session, user: user, sentAt: time)
    utterance.attempts += 1
    // A server that was started anew may continue an earlier time.
    utterance.sentAt = min(utterance.sentAt, time)
    utterances[text] = utterance
  }

  func willEdit(_ message: String, text: String, session: String) {
    sessions[session]?.edits[message, default: []].insert(text)
  }

  func willDelete(_ message: String, session: String) { sessions[session]?.deletions.insert(message) }

  func willDeny(_ user: String, session: String) { sessions[session]?.denials.insert(user) }

  func sawAdmission(of user: String, session: String) {
    if sessions[session]?.admitted.insert(user).inserted == true { factCount += 1 }
  }

  func refused(_ text: String) { utterances[text]?.refusals += 1 }

  func acknowledged(_ text: String, sequence: Int64, at: Int64, messageID: String, receivedAt: Int64) {
    guard var utterance = utterances[text] else { return report("answers", "an answer to what nobody said: \(text)") }
    acknowledgedCount += 1
    if let known = utterance.sequence {
      expect(
        known == sequence && utterance.at == at, "idempotency",
        "\(text) was answered with number \(known) and then \(sequence)")
    }
    expect(
      at >= utterance.sentAt - 1 && at <= receivedAt + 1, "time",
      "\(text) said between \(utterance.sentAt) and \(receivedAt) is dated \(at)")
    utterance.sequence = sequence
    utterance.at = at
    utterances[text] = utterance
    saw(
      NumberedEvent(at: at, content: .chat(text: text, user: utterance.user, messageID: messageID)),
      number: sequence, session: utterance.session)
  }

  // MARK: What is shown

  func saw(_ event: NumberedEvent, number: Int64, session: String) {
    guard let facts = sessions[session] else { return report("sessions", "an event of an unknown session \(session)") }
    var event = event
    if let known = facts.events[number] {
      if case .chat(nil, let user, let id) = known.content, case .chat(.some, user, id) = event.content,
        known.at == event.at
      {
        // What it said at first is known only now.
      } else {
        if case .chat(let text, _, _) = known.content, case .chat(nil, let user, let id) = event.content {
          event.content = .chat(text: text, user: user, messageID: id)
        }
        expect(known == event, "same for all", "\(session) \(number) was \(known) and is \(event)")
        return
      }
    } else {
      factCount += 1
      if case .chat = event.content { noteChat(number, in: facts) }
    }
    if case .chat(let text?, let user, _) = event.content {
      guard let utterance = utterances[text] else { return report("invented", "nobody said \(text)") }
      expect(utterance.session == session, "sessions", "\(text) appeared in \(session)")
      expect(utterance.user == user, "identity", "\(text) was said by \(utterance.user), not \(user)")
      expect(
        utterance.attempts > utterance.refusals, "refused is never done", "\(text) was refused and is number \(number)")
      if let place = places[text] {
        report("exactly once", "\(text) is number \(place) and number \(number) of \(session)")
      }
      places[text] = number
    }
    facts.events[number] = event
    facts.highestNumber = max(facts.highestNumber, number)
  }

  private func noteChat(_ number: Int64, in facts: SessionFacts) {
    if let last = facts.chatNumbers.last, last > number {
      facts.chatNumbers.insert(number, at: facts.chatNumbers.firstIndex { $0 > number } ?? facts.chatNumbers.endIndex)
    } else {
      facts.chatNumbers.append(number)
    }
  }

  /// A message was shown changed or taken back; with nil as the text, taken back.
  func sawAltered(_ message: String, text: String?, session: String) {
    guard let facts = sessions[session] else { return }
    if text == nil, facts.deletedAt[message] == nil { facts.deletedAt[message] = now() }
    if let text {
      expect(
        facts.edits[message]?.contains(text) == true, "invented", "nobody changed \(message) of \(session) to \(text)")
    } else {
      expect(facts.deletions.contains(message), "invented", "nobody deleted \(message) of \(session)")
    }
  }

  /// What a message says was told to somebody who came at that time.
  func sawText(of message: String, session: String, cameAt time: Int64) {
    guard let deleted = sessions[session]?.deletedAt[message], deleted < time else { return }
    report("taken back", "\(message) of \(session) was taken back at \(deleted), and is said to who came at \(time)")
  }

  /// An event of a stream that not everybody gets, as it was sent.
  func saw(_ raw: String, number: Int64, stream: String, session: String) {
    if let known = sessions[session]?.streams[stream]?[number] {
      expect(known == raw, "same for all", "\(stream) \(number) of \(session) was \(known) and is \(raw)")
    } else {
      factCount += 1
      sessions[session]?.streams[stream, default: [:]][number] = raw
    }
  }

  /// A page of chat as it was shown: between its ends nothing that is known may be missing.
  func sawPage(_ numbers: [Int64], through last: Int64, hasMore: Bool, session: String) {
    guard let facts = sessions[session] else { return }
    for (left, right) in zip(numbers, numbers.dropFirst()) {
      expect(left < right, "history", "a page of \(session) is not in order: \(left), \(right)")
    }
    let first = numbers.first ?? last + 1
    let missing = facts.chatNumbers.filter { $0 <= last && ($0 >= first || !hasMore) && !numbers.contains($0) }
    expect(missing.isEmpty, "history", "a page of \(session) through \(last) lacks \(missing)")
  }

  func saw(_ status: StatusFact, revision: Int64, session: String) {
    guard let known = sessions[session]?.statuses[revision] else {
      factCount += 1
      sessions[session]?.statuses[revision] = status
      sessions[session]?.highestRevision = max(sessions[session]?.highestRevision ?? 0, revision)
      return
    }
    expect(known == status, "same for all", "\(session) at revision \(revision) was \(known) and is \(status)")
  }

  func sawEpoch(_ epoch: String, session: String, mayChange: Bool) {
    if let known = sessions[session]?.epoch, known != epoch {
      expect(mayChange, "epoch", "the epoch of \(session) went from \(known) to \(epoch)")
    }
    sessions[session]?.epoch = epoch
  }

  func sawCreation(of session: String) {
    factCount += 1
    sessions[session]?.isCreated = true
  }

  func sawPresence(of user: String, since joined: Int64, session: String) {
    if sessions[session]?.presence[user, default: []].insert(joined).inserted == true { factCount += 1 }
  }

  func sawAttendance(_ report: [AttendanceReport.Person], session: String) {
    for row in report {
      var end = Int64.min
      for segment in row.segments {
        let from = segment.from.milliseconds
        expect(from >= end, "attendance", "segments of \(row.user) in \(session) overlap at \(from)")
        end = segment.to?.milliseconds ?? .max
        expect(end >= from, "attendance", "a segment of \(row.user) in \(session) ends before it begins")
        guard end < .max else { continue }
        if let known = sessions[session]?.segments[row.user]?[from] {
          expect(known == end, "attendance", "\(row.user) in \(session) from \(from) left at \(known), now at \(end)")
        } else {
          factCount += 1
          sessions[session]?.segments[row.user, default: [:]][from] = end
        }
      }
    }
  }

  /// What somebody who had this number has not seen of what others saw.
  func missed(after number: Int64, session: String) -> (events: Int64, textBytes: Int) {
    guard let facts = sessions[session] else { return (0, 0) }
    var bytes = 0
    for chat in facts.chatNumbers.reversed() {
      if chat <= number { break }
      if case .chat(let text?, _, _)? = facts.events[chat]?.content { bytes += text.utf8.count }
    }
    return (facts.highestNumber - number, bytes)
  }

  // MARK: What must be true

  /// Holds what was shown against a state that the disk gave back.
  /// - Parameter since: only events with a number above this are looked at one by one.
  func verify(_ classrooms: [String: Classroom], newest: Int? = nil, _ occasion: String) {
    for name in sessions.keys.sorted() {
      guard let facts = sessions[name] else { continue }
      guard let classroom = classrooms[name] else {
        expect(
          !facts.isCreated && facts.events.isEmpty && facts.statuses.isEmpty, "durable",
          "\(occasion): the session \(name) is gone")
        continue
      }
      verify(facts, of: classroom, newest: newest, occasion)
    }
  }

  /// A class was held when it was shown to begin, to end, and to go on.
  func checkTimes(_ held: [(from: Int64, to: Int64)], of classroom: Classroom) {
    for (number, event) in sessions[classroom.id]?.events ?? [:] {
      guard case .status(let status, _) = event.content else { continue }
      let isTrue =
        switch status {
        case "ongoing": held.contains { $0.from == event.at }
        case "completed": held.contains { $0.to == event.at }
        default: true
        }
      expect(isTrue, "attendance", "\(classroom.id) was \(status) at \(event.at) with \(number), held at \(held)")
    }
  }

  private func verify(_ facts: SessionFacts, of classroom: Classroom, newest: Int?, _ occasion: String) {
    let name = classroom.id
    if let epoch = facts.epoch {
      expect(epoch == classroom.epoch, "epoch", "\(occasion): the epoch of \(name) is another")
    }
    expect(
      facts.highestRevision <= Int64(classroom.revision), "durable",
      "\(occasion): revision \(facts.highestRevision) of \(name) was shown, \(classroom.revision) is there")
    if let known = facts.statuses[Int64(classroom.revision)] {
      let change = classroom.statusChange
      let found = StatusFact(
        status: change.status.rawValue, startedAt: change.startedAt?.milliseconds, endedAt: change.endedAt?.milliseconds
      )
      expect(known == found, "durable", "\(occasion): \(name) was shown as \(known) and is \(found)")
    }
    expect(
      facts.highestNumber <= Int64(clamping: classroom.streamSequence), "durable",
      "\(occasion): number \(facts.highestNumber) of \(name) was shown, \(classroom.streamSequence) is the last")
    verifyChat(facts, of: classroom, newest: newest, occasion)
    verifyStreams(facts, of: classroom, occasion)
    for user in facts.admitted.subtracting(facts.denials).sorted() {
      expect(
        classroom.lobby.hasAdmitted(user), "durable",
        "\(occasion): \(user) was let in to \(name), and has to wait again")
    }
    for user in facts.presence.keys.sorted() {
      for joined in (facts.presence[user] ?? []).sorted() {
        let segments = classroom.attendance[user]?.segments ?? []
        let isKnown = segments.contains { segment in
          let end: Int64 = segment.to?.milliseconds ?? .max
          return segment.from.milliseconds <= joined + 1 && end >= joined - 1
        }
        expect(isKnown, "durable", "\(occasion): \(user) was seen in \(name) since \(joined): \(segments)")
      }
    }
    for user in facts.segments.keys.sorted() {
      guard let known = facts.segments[user] else { continue }
      for from in known.keys.sorted() {
        let segment = classroom.attendance[user]?.segments.first { $0.from.milliseconds == from }
        expect(
          segment?.to?.milliseconds == known[from], "durable",
          "\(occasion): \(user) was in \(name) from \(from) to \(known[from] ?? 0)")
      }
    }
  }

  private func verifyChat(_ facts: SessionFacts, of classroom: Classroom, newest: Int?, _ occasion: String) {
    let name = classroom.id
    let page = classroom.chat.page(before: nil, limit: newest ?? .max, textBytes: .max)
    var found: [Int64: ChatMessage] = [:]
    var texts: Set<String> = []
    for message in page.messages {
      let isTakenBack = facts.deletedAt["m\(message.sequence)"] != nil
      expect(
        message.isDeleted || !isTakenBack, "durable",
        "\(occasion): m\(message.sequence) of \(name) was taken back and is there")
      found[Int64(message.streamSequence)] = message
      guard message.editedAt == nil, !message.isDeleted else {
        let id = "m\(message.sequence)"
        let isAsked =
          message.isDeleted ? facts.deletions.contains(id) : facts.edits[id]?.contains(message.text) == true
        expect(isAsked, "invented", "\(occasion): nobody made \(id) of \(name) \(message.text)")
        continue
      }
      if !texts.insert(message.text).inserted { report("exactly once", "\(occasion): \(message.text) is there twice") }
      if let utterance = utterances[message.text] {
        expect(
          utterance.attempts > utterance.refusals, "refused is never done",
          "\(occasion): \(message.text) was refused and is there")
      } else {
        report("invented", "\(occasion): nobody said \(message.text)")
      }
    }
    let first = page.hasMore ? page.messages.first.map { Int64($0.streamSequence) } ?? .max : 0
    for number in facts.chatNumbers.reversed() {
      if number < first { break }
      guard let event = facts.events[number], case .chat(let text, let user, _) = event.content else { continue }
      let message = found[number]
      let isAltered = message.map { $0.editedAt != nil || $0.isDeleted } ?? false
      expect(
        message?.text == text || isAltered || text == nil && message != nil, "durable",
        "\(occasion): number \(number) of \(name) was \(text ?? "changed") and is \(message?.text ?? "nothing")")
      expect(
        message?.text != nil && message?.user == user && message?.at.milliseconds == event.at, "durable",
        "\(occasion): number \(number) of \(name) was another's and is \(message?.user ?? "nobody")'s")
    }
  }

  /// What was shown of streams that not everybody gets is there, as it was.
  private func verifyStreams(_ facts: SessionFacts, of classroom: Classroom, _ occasion: String) {
    for (name, events) in facts.streams.sorted(by: { $0.key < $1.key }) {
      let stream: StreamName = name == "hosts" ? .hosts : .user(String(name.dropFirst(5)))
      let tail = classroom.conduct.stream(stream)
      let last = events.keys.max() ?? 0
      expect(
        last <= Int64(clamping: tail.last), "durable",
        "\(occasion): number \(last) of \(name) in \(classroom.id) was shown, \(tail.last) is the last")
      for event in tail.events {
        guard let known = events[Int64(clamping: event.sequence)] else { continue }
        var writer = JSONWriter()
        ServerMessage.streamEvent(event, in: stream, session: classroom.id, into: &writer)
        let found = String(decoding: writer.bytes, as: UTF8.self)
        expect(known == found, "durable", "\(occasion): \(known) is \(found)")
      }
    }
  }
}
