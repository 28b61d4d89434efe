import Classroom
import JSON
import SignalingProtocol
import WebSocketCore

/// One tab of somebody: a connection that comes and goes, and what is typed and clicked in it.
final class Tab {
  enum Phase {
    case offline
    case opening
    case greeting
    case ready
    case joining
    case joined
    case leaving
  }

  /// A command that waits for its answer.
  struct Sent {
    var type: String
    var text: String?
    var key: String?
    var before: Int64?
    var limit = 50
    var target: String?
    var number: Int64 = 0
    /// The number of the newest event that the tab had.
    var known: Int64 = 0
    var time: Int64
    var mustFail: String?
    /// The token that is brought.
    var token: String?
    /// What may end somebody's attendance.
    var expulsion: AttendanceModel.Expulsion?
    /// What may let somebody lead the class.
    var promotion: Promotions.Promotion?
    /// Who leads the class no longer once it is done.
    var demoted: String?
  }

  let person: Person
  let name: String
  unowned let world: World
  let view: TabView
  private(set) var phase = Phase.offline
  private(set) var link: Link?
  private(set) var connection: AttendanceModel.Connection?
  private var handshake: WebSocketClientHandshake?
  private var frames: WebSocketConnection?
  /// The client machine that drives this tab, or nil when it is driven by hand.
  let machine: ClientMachine?
  private var reader = JSONReader()
  private var writer = JSONWriter(reserving: 256)
  private var unsent: [UInt8] = []
  private(set) var pending: [Int64: Sent] = [:]
  private var nextID: Int64 = 1
  private var isReading = true
  private var isWoken = false
  private var randomness: Randomness
  /// Grows with each connection, so that what was planned for an older one is dropped.
  private var generation = 0
  private var spans: [AttendanceModel.Span] = []
  /// Keyed commands whose outcome is not known: repeated under the same key.
  private var unsettled: [(text: String, key: String)] = []
  /// Keyed commands that were answered: sometimes repeated too.
  private var settled: [(text: String, key: String)] = []
  private var ticket: String?
  private var resume: ResumeAttempt?
  private(set) var isGone = false
  /// Its user has closed it, and its connection is being closed.
  private var isClosing = false
  /// When the last connection was lost, and how often the server and its disk had been in trouble by then.
  private var droppedAt: Int64 = 0
  private var leftAt: Int64?
  private var lostConnection: AttendanceModel.Connection?
  private var disturbances = 0
  /// As many there had been when the tab last asked to come in: what it is told may be old when it reads that.
  private var disturbancesWhenAsked = 0
  private var failures = 0
  /// When the token that the connection came with ends, by the server's clock; nil when it came with a ticket or as a guest.
  private var tokenExpiry: Int64?

  init(person: Person, number: Int, world: World, randomness: Randomness, hasMachine: Bool) {
    var randomness = randomness
    machine = hasMachine ? ClientMachine(person: person, presence: .full, randomness: randomness.split()) : nil
    self.person = person
    self.world = world
    self.randomness = randomness
    name = "\(person.label)#\(number)"
    let label = name
    view = TabView(user: person.user, history: world.history) { [unowned world] invariant, detail in
      world.fail(invariant, "\(label): \(detail)")
    }
    view.session = person.session
  }

  private func note(_ what: @autoclosure () -> String) { world.note(name, what) }

  // MARK: Connecting

  func connect(ticket: String? = nil) {
    guard phase == .offline, !isGone else { return }
    generation += 1
    phase = .opening
    self.ticket = ticket
    let link = world.newLink()
    self.link = link
    let connection = AttendanceModel.Connection()
    self.connection = connection
    link.record = connection
    let current = generation
    note("connects, link \(link.number)")
    link.down.onReadable = { [unowned self] in
      if current == generation { wake() }
    }
    link.up.onWritable = { [unowned self] in
      if current == generation { flush() }
    }
    frames = nil
    world.deliver(link)
    // Who gets nowhere gives up.
    after(randomness.int64(8000...15_000)) { tab in
      if tab.phase == .opening || tab.phase == .greeting { tab.drop(abruptly: true) }
    }
    if let machine { return openByMachine(machine) }
    var key: [UInt8] = []
    for _ in 0..<16 { key.append(UInt8(truncatingIfNeeded: randomness.next())) }
    guard
      let handshake = try? WebSocketClientHandshake(
        host: "class.example", path: "/ws", key: key, subprotocols: ["rollcall.v1"])
    else { return }
    self.handshake = handshake
    unsent = handshake.request
    flush()
  }

