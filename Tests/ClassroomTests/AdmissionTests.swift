import Testing

@testable import Classroom

@Suite("Who gets in: roster and waiting room")
struct AdmissionTests {
  private func identity(_ user: String, _ role: Role = .participant) -> Identity {
    Identity(user: user, name: user, role: role, session: nil, isGuest: false, expiresAt: .after(0))
  }

  private func role(_ user: String, in classroom: Classroom) -> Result<Role, Refusal> {
    Result { () throws(Refusal) in try classroom.role(of: identity(user)) }
  }

  @Test("with approval somebody asks, waits for the host's word, and is in or out by it")
  func approval() throws {
    var classroom = try Classroom.sample(.sample(admission: .approval))
    #expect(role("ada", in: classroom) == .failure(.forbidden))
    #expect(try classroom.handle(.register, by: .student, at: .after(1)).answer == .registration(.requested))
    #expect(role("ada", in: classroom) == .failure(.forbidden))
    let answer = try classroom.handle(.approveRegistration(user: "ada"), by: .host, at: .after(2)).answer
    #expect(answer == .registration(.approved))
    #expect(role("ada", in: classroom) == .success(.participant))
    #expect(try classroom.handle(.register, by: .student, at: .after(3)).events.isEmpty)
    #expect(
      try classroom.handle(.rejectRegistration(user: "ada"), by: .named("bo", .cohost), at: .after(4)).answer
        == .registration(.rejected))
    #expect(role("ada", in: classroom) == .failure(.forbidden))
    #expect(classroom.refusal(of: .register, by: .student) == .denied)
    #expect(classroom.refusal(of: .approveRegistration(user: "zoe"), by: .host) == .unknownUser("zoe"))
  }

  @Test("where registering is enough, it lets in at once, and can be taken back")
  func registered() throws {
    var classroom = try Classroom.sample(.sample(admission: .registered))
    #expect(try classroom.handle(.register, by: .student, at: .after(1)).answer == .registration(.approved))
    #expect(role("ada", in: classroom) == .success(.participant))
    #expect(try classroom.handle(.unregister, by: .student, at: .after(2)).answer == .registration(.withdrawn))
    #expect(role("ada", in: classroom) == .failure(.forbidden))
    #expect(try classroom.handle(.register, by: .student, at: .after(3)).answer == .registration(.approved))
  }

  @Test("whom a host turned down does not get in where everybody else does")
  func rejectedFromOpen() throws {
    var classroom = try Classroom.sample()
    _ = try classroom.handle(.register, by: .student, at: .after(1))
    _ = try classroom.handle(.rejectRegistration(user: "ada"), by: .host, at: .after(2))
    #expect(role("ada", in: classroom) == .failure(.forbidden))
    #expect(role("bob", in: classroom) == .success(.participant))
  }

  @Test("a host puts people on the list, all or none of them")
  func invite() throws {
    var classroom = try Classroom.sample(.sample(admission: .approval, visibility: .members))
    #expect(role("ada", in: classroom) == .failure(.notFound))
    let people = [Roster.Invitation(user: "ada", name: "Ada", email: "ada@example.org"), .init(user: "bob", name: "")]
    #expect(try classroom.handle(.invite(people), by: .host, at: .after(1)).answer == .count(2))
    #expect(role("ada", in: classroom) == .success(.participant))
    #expect(classroom.roster["ada"]?.email == "ada@example.org")
    _ = try classroom.handle(.invite([.init(user: "ada", name: "")]), by: .host, at: .after(2))
    #expect(classroom.roster["ada"]?.name == "Ada", "a name is not forgotten")
    let before = classroom
    for bad in [Roster.Invitation(user: "", name: "x"), .init(user: "x", name: "", email: "nobody")] {
      guard case .invalidField("invited", _)? = classroom.refusal(of: .invite(people + [bad]), by: .host) else {
        Issue.record("\(bad)")
        continue
      }
    }
    let many = (0...Roster.Limits.entries).map { Roster.Invitation(user: "u\($0)", name: "") }
    #expect(classroom.refusal(of: .invite(Array(many.prefix(5000))), by: .host) == nil)
    #expect(classroom.refusal(of: .invite(Array(many[5000...9999])), by: .host) == .rosterFull)
    #expect(before.roster.count == 2)
  }

  @Test("in the waiting room who may come in waits all the same, until a host lets the person in, for good")
  func waitingRoom() throws {
    var details = SessionDetails.sample()
    details.hasWaitingRoom = true
    var classroom = try Classroom.sample(details, in: .ongoing)
    #expect(classroom.mustWait(.student))
    #expect(!classroom.mustWait(.named("root", .admin)) && !classroom.mustWait(.host))
    _ = try classroom.handle(.wait(isApproved: true), by: .student, at: .after(1100))
    #expect(try classroom.handle(.wait(isApproved: true), by: .student, at: .after(1150)).events.isEmpty)
    #expect(try classroom.handle(.admit(users: ["ada"]), by: .host, at: .after(1200)).answer == .count(1))
    #expect(!classroom.mustWait(.student))
    _ = try classroom.handle(.join, by: .student, at: .after(1300))
    #expect(classroom.lobby.count == 0)
    _ = try classroom.handle(.leave(at: .after(1400), isEstimated: false), by: .student, at: .after(1400))
    #expect(!classroom.restoredFromParts.mustWait(.student), "let in survives coming and going, and a restart")
  }

  @Test("all who wait are let in by one command; who is turned away stays out")
  func admitAll() throws {
    var details = SessionDetails.sample(admission: .approval)
    details.hasWaitingRoom = true
    var classroom = try Classroom.sample(details, in: .ongoing)
    #expect(classroom.mayKnock(identity("zoe")))
    for user in ["ada", "bob", "cyd"] {
      _ = try classroom.handle(.wait(isApproved: false), by: .named(user), at: .after(2000))
    }
    _ = try classroom.handle(.deny(user: "cyd"), by: .host, at: .after(2100))
    #expect(classroom.refusal(of: .wait(isApproved: false), by: .named("cyd")) == .denied)
    #expect(classroom.refusal(of: .join, by: .named("cyd")) == .denied)
    let outcome = try classroom.handle(.admit(users: []), by: .host, key: "all", at: .after(2200))
    #expect(outcome.answer == .count(2) && outcome.events.map(\.event) == [.admitted(users: ["ada", "bob"])])
    #expect(try classroom.handle(.admit(users: []), by: .host, key: "all", at: .after(2300)).answer == .count(2))
    #expect(role("ada", in: classroom) == .success(.participant), "whom a host lets in needs no registration")
    #expect(classroom.refusal(of: .admit(users: ["zoe"]), by: .host) == .unknownUser("zoe"))
  }

  @Test("waiting ends with the session")
  func ends() throws {
    var classroom = try Classroom.sample(in: .ongoing)
    _ = try classroom.handle(.wait(isApproved: true), by: .student, at: .after(1500))
    _ = try classroom.handle(.end, by: .host, at: .after(2000))
    #expect(classroom.lobby.waiting.isEmpty)
  }
}
