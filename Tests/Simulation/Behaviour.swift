import Classroom
import JSON
import SignalingProtocol

// What people do with their tabs.
extension Tab {
  /// Does one thing that somebody could do now.
  func act(_ random: inout Randomness) {
    if random.chance(0.004) { return close() }
    guard phase != .offline else { return }
    if random.chance(world.networkTrouble), let link {
      trouble(link, &random)
      return
    }
    if let machine { return actByMachine(machine, &random) }
    guard isJoined, isIdle else { return }
    if random.chance(world.mischief) { return misbehave(&random) }
    switch random.int(0...99) {
    case 0..<30: chat(&random)
    case 30..<42: conduct(&random)
    case 42..<44:
      send("chat.history", Sent(type: "private history", time: world.serverNow)) { $0.field("private", true) }
    case 44..<58: signal(&random)
    case 58..<68:
      send("media.set") { writer in
        writer.field("audio", random.chance(0.5))
        if random.chance(0.3) { writer.field("video", random.chance(0.5)) }
        if random.chance(0.1) { writer.field("screen", random.chance(0.5)) }
      }
    case 68..<73:
      send("presence.subscribe") { $0.field("mode", random.pick(PresenceMode.allCases)?.rawValue ?? "full") }
    case 73..<75: send("presence.page") { $0.field("after", random.int(0...20)) }
    case 75:
      send(random.chance(0.7) ? "attendance.get" : "participant.bans") { $0.field("after", random.int(0...5)) }
    case 76..<82: history(&random)
    case 82..<86: send("ping")
    case 86..<90: repeatSettled()
    case 90..<92: conflict()
    case 92..<94: leave()
    case 94..<96 where person.isHost || random.chance(0.1): lead(&random)
    default: control(&random)
    }
  }

  private func chat(_ random: inout Randomness) {
    let number = world.nextText()
    var text = "\(view.session)/\(name)/\(number)"
    if random.chance(0.1) { text += " \"é\u{1F600}\n\\" }
    if random.chance(world.longTexts) { text += String(repeating: "x", count: random.int(1000...3900)) }
    say(text, key: random.chance(0.6) ? "k\(number)" : nil, withID: random.chance(0.9))
  }

  private func signal(_ random: inout Randomness) {
    var targets = view.participants.keys.sorted().flatMap { view.participants[$0]?.peers ?? [] }
    if random.chance(0.05) { targets.append("pnobody") }
    guard let peer = view.peer, let target = random.pick(targets), target != peer else { return }
    if random.chance(0.3) { return negotiate(with: target, from: peer, &random) }
    let number = world.nextSignal()
    let sent = Sent(type: "signal", target: target, number: number, time: world.serverNow)
    send("signal", sent) { writer in
      writer.field("to", target)
      writer.field("kind", random.pick(SignalKind.allCases)?.rawValue ?? "offer")
      writer.key("payload")
      writer.beginObject()
      writer.field("n", number)
      writer.field("session", view.session)
      writer.field("from", peer)
      writer.field("to", target)
      writer.endObject()
    }
  }

  private func history(_ random: inout Randomness) {
    let before: Int64? = random.chance(0.5) ? random.int64(0...max(1, view.room)) : nil
    let limit = random.int(1...100)
    let sent = Sent(
      type: "chat.history", before: before, limit: limit, known: view.room, time: world.serverNow)
    send("chat.history", sent) { writer in
      if let before { writer.field("before", before) }
      writer.field("limit", limit)
    }
  }

  /// Starts and ends, by who may and by who may not.
  private func control(_ random: inout Randomness) {
    let isOver = random.chance(0.02)
    guard random.chance(isOver ? 1 : 0.3) else { return }
    send(isOver && world.mayEnd ? "session.end" : "session.start") {
      if random.chance(0.5) { $0.field("key", "status-\(world.nextText())") }
    }
  }

  /// What hosts do beside teaching, and others try.
  private func lead(_ random: inout Randomness) {
    func write(_ key: Bool, _ writer: inout JSONWriter) {
      if key { writer.field("key", "lead-\(world.nextText())") }
    }
    let isKeyed = random.chance(0.5)
    switch random.int(0...9) {
    case 0..<4:
      let user = random.chance(0.5) ? random.pick(view.waitingPeople) : nil
      send("waiting.admit", Sent(type: "waiting.admit", target: user, time: world.serverNow)) { writer in
        if let user {
          writer.field("user", user)
        } else {
          writer.field("all", true)
        }
        write(isKeyed, &writer)
      }
    case 4 where random.chance(0.3):
      let user = random.pick(view.waitingPeople) ?? "nobody"
      world.history.willDeny(user, session: view.session)
      send("waiting.deny") { writer in
        writer.field("user", user)
        write(isKeyed, &writer)
      }
    case 5..<7:
      send("session.update") { writer in
        writer.field("title", "Title \(world.nextText())")
        if random.chance(0.3) { writer.field("waiting_room", random.chance(0.5)) }
        write(isKeyed, &writer)
      }
    case 7:
      send("session.announce") { writer in
        writer.field("text", "We begin, \(world.nextText())")
        write(isKeyed, &writer)
      }
    case 8:
      send("session.reschedule") { writer in
        writer.field("scheduled_at", RFC3339.format(Timestamp(milliseconds: world.serverNow + 7_200_000)))
        write(isKeyed, &writer)
      }
    default: send("sessions.watch")
    }
  }

  private func misbehave(_ random: inout Randomness) {
    func failing(_ code: String) -> Sent { Sent(type: "mischief", time: world.serverNow, mustFail: code) }
    switch random.int(0...9) {
    case 0: sendRaw("{\"type\":")
    case 1: send("no.such.thing", failing("unknown_type"))
    case 2: send("chat.send", failing("missing_field"))
    case 3: send("chat.send", failing("invalid_field")) { $0.field("text", 7) }
    case 4: send("hello", failing("already_greeted")) { $0.field("guest", "again") }
    case 5: send("session.join", failing("already_joined")) { $0.field("session", view.session) }
    case 6: send("presence.subscribe", failing("invalid_field")) { $0.field("mode", "loud") }
    case 7: sendBinary()
    case 8: send("session.join", failing("invalid_field")) { $0.field("session", "no such id!") }
    default: sendRaw("[1,2]")
    }
  }

  private func trouble(_ link: Link, _ random: inout Randomness) {
    switch random.int(0...9) {
    case 0..<3:
      world.coverage.note(fault: .connectionCut)
      link.cut()
    case 3..<5:
      world.coverage.note(fault: .connectionLost)
      loseNetwork()
    case 5..<7:
      world.coverage.note(fault: .connectionStalled)
      link.stalledUntil = world.scheduler.now + random.int64(100_000...8_000_000)
    case 7:
      world.coverage.note(fault: .slowReader)
      stopReading(for: random.int64(500...20_000))
    case 8: drop(abruptly: true)
    default: drop(abruptly: false)
    }
  }
}
