import SignalingProtocol
import Testing

@testable import RoomShard

@Suite("Signals for who is away")
struct KeptSignalTests {
  private func away() throws -> (ShardFixture, host: ConnectionID, joined: Message, peer: String) {
    let (fixture, host) = try ShardFixture.live()
    let ada = fixture.join("ada")
    try fixture.settle()
    let joined = try fixture.takeJoined(ada)
    fixture.close(ada)
    return (fixture, host, joined, try #require(joined.text("peer")))
  }

  private func signals(_ fixture: ShardFixture, _ joined: Message) throws -> (areRecovered: Bool?, numbers: [Int64]) {
    let back = fixture.resume("ada", try resume(joined))
    try fixture.sync()
    let got = fixture.take(back)
    return (got.first?.flag("signals_recovered"), got.compactMap { $0.type == "signal" ? $0.int("signal_seq") : nil })
  }

  @Test("as many are kept as the limit says; when one more is gone, all are said to be lost, and numbers go on")
  func count() throws {
    let (fixture, host, joined, peer) = try away()
    try fixture.signal(host, to: peer, 1...ProtocolLimits.signalsKept)
    var (areRecovered, numbers) = try signals(fixture, joined)
    #expect(areRecovered == true && numbers == Array(1...Int64(ProtocolLimits.signalsKept)))
    try fixture.signal(host, to: peer, [0])
    (areRecovered, numbers) = try signals(fixture, joined)
    #expect(areRecovered == false && numbers.isEmpty)
    let back = fixture.resume("ada", try resume(joined))
    try fixture.signal(host, to: peer, [0])
    try fixture.sync()
    let got = fixture.take(back)
    #expect(got[0].int("signal_seq") == 257 && got[1].int("signal_seq") == 258)
  }

  @Test("their bytes are bounded, too")
  func bytes() throws {
    let (fixture, host, joined, peer) = try away()
    let text = String(repeating: "x", count: 60_000)
    func send(_ count: Int) throws {
      for _ in 0..<count {
        try fixture.send(host, #"{"type":"signal","to":"\#(peer)","kind":"offer","payload":"\#(text)"}"#)
      }
      try fixture.release()
    }
    try send(4)
    var (areRecovered, numbers) = try signals(fixture, joined)
    #expect(areRecovered == true && numbers == [1, 2, 3, 4])
    #expect(try #require(fixture.room().peers[peer]).signals.byteCount <= ProtocolLimits.signalBytesKept)
    try send(1)
    (areRecovered, numbers) = try signals(fixture, joined)
    #expect(areRecovered == false && numbers.isEmpty)
    #expect(try #require(fixture.room().peers[peer]).signals.count == 4)
  }

  @Test("what is older than anybody can be away does not fill the memory")
  func age() throws {
    let (fixture, host) = try ShardFixture.live()
    let ada = fixture.join("ada")
    try fixture.settle()
    let peer = try fixture.takePeer(ada)
    try fixture.signal(host, to: peer, 1...100)
    fixture.advance(120_000)
    try fixture.signal(host, to: peer, [101])
    #expect(try #require(fixture.room().peers[peer]).signals.count == 101)
    fixture.advance(1)
    try fixture.signal(host, to: peer, [102])
    #expect(try #require(fixture.room().peers[peer]).signals.count == 2)
  }

  @Test("a signal gets its number when it is let out, so that held ones and others have no gap and no twins")
  func heldSignals() throws {
    let (fixture, host) = try ShardFixture.live()
    let ada = fixture.join("ada")
    try fixture.settle()
    let peer = try fixture.takePeer(ada)
    let cyd = fixture.join("cyd")
    try fixture.signal(cyd, to: peer, [1])
    try fixture.signal(host, to: peer, [2])
    #expect(fixture.take(ada).compactMap { $0.int("payload") } == [2])
    try fixture.sync()
    let got = fixture.take(ada, "signal")
    #expect(got.compactMap { $0.int("payload") } == [1] && got.compactMap { $0.int("signal_seq") } == [2])
  }

  @Test("nobody can signal an address that was never shown")
  func unknown() throws {
    let (fixture, host) = try ShardFixture.live()
    let ada = fixture.join("ada")
    let peer = try #require(try fixture.room().peers.values.first { $0.connection == ada }?.id)
    fixture.close(ada)
    try fixture.signal(host, to: peer, [1])
    try fixture.sync()
    #expect(fixture.take(host, "error").map { $0.text("code") } == ["peer_unavailable"])
    try fixture.signal(host, to: peer, [2])
    try fixture.sync()
    #expect(fixture.take(host, "error").isEmpty)
  }
}
