import Classroom
import RoomShard

/// Somebody who takes part over HTTP alone, and never has a socket.
final class Visitor {
  let identity: Identity
  let session: String
  /// The visit that goes on, as far as the visitor knows.
  var span: AttendanceModel.Span?
  /// When the question was asked that has no answer yet.
  var askedAt: Int64?

  init(session: String) {
    self.session = session
    identity = Identity(
      user: "visitor-\(session)", name: "Visitor", role: .participant, session: session, isGuest: false,
      expiresAt: Timestamp(milliseconds: .max))
  }
}

// What is asked over HTTP about being there, by visitors and by hosts who say who sits in the room.
extension World {
  /// A visitor does one thing after another.
  func receive(_ visitor: Visitor) {
    scheduler.after(behaviour.int64(500...7000) * 1000) { [unowned self] in
      guard !isCalm else { return }
      if serverNow - (visitor.askedAt ?? 0) > 10_000 { act(visitor) }
      receive(visitor)
    }
  }

  private func act(_ visitor: Visitor) {
    guard let span = visitor.span else { return come(visitor) }
    switch behaviour.int(0...99) {
    case 0..<70: sayToBeThere(visitor, span)
    case 70..<76: leave(visitor, span)
    case 76..<80: come(visitor)
    case 80..<86:
      question(.attendanceOf(user: visitor.identity.user), session: visitor.session, identity: visitor.identity) { _ in
      }
    case 86..<90:
      question(.checkIn(isCodeRight: false), session: visitor.session, identity: visitor.identity) { [unowned self] in
        if case .success = $0 { fail("authority", "somebody checked in without the code") }
      }
    case 90..<94:
      let (user, session) = (visitor.identity.user, visitor.session)
      let mayLead = promotions.mayLead(user, in: session)
      question(.checkInCode, session: session, identity: visitor.identity) { [unowned self] in
        guard case .success = $0, !mayLead, !promotions.mayLead(user, in: session) else { return }
        fail("authority", "a participant was shown the code")
      }
    default: break
    }
  }

  private func come(_ visitor: Visitor) {
    // Who was given up meanwhile comes anew, without knowing it.
    let known = visitor.span
    let span = spanFromOutside(of: visitor.identity.user, visitor.session)
    visitor.span = span
    visitor.askedAt = serverNow
    let request: RoomRequest = behaviour.chance(0.7) ? .joinLive : .join
    question(request, session: visitor.session, identity: visitor.identity) { [unowned self] result in
      visitor.askedAt = nil
      switch result {
      case .success:
        span.begun = serverNow
        span.connection.lostAt = serverNow
      case .failure(.storageUnavailable): break
      case .failure(let refusal):
        attendance.remove(span)
        if visitor.span === span { visitor.span = refusal == .alreadyIn ? known : nil }
      }
    }
  }

  private func sayToBeThere(_ visitor: Visitor, _ span: AttendanceModel.Span) {
    let asked = serverNow
    visitor.askedAt = asked
    let known = span.connection.lostAt
    span.connection.lostAt = asked + 30_000
    question(.heartbeat, session: visitor.session, identity: visitor.identity) { [unowned self] result in
      visitor.askedAt = nil
      switch result {
      case .success:
        // What is said twice in a second is written down once.
        span.connection.lastHeard = max(span.connection.lastHeard, asked - 1000)
        span.connection.lostAt = serverNow
      case .failure(.storageUnavailable): break
      case .failure:
        span.connection.lostAt = known
        visitor.span = nil
      }
    }
  }

  private func leave(_ visitor: Visitor, _ span: AttendanceModel.Span) {
    let asked = serverNow
    visitor.askedAt = asked
    span.connection.lostAt = asked + 30_000
    question(.leave, session: visitor.session, identity: visitor.identity) { [unowned self] result in
      visitor.askedAt = nil
      guard case .success = result else { return }
      // Who had been given up before has left long since.
      span.end = .left(earliest: span.connection.lastHeard, latest: serverNow)
      visitor.span = nil
    }
  }

  // MARK: Vouching

  /// A host says now and then of somebody to sit in the room, and then to have gone.
  func vouch(for user: String, in session: String, since span: AttendanceModel.Span? = nil) {
    scheduler.after(behaviour.duration(mean: scenario.pace * 6) * 1000) { [unowned self] in
      guard !isCalm else { return }
      if let span { sayHasGone(user, session, span) } else { sayIsThere(user, session) }
    }
  }

  private func sayIsThere(_ user: String, _ session: String) {
    let asked = serverNow
    let command = Command.markPresent(user: user, name: behaviour.chance(0.5) ? "Walk-in" : nil)
    // The server may do it and not live to say so.
    let uncertain = AttendanceModel.Span(
      user: user, session: session, asked: 0, connection: AttendanceModel.Connection())
    attendance.add(uncertain)
    ask(command, session) { [unowned self] result in
      if case .failure(.storageUnavailable(isCertain: false)) = result { return }
      attendance.remove(uncertain)
      switch result {
      case .success(.performed(_, let view, _)):
        // After the class it is about all of it.
        let begin = view.status.isLive ? asked : 0
        let span = AttendanceModel.Span(
          user: user, session: session, asked: begin, connection: AttendanceModel.Connection())
        span.begun = view.status.isLive ? serverNow : nil
        attendance.add(span)
        vouch(for: user, in: session, since: span)
      default: vouch(for: user, in: session)
      }
    }
  }

  private func sayHasGone(_ user: String, _ session: String, _ span: AttendanceModel.Span) {
    let asked = serverNow
    // The server may do it and not live to say so.
    span.connection.lastHeard = asked
    span.end = .lost(span.connection, leaving: nil)
    ask(.markGone(user: user), session) { [unowned self] result in
      switch result {
      case .success:
        span.end = .left(earliest: asked, latest: serverNow)
        vouch(for: user, in: session)
      case .failure(.storageUnavailable(isCertain: false)): break
      default:
        span.end = .open
        vouch(for: user, in: session, since: span)
      }
    }
  }

  private func ask(
    _ command: Command, _ session: String, _ answer: @escaping (Result<RoomAnswer, Refusal>) -> Void
  ) {
    question(
      .perform(command, key: behaviour.chance(0.3) ? "mark-\(nextText())" : nil), session: session,
      identity: person("host-\(session)")?.identity, answer)
  }
}
