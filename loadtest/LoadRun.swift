import EventLoop
import SignalingClient
import SignalingProtocol
import WebSocketCore
import WebSocketDeflate

/// A run: one thread, one poller, many attendees.
///
/// The parts of a run are in `RunParts.swift`, what people do in `Acting.swift`, what happens to them in
/// `EventHandling.swift` and `ComingAndGoing.swift`, what they say by the clock in `Traffic.swift`.
final class LoadRun {
  let plan: LoadPlan
  let address: SocketAddress
  let chatText: ChatText
  /// Nanoseconds between two messages, two signals, and two pings of one session.
  let chatInterval: Int64
  let signalInterval: Int64
  let probeInterval: Int64

  var sessions: [ClassSession] = []
  /// By the number of their transport.
  var people: [Attendee] = []
  var faults = Faults()
  var measurements = Measurements()
  var timeline: Timeline
  var agenda = Agenda()
  /// What was planned for how many, for the report.
  var planned: [(name: String, count: Int)] = []
  /// How everybody came back; nil before the connections may be cut.
  var herd: HerdMeasurements?
  var herdInput = HerdInput()
  var workspace: ClientWorkspace
  var poller: Poller
  var random: SeededGenerator
  /// Sockets that are open, and forgotten by their clients.
  var abandoned: [AbandonedSocket] = []
  /// When the next message or signal is due, in nanoseconds of the monotonic clock.
  var nextTraffic: Int64 = .max
  private let timer: WakeTimer
  static let timerToken = UInt64.max
  static let inputToken = UInt64.max - 1
  private let readBuffer: UnsafeMutableRawBufferPointer
  private let sources: [SocketAddress]
  private var saboteur: Saboteur?

  /// What the run is doing, for the progress line.
  var part = "start"
  let began: Int64
  private var nextProgress: Int64
  private var progress = ProgressLine()

  /// Who is to connect next, and from when on.
  var nextToConnect = Int.max
  var nextConnect: Int64 = 0
  var isRamping = false
  var handshakes = 0
  /// When the clients are asked next for what is due.
  var nextSweep: Int64 = 0
  /// From here on a connection may end.
  var isClosing = false
  private var toldCount = 0

  static let second: Int64 = 1_000_000_000

  init(_ plan: LoadPlan, address: SocketAddress) throws(LoadRunFailure) {
    self.plan = plan
    self.address = address
    chatText = ChatText(byteCount: plan.chatBytes)
    chatInterval = Self.interval(plan.chatRate)
    signalInterval = Self.interval(plan.signalRate)
    probeInterval = Self.interval(plan.probeRate)
    let inflater = SharedMessageInflater()
    workspace = ClientWorkspace(random: { .random(in: 0 ... .max) }, inflate: inflater.inflate)
    random = SeededGenerator(seed: plan.seed)
    saboteur = plan.sabotage.map(Saboteur.init)
    began = MonotonicClock.nanoseconds()
    timeline = Timeline(began: began)
    nextProgress = began + Self.second
    do throws(AddressError) {
      sources = try SourceAddresses.all(
        plan.sourceAddresses, for: address, connections: plan.sessions * (plan.attendees + 1))
    } catch {
      throw LoadRunFailure(sentence: "\(error)")
    }
    do throws(SystemError) {
      poller = try Poller()
      timer = try WakeTimer()
      try poller.add(timer.rawValue, .readable, token: Self.timerToken)
    } catch {
      throw LoadRunFailure(sentence: "\(error)")
    }
    readBuffer = .allocate(byteCount: 256 * 1024, alignment: 16)
  }

  deinit { readBuffer.deallocate() }

  private static func interval(_ rate: Double) -> Int64 { rate > 0 ? max(1, Int64(1e9 / rate)) : .max }

  // MARK: The loop

  func now() -> Int64 { MonotonicClock.nanoseconds() }

  /// The clients' time.
  func milliseconds(_ nanoseconds: Int64) -> Int64 { nanoseconds / 1_000_000 }

  var grace: Int64 { Int64(plan.graceSeconds * 1e9) }

