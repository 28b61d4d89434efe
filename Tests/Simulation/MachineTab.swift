import Classroom
import JSON
import SignalingClient
import SignalingProtocol
import WebSocketCore

/// The client machine of a tab that has one, and what it needs to run.
///
/// What it sends and gets is read along, so that the checks know the same of it as of every other tab, and it is held
/// against them.
final class ClientMachine {
  var client: SignalingClient
  var workspace: ClientWorkspace
  /// Reads what the machine sends, as a server would.
  var outgoing = WebSocketConnection(role: .server, limits: WebSocketLimits(maximumMessageBytes: 1 << 20))
  /// Bytes of the opening handshake that are still to come by, on the way out and in.
  var isRequestSent = false
  var response: [UInt8] = []
  /// When it is woken next.
  var alarm: Int64?

  init(person: Person, presence: PresenceMode, randomness: Randomness) {
    let source = RandomSource(randomness)
    workspace = ClientWorkspace { source.randomness.next() }
    var configuration = SignalingClientConfiguration(
      host: "class.example", credential: .guest(name: person.label), session: person.session, presence: presence)
    configuration.delay = ReconnectDelay(baseMilliseconds: 300, capMilliseconds: 8000)
    client = SignalingClient(configuration, firstAttempt: nil)
  }

  private final class RandomSource {
    var randomness: Randomness
    init(_ randomness: Randomness) { self.randomness = randomness }
  }
}

// How a tab goes that the client machine drives.
extension Tab {
  private var now: Int64 { world.scheduler.milliseconds }

  func openByMachine(_ machine: ClientMachine) {
    machine.outgoing = WebSocketConnection(
      role: .server, limits: WebSocketLimits(maximumMessageBytes: 1 << 20))
    machine.isRequestSent = false
    machine.response = []
    machine.alarm = nil
    if !person.isGuest, let token = freshToken() { machine.client.configuration.credential = .token(token) }
    machine.client.connect(at: now)
    machine.client.transportConnected(at: now, using: &machine.workspace)
    pump(machine)
  }

  /// Gives received bytes to the machine, after they were read along.
  func takeByMachine(_ machine: ClientMachine, _ input: UnsafeMutableRawBufferPointer) {
    var consumed = 0
    while let event = machine.client.next(input, consumed: &consumed, at: now, using: &machine.workspace) {
      handle(event)
    }
    pump(machine)
  }

  /// Sends what the machine has to say, and sets its alarm.
  func pump(_ machine: ClientMachine) {
    while let event = machine.client.nextEvent() { handle(event) }
    let output = machine.client.takeOutput()
    if !output.isEmpty { readAlong(output, of: machine) }
    write(output)
    guard machine.client.state != .disconnected else {
      if phase != .offline { drop(abruptly: false) }
      return
    }
    guard let deadline = machine.client.deadline, deadline < machine.alarm ?? .max else { return }
    machine.alarm = deadline
    after(max(1, deadline - now)) { tab in
      guard machine.alarm == deadline else { return }
      machine.alarm = nil
      machine.client.advance(to: tab.now, using: &machine.workspace)
      tab.pump(machine)
    }
  }

  private func handle(_ event: ClientEvent) {
    switch event {
    case .problem(let violation): world.fail("client machine", "\(name): \(violation)")
    case .tokenExpiring:
      guard let machine, let pause = renewalPause() else { return }
      after(pause) { tab in
        if tab.person.isGuest {
          _ = machine.client.renewAsGuest(using: &machine.workspace)
        } else if let token = tab.freshToken() {
          _ = machine.client.renew(token, using: &machine.workspace)
        }
        tab.pump(machine)
      }
    default: break
    }
  }

  /// Notes what the machine sends.
  private func readAlong(_ output: [UInt8], of machine: ClientMachine) {
    var bytes = output
    if !machine.isRequestSent {
      machine.isRequestSent = true
      return
    }
    bytes.withUnsafeMutableBytes { input in
      var consumed = 0
      while let event = machine.outgoing.next(input, consumed: &consumed) {
        if case .text(let payload) = event { noteSent(payload) }
      }
    }
  }

