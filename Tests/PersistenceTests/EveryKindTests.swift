import Classroom
import JSON
import Testing

@testable import Persistence

/// A kind that somebody adds fails here until it is shown to survive the journal.
@Suite("Every kind of command and event")
struct EveryKindTests {
  /// The place of a command's kind; a new case does not compile until it has one.
  private static func place(of command: Command) -> Int {
    switch command {
    case .start: 0
    case .end: 1
    case .join: 2
    case .lose: 3
    case .leave: 4
    case .sendChat(_, _, false): 5
    case .approve: 6
    case .decline: 7
    case .withdraw: 8
    case .reschedule: 9
    case .cancel: 10
    case .announce: 11
    case .update: 12
    case .delete: 13
    case .purge: 14
    case .register: 15
    case .unregister: 16
    case .invite: 17
    case .approveRegistration: 18
    case .rejectRegistration: 19
    case .wait: 20
    case .stopWaiting: 21
    case .admit: 22
    case .deny: 23

    case .heartbeat: 24
    case .checkIn: 25
    case .markPresent: 26
    case .markGone: 27

    case .readNotices: 28

    case .sendChat(_, _, true): 30
    case .editChat: 31
    case .deleteChat: 32
    case .reactToChat: 33
    case .pinChat: 34
    case .raiseHand: 35
    case .lowerHand: 36
    case .mute: 37
    case .muteAll: 38
    case .askToUnmute: 39
    case .remove: 40
    case .ban: 41
    case .promote: 42
    case .demote: 43
    case .spotlight: 44
    case .setPolicy: 45

    case .setStage: 110
    case .inviteToStage: 111
    case .removeFromStage: 112
    case .leaveStage: 113
    }
  }
  private static let commandKinds = Set(0..<29).union(30..<46).union(110..<114)

  /// The kinds of event: the records that belong to a session and are no part of a snapshot.
  private static let eventKinds = Set(RecordKind.allCases.filter { !$0.isSnapshotEntry && $0 != .alive })

  private static func time(_ milliseconds: Int64) -> Timestamp {
    Timestamp(milliseconds: 1_767_225_600_000 + milliseconds)
  }