  func after(_ milliseconds: Int64, _ action: @escaping (Tab) -> Void) {
    let current = generation
    world.scheduler.after(milliseconds * 1000) { [unowned self] in
      if current == generation, !isGone { action(self) }
    }
  }

  private func wake() {
    guard !isWoken, isReading else { return }
    isWoken = true
    world.scheduler.after(randomness.int64(20...400)) { [unowned self] in
      isWoken = false
      if isReading { read() }
    }
  }

  private func flush() {
    guard !unsent.isEmpty, let link else { return }
    guard let count = link.writeUp(unsent) else { return drop(abruptly: true) }
    unsent.removeFirst(count)
  }

  private func read() {
    while let link, isReading {
      switch link.down.read(upTo: link.readSize(65_536)) {
      case .bytes(var bytes):
        bytes.withUnsafeMutableBytes { input in
          take(input)
          if let machine, phase != .offline { takeByMachine(machine, input) }
        }
      case .wouldBlock: return
      case .endOfStream: return drop(abruptly: false)
      case .failed: return drop(abruptly: true)
      }
    }
  }

  private func take(_ input: UnsafeMutableRawBufferPointer) {
    var consumed = 0
    if frames == nil, let machine {
      // Its handshake is its own; what follows the empty line is read along.
      while consumed < input.count, !machine.response.suffix(4).elementsEqual([13, 10, 13, 10]) {
        machine.response.append(input[consumed])
        consumed += 1
      }
      guard machine.response.suffix(4).elementsEqual([13, 10, 13, 10]) else { return }
      frames = WebSocketConnection(role: .client, limits: WebSocketLimits(maximumMessageBytes: 1 << 20))
      phase = .greeting
    } else if frames == nil {
      do {
        guard case .accepted? = try handshake?.receive(UnsafeRawBufferPointer(input), consumed: &consumed) else {
          return
        }
      } catch {
        world.fail("handshake", "\(name): \(error)")
        return
      }
      frames = WebSocketConnection(role: .client, limits: WebSocketLimits(maximumMessageBytes: 1 << 20))
      handshake = nil
      phase = .greeting
    }
    let current = generation
    while current == generation, let event = frames?.next(input, consumed: &consumed) {
      switch event {
      case .text(let payload): receive(payload)
      case .binary: world.fail("frames", "\(name): a binary message")
      case .ping(let payload): if machine == nil { sendFrame(.pong, [UInt8](payload)) }
      case .pong: break
      case .close(let code, _):
        note("is closed with \(code.map { "\($0.rawValue)" } ?? "no code")")
        if code?.rawValue == 4003 { view.forgetResume() }
        if machine == nil, let frame = frames?.closeFrame(code: code, maskingKey: maskingKey()) { write(frame) }
      case .failure(let failure): world.fail("frames", "\(name): \(failure)")
      }
    }
  }

  private func maskingKey() -> WebSocketMaskingKey {
    WebSocketMaskingKey(random: UInt32(truncatingIfNeeded: randomness.next()))
  }

  private func sendFrame(_ opcode: WebSocketOpcode, _ payload: [UInt8]) {
    guard frames?.isOpen == true else { return }
    write(WebSocketFrame.bytes(opcode, payload: payload, maskingKey: maskingKey()))
  }

  func write(_ bytes: [UInt8]) {
    let isFirst = unsent.isEmpty
    unsent += bytes
    if isFirst { flush() }
  }

  /// The connection is over, as this tab sees it.
  /// - Parameter abruptly: by a reset, not by an orderly end.
  func drop(abruptly: Bool) {
    guard phase != .offline, let link else { return }
    note(abruptly ? "loses its connection" : "is disconnected")
    link.clientClosed(abruptly: abruptly)
    world.forget(link)
    self.link = nil
    generation += 1
    phase = .offline
    handshake = nil
    frames = nil
    unsent = []
    isReading = true
    for id in pending.keys.sorted() where machine == nil {
      guard let sent = pending[id], let text = sent.text, let key = sent.key, sent.type == "chat.send" else { continue }
      if !unsettled.contains(where: { $0.key == key }) { unsettled.append((text, key)) }
    }
    pending = [:]
    if let connection {
      for span in spans where isOpen(span) {
        // A leave that was not answered may have been done.
        span.end = .lost(connection, leaving: leftAt)
      }
    }
    let wasLeaving = leftAt != nil
    leftAt = nil
    spans = []
    view.forget()
    droppedAt = wasLeaving ? .min / 2 : world.serverNow
    lostConnection = wasLeaving ? nil : connection
    failures += 1
    if isClosing { isGone = true }
    if !isGone {
      let current = generation
      var wait = randomness.int64(50...min(10_000, 400 << Int64(min(failures, 5))))
      if let machine {
        machine.client.transportEnded(at: world.scheduler.milliseconds, using: &machine.workspace)
        while machine.client.nextEvent() != nil {}
        if let attempt = machine.client.nextAttempt { wait = max(1, attempt - world.scheduler.milliseconds) }
      }
      world.scheduler.after(wait * 1000) { [unowned self] in
        if current == generation { connect() }
      }
    }
  }

