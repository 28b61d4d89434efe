import Classroom
import JSON
import SignalingProtocol
import Testing

@testable import RoomShard

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

/// Seals with a sum that anybody could make; it is the server's sealer that must be strong.
struct TestSealer: ResumeSealer {
  private func sum(_ text: String) -> UInt64 {
    text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }

  func seal(_ claim: ResumeClaim) -> String {
    let text = "\(claim.user)|\(claim.session)|\(claim.epoch)|\(claim.peer ?? "")|\(claim.expiresAt.milliseconds)"
    return "\(text)|\(sum(text))"
  }

  func open(_ token: String) -> ResumeClaim? {
    let parts = token.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 6, parts[5] == "\(sum(parts[..<5].joined(separator: "|")))", let expiry = Int64(parts[4])
    else {
      return nil
    }
    return ResumeClaim(
      user: parts[0], session: parts[1], epoch: parts[2], peer: parts[3].isEmpty ? nil : parts[3],
      expiresAt: Timestamp(milliseconds: expiry))
  }
}

/// A shard with a journal in memory, a clock that stands until it is told to go, and connections whose messages are read.
final class ShardFixture {
  struct Answer {
    var request: RequestID
    var result: Result<RoomAnswer, Refusal>
  }

  private struct Sink: ShardSink {
    var sent: [(ConnectionID, [UInt8])] = []
    var answers: [Answer] = []
    var published: [SessionView] = []
    var retracted: [String] = []
    /// With the number of messages that were sent before.
    var handedOver: [(ConnectionID, Int)] = []
    /// With the number of messages that were sent before.
    var closed: [(ConnectionID, CloseReason, Int)] = []

    mutating func send(_ message: UnsafeRawBufferPointer, to connection: ConnectionID) {
      sent.append((connection, Array(message)))
    }
    mutating func broadcast(_ message: UnsafeRawBufferPointer, to connections: [ConnectionID]) {
      for connection in connections { sent.append((connection, Array(message))) }
    }
    mutating func respond(to request: RequestID, with result: Result<RoomAnswer, Refusal>) {
      answers.append(Answer(request: request, result: result))
    }
    mutating func publish(_ view: SessionView) { published.append(view) }
    mutating func retract(_ session: String) { retracted.append(session) }
    mutating func handOver(_ connection: ConnectionID) { handedOver.append((connection, sent.count)) }
    mutating func close(_ connection: ConnectionID, for reason: CloseReason) {
      closed.append((connection, reason, sent.count))
    }
  }

  private(set) var shard: RoomShard
  var now = Timestamp(milliseconds: 1_767_225_600_000)
  /// Every record that the shard made, synced or not.
  private(set) var journal: [RecordedEvent] = []
  private(set) var synced: UInt64 = 0
  private(set) var published: [SessionView] = []
  private(set) var retracted: [String] = []
  private(set) var answers: [UInt64: Result<RoomAnswer, Refusal>] = [:]
  private(set) var answerCount = 0
  private(set) var handedOver: [ConnectionID] = []
  private(set) var closed: [ConnectionID: CloseReason] = [:]
  /// What each connection got and nobody has taken yet.
  private var inboxes: [ConnectionID: [Message]] = [:]
  private var lastConnection: UInt64 = 0
  private var lastRequest: UInt64 = 0

  private let configuration: ShardConfiguration

  init(seed: UInt64 = 1, configuration: ShardConfiguration = ShardConfiguration()) {
    self.configuration = configuration
    shard = RoomShard(configuration: configuration, random: SeededGenerator(seed: seed), sealer: TestSealer())
  }

  // MARK: The journal

  /// Hands the records to the journal, which does not sync them yet.
  func append() { journal += shard.takeRecords() }

  /// Syncs everything, or up to a position in ``journal``, and lets out what may be shown.
  func sync(through position: UInt64? = nil) throws {
    append()
    guard !shard.hasStorageFailed else { return try release() }
    synced = position ?? UInt64(journal.count)
    shard.didSync(through: synced + skipped)
    try release()
  }

  // MARK: Storage trouble

  /// How many positions the shard has used for records that are not in ``journal``.
  private var skipped: UInt64 = 0

