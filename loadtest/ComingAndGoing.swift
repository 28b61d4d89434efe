import EventLoop
import SignalingClient
import SignalingProtocol

// What is made of it when somebody has come in, and when a connection has ended.
extension LoadRun {
  func didJoin(_ attendee: Attendee, _ event: JoinedEvent, now: Int64) {
    let session = attendee.session
    switch event.place {
    case .waiting:
      didOpen(attendee, now: now)
      attendee.hasWaited = true
      if attendee.isHost, plan.scenario != .classroom {
        session.startAsked = milliseconds(now)
        _ = attendee.client.start(key: "load-start", using: &workspace)
      }
    case .ended: didReturn(attendee, event, now: now)
    case .present:
      session.chat.note(event.position)
      attendee.presenceSequence = attendee.client.presence?.sequence ?? 0
      if let peer = attendee.client.peer { session.places[peer] = attendee.place }
      let isNew = attendee.client.user.map { !session.attendance.isIn($0) } ?? false
      if let user = attendee.client.user {
        let asked = attendee.hasWaited ? session.startAsked : attendee.joinSent
        session.attendance.begin(user, asked: asked, answered: milliseconds(now))
      }
      if attendee.hasWaited, isNew, !attendee.isHost {
        measurements.admission.record(nanoseconds: now - session.startAsked * 1_000_000)
      }
      didOpen(attendee, now: now)
      if isNew {
        measurements.joins += 1
        measurements.lastJoin = now
      }
      if !attendee.hasJoined {
        attendee.hasJoined = true
        measurements.present += 1
      }
      if herd != nil, attendee.wasCut { noteReturn(attendee, event, now: now) }
      didReturn(attendee, event, now: now)
    }
  }

  private func didOpen(_ attendee: Attendee, now: Int64) {
    guard attendee.isOpening else { return }
    attendee.isOpening = false
    handshakes -= 1
    attendee.soundSince = attendee.connectStarted
    measurements.join.record(nanoseconds: now - attendee.connectStarted)
  }

  /// Who had lost the connection is in again.
  private func didReturn(_ attendee: Attendee, _ event: JoinedEvent, now: Int64) {
    guard attendee.expectation == .lost else { return }
    attendee.expectation = .here
    attendee.soundSince = now
    measurements.returned += 1
    measurements.comeBack.record(nanoseconds: now - attendee.connectStarted)
    if event.isRecovered {
      measurements.recovered += 1
    } else if attendee.wasSlow, event.notRecovered == .tooOld {
      // The class went on without somebody who did not listen: that is the bargain.
    } else if herd == nil, event.isResume {
      faults.note(
        .notRecovered, "\(name(of: attendee)) came back and was told \(event.notRecovered?.rawValue ?? "nothing")")
    }
    // Flags are false on entry and no durable command: who comes back says them again.
    if attendee.isMicrophoneOn { _ = attendee.client.setMedia(audio: true, using: &workspace) }
  }

  func didEnd(_ attendee: Attendee, _ end: Disconnection) {
    attendee.isReading = true
    if attendee.isOpening {
      attendee.isOpening = false
      handshakes -= 1
    }
    if case .leaving = attendee.expectation, end.isOwnWish, case .closed = end.cause {
      attendee.expectation = .away
      attendee.isAboutToLeave = false
      attendee.isMicrophoneOn = false
      if let user = attendee.client.user {
        attendee.session.attendance.left(user, at: milliseconds(now()))
      }
      return
    }
    if herd != nil, end.nextAttempt != nil {
      noteCut(attendee)
      return
    }
    if attendee.expectation == .lost, end.nextAttempt != nil { return }
    if attendee.wasSlow, end.nextAttempt != nil, isSlowEnd(end) {
      measurements.closedAsSlow += 1
      attendee.expectation = .lost
      attendee.session.excuseSignals(of: attendee)
      return
    }
    guard !attendee.isGone else { return }
    if isClosing, end.isOwnWish, case .closed = end.cause {
      attendee.isGone = true
      return
    }
    faults.note(isClosing ? .uncleanClose : .dropped, "\(name(of: attendee)): \(sentence(for: end, attendee))")
    attendee.session.excuseSignals(of: attendee)
    // Whether the seat was kept is not known: the fault is told, what follows from it is not.
    if let user = attendee.client.user { attendee.session.attendance.lose(user) }
    if end.nextAttempt != nil, !isClosing {
      attendee.expectation = .lost
      return
    }
    attendee.isGone = true
    if !attendee.hasJoined { measurements.gone += 1 }
    measurements.ended += 1
  }

  /// Whether the server has given up somebody who read too slowly: with 4001, or without anybody reading its Close.
  private func isSlowEnd(_ end: Disconnection) -> Bool {
    switch end.cause {
    case .closed(let code): code?.rawValue == 4001
    case .transport: true
    default: false
    }
  }

  private func sentence(for end: Disconnection, _ attendee: Attendee) -> String {
    switch end.cause {
    case .transport: attendee.transport.lastEnd?.description ?? "closed here"
    case .handshake(let failure): "handshake failed: \(failure)"
    case .closed(let code):
      code.map { "closed by the server with \($0.rawValue)" } ?? "closed by the server without a code"
    case .brokenFraming(let failure): "the server broke RFC 6455: \(failure.reason)"
    case .binaryMessage: "the server sent a binary message"
    case .timeout: "nothing came in time"
    }
  }

  // MARK: All at once

  private func noteReturn(_ attendee: Attendee, _ event: JoinedEvent, now: Int64) {
    guard attendee.returned == nil else { return }
    attendee.returned = now
    herd?.returned += 1
    herd?.attempt.record(nanoseconds: now - attendee.connectStarted)
    let most = max(herd?.mostAttempts ?? 0, attendee.failedAttempts + 1)
    herd?.mostAttempts = most
    if event.isRecovered { herd?.recovered += 1 }
    if let reason = event.notRecovered { herd?.notRecovered[reason, default: 0] += 1 }
  }

  private func noteCut(_ attendee: Attendee) {
    attendee.expectation = .lost
    if attendee.wasCut {
      attendee.failedAttempts += 1
      herd?.failedAttempts += 1
    } else {
      attendee.wasCut = true
      if case .outside = plan.herd { attendee.session.presence.beginAnew() }
      herd?.cut += 1
      if herd?.firstCut == nil { herd?.firstCut = now() }
    }
  }
}
