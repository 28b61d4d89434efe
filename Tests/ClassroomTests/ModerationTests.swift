import Testing

@testable import Classroom

@Suite("Leading a class")
struct ModerationTests {
  /// A class with its host, a cohost and two students.
  private static func lesson() throws -> Classroom {
    var classroom = try Classroom.sample(in: .ongoing)
    for actor in [Actor.student, .named("bo"), .named("carl", .cohost)] {
      _ = try classroom.handle(.join, by: actor, at: .after(2000))
    }
    return classroom
  }

  @Test("who was muted may not speak, leaves and comes back so, and may again when that is lifted")
  func mute() throws {
    var classroom = try Self.lesson()
    #expect(classroom.conduct.maySpeak("ada", role: .participant))
    #expect(classroom.refusal(of: .mute(user: "ada", isOn: true), by: .host) == nil)
    #expect(!classroom.conduct.maySpeak("ada", role: .participant) && classroom.conduct.isMuted("ada"))
    #expect(classroom.conduct.maySpeak("bo", role: .participant))
    _ = try classroom.handle(.leave(at: .after(4000), isEstimated: false), by: .student, at: .after(4000))
    _ = try classroom.handle(.join, by: .student, at: .after(5000))
    #expect(!classroom.conduct.maySpeak("ada", role: .participant))
    #expect(try classroom.handle(.mute(user: "ada", isOn: true), by: .host, at: .after(5000)).events.isEmpty)
    #expect(classroom.refusal(of: .mute(user: "ada", isOn: false), by: .host) == nil)
    #expect(classroom.conduct.maySpeak("ada", role: .participant))
    let told = classroom.conduct.stream(.user("ada")).events.map(\.content)
    #expect(told == [.muted(true), .muted(false)])
  }

  @Test("mute-all is about everybody but those who lead; who is asked to speak may, until it is said again")
  func muteAll() throws {
    var classroom = try Self.lesson()
    func speakers() -> [String] {
      [("emmy", Role.host), ("ada", .participant), ("bo", .participant), ("carl", .cohost)]
        .filter { classroom.conduct.maySpeak($0.0, role: $0.1) }.map(\.0)
    }
    let all = Command.muteAll(isOn: true, isUnmuteAllowed: false)
    #expect(classroom.refusal(of: all, by: .host) == nil)
    #expect(speakers() == ["emmy", "carl"])
    #expect(classroom.refusal(of: .askToUnmute(user: "ada"), by: .host) == nil)
    #expect(speakers() == ["emmy", "ada", "carl"])
    #expect(classroom.refusal(of: all, by: .host) == nil)
    #expect(speakers() == ["emmy", "carl"], "said again it is about everybody again")
    #expect(classroom.refusal(of: .muteAll(isOn: true, isUnmuteAllowed: true), by: .host) == nil)
    #expect(speakers().count == 4)
    _ = try classroom.handle(.mute(user: "bo", isOn: true), by: .host, at: .after(4000))
    #expect(classroom.refusal(of: .muteAll(isOn: false, isUnmuteAllowed: false), by: .host) == nil)
    #expect(speakers() == ["emmy", "ada", "carl"], "who was muted alone still is")
    #expect(classroom.refusal(of: .askToUnmute(user: "bo"), by: .host) == nil)
    #expect(speakers().count == 4)
  }

