import Classroom
import JSON
import SignalingProtocol

// What a client hears of the life of its session, and of those who wait.
extension SignalingClient {
  /// - Returns: whether the message was one of these.
  mutating func takeLifeMessage(_ view: JSONView, _ type: JSONView) throws(ProtocolViolation) -> Bool {
    if type.equals("session.updated") {
      try takeUpdate(try MessageFields(view, "session.updated"), type)
    } else if type.equals("session.starting") {
      let fields = try checkedEvent(try MessageFields(view, "session.starting"))
      try takeNumbered(fields, type)
      queue.append(.starting)
    } else if type.equals("session.reminder") {
      let fields = try checkedEvent(try MessageFields(view, "session.reminder"))
      let minutes = try fields.count("minutes")
      queue.append(.reminder(minutes: minutes))
    } else if type.equals("waiting.state") {
      let fields = try checkedEvent(try MessageFields(view, "waiting.state"))
      guard isIn, role?.passesCapacity ?? false else { throw unexpected(type) }
      let people = try fields.array("people")
      let count = try fields.count("count")
      guard people.count <= count, people.count <= ProtocolLimits.waitingPage else { throw fields.wrong("people") }
      queue.append(.lobby(count))
    } else if type.equals("waiting.denied") {
      _ = try checkedEvent(try MessageFields(view, "waiting.denied"))
      guard state == .waiting else { throw unexpected(type) }
      dismiss(.denied)
    } else if type.equals("session.deleted") {
      _ = try checkedEvent(try MessageFields(view, "session.deleted"))
      guard isIn else { throw unexpected(type) }
      dismiss(.deleted)
    } else if type.equals("session.dismissed") {
      let fields = try checkedEvent(try MessageFields(view, "session.dismissed"))
      let code = try fields.choice("code", ErrorCode.self)
      guard state == .reading else { throw unexpected(type) }
      dismiss(.refused(code))
    } else {
      return false
    }
    return true
  }

  private func checkedEvent(_ fields: MessageFields) throws(ProtocolViolation) -> MessageFields {
    _ = try fields.time("at")
    guard try fields.value("session").equals(configuration.session) else { throw fields.wrong("session") }
    return fields
  }

  /// Holds the number of an event against what is known; who waits gets none.
  private mutating func takeNumbered(_ fields: MessageFields, _ type: JSONView) throws(ProtocolViolation) {
    switch state {
    case .waiting:
      try fields.forbid("stream")
      try fields.forbid("seq")
    case .present, .reading:
      let sequence = try fields.number("seq")
      guard try fields.value("stream").equals("room") else { throw fields.wrong("stream") }
      if takeNumber(sequence) { try memory?.messages.pass(sequence) }
    default: throw unexpected(type)
    }
  }

  private mutating func takeUpdate(_ fields: MessageFields, _ type: JSONView) throws(ProtocolViolation) {
    try takeNumbered(fields, type)
    let change = try checkedSession(try fields.object("session"))
    if let known = memory {
      // A resume tells again, with its number, what was told while waiting.
      let isToldAgain = fields.has("seq") && change.revision <= known.toldWhileWaiting ?? 0
      if !isToldAgain, change.revision <= known.revision || change.status != known.status {
        report(
          ProtocolViolation(
            .contradiction,
            "an update of revision \(change.revision), \(change.status), came after \(known.revision), \(known.status)")
        )
      }
      memory?.revision = change.revision
      if state == .waiting { memory?.toldWhileWaiting = change.revision }
    }
    queue.append(.updated(try StatusEvent(updated: fields, change)))
  }

  /// The client is out of the session, and the connection stays.
  mutating func dismiss(_ dismissal: Dismissal) {
    state = .outside
    memory = nil
    presence = nil
    currentPage = nil
    queue.append(.dismissed(dismissal))
  }
}
