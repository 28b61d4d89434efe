import EventLoop
import SignalingClient
import SignalingProtocol

// What the attendees do by the clock.
extension LoadRun {
  /// Sends what is due. A generator that comes late sends all the same, and the delay counts.
  func sendDueTraffic(now: Int64) {
    guard now >= nextTraffic else { return }
    for session in sessions {
      while session.nextChat <= now {
        sendChat(in: session, due: session.nextChat, now: now)
        session.nextChat += chatInterval
      }
      while session.nextSignal <= now {
        sendSignal(in: session, due: session.nextSignal, now: now)
        session.nextSignal += signalInterval
      }
      while session.nextProbe <= now {
        sendProbe(in: session, due: session.nextProbe, now: now)
        session.nextProbe += probeInterval
      }
    }
    findNextTraffic()
  }

  /// Begins to speak and to signal, the sessions evenly one after the other.
  func beginTraffic(now: Int64) {
    for (index, session) in sessions.enumerated() {
      if chatInterval < .max { session.nextChat = now + chatInterval / Int64(sessions.count) * Int64(index) }
      if signalInterval < .max { session.nextSignal = now + signalInterval / Int64(sessions.count) * Int64(index) }
      if probeInterval < .max { session.nextProbe = now + probeInterval / Int64(sessions.count) * Int64(index) }
    }
    findNextTraffic()
  }

  func endTraffic() {
    for session in sessions {
      session.nextChat = .max
      session.nextSignal = .max
      session.nextProbe = .max
    }
    findNextTraffic()
  }

  private func findNextTraffic() {
    nextTraffic = sessions.reduce(.max) { min($0, $1.nextChat, $1.nextSignal, $1.nextProbe) }
  }

  func sendChat(in session: ClassSession, due: Int64, now: Int64) {
    guard let speaker = session.nextSpeaker() else { return }
    let number = session.chat.send(by: speaker.place, due: due)
    measurements.record(\.generatorLag, due: due, now: now)
    // With a key, as a client does that may have to send again.
    if let id = speaker.client.say(chatText.text(of: number), key: "load-\(number)", using: &workspace) {
      speaker.said[id] = number
    }
    flush(speaker, now: now)
  }

  private func sendSignal(in session: ClassSession, due: Int64, now: Int64) {
    guard let pair = session.nextPair(), let peer = pair.partner.client.peer else { return }
    let number = session.signals.send(by: pair.initiator.place, due: due)
    measurements.record(\.generatorLag, due: due, now: now)
    sendSignal(number, from: pair.initiator, to: peer, isBack: false)
    flush(pair.initiator, now: now)
  }

  private func sendProbe(in session: ClassSession, due: Int64, now: Int64) {
    let host = session.host
    guard host.canSpeak else { return }
    measurements.record(\.generatorLag, due: due, now: now)
    if let id = host.client.ping(using: &workspace) { session.probes[id] = now }
    flush(host, now: now)
  }

  /// A signal, or the same one on its way back.
  func sendSignal(_ number: Int, from attendee: Attendee, to peer: String, isBack: Bool) {
    // A candidate needs the offer before it that names its negotiation.
    let kind: SignalKind = isBack ? .candidate : .offer
    _ = attendee.client.signalUnanswered(to: peer, kind, negotiation: "load", using: &workspace) { writer in
      writer.object { writer in
        writer.field("number", number)
        writer.field("back", isBack)
        writer.field("candidate", "candidate:1 1 udp 2113937151 192.0.2.17 51234 typ host generation 0 ufrag load")
        writer.field("sdpMid", "0")
      }
    }
  }
}