  private func isOpen(_ span: AttendanceModel.Span) -> Bool {
    if case .open = span.end { return true }
    return false
  }

  /// Closes the tab for good.
  func close() {
    note("is closed by its user")
    if let machine, isJoined, randomness.chance(0.6) {
      isClosing = true
      machine.client.close(at: world.scheduler.milliseconds, using: &machine.workspace)
      return pump(machine)
    }
    isGone = true
    drop(abruptly: randomness.chance(0.5))
  }

  /// The network is gone without a word; the tab notices some time later.
  func loseNetwork() {
    link?.lose()
    after(randomness.int64(200...40_000)) { $0.drop(abruptly: true) }
  }

  func stopReading(for milliseconds: Int64) {
    isReading = false
    after(milliseconds) { tab in
      tab.isReading = true
      tab.wake()
    }
  }

  // MARK: Sending

  /// Sends a command and remembers that it is to be answered.
  func send(_ type: String, _ sent: Sent? = nil, withID: Bool = true, _ body: (inout JSONWriter) -> Void = { _ in }) {
    guard frames?.isOpen == true else { return }
    writer.removeAll()
    writer.beginObject()
    writer.field("type", type)
    if withID {
      writer.field("id", nextID)
      pending[nextID] = sent ?? Sent(type: type, time: world.serverNow)
      nextID += 1
    }
    body(&writer)
    writer.endObject()
    let bytes = writer.bytes
    note("→ \(String(decoding: bytes, as: UTF8.self))")
    sendFrame(.text, bytes)
  }

  func sendRaw(_ text: String) {
    note("→ \(text)")
    sendFrame(.text, Array(text.utf8))
  }

  func sendBinary() { sendFrame(.binary, [1, 2, 3]) }

  var isJoined: Bool { phase == .joined && frames?.isOpen == true }
  var isIdle: Bool { unsent.isEmpty && pending.count < 40 && isReading }

  private func hello() {
    if randomness.chance(world.mischief) {
      switch randomness.int(0...3) {
      case 0: return  // says nothing, and is turned away
      case 1: return send("hello") { $0.field("token", "nonsense") }
      case 2:
        send("session.join", Sent(type: "early", time: world.serverNow, mustFail: "hello_expected")) {
          $0.field("session", person.session)
        }
      default:
        send("chat.send", Sent(type: "early", time: world.serverNow, mustFail: "hello_expected")) {
          $0.field("text", "early")
        }
      }
    }
    send("hello") { writer in
      if let ticket {
        writer.field("ticket", ticket)
      } else if let token = freshToken() {
        writer.field("token", token)
      } else {
        writer.field("guest", person.label)
      }
    }
    ticket = nil
  }

  /// A token that the platform has just made, or the one of a guest.
  func freshToken(as role: Role? = nil) -> String? {
    person.token(until: world.serverNow + (world.isCalm ? 86_400_000 : world.scenario.tokenLifetime), as: role)
  }

  /// After how long somebody brings a new token who was told that theirs ends; nil for who forgets it.
  func renewalPause() -> Int64? { randomness.chance(0.75) ? randomness.int64(1...20_000) : nil }

  /// Brings a new token, or one that is none.
  private func renew() {
    guard frames?.isOpen == true, phase == .joined, let token = freshToken() else { return }
    var sent = Sent(type: "token.renew", time: world.serverNow, token: token)
    if randomness.chance(world.mischief * 10) {
      let isForeign = randomness.chance(0.5)
      sent.mustFail = isForeign ? "bad_token" : "token_expired"
      sent.token =
        isForeign
        ? "somebody|else|admin||0|\(Int64.max)" : person.token(until: world.serverNow - 3_600_000)
      if person.isGuest, !isForeign { return }
    } else if person.identity?.role == .cohost, randomness.chance(0.5) {
      sent.token = freshToken(as: .participant)
    }
    guard let token = sent.token else { return }
    send("token.renew", sent) { $0.field("token", token) }
  }