  /// Sessions that are proposed, declined, withdrawn, called off, and deleted.
  static func bookings() throws -> [(events: [RecordedEvent], final: Classroom, commands: Set<Int>)] {
    let host = Actor(user: "emmy", name: "Emmy", role: .host)
    let student = Actor(user: "ada", name: "Ada", role: .participant)
    let admin = Actor(user: "root", name: "Root", role: .admin)
    let day: Int64 = 86_400_000
    var patch = SessionPatch()
    patch.title = "Rings \"2\""
    patch.materials = [.init(title: "Notes é", url: "https://example.org/n")]
    patch.meetingURL = .set("https://meet.example.org/x")
    patch.videoURL = .set("https://example.org/v")
    patch.thumbnailURL = .set("https://example.org/t.png")
    patch.recordingURL = .set("https://example.org/r")
    patch.reminders = [5, 700]
    patch.hasWaitingRoom = true
    patch.course = "Algebra"
    patch.tags = ["a", "b"]
    let later = ScheduleChange(start: .instant(time(3 * day)), timeZone: "Europe/Berlin", durationMinutes: 30)
    let lives: [[(Command, Actor)]] = [
      [(.approve, host), (.reschedule(later, reason: "Exam"), student), (.withdraw(reason: nil), student)],
      [(.decline(reason: "No"), host), (.delete, host)],
      [
        (.approve, host), (.update(patch), host), (.announce(text: "Now"), host),
        (.invite([.init(user: "bo", name: "Bo", email: "bo@example.org"), .init(user: "cy", name: "")]), host),
        (.register, Actor(user: "di", name: "Di", role: .participant)),
        (.register, Actor(user: "ed", name: "Ed", role: .participant)),
        (.unregister, Actor(user: "ed", name: "Ed", role: .participant)),
        (.approveRegistration(user: "di"), host), (.rejectRegistration(user: "cy"), host),
        (.wait(isApproved: true), student),
        (.wait(isApproved: false), Actor(user: "flo", name: "F", role: .participant)),
        (.wait(isApproved: true), Actor(user: "bo", name: "Bo", role: .participant)),
        (.stopWaiting(at: time(5)), student), (.wait(isApproved: true), student),
        (.admit(users: []), host), (.wait(isApproved: false), Actor(user: "gil", name: "G", role: .observer)),
        (.deny(user: "gil"), host), (.start, host), (.end, host), (.readNotices(Array(1...40)), student),
        (.delete, host),
      ],
      [(.approve, host), (.announce(text: nil), host), (.cancel(reason: "Ill"), host), (.purge, admin)],
    ]
    return try lives.enumerated().map { number, life in
      var draft = SessionDraft(title: "Rings")
      draft.scheduledAt = time(2 * day)
      draft.admission = .approval
      let details = try draft.validated(id: "s\(number)", roomName: "r", host: "emmy", proposer: "ada", at: time(0))
      let creation = Classroom.creation(details, epoch: "e", by: "ada", keyUse: draft.keyUse("c"))
      var classroom = try #require(Classroom(creation))
      var events = [creation] + classroom.expect(draft.invited, proposerName: "Ada", by: "ada", at: time(0))
      var commands: Set<Int> = []
      for (step, (command, actor)) in life.enumerated() {
        commands.insert(place(of: command))
        let outcome = try classroom.handle(command, by: actor, key: "k\(step)", at: time(Int64(step) * 1000))
        #expect(!outcome.events.isEmpty, "\(command) does something")
        events += outcome.events
      }
      events += classroom.advance(to: time(number == 0 ? 2 * day : 1), SessionTimes(), emptySince: nil)
      return (events, classroom, commands)
    }
  }

  /// A session whose reminders go out, and that expires.
  static func forgotten() throws -> (events: [RecordedEvent], final: Classroom) {
    var draft = SessionDraft(title: "Rings")
    draft.scheduledAt = time(2 * 86_400_000)
    let details = try draft.validated(id: "forgotten", roomName: "r", host: "emmy", at: time(0))
    let creation = Classroom.creation(details, epoch: "e", by: "emmy")
    var classroom = try #require(Classroom(creation))
    var events = [creation]
    for day in 1...5 {
      events += classroom.advance(to: time(Int64(day) * 86_400_000), SessionTimes(), emptySince: nil)
    }
    return (events, classroom)
  }