  /// Runs the loop until `isDone`, or until nothing has moved `measure` for the grace period.
  func pump(graceWithoutProgress measure: () -> Int, isDone: () -> Bool) throws(LoadRunFailure) {
    var last = measure()
    var deadline = now() + grace
    while !isDone(), now() < deadline {
      try step(until: deadline)
      let current = measure()
      // With a slow ramp it is the plan that makes people wait.
      if current != last || nextConnect > now() {
        last = current
        deadline = max(deadline, now() + grace)
      }
    }
  }

  func pump(until deadline: Int64, isDone: () -> Bool) throws(LoadRunFailure) {
    while !isDone(), now() < deadline { try step(until: deadline) }
  }

  /// One turn: what is due, then what comes in.
  private func step(until deadline: Int64) throws(LoadRunFailure) {
    let time = now()
    connectMore(now: time)
    while let entry = agenda.takeDue(time) { perform(entry.act, by: people[entry.person], due: entry.time, now: time) }
    sendDueTraffic(now: time)
    if time >= nextSweep { sweep(now: time) }
    if time >= timeline.nextSample { takeSample(now: time) }
    if time >= nextProgress { tellProgress(now: time) }
    do throws(SystemError) {
      var wake = min(deadline, nextProgress, nextTraffic, nextSweep, agenda.next, timeline.nextSample)
      if nextToConnect < people.count, handshakes < plan.handshakesInFlight { wake = min(wake, nextConnect) }
      try timer.set(wake)
      try poller.wait(timeoutMilliseconds: 1000)
    } catch {
      throw LoadRunFailure(sentence: "the loop cannot go on: \(error)")
    }
    for index in 0..<poller.eventCount {
      let event = poller.event(at: index)
      if event.token == Self.timerToken { continue }
      if event.token == Self.inputToken {
        try readInput()
        continue
      }
      serve(people[ClientTransport.number(of: event.token)], event)
      // A long turn must not make late what is due meanwhile.
      if nextTraffic < .max { sendDueTraffic(now: now()) }
    }
  }

  private func readInput() throws(LoadRunFailure) {
    let (ready, isOpen) = herdInput.read()
    if let ready { herd?.ready = ready }
    guard !isOpen else { return }
    do throws(SystemError) {
      try poller.remove(0)
    } catch {
      throw LoadRunFailure(sentence: "the loop cannot go on: \(error)")
    }
  }

  private func serve(_ attendee: Attendee, _ event: Readiness) {
    guard attendee.transport.isCurrent(event.token) else { return }
    let time = now()
    do throws(ClientTransport.End) {
      if event.isWritable || attendee.transport.phase == .connecting {
        if try attendee.transport.becomeWritable(poller: poller) {
          attendee.client.transportConnected(at: milliseconds(time), using: &workspace)
        }
      }
      if event.isReadable || event.isHungUp || event.hasError {
        if attendee.transport.isPaused { throw attendee.transport.endUnread() }
        let (count, isOpened) = try attendee.transport.receive(into: readBuffer, poller: poller)
        if isOpened { attendee.client.transportConnected(at: milliseconds(time), using: &workspace) }
        measurements.receivedBytes += count
        let input = UnsafeMutableRawBufferPointer(rebasing: readBuffer[..<count])
        if saboteur != nil, attendee.place == 1, attendee.session === sessions.first {
          var falsified = saboteur?.pass(UnsafeRawBufferPointer(input)) ?? []
          falsified.withUnsafeMutableBytes { take($0, for: attendee, now: time) }
        } else {
          take(input, for: attendee, now: time)
        }
      }
    } catch {
      attendee.client.transportEnded(at: milliseconds(time), using: &workspace)
    }
    flush(attendee, now: time)
  }

  private func take(_ input: UnsafeMutableRawBufferPointer, for attendee: Attendee, now: Int64) {
    var consumed = 0
    while let event = attendee.client.next(
      input, consumed: &consumed, at: milliseconds(now), using: &workspace)
    {
      handle(event, of: attendee, now: now)
    }
  }

