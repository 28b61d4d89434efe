import EventLoop
import JSON
import SignalingProtocol

// What an attendee does with what it hears.
extension LoadRun {
  /// A text message has come.
  func take(_ bytes: UnsafeRawBufferPointer, for attendee: Attendee, now: Int64) {
    if attendee.presence != nil, let delta = attendee.session.knownDelta(bytes) {
      apply(delta, for: attendee)
      return
    }
    do throws(JSONError) {
      let message = try reader.read(bytes)
      guard let type = message["type"], type.kind == .string else { return malformed(bytes, for: attendee) }
      let isRead = dispatch(message, type, bytes, for: attendee, now: now)
      if !isRead { malformed(bytes, for: attendee) }
    } catch {
      malformed(bytes, for: attendee)
    }
  }

  private func malformed(_ bytes: UnsafeRawBufferPointer, for attendee: Attendee) {
    faults.note(.malformed, "\(name(of: attendee)) got \(String(decoding: bytes.prefix(300), as: UTF8.self))")
  }

  /// - Returns: false when a field is missing that the protocol promises.
  private func dispatch(
    _ message: JSONView, _ type: JSONView, _ bytes: UnsafeRawBufferPointer, for attendee: Attendee, now: Int64
  ) -> Bool {
    if type.equals("chat.message") { return takeChat(message, for: attendee, now: now) }
    if type.equals("ok") { return takeAnswer(message, for: attendee, now: now) }
    if type.equals("signal") { return takeSignal(message, for: attendee, now: now) }
    if type.equals("presence.diff") { return takeDifference(message, bytes, for: attendee) }
    if type.equals("presence.count") { return takeCount(message, for: attendee) }
    if type.equals("session.joined") { return takeJoined(message, for: attendee, now: now) }
    if type.equals("session.status") { return takeStatus(message, for: attendee) }
    if type.equals("ready") { return takeReady(message, for: attendee, now: now) }
    if type.equals("error") {
      let code = message["code"]?.string ?? "no code"
      let sentence = message["message"]?.string ?? ""
      faults.note(.refused, "\(name(of: attendee)) was refused with \(code): \(sentence)")
    }
    // What else there is says nothing that is checked here; types that are not known are to be ignored.
    return true
  }

  // MARK: Coming in

  private func takeReady(_ message: JSONView, for attendee: Attendee, now: Int64) -> Bool {
    guard let user = message["user"]?["id"]?.string else { return false }
    if let expected = attendee.user {
      if user != expected { faults.note(.contradictory, "\(name(of: attendee)) is called \(user) by the server") }
      return true
    }
    attendee.user = user
    _ = attendee.session.roster.number(of: user)
    sendJoin(of: attendee, now: now)
    return true
  }

  /// The socket is open: who has a token of their own need not wait for `ready`.
  func greet(_ attendee: Attendee, now: Int64) {
    send(attendee.hello, from: attendee)
    if attendee.user != nil { sendJoin(of: attendee, now: now) }
  }

  private func sendJoin(of attendee: Attendee, now: Int64) {
    attendee.joinSent = now
    send(ClientMessages.join(attendee.session.id, presence: attendee.presenceMode), from: attendee)
  }

  private func takeJoined(_ message: JSONView, for attendee: Attendee, now: Int64) -> Bool {
    guard let state = message["state"] else { return false }
    if state.equals("waiting") {
      attendee.state = .waiting
      if attendee.isHost { send(ClientMessages.start(), from: attendee) }
      return true
    }
    guard state.equals("present"), let peer = message["peer"]?.string,
      let included = message["streams"]?["room"]?.integer, included >= 0,
      let presence = message["presence"], let known = presenceState(presence, for: attendee)
    else { return false }
    if attendee.state == .present {
      faults.note(.contradictory, "\(name(of: attendee)) was told twice of the join")
      return true
    }
    attendee.state = .present
    attendee.joined = now
    attendee.peer = peer
    attendee.session.places[peer] = attendee.place
    attendee.stream = StreamChecker(after: UInt64(included))
    attendee.session.chat.note(UInt64(included))
    attendee.presence = PresenceView(mode: attendee.presenceMode, state: known)
    checkPresence(of: attendee)
    if let next = known.next { send(ClientMessages.page(after: next), from: attendee) }
    didJoin(attendee, now: now)
    return true
  }

  private func takeStatus(_ message: JSONView, for attendee: Attendee) -> Bool {
    guard let isLive = message["is_live"]?.boolean else { return false }
    if let sequence = message["seq"]?.integer, sequence >= 0 { takeEvent(UInt64(sequence), for: attendee) }
    if !isLive, attendee.state == .present { attendee.state = .reading }
    return true
  }

  // MARK: Events of the stream

  private func takeEvent(_ sequence: UInt64, for attendee: Attendee) {
    guard attendee.stream != nil else {
      // An event that the state does not cover, before the state: the order is broken.
      faults.note(.reordered, "\(name(of: attendee)) got event \(sequence) before its state")
      return
    }
    measurements.delivered += 1
    attendee.session.chat.note(sequence)
    let last = attendee.stream?.last ?? 0
    switch attendee.stream?.receive(sequence) {
    case .inOrder, nil: break
    case .gap(let count): tell("\(name(of: attendee)) got event \(sequence) after \(last): \(count) missing")
    case .late: tell("\(name(of: attendee)) got event \(sequence) after \(last), too late")
    case .duplicate: tell("\(name(of: attendee)) got event \(sequence) again, after \(last)")
    }
  }