  /// A lesson in which everything happens that can.
  static func lesson(id: String = "algebra") throws -> (
    events: [RecordedEvent], final: Classroom, busy: Classroom, commands: Set<Int>
  ) {
    func time(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: 1_767_225_600_000 + milliseconds) }
    var draft = SessionDraft(title: "Algebra \"1\"")
    draft.capacity = 30
    let details = try draft.validated(id: id, roomName: "r", host: "emmy", at: time(0))
    let creation = Classroom.creation(details, epoch: "e1", by: "emmy", keyUse: draft.keyUse("c"))
    var classroom = try #require(Classroom(creation))
    var events = [creation]
    var commands: Set<Int> = []
    let host = Actor(user: "emmy", name: "Emmy", role: .host)
    let student = Actor(user: "ada", name: "Ada", role: .participant)
    var now: Int64 = 0
    func run(_ command: Command, by actor: Actor, key: String? = nil) throws {
      now += 1000
      commands.insert(place(of: command))
      let outcome = try classroom.handle(command, by: actor, key: key, at: time(now))
      #expect(!outcome.events.isEmpty, "\(command) does something")
      events += outcome.events
    }
    try run(.start, by: host, key: "s")
    try run(.join, by: student)
    for number in 0..<300 { try run(.sendChat(text: "Text \(number) é\n"), by: student, key: "k\(number)") }
    try run(.sendChat(text: "No key"), by: host)
    try run(.lose(since: time(now), isEstimated: true), by: student)
    try run(.join, by: student)
    try run(.leave(at: time(now), isEstimated: false), by: student)
    try lead(by: host, classroom.chat.messages.last?.sequence ?? 0, classroom.sequence) { try run($0, by: $1, key: $2) }
    events.append(classroom.changeEpoch(to: "e2", at: time(now)))
    let erasure = classroom.erase("ada", as: "erased-1", at: time(now))
    events.append(try #require(erasure))
    try run(.join, by: Actor(user: "bo", name: "Bo", role: .cohost))
    try run(.lose(since: time(now), isEstimated: false), by: Actor(user: "bo", name: "Bo", role: .cohost))
    let fay = Actor(user: "fay", name: "Fay", role: .participant, email: "fay@example.org")
    try run(.join, by: fay)
    try run(.heartbeat, by: fay)
    try run(.checkIn, by: Actor(user: "gus", name: "Gus", role: .participant))
    try run(.markPresent(user: "hal", name: "Hal"), by: host, key: "m")
    try run(.markGone(user: "hal"), by: host)
    try run(.inviteToStage(user: "bo"), by: host)
    for user in ["bo", "cy"] { try run(.ban(user: user, isOn: true), by: host) }
    try run(.sendChat(text: "To ourselves", isPrivate: true), by: host)
    try run(.raiseHand, by: host)
    let busy = classroom
    try run(.end, by: host, key: "e")
    try run(.markPresent(user: "ivy", name: nil), by: host)
    let reopening = RecordedEvent(
      session: classroom.id, sequence: classroom.sequence + 1, at: time(now + 1000), by: "emmy", keyUse: nil,
      event: .statusChanged(.ongoing))
    classroom.apply(reopening)
    events.append(reopening)
    now += 1000
    try run(.join, by: fay)
    try run(.heartbeat, by: fay)
    return (events, classroom, busy, commands)
  }

  /// Everything that those who lead a class can decide, and what becomes of messages.
  private static func lead(
    by host: Actor, _ message: UInt64, _ sequence: UInt64, _ run: (Command, Actor, String?) throws -> Void
  ) throws {
    let student = Actor(user: "cy", name: "Cy", role: .participant)
    try run(.join, student, nil)
    try run(.sendChat(text: "Psst", isPrivate: true), student, "p")
    try run(.sendChat(text: "Helo", replyTo: message), student, nil)
    // Behind the join and the private message.
    let own = sequence + 3
    try run(.editChat(message: own, text: "Hello"), student, nil)
    try run(.reactToChat(message: own, emoji: "👩‍🏫", isOn: true), student, nil)
    try run(.reactToChat(message: own, emoji: "👩‍🏫", isOn: false), student, nil)
    try run(.reactToChat(message: own, emoji: "👍", isOn: true), host, nil)
    try run(.pinChat(message: own, isOn: true), host, nil)
    try run(.pinChat(message: message, isOn: true), host, nil)
    try run(.deleteChat(message: own), student, nil)
    try run(.reactToChat(message: message, emoji: "👍", isOn: true), student, "r")
    try run(.raiseHand, student, nil)
    try run(.lowerHand(.user("cy")), host, nil)
    try run(.raiseHand, student, nil)
    try run(.lowerHand(.all), host, nil)
    try run(.mute(user: "cy", isOn: true), host, nil)
    try run(.askToUnmute(user: "cy"), host, nil)
    try run(.muteAll(isOn: true, isUnmuteAllowed: true), host, nil)
    try run(.spotlight(user: "cy"), host, nil)
    var policy = PolicyChange()
    policy.chat = .hosts
    policy.slowModeSeconds = 9
    policy.hasWaitingRoom = true
    policy.isUnmuteAllowed = false
    try run(.setPolicy(policy), host, nil)
    try run(.promote(user: "cy"), host, nil)
    try run(.demote(user: "cy"), host, nil)
    try run(.setStage(StageChange(mode: .invited, places: 3)), host, nil)
    try run(.inviteToStage(user: "cy"), host, "i")
    try run(.leaveStage, student, nil)
    try run(.inviteToStage(user: "cy"), host, nil)
    try run(.removeFromStage(user: "cy"), host, nil)
    try run(.remove(user: "cy"), host, nil)
  }