  private func expiring(_ message: JSONView) {
    guard let left = message["in_ms"]?.integer, let at = message["at"]?.integer,
      let expiry = message["expires_at"]?.string.flatMap(RFC3339.parse)
    else { return world.fail("form", "\(name): an expiry that lacks a field") }
    if left < 0 || left > world.patience.tokenWarning || expiry.milliseconds != at + left {
      world.fail("tokens", "\(name): told \(left) ms before the end at \(expiry.milliseconds)")
    }
    if let tokenExpiry, tokenExpiry != expiry.milliseconds {
      world.fail("tokens", "\(name): the token ends at \(tokenExpiry)")
    }
    if machine == nil, let pause = renewalPause() { after(pause) { $0.renew() } }
  }

  func join() {
    guard phase == .ready, machine == nil else { return }
    willJoin(resuming: view.resumeToken != nil)
    let mode = randomness.pick([nil, "full", "full", "full", "count", "hosts", "none"]) ?? nil
    var (token, epoch, room) = (view.resumeToken, view.epoch, view.room)
    if resume != nil, randomness.chance(world.mischief * 3) {
      switch randomness.int(0...3) {
      case 0: token = nil
      case 1:
        token = "forged"
        resume?.mustKeepPeer = false
        resume?.mustFail = "token_invalid"
      case 2:
        epoch = "eother"
        resume?.mustFail = "epoch_changed"
      default:
        room = 1 << 40
        resume?.mustFail = "ahead"
      }
    }
    if token == nil { resume = nil }
    if randomness.chance(0.1) { send("sessions.watch") }
    send("session.join") { writer in
      writer.field("session", view.session)
      if let mode { writer.field("presence", mode) }
      guard let token else { return }
      writer.key("resume")
      writer.beginObject()
      writer.field("token", token)
      writer.field("epoch", epoch)
      writer.key("streams")
      writer.beginObject()
      writer.field("room", room)
      if let hosts = view.conduct.hosts { writer.field("hosts", hosts) }
      writer.key("user:\(view.user)")
      writer.integer(view.conduct.own)
      writer.endObject()
      writer.field("signal_seq", view.signalSequence)
      writer.endObject()
    }
  }

  /// A join goes out.
  func willJoin(resuming: Bool) {
    guard let connection else { return }
    phase = .joining
    view.cameAt = world.scheduler.now
    if person.isVisible {
      let span = AttendanceModel.Span(
        user: person.user, session: view.session, asked: world.serverNow, connection: connection)
      spans.append(span)
      world.attendance.add(span)
    }
    let isSoon =
      view.wasPresent && world.serverNow - (lostConnection?.lostAt ?? droppedAt) < 15_000
      && world.disturbances == disturbances && !person.hasSeveralTabs
    disturbancesWhenAsked = world.disturbances
    resume = resuming ? ResumeAttempt(room: view.room, mustKeepPeer: isSoon) : nil
    resume?.mayHaveNothing = view.room == 0 && world.clockJump < 0
    // What was said before the tab came to wait was never told to it.
    if view.lacksState { resume?.mustFail = "too_old" }
  }

  /// A leave goes out.
  func willLeave() {
    phase = .leaving
    leftAt = world.serverNow
  }

  func expectAnswer(to id: Int64, _ sent: Sent) { pending[id] = sent }

  func leave() {
    guard isJoined else { return }
    willLeave()
    send("session.leave")
  }

  func say(_ text: String, key: String?, withID: Bool = true) {
    guard isJoined else { return }
    world.history.willSay(text, session: view.session, user: view.user, at: world.serverNow)
    send("chat.send", Sent(type: "chat.send", text: text, key: key, time: world.serverNow), withID: withID) { writer in
      writer.field("text", text)
      if let key { writer.field("key", key) }
    }
  }

  /// Says something again under the key it had.
  func repeatSettled() {
    guard let (text, key) = randomness.pick(settled) else { return }
    say(text, key: key)
  }