  private func takeChat(_ message: JSONView, for attendee: Attendee, now: Int64) -> Bool {
    guard let sequence = message["seq"]?.integer, sequence >= 0, let user = message["user"], let text = message["text"]
    else { return false }
    takeEvent(UInt64(sequence), for: attendee)
    let session = attendee.session
    guard let number = text.unescapedBytes.flatMap(chatText.message(of:)), let entry = session.chat[number] else {
      faults.note(.contradictory, "\(name(of: attendee)) got event \(sequence) with a text that nobody sent")
      return true
    }
    if session.chat.see(number, as: UInt64(sequence)) == .contradiction {
      faults.note(.contradictory, "\(name(of: attendee)) got message \(number) as event \(sequence), others did not")
    }
    let sender = session.people[entry.sender]
    if let expected = sender.user, !user.equals(expected) {
      faults.note(.contradictory, "\(name(of: attendee)) got message \(number) as one of \(user.string ?? "nobody")")
    }
    if sender === attendee { measurements.record(\.chatRoundTrip, due: entry.due, now: now) }
    return true
  }

  private func takeAnswer(_ message: JSONView, for attendee: Attendee, now: Int64) -> Bool {
    guard let id = message["id"]?.integer else { return false }
    let session = attendee.session
    if id > ClientMessages.ID.firstChat {
      let number = Int(id - ClientMessages.ID.firstChat)
      guard let sequence = message["seq"]?.integer, sequence >= 0 else { return false }
      guard let entry = session.chat[number], session.people[entry.sender] === attendee,
        session.chat.acknowledge(number, as: UInt64(sequence)) == .consistent
      else {
        faults.note(.contradictory, "\(name(of: attendee)) is told that message \(number) is event \(sequence)")
        return true
      }
      measurements.record(\.chatAcknowledgement, due: entry.due, now: now)
    } else if id == ClientMessages.ID.page {
      guard let participants = message["participants"], let next = message["next"] else { return false }
      guard let members = members(participants, of: attendee.session) else { return false }
      let cursor = next.integer.flatMap { UInt64(exactly: $0) }
      attendee.presence?.add(page: members, next: cursor)
      if let cursor { send(ClientMessages.page(after: cursor), from: attendee) }
    }
    return true
  }

  // MARK: Presence

  private func members(_ participants: JSONView, of session: ClassSession) -> [Int]? {
    guard participants.kind == .array else { return nil }
    var members: [Int] = []
    members.reserveCapacity(participants.count)
    for participant in participants.elements {
      guard let user = participant["user"]?.string else { return nil }
      members.append(session.roster.number(of: user))
    }
    return members
  }

  private func presenceState(_ view: JSONView, for attendee: Attendee) -> PresenceState? {
    guard let mode = view["mode"], mode.equals(attendee.presenceMode.rawValue),
      let sequence = view["presence_seq"]?.integer.flatMap(UInt64.init(exactly:)),
      let count = view["count"]?.integer.flatMap(Int.init(exactly:)), let participants = view["participants"],
      let members = members(participants, of: attendee.session), let next = view["next"]
    else { return nil }
    return PresenceState(
      sequence: sequence, count: count, members: members, next: next.integer.flatMap { UInt64(exactly: $0) })
  }

  private func takeDifference(_ message: JSONView, _ bytes: UnsafeRawBufferPointer, for attendee: Attendee) -> Bool {
    guard let sequence = message["presence_seq"]?.integer.flatMap(UInt64.init(exactly:)),
      let count = message["count"]?.integer.flatMap(Int.init(exactly:)),
      let joined = message["joined"].flatMap({ members($0, of: attendee.session) }),
      let updated = message["updated"].flatMap({ members($0, of: attendee.session) }),
      let left = message["left"].flatMap({ members($0, of: attendee.session) })
    else { return false }
    let delta = PresenceDelta(sequence: sequence, count: count, present: joined + updated, left: left)
    attendee.session.remember(delta, bytes: bytes)
    apply(delta, for: attendee)
    return true
  }

  private func apply(_ delta: PresenceDelta, for attendee: Attendee) {
    measurements.presenceMessages += 1
    attendee.presence?.apply(delta)
    checkPresence(of: attendee)
  }

  private func takeCount(_ message: JSONView, for attendee: Attendee) -> Bool {
    guard let sequence = message["presence_seq"]?.integer.flatMap(UInt64.init(exactly:)),
      let count = message["count"]?.integer.flatMap(Int.init(exactly:))
    else { return false }
    measurements.presenceMessages += 1
    attendee.presence?.apply(count: count, sequence: sequence)
    return true
  }

  private func checkPresence(of attendee: Attendee) {
    guard let presence = attendee.presence, !presence.isConsistent else { return }
    attendee.presenceMismatches += 1
    faults.note(
      .presence,
      "\(name(of: attendee)) knows \(presence.memberCount) people and is told of \(presence.announcedCount)")
  }

  // MARK: Signals

  private func takeSignal(_ message: JSONView, for attendee: Attendee, now: Int64) -> Bool {
    guard let from = message["from"]?.string, let isPolite = message["polite"]?.boolean,
      let payload = message["payload"], let number = payload["number"]?.integer.flatMap(Int.init(exactly:)),
      let isBack = payload["back"]?.boolean
    else { return false }
    let session = attendee.session
    if let before = attendee.isPolite, before != isPolite {
      faults.note(.signalsWrong, "\(name(of: attendee)) is sometimes the polite side of its pair and sometimes not")
    }
    attendee.isPolite = isPolite
    guard let place = session.places[from] else {
      faults.note(.signalsWrong, "\(name(of: attendee)) got signal \(number) from an unknown peer")
      return true
    }
    if isBack {
      guard let entry = session.signals.complete(number, at: attendee.place) else { return true }
      measurements.record(\.signalRoundTrip, due: entry.due, now: now)
    } else if session.signals.reach(number, from: place) {
      send(ClientMessages.signal(number, to: from, isBack: true), from: attendee)
    }
    return true
  }
}
