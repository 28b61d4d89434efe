import Testing

@testable import Classroom

@Suite("Who may see and enter a session")
struct EntryTests {
  private enum Kind: CaseIterable {
    case owner, ownerAsParticipant, otherHost, participant, observer, cohost, admin, guest, guestNamedLikeOwner
    case scopedHere, scopedHereAsObserver, scopedHereAsHost, scopedElsewhere, adminScopedElsewhere, ownerScopedElsewhere
    case guestScopedHere
  }

  private func identity(_ kind: Kind) -> Identity {
    func make(_ user: String, _ role: Role, session: String? = nil, guest: Bool = false) -> Identity {
      Identity(user: user, name: user, role: role, session: session, isGuest: guest, expiresAt: .after(0))
    }
    return switch kind {
    case .owner: make("emmy", .host)
    case .ownerAsParticipant: make("emmy", .participant)
    case .otherHost: make("hilbert", .host)
    case .participant: make("ada", .participant)
    case .observer: make("ivy", .observer)
    case .cohost: make("noether", .cohost)
    case .admin: make("root", .admin)
    case .guest: make("g1", .participant, guest: true)
    case .guestNamedLikeOwner: make("emmy", .admin, guest: true)
    case .scopedHere: make("ada", .participant, session: "algebra")
    case .scopedHereAsObserver: make("ada", .observer, session: "algebra")
    case .scopedHereAsHost: make("ada", .host, session: "algebra")
    case .scopedElsewhere: make("ada", .participant, session: "biology")
    case .adminScopedElsewhere: make("root", .admin, session: "biology")
    case .ownerScopedElsewhere: make("emmy", .host, session: "biology")
    case .guestScopedHere: make("g1", .participant, session: "algebra", guest: true)
    }
  }

  @Test("the role of every kind of identity, for every admission, visibility and guests")
  func roles() throws {
    for admission in SessionDetails.Admission.allCases {
      for visibility in SessionDetails.Visibility.allCases {
        for guests in [true, false] {
          let classroom = try Classroom.sample(.sample(admission: admission, visibility: visibility, guests: guests))
          for kind in Kind.allCases {
            let shut: Refusal = visibility == .listed ? .forbidden : .notFound
            let expected: Result<Role, Refusal> =
              switch kind {
              case .owner, .ownerAsParticipant: .success(.host)
              case .admin: .success(.admin)
              case .otherHost, .participant, .cohost: admission == .open ? .success(.participant) : .failure(shut)
              case .observer: admission == .open ? .success(.observer) : .failure(shut)
              case .guest, .guestNamedLikeOwner: guests ? .success(.participant) : .failure(.notFound)
              case .scopedHere, .guestScopedHere: .success(.participant)
              case .scopedHereAsObserver: .success(.observer)
              case .scopedHereAsHost: .success(.host)
              case .scopedElsewhere, .adminScopedElsewhere, .ownerScopedElsewhere: .failure(.notFound)
              }
            let actual = Result { () throws(Refusal) in try classroom.role(of: identity(kind)) }
            let place = "\(kind) \(admission) \(visibility) guests: \(guests)"
            #expect(actual == expected, "\(place)")
            let sees = expected != .failure(.notFound)
            #expect(classroom.isVisible(to: identity(kind)) == sees, "\(place)")
          }
        }
      }
    }
  }

  @Test("only hosts and admins of the whole server create sessions")
  func creators() {
    let creators = Kind.allCases.filter { identity($0).mayCreateSessions }
    #expect(creators == [.owner, .otherHost, .admin])
    #expect(Kind.allCases.filter { identity($0).isAdministrator } == [.admin])
  }
}
