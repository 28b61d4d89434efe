import Classroom
import SignalingProtocol
import Testing

@testable import RoomShard

/// Several rooms, many people, a journal that syncs when it likes, and clients that believe only what they were sent.
@Suite("A random run")
struct RandomRunTests {
  private final class Run {
    let fixture: ShardFixture
    var random: SeededGenerator
    var clients: [ConnectionID: ClientModel] = [:]
    var order: [ConnectionID] = []
    /// Clients without a connection that may come back.
    var lost: [ClientModel] = []
    /// Connections that nobody speaks on and that the server takes for alive.
    var halfOpen: [ConnectionID] = []
    /// Connections whose messages are on their way.
    var delayed: Set<ConnectionID> = []
    var resumeCount = 0
    let sessions = ["s0", "s1", "s2"]
    var signalNumber: Int64 = 0
    var textNumber = 0
    var releases = 0
    var lastQuestion: Int64 = 100
    var failures = 0
    /// How often the storage fails: in so many of a thousand steps.
    var failuresPerMille = 0
    /// Of all clients that ever were.
    var acknowledged: Set<String> = []
    var refused: Set<String> = []

    init(seed: UInt64) {
      var configuration = ShardConfiguration()
      configuration.catchUpEvents = 3
      // The clients of this test know one end.
      configuration.rules.times.reopenWithinMilliseconds = -1
      fixture = ShardFixture(seed: seed, configuration: configuration)
      random = SeededGenerator(seed: seed &* 31 &+ 7)
    }

    func pick<Element>(_ elements: [Element]) -> Element? { elements.randomElement(using: &random) }
    func chance(_ parts: Int, in whole: Int) -> Bool { Int.random(in: 0..<whole, using: &random) < parts }

    func identity(_ user: String, in session: String) -> Identity {
      switch user {
      case "host-\(session)": ShardFixture.identity(user, .host)
      case "root": ShardFixture.identity(user, .admin)
      case "ivy": ShardFixture.identity(user, .observer)
      // The same person, sometimes with a token that makes a cohost.
      case "u0" where chance(1, in: 2): ShardFixture.identity(user, .cohost, session: session)
      default: ShardFixture.identity(user)
      }
    }

