import Testing

@testable import Classroom

/// SplitMix64: the same seed gives the same numbers everywhere.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

extension Timestamp {
  /// A moment so many milliseconds after the tests' beginning, 2026-01-01T00:00:00Z.
  static func after(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: 1_767_225_600_000 + milliseconds) }
}

extension SessionDetails {
  static func sample(
    capacity: Int? = nil, admission: Admission = .open, visibility: Visibility = .listed, guests: Bool = true
  ) -> SessionDetails {
    SessionDetails(
      id: "algebra", title: "Algebra", description: "Groups", instructor: "Emmy", kind: .video, host: "emmy",
      scheduledAt: .after(0), timeZone: "Europe/Berlin", durationMinutes: 60, capacity: capacity, admission: admission,
      visibility: visibility, allowsGuests: guests, roomName: "room-x7", createdAt: .after(0))
  }
}

extension Actor {
  static let host = Actor(user: "emmy", name: "Emmy", role: .host)
  static let student = Actor(user: "ada", name: "Ada", role: .participant)

  static func named(_ user: String, _ role: Role = .participant) -> Actor {
    Actor(user: user, name: user.uppercased(), role: role)
  }
}

extension Classroom {
  static func sample(_ details: SessionDetails = .sample(), in status: SessionStatus = .scheduled) throws -> Classroom {
    var details = details
    if status == .pendingApproval || status == .approved {
      details.proposer = "ada"
      details.isTimeFixed = status == .pendingApproval
    }
    var classroom = try #require(Classroom(Classroom.creation(details, epoch: "e1", by: details.host)))
    switch status {
    case .pendingApproval, .scheduled: break
    case .approved: _ = try classroom.handle(.approve, by: .host, at: .after(1000))
    case .ongoing, .completed:
      _ = try classroom.handle(.start, by: .host, at: .after(1000))
      if status == .completed { _ = try classroom.handle(.end, by: .host, at: .after(2000)) }
    case .cancelled: _ = try classroom.handle(.cancel(reason: "Ill"), by: .host, at: .after(1000))
    case .expired: _ = classroom.advance(to: .after(7 * 86_400_000), SessionTimes(), emptySince: nil)
    }
    return classroom
  }

  /// The refusal of a command, or nil when it is accepted.
  mutating func refusal(
    of command: Command, by actor: Actor, key: String? = nil, at now: Timestamp = .after(3000)
  ) -> Refusal? {
    do throws(Refusal) {
      _ = try handle(command, by: actor, key: key, at: now)
      return nil
    } catch {
      return error
    }
  }

  /// A classroom put together from the parts that a snapshot keeps.
  var restoredFromParts: Classroom {
    var copy = Classroom(restoring: core)
    for waits in attendance.waits.values { copy.restore(waits) }
    if attendance.spans.count > 1 { copy.restore(attendance.spans) }
    for row in attendance.rows.values { copy.restore(row) }
    for message in chat.messages { copy.restore(message) }
    for user in keys.users.values { for (key, use) in user.uses { copy.restore(use, key: key, user: user.user) } }
    for user in keys.users.values {
      for hash in user.forgotten.ascending { copy.restore(forgottenKey: hash, of: user.user) }
    }
    for event in stream.events { _ = copy.restore(event) }
    for entry in roster.entries.values { copy.restore(entry) }
    for waiter in lobby.waiting { copy.restore(waiter) }
    copy.restore(admitted: lobby.admittedUsers, denied: lobby.deniedUsers)
    copy.restore(notices)
    guard let core = conductCore else { return copy }
    copy.restore(core)
    copy.restore(conduct.stage)
    for person in conduct.people.values {
      var bare = person
      bare.stream = Conduct.Person(user: person.user, streamSequence: person.stream.last).stream
      copy.restore(bare)
    }
    for user in conduct.hands.users { copy.restore(handOf: user, place: conduct.hands[user] ?? 0) }
    for message in conduct.privateChat.messages { copy.restore(privateMessage: message) }
    for event in conduct.hosts.events { _ = copy.restore(event, in: .hosts) }
    for person in conduct.people.values {
      for event in person.stream.events { _ = copy.restore(event, in: .user(person.user)) }
    }
    return copy
  }
}

extension Command {
  /// Something about people, the room or messages.
  static func randomConduct(about user: String, _ classroom: Classroom, _ random: inout SeededGenerator) -> Command {
    let message = classroom.chat.messages.randomElement(using: &random)?.sequence ?? 0
    let isOn = Bool.random(using: &random)
    var policy = PolicyChange()
    policy.slowModeSeconds = isOn ? 1 : 0
    policy.chat = isOn ? .open : RoomPolicy.Chat.allCases.randomElement(using: &random)
    policy.isLocked = Int.random(in: 0..<4, using: &random) == 0
    let commands: [Command] = [
      .raiseHand, .raiseHand, .lowerHand(.user(user)), .lowerHand(.all), .lowerHand(.own),
      .mute(user: user, isOn: isOn), .muteAll(isOn: isOn, isUnmuteAllowed: !isOn), .askToUnmute(user: user),
      .remove(user: user), .ban(user: user, isOn: isOn), .ban(user: user, isOn: false), .promote(user: user),
      .demote(user: user), .spotlight(user: isOn ? user : nil), .setPolicy(policy),
      .editChat(message: message, text: "new \(message) \(isOn)"), .deleteChat(message: message),
      .reactToChat(message: message, emoji: isOn ? "👍" : "é", isOn: Bool.random(using: &random)),
      .pinChat(message: message, isOn: isOn), .sendChat(text: "private \(message)", isPrivate: true),
      .sendChat(text: "reply", replyTo: message),
      .setStage(StageChange(mode: isOn ? .open : .invited, places: isOn ? 2 : nil)), .inviteToStage(user: user),
      .removeFromStage(user: user), .leaveStage,
    ]
    return commands.randomElement(using: &random) ?? .raiseHand
  }
}
