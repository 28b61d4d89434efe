import Testing

@testable import Classroom

/// Who may do what, and when, written down a second time: not from the code, but from what a class needs.
@Suite("Every cell of action × role × state")
struct PermissionCellsTests {
  /// A line for each action: the roles, each by the first letter (host, cohost, participant, observer, admin), and the states:
  /// pending, approved, scheduled, ongoing, completed, cancelled (x), expired.
  private static let expected = """
    session.join              hcpoa  as oc
    session.approve           h   a  p
    session.decline           h   a  p
    session.withdraw            p    pa
    session.reschedule        h p a  pas   e
    session.start             h   a  as c
    session.end               h   a  o
    session.cancel            h   a  pas
    session.announce          hc  a  aso
    session.update            h   a  pasoc
    session.delete            h   a  pascxe
    session.purge                 a  pascxe
    registration.request        po   aso
    registration.withdraw       po   aso
    registration.list         hc  a  pasocxe
    registration.invite       hc  a  paso
    registration.approve      hc  a  aso
    registration.reject       hc  a  aso
    waiting.admit             hc  a  aso
    waiting.deny              hc  a  aso
    participant.mute          hc  a  o
    participant.ask_unmute    hc  a  o
    participant.remove        hc  a  o
    participant.ban           hc  a  aso
    participant.unban         hc  a  aso
    participant.promote       h   a  aso
    participant.demote        h   a  aso
    participant.spotlight     hc  a  o
    participant.lower_hand    hc  a  o
    room.mute_all             hc  a  o
    room.lock                 hc  a  aso
    room.policy               hc  a  aso
    hand.raise                hcp a  o
    hand.lower                hcp a  o
    media.set                 hcp a  o
    presence.away             hcp a  o
    signal                    hcp a  o
    stage.take                hcp a  o
    stage.manage              hc  a  o
    chat.send                 hcp a  o
    chat.edit                 hcp a  o
    chat.delete               hcp a  o
    chat.moderate             hc  a  oc
    chat.react                hcp a  o
    chat.pin                  hc  a  oc
    chat.typing               hcp a  o
    attendance.read           hcpoa  pasocxe
    attendance.heartbeat      hcp a  o
    attendance.check_in       hcp a  o
    attendance.mark           hc  a  oc
    """

  private static let roles: [(Character, Role)] = [
    ("h", .host), ("c", .cohost), ("p", .participant), ("o", .observer), ("a", .admin),
  ]
  private static let states: [(Character, SessionStatus)] = [
    ("p", .pendingApproval), ("a", .approved), ("s", .scheduled), ("o", .ongoing), ("c", .completed),
    ("x", .cancelled), ("e", .expired),
  ]

  private struct Line {
    var roles: Set<Role>
    var states: Set<SessionStatus>
  }

  private static func table() throws -> [Action: Line] {
    var table: [Action: Line] = [:]
    for line in expected.split(separator: "\n") {
      let name = line.prefix { $0 != " " }
      let action = try #require(Action(rawValue: String(name)), "\(name)")
      let rest = line.dropFirst(26)
      let (roleText, stateText) = (rest.prefix(5), rest.dropFirst(7))
      #expect(table[action] == nil, "\(name) twice")
      table[action] = Line(
        roles: Set(roles.filter { roleText.contains($0.0) }.map(\.1)),
        states: Set(states.filter { stateText.contains($0.0) }.map(\.1)))
    }
    return table
  }

  @Test("the table of permissions is this one")
  func cells() throws {
    let table = try Self.table()
    #expect(Set(table.keys) == Set(Action.allCases))
    for (_, status) in Self.states {
      let classroom = try Classroom.sample(in: status)
      #expect(classroom.status == status)
      for action in Action.allCases {
        let line = try #require(table[action])
        for role in Role.allCases {
          var refusal: Refusal?
          do throws(Refusal) {
            try classroom.require(action, of: role)
          } catch {
            refusal = error
          }
          let expected: Refusal? =
            !line.roles.contains(role) ? .forbidden : line.states.contains(status) ? nil : .wrongState(status)
          #expect(refusal == expected, "\(action.rawValue) \(role) \(status)")
        }
      }
    }
  }

  /// A command for each action that is one, of somebody to whom it applies. New actions of other parts are added here.
  private static let commands: [(Action, Command)] = [
    (.approve, .approve), (.decline, .decline(reason: "No")), (.withdraw, .withdraw(reason: nil)),
    (.reschedule, .reschedule(ScheduleChange(start: .instant(.after(14 * 86_400_000))), reason: nil)),
    (.start, .start), (.end, .end), (.cancel, .cancel(reason: nil)), (.announce, .announce(text: nil)),
    (.update, .update(SessionPatch())), (.delete, .delete), (.purge, .purge), (.register, .register),
    (.unregister, .unregister), (.invite, .invite([Roster.Invitation(user: "bob", name: "Bob")])),
    (.approveRegistration, .approveRegistration(user: "cyd")),
    (.rejectRegistration, .rejectRegistration(user: "cyd")), (.admitWaiting, .admit(users: [])),
    (.denyWaiting, .deny(user: "dan")), (.sendChat, .sendChat(text: "Hi")),
  ]

  @Test("every command goes by the table: refused by role first, then by state, and a refusal changes nothing")
  func commands() throws {
    let table = try Self.table()
    for (_, status) in Self.states {
      for (action, command) in Self.commands {
        let line = try #require(table[action])
        for role in Role.allCases {
          var classroom = try Classroom.sample(in: status)
          let before = classroom
          // Who proposed the session, so that what is theirs alone is theirs.
          let refusal = classroom.refusal(of: command, by: Actor(user: "ada", name: "Ada", role: role))
          let place: Comment = "\(action.rawValue) \(role) \(status)"
          let isOwn = [.withdraw, .reschedule].contains(action) && role == .participant
          if !line.roles.contains(role) || isOwn && classroom.details.proposer != "ada" {
            #expect(refusal == .forbidden, place)
          } else if !line.states.contains(status) {
            #expect(refusal == .wrongState(status), place)
          } else {
            let isAboutSomebody = [.approveRegistration, .rejectRegistration, .denyWaiting, .sendChat].contains(action)
            #expect(
              isAboutSomebody
                ? refusal == .unknownUser("cyd") || refusal == .unknownUser("dan")
                  || refusal == .notPresent || refusal == nil : refusal == nil, place)
          }
          if refusal != nil { #expect(classroom == before, place) }
        }
      }
    }
  }
}