    func step(_ number: Int, of steps: Int) throws {
      if fixture.shard.hasStorageFailed {
        if chance(1, in: 15) { try fixture.healStorage() }
      } else if chance(failuresPerMille, in: 1000) {
        try failStorage()
      }
      switch Int.random(in: 0..<100, using: &random) {
      case 0..<9: join()
      case 9..<14: resume()
      case 14..<19: if let connection = pick(order) { lose(connection) }
      case 19 where chance(1, in: 8): try crash()
      case 19: if let connection = pick(order) { delayed.insert(connection) }
      case 20..<24:
        if let connection = pick(order), clients[connection]?.pendingJoins == 0, !delayed.contains(connection) {
          try leave(connection)
        }
      case 24: if let connection = pick(order) { close(connection, isGoodbye: true) }
      case 25: closeHalfOpen()
      case 26..<29:
        let session = pick(sessions) ?? ""
        fixture.request(.start(key: nil), session, by: identity("host-\(session)", in: session))
      case 29 where number > steps / 2 && chance(1, in: 12):
        let session = pick(sessions) ?? ""
        fixture.request(.end(key: nil), session, by: identity("host-\(session)", in: session))
      case 30..<33:
        let session = pick(sessions) ?? ""
        fixture.request(.join, session, by: identity("u\(Int.random(in: 0..<8, using: &random))", in: session))
      case 33..<44: if let connection = pick(order) { try chat(connection) }
      case 44..<48: if let connection = pick(order) { try conduct(connection) }
      case 48..<58: if let connection = pick(order) { try signal(connection) }
      case 58..<64:
        if let connection = pick(order) {
          try fixture.send(
            connection, #"{"type":"media.set","id":\#(ask(connection)),"audio":\#(Bool.random(using: &random))}"#)
        }
      case 64..<67:
        if let connection = pick(order), clients[connection]?.state == .present {
          let mode = PresenceMode.allCases[Int.random(in: 0..<4, using: &random)].rawValue
          try fixture.send(connection, #"{"type":"presence.subscribe","id":\#(ask(connection)),"mode":"\#(mode)"}"#)
        }
      case 67..<70: fixture.advance(.random(in: 5000...25_000, using: &random))
      case 70..<82: fixture.advance(.random(in: 0...400, using: &random))
      default: try syncSome()
      }
    }

    private func join() {
      if order.count > 40, let connection = pick(order) { close(connection, isGoodbye: false) }
      let session = pick(sessions) ?? ""
      let user = pick(["host-\(session)", "root", "ivy"] + (0..<8).map { "u\($0)" }) ?? ""
      let free = order.filter {
        clients[$0]?.state == .outside && clients[$0]?.pendingJoins == 0 && clients[$0]?.user == user
          && !delayed.contains($0)
      }
      let connection = chance(1, in: 2) ? pick(free) ?? fixture.newConnection() : fixture.newConnection()
      if clients[connection] == nil {
        clients[connection] = ClientModel(user: user)
        order.append(connection)
      }
      clients[connection]?.joins(session)
      let mode = PresenceMode.allCases[Int.random(in: 0..<4, using: &random)]
      fixture.join(identity(user, in: session), session, mode: mode, on: connection)
    }

    /// A new id under which the connection asks something.
    private func ask(_ connection: ConnectionID, text: String = "") -> Int64 {
      lastQuestion += 1
      clients[connection]?.ask(lastQuestion, text: text)
      return lastQuestion
    }

    /// The storage fails; the rooms that it froze show exactly what rests on synced records.
    private func failStorage() throws {
      failures += 1
      fixture.append()
      let durable = try fixture.classrooms()
      let isCertain = chance(1, in: 2)
      try fixture.failStorage(isCertain: isCertain, surviving: isCertain ? 0 : .random(in: 0...6, using: &random))
      for session in fixture.shard.frozenSessions {
        let room = try fixture.room(session)
        let classroom = try #require(durable[session])
        #expect(room.frozen?.status == classroom.status)
        #expect(room.frozen?.streamSequence == classroom.streamSequence)
        let people = room.presence.page(limit: .max).participants
        #expect(Set(people.map(\.user)) == Set(classroom.attendance.rows.values.filter(\.isActive).map(\.user)))
      }
      try deliver()
    }

    private func close(_ connection: ConnectionID, isGoodbye: Bool) {
      fixture.close(
        connection, lastHeard: fixture.now.advanced(byMilliseconds: -.random(in: 0...9000, using: &random)),
        isGoodbye: isGoodbye)
      forget(connection)
    }

    private func forget(_ connection: ConnectionID) {
      clients[connection] = nil
      order.removeAll { $0 == connection }
      delayed.remove(connection)
    }

    /// The connection is lost with all that was on its way; the server hears of it now or later.
    private func lose(_ connection: ConnectionID) {
      _ = fixture.take(connection)
      guard var client = clients[connection] else { return }
      client.disconnect()
      if client.token != nil { lost.append(client) }
      if chance(1, in: 2) {
        close(connection, isGoodbye: false)
      } else {
        halfOpen.append(connection)
        forget(connection)
      }
    }

    private func closeHalfOpen() {
      guard let connection = pick(halfOpen) else { return }
      halfOpen.removeAll { $0 == connection }
      close(connection, isGoodbye: false)
    }

    private func resume() {
      guard let index = lost.indices.randomElement(using: &random) else { return }
      var client = lost[index]
      // A token may be used by two at once: the later one counts.
      if !chance(1, in: 5) { lost.remove(at: index) }
      let connection = fixture.newConnection()
      let resume = client.resumes(withForgedToken: chance(1, in: 10))
      clients[connection] = client
      order.append(connection)
      resumeCount += 1
      let mode = PresenceMode.allCases[Int.random(in: 0..<4, using: &random)]
      fixture.join(
        identity(client.user, in: client.session), client.session, mode: mode, on: connection, resume: resume)
    }

    private func crash() throws {
      for connection in order { lose(connection) }
      halfOpen = []
      try fixture.crash(lastAlive: fixture.now, downFor: .random(in: 0...3000, using: &random))
    }

    /// Leaves, and waits for the answer before the model goes on.
    private func leave(_ connection: ConnectionID) throws {
      clients[connection]?.ask(ClientModel.farewellID)
      try fixture.send(connection, #"{"type":"session.leave","id":\#(ClientModel.farewellID)}"#)
      if failuresPerMille > 0, !fixture.shard.hasStorageFailed, chance(1, in: 4) {
        try failStorage()
      } else {
        try fixture.sync()
      }
      try deliver()
      guard let client = clients[connection] else { return }
      let answer = try #require(client.farewell)
      if answer.type == "ok" || answer.text("code") == "not_joined" { clients[connection]?.forget() }
    }

    private func chat(_ connection: ConnectionID) throws {
      textNumber += 1
      let session = clients[connection]?.session ?? ""
      let text = "\(session):\(textNumber)"
      try fixture.send(
        connection, #"{"type":"chat.send","id":\#(ask(connection, text: text)),"text":"\#(text)"}"#)
    }

    /// Somebody decides about people, or raises a hand; most of it is refused.
    private func conduct(_ connection: ConnectionID) throws {
      let user = pick((0..<8).map { "u\($0)" } + ["ivy", "root"]) ?? ""
      let on = Bool.random(using: &random)
      let commands = [
        #""participant.mute","user":"\#(user)","on":\#(on)"#, #""participant.ask_unmute","user":"\#(user)""#,
        #""participant.remove","user":"\#(user)""#, #""participant.ban","user":"\#(user)""#,
        #""participant.unban","user":"\#(user)""#, #""participant.unban","user":"\#(user)""#,
        #""participant.promote","user":"\#(user)""#, #""participant.demote","user":"\#(user)""#,
        #""participant.spotlight","user":"\#(user)""#, #""room.mute_all","on":\#(on)"#,
        #""room.mute_all","on":false"#, #""room.policy","slow_mode_seconds":0"#, #""hand.raise""#, #""hand.raise""#,
        #""hand.lower""#, #""hand.lower","all":true"#, #""hand.lower","user":"\#(user)""#,
        #""chat.send","to":"hosts","text":"\#(clients[connection]?.session ?? ""):private""#,
      ]
      // Often by somebody who may.
      let leader = pick(order.filter { clients[$0]?.hosts != nil && clients[$0]?.state == .present })
      let speaker = chance(1, in: 2) ? leader ?? connection : connection
      try fixture.send(speaker, #"{"id":\#(ask(speaker)),"type":\#(pick(commands) ?? "")}"#)
    }

    private func signal(_ connection: ConnectionID) throws {
      guard let client = clients[connection] else { return }
      var targets = client.participants.values.flatMap { $0.list("peers") }.sorted { "\($0)" < "\($1)" }
      if chance(1, in: 10) { targets += clients.values.compactMap(\.peer).sorted().map(Message.string) }
      guard case .string(let target)? = pick(targets) else { return }
      signalNumber += 1
      try fixture.send(
        connection,
        #"{"type":"signal","id":\#(ask(connection)),"to":"\#(target)","kind":"candidate","payload":{"n":\#(signalNumber),"#
          + #""session":"\#(client.session)","to":"\#(target)"}}"#)
    }

    private func syncSome() throws {
      fixture.append()
      let all = UInt64(fixture.journal.count)
      try fixture.sync(through: chance(1, in: 3) ? all : .random(in: fixture.synced...all, using: &random))
      try deliver()
    }

    /// Gives the clients what was released, and checks that none of it was a fault.
    func deliver() throws {
      releases += 1
      for connection in fixture.shard.catchingUp where chance(2, in: 3) {
        fixture.shard.continueCatchingUp(connection)
      }
      for connection in order where !delayed.contains(connection) {
        for message in fixture.take(connection) { clients[connection]?.receive(message) }
        let client = try #require(clients[connection])
        #expect(client.faults == [], "\(client.user) in \(client.session)")
        acknowledged.formUnion(client.acknowledged)
        refused.formUnion(client.refused)
        if let reason = fixture.closed[connection] {
          #expect([.resumedElsewhere, .removed, .banned, .serviceRestart].contains(reason))
          close(connection, isGoodbye: false)
        }
      }
    }

    /// What holds at every moment, of the server's own state.
    func checkRooms() throws {
      for session in sessions {
        let room = try fixture.room(session)
        if room.isFrozen { continue }
        if !fixture.shard.hasStorageFailed {
          for (user, detachment) in room.detachments {
            #expect(
              detachment.deadline >= fixture.now && room.classroom.attendance[user]?.absence != nil,
              "\(user) is not made up for")
          }
        }
        let attendance = room.classroom.attendance
        let isLive = room.classroom.status.isLive
        #expect(attendance.activeCount == attendance.rows.values.count(where: \.isActive))
        #expect(room.presence.count == (isLive ? attendance.activeCount : 0))
        let people = room.presence.page(limit: .max).participants
        #expect(people.allSatisfy { attendance.isActive($0.user) })
        #expect(Set(people.flatMap(\.peers).map(\.id)) == Set(room.peers.keys))
        for person in people {
          let isAwaited = room.detachments[person.user] != nil
          #expect(person.hasConnection != isAwaited, "\(person.user) is here or awaited")
          #expect(!person.isReconnecting || isAwaited)
          for peer in person.peers {
            #expect(room.peers[peer.id]?.user == person.user)
            #expect(peer.isConnected == (room.peers[peer.id]?.connection != nil))
          }
        }
        #expect(room.detachments.count <= people.count)
        for peer in room.peers.values {
          if let connection = peer.connection { #expect(fixture.shard.members[connection]?.peer === peer) }
        }
        for row in attendance.rows.values {
          for (earlier, later) in zip(row.segments, row.segments.dropFirst()) {
            #expect((earlier.to.map { $0 <= later.from }) == true, "segments overlap")
          }
        }
      }
    }

    /// When everything is told and synced, each client's picture is the server's.
    func checkClients() throws {
      if fixture.shard.hasStorageFailed { try fixture.healStorage() }
      // A grace that ends meanwhile makes another change to tell.
      delayed = []
      repeat {
        fixture.advance(250)
        try fixture.sync()
        try deliver()
      } while try fixture.shard.isHolding || !fixture.shard.catchUps.members.isEmpty
        || sessions.contains { try fixture.room($0).isFlushScheduled }
      for session in sessions {
        // Who begins with what was recovered publishes changes only.
        guard let view = fixture.published.last(where: { $0.details.id == session }) else { continue }
        #expect(view == fixture.shard.classroom(session)?.view)
      }
      for connection in order {
        let client = try #require(clients[connection])
        #expect(client.questions.isEmpty && client.pendingJoins == 0, "unanswered")
        guard let member = fixture.shard.members[connection] else {
          #expect(client.state == .outside)
          continue
        }
        let room = member.room
        #expect(client.session == room.classroom.id)
        #expect(client.status == room.classroom.status.rawValue)
        if client.state != .ended { #expect(client.peer == member.peer?.id) }
        switch member.state {
        case .waiting: #expect(client.state == .waiting)
        case .reading: #expect(client.state == .ended)
        case .present: #expect(client.state == .present)
        }
        guard client.state != .waiting else { continue }
        #expect(client.room == Int64(room.classroom.streamSequence))
        let conduct = room.classroom.conduct
        #expect(client.hosts == (member.actor.role.isModerating ? Int64(conduct.hosts.last) : nil), "\(client.user)")
        #expect(client.own == Int64(conduct.stream(.user(client.user)).last), "\(client.user)")
        #expect(member.actor.role == conduct.role(of: client.user, granted: member.granted))
        #expect(!conduct.isBanned(client.user) || member.actor.role == .host || member.actor.role == .admin)
        for message in room.classroom.chat.messages where Int64(message.streamSequence) >= client.chatFrom {
          #expect(client.chat[Int64(message.streamSequence)] == message.text)
        }
        if let peer = member.peer { #expect(client.signalSequence == Int64(peer.signals.last)) }
        guard client.state == .present else { continue }
        let people = room.presence.page(limit: .max).participants
        let shown = client.mode == "full" ? people : client.mode == "hosts" ? people.filter(\.role.isHosting) : []
        if client.mode != "none" { #expect(client.count == Int64(people.count), "mode \(client.mode)") }
        #expect(Set(client.participants.keys) == Set(shown.map(\.user)))
        for person in shown {
          let entry = client.participants[person.user]
          #expect(entry?.list("peers") == person.peers.map { .string($0.id) })
          #expect(entry?.flag("reconnecting") == person.isReconnecting)
          #expect(entry?.flag("audio_enabled") == person.media.audio)
          #expect(entry?.int("hand") == conduct.hands[person.user].map { Int64($0) })
          #expect(entry?.flag("muted") ?? false == conduct.isMuted(person.user))
          #expect(!person.media.audio || conduct.maySpeak(person.user, role: person.role))
          #expect(entry?.text("role") == person.role.rawValue)
          #expect(entry?.text("joined_at") == RFC3339.format(person.joinedAt))
        }
      }
    }

    /// What was acknowledged is there once, what was refused is not.
    func checkPromises() throws {
      var texts: Set<String> = []
      for session in sessions {
        let classroom = try #require(fixture.shard.classroom(session))
        for message in classroom.chat.messages {
          #expect(texts.insert(message.text).inserted, "\(message.text) twice")
        }
      }
      #expect(texts.isSuperset(of: acknowledged))
      #expect(texts.isDisjoint(with: refused))
    }

    /// The journal alone makes the rooms that the shard has.
    func checkJournal() throws {
      try fixture.sync()
      for classroom in try fixture.replay() { #expect(classroom == fixture.shard.classroom(classroom.id)) }
    }
  }

  @Test("clients that see only what was released have the server's picture; nothing crosses sessions", arguments: 1...6)
  func run(seed: UInt64) throws {
    let run = try perform(seed: seed, failuresPerMille: 0)
    #expect(run.failures == 0)
  }

  @Test(
    "while the storage fails and heals: nothing acknowledged is lost, nothing refused returns, one answer to each",
    arguments: 1...12)
  func trouble(seed: UInt64) throws {
    let run = try perform(seed: seed &+ 1000, failuresPerMille: 15)
    #expect(run.failures > 10)
    #expect(!run.refused.isEmpty && !run.acknowledged.isEmpty)
  }

  private func perform(seed: UInt64, failuresPerMille: Int) throws -> Run {
    let run = Run(seed: seed)
    run.failuresPerMille = failuresPerMille
    for (index, session) in run.sessions.enumerated() {
      run.fixture.create(session, host: "host-\(session)", capacity: index == 1 ? 4 : nil)
    }
    try run.fixture.sync()
    let steps = 2000
    for number in 0..<steps {
      try run.step(number, of: steps)
      if number % 10 == 0 { try run.checkRooms() }
      if number % 150 == 149 { try run.checkClients() }
    }
    try run.checkRooms()
    try run.checkClients()
    try run.checkJournal()
    try run.checkPromises()
    #expect(run.clients.values.contains { !$0.signals.isEmpty } || run.signalNumber > 0)
    #expect(run.textNumber > 150)
    #expect(run.resumeCount > 50)
    return run
  }
}