  private func noteSent(_ payload: UnsafeRawBufferPointer) {
    world.note(name, "→ \(String(decoding: payload, as: UTF8.self))")
    var reader = JSONReader()
    guard let message = try? reader.read(payload), let type = message["type"]?.string else {
      return world.fail("client machine", "\(name): sends what is no message")
    }
    var sent = Sent(type: type, time: world.serverNow)
    switch type {
    case "chat.send" where message["to"] != nil: sent.type = "private chat"
    case "chat.send":
      sent.text = message["text"]?.string
      sent.key = message["key"]?.string
      world.history.willSay(sent.text ?? "", session: view.session, user: view.user, at: world.serverNow)
    case "chat.history" where message["private"] != nil: sent.type = "private history"
    case "chat.history":
      sent.before = message["before"]?.integer
      sent.limit = Int(message["limit"]?.integer ?? 50)
      sent.known = view.room
    case "signal":
      sent.target = message["to"]?.string
      sent.number = message["payload"]?["n"]?.integer ?? 0
    case "session.join":
      let resumed = message["resume"]
      if let resumed, resumed["streams"]?["room"]?.integer != view.room {
        world.fail("client machine", "\(name): resumes elsewhere than at \(view.room)")
      }
      willJoin(resuming: resumed != nil)
    case "session.leave": willLeave()
    case "waiting.admit": sent.target = message["user"]?.string
    case "token.renew": sent.token = message["token"]?.string
    case "chat.edit":
      world.history.willEdit(
        message["message"]?.string ?? "", text: message["text"]?.string ?? "", session: view.session)
    case "chat.delete": world.history.willDelete(message["message"]?.string ?? "", session: view.session)
    default: world.willDecide(type, about: message["user"]?.string ?? "", in: view.session, &sent)
    }
    if let id = message["id"]?.integer { expectAnswer(to: id, sent) }
  }

  // MARK: Doing something

  func actByMachine(_ machine: ClientMachine, _ random: inout Randomness) {
    if phase == .ready, random.chance(0.3) {
      machine.client.join(at: now, using: &machine.workspace)
      return pump(machine)
    }
    guard machine.client.isIn, isIdle, phase == .joined else { return }
    switch random.int(0...99) {
    case 0..<8:
      if let request = conductRequest(&random) { _ = machine.client.perform(request, using: &machine.workspace) }
    case 8..<10: _ = machine.client.privateHistory(before: nil, limit: random.int(1...50), using: &machine.workspace)
    case 10..<45:
      let number = world.nextText()
      _ = machine.client.say(
        "\(view.session)/\(name)/\(number)", key: random.chance(0.7) ? "m\(number)" : nil, using: &machine.workspace)
    case 45..<65:
      let targets = view.participants.keys.sorted().flatMap { view.participants[$0]?.peers ?? [] }
      guard let peer = view.peer, let target = random.pick(targets), target != peer else { return }
      let number = world.nextSignal()
      // Without an offer before it a candidate of a negotiation is held, perhaps for ever.
      let kind: SignalKind = random.chance(0.5) ? .offer : .bye
      _ = machine.client.signal(to: target, kind, negotiation: "n1", using: &machine.workspace) { writer in
        writer.beginObject()
        writer.field("n", number)
        writer.field("session", view.session)
        writer.field("from", peer)
        writer.field("to", target)
        writer.endObject()
      }
    case 65..<75:
      _ = machine.client.setMedia(audio: random.chance(0.5), video: random.chance(0.5), using: &machine.workspace)
    case 75..<80:
      _ = machine.client.subscribe(random.pick(PresenceMode.allCases) ?? .full, using: &machine.workspace)
    case 80..<88: _ = machine.client.history(before: nil, limit: random.int(1...100), using: &machine.workspace)
    case 88..<92: _ = machine.client.ping(using: &machine.workspace)
    case 92..<94: _ = machine.client.leave(using: &machine.workspace)
    case 94..<97: lead(machine, &random)
    default: _ = machine.client.start(key: nil, using: &machine.workspace)
    }
    pump(machine)
  }

  private func lead(_ machine: ClientMachine, _ random: inout Randomness) {
    let key = random.chance(0.5) ? "machine-\(world.nextText())" : nil
    switch random.int(0...4) {
    case 0: _ = machine.client.admit(nil, key: key, using: &machine.workspace)
    case 1:
      _ = machine.client.admit(random.pick(view.waitingPeople) ?? "nobody", key: key, using: &machine.workspace)
    case 2:
      let title = "Title \(world.nextText())"
      _ = machine.client.update(key: key, using: &machine.workspace) { $0.field("title", title) }
    case 3: _ = machine.client.announce("Now, \(world.nextText())", key: key, using: &machine.workspace)
    default:
      let start = RFC3339.format(Timestamp(milliseconds: world.serverNow + 7_200_000))
      _ = machine.client.reschedule(to: start, key: key, using: &machine.workspace)
    }
  }

  /// The machine knows what the checks know.
  func checkMachine() {
    guard let machine, isJoined else { return }
    func expect(_ condition: Bool, _ detail: String) {
      if !condition { world.fail("client machine", "\(name): \(detail)") }
    }
    expect(machine.client.position?.room == UInt64(clamping: view.room), "is not at \(view.room)")
    expect(machine.client.peer == view.peer, "has another peer")
    expect(machine.client.streamPositions.own == UInt64(clamping: view.conduct.own), "is elsewhere in the own stream")
    expect(
      machine.client.streamPositions.hosts == view.conduct.hosts.map { UInt64(clamping: $0) },
      "is elsewhere in the hosts' stream")
    guard view.state == .present, view.mode == "full" else { return }
    let shown = machine.client.presence?.participants.keys.sorted() ?? []
    expect(shown == view.participants.keys.sorted(), "shows \(shown)")
  }
}