  /// Uses a key that was used for something else.
  func conflict() {
    guard isJoined, let (_, key) = randomness.pick(settled) else { return }
    send("chat.send", Sent(type: "conflict", key: key, time: world.serverNow, mustFail: "key_conflict")) {
      $0.field("text", "something else")
      $0.field("key", key)
    }
  }

  // MARK: Receiving

  private func receive(_ payload: UnsafeRawBufferPointer) {
    note("← \(String(decoding: payload, as: UTF8.self))")
    world.didReceive(payload)
    let message: JSONView
    do throws(JSONError) {
      message = try reader.read(payload)
    } catch {
      return world.fail("form", "\(name): not JSON: \(error)")
    }
    guard let type = message["type"]?.string else { return world.fail("form", "\(name): a message without a type") }
    let id = message["id"]?.integer
    var sent: Sent?
    if let id {
      sent = pending.removeValue(forKey: id)
      if sent == nil { world.fail("answers", "\(name): an answer to \(id), which is not asked or was answered") }
    }
    switch type {
    case "welcome": if machine == nil { hello() }
    case "ready":
      phase = machine == nil ? .ready : .joining
      failures = 0
      person.greeted(message)
      tokenExpiry = message["expires_at"]?.string.flatMap(RFC3339.parse)?.milliseconds
      view.session = person.session
      if message["user"]?["id"]?.string != person.user { world.fail("identity", "\(name): greeted as another") }
      view.user = person.user
      for span in spans { span.user = person.user }
      let pause = randomness.int64(1...300)
      if machine == nil, randomness.chance(0.2) {
        send("sessions.watch")
        after(pause + randomness.int64(0...8000)) { $0.join() }
      } else {
        after(pause) { $0.join() }
      }
    case "session.joined": joined(message, isAnswer: id != nil)
    case "session.status" where view.state == .outside: break
    case "session.starting" where view.state == .outside: break
    case "sessions.changed": view.listed(message)
    case "session.status":
      view.statusChanged(message)
      noteStatus()
      if view.state == .waiting, ["cancelled", "expired", "pending_approval"].contains(view.status) { sentAway() }
    case "room.policy", "room.spotlight", "chat.edited", "chat.deleted", "chat.reaction", "chat.pinned",
      "participant.muted", "participant.unmute_asked", "participant.role", "participant.removed", "participant.banned",
      "hand.lowered", "hands.lowered":
      view.conductEvent(type, message)
    case "room.stage", "stage.removed": view.conductEvent(type, message)
    case "ice_servers": view.iceServers(message)
    case "chat.typing": break
    case "chat.message": view.chatMessage(message)
    case "presence.state":
      view.presenceState(message)
    case "presence.diff": view.presenceDifference(message)
    case "presence.count": view.presenceCount(message)
    case "waiting.count": view.waiting(message)
    case "attendance.summary": view.attendanceSummary(message)
    case "session.updated": view.updated(message)
    case "session.starting": view.starting(message)
    case "session.reminder": break
    case "waiting.state": view.lobby(message)
    case "waiting.denied", "session.deleted", "session.dismissed": sentAway()
    case "signal": view.signal(message)
    case "token.expiring": expiring(message)
    case "pong", "server.draining": break
    case "ok": if let sent { answered(sent, message) }
    case "error": refused(sent, message)
    default: world.fail("form", "\(name): an unknown message \(type)")
    }
    world.afterMessage()
  }

  private func joined(_ message: JSONView, isAnswer: Bool) {
    if isAnswer {
      phase = .joined
      disturbances = disturbancesWhenAsked
    }
    if !isAnswer, view.state == .ended { world.coverage.noteReopening() }
    view.joined(message, isAnswer: isAnswer, resume: isAnswer ? resume : nil)
    if view.state == .present, let at = message["at"]?.integer { spans.last?.begin(at: at) }
    noteStatus()
    guard isAnswer else { return }
    for (text, key) in unsettled { say(text, key: key) }
    unsettled = []
  }

  /// The session lets this tab no longer wait, or read.
  private func sentAway() {
    for span in spans where span.begun == nil { world.attendance.remove(span) }
    spans = []
    view.forget()
    view.forgetResume()
    guard phase == .joined || phase == .leaving else { return }
    phase = .ready
    let pause = randomness.int64(1000...20_000)
    after(pause) { $0.join() }
  }

