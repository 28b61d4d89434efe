import EventLoop

// What the attendees do by the clock.
extension LoadRun {
  /// Sends what is due. A generator that comes late sends all the same, and the delay counts.
  func sendDueTraffic(now: Int64) {
    for session in sessions {
      while session.nextChat <= now {
        sendChat(in: session, due: session.nextChat, now: now)
        session.nextChat += chatInterval
      }
      while session.nextSignal <= now {
        sendSignal(in: session, due: session.nextSignal, now: now)
        session.nextSignal += signalInterval
      }
    }
  }

  /// Begins to speak and to signal, the sessions evenly one after the other.
  func beginTraffic(now: Int64) {
    for (index, session) in sessions.enumerated() {
      if chatInterval < .max { session.nextChat = now + chatInterval / Int64(sessions.count) * Int64(index) }
      if signalInterval < .max { session.nextSignal = now + signalInterval / Int64(sessions.count) * Int64(index) }
    }
  }

  func endTraffic() {
    for session in sessions {
      session.nextChat = .max
      session.nextSignal = .max
    }
  }

  /// When the next message or signal is due.
  var nextTraffic: Int64 { sessions.reduce(.max) { min($0, $1.nextChat, $1.nextSignal) } }

  private func sendChat(in session: ClassSession, due: Int64, now: Int64) {
    guard let speaker = session.nextSpeaker() else { return }
    let number = session.chat.send(by: speaker.place, due: due)
    measurements.record(\.generatorLag, due: due, now: now)
    send(ClientMessages.chat(number, text: chatText.text(of: number)), from: speaker)
  }

  private func sendSignal(in session: ClassSession, due: Int64, now: Int64) {
    guard let pair = session.nextPair(), let peer = pair.partner.peer else { return }
    let number = session.signals.send(by: pair.initiator.place, due: due)
    measurements.record(\.generatorLag, due: due, now: now)
    send(ClientMessages.signal(number, to: peer, isBack: false), from: pair.initiator)
  }

  func send(_ message: [UInt8], from attendee: Attendee) {
    if let end = attendee.socket.send(text: message, poller: poller) { didEnd(attendee, end) }
  }
}
