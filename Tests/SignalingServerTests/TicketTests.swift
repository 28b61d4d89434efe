import Testing

@testable import Classroom
@testable import SignalingServer

@Suite("Tickets")
struct TicketTests {
  private let office = TicketOffice()
  private let now = Timestamp(milliseconds: 1_767_225_600_000)
  private let identity = Identity(
    user: "u", name: "U", role: .participant, session: "algebra", isGuest: false,
    expiresAt: Timestamp(milliseconds: 1_767_229_200_000))

  @Test("a ticket works once")
  func once() {
    let ticket = office.issue(identity, at: now)
    #expect(office.redeem(ticket, at: now) == identity)
    #expect(office.redeem(ticket, at: now) == nil)
  }

  @Test("a ticket works for thirty seconds")
  func expiry() {
    let (early, late) = (office.issue(identity, at: now), office.issue(identity, at: now))
    #expect(office.redeem(early, at: now.advanced(byMilliseconds: 29_999)) == identity)
    #expect(office.redeem(late, at: now.advanced(byMilliseconds: 30_000)) == nil)
  }

  @Test("a ticket does not outlive the token that it was given for")
  func follows() {
    var identity = identity
    identity.expiresAt = now.advanced(byMilliseconds: 10_000)
    let (early, late) = (office.issue(identity, at: now), office.issue(identity, at: now))
    #expect(office.redeem(early, at: now.advanced(byMilliseconds: 9_999))?.expiresAt == identity.expiresAt)
    #expect(office.redeem(late, at: now.advanced(byMilliseconds: 10_000)) == nil)
  }

  @Test("old tickets are swept while others are issued, newer ones stay")
  func sweep() {
    let old = office.issue(identity, at: now)
    let newer = office.issue(identity, at: now.advanced(byMilliseconds: 20_000))
    _ = office.issue(identity, at: now.advanced(byMilliseconds: 31_000))
    #expect(office.redeem(old, at: now) == nil, "swept")
    #expect(office.redeem(newer, at: now.advanced(byMilliseconds: 31_000)) == identity)
  }

  @Test("tickets are different, long, and nothing else is one", arguments: ["", "x", "null"])
  func names(_ guess: String) {
    let tickets = Set((0..<1000).map { _ in office.issue(identity, at: now) })
    #expect(tickets.count == 1000 && tickets.allSatisfy { $0.count == 32 })
    #expect(office.redeem(guess, at: now) == nil)
  }
}
