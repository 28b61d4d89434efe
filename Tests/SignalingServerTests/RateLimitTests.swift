import EventLoop
import Testing

@testable import SignalingServer

/// Rates, and the count of connections, without a server.
@Suite("Rates and counts")
struct RateLimitTests {
  @Test(
    "a burst passes to the last, one more is refused, and after the time that is named one passes",
    arguments: [1, 2, 50])
  func burst(_ burst: Int) {
    let limit = RateLimit(perSecond: 10, burst: burst)
    var bucket: RateLimit.Bucket = 0
    let begin: Int64 = 7_000_000_000
    for _ in 0..<burst { #expect(limit.charge(&bucket, at: begin) == .allowed) }
    guard case .refused(let delay) = limit.charge(&bucket, at: begin) else {
      Issue.record("one more than the burst passed")
      return
    }
    // The refused one counts: two intervals of 100 ms.
    #expect(delay == 200)
    var early = bucket
    #expect(limit.charge(&early, at: begin + delay * 1000 - 1) != .allowed)
    #expect(limit.charge(&bucket, at: begin + delay * 1000) == .allowed)
  }

  @Test("who goes on after a whole burst of refusals is exhausted, and a pause makes it good")
  func exhausted() {
    let limit = RateLimit(perSecond: 100, burst: 5)
    var bucket: RateLimit.Bucket = 0
    var verdicts: [RateLimit.Verdict] = []
    for _ in 0..<20 { verdicts.append(limit.charge(&bucket, at: 0)) }
    #expect(verdicts[..<5].allSatisfy { $0 == .allowed })
    #expect(verdicts[5..<10].allSatisfy { if case .refused = $0 { true } else { false } })
    #expect(verdicts[10...].allSatisfy { $0 == .exhausted }, "\(verdicts)")
    #expect(limit.charge(&bucket, at: 1_000_000) == .allowed)
  }

  @Test("on average it is the rate, however long it goes on")
  func average() {
    let limit = RateLimit(perSecond: 50, burst: 10)
    var bucket: RateLimit.Bucket = 0
    var allowed = 0
    for millisecond in 0..<100_000 {
      var trial = bucket
      guard limit.charge(&trial, at: Int64(millisecond) * 1000) == .allowed else { continue }
      bucket = trial
      allowed += 1
    }
    #expect(allowed == 5000 + 9, "100 s at 50, and the rest of the burst")
  }

  @Test("a rate of 0 is no limit")
  func unlimited() {
    let limit = RateLimit(perSecond: 0, burst: 1)
    var bucket: RateLimit.Bucket = 0
    for _ in 0..<1000 { #expect(limit.charge(&bucket, at: 5) == .allowed) }
    #expect(bucket == 0)
  }

  @Test("no numbers make it trap", arguments: [1, 999_999, 1_000_000, .max], [Int.min, 0, 1, 1_000_000, .max])
  func extremes(_ rate: Int, _ burst: Int) {
    let limit = RateLimit(perSecond: rate, burst: burst)
    var bucket: RateLimit.Bucket = 0
    for time in [0, 1, 1 << 50] as [Int64] { _ = limit.charge(&bucket, at: time) }
  }

  @Test("the connections of a user share one bucket, and to come back does not fill it")
  func users() {
    let users = UserRates()
    let limit = RateLimit(perSecond: 1, burst: 2)
    let (first, second) = (users.enter("ada", at: 0), users.enter("ada", at: 0))
    #expect(first.charge(by: limit, at: 0) == .allowed)
    #expect(second.charge(by: limit, at: 0) == .allowed)
    #expect(first.charge(by: limit, at: 0) != .allowed)
    #expect(users.enter("bo", at: 0).charge(by: limit, at: 0) == .allowed)
    users.leave(first, at: 0)
    users.leave(second, at: 0)
    let back = users.enter("ada", at: 1000)
    #expect(back.charge(by: limit, at: 1000) != .allowed)
    users.leave(back, at: 1000)
    #expect(users.count == 2)
    // Long after, nothing is kept of who is gone.
    users.leave(users.enter("cy", at: 60_000_000), at: 60_000_000)
    #expect(users.count == 1, "only bo")
  }

  @Test("connections are counted in all and by network, and places are given back")
  func census() throws {
    let census = ConnectionCensus(maximum: 3, maximumPerNetwork: 2)
    let (here, there) = (
      try #require(ClientNetwork(hostBytes: [192, 0, 2, 1])), try #require(ClientNetwork(hostBytes: [192, 0, 2, 2]))
    )
    #expect(census.admit(here) == .admitted)
    #expect(census.admit(here) == .admitted)
    #expect(census.admit(here) == .tooManyOfNetwork)
    #expect(census.admit(there) == .admitted)
    #expect(census.admit(there) == .full)
    do { _ = Admission(here, in: census) }
    #expect(census.total == 2)
    #expect(census.admit(nil) == .admitted)
    var proxied = Admission(nil, in: census)
    #expect(proxied.attribute(to: here) == .admitted)
    #expect(proxied.attribute(to: here) == .admitted, "once")
    #expect(census.admit(here) == .full)
    #expect(Admission(proxied.release(), in: census).network == here, "it is handed on, not given back twice")
    #expect(census.total == 2)
  }

  @Test("an IPv6 network is 64 bits, an IPv4 one an address, also when it is mapped")
  func networks() {
    func network(_ host: String) -> ClientNetwork? {
      SocketAddress.numericHostBytes(host).flatMap { ClientNetwork(hostBytes: $0) }
    }
    #expect(network("2001:db8:1:2::1") == network("2001:db8:1:2:ffff::9"))
    #expect(network("2001:db8:1:2::1") != network("2001:db8:1:3::1"))
    #expect(network("192.0.2.1") == network("::ffff:192.0.2.1"))
    #expect(network("192.0.2.1") != network("192.0.2.2"))
    #expect(network("::") != network("0.0.0.0"))
    #expect(ClientNetwork(hostBytes: []) == nil)
  }

  @Test("the census leaves files for the journal, and takes the numbers it is given")
  func sizes() {
    var settings = LimitSettings()
    let wide = settings.census(descriptors: 20_000, loops: 2)
    #expect(wide.maximum == 19_920 && wide.maximumPerNetwork == 14_940)
    let narrow = settings.census(descriptors: 64, loops: 2)
    #expect(narrow.maximum == 32 && narrow.maximumPerNetwork == 24)
    settings.connections = 10
    settings.connectionsPerAddress = 3
    let given = settings.census(descriptors: 20_000, loops: 2)
    #expect(given.maximum == 10 && given.maximumPerNetwork == 3)
  }
}