  /// Sends what a client has to say, and does what happened to it without input.
  func flush(_ attendee: Attendee, now: Int64) {
    if attendee.client.hasOutput {
      do throws(ClientTransport.End) {
        try attendee.transport.send(attendee.client.takeOutput(), poller: poller)
      } catch {
        attendee.client.transportEnded(at: milliseconds(now), using: &workspace)
      }
    }
    while let event = attendee.client.nextEvent() { handle(event, of: attendee, now: now) }
    if attendee.client.state == .disconnected, attendee.transport.phase != .closed { attendee.transport.close() }
  }

  /// Connects as many as the plan allows: the hosts alone first, everybody else when the ramp has begun.
  private func connectMore(now: Int64) {
    let limit = isRamping ? people.count : sessions.count
    while nextToConnect < limit, handshakes < plan.handshakesInFlight, nextConnect <= now {
      let attendee = people[nextToConnect]
      nextToConnect += 1
      if isRamping, let rate = plan.joinRate { nextConnect += Int64(1e9 / rate) }
      begin(attendee, now: now)
    }
  }

  /// Brings somebody in who is not there.
  func begin(_ attendee: Attendee, now: Int64) {
    guard attendee.client.state == .disconnected, attendee.expectation == .away else { return }
    attendee.expectation = .here
    attendee.isOpening = true
    attendee.hasWaited = false
    handshakes += 1
    connect(attendee, now: now)
  }

  func connect(_ attendee: Attendee, now: Int64) {
    attendee.connectStarted = now
    attendee.client.connect(at: milliseconds(now))
    do throws(ClientTransport.End) {
      let source = sources.isEmpty ? nil : sources[Int(attendee.number) % sources.count]
      try attendee.transport.connect(to: address, from: source, poller: poller)
    } catch {
      attendee.client.transportEnded(at: milliseconds(now), using: &workspace)
      flush(attendee, now: now)
    }
  }

  /// Asks the clients what is due.
  private func sweep(now: Int64) {
    nextSweep = now + (plan.breaksConnections ? Self.second / 50 : Self.second)
    let time = milliseconds(now)
    for attendee in people {
      if let attempt = attendee.client.nextAttempt {
        if attempt <= time, attendee.offlineUntil <= now { connect(attendee, now: now) }
      } else if let deadline = attendee.client.deadline, deadline <= time {
        attendee.client.advance(to: time, using: &workspace)
        flush(attendee, now: now)
      }
    }
  }

  // MARK: Telling

  func name(of attendee: Attendee) -> String {
    "\(attendee.session.id)/\(attendee.client.user ?? "attendee \(attendee.place)")"
  }

  /// Tells of a broken order at once, the first times.
  func tell(_ sentence: String) {
    guard toldCount < 10 else { return }
    toldCount += 1
    StandardStreams.tell(sentence)
  }

  func checkpoint() -> Checkpoint {
    Checkpoint(
      time: now(), delivered: measurements.delivered, server: plan.serverProcess.flatMap(ProcessUsage.init(of:)))
  }

  /// How many connections are open, and how many people are in.
  private func census() -> (connections: Int, present: Int) {
    people.reduce(into: (0, 0)) { sum, attendee in
      if attendee.transport.phase == .open { sum.0 += 1 }
      if attendee.isPresent { sum.1 += 1 }
    }
  }

  func takeSample(now: Int64) {
    let census = census()
    timeline.take(
      at: now, connections: census.connections, present: census.present, delivered: measurements.delivered,
      joins: measurements.joins, receivedBytes: measurements.receivedBytes,
      server: plan.serverProcess.flatMap(ProcessUsage.init(of:)))
  }

  private func tellProgress(now: Int64) {
    nextProgress = max(nextProgress + Self.second, now)
    progress.tell(
      at: checkpoint(), began: began, part: part, present: census().present, people: people.count, sessions: sessions,
      measurements: measurements, faults: faults.total)
  }

  func endProgress() { progress.end() }
}

/// The inflater of all clients of a run.
private final class SharedMessageInflater {
  private var inflater = MessageInflater(keepsContext: false)

  func inflate(_ payload: UnsafeRawBufferPointer, maximumBytes: Int) throws(WebSocketFailure) -> UnsafeRawBufferPointer
  {
    try inflater.inflate(payload, maximumBytes: maximumBytes)
  }
}