  @Test("who is removed is gone, and may come back; who is banned may not, until unbanned")
  func removeAndBan() throws {
    var classroom = try Self.lesson()
    let ada = Identity(
      user: "ada", name: "Ada", role: .participant, session: nil, isGuest: false, expiresAt: .after(1 << 40))
    _ = try classroom.handle(.raiseHand, by: .student, at: .after(3000))
    _ = try classroom.handle(.spotlight(user: "ada"), by: .host, at: .after(3000))
    _ = try classroom.handle(.remove(user: "ada"), by: .host, at: .after(4000))
    #expect(classroom.attendance["ada"]?.segments.last?.to == .after(4000))
    #expect(classroom.conduct.hands["ada"] == nil && classroom.conduct.spotlight == nil)
    #expect(classroom.refusal(of: .remove(user: "ada"), by: .host) == .noSuchParticipant)
    #expect(try classroom.role(of: ada) == .participant)
    #expect(classroom.refusal(of: .join, by: .student) == nil)
    _ = try classroom.handle(.lose(since: .after(5000), isEstimated: true), by: .student, at: .after(6000))
    _ = try classroom.handle(.ban(user: "ada", isOn: true), by: .host, at: .after(7000))
    #expect(
      classroom.attendance["ada"]?.segments.last
        == Attendance.Segment(from: .after(4000), to: .after(5000), isEstimated: true))
    #expect(!classroom.attendance.isActive("ada"))
    #expect(throws: Refusal.banned) { try classroom.role(of: ada) }
    let granted = Identity(
      user: "ada", name: "Ada", role: .cohost, session: "algebra", isGuest: false, expiresAt: .after(1 << 40))
    #expect(throws: Refusal.banned) { try classroom.role(of: granted) }
    #expect(classroom.conduct.banned(after: 0, limit: 10).people.map(\.user) == ["ada"])
    #expect(classroom.conduct.banCount == 1)
    #expect(classroom.refusal(of: .ban(user: "ada", isOn: false), by: .host) == nil)
    #expect(try classroom.role(of: ada) == .participant)
    #expect(classroom.conduct.banCount == 0)
    let told = classroom.conduct.hosts.events.map(\.content)
    #expect(
      told == [
        .removed(user: "ada", name: "Ada"), .banned(user: "ada", name: "Ada", isBanned: true),
        .banned(user: "ada", name: "Ada", isBanned: false),
      ])
  }

  @Test("bans are bounded, and one more is refused")
  func manyBans() throws {
    var classroom = try Self.lesson()
    var rules = SessionRules()
    rules.conduct.bans = 2
    for user in ["x", "y"] {
      _ = try classroom.handle(.ban(user: user, isOn: true), by: .host, under: rules, at: .after(3000))
    }
    #expect(throws: Refusal.limitReached("At most 2 people can be banned from a session.")) {
      try classroom.handle(.ban(user: "z", isOn: true), by: .host, under: rules, at: .after(3000))
    }
  }

  @Test("nobody decides about who owns the session, and cohosts not about each other")
  func ranks() throws {
    var classroom = try Self.lesson()
    _ = try classroom.handle(.promote(user: "bo"), by: .host, at: .after(3000))
    _ = try classroom.handle(.join, by: .named("root", .admin), at: .after(3000))
    let cohost = Actor.named("carl", .cohost)
    for user in ["emmy", "root", "bo", "carl"] {
      #expect(classroom.refusal(of: .mute(user: user, isOn: true), by: cohost) == .forbidden)
      #expect(classroom.refusal(of: .remove(user: user), by: cohost) == .forbidden)
      #expect(classroom.refusal(of: .ban(user: user, isOn: true), by: cohost) == .forbidden)
    }
    #expect(classroom.refusal(of: .ban(user: "emmy", isOn: true), by: .named("root", .admin)) == .forbidden)
    #expect(classroom.refusal(of: .remove(user: "carl"), by: .host) == nil)
    #expect(classroom.refusal(of: .mute(user: "ada", isOn: true), by: cohost) == nil)
  }

  @Test("a promotion is in place of the role that somebody comes with, and is taken back")
  func promotion() throws {
    var classroom = try Self.lesson()
    let ada = Identity(
      user: "ada", name: "Ada", role: .participant, session: nil, isGuest: false, expiresAt: .after(1 << 40))
    #expect(classroom.refusal(of: .promote(user: "ada"), by: .named("carl", .cohost)) == .forbidden)
    _ = try classroom.handle(.promote(user: "ada"), by: .host, at: .after(3000))
    #expect(try classroom.role(of: ada) == .cohost && classroom.attendance["ada"]?.role == .cohost)
    #expect(classroom.conduct.cohosts == ["ada"])
    #expect(try classroom.handle(.promote(user: "ada"), by: .host, at: .after(3000)).events.isEmpty)
    #expect(
      classroom.conduct.stream(.user("ada")).events.map(\.content) == [.role(user: "ada", .cohost, hosts: 1)])
    _ = try classroom.handle(.demote(user: "ada"), by: .host, at: .after(4000))
    #expect(try classroom.role(of: ada) == .participant)
    _ = try classroom.handle(.demote(user: "carl"), by: .host, at: .after(4000))
    let carl = Identity(
      user: "carl", name: "C", role: .cohost, session: "algebra", isGuest: false, expiresAt: .after(1 << 40))
    #expect(try classroom.role(of: carl) == .participant, "a token's cohost, too")
    _ = try classroom.handle(.ban(user: "ada", isOn: true), by: .host, at: .after(5000))
    #expect(classroom.refusal(of: .promote(user: "ada"), by: .host) == .banned)
  }

  @Test("hands keep their places: one that goes down changes nothing for the others")
  func hands() throws {
    var classroom = try Self.lesson()
    for user in ["bo", "ada", "carl"] { _ = try classroom.handle(.raiseHand, by: .named(user), at: .after(3000)) }
    #expect(classroom.conduct.hands.users == ["bo", "ada", "carl"])
    let place = classroom.conduct.hands["carl"]
    #expect(try classroom.handle(.raiseHand, by: .named("bo"), at: .after(3000)).events.isEmpty)
    #expect(classroom.refusal(of: .lowerHand(.user("bo")), by: .student) == .forbidden)
    #expect(classroom.refusal(of: .lowerHand(.user("ada")), by: .host) == nil)
    #expect(classroom.conduct.stream(.user("ada")).events.map(\.content) == [.handLowered])
    #expect(classroom.refusal(of: .lowerHand(.own), by: .named("bo")) == nil)
    #expect(classroom.conduct.stream(.user("bo")).last == 0, "one's own doing is no news")
    #expect(classroom.conduct.hands.users == ["carl"] && classroom.conduct.hands["carl"] == place)
    _ = try classroom.handle(.raiseHand, by: .named("bo"), at: .after(3000))
    #expect(classroom.conduct.hands.users == ["carl", "bo"], "who raises it again is last")
    _ = try classroom.handle(.lose(since: .after(3000), isEstimated: false), by: .named("bo"), at: .after(3000))
    #expect(classroom.conduct.hands.count == 2, "who is away has not left")
    _ = try classroom.handle(.leave(at: .after(3000), isEstimated: false), by: .named("bo"), at: .after(3000))
    #expect(classroom.conduct.hands.users == ["carl"])
    #expect(classroom.refusal(of: .lowerHand(.all), by: .host) == nil)
    #expect(classroom.conduct.hands.count == 0)
    #expect(classroom.refusal(of: .raiseHand, by: .named("bo")) == .notPresent)
  }

  @Test("a lock keeps out who is new, not who is in or away, nor who leads")
  func lock() throws {
    var classroom = try Self.lesson()
    var change = PolicyChange()
    change.isLocked = true
    _ = try classroom.handle(.lose(since: .after(3000), isEstimated: false), by: .student, at: .after(3000))
    _ = try classroom.handle(.setPolicy(change), by: .host, at: .after(3000))
    #expect(classroom.refusal(of: .join, by: .named("new")) == .locked)
    #expect(classroom.refusal(of: .join, by: .student) == nil)
    #expect(classroom.refusal(of: .join, by: .named("co", .cohost)) == nil)
    #expect(classroom.refusal(of: .join, by: .named("o", .observer)) == nil)
    change.isLocked = false
    _ = try classroom.handle(.setPolicy(change), by: .named("carl", .cohost), at: .after(3000))
    #expect(classroom.refusal(of: .join, by: .named("new")) == nil)
    #expect(classroom.refusal(of: .setPolicy(change), by: .student) == .forbidden)
  }

  @Test("the end of the class ends mutes, hands and the spotlight, not bans and promotions")
  func end() throws {
    var classroom = try Self.lesson()
    for command in [
      Command.mute(user: "ada", isOn: true), .spotlight(user: "bo"), .promote(user: "bo"), .ban(user: "x", isOn: true),
    ] { _ = try classroom.handle(command, by: .host, at: .after(3000)) }
    _ = try classroom.handle(.raiseHand, by: .named("bo"), at: .after(3000))
    _ = try classroom.handle(.end, by: .host, at: .after(9000))
    #expect(!classroom.conduct.isMuted("ada") && classroom.conduct.hands.count == 0)
    #expect(classroom.conduct.spotlight == nil)
    #expect(classroom.conduct.isBanned("x") && classroom.conduct.cohosts == ["bo"])
    #expect(classroom.restoredFromParts == classroom)
  }
}
