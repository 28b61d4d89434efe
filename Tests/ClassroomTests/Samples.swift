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
    var classroom = try #require(Classroom(Classroom.creation(details, epoch: "e1", by: details.host)))
    if status != .scheduled { _ = try classroom.handle(.start, by: .host, at: .after(1000)) }
    if status == .completed { _ = try classroom.handle(.end, by: .host, at: .after(2000)) }
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
    for row in attendance.rows.values { copy.restore(row) }
    for message in chat.messages { copy.restore(message) }
    for user in keys.users.values { for (key, use) in user.uses { copy.restore(use, key: key, user: user.user) } }
    for user in keys.users.values {
      for hash in user.forgotten.ascending { copy.restore(forgottenKey: hash, of: user.user) }
    }
    for event in stream.events { _ = copy.restore(event) }
    return copy
  }
}