  @Test("every event comes back from its payload as it was, and all of them make the same classroom")
  func journal() throws {
    let lesson = try Self.lesson()
    let bookings = try Self.bookings()
    let commands = bookings.reduce(lesson.commands) { $0.union($1.commands) }
    #expect(commands == Self.commandKinds, "every command is used")
    var kinds: Set<RecordKind> = []
    let forgotten = try Self.forgotten()
    for (events, final) in [(lesson.events, lesson.final), forgotten] + bookings.map({ ($0.events, $0.final) }) {
      kinds.formUnion(try check(events, final))
    }
    #expect(kinds == Self.eventKinds, "every event is made")
  }

  private func check(_ events: [RecordedEvent], _ final: Classroom) throws -> Set<RecordKind> {
    var kinds: Set<RecordKind> = []
    var replayed: Classroom?
    var reader = JSONReader()
    for event in events {
      var writer = JSONWriter()
      let kind = EventCodec.encode(event, into: &writer)
      kinds.insert(kind)
      var decoded: RecordedEvent?
      try reader.read(writer.bytes) { view in
        decoded = try? EventCodec.decode(view, kind: kind.rawValue, session: event.session, sequence: event.sequence)
      }
      #expect(decoded == event)
      let read = try #require(decoded)
      if replayed == nil { replayed = Classroom(read) } else { replayed?.apply(read) }
    }
    #expect(replayed == final)
    return kinds
  }

  @Test("every kind of snapshot entry is written, and all of them make the same classroom")
  func snapshot() throws {
    let (_, final, led, _) = try Self.lesson()
    let host = Actor(user: "emmy", name: "Emmy", role: .host)
    var busy = try #require(Classroom(Classroom.creation(final.details, epoch: "e", by: "emmy")))
    _ = try busy.handle(.start, by: host, at: Timestamp(milliseconds: 1))
    for number in 0..<300 {
      _ = try busy.handle(.sendChat(text: "m"), by: host, key: "k\(number)", at: Timestamp(milliseconds: 2))
    }
    var kinds: Set<RecordKind> = []
    let bookings = try Self.bookings().map(\.final)
    #expect(bookings.contains { $0.isDeleted } && bookings.contains { $0.isHidden })
    var waiting = try #require(Classroom(Classroom.creation(final.details, epoch: "e", by: "emmy")))
    _ = try waiting.handle(
      .wait(isApproved: true), by: Actor(user: "u", name: "U", role: .participant), at: Timestamp(milliseconds: 1))
    for classroom in [final, led, busy, waiting] + bookings.filter({ !$0.isDeleted }) + [try Self.forgotten().final] {
      var restored: Classroom?
      var reader = JSONReader()
      var entries: [(RecordKind, [UInt8])] = []
      SnapshotCodec.encode(classroom) { entries.append(($0, $1)) }
      for (kind, bytes) in entries {
        kinds.insert(kind)
        var failure: UnreadableRecord?
        try reader.read(bytes) { view in
          do throws(UnreadableRecord) {
            try SnapshotCodec.decode(
              view, kind: kind.rawValue, session: classroom.id, sequence: classroom.sequence, into: &restored)
          } catch {
            failure = error
          }
        }
        #expect(failure == nil)
      }
      #expect(restored == classroom)
    }
    #expect(kinds == Set(RecordKind.allCases.filter(\.isSnapshotEntry)))
  }
}