  /// Whose class has ended reads on, and is there again when it goes on.
  private func noteStatus() {
    guard view.state == .ended, let last = spans.last else { return }
    if last.begun == nil { return }
    spans = [last.readingOn()]
    for span in spans { world.attendance.add(span) }
  }

  private func answered(_ sent: Sent, _ message: JSONView) {
    if let expected = sent.mustFail { return world.fail("refusals", "\(name): \(sent.type) must be \(expected)") }
    if let expulsion = sent.expulsion {
      // Who came in between question and answer has lost the address since.
      world.disturb()
      expulsion.answered = world.serverNow
    }
    sent.promotion?.answered = world.serverNow
    if let user = sent.demoted { world.promotions.demoted(user, in: view.session, asked: sent.time) }
    switch sent.type {
    case "chat.send":
      guard let text = sent.text, let number = message["seq"]?.integer, let at = message["at"]?.integer,
        let id = message["message_id"]?.string
      else { return world.fail("form", "\(name): an answer that lacks a field") }
      world.history.acknowledged(text, sequence: number, at: at, messageID: id, receivedAt: world.serverNow)
      if let key = sent.key, settled.count < 40 { settled.append((text, key)) }
    case "chat.history":
      let newest = message["messages"].map { $0.elements.reduce(0) { max($0, $1["seq"]?.integer ?? 0) } } ?? 0
      view.page(message, through: min((sent.before ?? .max) - 1, max(sent.known, newest)))
      let numbers = message["messages"].map { $0.elements.count { _ in true } } ?? 0
      if numbers > sent.limit { world.fail("history", "\(name): a page of \(numbers)") }
    case "session.start", "session.end", "session.update", "session.reschedule", "session.cancel":
      if let session = message["session"] { view.sawSession(session) }
    case "session.leave":
      leftAt = nil
      for span in spans {
        if span.begun == nil {
          world.attendance.remove(span)
        } else {
          span.end = .left(earliest: sent.time, latest: world.serverNow)
        }
      }
      spans = []
      view.forget()
      view.forgetResume()
      phase = .ready
      let pause = randomness.int64(100...30_000)
      after(pause) { $0.join() }
    case "token.renew":
      guard let expiry = message["expires_at"]?.string.flatMap(RFC3339.parse) else {
        return world.fail("form", "\(name): a renewal without an end")
      }
      tokenExpiry = expiry.milliseconds
      let brought = sent.token?.split(separator: "|").last.flatMap { Int64($0) }
      if !person.isGuest, brought != tokenExpiry { world.fail("tokens", "\(name): renewed until another time") }
    case "waiting.admit":
      if let user = sent.target { world.history.sawAdmission(of: user, session: view.session) }
    case "signal": world.signalAccepted(sent.number, to: sent.target ?? "", sentAt: sent.time)
    default: break
    }
  }

  private func refused(_ sent: Sent?, _ message: JSONView) {
    let code = message["code"]?.string ?? ""
    world.coverage.note(error: code)
    guard let sent else {
      // An error without an id answers what could not be read, or tells who waits that the class is full.
      return
    }
    if code != "storage_unavailable" {
      sent.expulsion?.answered = .min
      if let promotion = sent.promotion { world.promotions.remove(promotion) }
    }
    let isUnknown = code == "storage_unavailable" && message["details"]?["outcome"]?.string != "not_done"
    if let expected = sent.mustFail {
      if code == "storage_unavailable" { return }
      if expected != code, expected != "key_conflict" || code != "key_expired" {
        world.fail("refusals", "\(name): \(sent.type) must be \(expected), is \(code)")
      }
      return
    }
    switch sent.type {
    case "chat.send":
      if let text = sent.text, !isUnknown { world.history.refused(text) }
      if isUnknown, machine == nil, let text = sent.text, let key = sent.key { unsettled.append((text, key)) }
      if code == "key_conflict" { world.fail("idempotency", "\(name): \(sent.text ?? "") is not what its key was for") }
    case "session.join":
      if let span = spans.popLast() {
        if isUnknown {
          let uncertain = AttendanceModel.Connection()
          uncertain.lostAt = world.serverNow + 90_000
          span.end = .lost(uncertain, leaving: nil)
        } else {
          world.attendance.remove(span)
        }
      }
      phase = .ready
      let pause = randomness.int64(1000...20_000)
      after(pause) { $0.join() }
    case "session.leave":
      // Who leaves twice is out with the first.
      if code == "not_joined" { break }
      leftAt = nil
      phase = .joined
    default: break
    }
  }
}