  /// The storage fails: what is not synced is void. Of it the disk has the first `surviving` records all the same, which
  /// nobody knows.
  func failStorage(isCertain: Bool = true, surviving: Int = 0) throws {
    append()
    let kept = min(journal.count, Int(synced) + surviving)
    journal.removeLast(journal.count - kept)
    shard.storageFailed(isCertain: isCertain, at: now)
    #expect(shard.takeRecords().isEmpty)
    try release()
  }

  /// The shard was told by somebody else that this much is synced.
  func noteSynced(_ position: UInt64) { synced = position }

  /// Whether a record waits to be written.
  var hasRecords: Bool {
    let before = journal.count
    append()
    return journal.count > before
  }

  /// The storage heals; everything that is not void is on the disk.
  func healStorage() throws {
    #expect(shard.takeRecords().isEmpty, "a record was made that nobody can write")
    synced = UInt64(journal.count)
    skipped = shard.position - synced
    let stored = try classrooms()
    var rooms: [String: Classroom?] = [:]
    for session in shard.frozenSessions { rooms.updateValue(stored[session], forKey: session) }
    shard.storageHealed(rooms, at: now)
    try release()
  }

  func release() throws {
    var sink = Sink()
    shard.release(into: &sink)
    for (connection, bytes) in sink.sent { inboxes[connection, default: []].append(try Message(parsing: bytes)) }
    for answer in sink.answers {
      answers[answer.request.rawValue] = answer.result
      answerCount += 1
    }
    published += sink.published
    retracted += sink.retracted
    handedOver += sink.handedOver.map(\.0)
    for (connection, count) in sink.handedOver {
      #expect(!sink.sent[count...].contains { $0.0 == connection }, "a message to a connection that has gone")
    }
    for (connection, reason, count) in sink.closed {
      closed[connection] = reason
      #expect(!sink.sent[count...].contains { $0.0 == connection }, "a message behind the Close")
    }
  }

  /// The server dies, what was not synced is lost, and it comes back with what the journal has.
  func crash(lastAlive: Timestamp? = nil, downFor milliseconds: Int64 = 0, isEstimated: Bool = true) throws {
    append()
    let lastAlive = lastAlive ?? now
    journal.removeLast(journal.count - Int(synced))
    now = now.advanced(byMilliseconds: milliseconds)
    let next = RoomShard(
      configuration: configuration, random: SeededGenerator(seed: synced &+ 77),
      sealer: TestSealer())
    base = try classrooms()
    for classroom in base.values.sorted(by: { $0.id < $1.id }) { next.restore(classroom) }
    next.resume(lastAlive: lastAlive, isEstimated: isEstimated, at: now)
    shard = next
    journal = []
    synced = 0
    skipped = 0
    inboxes = [:]
    // The list is made anew of what was recovered.
    published = []
    try sync()
  }

  /// The classrooms that the synced part of the journal makes, by itself.
  private var base: [String: Classroom] = [:]
  func replay() throws -> [Classroom] { try classrooms().values.sorted { $0.id < $1.id } }

  func classrooms() throws -> [String: Classroom] {
    var classrooms = base
    for event in journal.prefix(Int(synced)) {
      if classrooms[event.session] == nil {
        let created: Classroom = try #require(Classroom(event))
        classrooms[event.session] = created
      } else {
        classrooms[event.session]?.apply(event)
      }
    }
    return classrooms
  }

  // MARK: Time

  /// Lets time go by; timers come in their order. Nothing is synced.
  func advance(_ milliseconds: Int64) {
    let end = now.advanced(byMilliseconds: milliseconds)
    while let deadline = shard.nextDeadline, deadline <= end {
      now = max(now, deadline)
      shard.advance(to: now)
    }
    now = end
  }

  /// Lets presence be told, and syncs.
  func settle() throws {
    advance(250)
    try sync()
  }

  // MARK: People

  static func identity(_ user: String, _ role: Role = .participant, session: String? = nil, guest: Bool = false)
    -> Identity
  {
    Identity(
      user: user, name: user.uppercased(), role: role, session: session, isGuest: guest,
      expiresAt: Timestamp(milliseconds: .max))
  }

