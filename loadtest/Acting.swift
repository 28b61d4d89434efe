import EventLoop
import SignalingClient

// What people do, and what the tester does to them, by the agenda.
extension LoadRun {
  /// Notes the steps of a plan for one session from now on.
  func note(_ choreography: Choreography, for session: ClassSession, from start: Int64, isMarked: Bool) {
    for step in choreography.steps {
      agenda.note(step.act, by: Int(session.people[step.place].number), at: start + Int64(step.second * 1e9))
    }
    for (name, count) in choreography.counts {
      if let index = planned.firstIndex(where: { $0.name == name }) {
        planned[index].count += count
      } else {
        planned.append((name, count))
      }
    }
    guard isMarked else { return }
    for mark in choreography.marks { timeline.mark(mark.label, at: start + Int64(mark.second * 1e9)) }
  }

  func perform(_ act: Act, by attendee: Attendee, due: Int64, now: Int64) {
    switch act {
    case .arrive: arrive(attendee, due: due, now: now)
    case .leave: leave(attendee, now: now)
    case .closeTab: closeTab(attendee, now: now)
    case .lose(let breakage, let seconds): lose(attendee, breakage, seconds: seconds, due: due, now: now)
    case .stopReading(let seconds): stopReading(attendee, seconds: seconds, now: now)
    case .readAgain: readAgain(attendee, now: now)
    case .toggleMicrophone:
      guard attendee.canSpeak else { return }
      attendee.isMicrophoneOn.toggle()
      _ = attendee.client.setMedia(audio: attendee.isMicrophoneOn, using: &workspace)
      flush(attendee, now: now)
    case .speak: sendChat(in: attendee.session, due: due, now: now)
    case .start:
      attendee.session.startAsked = milliseconds(now)
      _ = attendee.client.start(key: "load-start", using: &workspace)
      flush(attendee, now: now)
    case .loseEverybody:
      for person in people where person.isPresent { breakConnection(of: person, .reset, now: now) }
    }
  }

  /// Tries again a little later what is not possible now.
  private func postpone(_ act: Act, by attendee: Attendee, now: Int64) {
    agenda.note(act, by: Int(attendee.number), at: now + 100_000_000)
  }

  private func arrive(_ attendee: Attendee, due: Int64, now: Int64) {
    switch attendee.expectation {
    case .away where attendee.client.state == .disconnected: begin(attendee, now: now)
    case .away, .leaving: postpone(.arrive, by: attendee, now: now)
    case .here, .lost: break
    }
  }

  private func leave(_ attendee: Attendee, now: Int64) {
    guard !attendee.isGone, attendee.expectation == .here || attendee.expectation == .lost else { return }
    // What was said must be answered first, and signals be back, as far as that can be waited for.
    attendee.isAboutToLeave = true
    guard attendee.isPresent, attendee.isReading, attendee.client.unansweredCount == 0,
      let id = attendee.client.leave(using: &workspace)
    else { return postpone(.leave, by: attendee, now: now) }
    attendee.expectation = .leaving
    attendee.leaveID = id
    attendee.session.excuseSignals(of: attendee)
    if let user = attendee.client.user { attendee.session.attendance.leaves(user, at: milliseconds(now)) }
    measurements.departures += 1
    flush(attendee, now: now)
  }

  /// The leave was answered: the tab closes.
  func didLeave(_ attendee: Attendee, now: Int64) {
    attendee.leaveID = nil
    if let user = attendee.client.user { attendee.session.attendance.left(user, at: milliseconds(now)) }
    attendee.client.close(at: milliseconds(now), using: &workspace)
  }

  private func closeTab(_ attendee: Attendee, now: Int64) {
    guard !attendee.isGone, attendee.expectation == .here || attendee.expectation == .lost else { return }
    attendee.isAboutToLeave = true
    guard attendee.isPresent, attendee.isReading, attendee.client.unansweredCount == 0 else {
      return postpone(.closeTab, by: attendee, now: now)
    }
    attendee.expectation = .leaving
    attendee.session.excuseSignals(of: attendee)
    if let user = attendee.client.user { attendee.session.attendance.leaves(user, at: milliseconds(now)) }
    measurements.departures += 1
    attendee.client.close(at: milliseconds(now), using: &workspace)
    flush(attendee, now: now)
  }

  // MARK: Faults of one's own

  private func lose(_ attendee: Attendee, _ breakage: Breakage, seconds: Double, due: Int64, now: Int64) {
    guard !attendee.isGone, !attendee.isAboutToLeave else { return }
    guard attendee.isPresent, attendee.expectation == .here else {
      if attendee.expectation == .here, now - due < Self.second {
        // Still on the way in.
        agenda.note(.lose(breakage, seconds: seconds), by: Int(attendee.number), at: now + 100_000_000)
      }
      return
    }
    attendee.offlineUntil = now + Int64(seconds * 1e9)
    breakConnection(of: attendee, breakage, now: now)
  }

  func breakConnection(of attendee: Attendee, _ breakage: Breakage, now: Int64) {
    measurements.broken[breakage, default: 0] += 1
    attendee.expectation = .lost
    attendee.lostAt = now
    attendee.isReading = true
    attendee.session.excuseSignals(of: attendee)
    switch breakage {
    case .reset: attendee.transport.reset()
    case .cut:
      _ = attendee.client.ping(using: &workspace)
      attendee.transport.cut(within: attendee.client.takeOutput())
    case .halfOpen:
      if let socket = attendee.transport.abandon(poller: poller) { abandoned.append(socket) }
    }
    attendee.client.transportEnded(at: milliseconds(now), using: &workspace)
    flush(attendee, now: now)
  }

  private func stopReading(_ attendee: Attendee, seconds: Double, now: Int64) {
    guard attendee.isPresent, attendee.expectation == .here, !attendee.isAboutToLeave,
      (try? attendee.transport.pauseReading(poller: poller)) != nil
    else { return }
    measurements.stoppedReading += 1
    attendee.isReading = false
    attendee.wasSlow = true
    agenda.note(.readAgain, by: Int(attendee.number), at: now + Int64(seconds * 1e9))
  }

  private func readAgain(_ attendee: Attendee, now: Int64) {
    attendee.isReading = true
    attendee.soundSince = now
    do throws(ClientTransport.End) {
      try attendee.transport.resumeReading(poller: poller)
    } catch {
      attendee.client.transportEnded(at: milliseconds(now), using: &workspace)
      flush(attendee, now: now)
    }
  }
}
