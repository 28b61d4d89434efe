import Classroom
import SignalingProtocol
import Testing

@testable import RoomShard

@Suite("Negotiations")
struct NegotiationTests {
  private let fixture: ShardFixture
  private let (polite, impolite): (ConnectionID, ConnectionID)
  private let (politePeer, impolitePeer): (String, String)

  init() throws {
    let (fixture, _) = try ShardFixture.live()
    let (ada, bob) = (fixture.join("ada"), fixture.join("bob"))
    try fixture.sync()
    let (adasPeer, bobsPeer) = (try fixture.takePeer(ada), try fixture.takePeer(bob))
    self.fixture = fixture
    (polite, impolite) = adasPeer > bobsPeer ? (ada, bob) : (bob, ada)
    (politePeer, impolitePeer) = adasPeer > bobsPeer ? (adasPeer, bobsPeer) : (bobsPeer, adasPeer)
  }

  /// Says something to the other side.
  private func say(_ kind: SignalKind, _ id: String?, _ text: String = "x", isPolite: Bool) throws {
    let negotiation = id.map { #","negotiation":"\#($0)""# } ?? ""
    let target = isPolite ? impolitePeer : politePeer
    try fixture.send(
      isPolite ? polite : impolite,
      #"{"type":"signal","id":9,"to":"\#(target)","kind":"\#(kind.rawValue)"\#(negotiation),"payload":"\#(text)"}"#)
    try fixture.release()
  }

  /// What came to a side since the last time: kinds and payloads of signals, codes of errors.
  private func heard(isPolite: Bool) -> [String] {
    fixture.take(isPolite ? polite : impolite).compactMap { message in
      switch message.type {
      case "signal": "\(message.text("kind") ?? "") \(message.text("payload") ?? "")"
      case "error": message.text("code")
      default: nil
      }
    }
  }

  @Test("candidates that come before their offer are held, and follow it in their order")
  func held() throws {
    try say(.candidate, "n1", "1", isPolite: true)
    try say(.candidate, "n1", "2", isPolite: true)
    try say(.endOfCandidates, "n1", "3", isPolite: true)
    #expect(heard(isPolite: false).isEmpty)
    #expect(fixture.take(polite).map(\.type) == ["ok", "ok", "ok"])
    try say(.offer, "n1", "0", isPolite: true)
    #expect(heard(isPolite: false) == ["offer 0", "candidate 1", "candidate 2", "end_of_candidates 3"])
    #expect(fixture.shard.signalFigures == SignalFigures(stale: 0, held: 3, abandoned: 0))
  }

  @Test("what is held waits for its own offer alone, and not for ever")
  func heldForAnother() throws {
    try say(.candidate, "n2", isPolite: true)
    try say(.offer, "n1", isPolite: true)
    #expect(heard(isPolite: false) == ["offer x"])
    fixture.advance(HeldSignals.Limits.milliseconds + 1)
    try say(.offer, "n2", isPolite: true)
    #expect(heard(isPolite: false) == ["offer x"])
    #expect(fixture.shard.signalFigures.abandoned == 1)
  }

  @Test("no more is held than the bounds allow, by number and by bytes")
  func bounds() throws {
    for _ in 0..<HeldSignals.Limits.signals { try say(.candidate, "n1", isPolite: true) }
    #expect(heard(isPolite: true).isEmpty)
    try say(.candidate, "n1", isPolite: true)
    #expect(heard(isPolite: true) == ["stale_negotiation"])

    let long = String(repeating: "y", count: HeldSignals.Limits.bytes / 2)
    try say(.candidate, "n1", long, isPolite: false)
    #expect(heard(isPolite: false).isEmpty)
    try say(.candidate, "n1", long, isPolite: false)
    #expect(heard(isPolite: false) == ["stale_negotiation"])
  }

  @Test("an answer belongs to the other side's newest offer, and candidates to the newest negotiation")
  func stale() throws {
    try say(.offer, "n1", isPolite: true)
    try say(.answer, "n1", isPolite: true)
    #expect(heard(isPolite: true) == ["stale_negotiation"], "nobody answers the own offer")
    try say(.answer, "n0", isPolite: false)
    #expect(heard(isPolite: false) == ["offer x", "stale_negotiation"])
    try say(.answer, "n1", isPolite: false)
    try say(.candidate, "n1", isPolite: false)
    #expect(heard(isPolite: true) == ["answer x", "candidate x"])

    // An ICE restart: what belongs to the connection before it is of no use.
    try say(.offer, "n2", isPolite: true)
    try say(.candidate, "n1", isPolite: false)
    try say(.candidate, "n2", isPolite: true)
    #expect(heard(isPolite: false) == ["offer x", "stale_negotiation", "candidate x"])
    #expect(fixture.shard.signalFigures.stale == 3)
  }

  @Test("an offer within a negotiation keeps its candidates good")
  func renegotiation() throws {
    try say(.offer, "n1", isPolite: true)
    try say(.answer, "n1", isPolite: false)
    try say(.offer, "n1", isPolite: false)
    try say(.candidate, "n1", isPolite: true)
    try say(.answer, "n1", isPolite: true)
    #expect(heard(isPolite: false) == ["offer x", "candidate x", "answer x"])
  }

  @Test("of two offers that cross, the impolite side's counts, in whatever order they come", arguments: [true, false])
  func crossing(isPoliteFirst: Bool) throws {
    try say(.offer, isPoliteFirst ? "polite" : "impolite", isPolite: isPoliteFirst)
    try say(.candidate, isPoliteFirst ? "polite" : "impolite", isPolite: isPoliteFirst)
    try say(.offer, isPoliteFirst ? "impolite" : "polite", isPolite: !isPoliteFirst)
    _ = (heard(isPolite: true), heard(isPolite: false))
    try say(.candidate, "polite", isPolite: true)
    try say(.answer, "polite", isPolite: false)
    #expect(heard(isPolite: true) == ["stale_negotiation"])
    #expect(heard(isPolite: false) == ["stale_negotiation"])
    try say(.answer, "impolite", isPolite: true)
    try say(.candidate, "impolite", isPolite: true)
    try say(.candidate, "impolite", isPolite: false)
    #expect(heard(isPolite: false) == ["answer x", "candidate x"])
    #expect(heard(isPolite: true) == ["candidate x"])
  }

  @Test("an offer that nobody answers does not stand in the way of the polite side's for ever")
  func unanswered() throws {
    try say(.offer, "dead", isPolite: false)
    fixture.advance(Negotiation.Limits.crossingMilliseconds + 1)
    try say(.offer, "n1", isPolite: true)
    try say(.answer, "n1", isPolite: false)
    #expect(heard(isPolite: true) == ["offer x", "answer x"])
  }

  @Test("a bye ends what went on: candidates of it are held, an answer is refused, the next offer counts")
  func bye() throws {
    try say(.offer, "n1", isPolite: true)
    try say(.bye, nil, isPolite: false)
    _ = (heard(isPolite: true), heard(isPolite: false))
    try say(.answer, "n1", isPolite: false)
    #expect(heard(isPolite: false) == ["stale_negotiation"])
    try say(.offer, "n2", isPolite: false)
    try say(.answer, "n2", isPolite: true)
    #expect(heard(isPolite: false) == ["answer x"])
  }

  @Test("what has no negotiation is passed on as it comes", arguments: SignalKind.allCases)
  func withoutNegotiation(_ kind: SignalKind) throws {
    try say(kind, nil, isPolite: true)
    #expect(heard(isPolite: false) == ["\(kind.rawValue) x"])
  }

  @Test("nothing is remembered of who is gone")
  func gone() throws {
    try say(.offer, "n1", isPolite: true)
    try say(.candidate, "n7", isPolite: false)
    try fixture.send(polite, #"{"type":"session.leave","id":3}"#)
    try fixture.sync()
    let room = try fixture.room()
    #expect(room.peers[politePeer] == nil)
    #expect(room.peers[impolitePeer]?.negotiations.isEmpty == true)
    #expect(room.peers[impolitePeer]?.openedNegotiations == 0)
  }

  @Test("a tab begins no more calls than it may, and others may still call it")
  func opened() throws {
    let room = try fixture.room()
    let caller = try #require(room.peers[politePeer])
    caller.openedNegotiations = ProtocolLimits.negotiationsOpened
    try say(.offer, "n1", isPolite: true)
    #expect(heard(isPolite: true) == ["rate_limited"])
    try say(.offer, "n2", isPolite: false)
    #expect(heard(isPolite: true) == ["offer x"])
    try say(.bye, nil, isPolite: true)
    #expect(caller.openedNegotiations == ProtocolLimits.negotiationsOpened)
  }
}
