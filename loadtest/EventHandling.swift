import EventLoop
import SignalingClient
import SignalingProtocol

// What an attendee does with what happens to it.
extension LoadRun {
  func handle(_ event: ClientEvent, of attendee: Attendee, now: Int64) {
    switch event {
    case .opened: attendee.joinSent = milliseconds(now)
    case .ready: break
    case .joined(let event): didJoin(attendee, event, now: now)
    case .joinRefused(let refusal, _), .refused(let refusal):
      // While the server comes back it may have to put somebody off.
      if herd == nil { refused(attendee, refusal) }
    case .waiting, .draining, .tokenExpiring, .attendance, .conduct, .typing, .iceServers: break
    case .lobby, .updated, .starting, .reminder, .notified: break
    case .dismissed(let dismissal): faults.note(.refused, "\(name(of: attendee)) was sent away: \(dismissal)")
    case .presenceChanged: takePresence(of: attendee)
    case .delayed: measurements.delayedCommands += 1
    case .chat(let event): takeChat(event, for: attendee, now: now)
    case .status(let event): takeStatus(event, for: attendee, now: now)
    case .signal(let event): takeSignal(event, for: attendee, now: now)
    case .answered(let id, let answer): takeAnswer(answer, to: id, for: attendee, now: now)
    case .lost(let id):
      // Only chat is counted here, and that has a key.
      if attendee.said[id] != nil { faults.note(.unanswered, "\(name(of: attendee)) lost a message with a key") }
    case .problem(let violation): note(violation, for: attendee)
    case .disconnected(let end): didEnd(attendee, end)
    }
  }

  private func refused(_ attendee: Attendee, _ refusal: ServerRefusal) {
    // Who has just gone cannot be reached; the signal was excused when that was planned.
    if refusal.code == .peerUnavailable, plan.breaksConnections { return }
    // More people want to be heard than there are places on the stage: who comes too late stays silent.
    if refusal.code == .stageFull {
      attendee.isMicrophoneOn = false
      return
    }
    faults.note(.refused, "\(name(of: attendee)) was refused with \(refusal)")
  }

  private func note(_ violation: ProtocolViolation, for attendee: Attendee) {
    let sentence = "\(name(of: attendee)): \(violation.sentence)"
    switch violation.kind {
    case .missingEvents:
      // Counted at the end, as some may come late.
      attendee.missingEvents += violation.count
      tell(sentence)
    case .lateEvent:
      attendee.missingEvents -= min(attendee.missingEvents, 1)
      faults.note(.reordered, sentence)
    case .repeatedEvent: faults.note(.duplicated, sentence)
    case .malformed: faults.note(.malformed, sentence)
    case .unexpected: faults.note(.unexpected, sentence)
    case .contradiction: faults.note(.contradictory, sentence)
    case .presence: faults.note(.presence, sentence)
    case .signals: faults.note(.signalsWrong, count: violation.count, sentence)
    }
  }

  // MARK: Presence

  private func takePresence(of attendee: Attendee) {
    measurements.presenceMessages += 1
    guard let presence = attendee.client.presence, presence.sequence > attendee.presenceSequence else { return }
    attendee.presenceSequence = presence.sequence
    guard presence.nextPage == nil else { return }
    let digest = presence.mode == .full ? presence.userDigest : nil
    if !attendee.session.presence.see(presence.sequence, count: presence.announcedCount, digest: digest) {
      faults.note(
        .presence,
        "\(name(of: attendee)) knows \(presence.announcedCount) people after difference \(presence.sequence), others know"
          + " different ones")
    }
  }

  // MARK: Events of the stream

  private func takeEvent(_ sequence: UInt64, for attendee: Attendee) {
    measurements.delivered += 1
    attendee.session.chat.note(sequence)
  }

  private func takeStatus(_ event: StatusEvent, for attendee: Attendee, now: Int64) {
    guard let sequence = event.sequence else { return }
    takeEvent(sequence, for: attendee)
    if attendee.session.chat.seeOther(sequence) == .contradiction {
      faults.note(
        .contradictory, "\(name(of: attendee)) got event \(sequence) as a change of state, others as a message")
    }
  }

  private func takeChat(_ event: ChatEvent, for attendee: Attendee, now: Int64) {
    takeEvent(event.sequence, for: attendee)
    let session = attendee.session
    let number = event.textBytes.flatMap(chatText.message(of:))
    guard let number, let entry = session.chat[number] else {
      faults.note(.contradictory, "\(name(of: attendee)) got event \(event.sequence) with a text that nobody sent")
      return
    }
    if session.chat.see(number, as: event.sequence) == .contradiction {
      faults.note(
        .contradictory, "\(name(of: attendee)) got message \(number) as event \(event.sequence), others did not")
    }
    let sender = session.people[entry.sender]
    if let expected = sender.client.user, !event.isBy(expected) {
      faults.note(.contradictory, "\(name(of: attendee)) got message \(number) as one of \(event.user)")
    }
    guard sender === attendee, entry.due >= attendee.soundSince else { return }
    measurements.record(\.chatRoundTrip, due: entry.due, now: now)
    timeline.recordChat(nanoseconds: now - entry.due)
  }

  private func takeAnswer(_ answer: CommandAnswer, to id: CommandID, for attendee: Attendee, now: Int64) {
    if case .refused(let refusal) = answer { return refused(attendee, refusal) }
    if attendee.isHost, let due = attendee.session.probes.removeValue(forKey: id) {
      timeline.recordProbe(nanoseconds: now - due)
      return measurements.record(\.probe, due: due, now: now)
    }
    if attendee.leaveID == id { return didLeave(attendee, now: now) }
    if case .status(.completed) = answer { attendee.session.endAnswered = milliseconds(now) }
    guard case .said(let sequence, _) = answer, let number = attendee.said.removeValue(forKey: id) else { return }
    let session = attendee.session
    guard let entry = session.chat[number], session.chat.acknowledge(number, as: sequence) == .consistent else {
      faults.note(.contradictory, "\(name(of: attendee)) is told that message \(number) is event \(sequence)")
      return
    }
    if entry.due >= attendee.soundSince { measurements.record(\.chatAcknowledgement, due: entry.due, now: now) }
  }

  // MARK: Signals

  private func takeSignal(_ event: SignalEvent, for attendee: Attendee, now: Int64) {
    guard let number = event.payload["number"]?.integer.flatMap(Int.init(exactly:)),
      let isBack = event.payload["back"]?.boolean
    else {
      faults.note(.signalsWrong, "\(name(of: attendee)) got a signal with a payload that nobody sent")
      return
    }
    attendee.isPolite = event.isPolite
    let session = attendee.session
    guard let place = session.places[event.from] else {
      faults.note(.signalsWrong, "\(name(of: attendee)) got signal \(number) from an unknown peer")
      return
    }
    if isBack {
      guard let entry = session.signals.complete(number, at: attendee.place) else { return }
      guard entry.due >= attendee.soundSince, entry.due >= session.partner(of: attendee)?.soundSince ?? 0 else {
        return
      }
      measurements.record(\.signalRoundTrip, due: entry.due, now: now)
      timeline.recordSignal(nanoseconds: now - entry.due)
    } else if session.signals.reach(number, from: place) {
      sendSignal(number, from: attendee, to: event.from, isBack: true)
    }
  }
}