  func newConnection() -> ConnectionID {
    lastConnection += 1
    return ConnectionID(rawValue: lastConnection)
  }

  /// Joins with a new connection; nothing is synced.
  @discardableResult
  func join(
    _ identity: Identity, _ session: String = "algebra", mode: PresenceMode = .full, on connection: ConnectionID? = nil,
    id: Int64? = 1, resume: ClientMessage.Resume? = nil
  ) -> ConnectionID {
    let connection = connection ?? newConnection()
    shard.join(identity, session: session, presence: mode, resume: resume, id: id, connection: connection, at: now)
    return connection
  }

  @discardableResult
  func join(
    _ user: String, _ session: String = "algebra", mode: PresenceMode = .full, on connection: ConnectionID? = nil
  ) -> ConnectionID {
    join(Self.identity(user), session, mode: mode, on: connection)
  }

  /// A command as its JSON text.
  func send(_ connection: ConnectionID, _ text: String) throws {
    let bytes = Array(text.utf8)
    var reader = JSONReader()
    try reader.read(bytes) { view in
      let envelope = ClientEnvelope(view)
      switch envelope.message {
      case .success(let message): shard.handle(message, id: envelope.id, from: connection, at: now)
      case .failure(let error): Issue.record("not a command: \(error)")
      }
    }
  }

  func close(_ connection: ConnectionID, lastHeard: Timestamp? = nil, isGoodbye: Bool = false) {
    shard.connectionClosed(connection, lastHeard: lastHeard ?? now, isGoodbye: isGoodbye, at: now)
  }

  // MARK: Requests

  @discardableResult
  func request(_ request: RoomRequest, _ session: String = "algebra", by identity: Identity?) -> UInt64 {
    lastRequest += 1
    shard.handle(request, session: session, id: RequestID(rawValue: lastRequest), by: identity, at: now)
    return lastRequest
  }

  @discardableResult
  func create(
    _ id: String = "algebra", host: String = "emmy", capacity: Int? = nil, admission: SessionDetails.Admission = .open,
    guests: Bool = true, hasWaitingRoom: Bool = false, key: String? = nil
  ) -> UInt64 {
    var draft = SessionDraft(title: "Algebra")
    draft.capacity = capacity
    draft.admission = admission
    draft.allowsGuests = guests
    draft.hasWaitingRoom = hasWaitingRoom
    return request(
      .create(draft, id: id, roomName: "room-\(id)", epoch: "e-\(id)", key: key), id, by: Self.identity(host, .host))
  }

  /// A fixture whose session is live and has only its host in it, everything synced.
  static func live(
    capacity: Int? = nil, seed: UInt64 = 1, configuration: ShardConfiguration = ShardConfiguration()
  ) throws -> (ShardFixture, host: ConnectionID) {
    let fixture = ShardFixture(seed: seed, configuration: configuration)
    fixture.create(capacity: capacity)
    let host = fixture.join(identity("emmy", .host))
    try fixture.send(host, #"{"type":"session.start","id":2}"#)
    try fixture.settle()
    _ = fixture.take(host)
    return (fixture, host)
  }

  // MARK: Looking

  /// Whether nothing is to be done but what a session's planned time brings, a day after it.
  var isResting: Bool { shard.nextDeadline.map { $0.milliseconds(since: now) > 12 * 3_600_000 } ?? true }

  /// What the connection got since the last time.
  func take(_ connection: ConnectionID) -> [Message] { inboxes.removeValue(forKey: connection) ?? [] }

  func take(_ connection: ConnectionID, _ type: String) -> [Message] { take(connection).filter { $0.type == type } }

  /// The peer address from the newest `session.joined`; everything waiting is taken.
  func takePeer(_ connection: ConnectionID) throws -> String {
    try #require(take(connection, "session.joined").last?.text("peer"))
  }

  var hasNews: Bool { inboxes.values.contains { !$0.isEmpty } }

  func segments(_ user: String, _ session: String = "algebra") -> [Attendance.Segment] {
    shard.classroom(session)?.attendance[user]?.segments ?? []
  }

  func room(_ session: String = "algebra") throws -> Room { try #require(shard.rooms[session]) }
}
